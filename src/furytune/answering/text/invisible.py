"""Characters that show nothing, or that make others appear where they are not."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["INVISIBLE", "visible"]

INVISIBLE = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202f"
    "\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff"
    "\U0001d173-\U0001d17a"
)
"""Controls, zero width, bidirectional overrides, fillers, variation selectors and tags, for a class of a pattern."""

_ODD = re.compile(f"[{INVISIBLE}\ud800-\udfff]")
_NARROW = "\u202f"
_LINES = "\u2028\u2029"


def visible(text: str, before: str = "", after: str = "") -> str:
    """Returns a text without characters that show nothing.

    What joins emoji, or letters of scripts that need it, stays. A lone surrogate becomes U+FFFD.

    Args:
        text: The text.
        before: The character before it.
        after: The character after it.
    """
    if text.isascii() and text.isprintable():
        return text
    out: list[str] = []
    at = 0
    last = before
    for match in _ODD.finditer(text):
        if match.start() > at:
            out.append(text[at : match.start()])
            last = text[match.start() - 1]
        at = match.end()
        if shown := _shown(match[0], last, text[at : at + 1] or after):
            out.append(shown)
            last = shown
    out.append(text[at:])
    return "".join(out)


def _shown(char: str, left: str, right: str) -> str:
    if "\ud800" <= char <= "\udfff":
        return "\ufffd"
    if char in _LINES or char == _NARROW:
        return " "
    return char if _needed(char, left, right) else ""


def _needed(char: str, left: str, right: str) -> bool:
    if char == "\ufe0f":
        return left in _KEYCAPS or _symbol(left)
    if char == "\u200d" and (_symbol(left) or left == "\ufe0f" or "\U0001f3fb" <= left <= "\U0001f3ff"):
        return _symbol(right)
    return char in "\u200c\u200d" and _joins(left) and _joins(right)


_KEYCAPS = frozenset("0123456789#*")


def _symbol(char: str) -> bool:
    return bool(char) and char > "\u00a8" and unicodedata.category(char) in {"So", "Sk", "Sm"}


def _joins(char: str) -> bool:
    """Returns whether a character belongs to a script in which letters change beside each other."""
    return "\u0600" <= char <= "\u1cff" and unicodedata.category(char) in {"Lo", "Mn", "Mc"}
