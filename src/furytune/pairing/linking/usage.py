"""Says how alike two messages are by how their words are used, also where they share none."""

from __future__ import annotations

from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from furytune.pairing.linking.lexicon import HASH_BITS

__all__ = ["LENGTH", "Usage"]

LENGTH = 127
"""How long the vector of a message is at most, so that single precision holds the product of two exactly. Also what a
word's number is at most: a message with few telling words has a shorter vector."""


@frozen(eq=False)
class Usage:
    """Vectors of words, learned from chat: those of a message and of its answer point the same way.

    Attributes:
        hashes: The words' hashes, ascending.
        values: One row of small whole numbers for each word.
    """

    hashes: NDArray[Any]
    values: NDArray[Any]

    def of(self, entries: NDArray[Any], counts: NDArray[Any]) -> NDArray[Any]:
        """Returns whole numbers for each message: messages x dimensions. Without a known word, they are 0.

        Args:
            entries: Entries of the words of all messages, one message after the other.
            counts: How many words each message has.
        """
        hashes = entries & ((1 << HASH_BITS) - 1)
        place = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        known = self.hashes[place] == hashes
        result = np.zeros((len(counts), self.values.shape[1]))
        message = np.repeat(np.arange(len(counts)), counts)[known]
        if len(message):
            starts = np.flatnonzero(np.diff(message, prepend=-1))
            result[message[starts]] = np.add.reduceat(self.values[place[known]], starts)
        # The sums are whole numbers, and roots and quotients are rounded the same way on any machine.
        result *= LENGTH / np.sqrt((result * result).sum(1) + LENGTH**2)[:, None]
        found: NDArray[Any] = np.rint(result).astype(np.float32)
        return found
