"""Explains a search: what was found and what came next, with the scores of each ranking."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import evolve

from furytune.augmenters._index.search import Search
from furytune.explanation import Fate, Finding
from furytune.records import Passage

__all__ = ["findings"]

_NEXT = 5


def findings(
    search: Search, question: str, visible: int, chosen: Sequence[Passage], k: int
) -> tuple[Finding, ...]:
    """Returns the chosen passages, their copies, what came next, and what only a later question would see.

    Args:
        search: The version that was searched.
        question: The normalised question.
        visible: How many passages are visible to it.
        chosen: The passages it gets.
        k: How many it could get.
    """
    everything = len(search.passages)
    seen = _named(search, question, visible)
    ids = {p.id for p in chosen}
    place = {p.id: i for i, p in enumerate(search.passages) if p.id in ids}
    found = [_finding(search, place[p.id], seen, "found") for p in chosen]
    found += [
        evolve(f, passage=copy, fate="same_text", ranks={}, same_as=f.passage.id)
        for f in tuple(found)
        for copy in search.copies.get(f.passage.id, ())[:_NEXT]
    ]
    (row,) = search.top([question], [visible], k + _NEXT)
    after = [i for i in row if search.passages[i].id not in ids][:_NEXT]
    found += [_finding(search, i, seen, "beyond_k") for i in after]
    if visible < everything:
        hidden = set(search.moments.order[visible:])
        # What a later question would find, to show that the date and not the score is the reason.
        (row,) = search.top([question], [everything], k)
        whole = _named(search, question, everything)
        found += [_finding(search, i, whole, "later") for i in row if i in hidden]
    return tuple(found)


def _named(search: Search, question: str, visible: int) -> dict[str, Any]:
    """Returns the scores of all passages in each ranking, in its usual unit."""
    return {
        name: scores[0] / unit
        for (name, unit), scores in zip(
            search.names.items(), search.scores([question], [visible]), strict=True
        )
    }


def _finding(search: Search, i: int, scores: dict[str, Any], fate: Fate) -> Finding:
    """Returns what happened to one passage, with its scores and places."""
    ranks = {}
    for name, row in scores.items():
        # Equal scores are ordered by id, which is the order of the positions.
        better = int((row > row[i]).sum()) + int((row[:i] == row[i]).sum())
        ranks[name] = better + 1 if row[i] > 0 else None
    return Finding(
        passage=search.passages[i],
        fate=fate,
        scores={name: float(row[i]) for name, row in scores.items()},
        ranks=ranks,
    )
