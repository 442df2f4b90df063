"""DiscordChatExporter's JSON: which fields are read, and one file read from end to end.

Root: ``guild``, ``channel``, ``dateRange``, ``exportedAt``, ``messages``, ``messageCount``. In a thread's own file
``channel.type`` contains "Thread" and ``channel.categoryId`` names the channel that the thread belongs to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from attrs import frozen

from furytune._readers.bytes import ByteSource, Locator
from furytune._readers.json_stream import BLOCK, LIMIT, ObjectArray
from furytune._readers.json_text import Bad, Malformed
from furytune.errors import SourceFormatError

__all__ = ["Channel", "ExportFile", "FullMessage", "NotAnExportError", "ThinMessage"]

M = TypeVar("M")

_FIRST = 8
_BROKEN = (
    "export it again; if it is not a DiscordChatExporter export, move it out of the folder; "
    "or leave it out with on_error='skip'"
)
_FOREIGN = "collect a file that DiscordChatExporter wrote with `--format Json`, or a folder of them"

# How a file begins that the exporter wrote, or the beginning of one that was cut off.
_CLAIM = re.compile(
    rb'\s*\{\s*"(?:guild|channel|dateRange|exportedAt|messages|messageCount)"|\s*(?:\{\s*(?:"[^"]*)?)?\Z'
)
_LOOK = 1 << 12


class Person(msgspec.Struct, gc=False, rename="camel"):
    """Who wrote a message, as far as pairing needs it."""

    id: str
    is_bot: bool = False


class Mention(msgspec.Struct, gc=False, rename="camel"):
    """Somebody named in a message; the exporter shows the nickname, or else the name."""

    id: str | None = None
    name: str | None = None
    nickname: str | None = None


class Role(msgspec.Struct, gc=False, rename="camel"):
    """A role of a guild."""

    name: str | None = None


class FullPerson(msgspec.Struct, gc=False, rename="camel"):
    """Who wrote a message."""

    id: str
    name: str | None = None
    nickname: str | None = None
    is_bot: bool = False
    roles: list[Role] | None = None


class Emoji(msgspec.Struct, gc=False, rename="camel"):
    """The emoji of a reaction; ``name`` is the character itself or a custom emoji's name."""

    name: str | None = None
    code: str | None = None


class Reaction(msgspec.Struct, gc=False, rename="camel"):
    """One reaction and how many people gave it."""

    emoji: Emoji
    count: int = 0


class Reference(msgspec.Struct, gc=False, rename="camel"):
    """What a message replies to; all ids are null where the target was deleted."""

    message_id: str | None = None
    channel_id: str | None = None


class Forwarded(msgspec.Struct, gc=False, rename="camel"):
    """The copy of a message that was forwarded."""

    content: str | None = None


class Something(msgspec.Struct, gc=False):
    """That there is something: an attachment, an embed or a sticker, of which pairing needs nothing else."""


class ThinMessage(msgspec.Struct, gc=False, rename="camel"):
    """The fields that pairing needs."""

    id: str
    type: str
    content: str
    author: Person
    timestamp: str | None = None
    timestamp_edited: str | None = None
    reference: Reference | None = None
    mentions: list[Mention] | None = None
    reactions: list[Reaction] | None = None
    forwarded_message: Forwarded | None = None
    title: str | None = None
    attachments: list[Something] | None = None
    embeds: list[Something] | None = None
    stickers: list[Something] | None = None
    poll: Something | None = None


class Attachment(msgspec.Struct, gc=False, rename="camel"):
    """A file that came with a message."""

    id: str | None = None
    url: str | None = None
    file_name: str | None = None
    file_size_bytes: int = 0
    content_type: str | None = None


class Sticker(msgspec.Struct, gc=False, rename="camel"):
    """A sticker that was sent."""

    id: str | None = None
    name: str | None = None


class FullForwarded(msgspec.Struct, gc=False, rename="camel"):
    """The copy of a message that was forwarded, with what came with it."""

    content: str | None = None
    timestamp: str | None = None
    attachments: list[Attachment] | None = None
    embeds: list[dict[str, Any]] | None = None
    stickers: list[Sticker] | None = None


class PollAnswer(msgspec.Struct, gc=False, rename="camel"):
    """One answer of a poll."""

    text: str = ""
    votes: int = 0


class Poll(msgspec.Struct, gc=False, rename="camel"):
    """A poll; only a journal has them."""

    question: str = ""
    answers: list[PollAnswer] = []


class FullMessage(msgspec.Struct, gc=False, rename="camel"):
    """The fields of the public view. Only a journal has titles: that of the forum post which the message opens."""

    id: str
    type: str
    content: str
    author: FullPerson
    timestamp: str | None = None
    timestamp_edited: str | None = None
    reference: Reference | None = None
    mentions: list[Mention] | None = None
    reactions: list[Reaction] | None = None
    is_pinned: bool = False
    attachments: list[Attachment] | None = None
    embeds: list[dict[str, Any]] | None = None
    stickers: list[Sticker] | None = None
    forwarded_message: FullForwarded | None = None
    poll: Poll | None = None
    title: str | None = None


