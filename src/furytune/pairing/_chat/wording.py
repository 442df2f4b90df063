"""Turns the wording of a text into places of a fixed table, so that a model can weigh words in any language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from zlib import crc32

import msgspec

__all__ = ["SIZE", "Wording", "places"]

SIZE = 1 << 13
"""How many places the table has. Words that share a place share a weight."""

_LONGEST = 2_000  # characters; what someone wants is said before
_FENCE = "```"
_LEFT_OUT = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|https?://\S+|<@!?\d+>", re.DOTALL)
_TOKEN = re.compile(r"[^\W\d_]+|[?!]")


def places(text: str) -> list[int]:
    """Returns the places of the words and pairs of neighbouring words of a text, each once.

    Code, links and mentions count as one placeholder each.
    """
    return list(Wording.of(text).places.values())


class Wording(msgspec.Struct, frozen=True, gc=False):
    """The wording of a text.

    Attributes:
        text: The text.
        places: Its words and pairs of neighbouring words, and their places.
        length: How many characters were read.
        first: Its first word, "" if it has none.
        last: Its last word.
    """

    text: str
    places: Mapping[str, int]
    length: int
    first: str
    last: str

    @classmethod
    def of(cls, text: str) -> Wording:
        """Reads a text."""
        plain = _LEFT_OUT.sub(" x ", text[: 4 * _LONGEST])[:_LONGEST]
        words = _TOKEN.findall(plain.casefold())
        # A word has no blank in it, so a pair is never mistaken for a word.
        items = dict.fromkeys(words)
        items |= dict.fromkeys(map(" ".join, pairwise(words)))
        found = {item: crc32(item.encode()) % SIZE for item in items}
        return cls(text, found, len(plain), words[0] if words else "", words[-1] if words else "")

    def then(self, other: Wording) -> Wording:
        """Returns the wording of two texts that a line break joins."""
        text = f"{self.text}\n{other.text}"
        length = self.length + 1 + other.length
        # A fence may stretch over the line break, and a text that is too long is cut.
        if length > _LONGEST or len(text) > 4 * _LONGEST or _FENCE in text:
            return Wording.of(text)
        found = {**self.places, **other.places}
        if self.last and other.first:
            pair = f"{self.last} {other.first}"
            found[pair] = crc32(pair.encode()) % SIZE
        return Wording(text, found, length, self.first or other.first, other.last or self.last)
