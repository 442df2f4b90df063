"""attrs validators that raise `ConfigError` with a sentence a user can act on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from furytune.errors import ConfigError

__all__ = ["at_least", "of_type", "one_of"]

Check = Callable[[Any, "attrs.Attribute[Any]", Any], None]


def one_of(*allowed: object) -> Check:
    """Accepts only these values."""

    def check(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
        if value not in allowed:
            known = ", ".join(map(repr, allowed))
            raise ConfigError(f"{attribute.name} is one of {known}, not {_shown(value)}")

    return check


def at_least(least: int) -> Check:
    """Accepts whole numbers from a least one up."""

    def check(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ConfigError(f"{attribute.name} is a whole number from {least} up, not {_shown(value)}")

    return check


def of_type(*types: type) -> Check:
    """Accepts only instances of these types."""

    def check(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
        if not isinstance(value, types):
            wanted = " or ".join("nothing" if t is type(None) else t.__name__ for t in types)
            raise ConfigError(f"{attribute.name} is of type {wanted}, not {_shown(value)}")

    return check


def _shown(value: object) -> str:
    """Returns a number as it is, and of anything else its type: a value may be text of a person."""
    if isinstance(value, int | float | bool):
        return repr(value)
    if isinstance(value, str) and value.isidentifier() and len(value) <= 20:
        return repr(value)
    return f"the class {value.__name__} itself" if isinstance(value, type) else f"a {type(value).__name__}"
