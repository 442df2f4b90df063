"""Limits the answers per person, so that no single person becomes the voice of the model."""

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
    """Curation step: keeps only the first answers of each person, in the order of collection.

    Pairs without an answerer, such as those from a CSV file, are all kept. The reason is "author_cap". The step counts, so
    `start` returns a new one for each pass.

    Attributes:
        most: Maximum number of answers per person.

    Raises:
        ConfigError: ``most`` is less than 1.
    """

    most: int

    def __attrs_post_init__(self) -> None:
        if self.most < 1:
            raise ConfigError(f"CapPerAuthor({self.most}): the number must be at least 1")

    @property
    def name(self) -> str:
        """Name in reports."""
        return "cap_per_author"

    def start(self) -> Curator:
        """Returns a step for one pass over the pairs, which has not counted anything yet."""
        answers: Counter[str] = Counter()

        def step(pair: QAPair) -> QAPair | Dropped:
            answers[pair.answerer] += 1
            # Without an answerer nothing is known about who spoke, so there is nothing to limit.
            if not pair.answerer or answers[pair.answerer] <= self.most:
                return pair
            return Dropped(reason="author_cap", ids=(pair.id,), where=pair.source.path)

        return step
