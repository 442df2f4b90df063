"""The network that scores parents, in whole numbers, so that it says the same on any machine.

Every product and every sum is a whole number below 2**24, and single precision holds those exactly. So the order in which
a library adds them cannot change a score.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from attrs import frozen
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from furytune.pairing.linking.pairs import MESSAGE_FEATURES, PAIR_FEATURES, tops

__all__ = ["CEILING", "EXACT", "FINE", "WEIGHTS", "Network", "shipped"]

EXACT = 1 << 24
"""Whole numbers up to here are exact in single precision."""

CEILING = 1023
"""What a hidden unit gives at most."""

FINE = 1 << 16
"""Likelihoods are compared as shares of this."""

_FILE = "linker.npz"

WEIGHTS = ("child", "parent", "pair", "bias", "start", "second", "second_bias", "last")
"""The attributes of a `Network` that are its weights."""


@frozen(eq=False)
class Network:
    """Weights of the network, and what it needs to read messages.

    A pair's score comes from the features of the later message, of the earlier one and of both together. "Starts a
    conversation" is scored the same way, with ``start`` instead of an earlier message.

    Attributes:
        width: How many messages back a parent may be.
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
        likelihood: By how much the best score exceeds another: how likely that is, of `FINE`; falls to 0.
        step: Difference of scores between two entries of ``likelihood``.
        rarity: How rare words are, by the low bits of their hash.
    """

    width: int
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
    likelihood: NDArray[Any]
    step: int
    rarity: NDArray[Any]

    def scores(self, messages: NDArray[Any], pairs: NDArray[Any]) -> NDArray[Any]:
        """Returns the scores of some messages: of a start, then of each earlier message from the nearest.

        Args:
            messages: Features of the messages and of the ``width`` before them.
            pairs: Features of the pairs: features x messages x distance.
        """
        width = self.width
        new = len(messages) - width
        units = len(self.bias)
        below = messages[width:] @ self.child + self.bias
        above = np.ascontiguousarray((messages[:-1] @ self.parent).T)
        first = np.empty((units, new, width + 1), np.float32)
        first[:, :, 0] = self.start[:, None]
        first[:, :, 1:] = (self.pair @ pairs.reshape(len(pairs), -1)).reshape(units, new, width)
        first[:, :, 1:] += sliding_window_view(above, width, axis=1)[:, :, ::-1]
        first += below.T[:, :, None]
        hidden = _shifted(first.reshape(units, -1), self.shifts[0])
        second = self.second @ hidden
        second += self.second_bias[:, None]
        hidden = _shifted(second, self.shifts[1])
        result: NDArray[Any] = (self.last @ hidden).reshape(new, width + 1)
        result[:, 0] += self.start_bias
        return result

    def largest(self) -> int:
        """Returns the largest number that can occur in a sum; it must be below `EXACT`."""
        of_message, of_pair = tops()
        first = np.abs(self.bias) + of_message @ (np.abs(self.child) + np.abs(self.parent))
        first += np.maximum(np.abs(self.pair) @ of_pair, np.abs(self.start))
        second = np.abs(self.second_bias) + CEILING * np.abs(self.second).sum(1)
        last = CEILING * np.abs(self.last).sum() + abs(self.start_bias)
        return int(max(first.max(), second.max(), last))


def _shifted(sums: NDArray[Any], bits: int) -> NDArray[Any]:
    np.clip(sums, 0, (CEILING << bits) + (1 << bits) - 1, out=sums)
    sums *= np.float32(2.0**-bits)
    whole: NDArray[Any] = np.floor(sums, out=sums)
    return whole


@cache
def shipped() -> Network:
    """Returns the network that comes with the package."""
    with (files("furytune.pairing.linking") / _FILE).open("rb") as file, np.load(file) as stored:
        settings = json.loads(str(stored["settings"]))
        if settings["message_features"] != list(MESSAGE_FEATURES) or settings["pair_features"] != list(
            PAIR_FEATURES
        ):
            raise AssertionError(
                "linker.npz was trained on other features; run benchmarks/pairs/train_linker.py"
            )
        weights = {name: stored[name].astype(np.float32) for name in WEIGHTS}
        return Network(
            width=settings["width"],
            start_bias=settings["start_bias"],
            shifts=tuple(settings["shifts"]),
            step=settings["step"],
            likelihood=stored["likelihood"].astype(np.int64),
            rarity=stored["rarity"],
            **weights,
        )
