"""What the markup of several platforms has in common."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

__all__ = ["CHANNEL", "ROLE", "attached", "items", "outside_code", "person"]

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


def items(value: object) -> Iterator[Mapping[str, object]]:
    """Yields the objects of a list in JSON; nothing if it is not a list."""
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def attached(
    attachments: object,
    text_of: Callable[[str], str],
    otherwise: Callable[[Mapping[str, object]], str] = lambda _: "",
) -> str:
    """Returns the words of attachments as Slack invented them: pretext, title, text and fields, one below the other.

    Args:
        attachments: The list in JSON.
        text_of: Reads the platform's markup.
        otherwise: Reads an attachment without any of them.
    """
    lines: list[str] = []
    for one in items(attachments):
        said = [one.get("pretext"), one.get("title"), one.get("text")]
        for row in items(one.get("fields")):
            said += [row.get("title"), row.get("value")]
        words = [text_of(part) for part in said if isinstance(part, str) and part.strip()]
        words = words or [otherwise(one)]
        if not any(words) and isinstance(fallback := one.get("fallback"), str):
            words = [text_of(fallback)]
        lines += filter(None, words)
    return "\n".join(lines)
