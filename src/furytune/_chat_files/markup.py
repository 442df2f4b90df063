"""What the markup of several platforms has in common."""

from __future__ import annotations

import re
from collections.abc import Callable

__all__ = ["CHANNEL", "ROLE", "outside_code", "person"]

CHANNEL = "#channel"
"""Stands for a channel, thread or message, as in `furytune.Normalizer`."""
ROLE = "@role"
"""Stands for a group of people."""

_CODE = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]*`)", re.DOTALL)


def person(number: str) -> str:
    """Returns the mention of a person, as the contract's normaliser reads it."""
    return f"<@{number}>"


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """Applies a function to the parts of a text that are not code."""
    if "`" not in text:
        return change(text)
    # Every odd part is code, because re.split also returns what the group matched.
    return "".join(part if i % 2 else change(part) for i, part in enumerate(_CODE.split(text)))
