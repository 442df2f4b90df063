"""Selects the best passages by score, in a total order, and combines the scores of two rankings."""

from __future__ import annotations

import math
from typing import Any

from furytune.augmenters._search.vectors import numpy

__all__ = ["FUSION_VERSION", "GROUP", "best", "fuse", "padded"]

FUSION_VERSION = 1
"""Increased when `fuse` could give another order."""

GROUP = 16
# The same depth for any k, so that asking for more passages does not change the order of the first ones.
_DEPTH = 1000
# The constant of the paper that introduced the method (Cormack et al. 2009).
_RANK = 60
_SHIFT = 16


def padded(size: int) -> int:
    """Returns the number of score columns for so many passages; columns after the last passage are 0."""
    return -(-size // GROUP) * GROUP


def best(scores: Any, k: int) -> list[list[int]]:
    """Orders each row by score, then position, and returns the first k that score more than 0.

    Args:
        scores: One row per question, of `padded` width, without negative numbers.
        k: Maximum number of passages.
    """
    np = numpy()
    width = scores.shape[1]
    least = np.full(len(scores), np.finfo(scores.dtype).tiny, dtype=scores.dtype)
    if k < width // GROUP:
        # At least k scores reach the k-th best of the groups' maxima, which is cheap to find.
        tops = scores.reshape(len(scores), GROUP, -1).max(axis=1)
        place = tops.shape[1] - k
        least = np.maximum(least, np.partition(tops, place, axis=1)[:, place])
    # Passages that tie with the last one are included, so that the order by id decides between them.
    who, row = np.divmod(np.flatnonzero(scores >= least[:, None]), width)
    # lexsort is by the last key first; `row` is the order of ids.
    row = row[np.lexsort((row, -scores[who, row], who))]
    ends = np.cumsum(np.bincount(who, minlength=len(scores))).tolist()
    return [row[a : min(b, a + k)].tolist() for a, b in zip([0, *ends[:-1]], ends, strict=True)]


def fuse(lexical: Any, vector: Any, visible: list[int], how: str) -> Any:
    """Combines the scores of two rankings into one score per passage.

    "scores" divides each score by the standard deviation of the best thousand of its ranking, so that neither ranking
    outweighs the other by its unit. Such sums find more than sums of ranks (Bruch, Gai and Ingber 2023). "ranks" is
    reciprocal rank fusion with the constant 60 (Cormack, Clarke and Buettcher 2009). Hidden passages do not affect
    either.

    Args:
        lexical: One row of whole numbers per question, of `padded` width.
        vector: The same for the other ranking.
        visible: For each question, how many passages are visible to it.
        how: "scores" or "ranks".
    """
    np = numpy()
    if how == "ranks":
        return _reciprocal(lexical) + _reciprocal(vector)
    out = np.empty(lexical.shape)
    # The deviation depends on how many passages a question may see, so questions of the same moment are done
    # together.
    for seen in set(visible):
        rows = [i for i, v in enumerate(visible) if v == seen]
        words, vectors = lexical[rows], vector[rows]
        out[rows] = words / _deviation(words, seen, _SHIFT) + vectors / _deviation(vectors, seen, 0)
    return out


def _deviation(scores: Any, seen: int, shift: int) -> Any:
    """Returns the standard deviation of each row's best thousand, from sums of whole numbers, exact in any order."""
    np = numpy()
    count = min(_DEPTH, seen)
    if not count:
        return 1.0
    place = scores.shape[1] - count
    tops = np.partition(scores, place, axis=1)[:, place:].astype(np.int64) >> shift
    totals, squares = tops.sum(axis=1).tolist(), (tops * tops).sum(axis=1).tolist()
    # Python integers, because these products exceed 64 bits.
    exact = [(count * q - t * t) / (count * count) for t, q in zip(totals, squares, strict=True)]
    return np.array([math.sqrt(v) * 2**shift or 1.0 for v in exact])[:, None]


def _reciprocal(scores: Any) -> Any:
    """Returns the reciprocal rank of each passage, 0 beyond the depth."""
    np = numpy()
    out = np.zeros(scores.shape)
    for i, row in enumerate(best(scores, _DEPTH)):
        out[i, row] = 1.0 / (_RANK + 1 + np.arange(len(row)))
    return out
