"""The order of passages in time: the passages visible at a moment are the first ones in this order."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime
from typing import overload

from furytune.records import Passage

__all__ = ["InOrder", "Moments"]


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
        """Returns how many passages are visible to a question at a moment: the undated and the older ones."""
        # Strictly older: a passage of the same moment may be the answer itself.
        return self._undated + bisect_left(self._dates, at)


class InOrder(Sequence[Passage]):
    """A view of the first passages in the order of time, without copying the list.

    Args:
        passages: In ascending order of id.
        order: Positions in the order of time.
        count: How many passages the view contains.
    """

    __slots__ = ("_count", "_order", "_passages")

    def __init__(self, passages: Sequence[Passage], order: Sequence[int], count: int) -> None:
        self._passages, self._order, self._count = passages, order, count

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Passage: ...
    @overload
    def __getitem__(self, index: slice) -> list[Passage]: ...
    def __getitem__(self, index: int | slice) -> Passage | list[Passage]:
        found = range(self._count)[index]
        if isinstance(found, range):
            return [self._passages[self._order[i]] for i in found]
        return self._passages[self._order[found]]
