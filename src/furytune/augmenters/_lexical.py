"""Ranks passages for questions by BM25, the same to the last bit wherever and in whatever batch it runs.

The weight of a term t in a passage d, among the n passages that are visible at the moment of the
question, df of which hold t::

    ln((2n + 2) / (2 df + 1)) * tf (k1 + 1) / (tf + k1 (1 - b + b |d| / mean |d|))

which is Okapi BM25 (Robertson and Zaragoza 2009, section 3) with the logarithm that cannot turn negative. ``tf``
counts a term of the title `TITLE_WEIGHT` times; ``|d|`` is counted alike, without the compounds of
`furytune.augmenters._tokens`. A term that stands c times in the question counts ``c (k3 + 1) / (c + k3)`` times.

Nothing depends on order or machine because every summand is an integer: the logarithm is taken in
decimal arithmetic, whose result is specified, and rounded to 2**-20; each product is rounded to an
integer once; sums of integers below 2**53 are exact in any order. Equal scores are ordered by passage id.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime
from decimal import Context, Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from furytune.augmenters._tokens import analyze, words
from furytune.errors import MissingExtraError
from furytune.records import Passage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["SCORER_VERSION", "LexicalIndex"]

SCORER_VERSION = 1
"""Raised whenever any question could get other passages, or the same in another order."""

TITLE_WEIGHT = 3
_K3 = 1.2
_SCALE = 1 << 20
_QUERY_SCALE = 1 << 6
_CELLS = 320_000  # scores held at a time: 2.5 MB, which stays in the cache of one core
_GROUP = 16
_DECIMAL = Context(prec=25)


@lru_cache(maxsize=1 << 16)
def _idf(visible: int, df: int) -> int:
    ratio = _DECIMAL.divide(Decimal(2 * visible + 2), Decimal(2 * df + 1))
    return int(_DECIMAL.multiply(_DECIMAL.ln(ratio), Decimal(_SCALE)).to_integral_value())


@lru_cache(maxsize=1 << 10)
def _query_weight(count: int) -> int:
    return round(_QUERY_SCALE * count * (_K3 + 1) / (count + _K3))


class LexicalIndex:
    """Postings of a fixed set of passages.

    Args:
        passages: In ascending order of id; results are positions in this sequence.
        k1: How fast repeated terms stop to matter.
        b: How much long passages are held back, from 0 to 1.
    """

    def __init__(self, passages: Sequence[Passage], *, k1: float, b: float) -> None:
        try:
            import numpy as np
        except ImportError as error:
            raise MissingExtraError("retrieval", "rag") from error
        self._np: Any = np
        self._k1, self._b = k1, b
        self._size = n = len(passages)
        self._width = -(-n // _GROUP) * _GROUP
        # Undated passages come first, then the dated ones from old to new: what is visible at a moment is
        # a prefix of this order, and so is its part of every posting list.
        undated = [i for i, p in enumerate(passages) if p.date is None]
        dated = sorted((p.date, i) for i, p in enumerate(passages) if p.date is not None)
        self._undated = len(undated)
        self._dates = [date for date, _ in dated]
        order = undated + [i for _, i in dated]
        self._row = np.array(order, dtype=np.int64)
        self._vocabulary: dict[str, int] = {}
        self._words: dict[str, tuple[int, ...]] = {}
        terms, held, lengths = self._count(passages, order)
        ranks = np.repeat(np.arange(n, dtype=np.int64), held)
        self._key, tf = np.unique(np.array(terms, dtype=np.int64) * n + ranks, return_counts=True)
        self._rank = self._key % n
        self._tf = tf.astype(np.float64)
        starts = np.arange(len(self._vocabulary) + 1, dtype=np.int64) * n
        self._start = np.searchsorted(self._key, starts)
        self._length = np.array(lengths, dtype=np.float64)
        self._total = np.concatenate(([0], np.cumsum(np.array(lengths, dtype=np.int64))))
        df = np.diff(self._start)
        values, inverse = np.unique(df, return_inverse=True)
        idf = np.array([_idf(n, int(v)) for v in values], dtype=np.float64)[inverse]
        self._impact = self._weigh(np.repeat(idf, df), slice(None), self._mean(np.array([n])))

    def _count(
        self, passages: Sequence[Passage], order: Sequence[int]
    ) -> tuple[list[int], list[int], list[int]]:
        """Returns term ids of all passages one after the other, how many each has, and their lengths."""
        number = self._vocabulary.setdefault
        size = self._vocabulary.__len__
        terms: list[int] = []
        held: list[int] = []
        lengths: list[int] = []
        for i in order:
            before, length = len(terms), 0
            for text, weight in ((passages[i].title, TITLE_WEIGHT), (passages[i].text, 1)):
                for word in words(text):
                    parts, compounds = analyze(word)
                    length += weight * len(parts)
                    terms += [number(t, size()) for t in parts + compounds] * weight
            held.append(len(terms) - before)
            lengths.append(length)
        return terms, held, lengths

    def _mean(self, visible: NDArray[np.int64]) -> Floats:
        """Mean length of the first so many passages; 1 where that would be 0, for nothing is divided then."""
        mean: Floats = self._total[visible] / self._np.maximum(visible, 1)
        mean[mean == 0] = 1.0
        return mean

    def _weigh(self, idf: Floats, at: Any, mean: Floats) -> Floats:
        """Weights of the postings ``at``, as whole numbers."""
        tf = self._tf[at]
        norm = self._k1 * (1 - self._b + self._b * (self._length[self._rank[at]] / mean))
        weights: Floats = self._np.rint(idf * (tf * (self._k1 + 1) / (tf + norm)))
        return weights

    def visible(self, at: datetime) -> int:
        """Returns how many passages a question asked at a moment may see: the undated and the older ones."""
        return self._undated + bisect_left(self._dates, at)

    def top(self, questions: Sequence[str], visible: Sequence[int], k: int) -> list[list[int]]:
        """Returns positions of the k best passages for each question, best first, none that scores 0.

        Args:
            questions: Any texts.
            visible: For each question, what `visible` returned for its moment.
            k: How many passages at most.
        """
        step = max(1, _CELLS // self._size)
        out: list[list[int]] = []
        for a in range(0, len(questions), step):
            out += self._best(self.scores(questions[a : a + step], visible[a : a + step]), k)
        return out

    def _terms(self, question: str) -> dict[int, int]:
        """Returns how often each known term stands in a question."""
        counts: dict[int, int] = {}
        for word in words(question):
            known = self._words.get(word)
            if known is None:
                parts, compounds = analyze(word)
                known = tuple(self._vocabulary[t] for t in parts + compounds if t in self._vocabulary)
                if len(self._words) < 1 << 18:
                    self._words[word] = known
            for term in known:
                counts[term] = counts.get(term, 0) + 1
        return counts

    def scores(self, questions: Sequence[str], visible: Sequence[int]) -> Floats:
        """Returns the score of every passage for each question, in units of 2**-26, as whole numbers.

        Zeros follow behind the last passage.

        Args:
            questions: Any texts.
            visible: For each question, what `visible` returned for its moment; the others score 0.
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
            high = np.searchsorted(self._key, which * self._size + seen)
        count = high - low
        at = np.repeat(low - (np.cumsum(count) - count), count) + np.arange(int(count.sum()))
        impact = self._impact[at] if every else self._impact_among(seen, count, at)
        impact *= np.repeat(np.array(weight, dtype=np.float64), count)
        cell = np.repeat(who * self._width, count) + self._row[self._rank[at]]
        scores: Floats = np.bincount(cell, impact, minlength=len(questions) * self._width)
        return scores.reshape(len(questions), self._width)

    def _impact_among(self, seen: Any, count: Any, at: Any) -> Floats:
        """Weights of postings as if only the first so many passages were there."""
        np = self._np
        idf = [_idf(n, df) for n, df in zip(seen.tolist(), count.tolist(), strict=True)]
        mean = np.repeat(self._mean(seen), count)
        return self._weigh(np.repeat(np.array(idf, dtype=np.float64), count), at, mean)

    def _best(self, scores: Floats, k: int) -> list[list[int]]:
        """Orders each row by score, then position, and keeps k; all that tie with the last are weighed up."""
        np = self._np
        least = np.ones(len(scores))
        if k < self._width // _GROUP:
            # At least k scores are not below the k-th best of the groups' maxima, which is cheap to find.
            best = scores.reshape(len(scores), _GROUP, -1).max(axis=1)
            place = best.shape[1] - k
            least = np.maximum(least, np.partition(best, place, axis=1)[:, place])
        who, row = np.divmod(np.flatnonzero(scores >= least[:, None]), self._width)
        # lexsort is by the last key first; `row` is the order of ids.
        row = row[np.lexsort((row, -scores[who, row], who))]
        ends = np.cumsum(np.bincount(who, minlength=len(scores))).tolist()
        return [row[a : min(b, a + k)].tolist() for a, b in zip([0, *ends[:-1]], ends, strict=True)]
