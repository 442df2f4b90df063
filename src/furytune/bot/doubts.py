"""Decides whether an answer should say that it may be wrong. It only looks at what can be measured."""

from __future__ import annotations

import asyncio

from furytune.answering import Asked
from furytune.records import Piece

__all__ = ["doubt"]


async def doubt(asked: Asked, question: str, last: Piece, least_score: float | None) -> str:
    """Returns why an answer may be wrong: "nothing", "weak", "length" or "filter"; "" if nothing says so.

    Args:
        asked: The question with its prompt.
        question: The raw question.
        last: The last piece of the answer.
        least_score: The least score of the best passage; None not to look at scores.
    """
    if last.finish in {"length", "filter"}:
        return last.finish
    contract = asked.served.contract
    if not contract.snapshot:  # the prompts of this contract never have passages
        return ""
    if not asked.prompt.passages:
        return "nothing"
    if least_score is None:
        return ""
    explained = await asyncio.to_thread(contract.explain, question, at=asked.entry.time)
    # The last ranking of a finding decides its place.
    best = [[*one.scores.values()][-1] for one in explained.findings if one.fate == "prompt" and one.scores]
    return "weak" if best and max(best) < least_score else ""
