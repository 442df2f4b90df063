"""Time, and how often a request is made again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from attrs import field, frozen

from furytune._network.retries import delays
from furytune.errors import ServiceError

__all__ = ["Clock", "patiently"]

T = TypeVar("T")

_TRIES = 7


@frozen
class Clock:
    """Where the time comes from; tests and rehearsals bring their own.

    Args:
        now: Seconds since 1970.
        sleep: Waits for so many seconds.
    """

    now: Callable[[], float] = field(default=time.time, repr=False)
    sleep: Callable[[float], object] = field(default=time.sleep, repr=False)


def patiently(request: Callable[[], T], clock: Clock) -> T:
    """Makes a request that may safely be repeated, up to 7 times, waiting 1, 2, 4 ... 32 seconds in between.

    Raises:
        ServiceError: The last answer, or the first that says repeating is of no use.
    """
    waits = delays()
    for _ in range(_TRIES - 1):
        try:
            return request()
        except ServiceError as error:
            if not error.transient:
                raise
        clock.sleep(next(waits))
    return request()
