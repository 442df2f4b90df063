"""The file of a feedback log: programs append to it, each line with one write, also while another one replaces it.

Who writes holds the lock of the file for that moment, and then looks whether the path still leads to it. So a line is never
written to a file that was just replaced.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

from furytune._storage.durable import NO_FOLLOW, StagedGroup, output_path, sweep
from furytune._storage.locks import hold
from furytune.feedback.lines import MAX_LINE, Line, decode

__all__ = ["append", "lines", "replace"]

_PATIENCE: Final = (
    30.0  # seconds to wait for another writer, who needs milliseconds, or seconds to replace the file
)
_PAUSE: Final = 0.002
_FLAGS: Final = os.O_RDWR | os.O_APPEND | NO_FOLLOW | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


def append(path: Path, data: bytes) -> None:
    """Appends a line to a file that only its owner can read; creates the file.

    Raises:
        OSError: The line could not be written, and the file is as it was.
    """
    with _locked(path, os.O_CREAT) as fd:
        size = os.lseek(fd, 0, os.SEEK_END)
        if size:
            os.lseek(fd, size - 1, os.SEEK_SET)
            # A line that a crash cut off must not take the next one with it.
            data = data if os.read(fd, 1) == b"\n" else b"\n" + data
        # One write for the whole line, so that a killed process leaves all of it or nothing.
        if os.write(fd, data) != len(data):
            with suppress(OSError):
                os.ftruncate(fd, size)
            raise OSError("the line was cut off")


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


def lines(file: IO[bytes]) -> Iterator[tuple[int, bytes, Line | None]]:
    """Yields the place of each line, its bytes and what it says; None if it is damaged or cut off.

    Args:
        file: The log, opened for reading bytes. Lines that are appended meanwhile may be missing.
    """
    at = 0
    while line := file.readline(MAX_LINE):
        start = at
        at += len(line)
        if len(line) == MAX_LINE and not line.endswith(b"\n"):
            while (rest := file.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                at += len(rest)
            at += len(rest)
            yield start, b"", None
        elif line.strip():
            yield start, line, decode(line)


def replace(path: Path, keep: Callable[[Line], bool]) -> tuple[int, int]:
    """Removes lines, all at once; damaged lines are removed, too. Programs may append meanwhile.

    Args:
        path: The file.
        keep: Tells which lines stay.

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
                for _, line, said in lines(file):
                    if said is not None and keep(said):
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
