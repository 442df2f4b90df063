"""Drops answers that are too short or too long."""

from __future__ import annotations

from attrs import field, frozen

from furytune.errors import ConfigError
from furytune.records import Dropped, QAPair

__all__ = ["AnswerLength"]


@frozen
class AnswerLength:
    """Curation step: drops answers that are too short or too long.

    The length is counted in characters, without white space at the ends. Reasons: "answer_short" and "answer_long".

    Attributes:
        min: Minimum number of characters.
        max: Maximum number of characters; None means no limit.

    Raises:
        ConfigError: No length can satisfy both.
    """

    min: int = field(default=1, kw_only=True)
    max: int | None = field(default=None, kw_only=True)

    def __attrs_post_init__(self) -> None:
        if self.min < 0 or (self.max is not None and self.max < self.min):
            raise ConfigError(f"AnswerLength(min={self.min}, max={self.max}): 0 <= min <= max must hold")

    @property
    def name(self) -> str:
        """Name in reports."""
        return "answer_length"

    def __call__(self, pair: QAPair) -> QAPair | Dropped:
        """Keeps the pair unchanged, or drops it."""
        length = len(pair.answer.strip())
        if length < self.min:
            reason = "answer_short"
        elif self.max is not None and length > self.max:
            reason = "answer_long"
        else:
            return pair
        return Dropped(reason=reason, ids=(pair.id,), where=pair.source.path, detail=f"{length} characters")
