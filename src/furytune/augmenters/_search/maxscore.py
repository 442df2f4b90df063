"""Finds the best passages while skipping most others (MaxScore, Turtle and Flood 1995), with exactly the same result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

from furytune.augmenters._search.postings import Postings
from furytune.augmenters._search.vectors import numpy

__all__ = ["MOST", "MaxScore"]

MOST = 64
"""How many passages are scored in full to find a lower bound for the best ones; k cannot be larger."""


class MaxScore:
    """Finds the best among many passages, all of them visible.

    Args:
        postings: Terms of the passages.
        impact: Weight of each posting, a whole number.
        row: Position of each rank in the order of ids.
        often: A term in at least one of so many passages gets its own dense row, for direct lookups.
        numbers: Maximum numbers in all these rows; the default makes 64 MB.
        scatter: Postings up to so many times longer than the lookup are scattered into a dense array first.
        tried: How many passages of one term are tried to find those `MOST`.
    """

    def __init__(
        self,
        postings: Postings,
        impact: Any,
        row: Any,
        *,
        often: int = 32,
        numbers: int = 16_000_000,
        scatter: int = 16,
        tried: int = 512,
    ) -> None:
        np = self._np = numpy()
        self._often, self._numbers, self._scatter, self._most_tried = often, numbers, scatter, tried
        self._start: list[int] = postings.start.tolist()
        # numpy indexes with intp; a narrower type would be converted at each step.
        self._rank, self._impact, self._row = postings.rank.astype(np.intp), impact, row
        self._size = len(postings.length)
        # What a term can add at most: the bound that lets whole lists be skipped.
        self._most: list[float] = np.maximum.reduceat(impact, postings.start[:-1]).tolist()
        self._rows: dict[int, Any] = {}
        self._tried: dict[int, Any] = {}
        self._spare: list[Any] = []

    def top(self, questions: Sequence[Mapping[int, float]], k: int) -> list[list[int]]:
        """Returns positions of the k best passages for each question, best first.

        Args:
            questions: For each question, the weight of each of its terms.
            k: How many passages, at most `MOST`.
        """
        # An array of zeros, which each step leaves as zeros. Each thread takes its own.
        try:
            scores = self._spare.pop()
        except IndexError:
            scores = self._np.zeros(self._size)
        found = [self._top(weights, k, scores) for weights in questions]
        self._spare.append(scores)
        return found

    def _top(self, weights: Mapping[int, float], k: int, scores: Any) -> list[int]:
        """Processes terms in descending order of the most that each can add to a score.

        A few passages with these terms give a lower bound for the k-th best score. Passages whose terms cannot add up to
        the bound are never scored, and candidates that fall behind it are dropped on the way.
        """
        np = self._np
        gain = sorted(((w * self._most[t], t) for t, w in weights.items()), reverse=True)
        terms = [(t, weights[t]) for _, t in gain]
        # left[i] is the most that the terms from i on can add together.
        left = list(accumulate((g for g, _ in reversed(gain)), initial=0.0))[::-1]
        least = self._least(terms, k, scores)
        few, held = self._rank[:0], scores[:0]
        for i, (term, weight) in enumerate(terms):
            if len(few):
                held = held + self._weights(term, few, scores) * weight
                keep = (held >= least - left[i + 1]).nonzero()[0]
                if len(keep) < len(few):
                    few, held = few.take(keep), held.take(keep)
            # Only then can a passage without the earlier terms still reach the best ones.
            if left[i] >= least:
                ranks, added = self._new(terms[: i + 1], least - left[i + 1], scores)
                few, held = (
                    (np.concatenate(p) for p in ((few, ranks), (held, added))) if i else (ranks, added)
                )
        few, held = few[held > 0.0], held[held > 0.0]
        # A passage occurs twice if the weight of an earlier term is so small that it was rounded to 0.
        position, once = np.unique(self._row[few], return_index=True)
        held = held[once]
        # lexsort is by the last key first.
        found: list[int] = position[np.lexsort((position, -held))[:k]].tolist()
        return found

    def _least(self, terms: Sequence[tuple[int, float]], k: int, scores: Any) -> float:
        """Returns a lower bound for the score of the k-th best passage: that of the k-th among some good ones."""
        sizes = [self._start[t + 1] - self._start[t] for t, _ in terms]
        base = next((i for i, size in enumerate(sizes) if size >= k), None)
        # Without k passages of one term there is no bound, and 0 excludes nothing.
        if base is None or len(terms) == 1:
            return 0.0
        term, weight = terms[base]
        ranks, held = self._best_of(term, weight)
        for other, factor in [*terms[:base], *terms[base + 1 :]]:
            held = held + self._weights(other, ranks, scores) * factor
            if len(ranks) > MOST:
                place = held.argpartition(len(held) - MOST)[len(held) - MOST :]
                ranks, held = ranks.take(place), held.take(place)
        held.partition(len(held) - k)
        return float(held[len(held) - k])

    def _best_of(self, term: int, weight: float) -> tuple[Any, Any]:
        """Returns the passages in which a term weighs most, and its weights there."""
        span = slice(self._start[term], self._start[term + 1])
        held = self._impact[span]
        if len(held) <= self._most_tried:
            return self._rank[span], held * weight
        place = self._tried.get(term)
        if place is None:
            place = held.argpartition(len(held) - self._most_tried)[len(held) - self._most_tried :]
            self._tried[term] = place
        return self._rank[span].take(place), held.take(place) * weight

    def _new(self, terms: Sequence[tuple[int, float]], least: float, scores: Any) -> tuple[Any, Any]:
        """Returns passages to which the last term adds at least ``least``, without those that have an earlier term."""
        *earlier, (term, weight) = terms
        span = slice(self._start[term], self._start[term + 1])
        # One less, so that rounding the quotient cannot exclude a passage.
        keep = (self._impact[span] >= least / weight - 1.0).nonzero()[0]
        ranks, held = self._rank[span].take(keep), self._impact[span].take(keep) * weight
        for other, _ in earlier:
            fresh = self._weights(other, ranks, scores) == 0.0
            ranks, held = ranks[fresh], held[fresh]
        return ranks, held

    def _weights(self, term: int, ranks: Any, scores: Any) -> Any:
        """Returns the weight of a term in each of some passages, 0 if a passage does not contain it."""
        start, end = self._start[term], self._start[term + 1]
        if (end - start) * self._often > self._size:
            row = self._rows.get(term)
            if row is None and (len(self._rows) + 1) * self._size <= self._numbers:
                row = self._np.zeros(self._size, dtype=self._np.int32)
                row[self._rank[start:end]] = self._impact[start:end]
                self._rows[term] = row
            if row is not None:
                return row.take(ranks)
        held = self._rank[start:end]
        if len(held) < self._scatter * len(ranks):
            scores[held] = self._impact[start:end]
            weights = scores.take(ranks)
            # The array must be zero again for the next term and the next question.
            scores[held] = 0.0
            return weights
        place = held.searchsorted(ranks)
        hit = held.take(place, mode="clip") == ranks
        return self._impact[start:end].take(place, mode="clip") * hit
