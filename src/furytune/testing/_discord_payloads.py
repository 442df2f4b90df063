"""JSON of Discord's API v10, as REST answers it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from furytune.testing._discord_model import EPOCH, KINDS, Channel, Message, Role, User, iso

__all__ = [
    "application",
    "attachment",
    "channel",
    "embed",
    "guild",
    "member",
    "message",
    "message_bytes",
    "poll",
    "role",
    "sticker",
    "user",
    "withheld",
]

CONTENT, CONTENT_LIMITED = 1 << 18, 1 << 19
MEMBERS, MEMBERS_LIMITED = 1 << 14, 1 << 15


def _time(number: int) -> int:
    return (number >> 22) + EPOCH


def user(who: User) -> dict[str, Any]:
    """Returns a user as others see it."""
    payload: dict[str, Any] = {
        "id": who.id,
        "username": who.name,
        "avatar": None,
        "discriminator": "0000" if who.bot or who.webhook else "0",
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
        "display_name_styles": None,
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
        "bio": "",
    }


def member(who: User) -> dict[str, Any]:
    """Returns a member of the guild."""
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
    """Returns a role of the guild."""
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
    """Returns the guild, with member counts where asked for."""
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
        "incidents_data": None,
    }
    if counts is None:
        return payload
    return payload | {"approximate_member_count": counts, "approximate_presence_count": 1}


def application(bot: User, owner: User, *, content: bool, members: bool) -> dict[str, Any]:
    """Returns the bot's application; its flags tell the privileged intents that are switched on."""
    return {
        "id": bot.id,
        "name": bot.name,
        "icon": None,
        "description": "",
        "type": None,
        "verify_key": "0" * 64,
        "flags": (CONTENT_LIMITED if content else 0) | (MEMBERS_LIMITED if members else 0),
        "hook": True,
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
    """Returns a channel or thread of the guild."""
    kind = where.kind
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


def _thread(where: Channel) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "owner_id": where.owner.id if where.owner else None,
        "thread_metadata": {
            "archived": where.archived,
            "archive_timestamp": iso(where.archived_at),
            "auto_archive_duration": 4320,
            "locked": where.locked,
            "create_timestamp": iso(_time(where.number)),
        },
        "message_count": len(where.messages),
        "member_count": 1,
        "total_message_sent": where.sent,
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
    return {"id": where.id, "user_id": who.id, "join_timestamp": iso(_time(where.number)), "flags": 1}


def attachment(number: int, what: str | Mapping[str, Any], channel_id: str) -> dict[str, Any]:
    """Returns an attachment, from its file name or from some of its fields."""
    fields = {"filename": what} if isinstance(what, str) else dict(what)
    url = f"https://cdn.discordapp.com/attachments/{channel_id}/{number}/{fields['filename']}?ex=1&is=1&hm=1&"
    return {
        "id": str(number),
        "filename": fields["filename"],
        "size": 1024,
        "url": url,
        "proxy_url": url.replace("cdn.discordapp.com", "media.discordapp.net"),
        "content_type": "text/plain; charset=utf-8",
    } | fields


def embed(what: str | Mapping[str, Any]) -> dict[str, Any]:
    """Returns an embed, from its description or from some of its fields."""
    return {"type": "rich"} | ({"description": what} if isinstance(what, str) else dict(what))


def sticker(number: int, name: str) -> dict[str, Any]:
    """Returns what a message tells of a sticker."""
    return {"id": str(number), "name": name, "format_type": 1}


def poll(question: str, answers: list[str], expiry: str) -> dict[str, Any]:
    """Returns a poll that nobody voted in."""
    return {
        "question": {"text": question},
        "answers": [{"answer_id": i, "poll_media": {"text": text}} for i, text in enumerate(answers, 1)],
        "expiry": expiry,
        "allow_multiselect": False,
        "layout_type": 1,
        "results": {"answer_counts": [], "is_finalized": False},
    }


_ENCODER = msgspec.json.Encoder()


def message(what: Message) -> dict[str, Any]:
    """Returns a message without the message it answers and the thread it started."""
    payload: dict[str, Any] = {
        "type": what.type,
        "content": what.content,
        "mentions": [user(who) for who in what.mentions],
        "mention_roles": [],
        "attachments": [],
        "embeds": [],
        "timestamp": iso(_time(what.number)),
        "edited_timestamp": None if what.edited is None else iso(what.edited),
        "flags": 0,
        "components": [],
        "id": str(what.number),
        "channel_id": str(what.channel.number),
        "author": _author(what.author),
        "pinned": what.pinned,
        "mention_everyone": "@everyone" in what.content or "@here" in what.content,
        "tts": False,
    }
    if what.extra:
        payload |= what.extra
    return payload


def _author(who: User) -> msgspec.Raw:
    if not who.json:
        who.json = _ENCODER.encode(user(who))
    return msgspec.Raw(who.json)


def withheld(what: Message) -> dict[str, Any]:
    """Returns a message as a bot sees it that may not read content."""
    payload = message(what) | {"content": "", "attachments": [], "embeds": [], "components": []}
    payload.pop("poll", None)
    return payload


def message_bytes(what: Message, guild_id: str, *, reader: User, content: bool, remember: bool) -> bytes:
    """Returns a message as ``reader`` gets it."""
    core = _core(what, reader, content=content, remember=remember)
    tail = b""
    if what.reply_to is not None:
        answered = what.reply_to
        inner = b"null" if answered.deleted else _core(answered, reader, content=content, remember=remember)
        tail += b',"referenced_message":' + inner
    if what.thread is not None:
        tail += b',"thread":' + _ENCODER.encode(channel(what.thread, guild_id))
    return core[:-1] + tail + b"}" if tail else core


def _core(what: Message, reader: User, *, content: bool, remember: bool) -> bytes:
    if not content and what.author is not reader and reader not in what.mentions:
        return _ENCODER.encode(withheld(what))
    if what.core:
        return what.core
    core = _ENCODER.encode(message(what))
    if remember:
        what.core = core
    return core
