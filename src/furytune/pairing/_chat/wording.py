"""Reads which words a text uses, so that a model can weigh them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import repeat
from types import MappingProxyType
from zlib import crc32

import msgspec

__all__ = ["Wording", "words"]

_LONGEST = 2_000  # characters; what someone wants is said before
_FENCE = "```"
_LEFT_OUT = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|https?://\S+|<@!?\d+>", re.DOTALL)
_TOKEN = re.compile(r"[^\W\d_]+|[?!]")


def words(text: str) -> list[str]:
    """Returns the words of a text, in order. Code, links and mentions count as the word "x" each."""
    return _words(_plain(text))


def _plain(text: str) -> str:
    text = text[: 4 * _LONGEST]
    if "`" in text or "://" in text or "<@" in text:
        text = _LEFT_OUT.sub(" x ", text)
    return text[:_LONGEST]


def _words(plain: str) -> list[str]:
    return _TOKEN.findall(plain.casefold())


_NOTHING_KNOWN: Mapping[int, float] = MappingProxyType({})


class Wording(msgspec.Struct, frozen=True, gc=False):
    """The wording of a text.

    Attributes:
        text: The text.
        keys: The key of each of its words, each once, in the order of the text; and what that word weighs.
        length: How many characters were read.
        known: What words weigh, by key. Any other word weighs nothing.
    """

    text: str
    keys: Mapping[int, float]
    length: int
    known: Mapping[int, float]

    @classmethod
    def of(cls, text: str, known: Mapping[int, float] = _NOTHING_KNOWN) -> Wording:
        """Reads a text."""
        plain = _plain(text)
        keys = list(map(crc32, map(str.encode, _words(plain))))
        return cls(text, dict(zip(keys, map(known.get, keys, repeat(0.0)), strict=True)), len(plain), known)

    def then(self, other: Wording) -> Wording:
        """Returns the wording of two texts that a line break joins."""
        text = f"{self.text}\n{other.text}"
        length = self.length + 1 + other.length
        # A fence may stretch over the line break, and a text that is too long is cut.
        if length > _LONGEST or len(text) > 4 * _LONGEST or _FENCE in text:
            return Wording.of(text, self.known)
        return Wording(text, {**self.keys, **other.keys}, length, self.known)
