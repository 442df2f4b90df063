"""The fields of a message that the journal stores, under the names that DiscordChatExporter's JSON uses.

For the author, it stores the id and whether it is a bot, but no name and no picture. Of the name of a webhook it stores a
hash, because a bridge speaks for many people with one id. Roles are stored separately,
because they belong to a person, not to a message.

Exports are read with the same values, so that a message has one form wherever it comes from. That is why most fields
may be null: the journal writes no null there, but an export may contain it, and must still be readable.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from hashlib import blake2b
from typing import Any

import msgspec

from furytune._privacy.forgotten import Forgotten
from furytune._privacy.ids import FULL_ID, full_ids

__all__ = [
    "Attachment",
    "Emoji",
    "Forwarded",
    "ForwardedCopy",
    "Kept",
    "MessageHeader",
    "Poll",
    "PollAnswer",
    "Reaction",
    "Reference",
    "Sticker",
    "Writer",
    "line_of",
    "masked",
    "original_of",
    "voice_of",
]


class Writer(msgspec.Struct, gc=False, rename="camel"):
    """Who wrote a message; webhooks count as bots.

    Attributes:
        id: Snowflake.
        is_bot: True for bots and webhooks.
        voice: Tells apart the names that a webhook has written under, see `voice_of`; only webhooks have one.
    """

    id: str
    is_bot: bool = False
    # Not in the lines of other messages, which are compared as bytes.
    voice: str | msgspec.UnsetType = msgspec.UNSET


_NUMBERLESS = (None, "", "0", "0000")
_LONGEST_NAME = 100  # characters; Discord allows 80 for a webhook


def voice_of(writer: str, name: str | None, discriminator: str | None) -> str:
    """Returns what stands for one name of a webhook, "" without a usable name and for a bot.

    A bot has a number after its name, the discriminator, which a webhook lacks. So it stays a bot, however often it is renamed.

    The result is the same in exports and in a journal. It cannot be read as the name, but anyone who guesses the name can check
    the guess.
    """
    if discriminator not in _NUMBERLESS or not name or len(name) > _LONGEST_NAME:
        return ""
    return blake2b(f"{writer}/{name}".encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


class Attachment(msgspec.Struct, gc=False, rename="camel", omit_defaults=True):
    """A reference to a file that came with a message, without the file itself.

    Attributes:
        id: Snowflake.
        url: Address without its query.
        file_name: Name as it was uploaded.
        file_size_bytes: Size in bytes; 0 if unknown.
        content_type: Media type, "" if unknown.
    """

    id: str | None = None
    url: str | None = ""
    file_name: str | None = ""
    file_size_bytes: int = 0
    content_type: str | None = ""


class Emoji(msgspec.Struct, gc=False, rename="camel", omit_defaults=True):
    """An emoji: a character, or the name and id of a custom one.

    ``code`` is the exporter's word for a character, such as "white_check_mark"; the journal does not store it.
    """

    name: str | None = ""
    id: str | None = ""
    code: str | None = ""


class Reaction(msgspec.Struct, gc=False, rename="camel"):
    """One reaction, and how many people gave it."""

    emoji: Emoji
    count: int = 0


class Sticker(msgspec.Struct, gc=False, rename="camel"):
    """A sticker that was sent."""

    id: str | None = None
    name: str | None = None


class PollAnswer(msgspec.Struct, gc=False, rename="camel"):
    """One answer of a poll, and how many people chose it."""

    text: str = ""
    votes: int = 0


class Poll(msgspec.Struct, gc=False, rename="camel"):
    """A poll; exports contain none."""

    question: str = ""
    answers: list[PollAnswer] = []


class Reference(msgspec.Struct, gc=False, rename="camel", omit_defaults=True):
    """What a message replies to, forwards, or was opened on; all ids are null if the target was deleted."""

    message_id: str | None = None
    channel_id: str | None = None
    guild_id: str | None = None


class Forwarded(msgspec.Struct, gc=False, rename="camel", omit_defaults=True):
    """The copy of a message that was forwarded.

    Attributes:
        content: Text of the original.
        timestamp: When the original was sent, ISO 8601.
        attachments: Its files.
        embeds: Its embeds.
        stickers: Its stickers.
    """

    content: str | None = ""
    timestamp: str | None = ""
    attachments: list[Attachment] | None = []
    embeds: list[dict[str, Any]] | None = []
    stickers: list[Sticker] | None = []


class Kept(msgspec.Struct, gc=False, rename="camel", omit_defaults=True):
    """One message.

    ``type`` is DiscordChatExporter's name, or the number of a type that it has no name for. ``title`` is the title of the
    forum post that the message opens. It is stored with its author's message, so that both are removed together.

    Attributes:
        id: Snowflake.
        type: Kind of message.
        content: Text as it was written; "" for notices of Discord.
        author: Who wrote it.
        timestamp: When it was sent, ISO 8601.
        timestamp_edited: When it was last edited, null if never.
        is_pinned: Whether it is pinned in its channel.
        reference: The message that it refers to.
        attachments: Its files.
        embeds: Its embeds, without names of people.
        stickers: Its stickers.
        reactions: Reactions with their numbers; who reacted is not stored.
        forwarded_message: The copy of a forwarded message.
        poll: Its poll.
        title: Title of the forum post.
    """

    id: str
    type: str
    content: str
    author: Writer
    timestamp: str | None = ""
    timestamp_edited: str | None = None
    is_pinned: bool = False
    reference: Reference | None = None
    attachments: list[Attachment] | None = []
    embeds: list[dict[str, Any]] | None = []
    stickers: list[Sticker] | None = []
    reactions: list[Reaction] | None = []
    forwarded_message: Forwarded | None = None
    poll: Poll | None = None
    title: str | None = ""


class ForwardedCopy(msgspec.Struct, gc=False):
    """Marks a message as the copy of another one, where its text does not matter."""


class MessageHeader(msgspec.Struct, gc=False, rename="camel"):
    """The fields of a message that consent and erasure need, to read many messages fast.

    Attributes:
        id: Snowflake.
        author: Who wrote it.
        reference: The message that it refers to.
        forwarded_message: Set if it is a copy.
    """

    id: str
    author: Writer
    reference: Reference | None = None
    forwarded_message: ForwardedCopy | None = None


def original_of(message: Kept | MessageHeader) -> str | None:
    """Returns the id of the message that a message forwards, "" if it is unknown, None if it forwards none."""
    if message.forwarded_message is None:
        return None
    return (message.reference.message_id if message.reference else None) or ""


# Lines are compared as bytes to find edits, so equal messages must have equal bytes.
# A mention, or an id by itself, as in a link to a profile.
_PERSON = re.compile(rf"<@!?(?P<mentioned>[0-9]+)>|(?<![0-9])(?P<id>{FULL_ID})(?![0-9])".encode())

_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(Kept).decode


def line_of(message: Kept) -> bytes:
    """Returns the line of a message; equal messages have equal lines.

    Raises:
        UnicodeEncodeError: A text contains a lone surrogate.
    """
    return _encode(message) + b"\n"


def masked(line: bytes, forgotten: Forgotten) -> bytes:
    """Returns the line of a message without the people and messages that must be forgotten.

    It has 0 for the ids of the people, and no embeds that name one of the messages.
    """

    def mask(found: re.Match[bytes]) -> bytes:
        if not forgotten.has(found[found.lastgroup or 0].decode(), ""):
            return found[0]
        # A valid mention stays a mention, so that the text reads the same without the person.
        return b"<@0>" if found["mentioned"] else b"0"

    # The pattern runs over the bytes of the JSON; ids are digits, so escapes cannot hide one.
    line = _PERSON.sub(mask, line) if forgotten.people else line
    return _without_embeds(line, forgotten.messages) if forgotten.messages else line


def _without_embeds(line: bytes, messages: Collection[str]) -> bytes:
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
            embeds = holder.embeds or []
            kept = [e for e in embeds if not any(uid in messages for uid in _named(e))]
            found = found or len(kept) < len(embeds)
            holder.embeds = kept
    return line_of(message) if found else line


def _named(embed: dict[str, Any]) -> list[str]:
    return full_ids(_encode(embed).decode())
