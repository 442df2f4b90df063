"""The fields of a message that the journal stores, under the names that DiscordChatExporter's JSON uses.

For the author, it stores the id and whether it is a bot, but no name and no picture. Roles are stored separately,
because they belong to a person, not to a message.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from furytune._privacy.ids import full_ids

__all__ = [
    "Attachment",
    "Emoji",
    "Forwarded",
    "Kept",
    "Poll",
    "PollAnswer",
    "Reaction",
    "Reference",
    "Sticker",
    "Writer",
    "line_of",
    "without_embeds",
]


class Writer(msgspec.Struct, gc=False, rename="camel"):
    """Who wrote a message; webhooks count as bots."""

    id: str
    is_bot: bool = False


class Attachment(msgspec.Struct, gc=False, rename="camel", omit_defaults=True):
    """A reference to a file that came with a message, without the file itself."""

    id: str
    url: str = ""
    file_name: str = ""
    file_size_bytes: int = 0
    content_type: str = ""


class Emoji(msgspec.Struct, gc=False, rename="camel", omit_defaults=True):
    """An emoji: a character, or the name and id of a custom one."""

    name: str = ""
    id: str = ""


class Reaction(msgspec.Struct, gc=False, rename="camel"):
    """One reaction, and how many people gave it."""

    emoji: Emoji
    count: int


class Sticker(msgspec.Struct, gc=False, rename="camel"):
    """A sticker that was sent."""

    id: str
    name: str


class PollAnswer(msgspec.Struct, gc=False, rename="camel"):
    """One answer of a poll, and how many people chose it."""

    text: str
    votes: int = 0


class Poll(msgspec.Struct, gc=False, rename="camel"):
    """A poll."""

    question: str
    answers: list[PollAnswer]


class Reference(msgspec.Struct, gc=False, rename="camel", omit_defaults=True):
    """What a message replies to, forwards, or was opened on."""

    message_id: str | None = None
    channel_id: str | None = None
    guild_id: str | None = None


class Forwarded(msgspec.Struct, gc=False, rename="camel", omit_defaults=True):
    """The copy of a message that was forwarded."""

    content: str = ""
    timestamp: str = ""
    attachments: list[Attachment] = []
    embeds: list[dict[str, Any]] = []
    stickers: list[Sticker] = []


class Kept(msgspec.Struct, gc=False, rename="camel", omit_defaults=True):
    """One message.

    ``type`` is DiscordChatExporter's name, or the number of a type that it has no name for. ``title`` is the title of the
    forum post that the message opens. It is stored with its author's message, so that both are removed together.
    """

    id: str
    type: str
    content: str
    author: Writer
    timestamp: str = ""
    timestamp_edited: str | None = None
    is_pinned: bool = False
    reference: Reference | None = None
    attachments: list[Attachment] = []
    embeds: list[dict[str, Any]] = []
    stickers: list[Sticker] = []
    reactions: list[Reaction] = []
    forwarded_message: Forwarded | None = None
    poll: Poll | None = None
    title: str = ""


_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(Kept).decode


def line_of(message: Kept) -> bytes:
    """Returns the line of a message; equal messages have equal lines.

    Raises:
        UnicodeEncodeError: A text contains a lone surrogate.
    """
    return _encode(message) + b"\n"


def without_embeds(line: bytes, messages: Collection[str]) -> bytes:
    """Returns the line of a message without the embeds that name one of some messages.

    Bots that quote a message show it in an embed, with a link to it.

    Args:
        line: A line from `line_of`, or a line that is not about a message.
        messages: Ids of messages.
    """
    # A quick test of the bytes: most lines have no embeds, and need no decoding.
    if b'"embeds":[{' not in line:
        return line
    message = _decode(line)
    found = False
    for holder in (message, message.forwarded_message):
        if holder is not None:
            kept = [e for e in holder.embeds if not any(uid in messages for uid in _named(e))]
            found = found or len(kept) < len(holder.embeds)
            holder.embeds = kept
    return line_of(message) if found else line


def _named(embed: dict[str, Any]) -> list[str]:
    return full_ids(_encode(embed).decode())
