"""Turns the wording of a text into places of a fixed table, so that a model can weigh words in any language."""

from __future__ import annotations

import re
from itertools import pairwise
from zlib import crc32

__all__ = ["SIZE", "places"]

SIZE = 1 << 13
"""How many places the table has. Words that share a place share a weight."""

_LONGEST = 2_000  # characters; what someone wants is said before
_LEFT_OUT = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|https?://\S+|<@!?\d+>", re.DOTALL)
_TOKEN = re.compile(r"[^\W\d_]+|[?!]")


def places(text: str) -> list[int]:
    """Returns the places of the words and pairs of neighbouring words of a text, each once.

    Code, links and mentions count as one placeholder each.
    """
    words = _TOKEN.findall(_LEFT_OUT.sub(" x ", text[: 4 * _LONGEST])[:_LONGEST].casefold())
    found = dict.fromkeys(word.encode() for word in words)
    found |= dict.fromkeys(f"{one} {two}".encode() for one, two in pairwise(words))
    return [crc32(item) % SIZE for item in found]
