"""Writes a group of files so that after a crash at any moment, each of them is complete: either the old or the new one.

The order is that of restic's local backend: a temporary file in the target's own folder, write, compare the
length, fsync, close, rename, fsync the folder. In a group, every file is complete on disk before the first
rename. The seals are renamed last, after the other names are on disk. A seal is a manifest or, in a group
without one, the file that was opened last. So a crash among the renames leaves a set whose seal does not fit,
which readers refuse. It never leaves a mix of two runs that looks valid.

A symbolic link is followed only if it leads to a regular file in the same folder, so that no one can use a link to choose
which file is replaced. The folder itself may be a link, because the user named it.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from furytune._storage.locks import lock_file, try_lock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = [
    "NO_FOLLOW",
    "StagedFile",
    "StagedGroup",
    "is_leftover",
    "make_folder",
    "output_path",
    "staged",
    "sweep",
    "sync_folders",
    "write_file",
]

NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
"""Flag for a file that must not be a link, such as a lock."""

_MARK = ".furytune-tmp"


class StagedFile:
    """A file that is being written beside its target.

    Attributes:
        target: Where the file will appear: the path, or the target of a link there.
        temporary: The temporary file.
        size: Bytes written so far.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.target = output_path(path)
        # Before anything is created: a target that cannot be replaced must not leave a temporary file behind.
        mode = _mode_of(self.target)
        _sweep(self.target)
        self.size = 0
        self.temporary, fd = _create(self.target)
        self._fd: int | None = fd
        try:
            if mode is not None:
                self.temporary.chmod(mode)
        except BaseException:
            self.discard()
            raise

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Writes all of the data.

        Returns:
            Number of bytes.

        Raises:
            OSError: The system's error.
            ValueError: The file is closed.
        """
        fd = self._open_fd()
        rest = memoryview(data)
        # A single write may be cut short, for example by a signal or a nearly full disk.
        while rest:
            rest = rest[os.write(fd, rest) :]
        self.size += len(data)
        return len(data)

    def sync(self) -> None:
        """Syncs the file to disk and closes it.

        Raises:
            OSError: The bytes on disk are not those that were written.
        """
        fd = self._open_fd()
        # Some network file systems report a full disk only now, or not at all.
        if os.fstat(fd).st_size != self.size:
            raise OSError(
                errno.EIO, "the file lost or gained bytes while it was written", str(self.temporary)
            )
        os.fsync(fd)
        self._close()

    def discard(self) -> None:
        """Closes and removes the temporary file, if it is still there."""
        with suppress(OSError):
            self._close()
        with suppress(OSError):
            self.temporary.unlink(missing_ok=True)

    def _open_fd(self) -> int:
        """Returns the descriptor; raises ValueError once the file is closed."""
        if self._fd is None:
            raise ValueError(f"{self.target}: the staged file is closed")
        return self._fd

    def _close(self) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)


class StagedGroup:
    """Files that will appear together; see `staged`."""

    def __init__(self) -> None:
        self._files: list[StagedFile] = []
        self._seals: set[Path] = set()
        self._stale: list[Path] = []
        self._locks = ExitStack()

    def lock(self, path: str | os.PathLike[str], *, wait: float) -> None:
        """Locks out other groups that use the same lock file, until this group ends.

        Args:
            path: The lock file.
            wait: Seconds to wait for another holder to finish.

        Raises:
            BlockingIOError: Another process still holds the lock; ``strerror`` says which.
            OSError: The lock file cannot be created.
        """
        self._locks.enter_context(lock_file(path, wait=wait))

    def open(self, path: str | os.PathLike[str], *, seal: bool = False) -> StagedFile:
        """Opens a file for writing.

        Args:
            path: Where the file will appear.
            seal: Whether readers check the group's other files against this one, so that it must appear after
                them. If no file is a seal, the one opened last is.

        Raises:
            IsADirectoryError: The path is a folder.
            OSError: The path is a link that leads to another folder, or nowhere.
            FileExistsError: The group contains this file already.
            OSError: The folder does not exist or cannot be written to.
        """
        file = StagedFile(path)
        self._files.append(file)
        if any(file.target == other.target for other in self._files[:-1]):
            raise FileExistsError(errno.EEXIST, "the file is opened twice in one group", str(file.target))
        if seal:
            self._seals.add(file.target)
        return file

    def remove(self, path: str | os.PathLike[str]) -> None:
        """Removes a file of an earlier run at the commit, together with a link that leads to it.

        Raises:
            OSError: The path is a link that does not lead to a file in its own folder.
        """
        named, target = _named(path), output_path(path)
        # A link that is left behind would lead nowhere, and the next run would refuse it.
        self._stale += [target] if named == target else [target, named]

    def commit(self) -> None:
        """Syncs everything to disk, then renames it; the seals come last.

        `staged` calls this at the end of its block.

        Raises:
            OSError: The system's error.
        """
        if not self._files:
            return
        for file in self._files:
            file.sync()
        # A reader that sees a seal may rely on everything else, so the seals are renamed when the rest is
        # safely on disk.
        seals = [f for f in self._files if f.target in self._seals] or self._files[-1:]
        others = [f for f in self._files if f not in seals]
        for file in others:
            file.temporary.replace(file.target)
        for path in self._stale:
            # Between data and seal: if this is interrupted, the old seal no longer fits, and a reader notices
            # it.
            path.unlink(missing_ok=True)
        sync_folders([*(f.target for f in others), *self._stale])
        for file in seals:
            file.temporary.replace(file.target)
        sync_folders([f.target for f in seals])
        self._files.clear()
        self._seals.clear()
        self._stale.clear()

    def discard(self) -> None:
        """Removes the remaining temporary files, and releases the locks."""
        for file in self._files:
            file.discard()
        self._locks.close()


@contextmanager
def staged() -> Iterator[StagedGroup]:
    """Opens a group of files that appear together when the block ends without an exception.

    If the block raises, or anything fails before the first rename, no target has changed. If a rename itself
    fails, each target is complete, and the file opened last is still the old one. Temporary files never
    outlive the block; those of a killed process are removed when the same target is written again.

    Yields:
        The group.

    Raises:
        OSError: The system's error.
    """
    group = StagedGroup()
    try:
        yield group
        group.commit()
    finally:
        group.discard()


def write_file(path: str | os.PathLike[str], data: bytes) -> None:
    """Writes one file durably: even after a crash, it is complete, either the old or the new one.

    Raises:
        OSError: The system's error; the old file is unchanged.
    """
    with staged() as group:
        group.open(path).write(data)


def is_leftover(name: str) -> bool:
    """Returns True if a file of this name is one of this module's temporary files."""
    return name.startswith(".") and name.endswith(_MARK)


