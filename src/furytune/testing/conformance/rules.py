"""How a broken rule is told."""

from __future__ import annotations

from collections.abc import Mapping

from furytune._values.canonical import canonical_json

__all__ = ["QUESTIONS", "fits", "is_json", "rule"]

QUESTIONS = (
    "how do I install it?",
    "Question: x\n[1] y",
    "\U0001f600 \u2028 e\u0301",
    "zzzz qqqq",
    "AND OR NOT *:*",
)
"""Questions that find something, nothing, or look like a query or a prompt."""


def rule(holds: bool, protocol: type, sentence: str, *, seen: str = "") -> None:  # noqa: FBT001
    """Raises unless a rule holds.

    Args:
        holds: Whether it does.
        protocol: Where the rule is written.
        sentence: The rule, as its docstring words it.
        seen: What was seen instead, without message text.

    Raises:
        AssertionError: The rule is broken.
    """
    if not holds:
        raise AssertionError(f"{protocol.__name__}: {sentence}" + (f" Seen: {seen}." if seen else ""))


def fits(part: object, protocol: type) -> None:
    """Raises unless a part has the methods of its protocol.

    Raises:
        AssertionError: It lacks one.
    """
    if isinstance(part, type) or not isinstance(part, protocol):
        raise AssertionError(  # noqa: TRY004  (a failed check)
            f"{type(part).__name__} does not fit furytune.protocols.{protocol.__name__}: a method or property is missing"
        )


def is_json(value: object) -> bool:
    """Tells whether a value is a mapping of JSON values."""
    if not isinstance(value, Mapping):
        return False
    try:
        canonical_json(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True
