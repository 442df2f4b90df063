"""Makes the JSON of messages as Discord's REST API v10 sends it: without the author's membership."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from furytune.testing._fakes.discord.model import Channel, Message, User, iso, made
from furytune.testing._fakes.discord.payloads import channel, user

__all__ = [
    "attachment",
    "command",
    "embed",
    "encode",
    "forward",
    "message",
    "message_bytes",
    "poll",
    "poll_result",
    "reaction",
    "reference",
    "sticker",
]

encode = msgspec.json.Encoder().encode

_SNAPSHOT = (
    "type",
    "content",
    "mentions",
    "mention_roles",
    "attachments",
    "embeds",
    "timestamp",
    "edited_timestamp",
    "flags",
    "components",
    "sticker_items",
)


def attachment(number: int, what: str | Mapping[str, Any], where: Channel) -> dict[str, Any]:
    """Returns an attachment, from its file name or from some of its fields."""
    fields = {"filename": what} if isinstance(what, str) else dict(what)
    path = f"attachments/{where.id}/{number}/{fields['filename']}?ex=1&is=1&hm=1&"
    return {
        "id": str(number),
        "filename": fields["filename"],
        "size": 1024,
        "url": f"https://cdn.discordapp.com/{path}",
        "proxy_url": f"https://media.discordapp.net/{path}",
        "content_type": "text/plain; charset=utf-8",
    } | fields


def embed(what: str | Mapping[str, Any]) -> dict[str, Any]:
    """Returns an embed, from its description or from some of its fields."""
    return {"type": "rich"} | ({"description": what} if isinstance(what, str) else dict(what))


def sticker(number: int, name: str) -> dict[str, Any]:
    """Returns a sticker as it is in a message."""
    return {"id": str(number), "name": name, "format_type": 1}


def poll(question: str, answers: Sequence[str], expiry: int) -> dict[str, Any]:
    """Returns a poll without votes."""
    return {
        "question": {"text": question},
        "answers": [{"answer_id": i, "poll_media": {"text": text}} for i, text in enumerate(answers, 1)],
        "expiry": iso(expiry),
        "allow_multiselect": False,
        "layout_type": 1,
        "results": {"answer_counts": [], "is_finalized": False},
    }


def poll_result(of: Mapping[str, Any], winner: int, votes: int) -> dict[str, Any]:
    """Returns the embed with the result of a poll."""
    texts = {a["answer_id"]: a["poll_media"]["text"] for a in of["answers"]}
    fields = {
        "poll_question_text": of["question"]["text"],
        "victor_answer_votes": str(votes),
        "total_votes": str(votes),
        "victor_answer_id": str(winner),
        "victor_answer_text": texts[winner],
    }
    made_of = [{"name": name, "value": value, "inline": False} for name, value in fields.items()]
    return {"type": "poll_result", "fields": made_of}


def reaction(emoji: str, count: int) -> dict[str, Any]:
    """Returns a reaction: an emoji, and how many people react with it."""
    return {
        "emoji": {"id": None, "name": emoji},
        "count": count,
        "count_details": {"burst": 0, "normal": count},
        "burst_colors": [],
        "me_burst": False,
        "me": False,
    }


def reference(to: Message, guild_id: str, kind: int = 0) -> dict[str, Any]:
    """Returns a reference to a message, of kind 0 for replies and notices and 1 for forwards."""
    about = {"type": kind, "channel_id": to.channel.id, "message_id": to.id, "guild_id": guild_id}
    return {"message_reference": about}


def forward(of: Message, guild_id: str) -> dict[str, Any]:
    """Returns the fields of a forward: a snapshot, which later edits do not change."""
    whole = message(of)
    inner = {name: whole[name] for name in _SNAPSHOT if name in whole}
    return reference(of, guild_id, 1) | {"message_snapshots": [{"message": inner}], "flags": 1 << 14}


def command(number: int, app: User, name: str, asker: User, guild_id: str) -> dict[str, Any]:
    """Returns the fields that mark the answer to a bot's command, in the current and the old form."""
    return {
        "application_id": app.id,
        "webhook_id": app.id,
        "interaction": {"id": str(number), "type": 2, "name": name, "user": user(asker)},
        "interaction_metadata": {
            "id": str(number),
            "type": 2,
            "user": user(asker),
            "authorizing_integration_owners": {"0": guild_id},
        },
    }


def message(what: Message) -> dict[str, Any]:
    """Returns a message without the message it replies to and the thread that was started on it."""
    payload: dict[str, Any] = {
        "type": what.type,
        "content": what.content,
        "mentions": [user(who) for who in what.mentions],
        "mention_roles": [],
        "attachments": [],
        "embeds": [],
        "timestamp": iso(made(what.number)),
        "edited_timestamp": None if what.edited is None else iso(what.edited),
        "flags": 0,
        "components": [],
        "id": what.id,
        "channel_id": what.channel.id,
        "author": _author(what.author),
        "pinned": what.pinned,
        "mention_everyone": "@everyone" in what.content or "@here" in what.content,
        "tts": False,
    }
    if what.extra:
        payload |= what.extra
    return payload


def _author(who: User) -> msgspec.Raw:
    """Returns the JSON of an account, made once."""
    if not who.json:
        who.json = encode(user(who))
    return msgspec.Raw(who.json)


def _withheld(what: Message) -> dict[str, Any]:
    """Returns a message as a bot gets it without the Message Content intent."""
    payload = message(what) | {"content": "", "attachments": [], "embeds": [], "components": []}
    payload.pop("poll", None)
    if "message_snapshots" in payload:
        empty = {"content": "", "attachments": [], "embeds": [], "components": []}
        payload["message_snapshots"] = [
            {"message": s["message"] | empty} for s in payload["message_snapshots"]
        ]
    return payload


def message_bytes(what: Message, guild_id: str, *, reader: User, content: bool, remember: bool) -> bytes:
    """Returns a message as an account gets it.

    Args:
        what: The message.
        guild_id: Id of the guild.
        reader: The account that asks.
        content: Whether it may read what others wrote.
        remember: Whether to keep the bytes for the next request.
    """
    core = _core(what, reader, content=content, remember=remember)
    tail = b""
    if what.reply_to is not None:
        to = what.reply_to
        # Discord sends null for a reply whose target was deleted.
        inner = b"null" if to.deleted else _core(to, reader, content=content, remember=remember, bare=True)
        tail += b',"referenced_message":' + inner
    if what.thread is not None:
        tail += b',"thread":' + encode(channel(what.thread, guild_id))
    return core[:-1] + tail + b"}" if tail else core


def _core(what: Message, reader: User, *, content: bool, remember: bool, bare: bool = False) -> bytes:
    """Returns a message without what changes with its neighbours, made once if memory allows it."""
    # Without the intent, a bot still reads its own messages and those that mention it.
    hidden = not content and what.author is not reader and reader not in what.mentions
    if hidden or (bare and what.extra and "reactions" in what.extra):
        payload = _withheld(what) if hidden else message(what)
        if bare:
            payload.pop("reactions", None)  # Discord leaves them out of a message inside a message
        return encode(payload)
    if what.core:
        return what.core
    core = encode(message(what))
    if remember:
        what.core = core
    return core
