"""Splits conversations into training and validation."""

from __future__ import annotations

import hashlib

from attrs import Attribute, field, frozen

from furytune._values.checks import of_type
from furytune.errors import ConfigError
from furytune.records import Split

__all__ = ["GroupSplitter"]


def _share(_: object, attribute: Attribute[float], value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
        raise ConfigError(f"{attribute.name} must be a share from 0 to below 1, such as 0.1")


@frozen
class GroupSplitter:
    """Splits by conversation. No conversation is on both sides, and new data never moves an old pair.

    The side of a group depends only on a hash of its name, so it is the same on every machine.
    Therefore the share of validation rows is right on average, but not exact.

    Args:
        validation: Share of groups for validation, from 0 to below 1.
        salt: A different salt gives a different split.
    """

    validation: float = field(default=0.1, validator=_share)
    salt: str = field(default="furytune", kw_only=True, validator=of_type(str))

    def __call__(self, group: str) -> Split:
        """Returns the side of a group."""
        name = f"{self.salt}\0{group}".encode("utf-8", "surrogatepass")
        # A hash of the group alone: the side of a conversation does not depend on which others there are.
        place = int.from_bytes(hashlib.sha256(name).digest()[:8], "big")
        return "validation" if place < self.validation * 2**64 else "train"
