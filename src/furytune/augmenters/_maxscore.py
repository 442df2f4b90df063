"""The best passages without looking at most of them (MaxScore, Turtle and Flood 1995); the same to the last bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from furytune.augmenters._postings import Postings
from furytune.augmenters._vectors import numpy

__all__ = ["MOST", "MaxScore"]

MOST = 64
"""Passages that are weighed in full to learn what the best have at least; so many can be asked for at most."""

_OFTEN = 32  # a term that one in so many passages holds gets a row of its own, to be looked up at once
_ROWS = 16_000_000  # numbers in all these rows: 64 MB
_SCATTER = 16


class MaxScore:
    """Finds the best among many passages, all of them visible.

    Args:
        postings: Terms of the passages.
        impact: Weight of each posting, a whole number.
        row: Position of each rank in the order of ids.
    """

    def __init__(self, postings: Postings, impact: Any, row: Any) -> None:
        np = self._np = numpy()
        self._start: list[int] = postings.start.tolist()
        self._rank, self._impact, self._row = postings.rank, impact, row
        self._size = len(postings.length)
        self._most: list[float] = np.maximum.reduceat(impact, postings.start[:-1]).tolist()
        self._rows: dict[int, Any] = {}

    def top(self, questions: Sequence[Mapping[int, float]], k: int) -> list[list[int]]:
        """Returns positions of the k best passages for each question, best first.

        Args:
            questions: For each, how much each of its terms counts.
            k: How many passages; no more than `MOST`.
        """
        scores = self._np.zeros(self._size)  # zeros again after each step: threads must not share it
        return [self._top(weights, k, scores) for weights in questions]

    def _top(self, weights: Mapping[int, float], k: int, scores: Any) -> list[int]:
        """Takes terms in descending order of the most that they can add.

        Passages that hold the first of them give a score that the k-th best reaches at least. What holds only terms
        that cannot add up to it is never looked at.
        """
        np = self._np
        gain = sorted(((w * self._most[t], t) for t, w in weights.items()), reverse=True)
        terms = [(t, weights[t]) for _, t in gain]
        # What all terms from each on can add together.
        left = list(accumulate((g for g, _ in reversed(gain)), initial=0.0))[::-1]
        least = self._least(terms, k, scores) if len(terms) > 1 else 0.0
        taken = next((i for i, more in enumerate(left) if more < least), len(terms))
        few, held = self._sums(terms[:taken], left[taken], least, scores)
        for (term, weight), more in zip(terms[taken:], left[taken + 1 :], strict=True):
            held = held + self._weights(term, few, scores) * weight
            keep = held + more >= least
            few, held = few[keep], held[keep]
        position = self._row[few]
        # lexsort is by the last key first.
        found: list[int] = position[np.lexsort((position, -held))[:k]].tolist()
        return found

    def _least(self, terms: Sequence[tuple[int, float]], k: int, scores: Any) -> float:
        """Returns what the k-th best passage has at least: what the k-th of some good ones has."""
        (first, weight), *others = terms
        start, end = self._start[first], self._start[first + 1]
        if end - start < k:
            return 0.0
        ranks, held = self._rank[start:end], self._impact[start:end] * weight
        for term, factor in others:
            held = held + self._weights(term, ranks, scores) * factor
            if len(ranks) > MOST:
                place = held.argpartition(len(held) - MOST)[len(held) - MOST :]
                ranks, held = ranks[place], held[place]
        held.partition(len(held) - k)
        return float(held[len(held) - k])

    def _sums(
        self, terms: Sequence[tuple[int, float]], more: float, least: float, scores: Any
    ) -> tuple[Any, Any]:
        """Returns which passages, and with what they have by now, reach a least score if as much more is added."""
        np = self._np
        spans = [slice(self._start[t], self._start[t + 1]) for t, _ in terms]
        if len(spans) == 1:
            held = self._impact[spans[0]] * terms[0][1]
            keep = (held + more >= least).nonzero()[0]
            return self._rank[spans[0]][keep], held[keep]
        for span, (_, weight) in zip(spans, terms, strict=True):
            scores[self._rank[span]] += self._impact[span] * weight
        some, sums = [self._rank[:0]], [scores[:0]]
        for span in spans:
            ranks = self._rank[span]
            held = scores[ranks]
            keep = ((held > 0.0) & (held + more >= least)).nonzero()[0]
            some.append(ranks[keep])
            sums.append(held[keep])
            scores[ranks] = 0.0  # so that no later list gives the same passage again
        return np.concatenate(some), np.concatenate(sums)

    def _weights(self, term: int, ranks: Any, scores: Any) -> Any:
        """Returns the weight of a term in each of some passages, 0 where it is not in them."""
        start, end = self._start[term], self._start[term + 1]
        if (end - start) * _OFTEN > self._size:
            row = self._rows.get(term)
            if row is None and (len(self._rows) + 1) * self._size <= _ROWS:
                row = self._np.zeros(self._size, dtype=self._np.int32)
                row[self._rank[start:end]] = self._impact[start:end]
                self._rows[term] = row
            if row is not None:
                return row[ranks]
        held = self._rank[start:end]
        if len(held) < _SCATTER * len(ranks):
            scores[held] = self._impact[start:end]
            weights = scores[ranks]
            scores[held] = 0.0
            return weights
        place = held.searchsorted(ranks)
        hit = held.take(place, mode="clip") == ranks
        return self._impact[start:end].take(place, mode="clip") * hit
