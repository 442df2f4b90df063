"""attrs validators that raise `ConfigError` and say what the argument must be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import attrs

from furytune.errors import ConfigError

__all__ = ["at_least", "bytes_or_none", "duration", "of_type", "one_of", "share"]

Check = Callable[[Any, "attrs.Attribute[Any]", Any], None]


def one_of(*allowed: object) -> Check:
    """Accepts only these values."""

    def check(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
        # `in` compares with ==, so 1 would pass for True; the allowed values are words.
        if value not in allowed:
            known = ", ".join(map(repr, allowed))
            raise ConfigError(f"{attribute.name} must be one of {known}, not {_shown(value)}")

    return check


def at_least(least: int) -> Check:
    """Accepts whole numbers from ``least`` up."""

    def check(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
        # True and False are ints in Python, but never meant as numbers here.
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ConfigError(
                f"{attribute.name} must be a whole number, at least {least}, not {_shown(value)}"
            )

    return check


def share(_: object, attribute: attrs.Attribute[float], value: object) -> None:
    """Accepts numbers between 0 and 1."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ConfigError(f"{attribute.name} is {_shown(value)}; give a number between 0 and 1")


def duration(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
    """Accepts spans of time that are not negative."""
    if not isinstance(value, timedelta) or value < timedelta(0):
        raise ConfigError(
            f"{attribute.name} must be a timedelta that is not negative, such as timedelta(days=7)"
        )


def of_type(*types: type) -> Check:
    """Accepts only instances of these types."""

    def check(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
        if not isinstance(value, types):
            wanted = " or ".join("None" if t is type(None) else t.__name__ for t in types)
            raise ConfigError(f"{attribute.name} must be of type {wanted}, not {_shown(value)}")

    return check


def bytes_or_none(_: object, attribute: attrs.Attribute[bytes | None], value: object) -> None:
    """Validates a key; errors never show its value.

    Raises:
        ConfigError: It is not bytes.
    """
    if value is not None and not isinstance(value, bytes):
        raise ConfigError(
            f"{attribute.name} must be bytes, such as text.encode(), not a {type(value).__name__}"
        )


def _shown(value: object) -> str:
    """Returns a number or a short word as it is, and the type of anything else, which may be what someone wrote."""
    if isinstance(value, int | float | bool):
        return repr(value)
    if isinstance(value, str) and value.isidentifier() and len(value) <= 20:
        return repr(value)
    return f"the class {value.__name__} itself" if isinstance(value, type) else f"a {type(value).__name__}"
