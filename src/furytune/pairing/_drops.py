"""Counts of messages by reason: one `Dropped` a reason, never one a message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from furytune.pairing.posts import Post
from furytune.records import Dropped

_LISTED = 20


class Drops:
    """Drops of one conversation."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._ids: dict[str, list[str]] = {}

    def add(self, reason: str, uid: str) -> None:
        """Counts one message."""
        known = self._counts.get(reason, 0)
        self._counts[reason] = known + 1
        if known < _LISTED:
            self._ids.setdefault(reason, []).append(uid)

    def all(self, reason: str, posts: Iterable[Post]) -> None:
        """Counts some posts, those without text as "empty"."""
        for post in posts:
            self.add(reason if post.text.strip() else "empty", post.id)

    @property
    def total(self) -> int:
        """Messages counted."""
        return sum(self._counts.values())

    def items(self, where: str = "") -> Iterator[Dropped]:
        """Yields the counts, sorted by reason."""
        for reason, count in sorted(self._counts.items()):
            yield Dropped(
                reason=reason, unit="message", count=count, ids=tuple(self._ids.get(reason, ())), where=where
            )
