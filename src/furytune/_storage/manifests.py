"""The formats that exporters and collectors share: the manifest of a data set, and the escape of spreadsheet formulas.

A manifest is one JSON object. The list of sources, which is as long as the data, comes last. Everything before it
has one key per line, so that the head can be read without the list.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "FORMAT",
    "SOURCES",
    "SUFFIX",
    "escape_formula",
    "is_json_lines",
    "looks_escaped",
    "manifest_path",
    "read_head",
    "sha256_of",
    "source_lines",
    "unescape_formula",
]

FORMAT = "furytune-dataset/1"
"""Name and version of the manifest's format."""

SUFFIX = ".manifest.json"
"""Suffix that turns the name of a data file into the name of its manifest."""

SOURCES = b'"sources":['
"""The line that ends the head of a manifest."""

# The sources may be gigabytes and come last, so the head can be read alone.
_HEAD_LIMIT = 64 << 20
_LEADING = frozenset("=+-@\t\r\0'")


def manifest_path(path: Path) -> Path:
    """Returns the path of a data file's manifest."""
    return path.with_name(path.name + SUFFIX)


def read_head(path: Path, *, limit: int = _HEAD_LIMIT) -> dict[str, Any]:
    """Reads a manifest up to its sources.

    Args:
        path: The manifest.
        limit: Maximum bytes before the sources.

    Raises:
        OSError: The file cannot be read.
        ValueError: The file is not a manifest of the version that this library writes.
    """
    head = bytearray()
    with path.open("rb") as lines:
        for line in lines:
            if line.rstrip(b"\n") == SOURCES:
                break
            head += line
            if len(head) > limit:
                raise ValueError("its head is too long")
        else:
            raise ValueError("it has no list of sources")
    # Closing the list makes the head a complete document.
    found = json.loads(bytes(head) + SOURCES + b"]}")
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ValueError(f"its format is not {FORMAT}")
    return found


def source_lines(path: Path) -> Iterator[bytes]:
    """Yields the manifest's entry for each row, a JSON object, in the order of export.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as lines:
        for line in lines:
            if line.rstrip(b"\n") == SOURCES:
                break
        for line in lines:
            if line.startswith(b"{"):
                yield line.rstrip(b",\n")


def is_json_lines(path: str | os.PathLike[str]) -> bool:
    """Tells JSON lines from CSV by the first byte: every cell of a CSV that furytune writes is in quotes."""
    with Path(path).open("rb") as source:
        return source.read(1) != b'"'


def sha256_of(blocks: Iterable[bytes]) -> str:
    """Returns the sha256 of blocks of bytes, as 64 hex digits."""
    state = hashlib.sha256()
    for block in blocks:
        state.update(block)
    return state.hexdigest()


def escape_formula(text: str) -> str:
    """Puts a single quote before a cell that a spreadsheet would run, or that already begins with a quote.

    The characters are those of OWASP ASVS 1.2.10, and CR. A cell that begins with a quote gets another one,
    so that `unescape_formula` restores every text.
    """
    # A cell that already begins with a quote gets another one, so that the escape can always be undone.
    return "'" + text if text[:1] in _LEADING else text


def looks_escaped(text: str) -> bool:
    """Returns True if a cell looks like one that `escape_formula` changed."""
    return text[:1] == "'" and text[1:2] in _LEADING


def unescape_formula(text: str) -> str:
    """Removes the quote that `escape_formula` put before a cell."""
    return text[1:] if looks_escaped(text) else text
