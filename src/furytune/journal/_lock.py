"""Keeps writers apart, on every system."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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

__all__ = ["locked"]


@contextmanager
def locked(fd: int) -> Iterator[None]:
    """Holds the lock of a file, which a process that is killed gives back.

    Args:
        fd: The file, open to write, at its beginning.

    Raises:
        BlockingIOError: Somebody else holds it, in this process or another.
    """
    if fcntl is not None:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield  # closing the file gives the lock back
    elif msvcrt is not None:
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError(*error.args) from None
        try:
            yield
        finally:  # Windows gives a lock back some time after the file is closed
            msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)
    else:  # pragma: no cover
        yield
