"""Finds the folder of a journal, and says what to do if a file there cannot be read."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from furytune._storage.durable import NO_FOLLOW, is_leftover, make_folder, sweep
from furytune._storage.locks import hold
from furytune.errors import ConfigError, SourceError

__all__ = ["HINTS", "START_OVER", "access", "folder_of", "write_alone"]

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


@contextmanager
def write_alone(folder: Path, logs: Path, *, own: Collection[str], there: bool) -> Iterator[None]:
    """Locks a journal against other writers, in this process and others; creates its folders if needed.

    Args:
        folder: The journal.
        logs: The folder with its logs: one inside it, or the journal itself.
        own: Names that a run may have left behind before there was a journal.
        there: Whether the folder contains a journal.

    Raises:
        SourceError: Another process is writing, the folder is not a journal, or it cannot be written to.
    """
    if not there and folder.is_dir():
        # A run that was killed at its beginning leaves only its own files behind.
        held = {entry.name for entry in folder.iterdir()} - set(own)
        if any(not is_leftover(name) for name in held):
            raise SourceError(
                f"{folder}: this folder contains other files and no journal; name an empty or a new folder"
            )
    if logs != folder and os.path.islink(logs):  # noqa: PTH114  (raises no error if this user may not read the folder)
        raise SourceError(f"{logs}: this is a symbolic link; replace it with the folder itself")
    try:
        make_folder(logs, mode=0o700)
        # Some file systems have no modes. The logs themselves are created with mode 0600.
        with suppress(OSError):
            folder.chmod(0o700)
        fd = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | NO_FOLLOW, 0o600)
    except OSError as error:
        raise SourceError(
            f"{folder}: cannot write a journal here ({error.strerror}); check the permissions and the free "
            "space, or name another folder"
        ) from error
    try:
        with ExitStack() as stack:
            try:
                stack.enter_context(hold(fd))
            except BlockingIOError:
                raise SourceError(
                    f"{folder}: another process is writing to this journal; wait until it has ended"
                ) from None
            # Temporary files of a killed process may contain messages that must be forgotten.
            for place in {folder, logs}:
                sweep(place)
            yield
    finally:
        os.close(fd)
