"""Finds who answers whom in a channel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from furytune._values.checks import at_least
from furytune.pairing.linking.history import History
from furytune.pairing.linking.messages import Reader
from furytune.pairing.linking.network import Network, shipped
from furytune.pairing.linking.pairs import describe
from furytune.pairing.links import Link
from furytune.pairing.posts import Post

__all__ = ["Linker"]

_REMEMBERED = 50_000


@frozen
class Linker:
    """Says for each message of a channel which earlier message it answers or continues, or that it starts a conversation.

    A native reply is taken as it is. For other messages, a small network compares the last messages: who addressed whom,
    who wrote when, and what the words share. A link depends on nothing that comes after its message, and is the same on
    any machine.

    Args:
        block: How many messages are compared at once. It changes speed and memory, but no link.
    """

    block: int = field(default=256, validator=at_least(1))

    def links(self, posts: Iterable[Post]) -> Iterator[tuple[Post, Link]]:
        """Yields each post with its link, in the given order.

        - A post that the collector leaves out has the parent "" and confidence 0. It is a parent only of native replies.
        - A native reply has confidence 1 if its target was among the last 50,000 posts, otherwise the confidence of the
          network that the post starts no conversation.

        Args:
            posts: The posts of one channel in order of time, each id once.
        """
        channel = _Channel(shipped())
        rest = iter(posts)
        while block := list(islice(rest, self.block)):
            yield from zip(block, channel.links(block), strict=True)


class _Channel:
    def __init__(self, network: Network) -> None:
        self._network = network
        self._reader = Reader()
        self._history = History(network.width)
        self._writers: dict[str, str] = {}
        self._ids: list[str] = []

    def links(self, posts: list[Post]) -> list[Link]:
        rows: list[tuple[int, ...]] = []
        entries: list[int] = []
        counts: list[int] = []
        ids: list[str] = []
        known: list[bool] = []
        for post in posts:
            if not post.drop:
                row, words = self._reader.row(post, self._writers.get(post.reply_to or "", ""))
                rows.append(row)
                entries += words
                counts.append(len(words))
                ids.append(post.id)
            known.append(post.reply_to in self._writers)
            self._remember(post)
        choices = self._choose(rows, entries, counts, ids)
        return [
            Link(post.id, "", 0.0) if post.drop else _link(post, *next(choices), known=is_known)
            for post, is_known in zip(posts, known, strict=True)
        ]

    def _remember(self, post: Post) -> None:
        self._writers[post.id] = post.speaker
        if len(self._writers) > _REMEMBERED:
            del self._writers[next(iter(self._writers))]

    def _choose(
        self, rows: list[tuple[int, ...]], entries: list[int], counts: list[int], ids: list[str]
    ) -> Iterator[tuple[str, float, float]]:
        """Yields the parent, how sure it is, and how likely the message starts a conversation."""
        if not rows:
            return
        width = self._network.width
        block = self._history.block(rows, entries, counts)
        # Early messages have fewer than `width` before them.
        existing = np.arange(len(rows))[:, None] + (block.first + 2 * width) >= np.arange(width + 1)
        messages, pairs = describe(block, width, self._network.rarity)
        scores = self._network.scores(messages, pairs)
        best, sure, start = _decide(scores, existing, self._network)
        self._ids = [*self._ids[-width:], *ids]
        at = len(self._ids) - len(ids)
        for k, (distance, confidence, likely) in enumerate(
            zip(best.tolist(), sure.tolist(), start.tolist(), strict=True)
        ):
            yield self._ids[at + k - distance] if distance else "", confidence, likely


def _decide(
    scores: NDArray[Any], existing: NDArray[Any], network: Network
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    lowest = scores.min() - 1
    scores = np.where(existing, scores, lowest)
    # A tie goes to the nearest message.
    best = np.argmax(scores[:, 1:], axis=1) + 1
    place = np.arange(len(scores))
    best[scores[:, 0] > scores[place, best]] = 0
    behind = (scores[place, best][:, None] - scores).astype(np.int64) // network.step
    likely = network.likelihood[np.minimum(behind, len(network.likelihood) - 1)] * existing
    total = likely.sum(1)
    return best, np.round(likely[place, best] / total, 4), np.round(likely[:, 0] / total, 4)


def _link(post: Post, parent: str, confidence: float, start: float, *, known: bool) -> Link:
    if post.reply_to is None:
        return Link(post.id, parent, confidence)
    return Link(post.id, post.reply_to, 1.0 if known else round(1.0 - start, 4), native=True)
