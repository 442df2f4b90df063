"""The file of a feedback log: which of its lines say something, and which are damaged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from furytune._storage import appending
from furytune.feedback.lines import MAX_LINE, Line, decode

__all__ = ["lines", "replace"]


def lines(file: IO[bytes]) -> Iterator[tuple[int, bytes, Line | None]]:
    """Yields the place of each line, its bytes and what it says; None if it is damaged or cut off.

    Args:
        file: The log, opened for reading bytes. Lines that are appended meanwhile may be missing.
    """
    for at, line in appending.lines(file, MAX_LINE):
        yield at, line, decode(line) if line else None


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

    def stays(line: bytes) -> bool:
        said = decode(line)
        return said is not None and keep(said)

    return appending.replace(path, stays, MAX_LINE)
