"""Reorders the first passages of a ranking."""

from __future__ import annotations

import math
from collections.abc import Sequence

from furytune.errors import KnowledgeError
from furytune.protocols import Reranker
from furytune.records import Passage

__all__ = ["Reranker", "reordered"]

_DECIMALS = 6


def reordered(
    reranker: Reranker, question: str, row: Sequence[int], passages: Sequence[Passage]
) -> list[int]:
    """Returns positions in descending order of the re-ranker's score, to six decimals; ties keep their order.

    Args:
        reranker: The re-ranker.
        question: The normalised question.
        row: Positions of the first passages, best first.
        passages: All passages.

    Raises:
        KnowledgeError: A score is not a finite number.
    """
    scored = []
    for place, i in enumerate(row):
        score = float(reranker.score(question, passages[i]))
        if not math.isfinite(score):
            raise KnowledgeError(
                f"the re-ranker {reranker.spec.get('name')} gave a score that is not finite for {passages[i].id!r};"
                " check its model"
            )
        # Models give slightly different numbers on other machines; rounding makes such scores equal, and then
        # the first ranking decides.
        scored.append((-round(score, _DECIMALS), place, i))
    return [i for _, _, i in sorted(scored)]
