"""Trains the linker's network in numpy, and turns its weights into whole numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from attrs import frozen
from linker_examples import Examples
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from furytune.pairing.linking.model import FINE
from furytune.pairing.linking.network import CEILING, EXACT, Network

Array = NDArray[Any]

_SHIFTS = (6, 7)
_UNIT = 64
"""What a hidden unit's 1.0 is as a whole number."""
SCORE = 1 << 14
"""What a score's 1.0 is as a whole number."""
STEP = 256
_IMPOSSIBLE = -1e9
_MOST = CEILING / _UNIT


@frozen
class Settings:
    """How to train a network."""

    first: int
    second: int
    epochs: int = 5
    batch: int = 128
    rate: float = 6e-3
    decay: float = 1e-4
    seed: int = 0


class FloatNetwork:
    """The network in floating point; its parameters are named as in `Network`.

    Args:
        of_message: Largest size of each feature of a message.
        of_pair: Largest size of each feature of a pair.
        settings: How to train it.
    """

    def __init__(self, of_message: Array, of_pair: Array, settings: Settings) -> None:
        random = np.random.default_rng(settings.seed)

        def normal(*shape: int, scale: float) -> Array:
            return (random.standard_normal(shape) * scale).astype(np.float32)

        scale = (len(of_message) / 4 + len(of_pair) / 2) ** -0.5
        first, second = settings.first, settings.second
        self.values: dict[str, Array] = {
            "child": normal(len(of_message), first, scale=scale),
            "parent": normal(len(of_message), first, scale=scale),
            "pair": normal(len(of_pair), first, scale=scale),
            "bias": np.full(first, 0.1, np.float32),
            "start": normal(first, scale=0.3),
            "second": normal(first, second, scale=(2 / first) ** 0.5),
            "second_bias": np.full(second, 0.1, np.float32),
            "last": normal(second, 1, scale=second**-0.5),
            "start_bias": np.zeros(1, np.float32),
        }
        self.sizes = of_message, of_pair
        # Logarithms reach 63; the network sees them up to 4.
        self._of_message = np.where(of_message > 1, 1 / 16, 1).astype(np.float32)
        self._of_pair = np.where(of_pair > 1, 1 / 16, 1).astype(np.float32)

    def scores(self, examples: Examples, which: Array) -> tuple[Array, Any]:
        """Returns scores, and what `gradient` needs."""
        v = self.values
        parents = examples.parents[which]
        rows, place = np.unique(parents, return_inverse=True)
        place = place.reshape(parents.shape)
        below = examples.messages[examples.child[which]].astype(np.float32) * self._of_message
        above = examples.messages[rows].astype(np.float32) * self._of_message
        count, choices = parents.shape
        pairs = examples.pairs[which].reshape(count * choices, -1).astype(np.float32) * self._of_pair
        first = (pairs @ v["pair"]).reshape(count, choices, -1)
        first += (above @ v["parent"])[place]
        first[:, 0] += v["start"]
        first += (below @ v["child"] + v["bias"])[:, None]
        first = first.reshape(count * choices, -1)
        hidden = np.clip(first, 0, _MOST)
        second = hidden @ v["second"] + v["second_bias"]
        hidden2 = np.clip(second, 0, _MOST)
        result = (hidden2 @ v["last"]).reshape(count, choices)
        result[:, 0] += v["start_bias"][0]
        result[:, 1:][parents[:, 1:] < 0] = _IMPOSSIBLE
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
        of_first = (of_second @ v["second"].T) * ((first > 0) & (first < _MOST))
        of_child = of_first.reshape(count, choices, -1).sum(1)
        gather = csr_matrix(
            (np.ones(place.size, np.float32), (place.ravel(), np.arange(place.size))),
            shape=(len(above), place.size),
        )
        return {
            "child": below.T @ of_child,
            "parent": above.T @ (gather @ of_first),
            "pair": pairs.T @ of_first,
            "bias": of_child.sum(0),
            "start": of_first.reshape(count, choices, -1)[:, 0].sum(0),
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
    sizes: tuple[Array, Array],
    settings: Settings,
    told: Callable[[int, float], None] = lambda _epoch, _loss: None,
    shares: Array | None = None,
) -> FloatNetwork:
    """Trains by Adam on the likelihood of the right choices.

    Args:
        examples: All examples.
        which: Those to train on.
        weights: How much each counts.
        sizes: Largest size of each feature of a message, and of a pair.
        settings: How to train.
        told: Called after each epoch with the mean loss.
        shares: How likely networks that have not seen an example say its choices are. They count as much as the
            label, because people often disagree on it.
    """
    network = FloatNetwork(*sizes, settings)
    # What never occurs in training must not count by chance later.
    seen = examples.messages.any(0)[:, None]
    network.values["child"] *= seen
    network.values["parent"] *= seen
    network.values["pair"] *= examples.pairs.any((0, 1))[:, None]
    random = np.random.default_rng(settings.seed)
    mean = {name: np.zeros_like(value) for name, value in network.values.items()}
    square = {name: np.zeros_like(value) for name, value in network.values.items()}
    which = which[examples.right[which].any(1)]
    # Neighbours share their earlier messages, so 16 in a row go into the same batch.
    runs = np.split(which, np.arange(16, len(which), 16))
    last = settings.epochs * -(-len(which) // settings.batch)
    step = 0
    for epoch in range(settings.epochs):
        order = np.concatenate([runs[k] for k in random.permutation(len(runs))])
        loss = 0.0
        for begin in range(0, len(order), settings.batch):
            batch = order[begin : begin + settings.batch]
            scores, kept = network.scores(examples, batch)
            likely = softmax(scores)
            right = likely * examples.right[batch]
            sums = np.maximum(right.sum(1, keepdims=True), 1e-12)
            weight = weights[batch, None]
            loss -= float((np.log(sums) * weight).sum())
            wanted = right / sums if shares is None else (right / sums + shares[batch]) / 2
            slopes = network.gradient(((likely - wanted) * weight / len(batch)).astype(np.float32), kept)
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


def whole(network: FloatNetwork) -> Network:
    """Returns the network in whole numbers.

    Raises:
        ValueError: A sum could exceed what single precision holds exactly.
    """
    v = {name: value.astype(np.float64) for name, value in network.values.items()}
    message, pair = network.sizes
    unit = _UNIT << _SHIFTS[0]
    by_second = 1 << _SHIFTS[1]
    by_last = SCORE // _UNIT
    wholes = {
        "child": v["child"] * np.where(message > 1, unit / 16, unit)[:, None],
        "parent": v["parent"] * np.where(message > 1, unit / 16, unit)[:, None],
        "pair": (v["pair"] * np.where(pair > 1, unit / 16, unit)[:, None]).T,
        "bias": v["bias"] * unit,
        "start": v["start"] * unit,
        "second": (v["second"] * by_second).T,
        "second_bias": v["second_bias"] * _UNIT * by_second,
        "last": v["last"][:, 0] * by_last,
    }
    result = Network(
        **{name: np.ascontiguousarray(np.rint(value).astype(np.float32)) for name, value in wholes.items()},
        start_bias=int(np.rint(v["start_bias"][0] * SCORE)),
        shifts=_SHIFTS,
    )
    if (largest := result.largest(message, pair)) >= EXACT:
        raise ValueError(
            f"a sum can reach {largest}, and only those below {EXACT} are exact; train with more decay"
        )
    return result


def likelihoods(temperature: float) -> Array:
    """Returns how likely what scores below the best is, for each `STEP` between them."""
    found: Array = np.rint(FINE * np.exp(-np.arange(1024) * STEP / SCORE / temperature)).astype(np.int64)
    return found
