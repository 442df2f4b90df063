"""Decides which names from an input may appear in ids, errors and reports: names of files, columns and keys."""

from __future__ import annotations

import os
import re
from collections.abc import Collection

__all__ = ["is_name", "one_line", "printable", "shown"]

_NAME = re.compile(r"[A-Za-z0-9_.-]+(?: [A-Za-z0-9_.-]+)?")
_LONGEST = 30
_JOINER = "\N{ZERO WIDTH JOINER}"  # of emoji
_LISTED = 30


def printable(name: str | os.PathLike[str]) -> str:
    """Returns a path as text that UTF-8 can encode. It is the same for any bytes in the name and in any locale."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def one_line(name: str) -> str:
    """Returns a name that others chose, without characters that begin a line or control a terminal."""
    return "".join(c if c.isprintable() or c == _JOINER else "\N{REPLACEMENT CHARACTER}" for c in name)


def is_name(text: str) -> bool:
    """Returns True if a text looks like the name of a column or key, not like a sentence."""
    return len(text) <= _LONGEST and _NAME.fullmatch(text.strip()) is not None


def shown(names: Collection[str], kind: str = "column") -> str:
    """Returns names for an error message. Of those that do not look like names, and may be text, it gives the number.

    Args:
        names: The names as they are in the file.
        kind: What they are names of, in the singular.
    """
    known = [repr(name) for name in names if is_name(name)]
    others = len(names) - len(known)
    parts = known[:_LISTED] + (["..."] if len(known) > _LISTED else [])
    if others:
        word = f"other {kind}" if known else kind
        parts.append(f"{others} {word}{'' if others == 1 else 's'}")
    # A first line of prose is the most frequent reason for columns that are not found.
    if others and kind == "column":
        parts[-1] += " (is there a header line?)"
    return ", ".join(parts) or "none"