@frozen(kw_only=True)
class Channel:
    """What a file says about itself around its messages.

    Attributes:
        guild: Guild id, "" where the export has none.
        id: Channel or thread id, or "".
        parent: For a thread, the id of its channel; else the id of the category. "" if unknown.
        kind: DiscordChatExporter's channel type, such as "GuildTextChat".
        name: Its name, or "".
        category: Name of the parent, or "".
        tags: Names of the forum tags of a thread; exports do not hold them.
        since: Moment before which the file leaves everything out, "" if it does not.
        until: Moment after which it holds nothing, "" if it does not say.
        exported: Moment of the export, "" if it does not say.
    """

    guild: str = ""
    id: str = ""
    parent: str = ""
    kind: str = ""
    name: str = ""
    category: str = ""
    tags: tuple[str, ...] = ()
    since: str = ""
    until: str = ""
    exported: str = ""

    @property
    def is_thread(self) -> bool:
        """True for threads and forum posts."""
        return "Thread" in self.kind


def _text(members: Any, name: str) -> str:
    value = members.get(name) if isinstance(members, dict) else None
    return value if isinstance(value, str) else ""


def _channel(members: dict[str, Any]) -> Channel:
    channel, dates = members.get("channel"), members.get("dateRange")
    return Channel(
        guild=_text(members.get("guild"), "id"),
        id=_text(channel, "id"),
        parent=_text(channel, "categoryId"),
        kind=_text(channel, "type"),
        name=_text(channel, "name"),
        category=_text(channel, "category"),
        since=_text(dates, "after"),
        until=_text(dates, "before") or _text(members, "exportedAt"),
        exported=_text(members, "exportedAt"),
    )


class NotAnExportError(SourceFormatError):
    """A file of something else than an export, such as an attachment that was saved beside it."""


@frozen
class ExportFile:
    """One export file.

    Args:
        path: Plain or gzip.
        name: How errors name it.
        skip: Go on after malformed messages where that is possible.
        block: Bytes decoded at a time.
        limit: Most bytes of one message.
    """

    path: Path
    name: str
    skip: bool = False
    block: int = BLOCK
    limit: int = LIMIT

    def head(self) -> tuple[Channel, list[FirstMessage]]:
        """Returns the channel and up to one block of first messages, with few fields.

        Raises:
            NotAnExportError: It is something else.
            SourceFormatError: It breaks before its messages.
        """
        with ByteSource(self.path, self.name) as source:
            array = ObjectArray(source, "messages", FirstMessage, block=1 << 14, limit=self.limit, skip=True)
            first: list[FirstMessage] = []
            try:
                array.open()
                late = "channel" not in array.members
                try:
                    for part in array.blocks():
                        if isinstance(part, list):
                            first += part[: _FIRST - len(first)]
                        if len(first) == _FIRST and not late:
                            break
                except Malformed:
                    if late:
                        raise
            except Malformed as error:
                if not self._claims_to_be_one():
                    raise self._foreign(error) from error
                raise self.located(error, source.broken, hint="" if error.truncated else _BROKEN) from error
            if "channel" not in array.members:
                raise self._foreign(Malformed("no 'channel' in the file", 0))
            return _channel(array.members), first

    def _claims_to_be_one(self) -> bool:
        """Returns True if a file that cannot be read begins like an export, or shows the names of one's parts."""
        found = bytearray(_LOOK)
        with ByteSource(self.path, self.name) as source, memoryview(found) as view:
            got = 0
            while got < _LOOK and (more := source.readinto(view[got:])):
                got += more
        text = bytes(found[:got]).removeprefix(b"\xef\xbb\xbf")
        return _CLAIM.match(text) is not None or all(name in text for name in (b'"channel"', b'"messages"'))

    def _foreign(self, problem: Malformed) -> NotAnExportError:
        line, column = self.place(problem.offset)
        return NotAnExportError(
            f"not a DiscordChatExporter export: {problem.problem}",
            path=self.name,
            line=line,
            column=column,
            hint=_FOREIGN,
        )

    def blocks(self, kind: type[M]) -> Iterator[list[M] | Bad]:
        """Yields the messages in lists, and those that cannot be used.

        Raises:
            SourceFormatError: The file is malformed, ends early, or holds more or fewer messages than it says.
        """
        with ByteSource(self.path, self.name) as source:
            array = ObjectArray(source, "messages", kind, block=self.block, limit=self.limit, skip=self.skip)
            try:
                array.open()
                yield from array.blocks()
            except Malformed as error:
                raise self.located(error, source.broken) from error
            if source.broken:
                early = Malformed("the data end early", array.end, truncated=True)
                raise self.located(early, source.broken) from early
            said = array.members.get("messageCount")
            if isinstance(said, int) and said != array.count:
                raise self.located(
                    Malformed(
                        f"messageCount is {said}, but the file holds {array.count} messages", array.end
                    ),
                    "",
                )

    def located(self, problem: Malformed, why: str, *, hint: str = "") -> SourceFormatError:
        """Returns the public error for a problem at a byte offset."""
        line, column = self.place(problem.offset)
        text = f"{problem.problem}: {why}" if why else problem.problem
        if hint:
            pass
        elif problem.truncated:
            hint = "export it again, or collect what is there with on_error='skip'"
        else:
            hint = "export it again, or leave the bad part out with on_error='skip'"
        return SourceFormatError(text, path=self.name, line=line, column=column, hint=hint)

    def place(self, offset: int) -> tuple[int, int]:
        """Returns line and column of a byte offset."""
        locator = Locator(self.path, self.name)
        try:
            return locator(offset)
        finally:
            locator.close()


class FirstMessage(msgspec.Struct, gc=False, rename="camel"):
    """The fields that put files in order and find where a thread began."""

    id: str
    type: str = ""
    reference: Reference | None = None
