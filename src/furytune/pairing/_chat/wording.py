"""Reads which words a text uses, so that a model can weigh them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from zlib import crc32

import msgspec

__all__ = ["WITHOUT_WEIGHTS", "Vocabulary", "Weights", "Wording", "words"]

_LONGEST = 2_000  # characters; what someone wants is said before
_FENCE = "```"
_LEFT_OUT = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|https?://\S+|<@!?\d+>", re.DOTALL)
_TOKEN = re.compile(r"[^\W\d_]+|[?!]")
_ASCII_TOKEN = re.compile(r"[a-z]+|[?!]")  # finds the same in ASCII, and sooner


Weights = tuple[float, ...]
"""What a word weighs, once for each use of it."""


def words(text: str) -> list[str]:
    """Returns the words of a text, in order. Code, links and mentions count as the word "x" each."""
    return _words(_plain(text))


def _plain(text: str) -> str:
    text = text[: 4 * _LONGEST]
    if "`" in text or "://" in text or "<@" in text:
        text = _LEFT_OUT.sub(" x ", text)
    return text[:_LONGEST]


def _words(plain: str) -> list[str]:
    folded = plain.casefold()
    return (_ASCII_TOKEN if folded.isascii() else _TOKEN).findall(folded)


def _is_open(text: str) -> bool:
    """Returns True if a fence begins in a text and does not end there."""
    if _FENCE not in text:
        return False
    fences = (found for found in _LEFT_OUT.findall(text[: 4 * _LONGEST]) if found.startswith(_FENCE))
    return any(len(fence) < 2 * len(_FENCE) or not fence.endswith(_FENCE) for fence in fences)


class Vocabulary(dict[str, tuple[int, Weights]]):
    """The key and the weights of each word, made when first asked for and forgotten all at once when there are too many.

    Very long words are made each time, so that the memory stays small.

    Args:
        weights: The weights of words by their keys.
        unknown: Those of all other words.
    """

    _MOST = 50_000
    _LONGEST = 40

    def __init__(self, weights: Mapping[int, Weights], unknown: Weights) -> None:
        super().__init__()
        self.unknown = unknown
        self._weights = weights

    def __missing__(self, word: str) -> tuple[int, Weights]:
        if len(self) >= self._MOST:
            self.clear()
        key = crc32(word.encode())
        found = key, self._weights.get(key, self.unknown)
        if len(word) <= self._LONGEST:
            self[word] = found
        return found

    def read(self, plain: str) -> dict[int, Weights]:
        """Returns the weights of the words of a text by key, each once, in the order of the text."""
        return dict(map(self.__getitem__, _words(plain)))


WITHOUT_WEIGHTS = Vocabulary({}, ())
"""For reading words alone."""


class Wording(msgspec.Struct, frozen=True, gc=False):
    """The wording of a text.

    Attributes:
        text: The text.
        plain: What is read of it: without code, links and mentions, and cut.
        keys: The key of each of its words, each once, in the order of the text; and what that word weighs.
        is_open: True if what follows would belong to its code.
        vocabulary: What words weigh.
    """

    text: str
    plain: str
    keys: Mapping[int, Weights]
    is_open: bool
    vocabulary: Vocabulary

    @classmethod
    def of(cls, text: str, vocabulary: Vocabulary = WITHOUT_WEIGHTS) -> Wording:
        """Reads a text."""
        plain = _plain(text)
        return cls(text, plain, vocabulary.read(plain), _is_open(text), vocabulary)

    def then(self, other: Wording) -> Wording:
        """Returns the wording of two texts that a line break joins."""
        text = f"{self.text}\n{other.text}"
        if self.is_open or len(text) > 4 * _LONGEST:
            return Wording.of(text, self.vocabulary)
        plain = f"{self.plain}\n{other.plain}"
        keys = other.keys
        if len(plain) > _LONGEST:
            plain = plain[:_LONGEST]
            keys = self.vocabulary.read(plain[len(self.plain) :])
        return Wording(text, plain, {**self.keys, **keys}, other.is_open, self.vocabulary)
