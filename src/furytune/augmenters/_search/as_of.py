"""The order of passages in time: what is visible at a moment is a prefix of it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime

from furytune.records import Passage

__all__ = ["Moments"]


class Moments:
    """Undated passages first, then the dated ones from old to new.

    Attributes:
        order: Positions of the passages in this order.

    Args:
        passages: In ascending order of id.
    """

    __slots__ = ("_dates", "_undated", "order")

    def __init__(self, passages: Sequence[Passage]) -> None:
        undated = [i for i, p in enumerate(passages) if p.date is None]
        dated = sorted((p.date, i) for i, p in enumerate(passages) if p.date is not None)
        self._undated = len(undated)
        self._dates = [date for date, _ in dated]
        self.order = undated + [i for _, i in dated]

    def visible(self, at: datetime) -> int:
        """Returns how many passages a question asked at a moment may see: the undated and the older ones."""
        return self._undated + bisect_left(self._dates, at)
