"""Passages that say the same: one of them is searched and can be in a prompt, the others are its copies.

Two passages say the same if their titles and texts are equal, byte for byte: that is what a prompt shows of them besides
where they come from. The oldest stays, undated before dated, and of equally old ones the first by id. So if any of them
is visible at a moment, the one that stays is visible too, and a copy that is added later changes no prompt, neither by
the place it would take nor by the weight of its words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from furytune.augmenters._search.as_of import Moments
from furytune.records import Passage

__all__ = ["Distinct", "distinct"]


@frozen
class Distinct:
    """What is left of passages without their copies.

    Attributes:
        positions: Of the passages that stay, in ascending order; None if all of them do.
        ranks: Of the copies, counted in the order of `Moments`, ascending.
        copies: By the id of a passage that stays, its copies; only of those that have any.
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
    for rank, i in enumerate(moments.order):
        kept = first.setdefault((passages[i].title, passages[i].text), i)
        if kept != i:
            ranks.append(rank)
            name = passages[kept].id
            copies[name] = (*copies.get(name, ()), passages[i])
    return Distinct(sorted(first.values()), tuple(ranks), copies)
