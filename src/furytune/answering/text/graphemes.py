"""Where a text can be cut without taking a character apart that people see as one."""

from __future__ import annotations

import unicodedata

__all__ = ["blank", "whole_before"]

_INVISIBLE = frozenset("\u2800\u3164\u115f\u1160\uffa0\u034f\u17b4\u17b5")
"""Characters that show nothing and are neither spaces nor format characters."""
_JOINER = "\u200d"


def blank(char: str) -> bool:
    """Returns whether a character shows nothing. Chat programs refuse messages that contain nothing else."""
    return char.isspace() or char in _INVISIBLE or unicodedata.category(char) in {"Cc", "Cf", "Zs"}


def whole_before(text: str, at: int) -> bool:
    """Returns whether a text can be cut at a position: an approximation of Unicode's grapheme clusters (UAX 29)."""
    if at <= 0 or at >= len(text):
        return True
    before, after = text[at - 1], text[at]
    if before < "\u0300" and after < "\u0300":
        return not (before == "\r" and after == "\n")
    if _JOINER in {before, after} or _extends(after):
        return False
    if "\ud800" <= before <= "\udbff" and "\udc00" <= after <= "\udfff":
        return False  # two halves of a character, as careless programs write them
    if _flag(before) and _flag(after):
        return _flags_before(text, at) % 2 == 0
    # Scripts that stack letters: Hangul syllables of single letters, and consonants joined by a virama.
    return not (_hangul(before) and _jamo(after)) and unicodedata.combining(before) != 9


def _extends(char: str) -> bool:
    return (
        unicodedata.category(char) in {"Mn", "Me", "Mc"}
        or "\U0001f3fb" <= char <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= char <= "\U000e007f"  # tags, as in the flags of Scotland and Wales
        or char in "\u200c\uff9e\uff9f\u0e33\u0eb3"
    )


def _flag(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _flags_before(text: str, at: int) -> int:
    # Two letters make a flag, so the parity decides; a row of more than 200 is not a text of flags.
    count = 0
    while count < 200 and at - count > 0 and _flag(text[at - 1 - count]):
        count += 1
    return count


def _hangul(char: str) -> bool:
    return "\u1100" <= char <= "\u11ff" or "\uac00" <= char <= "\ud7ff" or "\ua960" <= char <= "\ua97f"


def _jamo(char: str) -> bool:
    return "\u1100" <= char <= "\u11ff" or "\ud7b0" <= char <= "\ud7ff" or "\ua960" <= char <= "\ua97f"
