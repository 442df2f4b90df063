"""How long to wait before a request is repeated: the same for every service."""

from __future__ import annotations

import random
from collections.abc import Iterator

__all__ = ["delays"]


def delays(first: float = 1.0, most: float = 60.0, *, jitter: float = 0.0) -> Iterator[float]:
    """Yields the seconds to wait before each further try, doubling, without end.

    Args:
        first: The first delay.
        most: No delay is longer.
        jitter: Share of each delay that chance may take off, from 0 to 1. Many clients that failed together then do
            not come back together.
    """
    delay = first
    while True:
        # With jitter, clients that failed at the same moment do not come back at the same moment.
        yield delay * random.uniform(1.0 - jitter, 1.0)  # noqa: S311  (spreads tries, hides nothing)
        delay = min(most, delay * 2)
