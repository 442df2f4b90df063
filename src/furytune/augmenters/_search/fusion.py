"""The best passages by score, in a total order, and the scores of two rankings as one."""

from __future__ import annotations

import math
from typing import Any

from furytune.augmenters._search.vectors import numpy

__all__ = ["FUSION_VERSION", "GROUP", "best", "fuse", "padded"]

FUSION_VERSION = 1
"""Raised whenever `fuse` could give another order."""

GROUP = 16
_DEPTH = 1000
_RANK = 60
_SHIFT = 16


def padded(size: int) -> int:
    """Returns how many columns the scores of so many passages take; those behind the last passage hold 0."""
    return -(-size // GROUP) * GROUP


def best(scores: Any, k: int) -> list[list[int]]:
    """Orders each row by score, then position, and keeps k; nothing that scores 0.

    Args:
        scores: One row for each question, of `padded` width, no number below 0.
        k: How many at most.
    """
    np = numpy()
    width = scores.shape[1]
    least = np.full(len(scores), np.finfo(scores.dtype).tiny, dtype=scores.dtype)
    if k < width // GROUP:
        # At least k scores are not below the k-th best of the groups' maxima, which is cheap to find.
        tops = scores.reshape(len(scores), GROUP, -1).max(axis=1)
        place = tops.shape[1] - k
        least = np.maximum(least, np.partition(tops, place, axis=1)[:, place])
    # All that tie with the last are weighed up.
    who, row = np.divmod(np.flatnonzero(scores >= least[:, None]), width)
    # lexsort is by the last key first; `row` is the order of ids.
    row = row[np.lexsort((row, -scores[who, row], who))]
    ends = np.cumsum(np.bincount(who, minlength=len(scores))).tolist()
    return [row[a : min(b, a + k)].tolist() for a, b in zip([0, *ends[:-1]], ends, strict=True)]


def fuse(lexical: Any, vector: Any, visible: list[int], how: str) -> Any:
    """Returns one score for each passage from the scores of two rankings.

    With "scores", each score counts in standard deviations of the best thousand of its own ranking, so that
    neither ranking outweighs the other by its unit; such sums find more than sums of ranks do (Bruch, Gai and
    Ingber 2023). With "ranks" it is reciprocal rank fusion with the constant 60 (Cormack, Clarke and Buettcher
    2009). Hidden passages have no part in either.

    Args:
        lexical: One row for each question, of `padded` width, whole numbers.
        vector: The same of the other ranking.
        visible: For each question, how many passages it may see.
        how: "scores" or "ranks".
    """
    np = numpy()
    if how == "ranks":
        return _reciprocal(lexical) + _reciprocal(vector)
    out = np.empty(lexical.shape)
    for seen in set(visible):
        rows = [i for i, v in enumerate(visible) if v == seen]
        words, vectors = lexical[rows], vector[rows]
        out[rows] = words / _deviation(words, seen, _SHIFT) + vectors / _deviation(vectors, seen, 0)
    return out


def _deviation(scores: Any, seen: int, shift: int) -> Any:
    """Standard deviation of each row's best thousand, from sums of whole numbers, exact in any order."""
    np = numpy()
    count = min(_DEPTH, seen)
    if not count:
        return 1.0
    place = scores.shape[1] - count
    tops = np.partition(scores, place, axis=1)[:, place:].astype(np.int64) >> shift
    totals, squares = tops.sum(axis=1).tolist(), (tops * tops).sum(axis=1).tolist()
    # In Python's integers, for these products pass 64 bits.
    exact = [(count * q - t * t) / (count * count) for t, q in zip(totals, squares, strict=True)]
    return np.array([math.sqrt(v) * 2**shift or 1.0 for v in exact])[:, None]


def _reciprocal(scores: Any) -> Any:
    np = numpy()
    out = np.zeros(scores.shape)
    for i, row in enumerate(best(scores, _DEPTH)):
        out[i, row] = 1.0 / (_RANK + 1 + np.arange(len(row)))
    return out
