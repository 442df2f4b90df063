"""Files of records that programs append to, each line with one write, also while another program replaces the file.

Who writes holds the lock of the file for that moment, and then looks whether the path still leads to it. So a line is never
written to a file that was just replaced.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Final

from furytune._storage.durable import NO_FOLLOW, StagedGroup, output_path, sweep, sync_folders
from furytune._storage.locks import hold
from furytune.errors import ConfigError

__all__ = ["append", "lines", "oldest", "replace"]

_PATIENCE: Final = (
    30.0  # seconds to wait for another writer, who needs milliseconds, or seconds to replace the file
)
_PAUSE: Final = 0.002
_FLAGS: Final = os.O_RDWR | os.O_APPEND | NO_FOLLOW | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


def append(path: Path, data: bytes, *, sync: bool = False) -> None:
    """Appends a line to a file that only its owner can read; creates the file.

    Args:
        path: The file.
        data: The line, with its end.
        sync: Whether the line must survive a loss of power, too, when this returns.

    Raises:
        OSError: The line could not be written, and the file is as it was.
    """
    with _locked(path, os.O_CREAT) as fd:
        size = os.lseek(fd, 0, os.SEEK_END)
        if size:
            os.lseek(fd, size - 1, os.SEEK_SET)
            # A line that a crash cut off must not take the next one with it.
            data = data if os.read(fd, 1) == b"\n" else b"\n" + data
        try:
            # One write for the whole line, so that a killed process leaves all of it or nothing.
            whole = os.write(fd, data) == len(data)
            if whole and sync:
                os.fsync(fd)
                if not size:
                    sync_folders([path.resolve()])  # the name of a new file
        except BaseException:
            _undo(fd, size)
            raise
        if not whole:
            _undo(fd, size)
            raise OSError("the line was cut off")


def _undo(fd: int, size: int) -> None:
    """Takes a line back: otherwise one would count that was reported as not written."""
    with suppress(OSError):
        os.ftruncate(fd, size)


@contextmanager
def _locked(path: Path, flags: int) -> Iterator[int]:
    """Opens and locks the file that the path leads to.

    Raises:
        OSError: It cannot be opened, or another program holds it.
    """
    until = time.monotonic() + _PATIENCE
    while True:
        fd = os.open(path, _FLAGS | flags, 0o600)
        try:
            with hold(fd):
                if _leads_to(path, fd):
                    yield fd
                    return
        except BlockingIOError:
            if time.monotonic() >= until:
                raise
        finally:
            os.close(fd)
        time.sleep(_PAUSE)


def _leads_to(path: Path, fd: int) -> bool:
    # Another program may have replaced the file between our open and our lock.
    try:
        return os.path.samestat(path.stat(), os.fstat(fd))
    except FileNotFoundError:
        return False


def lines(file: IO[bytes], most: int) -> Iterator[tuple[int, bytes]]:
    """Yields the place of each line that is not blank, and its bytes; b"" for a line that is too long.

    Args:
        file: The file, opened for reading bytes. Lines that are appended meanwhile may be missing.
        most: Most bytes of a line.
    """
    at = 0
    while line := file.readline(most):
        start = at
        at += len(line)
        if len(line) == most and not line.endswith(b"\n"):
            while (rest := file.readline(most)) and not rest.endswith(b"\n"):
                at += len(rest)
            at += len(rest)
            yield start, b""
        elif line.strip():
            yield start, line


def replace(path: Path, keep: Callable[[bytes], bool], most: int) -> tuple[int, int]:
    """Removes lines, all at once, and those that are too long. Programs may append meanwhile.

    Args:
        path: The file.
        keep: Tells which lines stay.
        most: Most bytes of a line.

    Returns:
        How many lines were removed, and how many are left.

    Raises:
        OSError: The file is as it was.
    """
    removed = left = 0
    with _locked(path, 0) as fd:
        group = StagedGroup()
        try:
            new = group.open(path)
            with os.fdopen(os.dup(fd), "rb") as file:
                file.seek(0)
                for _, line in lines(file, most):
                    if line and keep(line):
                        left += 1
                        new.write(line if line.endswith(b"\n") else line + b"\n")
                    else:
                        removed += 1
            if removed:
                group.commit()
        finally:
            group.discard()
    sweep(output_path(path).parent)
    return removed, left


def oldest(days: float) -> datetime:
    """Returns the first moment that stays if everything older than so many days is removed; 0 removes everything.

    Raises:
        ConfigError: ``days`` is not a number from 0.
    """
    if isinstance(days, bool) or not isinstance(days, int | float) or not 0 <= days <= 1_000_000:
        raise ConfigError("days must be a number from 0, such as 90")
    return datetime.now(UTC) - timedelta(days=days) if days <= 365_000 else datetime.min.replace(tzinfo=UTC)
