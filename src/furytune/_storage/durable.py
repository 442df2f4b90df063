"""Writes a group of files so that a crash at any moment leaves each of them whole, old or new.

The order is that of restic's local backend: a temporary file in the target's own folder, write,
compare the length, fsync, close, rename, fsync the folder. For a group, every file is complete on disk
before the first rename, and the seals (manifests; without any, the file that was opened last) are renamed
last, after the other names are on disk. So a crash among the renames leaves sets whose seal does not fit,
which readers refuse, and never two sets of different runs that are each valid.

A path that is a symbolic link is written through only where it leads to a regular file in the same folder: a link that
somebody put there must not choose which file is replaced. The folder itself may be a link, for the user named it.
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
        target: Where it will stand: the path, or what a link there leads to.
        temporary: Where it stands until then.
        size: Bytes written so far.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.target = output_path(path)
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
            OSError: As the system reports it.
            ValueError: The file is closed.
        """
        fd = self._open_fd()
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(fd, rest) :]
        self.size += len(data)
        return len(data)

    def sync(self) -> None:
        """Brings the file to disk and closes it."""
        fd = self._open_fd()
        if os.fstat(fd).st_size != self.size:
            raise OSError(errno.EIO, "the file is not as long as what was written to it", str(self.temporary))
        os.fsync(fd)
        self._close()

    def discard(self) -> None:
        """Closes and removes the temporary file, if it is still there."""
        with suppress(OSError):
            self._close()
        with suppress(OSError):
            self.temporary.unlink(missing_ok=True)

    def _open_fd(self) -> int:
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
        """Keeps other groups out of what a lock file stands for, until this group ends.

        Args:
            path: The lock file.
            wait: Seconds to wait for another holder to finish.

        Raises:
            BlockingIOError: Another process still holds it; ``strerror`` says which.
            OSError: The lock file cannot be created.
        """
        self._locks.enter_context(lock_file(path, wait=wait))

    def open(self, path: str | os.PathLike[str], *, seal: bool = False) -> StagedFile:
        """Opens a file for writing.

        Args:
            path: Where it will appear.
            seal: Whether readers judge other files of the group by this one, so that it has to appear after
                them. Where no file is a seal, the one opened last counts as one.

        Raises:
            IsADirectoryError: A folder is in the way.
            OSError: A link is in the way that leads elsewhere, or nowhere.
            FileExistsError: The group holds this file already.
            OSError: The folder is absent or cannot be written to.
        """
        file = StagedFile(path)
        self._files.append(file)
        if any(file.target == other.target for other in self._files[:-1]):
            raise FileExistsError(errno.EEXIST, "the file is opened twice in one group", str(file.target))
        if seal:
            self._seals.add(file.target)
        return file

    def remove(self, path: str | os.PathLike[str]) -> None:
        """Has a file of an earlier run removed just before the commit point, with a link that leads to it.

        Raises:
            OSError: A link leads to no file in its own folder.
        """
        named, target = _named(path), output_path(path)
        # A link that stayed would lead nowhere, and the next run would refuse it.
        self._stale += [target] if named == target else [target, named]

    def commit(self) -> None:
        """Brings everything to disk, then renames; the seals come last.

        `staged` does this by itself at the end of its block.

        Raises:
            OSError: As the system reports it.
        """
        if not self._files:
            return
        for file in self._files:
            file.sync()
        seals = [f for f in self._files if f.target in self._seals] or self._files[-1:]
        others = [f for f in self._files if f not in seals]
        for file in others:
            file.temporary.replace(file.target)
        for path in self._stale:
            path.unlink(missing_ok=True)
        sync_folders([*(f.target for f in others), *self._stale])
        for file in seals:
            file.temporary.replace(file.target)
        sync_folders([f.target for f in seals])
        self._files.clear()
        self._seals.clear()
        self._stale.clear()

    def discard(self) -> None:
        """Removes the temporary files that are left, and gives the locks back."""
        for file in self._files:
            file.discard()
        self._locks.close()


@contextmanager
def staged() -> Iterator[StagedGroup]:
    """Opens a group of files that appear together when the block ends without an exception.

    On an exception inside the block, or before the first rename, no target has changed. When a rename
    itself fails, the targets are each whole, and the file opened last is still the old one. Temporary
    files never outlive the block; those of a killed process go when the same target is written again.

    Yields:
        The group.

    Raises:
        OSError: As the system reports it.
    """
    group = StagedGroup()
    try:
        yield group
        group.commit()
    finally:
        group.discard()


