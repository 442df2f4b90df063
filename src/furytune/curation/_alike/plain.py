"""Removes what does not change a text: case, mentions, white space, outer punctuation."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["plain"]

_MENTION: Final = re.compile(r"<(?:@[!&]?|#)\d+>")
_OUTER: Final = " .,;:!?\u2026"


def plain(text: str) -> str:
    """Returns a text in Unicode form NFKC without mentions, case-folded, with single spaces, stripped of ``.,;:!?``.

    If nothing is left, it is returned unchanged.
    """
    # The same question to other people is the same question.
    left = _MENTION.sub(" ", unicodedata.normalize("NFKC", text)).casefold()
    # A question of punctuation alone would otherwise equal every other one.
    return " ".join(left.split()).strip(_OUTER) or text
