"""Searches one version of an index: by words, by vectors, or by both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from furytune.augmenters._index.copies import distinct
from furytune.augmenters._index.snapshot import Loaded, blob
from furytune.augmenters._search.as_of import Moments
from furytune.augmenters._search.bm25 import LexicalIndex
from furytune.augmenters._search.fusion import best, fuse, padded
from furytune.augmenters._search.postings import Postings, make_postings
from furytune.augmenters._search.vectors import VectorIndex, whole
from furytune.augmenters.embedders import Embedder
from furytune.errors import KnowledgeError

__all__ = ["POSTINGS", "Search"]

POSTINGS = "postings"
_CELLS = 4_000_000  # scores held at a time, where passages are compared by vectors


class Search:
    """Ranks the passages of one version. Of passages with the same text, only one is searched.

    Attributes:
        passages: In ascending order of id, without copies; results are positions in this list.
        moments: The order of these passages in time.
        copies: By id, the passages with the same text that are left out, see `furytune.augmenters._index.copies`.

    Args:
        path: Folder of the table.
        state: The content of the version.
        embedder: Makes the vectors of questions; None if only words count.
        words: Whether words count.
        fusion: How two rankings are combined, see `furytune.augmenters._search.fusion.fuse`.
        k1: BM25's k1.
        b: BM25's b.
    """

    def __init__(
        self,
        path: str,
        state: Loaded,
        *,
        embedder: Embedder | None,
        words: bool,
        fusion: str,
        k1: float,
        b: float,
    ) -> None:
        moments = Moments(state.passages)
        one = distinct(state.passages, moments)
        rows = one.positions
        self.passages = state.passages if rows is None else tuple(state.passages[i] for i in rows)
        self.moments = moments if rows is None else Moments(self.passages)
        self.copies = one.copies
        self._embedder, self._fusion = embedder, fusion
        self._lexical: LexicalIndex | None = None
        self._vectors: VectorIndex | None = None
        if words:
            kept = Postings.from_bytes(blob(Path(path), state.version, POSTINGS), state.snapshot)
            # Without a stored copy, or after a change of rules, the terms are counted again: slower, with the
            # same result.
            postings = kept or make_postings(state.passages, moments)
            postings = postings.without(one.ranks) if one.ranks else postings
            self._lexical = LexicalIndex(postings, self.moments, k1=k1, b=b)
        if embedder is not None:
            assert state.vectors is not None
            numbers = state.vectors.numbers
            self._vectors = VectorIndex(numbers if rows is None else numbers[rows], self.moments)

    @property
    def names(self) -> Mapping[str, float]:
        """What `scores` returns, in order, and the number to divide each by to get its usual unit."""
        both = self._lexical is not None and self._vectors is not None
        found = {"words": 2.0**26} if self._lexical is not None else {}
        found |= {"vectors": 2.0**24} if self._vectors is not None else {}
        # The numbers undo the scaling to whole numbers, so that people see scores of the usual size.
        return {**found, "together": 1.0} if both else found

    def top(self, questions: Sequence[str], visible: Sequence[int], k: int) -> list[list[int]]:
        """Returns positions of the k best passages for each question, best first, without those that score 0."""
        if self._vectors is None:
            assert self._lexical is not None
            return self._lexical.top(questions, visible, k)
        # Large batches are fast, and this bound keeps the scores of a batch below 32 MB.
        step = max(1, min(256, _CELLS // len(self.passages)))
        out: list[list[int]] = []
        for a in range(0, len(questions), step):
            out += best(self.scores(questions[a : a + step], visible[a : a + step])[-1], k)
        return out

    def scores(self, questions: Sequence[str], visible: Sequence[int]) -> list[Any]:
        """Returns the scores of all passages for each question, one array per ranking; the last one decides."""
        width = padded(len(self.passages))
        found: list[Any] = []
        if self._lexical is not None:
            found.append(self._lexical.scores(questions, visible))
        if self._vectors is not None:
            found.append(self._vectors.scores(self._embed(questions), visible, width))
        if len(found) == 2:
            found.append(fuse(found[0], found[1], list(visible), self._fusion))
        return found

    def _embed(self, questions: Sequence[str]) -> Any:
        """Embeds each question alone, because a model may give other numbers in a batch.

        Raises:
            KnowledgeError: The vectors have another length than those of the index.
        """
        import numpy as np

        assert self._embedder is not None
        assert self._vectors is not None
        name = str(self._embedder.spec.get("name"))
        rows = [whole(self._embedder.embed([q], kind="question"), 1, name) for q in questions]
        odd = {row.shape[1] for row in rows} - {self._vectors.dimension}
        if odd:
            raise KnowledgeError(
                f"the embedder {name} gives {odd.pop()} numbers for a question, but the vectors of the index have"
                f" {self._vectors.dimension}; build the index with this embedder"
            )
        return np.concatenate(rows) if rows else np.zeros((0, self._vectors.dimension), dtype=np.int16)
