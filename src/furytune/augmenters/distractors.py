"""Mixes unhelpful passages into a share of the training prompts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

from attrs import field, frozen

from furytune._values.canonical import Json
from furytune._values.checks import at_least
from furytune.augmenters._index.settings import as_float, within
from furytune.errors import ConfigError
from furytune.protocols import Augmenter, Searchable
from furytune.records import Passage

__all__ = ["Distractors"]

_NEAR = 100
_TRIES = 1000


@frozen
class Distractors:
    """Trains the model to ignore passages that do not help (RAFT, Zhang et al. 2024).

    A share of the training prompts gets passages that are not among the hundred best for the question. The text of the
    question decides which prompts, which passages and which positions. The bot's prompts get none, so these rows differ
    from what the bot would send, on purpose; the contract says so in its ``deviations``.

    Args:
        share: Share of the training prompts, from 0 to 1.
        count: How many passages are mixed in.
        seed: Another number chooses other prompts and passages.

    Raises:
        ConfigError: An argument is not valid.
    """

    share: float = field(default=0.2, converter=as_float, validator=within(0.0, 1.0))
    count: int = field(default=1, kw_only=True, validator=at_least(1))
    seed: int = field(default=0, kw_only=True, validator=at_least(0))

    @property
    def spec(self) -> Mapping[str, Json]:
        """The arguments."""
        return {"share": self.share, "count": self.count, "seed": self.seed}

    @classmethod
    def from_spec(cls, spec: Json) -> Distractors | None:
        """Returns the distractors that a contract names, or None.

        Raises:
            ConfigError: The spec does not have exactly these settings, or one is out of range.
        """
        if spec is None:
            return None
        if not isinstance(spec, Mapping) or spec.keys() != {"share", "count", "seed"}:
            raise ConfigError("distractors in the contract must have exactly share, count and seed")
        return cls(**spec)  # type: ignore[arg-type]

    @property
    def deviation(self) -> str:
        """How a contract describes them."""
        return (
            f"distractors: a share of {self.share} of the training prompts holds up to {self.count} passages more"
            f" that do not help (seed {self.seed}); the bot's prompts hold none"
        )

    def apply(
        self, question: str, passages: tuple[Passage, ...], *, at: datetime | None, augmenter: Augmenter
    ) -> tuple[Passage, ...]:
        """Returns the passages for a training row, with distractors if the row gets any.

        Args:
            question: The normalised question.
            passages: What the augmenter found.
            at: The moment of the question.
            augmenter: The augmenter, to choose further passages from.

        Raises:
            ConfigError: The augmenter cannot list its passages.
        """
        # A draw from the question, not from a generator: the order and number of rows change nothing.
        if self._draw(question, "share") >= int(self.share * 2**64):
            return passages
        if not isinstance(augmenter, Searchable):
            raise ConfigError(
                f"{type(augmenter).__name__} cannot list its passages, so Distractors cannot choose any;"
                " implement furytune.protocols.Searchable"
            )
        visible = augmenter.visible_passages(at)
        # A passage that fits the question would not be a distractor but a second answer.
        near = {p.id for p in (*augmenter.nearest(question, at=at, count=_NEAR), *passages)}
        mixed = list(passages)
        for n in range(_TRIES if visible else 0):
            if len(mixed) == len(passages) + self.count:
                break
            # Drawn from the visible passages, in the order of time, so that later passages change nothing.
            passage = visible[self._draw(question, f"passage {n}") % len(visible)]
            if passage.id not in near:
                near.add(passage.id)
                mixed.insert(self._draw(question, f"place {n}") % (len(mixed) + 1), passage)
        return tuple(mixed)

    def _draw(self, question: str, what: str) -> int:
        """Returns a number from 0 to 2**64 - 1, the same for the same question in every process."""
        text = f"{self.seed}\0{what}\0{question}".encode("utf-8", "surrogatepass")
        return int.from_bytes(hashlib.sha256(text).digest()[:8], "big")
