"""How much one person or client, and all together, may ask."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from furytune.errors import BusyError

__all__ = ["Answers", "Rate"]

P = ParamSpec("P")
T = TypeVar("T")

_CLIENTS = 10_000


class Rate:
    """Counts requests of each client: so many at once, then evenly so many per minute.

    Args:
        per_minute: Requests of a client in a minute; 0 for no limit.
        clock: Seconds that only grow.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = per_minute, clock
        # For each client, what was left and when. Who was seen longest ago is forgotten first, so memory has a limit.
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str) -> float:
        """Counts a request, and returns 0; or the seconds until the client may ask again, if it has none left."""
        if not self._most:
            return 0.0
        now = self._clock()
        left, then = self._left.pop(client, (float(self._most), now))
        left = min(self._most, left + (now - then) * self._most / 60)
        enough = left >= 1
        self._left[client] = (left - 1 if enough else left, now)
        if len(self._left) > _CLIENTS:
            self._left.popitem(last=False)
        return 0.0 if enough else (1 - left) * 60 / self._most


class Answers(ThreadPoolExecutor):
    """Threads for answers under way. If all are in use, it refuses instead of letting answers wait.

    A thread is in use until its model has noticed that the answer is no longer wanted.

    Args:
        most: Answers at once.
    """

    def __init__(self, most: int) -> None:
        super().__init__(most, "furytune-answers")
        self._most = most
        self._open: set[Future[Any]] = set()

    @property
    def running(self) -> int:
        """How many answers are under way."""
        return len(self._open)

    def check(self) -> None:
        """Raises if a new answer would be refused.

        Raises:
            BusyError: All threads are in use.
        """
        if len(self._open) >= self._most:
            raise BusyError("too many answers are under way; ask again later")

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Starts an answer.

        Raises:
            BusyError: All threads are in use.
        """
        self.check()
        future = super().submit(fn, *args, **kwargs)
        self._open.add(future)
        future.add_done_callback(self._open.discard)
        return future
