"""Recognises a text in a message that shows it, such as an answer between a greeting and its sources."""

from __future__ import annotations

import hashlib
import re
from typing import Final

__all__ = ["shown_part", "wording"]

_MARKUP: Final = re.compile(r"<[@#:/a-z][^<>\n]{0,100}>")
_FENCES: Final = ("```", "~~~")
_LINES: Final = 150  # of a message; Discord's longest has 4,000 characters


def wording(text: str) -> str:
    """Returns a digest of the letters and digits of a text, without mentions, whose form depends on the place; "" without any."""
    plain = _plain(text)
    return hashlib.sha256(plain).hexdigest() if plain else ""


def _plain(text: str) -> bytes:
    return "".join(filter(str.isalnum, _MARKUP.sub("", text).casefold())).encode("utf-8", "surrogatepass")


def shown_part(text: str, digest: str) -> str | None:
    """Returns the lines of a message whose wording has a digest; None if there are none.

    Args:
        text: The message.
        digest: What `wording` returned; "" takes the whole message.
    """
    if not digest or wording(text) == digest:
        return text
    lines = text.split("\n")[:_LINES]
    plain = [_plain(line) for line in lines]
    for first in range(len(lines)):
        if not plain[first]:
            continue
        so_far = hashlib.sha256()
        for last in range(first, len(lines)):
            so_far.update(plain[last])
            if plain[last] and so_far.hexdigest() == digest:
                return "\n".join(lines[_opened(lines, first) : _closed(lines, last) + 1])
    return None


def _opened(lines: list[str], first: int) -> int:
    """Returns the line of a fence above a line, which has no letter; or the line itself."""
    return first - 1 if first and lines[first - 1].strip() in _FENCES else first


def _closed(lines: list[str], last: int) -> int:
    return last + 1 if last + 1 < len(lines) and lines[last + 1].strip() in _FENCES else last
