"""Ranks passages by BM25, with scores that are the same to the last bit on any machine and in any batch.

The weight of a term t in a passage d, where n passages are visible at the moment of the question and df of them contain
t::

    ln((2n + 2) / (2 df + 1)) * tf (k1 + 1) / (tf + k1 (1 - b + b |d| / mean |d|))

This is Okapi BM25 (Robertson and Zaragoza 2009, section 3) with a logarithm that is never negative. ``tf`` counts a term
in the title `TITLE_WEIGHT` times, and so does ``|d|``, which ignores the compounds of
`furytune.augmenters._search.words`. A term that occurs c times in the question counts ``c (k3 + 1) / (c + k3)`` times.

Every summand is an integer, so order and machine make no difference: the logarithm is computed in decimal arithmetic, whose
result is specified, and rounded to 2**-20; each product is rounded to an integer once; sums of integers below 2**53 are
exact in any order. Equal scores are ordered by passage id.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Context, Decimal
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from furytune.augmenters._search.as_of import Moments
from furytune.augmenters._search.fusion import best, padded
from furytune.augmenters._search.maxscore import MOST, MaxScore
from furytune.augmenters._search.postings import Postings
from furytune.augmenters._search.vectors import numpy
from furytune.augmenters._search.words import analyze, words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["SCORER_VERSION", "LexicalIndex"]

SCORER_VERSION = 1
"""Increased when any question could get other passages, or the same in another order."""

_K3 = 1.2
_SCALE = 1 << 20
_QUERY_SCALE = 1 << 6
_CELLS = 320_000  # scores computed at a time: 2.5 MB, which fits into the cache of one core
LARGE = 20_000
"""Number of passages above which it pays to skip most of them."""

_DECIMAL = Context(prec=25)


@lru_cache(maxsize=1 << 16)
def _idf(visible: int, df: int) -> int:
    ratio = _DECIMAL.divide(Decimal(2 * visible + 2), Decimal(2 * df + 1))
    return int(_DECIMAL.multiply(_DECIMAL.ln(ratio), Decimal(_SCALE)).to_integral_value())


@lru_cache(maxsize=1 << 10)
def _query_weight(count: int) -> int:
    return round(_QUERY_SCALE * count * (_K3 + 1) / (count + _K3))


class LexicalIndex:
    """Scores a fixed set of passages.

    Args:
        postings: Terms of the passages.
        moments: Order of the same passages in time; results are positions in their ascending order of id.
        k1: How fast repeated terms stop to matter.
        b: How much long passages are penalised, from 0 to 1.
        large: Number of passages from which on most are skipped.
        shortcut: Makes what skips them, from postings, their weights and the order of ids.
    """

    def __init__(
        self,
        postings: Postings,
        moments: Moments,
        *,
        k1: float,
        b: float,
        large: int = LARGE,
        shortcut: Callable[[Postings, Any, Any], MaxScore] = MaxScore,
    ) -> None:
        np = self._np = numpy()
        self._k1, self._b = k1, b
        self._large, self._shortcut = large, shortcut
        self._postings = postings
        self._size = n = len(postings.length)
        self._width = padded(n)
        self._row = np.array(moments.order, dtype=np.int64)
        self._number = {term: i for i, term in enumerate(postings.terms)}
        self._words: dict[str, tuple[int, ...]] = {}
        self._start, self._rank, self._count = postings.start, postings.rank, postings.count
        self._length = postings.length.astype(np.float64)
        self._total = np.concatenate(([0], np.cumsum(postings.length)))
        df = np.diff(self._start)
        values, inverse = np.unique(df, return_inverse=True)
        idf = np.array([_idf(n, int(v)) for v in values], dtype=np.float64)[inverse]
        self._impact = self._weigh(np.repeat(idf, df), slice(None), self._mean(np.array([n])))

    @cached_property
    def _key(self) -> Any:
        """The term and rank of each posting, as one ascending number."""
        np = self._np
        terms = np.arange(len(self._start) - 1, dtype=np.int64)
        return np.repeat(terms, np.diff(self._start)) * self._size + self._rank

    @cached_property
    def _many(self) -> MaxScore:
        return self._shortcut(self._postings, self._impact, self._row)

    def _mean(self, visible: NDArray[np.int64]) -> Floats:
        """Returns the mean length of the first passages, or 1 instead of 0 to avoid a division by zero."""
        mean: Floats = self._total[visible] / self._np.maximum(visible, 1)
        mean[mean == 0] = 1.0
        return mean

    def _weigh(self, idf: Floats, at: Any, mean: Floats) -> Floats:
        """Returns the weights of the postings ``at``, as whole numbers."""
        tf = self._count[at].astype(self._np.float64)
        norm = self._k1 * (1 - self._b + self._b * (self._length[self._rank[at]] / mean))
        # Whole numbers, so that a sum is exact and does not depend on the order of its terms.
        weights: Floats = self._np.rint(idf * (tf * (self._k1 + 1) / (tf + norm)))
        return weights

    def top(self, questions: Sequence[str], visible: Sequence[int], k: int) -> list[list[int]]:
        """Returns positions of the k best passages for each question, best first, without those that score 0.

        Args:
            questions: Any texts.
            visible: For each question, how many passages are visible, see `Moments.visible`.
            k: Maximum number of passages.
        """
        # The shortcut uses weights for all passages, so it needs a question that sees all of them.
        if self._size >= self._large and k <= MOST and min(visible, default=0) == self._size:
            asked = (self._terms(question).items() for question in questions)
            return self._many.top([{t: float(_query_weight(c)) for t, c in each} for each in asked], k)
        # Many questions at once, as long as their scores stay in the cache of a core.
        step = max(1, _CELLS // self._size)
        out: list[list[int]] = []
        for a in range(0, len(questions), step):
            out += best(self.scores(questions[a : a + step], visible[a : a + step]), k)
        return out

    def _terms(self, question: str) -> dict[int, int]:
        """Returns how often each known term occurs in a question."""
        counts: dict[int, int] = {}
        for word in words(question):
            known = self._words.get(word)
            if known is None:
                parts, compounds = analyze(word)
                known = tuple(self._number[t] for t in parts + compounds if t in self._number)
                # A bot runs for months, and people keep inventing words.
                if len(self._words) < 1 << 18:
                    self._words[word] = known
            for term in known:
                counts[term] = counts.get(term, 0) + 1
        return counts

    def scores(self, questions: Sequence[str], visible: Sequence[int]) -> Floats:
        """Returns the score of every passage for each question, in units of 2**-26, as whole numbers.

        The columns after the last passage are 0.

        Args:
            questions: Any texts.
            visible: For each question, how many passages are visible; the others score 0.
        """
        np = self._np
        asker: list[int] = []
        term: list[int] = []
        weight: list[int] = []
        for i, question in enumerate(questions):
            counts = self._terms(question)
            asker += [i] * len(counts)
            term += counts
            weight += [_query_weight(c) for c in counts.values()]
        who, which = np.array(asker, dtype=np.int64), np.array(term, dtype=np.int64)
        seen = np.array(visible, dtype=np.int64)[who]
        low, high = self._start[which], self._start[which + 1]
        every = bool((seen == self._size).all())
        if not every:
            # Postings are in the order of time, so what a question may see is the first part of each list.
            high = np.searchsorted(self._key, which * self._size + seen)
        count = high - low
        at = np.repeat(low - (np.cumsum(count) - count), count) + np.arange(int(count.sum()))
        impact = self._impact[at] if every else self._impact_among(seen, count, at)
        impact *= np.repeat(np.array(weight, dtype=np.float64), count)
        # One `bincount` adds up the scores of all questions; a loop over them would take most of the time.
        cell = np.repeat(who * self._width, count) + self._row[self._rank[at]]
        scores: Floats = np.bincount(cell, impact, len(questions) * self._width).astype(
            np.float64, copy=False
        )
        return scores.reshape(len(questions), self._width)

    def _impact_among(self, seen: Any, count: Any, at: Any) -> Floats:
        """Returns the weights of postings as if only the first ``seen`` passages existed."""
        np = self._np
        idf = [_idf(n, df) for n, df in zip(seen.tolist(), count.tolist(), strict=True)]
        mean = np.repeat(self._mean(seen), count)
        return self._weigh(np.repeat(np.array(idf, dtype=np.float64), count), at, mean)
