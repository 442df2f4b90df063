"""Drops pairs that repeat an earlier pair."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Literal

from attrs import frozen

from furytune.curation._alike.plain import plain
from furytune.errors import ConfigError
from furytune.records import Dropped, QAPair

if TYPE_CHECKING:
    from furytune.protocols import Curator

__all__ = ["Deduplicate"]


@frozen
class Deduplicate:
    """Curation step: keeps the first of all pairs that ask the same, in the order of collection.

    Two texts are the same if they are equal after these changes: Unicode form NFKC, mentions of people, roles and channels
    removed, case folded, white space reduced to single spaces, and the characters ``.,;:!?`` and the ellipsis removed at
    both ends. If nothing is left of a text, it is compared unchanged.

    It reads the pairs once and remembers little. `NearDuplicates` keeps the best pair instead of the first, and finds
    questions in nearly the same words.

    The step remembers what it has seen, so `start` returns a new one for each pass. For each kept pair it stores the id and
    16 bytes.

    Attributes:
        by: "question" drops a pair whose question occurred before, with any answer; "pair" drops it only if the answer
            occurred with it.
    """

    by: Literal["question", "pair"] = "question"

    def __attrs_post_init__(self) -> None:
        if self.by not in ("question", "pair"):
            raise ConfigError(f"Deduplicate(by={self.by!r}): by must be 'question' or 'pair'")

    @property
    def name(self) -> str:
        """Name in reports."""
        return "deduplicate"

    def start(self) -> Curator:
        """Returns a step for one pass over the pairs, which has not seen anything yet."""
        seen: dict[bytes, str] = {}

        def step(pair: QAPair) -> QAPair | Dropped:
            digest = self._digest(pair)
            if digest not in seen:
                seen[digest] = pair.id
                return pair
            where, detail = pair.source.path, f"same as {seen[digest]}"
            return Dropped(reason="duplicate", ids=(pair.id,), where=where, detail=detail)

        return step

    def _digest(self, pair: QAPair) -> bytes:
        """Returns a short digest of what a pair asks, and answers if that counts too."""
        texts = (pair.question,) if self.by == "question" else (pair.question, pair.answer)
        # 16 bytes for each pair instead of its text.
        sha = hashlib.blake2b(digest_size=16)
        for key in map(plain, texts):
            data = key.encode("utf-8", "surrogatepass")
            # The length keeps ("ab", "c") apart from ("a", "bc").
            sha.update(len(data).to_bytes(8, "big"))
            sha.update(data)
        return sha.digest()
