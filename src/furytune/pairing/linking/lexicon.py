"""Turns words into whole numbers: a hash for comparing them, and the classes of word that tell how a message is meant."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from zlib import crc32

__all__ = ["CLASSES", "EDGES", "HASH_BITS", "USUAL", "Lexicon", "bare", "lexicon", "words_of"]

_WORD = re.compile(r"[^\s,:;?!()<>\"=/*]+")
_DENSE = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+")
EDGES = "`'.~-\u2019\u201c\u201d\u3002\uff0c\uff01\uff1f\u3001"
"""Punctuation around a word that does not count when words are compared."""

HASH_BITS = 32
"""How many of the low bits of an entry are the word's hash; its classes are above them."""

CLASSES = (
    "ask",
    "ask_verb",
    "anyone",
    "help",
    "greeting",
    "thanks",
    "yes",
    "no",
    "ack",
    "laugh",
    "back",
    "i",
    "you",
    "more",
    "try",
    "if",
    "sorry",
    "work",
    "digit",
)
"""Classes of words, from the lowest bit. ``words.txt`` has the most frequent words of each, in several languages; words
with a digit are those of "digit"."""


USUAL = (1 << CLASSES.index("digit")) - 1 << HASH_BITS
"""Bits of an entry that tell that a word is a usual one, and so hardly a name."""


@cache
def _classes() -> dict[str, int]:
    found: dict[str, int] = {}
    text = (files("furytune.pairing.linking") / "words.txt").read_text("utf-8")
    for line in text.splitlines():
        name, _, words = line.partition(": ")
        for word in words.split():
            found[word] = found.get(word, 0) | 1 << CLASSES.index(name)
    return found


class Lexicon(dict[str, int]):
    """Entries by word, made when first asked for and forgotten all at once when there are too many.

    An entry holds the word's hash in its low bits and its classes above them. The hash of a word too short to compare is 0.
    Very long words are made each time, so that the memory stays small.
    """

    _MOST = 50_000
    _LONGEST = 40

    def __init__(self) -> None:
        super().__init__()
        self._classes = _classes()

    def __missing__(self, word: str) -> int:
        if len(self) >= self._MOST:
            self.clear()
        plain = word.strip(EDGES)
        entry = self._classes.get(word, 0) | self._classes.get(plain, 0)
        if any(map(str.isdigit, word)):
            entry |= 1 << CLASSES.index("digit")
        entry = entry << HASH_BITS | (crc32(plain.encode("utf-8", "replace")) if len(plain) > 1 else 0)
        if len(word) <= self._LONGEST:
            self[word] = entry
        return entry


@cache
def lexicon() -> Lexicon:
    """Returns the entries that all channels share: most channels are short, and people use the same words in all."""
    return Lexicon()


def words_of(low: str) -> list[str]:
    """Returns the words of a text in lower case. Scripts that write no spaces are cut into pairs of characters."""
    words = _WORD.findall(low.replace(". ", " ").rstrip(" ."))
    if low.isascii() or not _DENSE.search(low):
        return words
    cut: list[str] = []
    for word in words:
        if _DENSE.search(word):
            cut += [word[i : i + 2] for i in range(max(1, len(word) - 1))]
        else:
            cut.append(word)
    return cut


def bare(name: str) -> str:
    """Returns a name as it is compared: in lower case, without punctuation around it."""
    return name.lower().strip(EDGES + " @,:;")
