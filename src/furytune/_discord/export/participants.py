"""Finds out who wrote the messages of an export, for consent and for erasure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from attrs import field, frozen

from furytune._channels.channel import Channel
from furytune._channels.pairing import OnDrop
from furytune._discord.export.files import ChannelFiles, find_files
from furytune._discord.journal.messages import MessageHeader, original_of
from furytune._discord.shapes import ExportFile, Member, ThinMessage
from furytune._privacy.consent import Consent
from furytune._privacy.ids import is_full_id
from furytune._privacy.lineage import whole_numbers
from furytune._privacy.printable import printable
from furytune._privacy.searched import Searched
from furytune._readers.bytes import ByteSource
from furytune._readers.json_text import Bad, Malformed
from furytune.errors import SourceFormatError
from furytune.pairing.posts import parse_time

__all__ = ["NoOne", "Participating", "Trace", "Withholding", "search", "withholding"]

_BLOCK = 1 << 20
_OVERLAP = 32  # bytes; ids are shorter
_UNKNOWN = datetime(1, 1, 1, tzinfo=UTC)
_HINT = (
    "an export only shows the roles of people who wrote a message; for a role that none of them has, give its id: in "
    "Discord, switch on Developer Mode and choose Copy Role ID"
)


class Trace(MessageHeader, gc=False, rename="camel"):
    """The author of a message with the roles, and the message that it forwards."""

    author: Member


class _Author(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def is_bot(self) -> bool: ...


class Attributed(Protocol):
    """**Protocol:** a message whose author is known."""

    @property
    def id(self) -> str:
        """The message's id."""
        ...

    @property
    def author(self) -> _Author:
        """Its author."""
        ...


@frozen
class Withholding:
    """Which messages of an export are withheld, and why.

    Args:
        consent: The rules, with role ids.
        held: The roles of each author in the newest export.
        shown: The roles in the newest export that shows any, because someone who leaves a server loses all roles.
        originals: Ids of forwarded messages, by the ids of their copies.
        writers: Authors of forwarded messages, and whether each is a bot.
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
        """Returns why a person's messages are withheld, "" if they are not."""
        why = self._refusals.get((author, bot))
        if why is None:
            why = self._consent.refusal(author, self._held.get(author, ()), bot=bot)
            if not self._held.get(author):
                # Someone who left, or lost the role in another way, did not revoke the opt-out by that.
                before = self._consent.refusal(author, self._shown.get(author, ()), bot=bot)
                why = before if before == "opted_out" else why
            self._refusals[author, bot] = why
        return why


class NoOne:
    """Withholds no messages."""

    def refusal(self, message: Attributed) -> str:  # noqa: ARG002  # the signature of `Withholding`
        """Returns ""."""
        return ""


@frozen
class Participating:
    """One channel of an export, with the decision about each message.

    Args:
        files: Its files.
        people: Decides which messages are withheld.
    """

    files: ChannelFiles
    people: Withholding | NoOne

    @property
    def channel(self) -> Channel:
        """The channel or thread."""
        return self.files.channel

    @property
    def name(self) -> str:
        """The name that errors use."""
        return self.files.name

    @property
    def starter(self) -> str:
        """The id of the parent channel's message that the thread was opened on, or ""."""
        return self.files.starter

    @property
    def opening_missing(self) -> bool:
        """False: withheld messages are among the messages, see `refusal`."""
        return False

    def messages(self, kind: type[Any], on_drop: OnDrop) -> Iterator[tuple[list[Any], str]]:
        """Yields all messages; `refusal` says which of them must not be used."""
        return self.files.messages(kind, on_drop)

    def refusal(self, message: Attributed) -> str:
        """Returns why a message must not be used, "" if it may be used."""
        return self.people.refusal(message)

    def roles(self, message: ThinMessage) -> tuple[str, ...] | None:
        """Returns the roles that the export shows for an author, None if it shows no list of them."""
        shown = message.author.roles
        return None if shown is None else tuple(role.name for role in shown if role.name)


