"""The log of one channel: written at its end, read in the order of ids, each id's last word only."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, TypeVar

import msgspec
from attrs import frozen

from furytune._discord.journal.folder import access
from furytune._discord.journal.lines import (
    COMMIT,
    GONE,
    ChannelState,
    Commit,
    Position,
    commit_line,
    id_of,
    parse_commit,
    parse_gone,
    size_said,
)
from furytune._storage.durable import NO_FOLLOW, output_path, staged
from furytune.errors import SourceFormatError

__all__ = ["Gone", "Log"]

M = TypeVar("M")

_BINARY = getattr(os, "O_BINARY", 0)
_BLOCK = 1 << 20
_TAIL = 1 << 14
_LOOK = 1 << 14
_PLACE = 48  # bits of a place in a file
_PAGE = 1000
_SYNC_SECONDS = 2.0


@frozen
class Gone:
    """A message that is no longer there, or was never collected.

    Attributes:
        id: Its id.
        why: "deleted", "opted_out", "not_opted_in" or "forgotten".
    """

    id: str
    why: str


class Log:
    """One channel's file. It is opened with ``with`` to append; to read or rewrite, it must not be.

    Args:
        path: Where it is, or shall be.

    Attributes:
        last: The last commit, once it is open.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.last = Commit()
        self._fd: int | None = None
        self._synced = 0.0

    def __enter__(self) -> Self:
        with access(self.path):
            self._fd = os.open(output_path(self.path), os.O_RDWR | os.O_CREAT | _BINARY | NO_FOLLOW, 0o600)
        try:
            end, self.last = _end(self._fd, self.path)
            os.ftruncate(self._fd, end)
            os.lseek(self._fd, end, os.SEEK_SET)
        except BaseException:
            self._close()
            raise
        self._synced = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._fd is not None
        try:
            os.fsync(self._fd)
        finally:
            self._close()

    def _close(self) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)

    @property
    def position(self) -> Position:
        """How far the channel was read, as of the last commit."""
        return self.last.position

    def append(
        self,
        position: Position,
        *,
        lines: Iterable[bytes] = (),
        changed: Iterable[bytes] = (),
        channel: ChannelState | None = None,
    ) -> None:
        """Writes a page and its commit in one go.

        Args:
            position: Where the page leads to.
            lines: Messages, and ids of gone ones, above all that the log holds, ascending.
            changed: The same for ids that the log holds already, or that are below its highest.
            channel: What is known of the channel; None leaves it as it was.

        Raises:
            OSError: As the system reports it; what was written does not count.
        """
        assert self._fd is not None, "the log is open"
        fresh, other = list(lines), list(changed)
        page = fresh + other
        commit = Commit(
            position=position,
            channel=channel or self.last.channel,
            size=sum(map(len, page)),
            plain=not other and not any(line.startswith(GONE) for line in fresh),
            top=id_of(fresh[-1]) if fresh else self.last.top,
            dead=self.last.dead + len(other),
        )
        rest = memoryview(b"".join([*page, commit_line(page, commit)]))
        while rest:
            rest = rest[os.write(self._fd, rest) :]
        self.last = commit
        if time.monotonic() - self._synced > _SYNC_SECONDS:
            os.fsync(self._fd)
            self._synced = time.monotonic()

    def peek(self) -> Commit:
        """Returns the last commit; an empty one where there is no file.

        Raises:
            SourceFormatError: The log is damaged.
        """
        try:
            with access(self.path):
                fd = os.open(self.path, os.O_RDONLY | _BINARY)
        except FileNotFoundError:
            return Commit()
        try:
            return _end(fd, self.path)[1]
        finally:
            os.close(fd)

    def blocks(self, kind: type[M]) -> Iterator[tuple[list[M], list[Gone]]]:
        """Yields messages, and the ids that are gone, in ascending order of ids.

        Args:
            kind: What a message is decoded to.

        Raises:
            SourceFormatError: The log is damaged.
        """
        decode = msgspec.json.Decoder(kind).decode_lines
        for page in self._words(0):
            if isinstance(page, bytes):
                yield decode(page), []
                continue
            said = [line for _, line in page if not line.startswith(GONE)]
            gone = [Gone(str(uid), parse_gone(line)) for uid, line in page if line.startswith(GONE)]
            yield decode(b"".join(said)), gone

    def lines(self, after: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yields ids and lines in ascending order of ids.

        Args:
            after: Ids up to this are left out.

        Raises:
            SourceFormatError: The log is damaged.
        """
        for page in self._words(after):
            named = _named(page) if isinstance(page, bytes) else page
            yield from (item for item in named if item[0] > after)

    def rewrite(
        self, lines: Iterable[tuple[int, bytes]], position: Position, channel: ChannelState | None
    ) -> None:
        """Puts a new file in the place of this one, whole or not at all.

        Args:
            lines: Ids and lines in ascending order of ids.
            position: Where they lead to.
            channel: What is known of the channel.

        Raises:
            OSError: As the system reports it; the old file stands.
        """
        page: list[bytes] = []
        top = 0
        with staged() as group:
            file = group.open(self.path)
            file.temporary.chmod(0o600)

            def flush() -> None:
                plain = not any(line.startswith(GONE) for line in page)
                size = sum(map(len, page))
                commit = Commit(position=position, channel=channel, size=size, plain=plain, top=top)
                file.write(b"".join([*page, commit_line(page, commit)]))
                page.clear()

            for uid, line in lines:
                page.append(line)
                top = uid
                if len(page) == _PAGE:
                    flush()
            flush()

    def compact(self) -> None:
        """Rewrites the log without the lines that later ones have replaced, if there are any."""
        last = self.peek()
        if last.dead:
            self.rewrite(self.lines(), last.position, last.channel)

    def _words(self, after: int) -> Iterator[bytes | list[tuple[int, bytes]]]:
        """Each id's last word, page by page; a page as it stands in the file where that is the same."""
        with ExitStack() as stack:
            files = self._twice(stack)
            if files is None:
                return
            file, other = files
            later = _Later(file, other, self.path) if self.peek().dead else None
            file.seek(0)
            top = 0
            for _, page, commit in _sound_pages(file, self.path):
                if commit.plain and not (later and later.next):
                    if commit.top > after:
                        yield page
                    top = commit.top
                    continue
                found: list[tuple[int, bytes]] = []
                for uid, line in _named(page):
                    if uid <= top:
                        continue
                    top = uid
                    while later and later.next and later.next < uid:
                        found.append(later.take())
                        if len(found) == _PAGE:
                            yield found
                            found = []
                    found.append(later.take() if later and later.next == uid else (uid, line))
                yield found

    def _twice(self, stack: ExitStack) -> tuple[BinaryIO, BinaryIO] | None:
        """The file, to be read through, and again, to look things up in it; None if there is none."""
        try:
            with access(self.path):
                while True:
                    file = stack.enter_context(self.path.open("rb", buffering=_BLOCK))
                    other = stack.enter_context(self.path.open("rb", buffering=_LOOK))
                    if os.path.sameopenfile(file.fileno(), other.fileno()):
                        return file, other
                    stack.close()  # it was rewritten in between
        except FileNotFoundError:
            return None


class _Later:
    """The last word on each id that was named again, or out of order, in the order of ids.

    Of each there is a place in the file only: a comparison may find that all of a channel has changed.

    Args:
        file: The log, at its beginning.
        other: The same, to look words up.
        path: Its name.

    Attributes:
        next: The id that `take` is about, 0 for none.
    """

    def __init__(self, file: BinaryIO, other: BinaryIO, path: Path) -> None:
        # Id and place in one number, for pairs take three times as much memory.
        found: list[int] = []
        top = start = 0
        for end, page, commit in _sound_pages(file, path):
            place = start
            for uid, line in () if commit.plain else _named(page):
                if uid <= top:
                    found.append(uid << _PLACE | place)
                top = max(top, uid)
                place += len(line)
            top, start = commit.top, end
        found.sort(reverse=True)
        self._found = found
        self._file = other
        self.next = found[-1] >> _PLACE if found else 0

    def take(self) -> tuple[int, bytes]:
        """Returns the next id and its line, and goes on."""
        uid = self.next
        found = self._found
        while self.next == uid:  # of several words on it the last counts
            place = found.pop()
            self.next = found[-1] >> _PLACE if found else 0
        self._file.seek(place & ((1 << _PLACE) - 1))
        return uid, self._file.readline()


def _named(page: bytes) -> Iterator[tuple[int, bytes]]:
    return ((id_of(line), line) for line in page.splitlines(keepends=True))


def _sound_pages(file: Iterable[bytes], path: Path) -> Iterator[tuple[int, bytes, Commit]]:
    """Where each page ends, the page, and its commit; a torn end of the file does not count."""
    page: list[bytes] = []
    end = number = 0
    torn = 0
    for line in file:
        number += 1
        if not line.startswith(COMMIT):
            page.append(line)
            continue
        data = b"".join(page)
        commit = parse_commit(line, data)
        if commit is None:
            torn = torn or number - len(page)
        elif torn:  # a sound page behind it: so this was no torn end
            raise SourceFormatError(
                "this page of the journal is not what was written",
                path=str(path),
                line=torn,
                hint="bring the file back from a copy, or remove it: the next run reads its channel again",
            )
        else:
            end += len(data) + len(line)
            yield end, data, commit
        page.clear()


def _end(fd: int, path: Path) -> tuple[int, Commit]:
    """Where the last sound page ends, and its commit."""
    size = os.fstat(fd).st_size
    with os.fdopen(os.dup(fd), "rb", buffering=_BLOCK) as file:
        file.seek(max(0, size - _TAIL))
        tail = file.read()
        start = tail.rfind(b"\n" + COMMIT) + 1
        line = tail[start:]
        length = size_said(line) if line.startswith(COMMIT) and line.endswith(b"\n") else None
        if length is not None and length <= size - len(line):
            file.seek(size - len(line) - length)
            commit = parse_commit(line, file.read(length))
            if commit is not None:
                return size, commit
        file.seek(0)
        end, last = 0, Commit()
        for end, _, last in _sound_pages(file, path):  # noqa: B007
            pass
        return end, last
