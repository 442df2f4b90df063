"""Trains the linker's network in numpy, and turns its weights into whole numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from attrs import frozen
from linker_examples import Examples
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from furytune.pairing.linking.network import CEILING, EXACT, FINE, Network
from furytune.pairing.linking.pairs import tops

Array = NDArray[Any]

_SHIFTS = (6, 7)
_UNIT = 64
"""What a hidden unit's 1.0 is as a whole number."""
_STEP = 256
_IMPOSSIBLE = -1e9
_MOST = CEILING / _UNIT


@frozen
class Settings:
    """How to train."""

    width: int = 40
    first: int = 48
    second: int = 16
    epochs: int = 3
    batch: int = 128
    rate: float = 3e-3
    decay: float = 1e-4
    seed: int = 0


class FloatNetwork:
    """The network in floating point; its parameters are named as in `Network`."""

    def __init__(self, of_message: int, of_pair: int, settings: Settings) -> None:
        random = np.random.default_rng(settings.seed)

        def normal(*shape: int, scale: float) -> Array:
            return (random.standard_normal(shape) * scale).astype(np.float32)

        scale = (of_message / 4 + of_pair / 2) ** -0.5
        first, second = settings.first, settings.second
        self.values: dict[str, Array] = {
            "child": normal(of_message, first, scale=scale),
            "parent": normal(of_message, first, scale=scale),
            "pair": normal(of_pair, first, scale=scale),
            "bias": np.full(first, 0.1, np.float32),
            "start": normal(first, scale=0.3),
            "second": normal(first, second, scale=(2 / first) ** 0.5),
            "second_bias": np.full(second, 0.1, np.float32),
            "last": normal(second, 1, scale=second**-0.5),
            "start_bias": np.zeros(1, np.float32),
        }
        message, pair = tops()
        # Logarithms reach 63; the network sees them up to 4.
        self._of_message = np.where(message > 1, 1 / 16, 1).astype(np.float32)
        self._of_pair = np.where(pair > 1, 1 / 16, 1).astype(np.float32)

    def scores(self, examples: Examples, which: Array) -> tuple[Array, Any]:
        """Returns scores, and what `gradient` needs."""
        v = self.values
        parents = examples.parents[which]
        rows, place = np.unique(parents, return_inverse=True)
        place = place.reshape(parents.shape)
        below = examples.messages[examples.child[which]].astype(np.float32) * self._of_message
        above = examples.messages[rows].astype(np.float32) * self._of_message
        count, width = parents.shape
        pairs = examples.pairs[which].reshape(count * width, -1).astype(np.float32) * self._of_pair
        first = np.empty((count, width + 1, len(v["bias"])), np.float32)
        first[:, 1:] = (pairs @ v["pair"]).reshape(count, width, -1)
        first[:, 1:] += (above @ v["parent"])[place]
        first[:, 0] = v["start"]
        first += (below @ v["child"] + v["bias"])[:, None]
        first = first.reshape(count * (width + 1), -1)
        hidden = np.clip(first, 0, _MOST)
        second = hidden @ v["second"] + v["second_bias"]
        hidden2 = np.clip(second, 0, _MOST)
        result = (hidden2 @ v["last"]).reshape(count, width + 1)
        result[:, 0] += v["start_bias"][0]
        result[:, 1:][parents < 0] = _IMPOSSIBLE
        return result, (below, above, place, pairs, first, hidden, second, hidden2)

    def gradient(self, wanted: Array, kept: Any) -> dict[str, Array]:
        """Returns the gradient of each parameter.

        Args:
            wanted: Gradient of the scores.
            kept: What `scores` returned.
        """
        v = self.values
        below, above, place, pairs, first, hidden, second, hidden2 = kept
        count, choices = wanted.shape
        flat = wanted.reshape(-1, 1)
        of_second = (flat @ v["last"].T) * ((second > 0) & (second < _MOST))
        of_first = ((of_second @ v["second"].T) * ((first > 0) & (first < _MOST))).reshape(count, choices, -1)
        of_child = of_first.sum(1)
        of_pair = np.ascontiguousarray(of_first[:, 1:]).reshape(count * (choices - 1), -1)
        size = place.size
        gather = csr_matrix(
            (np.ones(size, np.float32), (place.ravel(), np.arange(size))), shape=(len(above), size)
        )
        return {
            "child": below.T @ of_child,
            "parent": above.T @ (gather @ of_pair),
            "pair": pairs.T @ of_pair,
            "bias": of_child.sum(0),
            "start": of_first[:, 0].sum(0),
            "second": hidden.T @ of_second,
            "second_bias": of_second.sum(0),
            "last": hidden2.T @ flat,
            "start_bias": wanted[:, :1].sum(0),
        }


