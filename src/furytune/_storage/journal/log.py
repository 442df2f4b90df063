"""The log of one channel: appended to at its end, and read in the order of ids, with the last line of each id."""

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

from furytune._storage.durable import NO_FOLLOW, output_path, staged
from furytune._storage.journal.folder import access
from furytune._storage.journal.lines import (
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
from furytune.errors import SourceFormatError

__all__ = ["Gone", "Log"]

M = TypeVar("M")

_BINARY = getattr(os, "O_BINARY", 0)
_BLOCK = 1 << 20
# How much of a file's end to read for the last commit line.
_TAIL = 1 << 14
_LOOK = 1 << 14
_PLACE = 48  # bits for a place in a file
_PAGE = 1000
# Syncing each page would be slow. A crash loses at most these seconds, which the next run reads again.
_SYNC_SECONDS = 2.0


@frozen
class Gone:
    """A message that was removed, or was never collected.

    Attributes:
        id: The message's id.
        why: "deleted", "opted_out", "not_opted_in" or "forgotten".
    """

    id: str
    why: str


class Log:
    """One channel's file. Open it with ``with`` to append; read or rewrite it only while it is closed.

    Args:
        path: The file, which need not exist yet.
        page: How many lines a page has after `rewrite`. Readers have a page in memory.

    Attributes:
        last: The last commit, once the log is open.
    """

    def __init__(self, path: Path, *, page: int = _PAGE) -> None:
        self.path = path
        self._page = page
        self.last = Commit()
        self._fd: int | None = None
        self._synced = 0.0

    def __enter__(self) -> Self:
        with access(self.path):
            self._fd = os.open(output_path(self.path), os.O_RDWR | os.O_CREAT | _BINARY | NO_FOLLOW, 0o600)
        try:
            end, self.last = _end(self._fd, self.path)
            # Cut off a torn end, so that the next page follows a sound commit.
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
            # Leaving the block means that the channel is done, and what is written next may rely on it.
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
            position: The position that the page leads to.
            lines: Messages and tombstones with ids above all ids in the log, ascending.
            changed: Messages and tombstones whose ids the log already contains, or that are below its highest.
            channel: What is known about the channel; None leaves it unchanged.

        Raises:
            OSError: As the system reports it; the page does not count.
        """
        assert self._fd is not None, "the log is open"
        # New lines come first and in order, so readers can take them without a lookup; `dead` counts the
        # lines that make a rewrite worth while.
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
        # One write for page and commit: a crash can cut it off, but never mixes it with another page.
        rest = memoryview(b"".join([*page, commit_line(page, commit)]))
        # os.write may write only a part.
        while rest:
            rest = rest[os.write(self._fd, rest) :]
        self.last = commit
        if time.monotonic() - self._synced > _SYNC_SECONDS:
            os.fsync(self._fd)
            self._synced = time.monotonic()

    def peek(self) -> Commit:
        """Returns the last commit, or an empty one if the file does not exist.

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
        """Yields messages, and those that are gone, in ascending order of ids.

        Args:
            kind: The type that messages are decoded to.

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
            after: Ids up to this one are left out.

        Raises:
            SourceFormatError: The log is damaged.
        """
        for page in self._words(after):
            named = _named(page) if isinstance(page, bytes) else page
            yield from (item for item in named if item[0] > after)

    def rewrite(
        self, lines: Iterable[tuple[int, bytes]], position: Position, channel: ChannelState | None
    ) -> None:
        """Replaces the file atomically.

        Args:
            lines: Ids and lines in ascending order of ids.
            position: The position that they lead to.
            channel: What is known about the channel.

        Raises:
            OSError: As the system reports it; the old file is unchanged.
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
                if len(page) == self._page:
                    flush()
            flush()

    def compact(self) -> None:
        """Rewrites the log without the lines that later lines have replaced, if there are any."""
        last = self.peek()
        if last.dead:
            self.rewrite(self.lines(), last.position, last.channel)

    def _words(self, after: int) -> Iterator[bytes | list[tuple[int, bytes]]]:
        """Yields the last line of each id, page by page; a page without replaced lines comes as its bytes."""
        with ExitStack() as stack:
            files = self._twice(stack)
            if files is None:
                return
            file, other = files
            # Most logs have no replaced lines, and then one pass is enough.
            later = _Later(file, other, self.path) if self.peek().dead else None
            file.seek(0)
            top = 0
            for _, page, commit in _sound_pages(file, self.path):
                # Once no replaced line is left to find, plain pages are passed on unparsed.
                if commit.plain and not (later and later.next):
                    if commit.top > after:
                        yield page
                    top = commit.top
                    continue
                found: list[tuple[int, bytes]] = []
                for uid, line in _named(page):
                    # A repeated or late id comes from `later`, at its place in the order.
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
        """Opens the file twice, to read it through and to look up lines; returns None if it does not exist."""
        try:
            with access(self.path):
                while True:
                    file = stack.enter_context(self.path.open("rb", buffering=_BLOCK))
                    other = stack.enter_context(self.path.open("rb", buffering=_LOOK))
                    # Places found in one file are looked up in the other, so both must be the same file.
                    if os.path.sameopenfile(file.fileno(), other.fileno()):
                        return file, other
                    stack.close()  # the log was rewritten in between
        except FileNotFoundError:
            return None


class _Later:
    """The last line of each id that was written again or out of order, in the order of ids.

    It keeps only the place of each line in the file, because a comparison may find that a whole channel has changed.

    Args:
        file: The log, at its beginning.
        other: The same file, to look up lines.
        path: Its name.

    Attributes:
        next: The id that `take` is about, 0 for none.
    """

    def __init__(self, file: BinaryIO, other: BinaryIO, path: Path) -> None:
        # Id and place share one number, because a list of pairs takes three times as much memory.
        found: list[int] = []
        top = start = 0
        for end, page, commit in _sound_pages(file, path):
            place = start
            # A plain page only has new ids in ascending order, so it contains no later lines.
            for uid, line in () if commit.plain else _named(page):
                if uid <= top:
                    found.append(uid << _PLACE | place)
                top = max(top, uid)
                place += len(line)
            top, start = commit.top, end
        # In descending order, the next one can be popped from the end; of equal ids, the later place is
        # popped last.
        found.sort(reverse=True)
        self._found = found
        self._file = other
        self.next = found[-1] >> _PLACE if found else 0

    def take(self) -> tuple[int, bytes]:
        """Returns the next id and its line, and moves on."""
        uid = self.next
        found = self._found
        while self.next == uid:  # the last of several lines counts
            place = found.pop()
            self.next = found[-1] >> _PLACE if found else 0
        self._file.seek(place & ((1 << _PLACE) - 1))
        return uid, self._file.readline()


def _named(page: bytes) -> Iterator[tuple[int, bytes]]:
    return ((id_of(line), line) for line in page.splitlines(keepends=True))


def _sound_pages(file: Iterable[bytes], path: Path) -> Iterator[tuple[int, bytes, Commit]]:
    """Yields the end of each page, the page, and its commit; a torn end of the file does not count.

    Raises:
        SourceFormatError: A page that is not the last one is damaged.
    """
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
        # A crash can only tear the end of the file. A broken page before a sound one is damage, and skipping
        # it would lose messages silently.
        elif torn:  # a sound page follows, so the damage is not just a torn end
            raise SourceFormatError(
                "this page of the journal was changed or damaged after it was written",
                path=str(path),
                line=torn,
                hint="restore the file from a backup, or remove it: the next run reads its channel again",
            )
        else:
            end += len(data) + len(line)
            yield end, data, commit
        page.clear()


def _end(fd: int, path: Path) -> tuple[int, Commit]:
    """Returns where the last sound page ends, and its commit.

    Tries the end of the file first, and reads the whole file only if that is damaged.
    """
    size = os.fstat(fd).st_size
    with os.fdopen(os.dup(fd), "rb", buffering=_BLOCK) as file:
        file.seek(max(0, size - _TAIL))
        tail = file.read()
        # The end is enough: a run looks at every log, and there may be ten thousand of them.
        start = tail.rfind(b"\n" + COMMIT) + 1
        line = tail[start:]
        # The last commit says how long its page is, so reading this one page is enough to check it.
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
