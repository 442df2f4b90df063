"""Converts messages of Discord's API into the form that the journal stores.

Addresses of files lose their query, because it contains a signature that changes with each answer. Text that Discord
itself puts into a notice is left out, such as the title of a new thread or the new name of a channel.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from furytune._discord.journal.messages import (
    Attachment,
    Emoji,
    Forwarded,
    Kept,
    Poll,
    PollAnswer,
    Reaction,
    Reference,
    Sticker,
    Writer,
    voice_of,
)
from furytune._discord.text import SAID

__all__ = ["is_bare", "kept", "kept_embed"]

Json = dict[str, Any]

# DiscordChatExporter's names; for all other types it writes the number.
_TYPES = {
    0: "Default",
    1: "RecipientAdd",
    2: "RecipientRemove",
    3: "Call",
    4: "ChannelNameChange",
    5: "ChannelIconChange",
    6: "ChannelPinnedMessage",
    7: "GuildMemberJoin",
    18: "ThreadCreated",
    19: "Reply",
}
_TYPED = {0, 19}
_FORWARD = 1
_TEXT = 10  # discord-api-docs, components/reference, "Text Display"; alone, in containers and in sections
_BODIES = ("content", "attachments", "embeds", "sticker_items", "poll", "message_snapshots", "components")


def kept(message: Json) -> Kept:
    """Returns the form of a message that the journal stores.

    Args:
        message: A message object of the API, version 10.

    Raises:
        KeyError: It lacks a field that every message has.
    """
    kind = _TYPES.get(message["type"], str(message["type"]))
    has = message.get
    return Kept(
        id=str(message["id"]),
        type=kind,
        content=_content(message) if kind in SAID else "",
        author=_writer(message),
        timestamp=has("timestamp") or "",
        timestamp_edited=has("edited_timestamp"),
        is_pinned=bool(has("pinned")),
        # Most messages have none of these.
        reference=_reference(message["message_reference"]) if has("message_reference") else None,
        attachments=_attachments(message) if has("attachments") else [],
        embeds=_embeds(message) if has("embeds") else [],
        stickers=_stickers(message) if has("sticker_items") else [],
        reactions=[_reaction(reaction) for reaction in message["reactions"]] if has("reactions") else [],
        forwarded_message=_forwarded(message) if has("message_snapshots") else None,
        poll=_poll(message["poll"]) if has("poll") else None,
    )


def _writer(message: Json) -> Writer:
    author = message["author"]
    uid = str(author["id"])
    if not message.get("webhook_id"):
        return Writer(uid, bool(author.get("bot")))
    # The answer of a bot to a command is sent through a webhook too, but under the name of the bot.
    voice = voice_of(uid, author.get("username"), author.get("discriminator"))
    return Writer(uid, is_bot=True, voice=voice or msgspec.UNSET)


def is_bare(message: Json) -> bool:
    """Returns True for a person's message without any content, as all are without the Message Content intent."""
    person = not message["author"].get("bot")
    return person and message["type"] in _TYPED and not any(message.get(part) for part in _BODIES)


def _content(message: Json) -> str:
    return message.get("content") or "\n".join(_texts(message.get("components")))


def _texts(components: list[Json] | None) -> Iterator[str]:
    """Yields the texts of a message that consists of components, and so has no content."""
    for component in components or ():
        if component.get("type") == _TEXT:
            yield component.get("content") or ""
        yield from _texts(component.get("components"))


def _reference(reference: Json) -> Reference:
    """Returns what a message refers to, with the ids that are there."""
    return Reference(
        message_id=reference.get("message_id"),
        channel_id=reference.get("channel_id"),
        guild_id=reference.get("guild_id"),
    )


def _forwarded(message: Json) -> Forwarded | None:
    """Returns the forwarded copy inside a message, None for all other messages with snapshots."""
    snapshots = message["message_snapshots"]
    # Only a reference of this type is a forward. Crossposts and replies refer to a message too.
    if (message.get("message_reference") or {}).get("type") != _FORWARD:
        return None
    original = snapshots[0].get("message") or {}
    return Forwarded(
        content=_content(original),
        timestamp=original.get("timestamp") or "",
        attachments=_attachments(original),
        embeds=_embeds(original),
        stickers=_stickers(original),
    )


def _attachments(message: Json) -> list[Attachment]:
    """Returns the files of a message, without the signatures in their addresses."""
    return [
        Attachment(
            id=str(a.get("id") or ""),
            # The query is a signature that changes with each request, and would make each message look
            # edited.
            url=(a.get("url") or "").partition("?")[0],
            file_name=a.get("filename") or "",
            file_size_bytes=a.get("size") or 0,
            content_type=a.get("content_type") or "",
        )
        for a in message.get("attachments") or ()
    ]


def _embeds(message: Json) -> list[Json]:
    return [kept_embed(embed) for embed in message.get("embeds") or ()]


def kept_embed(embed: Json) -> Json:
    """Returns the parts of an embed that the journal stores, from the API or an export; it drops names of people."""
    found = {key: embed[key] for key in ("title", "type", "url", "description") if embed.get(key)}
    rows = embed.get("fields") or ()
    fields = [{"name": row.get("name"), "value": row.get("value")} for row in rows if isinstance(row, dict)]
    return {**found, "fields": fields} if fields else found


def _stickers(message: Json) -> list[Sticker]:
    return [Sticker(str(s.get("id") or ""), s.get("name") or "") for s in message.get("sticker_items") or ()]


def _reaction(reaction: Json) -> Reaction:
    emoji = reaction["emoji"]
    return Reaction(Emoji(emoji.get("name") or "", str(emoji.get("id") or "")), reaction.get("count") or 0)


def _poll(poll: Json) -> Poll:
    """Returns a poll with the votes for each answer."""
    # Discord leaves out answers without votes.
    counts = {c["id"]: c["count"] for c in (poll.get("results") or {}).get("answer_counts") or ()}
    return Poll(
        question=(poll.get("question") or {}).get("text") or "",
        answers=[
            PollAnswer((a.get("poll_media") or {}).get("text") or "", counts.get(a.get("answer_id"), 0))
            for a in poll.get("answers") or ()
        ],
    )
