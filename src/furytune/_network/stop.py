"""Ends a request that is under way, from another thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["Stop"]


class Stop:
    """Tells an answer that is under way to end. Any thread may set it, once and for all.

    >>> stop = Stop()
    >>> stop.set()
    >>> stop.is_set
    True
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._set = False
        self._ends: list[Callable[[], None]] = []

    @property
    def is_set(self) -> bool:
        """Whether the answer is no longer wanted."""
        return self._set

    def set(self) -> None:
        """Ends what is under way. Further calls do nothing."""
        with self._lock:
            self._set = True
            ends, self._ends = self._ends, []
        for end in ends:
            end()

    def wait(self, seconds: float) -> bool:
        """Waits until it is set, but no longer than so many seconds. Returns whether it is set."""
        woken = threading.Event()
        with self.ends(woken.set):
            woken.wait(seconds)
        return self._set

    @contextmanager
    def ends(self, end: Callable[[], None]) -> Iterator[None]:
        """Calls a function when it is set inside the block, or at once if it already is.

        Args:
            end: Called by the thread that sets it. It must not wait, and must not raise.
        """
        with self._lock:
            late = self._set
            if not late:
                self._ends.append(end)
        if late:
            end()
        try:
            yield
        finally:
            with self._lock:
                if end in self._ends:
                    self._ends.remove(end)