def softmax(scores: Array) -> Array:
    likely = np.exp(scores - scores.max(1, keepdims=True))
    result: Array = likely / likely.sum(1, keepdims=True)
    return result


def train(
    examples: Examples,
    which: Array,
    weights: Array,
    settings: Settings,
    told: Callable[[int, float], None] = lambda _epoch, _loss: None,
) -> FloatNetwork:
    """Trains by Adam on the likelihood of the right choices.

    Args:
        examples: All examples.
        which: Those to train on.
        weights: How much each counts.
        settings: How to train.
        told: Called after each epoch with the mean loss.
    """
    network = FloatNetwork(examples.messages.shape[1], examples.pairs.shape[2], settings)
    random = np.random.default_rng(settings.seed)
    mean = {name: np.zeros_like(value) for name, value in network.values.items()}
    square = {name: np.zeros_like(value) for name, value in network.values.items()}
    which = which[examples.right[which].any(1)]
    # Neighbours share their earlier messages, so 16 in a row go into the same batch.
    runs = np.split(which, np.arange(16, len(which), 16))
    # Of Discord replies it is known that they start nothing, of other messages there it is not; so "start" is left out.
    replies = np.isin(examples.kinds, ("discord", "forum"))
    last = settings.epochs * -(-len(which) // settings.batch)
    step = 0
    for epoch in range(settings.epochs):
        order = np.concatenate([runs[k] for k in random.permutation(len(runs))])
        loss = 0.0
        for begin in range(0, len(order), settings.batch):
            batch = order[begin : begin + settings.batch]
            scores, kept = network.scores(examples, batch)
            scores[replies[batch], 0] = _IMPOSSIBLE
            likely = softmax(scores)
            right = likely * examples.right[batch]
            sums = np.maximum(right.sum(1, keepdims=True), 1e-12)
            weight = weights[batch, None]
            loss -= float((np.log(sums) * weight).sum())
            slopes = network.gradient(
                ((likely - right / sums) * weight / len(batch)).astype(np.float32), kept
            )
            step += 1
            rate = settings.rate * min(1, step / 200) * (1 + np.cos(np.pi * step / last)) / 2
            for name, slope in slopes.items():
                value = network.values[name]
                mean[name] += 0.1 * (slope - mean[name])
                square[name] += 0.002 * (slope**2 - square[name])
                move = mean[name] / (1 - 0.9**step) / (np.sqrt(square[name] / (1 - 0.998**step)) + 1e-8)
                value -= (rate * (move + settings.decay * value)).astype(np.float32)
        told(epoch, loss / len(order))
    return network


def all_scores(network: FloatNetwork, examples: Examples, which: Array) -> Array:
    return np.concatenate(
        [network.scores(examples, which[k : k + 512])[0] for k in range(0, len(which), 512)]
    )


def whole(network: FloatNetwork, settings: Settings, temperature: float, rarity: Array) -> Network:
    """Returns the network in whole numbers.

    Raises:
        ValueError: A sum could exceed what single precision holds exactly.
    """
    v = {name: value.astype(np.float64) for name, value in network.values.items()}
    message, pair = tops()
    unit = _UNIT << _SHIFTS[0]
    of_message = np.where(message > 1, unit / 16, unit)[:, None]
    of_pair = np.where(pair > 1, unit / 16, unit)[:, None]
    by_second = 1 << _SHIFTS[1]
    by_last = 256
    score = _UNIT * by_last
    differences = np.arange(1024) * _STEP / score
    result = Network(
        width=settings.width,
        child=np.rint(v["child"] * of_message).astype(np.float32),
        parent=np.rint(v["parent"] * of_message).astype(np.float32),
        pair=np.ascontiguousarray(np.rint(v["pair"] * of_pair).T.astype(np.float32)),
        bias=np.rint(v["bias"] * unit).astype(np.float32),
        start=np.rint(v["start"] * unit).astype(np.float32),
        second=np.ascontiguousarray(np.rint(v["second"] * by_second).T.astype(np.float32)),
        second_bias=np.rint(v["second_bias"] * _UNIT * by_second).astype(np.float32),
        last=np.rint(v["last"][:, 0] * by_last).astype(np.float32),
        start_bias=int(np.rint(v["start_bias"][0] * score)),
        shifts=_SHIFTS,
        likelihood=np.rint(FINE * np.exp(-differences / temperature)).astype(np.int64),
        step=_STEP,
        rarity=rarity,
    )
    if result.largest() >= EXACT:
        raise ValueError(
            f"a sum can reach {result.largest()}, and only those below {EXACT} are exact; train with more decay"
        )
    return result
