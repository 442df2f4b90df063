"""Finds passages with the same text: only one of them is searched and shown, the others are its copies.

Two passages are copies if their titles and texts are equal, byte for byte, because a prompt shows nothing else of them
except where they come from. The oldest is kept: undated before dated, then the first by id. So if any of them is visible at
a moment, the kept one is visible too. A copy that is added later changes no prompt: it takes no place and does not change
the weight of words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from furytune.augmenters._search.as_of import Moments
from furytune.records import Passage

__all__ = ["Distinct", "distinct"]


@frozen
class Distinct:
    """Passages without their copies.

    Attributes:
        positions: Positions of the kept passages, in ascending order; None if all are kept.
        ranks: Ranks of the copies in the order of `Moments`, ascending.
        copies: The copies of each kept passage that has any, by its id.
    """

    positions: list[int] | None = None
    ranks: tuple[int, ...] = ()
    copies: Mapping[str, tuple[Passage, ...]] = {}


def distinct(passages: Sequence[Passage], moments: Moments) -> Distinct:
    """Finds the copies among passages.

    Args:
        passages: In ascending order of id.
        moments: Of these passages.
    """
    if len({(p.title, p.text) for p in passages}) == len(passages):
        return Distinct()
    first: dict[tuple[str, str], int] = {}
    ranks: list[int] = []
    copies: dict[str, tuple[Passage, ...]] = {}
    # The oldest of equal passages stays, so the text is visible from the first moment that anyone wrote it.
    for rank, i in enumerate(moments.order):
        kept = first.setdefault((passages[i].title, passages[i].text), i)
        if kept != i:
            ranks.append(rank)
            name = passages[kept].id
            copies[name] = (*copies.get(name, ()), passages[i])
    return Distinct(sorted(first.values()), tuple(ranks), copies)
