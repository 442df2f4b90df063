"""Finds the files of an export, groups them by channel, and merges their messages in order, each once."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import operator
import os
import re
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, TypeVar

from attrs import evolve, field, frozen

from furytune._channels.channel import Channel
from furytune._discord.shapes import ExportFile, FirstMessage, NotAnExportError
from furytune._discord.text import STARTERS
from furytune._privacy.ids import id_number
from furytune._privacy.printable import printable
from furytune._readers.bytes import Locator
from furytune._readers.json_text import Bad, Malformed
from furytune._storage.folders import Listed, Listing, list_files
from furytune.errors import SourceError, SourceFormatError
from furytune.records import Dropped

__all__ = [
    "ChannelFiles",
    "file_drop",
    "find_files",
    "in_channels",
    "instant",
    "open_files",
    "without_media",
]

_PART = re.compile(r" \[part (\d+)\]$")
_ENDINGS = (".json", ".json.gz")
_MEDIA = re.compile(r".+\.(?:json|html|txt|csv)_Files", re.IGNORECASE)
"""Names of the folders that the exporter creates for the downloads of `--media`."""

_NEVER = datetime.min.replace(tzinfo=UTC)


class _HasId(Protocol):
    id: str
    timestamp_edited: str | None


M = TypeVar("M", bound=_HasId)
OnDrop = Callable[[Dropped], None]


@frozen
class _File:
    """One export file, with what its beginning says about its place among the others.

    Attributes:
        export: The file itself.
        name: Its name in reports and manifests.
        channel: The channel that it belongs to.
        first: Up to eight of its first messages.
        lowest: Its lowest message id, if the first messages do not show it.
    """

    export: ExportFile
    name: str
    channel: Channel
    first: list[FirstMessage] = field(repr=False)
    lowest: int | None = None

    @property
    def newest_first(self) -> bool:
        """True if the exporter wrote the newest message first."""
        ids = [_number(m.id) for m in self.first]
        # The exporter writes one order per file, so its first messages show which one.
        return len(ids) > 1 and all(a > b for a, b in itertools.pairwise(ids))

    @property
    def part(self) -> tuple[str, int]:
        """The name without the number of the part, and that number; 1 for a file without parts."""
        stem = self.name
        for ending in (".gz", ".json"):
            stem = stem[: -len(ending)] if stem.lower().endswith(ending) else stem
        found = _PART.search(stem)
        return (stem[: found.start()], int(found[1])) if found else (stem, 1)

    @property
    def order(self) -> tuple[int, int, str]:
        """Sorts the files of a channel by their oldest message."""
        low = self.lowest
        if low is None:
            # An empty file may be opened at any time, so it comes first.
            low = min((_number(m.id) for m in self.first), default=0)
        return low, self.part[1], self.name


def _number(uid: str) -> int:
    return id_number(uid) or 0


@frozen
class ChannelFiles:
    """One channel or thread, with the files that contain its messages, oldest first."""

    channel: Channel
    files: tuple[_File, ...]

    @property
    def name(self) -> str:
        """The name of its first file."""
        return self.files[0].name

    @property
    def starter(self) -> str:
        """The id of the parent channel's message that the thread was opened on, or ""."""
        for message in self.files[0].first[:1]:
            if message.type in STARTERS and message.reference is not None:
                return message.reference.message_id or ""
        return ""

    def messages(self, kind: type[M], on_drop: OnDrop) -> Iterator[tuple[list[M], str]]:
        """Yields lists of messages with the name of their file, in order of time, each id once.

        If several files contain a message, its newest state counts, see `_newness`. Within one file, the first message
        with an id counts.
        """
        seen = _Seen()
        repeated = _Repeated(on_drop)
        for block, name in self._merged(kind, on_drop, repeated):
            if seen.all_new(block):
                yield block, name
                continue
            fresh = []
            for message in block:
                if seen.add(message.id):
                    fresh.append(message)
                else:
                    repeated.add(message.id, name)
            yield fresh, name
        repeated.flush()

    def _merged(self, kind: type[M], on_drop: OnDrop, repeated: _Repeated) -> Iterator[tuple[list[M], str]]:
        """Yields the messages of all files in the order of their ids, repeated ones only in their newest state."""
        if len(self.files) == 1:
            file = self.files[0]
            for block in _read(file, kind, on_drop):
                yield block, file.name
            return
        waiting = list(self.files)
        heap: list[tuple[int, int, M, _File, Iterator[M]]] = []
        while waiting or heap:
            # Open a file only when its time comes, so that a hundred partitions are never open at once.
            while waiting and (not heap or waiting[0].order[0] <= heap[0][0]):
                file = waiting.pop(0)
                opened = itertools.chain.from_iterable(_read(file, kind, on_drop))
                _push(heap, opened, len(self.files) - len(waiting), 0, file)
            if heap:
                message, file = _pop(heap)
                while heap and heap[0][2].id == message.id:
                    # All states of a message are adjacent in the heap, so only two are in memory at a time.
                    other, its_file = _pop(heap)
                    # Only a newer state replaces: of two equal ones, the one from the first file stays, on
                    # every machine.
                    if _newness(other, its_file) > _newness(message, file):
                        message, file, its_file = other, its_file, file
                    repeated.add(message.id, its_file.name)
                yield [message], file.name


