"""Passages that do not help, mixed into a share of the training prompts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from attrs import field, frozen

from furytune._values.canonical import Json
from furytune._values.checks import at_least
from furytune.augmenters._index.settings import as_float, within
from furytune.errors import ConfigError
from furytune.records import Passage

if TYPE_CHECKING:
    from furytune.augmenters.rag import RagAugmenter

__all__ = ["Distractors", "TrainingAugmenter"]

_NEAR = 100
_TRIES = 1000


@frozen
class Distractors:
    """Trains the model to pass over what does not help (RAFT, Zhang et al. 2024).

    A share of the training prompts, chosen by the question's text, gets passages that are not among the hundred
    best for it, at places that are chosen likewise. The bot's prompts get none: so these rows differ from
    what the bot would send, on purpose, and the contract says so in its ``deviations``.

    Args:
        share: Share of the training prompts, from 0 to 1.
        count: How many passages are mixed in.
        seed: Chooses other prompts and passages.

    Raises:
        ConfigError: An argument that cannot work.
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
        """Returns what a contract names, if it names any."""
        if spec is None:
            return None
        if not isinstance(spec, Mapping) or spec.keys() != {"share", "count", "seed"}:
            raise ConfigError("the distractors of the contract are none")
        return cls(**spec)  # type: ignore[arg-type]

    @property
    def deviations(self) -> tuple[Mapping[str, str], ...]:
        """What a contract notes of them."""
        reason = (
            f"distractors: a share of {self.share} of the training prompts holds up to {self.count} passages more"
            f" that do not help (seed {self.seed}); the bot's prompts hold none"
        )
        return ({"part": "augmenter", "reason": reason},)

    def draw(self, question: str, what: str) -> int:
        """Returns a number from 0 to 2**64 - 1, the same for the same question wherever it is asked."""
        text = f"{self.seed}\0{what}\0{question}".encode("utf-8", "surrogatepass")
        return int.from_bytes(hashlib.sha256(text).digest()[:8], "big")


@frozen
class TrainingAugmenter:
    """An augmenter as training sees it: with distractors."""

    rag: RagAugmenter
    distractors: Distractors

    @property
    def spec(self) -> Mapping[str, Json]:
        """That of the augmenter."""
        return self.rag.spec

    @property
    def snapshot(self) -> str:
        """That of the augmenter."""
        return self.rag.snapshot

    def context(self, question: str, *, at: datetime | None = None) -> tuple[Passage, ...]:
        """Returns the passages for a question, distractors among them."""
        return self.contexts([question], at=[at])[0]

    def contexts(
        self, questions: Sequence[str], *, at: Sequence[datetime | None]
    ) -> list[tuple[Passage, ...]]:
        """Returns what `context` returns for each question and its moment."""
        found = self.rag.contexts(questions, at=at)
        bound = int(self.distractors.share * 2**64)
        for i, question in enumerate(questions):
            if self.distractors.draw(question, "share") < bound:
                found[i] = self._mixed(question, at[i], found[i])
        return found

    def _mixed(self, question: str, at: datetime | None, found: tuple[Passage, ...]) -> tuple[Passage, ...]:
        search, (visible,) = self.rag.searched, self.rag.visible([at])
        near = {search.passages[i].id for i in search.top([question], [visible], _NEAR)[0]}
        near |= {p.id for p in found}
        mixed = list(found)
        for n in range(_TRIES if visible else 0):
            if len(mixed) == len(found) + self.distractors.count:
                break
            # Drawn from what is visible, in the order of time: later passages change nothing.
            i = search.moments.order[self.distractors.draw(question, f"passage {n}") % visible]
            if search.passages[i].id not in near:
                near.add(search.passages[i].id)
                place = self.distractors.draw(question, f"place {n}") % (len(mixed) + 1)
                mixed.insert(place, search.passages[i])
        return tuple(mixed)
