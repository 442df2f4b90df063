"""Finds pairs with similar questions, by the words that they share."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from math import log, sqrt
from typing import Final

__all__ = ["SharedWords"]

_WORD: Final = re.compile(r"\w{2,}|\d")
_COMMON: Final = 500  # a word of more texts than this says little, and would make the search slow
_LEAST: Final = 0.3  # share below which texts have nothing to do with each other


class SharedWords:
    """Compares texts by their words; a word counts the more, the fewer texts have it.

    Args:
        texts: The texts, each with its key.
    """

    def __init__(self, texts: Iterable[tuple[str, str]]) -> None:
        self._words = {key: frozenset(_WORD.findall(text.casefold())) for key, text in texts}
        self._with: dict[str, list[str]] = defaultdict(list)
        for key, words in self._words.items():
            for word in words:
                self._with[word].append(key)
        self._weight = {word: log(1 + len(self._words) / len(keys)) for word, keys in self._with.items()}
        self._length = {
            key: sqrt(sum(self._weight[word] ** 2 for word in words)) for key, words in self._words.items()
        }

    def like(self, key: str, most: int) -> list[tuple[str, float]]:
        """Returns the keys of the most similar texts, the most similar first, each with the cosine of the angle.

        Args:
            key: Key of a text.
            most: How many to return at most.
        """
        shared: dict[str, float] = defaultdict(float)
        for word in self._words[key]:
            if len(self._with[word]) <= _COMMON:
                for other in self._with[word]:
                    shared[other] += self._weight[word] ** 2
        shared.pop(key, None)
        own = self._length[key]
        found = ((other, amount / (own * self._length[other])) for other, amount in shared.items())
        near = [(other, share) for other, share in found if share >= _LEAST]
        return sorted(near, key=lambda item: (-item[1], item[0]))[:most]
