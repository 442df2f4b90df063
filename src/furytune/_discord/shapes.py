"""DiscordChatExporter's JSON: the fields that are read, and how one file is read from end to end.

The root has ``guild``, ``channel``, ``dateRange``, ``exportedAt``, ``messages`` and ``messageCount``. In a thread's own
file, ``channel.type`` contains "Thread", and ``channel.categoryId`` is the channel that the thread belongs to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from attrs import frozen

from furytune._channels.channel import Channel
from furytune._discord.journal.messages import Kept, Reaction, Reference, Writer
from furytune._readers.bytes import ByteSource, Locator
from furytune._readers.json_stream import BLOCK, LIMIT, ObjectArray
from furytune._readers.json_text import Bad, Malformed
from furytune.errors import SourceFormatError

__all__ = ["ExportFile", "FullMessage", "NotAnExportError", "Reaction", "ThinMessage"]

M = TypeVar("M")

_FIRST = 8
_BROKEN = (
    "export it again, or leave it out with on_error='skip'; if it is not a DiscordChatExporter export, move it "
    "out of the folder"
)
_FOREIGN = "collect a file that DiscordChatExporter wrote with `--format Json`, or a folder of them"

# The beginning of a file that the exporter wrote, even if the file was cut off early.
_CLAIM = re.compile(
    rb'\s*\{\s*"(?:guild|channel|dateRange|exportedAt|messages|messageCount)"|\s*(?:\{\s*(?:"[^"]*)?)?\Z'
)
_LOOK = 1 << 12


class RoleName(msgspec.Struct, gc=False):
    """The name of a role."""

    name: str | None = None


class Person(msgspec.Struct, gc=False, rename="camel"):
    """The author of a message, with the fields that pairing needs."""

    id: str
    is_bot: bool = False
    name: str | None = None
    nickname: str | None = None
    roles: list[RoleName] | None = None
    discriminator: str | None = None
    voice: str | None = None


class Mention(msgspec.Struct, gc=False, rename="camel"):
    """Someone mentioned in a message; the exporter shows the nickname, or the name without one."""

    id: str | None = None
    name: str | None = None
    nickname: str | None = None


class Forwarded(msgspec.Struct, gc=False, rename="camel"):
    """The copy of a message that was forwarded."""

    content: str | None = None


class Role(msgspec.Struct, gc=False):
    """A role of a server."""

    id: str | None = None
    name: str | None = None


class Member(Writer, gc=False, rename="camel"):
    """The author of a message, with the names and roles that an export shows."""

    name: str | None = None
    nickname: str | None = None
    discriminator: str | None = None
    roles: list[Role] | None = None


class Something(msgspec.Struct, gc=False):
    """An attachment or sticker; pairing only needs to know that there is one."""


class EmbedField(msgspec.Struct, gc=False):
    """A heading and a text inside an embed."""

    name: str | None = None
    value: str | None = None


class EmbedText(msgspec.Struct, gc=False):
    """The words of an embed."""

    title: str | None = None
    description: str | None = None
    fields: list[EmbedField] | None = None


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
    embeds: list[EmbedText] | None = None
    stickers: list[Something] | None = None
    poll: Something | None = None


class FullMessage(Kept, gc=False, rename="camel"):
    """A message with the fields of the public view, from an export or a journal.

    ``title`` and ``poll`` are only in journals, ``mentions`` and roles only in exports.
    """

    author: Member
    mentions: list[Mention] | None = None


def _text(members: Any, name: str) -> str:
    value = members.get(name) if isinstance(members, dict) else None
    return value if isinstance(value, str) else ""


def _channel(members: dict[str, Any]) -> Channel:
    """Reads the members around the messages; what is missing or has another type becomes ""."""
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
    """The file is not an export, but for example an attachment that was saved beside one."""


@frozen
class ExportFile:
    """One export file.

    Args:
        path: The file, plain or gzip.
        name: The name that errors use.
        skip: Whether to continue after malformed messages where possible.
        block: Bytes decoded at a time.
        limit: Most bytes of one message.
    """

    path: Path
    name: str
    skip: bool = False
    block: int = BLOCK
    limit: int = LIMIT

    def head(self) -> tuple[Channel, list[FirstMessage]]:
        """Returns the channel and up to eight first messages, with few fields.

        Raises:
            NotAnExportError: The file is not an export.
            SourceFormatError: The file breaks before its messages.
        """
        with ByteSource(self.path, self.name) as source:
            # A small block is enough for eight messages, and a folder may have thousands of files.
            array = ObjectArray(source, "messages", FirstMessage, block=1 << 14, limit=self.limit, skip=True)
            first: list[FirstMessage] = []
            try:
                array.open()
                # If the channel comes after the messages, the file has to be read to its end.
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
        """Returns True if an unreadable file begins like an export, or contains the names of an export's parts."""
        found = bytearray(_LOOK)
        with ByteSource(self.path, self.name) as source, memoryview(found) as view:
            got = 0
            while got < _LOOK and (more := source.readinto(view[got:])):
                got += more
        text = bytes(found[:got]).removeprefix(b"\xef\xbb\xbf")
        return _CLAIM.match(text) is not None or all(name in text for name in (b'"channel"', b'"messages"'))

    def _foreign(self, problem: Malformed) -> NotAnExportError:
        """Returns the error for a file that another program wrote."""
        line, column = self.place(problem.offset)
        return NotAnExportError(
            f"not a DiscordChatExporter export: {problem.problem}",
            path=self.name,
            line=line,
            column=column,
            hint=_FOREIGN,
        )

    def blocks(self, kind: type[M]) -> Iterator[list[M] | Bad]:
        """Yields lists of messages, and each message that cannot be used.

        Raises:
            SourceFormatError: The file is malformed, ends early, or its ``messageCount`` is wrong.
        """
        with ByteSource(self.path, self.name) as source:
            array = ObjectArray(source, "messages", kind, block=self.block, limit=self.limit, skip=self.skip)
            try:
                array.open()
                yield from array.blocks()
            except Malformed as error:
                raise self.located(error, source.broken) from error
            # A cut-off gzip file may still contain a complete JSON document's beginning; nothing else would
            # notice the loss.
            if source.broken:
                early = Malformed("the data end early", array.end, truncated=True)
                raise self.located(early, source.broken) from early
            said = array.members.get("messageCount")
            # The exporter writes the count last, so a wrong one shows that messages were removed or lost.
            if isinstance(said, int) and said != array.count:
                raise self.located(
                    Malformed(
                        f"messageCount is {said}, but the file contains {array.count} messages", array.end
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
        """Returns the line and column of a byte offset."""
        locator = Locator(self.path, self.name)
        try:
            return locator(offset)
        finally:
            locator.close()


class FirstMessage(msgspec.Struct, gc=False, rename="camel"):
    """A message with the fields that are needed to order files and to find where a thread began."""

    id: str
    type: str = ""
    reference: Reference | None = None
