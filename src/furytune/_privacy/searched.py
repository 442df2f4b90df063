"""What a search for people's words found in an export."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

__all__ = ["Searched"]


@frozen
class Searched:
    """What erasure needs to know about one file of an export.

    Attributes:
        path: The file.
        theirs: Ids of the messages that the people wrote, or that were named.
        originals: Ids of forwarded messages, by the ids of their copies.
        named: True if one of the ids occurs anywhere in the file.
        problem: Why it could not be read to its end, or "".
    """

    path: Path
    theirs: frozenset[str]
    originals: Mapping[str, str]
    named: bool
    problem: str