def sweep(folder: str | os.PathLike[str]) -> None:
    """Removes all temporary files that killed processes left in a folder.

    Raises:
        OSError: The folder cannot be read.
    """
    for left in Path(folder).iterdir():
        if is_leftover(left.name):
            _remove_orphan(left)


def make_folder(folder: str | os.PathLike[str], *, mode: int = 0o777) -> None:
    """Creates a folder and its missing parents, and syncs their names to disk.

    Without the sync, a loss of power could remove the folder together with all synced files in it.

    Args:
        folder: Its path.
        mode: Permissions of the folder itself.

    Raises:
        OSError: The system's error.
    """
    missing: list[Path] = []
    above = Path(folder).absolute()
    while not above.exists() and above != above.parent:
        missing.append(above)
        above = above.parent
    Path(folder).mkdir(mode=mode, parents=True, exist_ok=True)
    sync_folders(missing)


def output_path(path: str | os.PathLike[str]) -> Path:
    """Returns the path to write for a path that the user named, with links resolved.

    Raises:
        OSError: The path is a link that does not lead to a regular file in the same folder.
    """
    named = _named(path)
    if not named.is_symlink():
        return named
    target = Path(os.path.realpath(named))
    # A link to another folder could make a run overwrite a file that its user cannot even see.
    if target.parent == named.parent and target.is_file():
        return target
    raise OSError(
        errno.ELOOP,
        "this is a symbolic link that does not lead to a file in the same folder; remove the link, or give the path "
        "that it leads to",
        os.fspath(path),
    )


def _named(path: str | os.PathLike[str]) -> Path:
    """Returns the path with its folder resolved, but not its last part."""
    absolute = Path(path).absolute()
    return Path(os.path.realpath(absolute.parent), absolute.name)


def _mode_of(target: Path) -> int | None:
    """Returns the permissions of an existing target, None if it does not exist.

    Raises:
        IsADirectoryError: It is a folder.
        OSError: It is not a regular file.
    """
    try:
        found = target.stat()
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, "this is a folder, not a file", str(target))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "not a regular file, so it cannot be replaced", str(target))
    return stat.S_IMODE(found.st_mode)


def _prefix(target: Path) -> str:
    # File names usually have at most 255 bytes: 200 bytes of the name leave room for the token.
    return "." + os.fsdecode(os.fsencode(target.name)[:200]) + "."


def _create(target: Path) -> tuple[Path, int]:
    """Creates a temporary file beside a target and locks it; returns its path and descriptor."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    while True:
        temporary = target.with_name(_prefix(target) + secrets.token_hex(8) + _MARK)
        fd = os.open(temporary, flags, 0o666)
        # Another writer's sweep may have removed the file before it was locked: then try again.
        if try_lock(fd) is not False and temporary.exists():
            return temporary, fd
        os.close(fd)  # pragma: no cover
        temporary.unlink(missing_ok=True)  # pragma: no cover


def _sweep(target: Path) -> None:
    """Removes temporary files of this target whose writer is dead: no one holds their lock."""
    prefix = _prefix(target)
    with suppress(OSError):
        for left in target.parent.iterdir():
            if left.name.startswith(prefix) and left.name.endswith(_MARK):
                _remove_orphan(left)


def _remove_orphan(path: Path) -> None:
    """Removes a temporary file if no process holds its lock."""
    with suppress(OSError):
        fd = os.open(path, os.O_RDWR | NO_FOLLOW)
        try:
            # The lock, not the age, shows that the writer is dead: a slow disk may keep one busy for hours.
            if try_lock(fd):
                path.unlink(missing_ok=True)
        finally:
            os.close(fd)


def sync_folders(paths: Iterable[Path]) -> None:
    """Syncs the names of these files to disk."""
    if os.name != "posix":  # pragma: no cover  (Windows cannot open a folder)
        return
    # A rename is only durable once its folder is synced; each folder needs it once.
    for folder in dict.fromkeys(path.parent for path in paths):
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
