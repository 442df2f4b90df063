"""Turns the wording of a text into places of a fixed table, so that a model can weigh words in any language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from zlib import crc32

import msgspec

__all__ = ["SIZE", "Wording", "places"]

SIZE = 1 << 13
"""How many places the table has, a power of two. Words that share a place share a weight."""

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
        places: The places of its words and pairs of neighbouring words, by their hash.
        length: How many characters were read.
        first: Its first word, b"" if it has none.
        last: Hash of its last word.
    """

    text: str
    places: Mapping[int, int]
    length: int
    first: bytes
    last: int

    @classmethod
    def of(cls, text: str) -> Wording:
        """Reads a text."""
        plain = _LEFT_OUT.sub(" x ", text[: 4 * _LONGEST])[:_LONGEST]
        words = list(map(str.encode, _TOKEN.findall(plain.casefold())))
        hashes = list(map(crc32, words))
        # A checksum goes on where another ended: this is that of both words with a blank between them.
        pairs = map(crc32, map(b" ".__add__, words[1:]), hashes)
        found = dict.fromkeys((*hashes, *pairs))
        return cls(
            text,
            dict(zip(found, map((SIZE - 1).__and__, found), strict=True)),
            len(plain),
            words[0] if words else b"",
            hashes[-1] if words else 0,
        )

    def then(self, other: Wording) -> Wording:
        """Returns the wording of two texts that a line break joins."""
        text = f"{self.text}\n{other.text}"
        length = self.length + 1 + other.length
        # A fence may stretch over the line break, and a text that is too long is cut.
        if length > _LONGEST or len(text) > 4 * _LONGEST or _FENCE in text:
            return Wording.of(text)
        if not (self.first and other.first):
            return Wording(
                text, self.places or other.places, length, self.first or other.first, self.last or other.last
            )
        pair = crc32(b" " + other.first, self.last)
        return Wording(
            text, {**self.places, **other.places, pair: pair % SIZE}, length, self.first, other.last
        )
