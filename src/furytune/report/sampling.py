"""Takes a bounded sample of rows that is the same whatever their order, and nearly the same next month."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
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
        self._seen = 0

    def offer(self, uid: str, make: Callable[[], T]) -> None:
        """Takes an item if its hash is small enough; then the item with the largest hash may go.

        Args:
            uid: Id of the item.
            make: Returns the item; it is called only if the item is taken.
        """
        self._seen += 1
        # Negative, because Python's heaps have the smallest item first. The count keeps items from being compared.
        rank = -_rank(uid)
        if len(self._heap) < self._most:
            heapq.heappush(self._heap, (rank, -self._seen, make()))
        elif self._heap and (rank, -self._seen) > self._heap[0][:2]:
            heapq.heapreplace(self._heap, (rank, -self._seen, make()))

    def by_hash(self) -> Iterator[T]:
        """Yields the items by the hash of their ids, so that the first n of them are the sample of n."""
        return (item for _, _, item in sorted(self._heap, key=lambda entry: entry[:2], reverse=True))


def _rank(uid: str) -> int:
    return int.from_bytes(blake2b(uid.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
