"""Who wrote the messages of an export: for consent, and for erasure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import msgspec
from attrs import field, frozen

from furytune._discord.conversations import OnDrop
from furytune._discord.export.files import ChannelFiles, find_files
from furytune._discord.shapes import Channel, ExportFile, Reference
from furytune._privacy.consent import Consent
from furytune._privacy.lineage import whole_numbers
from furytune._privacy.printable import printable
from furytune._readers.bytes import ByteSource
from furytune._readers.json_text import Bad, Malformed
from furytune.errors import SourceFormatError
from furytune.pairing.posts import id_number, parse_time

__all__ = ["Nobody", "Participating", "Searched", "Trace", "Withholding", "search", "withholding"]

_BLOCK = 1 << 20
_OVERLAP = 32  # bytes; ids are shorter
_UNKNOWN = datetime(1, 1, 1, tzinfo=UTC)
_HINT = (
    "an export shows only roles that somebody held who wrote; for a role that nobody holds yet, give its id: in Discord, "
    "switch on the developer mode and choose Copy Role ID"
)


class _Role(msgspec.Struct, gc=False):
    id: str | None = None
    name: str | None = None


class _Writer(msgspec.Struct, gc=False, rename="camel"):
    id: str
    is_bot: bool = False
    roles: list[_Role] | None = None


class _Copy(msgspec.Struct, gc=False):
    """That a message is a copy of another one; what it says does not matter here."""


class Trace(msgspec.Struct, gc=False, rename="camel"):
    """Who wrote a message, and which message it forwards."""

    id: str
    author: _Writer
    reference: Reference | None = None
    forwarded_message: _Copy | None = None

    @property
    def original(self) -> str | None:
        """Id of the message that it forwards, "" if that is not known; None if it forwards none."""
        if self.forwarded_message is None:
            return None
        return (self.reference.message_id if self.reference else None) or ""


class _Author(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def is_bot(self) -> bool: ...


class Attributed(Protocol):
    """**Protocol:** a message of which the author is known."""

    @property
    def id(self) -> str:
        """Its id."""
        ...

    @property
    def author(self) -> _Author:
        """Who wrote it."""
        ...


@frozen
class Withholding:
    """Which messages of an export are withheld, and why.

    Args:
        consent: The rules, with role ids.
        held: The roles of each author, as the newest export shows them.
        shown: The same of the newest export that shows any, for somebody who leaves a server loses all roles.
        originals: Ids of what is forwarded, by the ids of the copies.
        writers: Who wrote what is forwarded, and whether that is a bot.
    """

    _consent: Consent
    _held: Mapping[str, frozenset[str]]
    _shown: Mapping[str, frozenset[str]]
    _originals: Mapping[str, str]
    _writers: Mapping[str, tuple[str, bool]]
    _refusals: dict[tuple[str, bool], str] = field(factory=dict, init=False)

    def refusal(self, message: Attributed) -> str:
        """Returns why a message is withheld: "opted_out", "not_opted_in", "unknown_author", or "" if it is not."""
        why = self._of(message.author.id, bot=message.author.is_bot)
        uid, passed = message.id, set[str]()
        while not why and (original := self._originals.get(uid)) is not None and uid not in passed:
            passed.add(uid)
            writer = self._writers.get(original)
            why = "unknown_author" if writer is None else self._of(writer[0], bot=writer[1])
            uid = original
        return why

    def _of(self, author: str, *, bot: bool) -> str:
        why = self._refusals.get((author, bot))
        if why is None:
            why = self._consent.refusal(author, self._held.get(author, ()), bot=bot)
            if not self._held.get(author):
                # Who left, or lost the role otherwise, has not opted in again by that.
                before = self._consent.refusal(author, self._shown.get(author, ()), bot=bot)
                why = before if before == "opted_out" else why
            self._refusals[author, bot] = why
        return why


class Nobody:
    """Nobody's messages are withheld."""

    def refusal(self, message: Attributed) -> str:  # noqa: ARG002  # the signature of `Withholding`
        """Returns ""."""
        return ""


@frozen
class Participating:
    """One channel of an export, with the messages that are withheld.

    Args:
        files: Its files.
        people: Who is withheld.
    """

    files: ChannelFiles
    people: Withholding | Nobody

    @property
    def channel(self) -> Channel:
        """Which one it is."""
        return self.files.channel

    @property
    def name(self) -> str:
        """How errors name it."""
        return self.files.name

    @property
    def starter(self) -> str:
        """Id of the parent channel's message that the thread was opened on, or ""."""
        return self.files.starter

    @property
    def opening_missing(self) -> bool:
        """False: a withheld message is among the messages, see `refusal`."""
        return False

    def messages(self, kind: type[Any], on_drop: OnDrop) -> Iterator[tuple[list[Any], str]]:
        """Yields all messages; `refusal` tells which of them may not be used."""
        return self.files.messages(kind, on_drop)

    def refusal(self, message: Attributed) -> str:
        """Returns why a message may not be used, "" if it may."""
        return self.people.refusal(message)


