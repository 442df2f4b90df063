"""Puts the first passages of a ranking into another order."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from furytune._values.canonical import Json
from furytune.errors import KnowledgeError
from furytune.records import Passage

__all__ = ["Reranker", "reordered"]

_DECIMALS = 6


@runtime_checkable
class Reranker(Protocol):
    """**Protocol:** a model that reads question and passage together, such as a cross-encoder."""

    @property
    def spec(self) -> Mapping[str, Json]:
        """Its "name", "depth", digests of its files, and each setting that can change a score."""
        ...

    @property
    def depth(self) -> int:
        """How many passages it is shown."""
        ...

    def score(self, question: str, passage: Passage) -> float:
        """Returns how well a passage goes with a question; higher is better."""
        ...


def reordered(
    reranker: Reranker, question: str, row: Sequence[int], passages: Sequence[Passage]
) -> list[int]:
    """Returns positions in descending order of the re-ranker's score, to six decimals; ties keep their order.

    Raises:
        KnowledgeError: A score is no finite number.
    """
    scored = []
    for place, i in enumerate(row):
        score = float(reranker.score(question, passages[i]))
        if not math.isfinite(score):
            raise KnowledgeError(
                f"the re-ranker {reranker.spec.get('name')} gave a score that is not finite for {passages[i].id!r}"
            )
        scored.append((-round(score, _DECIMALS), place, i))
    return [i for _, _, i in sorted(scored)]
