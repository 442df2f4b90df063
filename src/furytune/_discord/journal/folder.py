"""Where a journal is, and what to do if it cannot be read there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from furytune.errors import ConfigError, SourceError

__all__ = ["ANEW", "HINTS", "access", "folder_of"]

ANEW = (
    "bring it back from a copy; without one, collect anew into another folder, and put this one's forgotten.json "
    "there first: it says who is never to be collected again"
)
HINTS = {
    "journal.json": ANEW,
    "people.json": "bring it back from a copy, or remove it: the next run writes it anew",
    "forgotten.json": "bring it back from a copy; without one, remove it and call forget again for everybody who asked, "
    "before the next run",
}


@contextmanager
def access(path: Path) -> Iterator[None]:
    """Says of a file that this user may not read what to do.

    Raises:
        SourceError: Where the system raises PermissionError.
    """
    try:
        yield
    except PermissionError as error:
        raise SourceError(
            f"{path}: {error.strerror}; a journal can be read by its owner only: run as the user who collected it, or "
            "have the folder given to you (chown -R)"
        ) from error


def folder_of(path: object) -> Path:
    """Returns the folder that a path names; a ``~`` at its beginning is the user's home.

    Raises:
        ConfigError: It is no path.
    """
    if not isinstance(path, str | os.PathLike) or not isinstance(text := os.fspath(path), str):
        raise ConfigError(f"the journal is the path of a folder, not a {type(path).__name__}")
    if not text or "\0" in text:
        said = "a path that holds a null character" if text else "an empty path"
        raise ConfigError(f'the journal is a folder, such as "discord-journal", not {said}')
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise ConfigError(
            "the journal begins with ~, but there is no such home; write the whole path"
        ) from None
