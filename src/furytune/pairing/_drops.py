"""Counts messages by reason, so that a report has one `Dropped` per reason instead of one per message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from furytune.pairing.posts import Post
from furytune.records import Dropped

_LISTED = 20


class Drops:
    """The drops of one conversation."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._ids: dict[str, list[str]] = {}

    def add(self, reason: str, uid: str) -> None:
        """Counts one message."""
        known = self._counts.get(reason, 0)
        self._counts[reason] = known + 1
        # A few ids are enough for examples; a report must not grow with the channel.
        if known < _LISTED:
            self._ids.setdefault(reason, []).append(uid)

    def all(self, reason: str, posts: Iterable[Post]) -> None:
        """Counts several posts, and those without text as "empty"."""
        for post in posts:
            self.add(reason if post.text.strip() else "empty", post.id)

    @property
    def total(self) -> int:
        """How many messages were counted."""
        return sum(self._counts.values())

    def items(self, where: str = "") -> Iterator[Dropped]:
        """Yields the counts, sorted by reason."""
        for reason, count in sorted(self._counts.items()):
            yield Dropped(
                reason=reason, unit="message", count=count, ids=tuple(self._ids.get(reason, ())), where=where
            )