def withholding(channels: Iterable[ChannelFiles], consent: Consent) -> Withholding | NoOne:
    """Finds out which messages of an export are withheld.

    Reads the export once for the roles of its authors and for forwarded messages, and a second time if there are any.
    Malformed files are read as far as possible; the code that reads their messages reports the fault.

    Args:
        channels: The channels of the export.
        consent: The rules.

    Raises:
        ConfigError: No author in the export has one of the named roles.
    """
    if consent == Consent():
        return NoOne()
    exports = [(file.export, file.channel) for channel in channels for file in channel.files]
    names: dict[str, str] = {}
    held: dict[str, tuple[datetime, frozenset[str]]] = {}
    shown: dict[str, tuple[datetime, frozenset[str]]] = {}
    originals: dict[str, str] = {}
    for export, channel in exports:
        moment = parse_time(channel.until, "") or _UNKNOWN
        for trace in traces(export):
            if (original := original_of(trace)) is not None:
                originals[trace.id] = original
            if consent.needs_roles:
                roles = {r.id: r.name or "" for r in trace.author.roles or () if r.id}
                # Roles are collected from all files: a role may be named in only one of them.
                names.update(roles)
                _note(held, trace.author.id, moment, frozenset(roles))
                if roles:
                    _note(shown, trace.author.id, moment, frozenset(roles))
    # The second pass over the files is only needed for forwarded messages, which most exports do not have.
    wanted = frozenset(originals.values()) - {""}
    writers = {
        trace.id: (trace.author.id, trace.author.is_bot)
        for export, _ in (exports if wanted else ())
        for trace in traces(export)
        if trace.id in wanted
    }
    # No one needs to have a role that is given by id, but a name that no one has may be misspelled.
    given = {r: r for r in (*consent.opt_out_roles, *consent.opt_in_roles) if is_full_id(r)}
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
    """Keeps the roles of the newest export.

    Args:
        roles: The newest roles so far, with the time of their export.
        author: The person.
        moment: when this file was exported.
        found: The roles that it shows.
    """
    # The newest export decides: someone may have taken a role since the older one.
    if author not in roles or moment >= roles[author][0]:
        roles[author] = moment, found


def traces(export: ExportFile) -> Iterator[Trace]:
    """Yields the messages of one file as far as it can be read; faults end it without an error."""
    with suppress(SourceFormatError):
        for block in export.blocks(Trace):
            if not isinstance(block, Bad):
                yield from block


def search(path: Path, authors: Collection[str], messages: Collection[str]) -> list[Searched]:
    """Searches an export for messages of some people, for some messages, and for forwarded messages.

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
    """Searches one file: first its messages, then all of its bytes for the ids.

    Args:
        file: The file.
        authors: Ids of people.
        messages: Ids of messages.
        ids: A pattern that finds any of these ids.
    """
    # Erasure must find as much as possible, so it reads on after broken messages and reports the file.
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
                elif (original := original_of(trace)) is not None:
                    originals[trace.id] = original
    except SourceFormatError as error:
        cause = error.__cause__
        # Any other kind of JSON contains no messages that the search could miss.
        problem = error.problem if begun or (isinstance(cause, Malformed) and cause.truncated) else ""
    named = ids is not None and _names(export, ids)
    return Searched(file, frozenset(theirs), originals, named, problem)


def _names(export: ExportFile, ids: re.Pattern[bytes]) -> bool:
    """Returns True if one of the ids occurs in a file, as far as it can be read."""
    buffer = bytearray(_BLOCK)
    before = b""
    with suppress(SourceFormatError), ByteSource(export.path, export.name) as source:
        while got := source.readinto(memoryview(buffer)):
            text = before + buffer[:got]
            # The last bytes may begin a longer number, so they are searched again with the bytes that follow.
            if any(found.end() < len(text) for found in ids.finditer(text)):
                return True
            before = text[-_OVERLAP:]
        return ids.search(before) is not None
    return False
