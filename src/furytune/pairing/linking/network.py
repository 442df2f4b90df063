"""A small network in whole numbers, so that it says the same on any machine.

Every product and every sum is a whole number below 2**24, and single precision holds those exactly. So the order in which
a library adds them cannot change a score.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

__all__ = ["CEILING", "EXACT", "WEIGHTS", "Network"]

EXACT = 1 << 24
"""Whole numbers up to here are exact in single precision."""

CEILING = 1023
"""What a hidden unit gives at most."""

WEIGHTS = ("child", "parent", "pair", "bias", "start", "second", "second_bias", "last")
"""The attributes of a `Network` that are arrays."""

_PART = 2048
"""How many choices are scored at once."""


@frozen(eq=False)
class Network:
    """Scores choices: to start a conversation, or to answer one of some earlier messages.

    A score comes from the features of the later message, of the earlier one and of both together. "Starts a conversation"
    is scored the same way, with ``start`` instead of an earlier message.

    Attributes:
        child: Weights of the later message's features: features x units.
        parent: Weights of the earlier message's features.
        pair: Weights of the features of both: units x features.
        bias: Of the first layer.
        start: Stands for the earlier message if there is none.
        second: Weights of the second layer: units x units of the first layer.
        second_bias: Its bias.
        last: Weights of the output.
        start_bias: Added to the score of a start.
        shifts: By how many bits the results of the first and the second layer are shifted down.
    """

    child: NDArray[Any]
    parent: NDArray[Any]
    pair: NDArray[Any]
    bias: NDArray[Any]
    start: NDArray[Any]
    second: NDArray[Any]
    second_bias: NDArray[Any]
    last: NDArray[Any]
    start_bias: int
    shifts: tuple[int, int]

    def parents(self, messages: NDArray[Any]) -> NDArray[Any]:
        """Returns what messages add to the first layer as parents: units x messages."""
        return np.ascontiguousarray((messages @ self.parent).T)

    def scores(self, messages: NDArray[Any], parents: NDArray[Any], pairs: NDArray[Any]) -> NDArray[Any]:
        """Returns scores: message x choice, a start first.

        Args:
            messages: Features of the messages.
            parents: What each choice but the start adds to the first layer: units x messages x choices.
            pairs: Features of the choices: features x messages x choices, a start first.
        """
        below = (messages @ self.child + self.bias).T
        # In parts that fit into a processor's cache.
        step = max(1, _PART // pairs.shape[2])
        parts = (slice(k, k + step) for k in range(0, len(messages), step))
        return np.concatenate([self._part(below[:, p], parents[:, p], pairs[:, p]) for p in parts])

    def _part(self, below: NDArray[Any], parents: NDArray[Any], pairs: NDArray[Any]) -> NDArray[Any]:
        _, count, choices = pairs.shape
        first = (self.pair @ pairs.reshape(len(pairs), -1).astype(np.float32, copy=False)).reshape(
            -1, count, choices
        )
        first[:, :, 0] += self.start[:, None]
        first[:, :, 1:] += parents
        first += below[:, :, None]
        hidden = _shifted(first.reshape(len(first), -1), self.shifts[0])
        second = self.second @ hidden
        second += self.second_bias[:, None]
        hidden = _shifted(second, self.shifts[1])
        result: NDArray[Any] = (self.last @ hidden).reshape(count, choices)
        result[:, 0] += self.start_bias
        return result

    def largest(self, of_message: NDArray[Any], of_pair: NDArray[Any]) -> int:
        """Returns the largest number that a sum can reach; it must be below `EXACT`.

        Args:
            of_message: The largest size of each feature of a message.
            of_pair: That of each feature of a pair.
        """
        first = np.abs(self.bias) + of_message @ (np.abs(self.child) + np.abs(self.parent))
        first += np.abs(self.pair) @ of_pair + np.abs(self.start)
        second = np.abs(self.second_bias) + CEILING * np.abs(self.second).sum(1)
        last = CEILING * np.abs(self.last).sum() + abs(self.start_bias)
        return int(max(first.max(), second.max(), last))


def _shifted(sums: NDArray[Any], bits: int) -> NDArray[Any]:
    np.clip(sums, 0, (CEILING << bits) + (1 << bits) - 1, out=sums)
    sums *= np.float32(2.0**-bits)
    whole: NDArray[Any] = np.floor(sums, out=sums)
    return whole