def write_file(path: str | os.PathLike[str], data: bytes) -> None:
    """Writes one file durably: afterwards, or after a crash, it is whole, old or new.

    Raises:
        OSError: As the system reports it; the old file stands.
    """
    with staged() as group:
        group.open(path).write(data)


def is_leftover(name: str) -> bool:
    """Returns whether a file of this name is a temporary one of this module."""
    return name.startswith(".") and name.endswith(_MARK)


def sweep(folder: str | os.PathLike[str]) -> None:
    """Removes the temporary files that killed processes left in a folder, whatever they were to become.

    Raises:
        OSError: The folder cannot be read.
    """
    for left in Path(folder).iterdir():
        if is_leftover(left.name):
            _remove_orphan(left)


def make_folder(folder: str | os.PathLike[str], *, mode: int = 0o777) -> None:
    """Makes a folder and those above it where they are absent, and brings their names to disk.

    Without that, a loss of power takes the folder away with everything that was brought to disk in it.

    Args:
        folder: Its path.
        mode: Permissions of the folder itself.

    Raises:
        OSError: As the system reports it.
    """
    missing: list[Path] = []
    above = Path(folder).absolute()
    while not above.exists() and above != above.parent:
        missing.append(above)
        above = above.parent
    Path(folder).mkdir(mode=mode, parents=True, exist_ok=True)
    sync_folders(missing)


def output_path(path: str | os.PathLike[str]) -> Path:
    """Returns where to write a file that the user named, without links.

    Raises:
        OSError: The path is a link to anything but a regular file in the same folder.
    """
    named = _named(path)
    if not named.is_symlink():
        return named
    target = Path(os.path.realpath(named))
    if target.parent == named.parent and target.is_file():
        return target
    raise OSError(
        errno.ELOOP,
        "a symbolic link is in the way that does not lead to a file in the same folder; remove the link, or give the "
        "path that it leads to",
        os.fspath(path),
    )


def _named(path: str | os.PathLike[str]) -> Path:
    """Returns the path with its folder resolved, but not its last part."""
    absolute = Path(path).absolute()
    return Path(os.path.realpath(absolute.parent), absolute.name)


def _mode_of(target: Path) -> int | None:
    """Returns the permissions of an existing target, None where there is none."""
    try:
        found = target.stat()
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, "a folder is in the way", str(target))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "not a regular file, so it cannot be replaced", str(target))
    return stat.S_IMODE(found.st_mode)


def _prefix(target: Path) -> str:
    # 200 bytes of the name leave room for the token below the usual limit of 255.
    return "." + os.fsdecode(os.fsencode(target.name)[:200]) + "."


def _create(target: Path) -> tuple[Path, int]:
    """Creates a temporary file beside a target and locks it; returns its path and descriptor."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    while True:
        temporary = target.with_name(_prefix(target) + secrets.token_hex(8) + _MARK)
        fd = os.open(temporary, flags, 0o666)
        # Another writer's sweep may have seen the file before it was locked: then start again.
        if try_lock(fd) is not False and temporary.exists():
            return temporary, fd
        os.close(fd)  # pragma: no cover
        temporary.unlink(missing_ok=True)  # pragma: no cover


def _sweep(target: Path) -> None:
    """Removes temporary files of this target whose writer is dead: nobody holds their lock."""
    prefix = _prefix(target)
    with suppress(OSError):
        for left in target.parent.iterdir():
            if left.name.startswith(prefix) and left.name.endswith(_MARK):
                _remove_orphan(left)


def _remove_orphan(path: Path) -> None:
    with suppress(OSError):
        fd = os.open(path, os.O_RDWR | NO_FOLLOW)
        try:
            if try_lock(fd):
                path.unlink(missing_ok=True)
        finally:
            os.close(fd)


def sync_folders(paths: Iterable[Path]) -> None:
    """Brings the names of these files to disk."""
    if os.name != "posix":  # pragma: no cover  (Windows cannot open a folder)
        return
    for folder in dict.fromkeys(path.parent for path in paths):
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
