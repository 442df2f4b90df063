"""The augmenter that adds nothing: questions as they are. It is the default, so it lives in the core."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Self

from attrs import frozen

from furytune._values.canonical import Json
from furytune.records import Passage

__all__ = ["IdentityAugmenter"]


@frozen
class IdentityAugmenter:
    """Finds no passage for any question: training without retrieval."""

    @property
    def spec(self) -> Mapping[str, Json]:
        """Only a name, for there is nothing to set."""
        return {"name": "identity"}

    @property
    def snapshot(self) -> str:
        """Always "", for there is no knowledge to pin."""
        return ""

    @property
    def retrieves(self) -> bool:
        """Always False, because there is nothing to find."""
        return False

    def latest(self) -> Self:
        """Returns itself, for there is no knowledge that could be newer."""
        return self

    @classmethod
    def from_spec(cls, spec: Mapping[str, Json], *, location: Mapping[str, Json], base: Path) -> Self:  # noqa: ARG003
        """Builds the augmenter of a contract."""
        return cls()

    def context(self, question: str, *, at: datetime | None = None) -> tuple[Passage, ...]:  # noqa: ARG002
        """Returns no passages."""
        return ()
