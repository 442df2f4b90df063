"""Reads which words a text uses, so that a model can weigh them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from zlib import crc32

import msgspec

__all__ = ["WITHOUT_WEIGHTS", "Vocabulary", "Wording", "words"]

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


class Vocabulary(dict[str, tuple[int, float]]):
    """The key and the weight of each word, made when first asked for and forgotten all at once when there are too many.

    Very long words are made each time, so that the memory stays small.

    Args:
        weights: The weight of words by their keys. Any other word weighs nothing.
    """

    _MOST = 50_000
    _LONGEST = 40

    def __init__(self, weights: Mapping[int, float]) -> None:
        super().__init__()
        self.weights = weights

    def __missing__(self, word: str) -> tuple[int, float]:
        if len(self) >= self._MOST:
            self.clear()
        key = crc32(word.encode())
        found = key, self.weights.get(key, 0.0)
        if len(word) <= self._LONGEST:
            self[word] = found
        return found


WITHOUT_WEIGHTS = Vocabulary({})
"""For reading words alone."""


class Wording(msgspec.Struct, frozen=True, gc=False):
    """The wording of a text.

    Attributes:
        text: The text.
        keys: The key of each of its words, each once, in the order of the text; and what that word weighs.
        length: How many characters were read.
        vocabulary: What says so.
    """

    text: str
    keys: Mapping[int, float]
    length: int
    vocabulary: Vocabulary

    @classmethod
    def of(cls, text: str, vocabulary: Vocabulary = WITHOUT_WEIGHTS) -> Wording:
        """Reads a text."""
        plain = _plain(text)
        return cls(text, dict(map(vocabulary.__getitem__, _words(plain))), len(plain), vocabulary)

    def then(self, other: Wording) -> Wording:
        """Returns the wording of two texts that a line break joins."""
        text = f"{self.text}\n{other.text}"
        length = self.length + 1 + other.length
        # A fence may stretch over the line break, and a text that is too long is cut.
        if length > _LONGEST or len(text) > 4 * _LONGEST or _FENCE in text:
            return Wording.of(text, self.vocabulary)
        return Wording(text, {**self.keys, **other.keys}, length, self.vocabulary)