def _push(
    heap: list[tuple[int, int, M, _File, Iterator[M]]],
    stream: Iterator[M],
    place: int,
    least: int,
    file: _File,
) -> None:
    """Puts the next message of a stream on the heap, if there is one.

    Args:
        heap: Messages by id, then by the place of their file.
        stream: The file's messages.
        place: Number of the file, which decides between equal ids.
        least: The key of a message without a usable id: that of the message before it.
        file: The file.
    """
    message = next(stream, None)
    if message is not None:
        heapq.heappush(heap, (_number(message.id) or least, place, message, file, stream))


def _pop(heap: list[tuple[int, int, M, _File, Iterator[M]]]) -> tuple[M, _File]:
    """Takes the lowest message off the heap, and puts the next one of its stream on it."""
    key, place, message, file, stream = heapq.heappop(heap)
    _push(heap, stream, place, key, file)
    return message, file


def _newness(message: _HasId, file: _File) -> tuple[datetime, datetime]:
    """Orders the states of one message by its last edit, then by the export, because reactions have no date.

    The edit comes first because old exports do not say when they were made. If both are equal, the first file wins.
    """
    return instant(message.timestamp_edited), instant(file.channel.exported)


def instant(text: str | None) -> datetime:
    """Returns an ISO 8601 time, in UTC if it has no zone; the earliest possible time if it cannot be read."""
    try:
        found = datetime.fromisoformat(text or "")
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return _NEVER


def _read(file: _File, kind: type[M], on_drop: OnDrop) -> Iterator[list[M]]:
    """Yields one file's messages, oldest first; loads a file that was exported newest first to reverse it."""
    if file.newest_first:
        # A file that was written newest first cannot be read backwards without loading it.
        yield list(itertools.chain.from_iterable(_in_order(file, kind, on_drop)))[::-1]
    else:
        yield from _in_order(file, kind, on_drop)


def _in_order(file: _File, kind: type[M], on_drop: OnDrop) -> Iterator[list[M]]:
    """Yields one file's messages as they come, and reports those that cannot be used."""
    export = file.export
    locator = Locator(export.path, export.name)
    try:
        for block in export.blocks(kind):
            if isinstance(block, Bad):
                on_drop(_message_drop(block, file, locator))
            else:
                yield block
    except SourceFormatError as error:
        if not export.skip:
            raise
        on_drop(file_drop(error, file.name))
    finally:
        locator.close()


def _message_drop(bad: Bad, file: _File, locator: Locator) -> Dropped:
    """Returns the drop for a bad message.

    Raises:
        SourceFormatError: Bad messages are not skipped. A lone surrogate is always skipped, because Discord
            allows it.
    """
    line, column = locator(bad.offset)
    known = (bad.id,) if id_number(bad.id) is not None else ()  # any other id may be text
    if bad.reason != "lone_surrogate" and not file.export.skip:
        raise SourceFormatError(
            f"{bad.detail} (message {bad.id if known else 'of unknown id'})",
            path=file.export.name,
            line=line,
            column=column,
            hint="export it again, or leave such messages out with on_error='skip'",
        )
    return Dropped(
        reason=bad.reason,
        unit="message",
        ids=known,
        where=f"{file.name}:{line}:{column}",
        detail=bad.detail,
    )


