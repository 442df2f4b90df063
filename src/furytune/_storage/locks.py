"""Locks between processes on every system, which say who holds them.

A lock belongs to an open file, so the system releases it when the process dies, even if it is killed.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # pragma: no cover  (Windows)
    fcntl = None
msvcrt: ModuleType | None
try:
    import msvcrt
except ImportError:
    msvcrt = None

__all__ = ["hold", "lock_file", "try_lock"]

# On Windows, no one can read a locked byte. So the locked byte lies far behind the holder's name.
_BYTE = 1 << 20
_PAUSE = 0.05
# Never follow a link here: it could make us empty another file.
_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)


def try_lock(fd: int) -> bool | None:
    """Locks an open file without waiting; closing the file releases the lock.

    Args:
        fd: Descriptor of the file; on Windows it must be open for writing.

    Returns:
        True if the file is locked now, False if someone else holds the lock (in this process or another), None
        if the file system or the platform has no locks.
    """
    if fcntl is not None:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        # Refusing to work there would be worse: many network file systems have no locks.
        except OSError:  # a file system without locks
            return None
        return True
    if msvcrt is None:
        return None
    try:
        _at_byte(fd, msvcrt.LK_NBLCK)
    except OSError:
        return False
    return True


@contextmanager
def hold(fd: int) -> Iterator[None]:
    """Holds the lock of an open file while the block runs.

    Raises:
        BlockingIOError: Someone else holds the lock, in this process or another.
    """
    if try_lock(fd) is False:
        raise BlockingIOError("the file is locked")
    try:
        yield
    finally:
        if (
            fcntl is None and msvcrt is not None
        ):  # Windows gives a lock back some time after the file is closed
            with suppress(OSError):
                _at_byte(fd, msvcrt.LK_UNLCK)


@contextmanager
def lock_file(path: str | os.PathLike[str], *, wait: float = 0.0) -> Iterator[None]:
    """Holds a lock file while the block runs, and removes it afterwards.

    Args:
        path: The lock file. It contains the process id and host of its holder.
        wait: Seconds to wait for another holder to finish.

    Raises:
        BlockingIOError: Someone else still holds the lock; ``strerror`` says who.
        OSError: The file cannot be created.
    """
    path = Path(path)
    until = time.monotonic() + wait
    while (fd := _taken(path)) is None:
        if time.monotonic() >= until:
            raise BlockingIOError(None, f"held by {_holder(path)}", os.fspath(path))
        time.sleep(_PAUSE)
    try:
        with suppress(OSError):  # the lock works without the name, so a full disk does not matter
            os.ftruncate(fd, 0)
            os.write(fd, f"process {os.getpid()} on {socket.gethostname()}".encode())
        yield
    finally:
        # Remove the name while the lock is held: afterwards, the file could already be the next one's.
        with suppress(OSError):
            path.unlink(missing_ok=True)
        if fcntl is None and msvcrt is not None:
            with suppress(OSError):
                _at_byte(fd, msvcrt.LK_UNLCK)
        os.close(fd)


def _taken(path: Path) -> int | None:
    """Returns the descriptor of the locked file, None if someone else holds the lock."""
    fd = os.open(path, _FLAGS, 0o666)
    try:
        if try_lock(fd) is not False and _is_there(path, fd):
            return fd
    except BaseException:
        os.close(fd)
        raise
    os.close(fd)
    return None


def _is_there(path: Path, fd: int) -> bool:
    # The last holder may have removed the file between our open and our lock. Such a lock would lock no one out.
    try:
        return os.path.samestat(path.stat(), os.fstat(fd))
    except FileNotFoundError:
        return False


def _holder(path: Path) -> str:
    """Returns who holds a lock, as its file says."""
    try:
        return path.read_text(encoding="utf-8")[:200].strip() or "another process"
    except (OSError, ValueError):
        return "another process"


def _at_byte(fd: int, mode: int) -> None:
    """Locks or unlocks one byte on Windows, where a lock always covers a range of bytes."""
    assert msvcrt is not None
    place = os.lseek(fd, 0, os.SEEK_CUR)
    os.lseek(fd, _BYTE, os.SEEK_SET)
    try:
        msvcrt.locking(fd, mode, 1)
    finally:
        os.lseek(fd, place, os.SEEK_SET)
