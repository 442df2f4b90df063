"""Makes the JSON that Discord's REST API v10 sends."""

from __future__ import annotations

from typing import Any

from furytune.testing._fakes.discord.model import KINDS, Channel, Role, User, iso, made

__all__ = [
    "application",
    "channel",
    "guild",
    "member",
    "myself",
    "obfuscated",
    "role",
    "thread_member",
    "user",
]

_CONTENT_LIMITED = 1 << 19
_MEMBERS_LIMITED = 1 << 15
_OBFUSCATED = 1 << 17


def user(who: User) -> dict[str, Any]:
    """Returns a user as others see it."""
    payload: dict[str, Any] = {
        "id": who.id,
        "username": who.name,
        "avatar": None,
        "discriminator": "0000" if who.webhook else f"{who.number % 9999 + 1:04}" if who.bot else "0",
        "public_flags": 0,
        "flags": 0,
        "global_name": None if who.bot or who.webhook else who.name.title(),
    }
    if who.webhook:
        return payload | {"bot": True}
    payload |= {
        "banner": None,
        "accent_color": None,
        "avatar_decoration_data": None,
        "collectibles": None,
        "primary_guild": None,
    }
    return payload | {"bot": True} if who.bot else payload


def myself(who: User) -> dict[str, Any]:
    """Returns the account that asks."""
    return user(who) | {
        "mfa_enabled": True,
        "locale": "en-US",
        "premium_type": 0,
        "email": None,
        "verified": True,
    }


def member(who: User) -> dict[str, Any]:
    """Returns a member of the server."""
    return {
        "avatar": None,
        "banner": None,
        "communication_disabled_until": None,
        "flags": 0,
        "joined_at": iso(who.joined),
        "nick": None,
        "pending": False,
        "premium_since": None,
        "roles": [r.id for r in who.roles],
        "user": user(who),
        "mute": False,
        "deaf": False,
    }


def role(which: Role) -> dict[str, Any]:
    """Returns a role of the server."""
    return {
        "id": which.id,
        "name": which.name,
        "description": None,
        "permissions": str(which.permissions),
        "position": which.position,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "managed": False,
        "mentionable": False,
        "icon": None,
        "unicode_emoji": None,
        "flags": 0,
    }


def guild(number: int, name: str, owner: User, roles: list[Role], *, counts: int | None) -> dict[str, Any]:
    """Returns the server, with member counts if they are given."""
    payload: dict[str, Any] = {
        "id": str(number),
        "name": name,
        "icon": None,
        "description": None,
        "home_header": None,
        "splash": None,
        "discovery_splash": None,
        "features": ["COMMUNITY"],
        "banner": None,
        "owner_id": owner.id,
        "application_id": None,
        "region": "deprecated",
        "afk_channel_id": None,
        "afk_timeout": 300,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "widget_enabled": False,
        "widget_channel_id": None,
        "verification_level": 1,
        "roles": [role(r) for r in roles],
        "default_message_notifications": 1,
        "mfa_level": 0,
        "explicit_content_filter": 2,
        "max_presences": None,
        "max_members": 500_000,
        "max_stage_video_channel_users": 50,
        "max_video_channel_users": 25,
        "vanity_url_code": None,
        "premium_tier": 0,
        "premium_subscription_count": 0,
        "preferred_locale": "en-US",
        "rules_channel_id": None,
        "safety_alerts_channel_id": None,
        "public_updates_channel_id": None,
        "premium_progress_bar_enabled": False,
        "nsfw": False,
        "nsfw_level": 0,
        "emojis": [],
        "stickers": [],
    }
    if counts is None:
        return payload
    return payload | {"approximate_member_count": counts, "approximate_presence_count": 1}


def application(bot: User, owner: User, *, content: bool, members: bool) -> dict[str, Any]:
    """Returns the bot's application; its flags list the privileged intents that are switched on."""
    return {
        "id": bot.id,
        "name": bot.name,
        "icon": None,
        "description": "",
        "type": None,
        "verify_key": "0" * 64,
        "flags": (_CONTENT_LIMITED if content else 0) | (_MEMBERS_LIMITED if members else 0),
        "bot_public": False,
        "bot_require_code_grant": False,
        "bot": user(bot),
        "owner": user(owner),
        "team": None,
        "redirect_uris": [],
        "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
        "approximate_guild_count": 1,
        "approximate_user_install_count": 0,
        "approximate_user_authorization_count": 0,
        "explicit_content_filter": 0,
    }


def channel(where: Channel, guild_id: str) -> dict[str, Any]:
    """Returns a channel or thread of the server."""
    kind = where.kind
    if kind == "dm":
        assert where.owner is not None
        last = None if where.last is None else str(where.last)
        return {
            "id": where.id,
            "type": 1,
            "flags": 0,
            "last_message_id": last,
            "recipients": [user(where.owner)],
        }
    payload: dict[str, Any] = {
        "id": where.id,
        "type": KINDS[kind],
        "flags": 0,
        "guild_id": guild_id,
        "name": where.name,
        "parent_id": where.parent.id if where.parent else None,
    }
    if kind != "category":
        payload["last_message_id"] = None if where.last is None else str(where.last)
        payload["rate_limit_per_user"] = 0
    if where.is_thread:
        return payload | _thread(where)
    payload |= {
        "position": where.position,
        "permission_overwrites": [
            {"id": str(i), "type": t, "allow": str(a), "deny": str(d)}
            for i, (t, a, d) in where.overwrites.items()
        ],
    }
    if kind != "category":
        payload |= {"topic": where.topic, "nsfw": where.nsfw}
    if kind in {"voice", "stage"}:
        payload |= {"bitrate": 64_000, "user_limit": 0, "rtc_region": None}
        del payload["topic"]
    if kind in {"forum", "media"}:
        payload |= {
            "available_tags": [
                {"id": str(i), "name": n, "moderated": False, "emoji_id": None, "emoji_name": None}
                for n, i in where.tags.items()
            ],
            "default_reaction_emoji": None,
            "default_sort_order": None,
            "default_forum_layout": 0,
        }
    return payload


def obfuscated(where: Channel, guild_id: str) -> dict[str, Any]:
    """Returns a channel as accounts get it that may not view it."""
    payload = channel(where, guild_id)
    payload |= {"name": "___hidden___", "flags": _OBFUSCATED, "permission_overwrites": []}
    for name in ("topic", "last_message_id", "available_tags"):
        if name in payload:
            payload[name] = [] if name == "available_tags" else None
    return payload


def _thread(where: Channel) -> dict[str, Any]:
    """Returns the fields that only threads have."""
    payload: dict[str, Any] = {
        "owner_id": where.owner.id if where.owner else None,
        "thread_metadata": {
            "archived": where.archived,
            "archive_timestamp": iso(where.archived_at),
            "auto_archive_duration": 4320,
            "locked": where.locked,
            "create_timestamp": iso(made(where.number)),
        },
        "message_count": len(where.messages) - where.starters,
        "member_count": 1,
        "total_message_sent": where.sent - where.starters,
        "bitrate": 64_000,
        "user_limit": 0,
        "rtc_region": None,
    }
    if where.kind == "private_thread":
        payload["thread_metadata"]["invitable"] = True
    if where.parent is not None and where.parent.kind in {"forum", "media"}:
        payload["applied_tags"] = [str(i) for i in where.applied]
    return payload


def thread_member(where: Channel, who: User) -> dict[str, Any]:
    """Returns the bot's membership of a thread."""
    return {"id": where.id, "user_id": who.id, "join_timestamp": iso(made(where.number)), "flags": 1}
