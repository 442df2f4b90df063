"""Vectors as whole numbers, so that a similarity is the same to the last bit in any batch and on any machine.

A vector is scaled to length 4096 and rounded. By the Cauchy-Schwarz inequality, no partial sum of the product of two such
vectors exceeds 4096 * 4096 = 2**24, and single precision represents every whole number up to there. So a matrix product in
float32 is exact, in any order, in any library and for any number of questions. Rounding costs about 1e-4 of a cosine, far
less than the difference between two models.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from furytune.augmenters._search.as_of import Moments
from furytune.errors import KnowledgeError, MissingExtraError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Whole = NDArray[np.int16]

__all__ = ["LENGTH", "VECTORS_VERSION", "VectorIndex", "digest_vectors", "numpy", "whole"]

VECTORS_VERSION = 1
"""Increased when equal vectors of a model could give other passages, or the same in another order."""

# Products of such vectors stay below 2**24, so 32-bit floats hold every sum exactly, in any order.
LENGTH = 4096


def numpy() -> Any:
    """Returns numpy.

    Raises:
        MissingExtraError: numpy is not installed.
    """
    try:
        import numpy as np
    except ImportError as error:
        raise MissingExtraError("retrieval", "rag") from error
    return np


def whole(vectors: Any, count: int, model: str) -> Whole:
    """Converts an embedder's vectors to whole numbers; a zero vector is unchanged.

    Args:
        vectors: One row per text.
        count: How many texts there were.
        model: Name of the embedder, for the message.

    Raises:
        KnowledgeError: The vectors are not one row of finite numbers per text.
    """
    np = numpy()
    try:
        given = np.asarray(vectors)
    except ValueError as error:
        raise KnowledgeError(
            f"the embedder {model} gave rows of different lengths for {count} texts; an embedder must give one row of"
            " floats per text, all of the same length"
        ) from error
    if given.ndim != 2 or given.dtype.kind != "f" or len(given) != count or not given.shape[1]:
        raise KnowledgeError(
            f"the embedder {model} gave an array of shape {given.shape} and type {given.dtype} for {count} texts;"
            " an embedder must give one row of floats per text"
        )
    exact = given.astype(np.float64)
    if not np.isfinite(exact).all():
        raise KnowledgeError(f"the embedder {model} gave a number that is not finite; check its model file")
    # Rounding may add half a unit in each dimension, so the target is shorter by that much.
    target = LENGTH - np.sqrt(exact.shape[1]) / 2
    # First divided by the largest number, so that squares of very large or small vectors stay finite.
    exact /= np.maximum(np.abs(exact).max(axis=1, keepdims=True), 1e-300)
    norm = np.sqrt((exact * exact).sum(axis=1, keepdims=True))
    result: Whole = np.rint(exact * (target / np.maximum(norm, 1e-300))).astype("<i2")
    return result


def digest_vectors(vectors: Whole) -> str:
    """Returns the identity of vectors in the order of their passages: ``sha256:`` and 64 hex digits."""
    shape = f"{vectors.shape[0]} {vectors.shape[1]}\n".encode()
    return f"sha256:{hashlib.sha256(shape + vectors.astype('<i2').tobytes()).hexdigest()}"


class VectorIndex:
    """Compares a question with the vectors of all passages in a fixed set.

    Args:
        vectors: What `whole` returned, in ascending order of the passages' ids.
        moments: Order of the same passages in time.
    """

    def __init__(self, vectors: Whole, moments: Moments) -> None:
        np = self._np = numpy()
        # As floats, because only for these does numpy call an optimised matrix product.
        self._rows = np.ascontiguousarray(vectors, dtype=np.float32)
        self._size = len(vectors)
        self._rank = np.empty(self._size, dtype=np.int64)
        self._rank[np.array(moments.order, dtype=np.int64)] = np.arange(self._size)

    @property
    def dimension(self) -> int:
        """How many numbers a vector has."""
        return int(self._rows.shape[1])

    def scores(self, questions: Whole, visible: Sequence[int], width: int) -> Any:
        """Returns the similarity of every passage to each question, in units of 2**-24, as whole numbers.

        A passage that is not similar at all, or not visible, scores 0.

        Args:
            questions: What `whole` returned for them.
            visible: For each question, how many passages are visible.
            width: Columns of the result; those after the last passage are 0.
        """
        np = self._np
        out = np.zeros((len(questions), width), dtype=np.float32)
        part = out[:, : self._size]
        np.matmul(questions.astype(np.float32), self._rows.T, out=part)
        np.maximum(part, 0.0, out=part)
        for i, seen in enumerate(visible):
            if seen < self._size:
                part[i, self._rank >= seen] = 0.0
        return out