def file_drop(error: SourceFormatError, name: str) -> Dropped:
    """Returns the drop for a file that cannot be read, or whose rest cannot be read.

    Args:
        error: The problem; it names the file as the user did.
        name: The file's name relative to the folder, so that copies of a folder give the same report.
    """
    cause = error.__cause__
    if isinstance(error, NotAnExportError):
        reason = "not_an_export"
    else:
        reason = "truncated" if isinstance(cause, Malformed) and cause.truncated else "malformed_file"
    place = "" if error.line is None else f":{error.line}:{error.column}"
    return Dropped(reason=reason, unit="file", where=name + place, detail=error.problem)


class _Seen:
    """The ids seen so far, in eight bytes per message while they ascend, as they do in an export."""

    def __init__(self) -> None:
        self._ascending = array("Q")
        self._others: set[int | str] = set()
        self._top = -1

    def all_new(self, block: Sequence[_HasId]) -> bool:
        """Adds all ids of a block and returns True if they ascend above all others; otherwise adds none."""
        try:
            found = [int(message.id) for message in block]
            # The strings are compared only when the numbers would hide a difference.
            if [str(number) for number in found] != [message.id for message in block]:
                return False  # "012" is not "12"
            numbers = array("Q", found)
        except (ValueError, OverflowError):
            return False
        if numbers and (numbers[0] <= self._top or not all(map(operator.lt, numbers, numbers[1:]))):
            return False
        if numbers:
            self._ascending.extend(numbers)
            self._top = numbers[-1]
        return True

    def add(self, uid: str) -> bool:
        """Returns True if the id is new."""
        number = id_number(uid)
        if number is None or number >> 64:
            return self._other(uid)
        if number <= self._top:
            at = bisect_left(self._ascending, number)
            if at < len(self._ascending) and self._ascending[at] == number:
                return False
            return self._other(number)
        self._top = number
        self._ascending.append(number)
        return True

    def _other(self, key: int | str) -> bool:
        known = key in self._others
        self._others.add(key)
        return not known


class _Repeated:
    """Counts repeated messages, with one drop per file."""

    def __init__(self, on_drop: OnDrop) -> None:
        self._ids: dict[str, list[str]] = {}
        self._counts: dict[str, int] = {}
        self._on_drop = on_drop

    def add(self, uid: str, name: str) -> None:
        """Counts a repeated message, and keeps the first ids as examples."""
        self._counts[name] = self._counts.get(name, 0) + 1
        listed = self._ids.setdefault(name, [])
        if len(listed) < 20:
            listed.append(uid)

    def flush(self) -> None:
        """Reports the counts."""
        for name, count in sorted(self._counts.items()):
            self._on_drop(
                Dropped(
                    reason="duplicate", unit="message", count=count, ids=tuple(self._ids[name]), where=name
                )
            )


def find_files(path: Path) -> Listing:
    """Returns the export files of a folder tree, or the single file, sorted by their relative names.

    Raises:
        SourceError: There is no such file, or the folder cannot be read.
    """
    shown = printable(path)
    try:
        if path.is_file():
            return Listing((Listed(name=printable(path.name), path=path, real=path.resolve(strict=True)),))
        if not path.is_dir():
            raise SourceError(f"{shown}: no such file or folder")
        found = list_files(path, wanted=lambda name: name.lower().endswith(_ENDINGS))
    except OSError as error:
        raise SourceError(f"{shown}: cannot be read: {error.strerror}") from error
    if not found.files:
        left_out = "".join(f"; {drop.where} is not read: {drop.detail}" for drop in found.dropped[:3])
        raise SourceError(f"{shown}: no *.json or *.json.gz inside{left_out}; export with `--format Json`")
    files = [evolve(file, name=printable(file.name)) for file in found.files]
    return evolve(found, files=tuple(sorted(files, key=lambda f: (f.name, os.fsencode(f.path)))))


