"""Retries requests, with a clock that tests can replace."""

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
    """The source of time; tests and rehearsals pass their own.

    Args:
        now: Returns the seconds since 1970.
        sleep: Waits for a number of seconds.
    """

    now: Callable[[], float] = field(default=time.time, repr=False)
    sleep: Callable[[float], object] = field(default=time.sleep, repr=False)


def patiently(request: Callable[[], T], clock: Clock) -> T:
    """Makes a request that is safe to repeat, up to 7 times, and waits 1, 2, 4 ... 32 seconds in between.

    Raises:
        ServiceError: The last failure, or the first one that retrying cannot fix.
    """
    waits = delays()
    for _ in range(_TRIES - 1):
        try:
            return request()
        except ServiceError as error:
            if not error.transient:
                raise
        clock.sleep(next(waits))
    # The last try is outside the loop: its error is the one that the caller sees.
    return request()
