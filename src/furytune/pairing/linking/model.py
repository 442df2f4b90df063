"""The two networks of the linker and how they choose: a first look at all earlier messages, a second at the likeliest."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from attrs import frozen
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from furytune.pairing.linking.network import EXACT, WEIGHTS, Network
from furytune.pairing.linking.pairs import (
    MESSAGE_FEATURES,
    NUMBERS_OF_MESSAGES,
    NUMBERS_OF_PAIRS,
    PAIR_FEATURES,
    TOP,
    Block,
    describe,
)
from furytune.pairing.linking.threads import NUMBERS_OF_THREADS, THREAD_FEATURES, describe_threads
from furytune.pairing.linking.usage import Usage

__all__ = ["FEATURES", "FINE", "FirstLook", "Model", "shipped", "sizes"]

FINE = 1 << 16
"""Likelihoods are shares of this."""

FEATURES = {"message": MESSAGE_FEATURES, "pair": PAIR_FEATURES, "thread": THREAD_FEATURES}
"""What the networks were trained on, in order."""

_FILE = "linker.npz"
_ASKS = [MESSAGE_FEATURES.index(name) for name in ("mark", "first_ask", "first_ask_verb", "has_anyone")]
_EIGHTH = 2048
"""A difference of scores by which something is exp(1/8) times as likely."""


def sizes(name: str) -> NDArray[Any]:
    """Returns the largest size of each feature of "message", "pair" or "thread"."""
    numbers = {"message": NUMBERS_OF_MESSAGES, "pair": NUMBERS_OF_PAIRS, "thread": NUMBERS_OF_THREADS}
    result = np.ones(len(FEATURES[name]))
    # The first are logarithms, the others 0 or 1.
    result[: numbers[name]] = TOP
    return result


@frozen(eq=False)
class FirstLook:
    """What the first network says of some messages.

    Attributes:
        messages: Features of the messages to link and of those before them.
        pairs: Features of all pairs.
        scores: By message and distance, a start first.
        existing: False for distances beyond the first message.
        best: The distance of the best parent, 0 for a start.
    """

    messages: NDArray[Any]
    pairs: NDArray[Any]
    scores: NDArray[Any]
    existing: NDArray[Any]
    best: NDArray[Any]


@frozen(eq=False)
class Model:
    """The networks and their settings.

    Attributes:
        width: How many messages back a parent may be.
        kept: How many parents the second look compares.
        near: The network of the first look.
        fine: The network of the second look.
        likelihood: By how many ``step`` the best score exceeds another: how likely that is, of `FINE`; falls to 0.
        step: Difference of scores between two entries of ``likelihood``.
        rarity: How rare words are, by the low bits of their hash.
        usage: How words are used.
    """

    width: int
    kept: int
    near: Network
    fine: Network
    likelihood: NDArray[Any]
    step: int
    rarity: NDArray[Any]
    usage: Usage

    def first_look(self, block: Block) -> FirstLook:
        """Returns what the first network says of a block."""
        width = self.width
        messages, pairs = describe(block, width, self.rarity)
        above = sliding_window_view(self.near.parents(messages[:-1]), width, axis=1)[:, :, ::-1]
        scores = self.near.scores(messages[width:], above, pairs)
        # Early messages have fewer than `width` before them.
        place = np.arange(len(scores))[:, None] + (block.first + 2 * width)
        existing = place >= np.arange(width + 1)
        scores[~existing] = -EXACT
        return FirstLook(messages, pairs, scores, existing, _best(scores))

    def likeliest(self, look: FirstLook) -> NDArray[Any]:
        """Returns the distances to look at again: a start, then the best parents from the best on."""
        # A tie goes to the nearest.
        keys = look.scores[:, 1:].astype(np.int64) * -128 + np.arange(self.width)
        top = np.argpartition(keys, self.kept - 1, axis=1)[:, : self.kept]
        order = np.argsort(np.take_along_axis(keys, top, 1), axis=1)
        chosen = np.zeros((len(keys), self.kept + 1), np.int64)
        chosen[:, 1:] = np.take_along_axis(top, order, 1) + 1
        return chosen

    def second_features(
        self, block: Block, look: FirstLook, chosen: NDArray[Any], parents: NDArray[Any], roots: NDArray[Any]
    ) -> NDArray[Any]:
        """Returns the features of the pairs of the second look: features x messages x choices."""
        rows = np.arange(len(chosen))[:, None]
        scores = look.scores[rows, chosen].astype(np.int64)
        below = scores.max(1, keepdims=True) - scores
        likely = self.likelihood[np.minimum(below // self.step, len(self.likelihood) - 1)]
        likely = likely * look.existing[rows, chosen]
        share = likely * TOP // likely.sum(1, keepdims=True)
        asks = np.zeros(len(block.rows), np.bool_)
        asks[self.width :] = look.messages[:, _ASKS].any(1)
        usage = self.usage.of(block.entries, block.counts)
        threads = describe_threads(
            block, parents, roots, chosen, below // _EIGHTH, share, usage, asks, self.width
        )
        places = (rows * (self.width + 1) + chosen).ravel()
        pairs = np.take(look.pairs.reshape(len(look.pairs), -1), places, axis=1)
        return np.concatenate((pairs.reshape(-1, *chosen.shape), threads))

    def second_look(
        self, look: FirstLook, chosen: NDArray[Any], features: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Returns by message the distance of the parent, how likely it is, and how likely a start is."""
        width = self.width
        rows = np.arange(len(chosen))[:, None]
        above = self.fine.parents(look.messages)[:, rows + width - chosen[:, 1:]]
        scores = self.fine.scores(look.messages[width:], above, features)
        existing = look.existing[rows, chosen]
        scores[~existing] = -EXACT
        best = _best(scores)
        place = rows[:, 0]
        behind = (scores[place, best][:, None] - scores).astype(np.int64) // self.step
        likely = self.likelihood[np.minimum(behind, len(self.likelihood) - 1)] * existing
        total = likely.sum(1)
        return (
            chosen[place, best],
            np.round(likely[place, best] / total, 4),
            np.round(likely[:, 0] / total, 4),
        )


def _best(scores: NDArray[Any]) -> NDArray[Any]:
    """Returns the best choice: on a tie, a parent before a start, and the first of the parents."""
    best: NDArray[Any] = np.argmax(scores[:, 1:], axis=1) + 1
    best[scores[:, 0] > scores[np.arange(len(scores)), best]] = 0
    return best


@cache
def shipped() -> Model:
    """Returns the model that comes with the package.

    Raises:
        AssertionError: It was trained on other features.
    """
    with (files("furytune.pairing.linking") / _FILE).open("rb") as file, np.load(file) as stored:
        settings = json.loads(str(stored["settings"]))
        if settings["features"] != {name: list(features) for name, features in FEATURES.items()}:
            raise AssertionError(
                "linker.npz was trained on other features; run benchmarks/pairs/train_linker.py"
            )
        networks = {
            name: Network(
                **{weight: stored[f"{name}_{weight}"].astype(np.float32) for weight in WEIGHTS},
                start_bias=settings[name]["start_bias"],
                shifts=tuple(settings[name]["shifts"]),
            )
            for name in ("near", "fine")
        }
        return Model(
            width=settings["width"],
            kept=settings["kept"],
            step=settings["step"],
            likelihood=stored["likelihood"].astype(np.int64),
            rarity=stored["rarity"],
            usage=Usage(stored["usage_hashes"].astype(np.int64), stored["usage_values"].astype(np.float32)),
            **networks,
        )
