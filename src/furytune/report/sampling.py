"""Takes a bounded sample of rows that is the same whatever their order, and nearly the same next month."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from hashlib import blake2b
from typing import Generic, TypeVar

__all__ = ["MOST", "Sample"]

T = TypeVar("T")

MOST = 10_000
"""How many rows a report shows at most."""


class Sample(Generic[T]):
    """Keeps the items whose ids have the smallest hashes, so that two samples of the same ids agree.

    Args:
        most: How many items to keep.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._heap: list[tuple[int, int, T]] = []
        self.seen = 0

    def add(self, uid: str, item: T) -> None:
        """Adds an item, and forgets the one with the largest hash if there are too many."""
        self.seen += 1
        if self._most < 1:
            return
        # Negative, because Python's heaps have the smallest item first. The count keeps items from being compared.
        entry = (-_rank(uid), -self.seen, item)
        if len(self._heap) < self._most:
            heapq.heappush(self._heap, entry)
        elif entry > self._heap[0]:
            heapq.heapreplace(self._heap, entry)

    def by_hash(self) -> Iterator[T]:
        """Yields the items by the hash of their ids, so that the first n of them are the sample of n."""
        return (item for _, _, item in sorted(self._heap, key=lambda entry: entry[:2], reverse=True))


def _rank(uid: str) -> int:
    return int.from_bytes(blake2b(uid.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