def withholding(channels: Iterable[ChannelFiles], consent: Consent) -> Withholding | Nobody:
    """Reads an export once for the roles of its authors and for what is forwarded, and again if anything is.

    Files that are malformed are read as far as they go: whoever reads their messages tells of them.

    Args:
        channels: Of the export.
        consent: The rules.

    Raises:
        ConfigError: A role is named that no author of the export holds.
    """
    if consent == Consent():
        return Nobody()
    exports = [(file.export, file.channel) for channel in channels for file in channel.files]
    names: dict[str, str] = {}
    held: dict[str, tuple[datetime, frozenset[str]]] = {}
    shown: dict[str, tuple[datetime, frozenset[str]]] = {}
    originals: dict[str, str] = {}
    for export, channel in exports:
        moment = parse_time(channel.until, "") or _UNKNOWN
        for trace in traces(export):
            if trace.original is not None:
                originals[trace.id] = trace.original
            if consent.needs_roles:
                roles = {r.id: r.name or "" for r in trace.author.roles or () if r.id}
                names.update(roles)
                _note(held, trace.author.id, moment, frozenset(roles))
                if roles:
                    _note(shown, trace.author.id, moment, frozenset(roles))
    wanted = frozenset(originals.values()) - {""}
    writers = {
        trace.id: (trace.author.id, trace.author.is_bot)
        for export, _ in (exports if wanted else ())
        for trace in traces(export)
        if trace.id in wanted
    }
    # An id needs not be held by anybody yet; a name that nobody holds may be misspelled.
    given = {r: r for r in (*consent.opt_out_roles, *consent.opt_in_roles) if len(r) > 14 and id_number(r)}
    rules = consent.resolved(given | names, hint=_HINT) if consent.needs_roles else consent
    return Withholding(
        rules,
        {author: roles for author, (_, roles) in held.items()},
        {author: roles for author, (_, roles) in shown.items()},
        originals,
        writers,
    )


def _note(
    roles: dict[str, tuple[datetime, frozenset[str]]], author: str, moment: datetime, found: frozenset[str]
) -> None:
    if author not in roles or moment >= roles[author][0]:
        roles[author] = moment, found


def traces(export: ExportFile) -> Iterator[Trace]:
    """Yields what can be read of one file; whether that is all of it is not said."""
    with suppress(SourceFormatError):
        for block in export.blocks(Trace):
            if not isinstance(block, Bad):
                yield from block


@frozen
class Searched:
    """What erasure has to know of one file of an export.

    Attributes:
        path: The file.
        theirs: Ids of messages that the people wrote, or that were named.
        originals: Ids of what is forwarded, by the ids of the copies.
        named: True if one of the ids that were looked for is anywhere in the file.
        problem: Why it could not be read to its end, or "".
    """

    path: Path
    theirs: frozenset[str]
    originals: Mapping[str, str]
    named: bool
    problem: str


def search(path: Path, authors: Collection[str], messages: Collection[str]) -> list[Searched]:
    """Looks through an export for what some people wrote, for some messages, and for what is forwarded.

    Args:
        path: A file or folder.
        authors: Ids of people.
        messages: Ids of messages.

    Raises:
        SourceError: There is no export, or a file cannot be read.
    """
    ids = whole_numbers({*authors, *messages})
    return [_searched(file.path, authors, messages, ids) for file in find_files(path).files]


def _searched(
    file: Path, authors: Collection[str], messages: Collection[str], ids: re.Pattern[bytes] | None
) -> Searched:
    export = ExportFile(file, printable(file), skip=True)
    theirs: set[str] = set()
    originals: dict[str, str] = {}
    problem = ""
    begun = False
    try:
        for block in export.blocks(Trace):
            begun = True
            if isinstance(block, Bad):
                problem = "it has malformed messages"
                continue
            for trace in block:
                if trace.author.id in authors or trace.id in messages:
                    theirs.add(trace.id)
                elif trace.original is not None:
                    originals[trace.id] = trace.original
    except SourceFormatError as error:
        cause = error.__cause__
        # Another kind of JSON has no messages that could be missed.
        problem = error.problem if begun or (isinstance(cause, Malformed) and cause.truncated) else ""
    named = ids is not None and _names(export, ids)
    return Searched(file, frozenset(theirs), originals, named, problem)


def _names(export: ExportFile, ids: re.Pattern[bytes]) -> bool:
    """Tells whether one of some ids is anywhere in a file, as far as that can be read."""
    buffer = bytearray(_BLOCK)
    before = b""
    with suppress(SourceFormatError), ByteSource(export.path, export.name) as source:
        while got := source.readinto(memoryview(buffer)):
            text = before + buffer[:got]
            # The last bytes may be the beginning of a longer number: they are looked at again with what follows.
            if any(found.end() < len(text) for found in ids.finditer(text)):
                return True
            before = text[-_OVERLAP:]
        return ids.search(before) is not None
    return False
