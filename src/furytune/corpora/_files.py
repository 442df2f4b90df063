"""What the corpora have in common: finding files, naming passages uniquely, filling in addresses."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from furytune.errors import ConfigError

__all__ = ["OnError", "Unique", "address", "check_address", "check_on_error", "files_below"]

OnError = Literal["raise", "skip"]
_SLOT = re.compile(r"\{(path|start|end)\}")
_ANY_SLOT = re.compile(r"\{[^{}]*\}")


def check_on_error(on_error: str) -> None:
    """Refuses anything but the two choices."""
    if on_error not in ("raise", "skip"):
        raise ConfigError(f"on_error must be 'raise' or 'skip', not {on_error!r}")


def check_address(url: str) -> None:
    """Refuses a pattern with a slot that `address` does not fill."""
    for slot in _ANY_SLOT.findall(url):
        if not _SLOT.fullmatch(slot):
            raise ConfigError(f"url holds {slot}; it can hold {{path}}, {{start}} and {{end}}")


def address(url: str, path: str, start: int, end: int) -> str:
    """Fills path and lines into a pattern, in one pass."""
    values = {"path": path, "start": str(start), "end": str(end)}
    return _SLOT.sub(lambda m: values[m[1]], url)


def files_below(folder: Path, wanted: Callable[[str], bool]) -> list[Path]:
    """Returns the files whose name is wanted, in an order that depends on their paths alone.

    Hidden folders and ``__pycache__`` are not entered, links to folders not followed.
    """
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [f for f in folders if not f.startswith(".") and f != "__pycache__"]
        found += [Path(parent, name) for name in names if wanted(name)]
    return sorted(found, key=lambda p: p.relative_to(folder).as_posix())


class Unique:
    """Gives ids out; a second use of one gets ``#2`` behind it, and so on by order."""

    def __init__(self) -> None:
        self._given: dict[str, int] = {}

    def __call__(self, name: str) -> str:
        """Returns the name, or the name with the next number that makes it new."""
        count = self._given.get(name, 0) + 1
        self._given[name] = count
        if count == 1:
            return name
        return self(f"{name}#{count}")
