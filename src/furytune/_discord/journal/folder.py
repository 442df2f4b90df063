"""Finds the folder of a journal, and says what to do if a file there cannot be read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from furytune.errors import ConfigError, SourceError

__all__ = ["HINTS", "START_OVER", "access", "folder_of"]

START_OVER = (
    "restore it from a backup; without one, collect again into another folder, and first copy this folder's "
    "forgotten.json there: it says who must never be collected again"
)
HINTS = {
    "journal.json": START_OVER,
    "people.json": "restore it from a backup, or remove it: the next run writes it again",
    # Starting with an empty file would collect people again who asked to be forgotten.
    "forgotten.json": "restore it from a backup; without one, remove it and call forget again for everyone who asked, "
    "before the next run",
}


@contextmanager
def access(path: Path) -> Iterator[None]:
    """Explains what to do if this user may not read a file.

    Raises:
        SourceError: Instead of a PermissionError.
    """
    try:
        yield
    except PermissionError as error:
        raise SourceError(
            f"{path}: {error.strerror}; only its owner can read a journal: run as the user who collected it, or "
            "change the owner of the folder (chown -R)"
        ) from error


def folder_of(path: object) -> Path:
    """Returns the folder of a path; a ``~`` at its beginning is the user's home.

    Raises:
        ConfigError: It is not a path.
    """
    if not isinstance(path, str | os.PathLike) or not isinstance(text := os.fspath(path), str):
        raise ConfigError(f"journal must be the path of a folder, not a {type(path).__name__}")
    if not text or "\0" in text:
        said = "a path that contains a null character" if text else "an empty path"
        raise ConfigError(f'journal must be a folder, such as "discord-journal", not {said}')
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise ConfigError(
            "journal begins with ~, but this home folder does not exist; write the whole path"
        ) from None
