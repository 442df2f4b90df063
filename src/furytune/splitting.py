"""Which conversations train and which validate."""

from __future__ import annotations

import hashlib

from attrs import Attribute, field, frozen

from furytune._values.checks import of_type
from furytune.errors import ConfigError
from furytune.records import Split

__all__ = ["GroupSplitter"]


def _share(_: object, attribute: Attribute[float], value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
        raise ConfigError(f"{attribute.name} is a share from 0 to below 1, such as 0.1")


@frozen
class GroupSplitter:
    """Splits by conversation: never one on both sides, and new data never moves an old pair.

    A group's side follows from its own name alone, by a hash, so it is the same on every machine.
    The share of validation rows is therefore met on average, not exactly.

    Args:
        validation: Share of groups that validate, from 0 to below 1.
        salt: Another salt gives another split.
    """

    validation: float = field(default=0.1, validator=_share)
    salt: str = field(default="furytune", kw_only=True, validator=of_type(str))

    def __call__(self, group: str) -> Split:
        """Returns the side of a group."""
        name = f"{self.salt}\0{group}".encode("utf-8", "surrogatepass")
        place = int.from_bytes(hashlib.sha256(name).digest()[:8], "big")
        return "validation" if place < self.validation * 2**64 else "train"