def without_media(found: Sequence[Listed], path: Path, on_drop: OnDrop) -> list[Listed]:
    """Leaves out the files in media folders (``NAME.json_Files/``), which contain people's attachments.

    Args:
        found: The files from `find_files`.
        path: The folder that was searched.
        on_drop: Called with one drop for each media folder.

    Raises:
        SourceError: No file is left.
    """
    exports: list[Listed] = []
    media: Counter[str] = Counter()
    for file in found:
        folders = file.name.split("/")[:-1]
        depth = next((i for i, part in enumerate(folders, start=1) if _MEDIA.fullmatch(part)), 0)
        if depth:
            media["/".join(folders[:depth])] += 1
        else:
            exports.append(file)
    if not exports:
        raise SourceError(
            f"{printable(path)}: only media folders inside, no export; collect the folder that contains the *.json files"
        )
    for folder, count in sorted(media.items()):
        on_drop(
            Dropped(
                reason="not_an_export",
                unit="file",
                count=count,
                where=folder,
                detail="a media folder beside an export",
            )
        )
    return exports


def in_channels(files: Iterable[_File]) -> list[ChannelFiles]:
    """Groups files by channel, channels before threads, because a thread can begin in a channel."""
    groups: dict[tuple[str, ...], list[_File]] = {}
    for file in files:
        channel = file.channel
        # Files without a channel id belong together only if they are parts of one export.
        key = (channel.guild, channel.id) if channel.id else ("", "", file.part[0])
        groups.setdefault(key, []).append(file)
    channels = []
    for group in groups.values():
        if len(group) > 1:
            group[:] = [evolve(file, lowest=_lowest(file)) if file.newest_first else file for file in group]
        group.sort(key=lambda file: file.order)
        # Channels can be renamed; the newest file has the current name.
        newest = max(group, key=lambda file: instant(file.channel.exported))
        channels.append(ChannelFiles(newest.channel, tuple(group)))
    channels.sort(key=lambda c: (c.channel.is_thread, _number(c.channel.id), c.files[0].name))
    return channels


def _lowest(file: _File) -> int:
    """Returns the lowest id of a file that was exported newest first; it decides when the file is opened."""
    lowest = [_number(m.id) for m in file.first]
    with contextlib.suppress(SourceFormatError):  # reported when the messages are read
        for block in file.export.blocks(FirstMessage):
            if not isinstance(block, Bad):
                lowest += [min(_number(m.id) for m in block)] if block else []
    return min(lowest)


def open_files(
    path: Path, on_drop: OnDrop, *, skip: bool, block: int, limit: int
) -> tuple[list[ChannelFiles], int]:
    """Returns the channels of an export, and how many files were found.

    Args:
        path: A file or a folder.
        on_drop: Called for files that are not exports and, with ``skip``, for files that break before their messages.
        skip: Whether to leave such a file out instead of raising.
        block: Bytes decoded at a time.
        limit: Most bytes of one message.

    Raises:
        SourceError: There is nothing to read.
        SourceFormatError: A file is malformed, or the only file is not an export.
    """
    listing = find_files(path)
    for dropped in listing.dropped:
        on_drop(dropped)
    found = []
    # Media folders can contain attachments that are exports themselves, sent by anyone.
    for file in without_media(listing.files, path, on_drop):
        try:
            found.append(open_file(file, skip=skip, block=block, limit=limit))
        except SourceFormatError as error:
            # In a folder, other JSON files are common, and leaving them out surprises no one.
            if not skip and (path.is_file() or not isinstance(error, NotAnExportError)):
                raise
            on_drop(file_drop(error, file.name))
    return in_channels(found), len(listing.files)


def open_file(file: Listed, *, skip: bool, block: int, limit: int) -> _File:
    """Opens a file and reads up to its first messages.

    Args:
        file: The file.
        skip: Whether to continue after malformed messages.
        block: Bytes decoded at a time.
        limit: Most bytes of one message.

    Raises:
        SourceFormatError: It is not an export, or breaks before its messages.
    """
    export = ExportFile(file.real, printable(file.path), skip=skip, block=block, limit=limit)
    channel, first = export.head()
    return _File(export, _public(file.name, channel), channel, first)


def _public(name: str, channel: Channel) -> str:
    """Returns the name of a file in reports and manifests.

    The exporter names the file of a thread after its title, which is someone's words, and the file of a direct
    conversation after the other person. Such a file is called by the channel's id instead.
    """
    if not channel.id or not (channel.is_thread or channel.kind.startswith("Direct")):
        return name
    ending = next((e for e in reversed(_ENDINGS) if name.lower().endswith(e)), "")
    part = _PART.search(name[: len(name) - len(ending)])
    folder = name[: name.rfind("/") + 1]  # so that files in two folders keep different names
    return f"{folder}{channel.id}{part[0] if part else ''}{ending}"
