"""Keeps one person's answers from becoming the voice of the model."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from attrs import frozen

from furytune.errors import ConfigError
from furytune.records import Dropped, QAPair

if TYPE_CHECKING:
    from furytune.protocols import Curator

__all__ = ["CapPerAuthor"]


@frozen
class CapPerAuthor:
    """Curation step: keeps the first so many answers of each person, in the order of collection.

    Pairs without an answerer, such as those of a CSV file, all stay. The reason is "author_cap". The step
    counts, so `start` gives a new one for each pass.

    Attributes:
        most: How many answers of one person stay.

    Raises:
        ConfigError: ``most`` is less than 1.
    """

    most: int

    def __attrs_post_init__(self) -> None:
        if self.most < 1:
            raise ConfigError(f"CapPerAuthor({self.most}): give a number of at least 1")

    @property
    def name(self) -> str:
        """Name in reports."""
        return "cap_per_author"

    def start(self) -> Curator:
        """Returns the step for one pass over the pairs, with nothing counted yet."""
        answers: Counter[str] = Counter()

        def step(pair: QAPair) -> QAPair | Dropped:
            answers[pair.answerer] += 1
            if not pair.answerer or answers[pair.answerer] <= self.most:
                return pair
            return Dropped(reason="author_cap", ids=(pair.id,), where=pair.source.path)

        return step
