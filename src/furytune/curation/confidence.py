"""Drops pairs that are probably not worth training on."""

from __future__ import annotations

from attrs import field, frozen

from furytune._values.checks import share
from furytune.records import Dropped, QAPair

__all__ = ["MinConfidence"]


@frozen
class MinConfidence:
    """Curation step: drops pairs whose confidence is below a threshold, as "low_confidence".

    `QAPair.confidence` is calibrated: of the pairs at 0.8, about 80 % are worth training on. Pairs from a file of ready pairs
    have a confidence of 1.

    Attributes:
        least: The lowest confidence to keep, between 0 and 1.

    Raises:
        ConfigError: ``least`` is not between 0 and 1.
    """

    least: float = field(default=0.8, validator=share)

    @property
    def name(self) -> str:
        """Name in reports."""
        return "min_confidence"

    def __call__(self, pair: QAPair) -> QAPair | Dropped:
        """Keeps the pair unchanged, or drops it."""
        if pair.confidence >= self.least:
            return pair
        return Dropped(
            reason="low_confidence",
            ids=(pair.id,),
            where=pair.source.path,
            detail=f"confidence {pair.confidence:.2f}",
        )
