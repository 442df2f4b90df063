"""The augmenter that finds nothing. It is the default, so it belongs to the core."""

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
        """Only a name, because there is nothing to set."""
        return {"name": "identity"}

    @property
    def snapshot(self) -> str:
        """Always "", because there is no knowledge."""
        return ""

    @property
    def retrieves(self) -> bool:
        """Always False, because there is nothing to find."""
        return False

    def latest(self) -> Self:
        """Returns itself, because there is no newer knowledge."""
        return self

    @classmethod
    def from_spec(cls, spec: Mapping[str, Json], *, location: Mapping[str, Json], base: Path) -> Self:  # noqa: ARG003
        """Builds the augmenter of a contract."""
        return cls()

    def context(self, question: str, *, at: datetime | None = None) -> tuple[Passage, ...]:  # noqa: ARG002
        """Returns no passages."""
        return ()
