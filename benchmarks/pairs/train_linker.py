"""Trains the linker: reads the chat data, checks on sources left out, writes the weights into the package.

Usage: FURYTUNE_DATA=folder python benchmarks/pairs/train_linker.py [--data folder] [--seed 0] [--out file]

Needs the extra "train". The same data, seed and versions give the same weights on the same machine.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any
from zlib import crc32

import attrs
import numpy as np
from linker_examples import Examples, examples_of, first_look, rarity_of, second_look, training_streams
from linker_training import STEP, FloatNetwork, Settings, all_scores, likelihoods, softmax, train, whole
from linker_usage import SureLinks, chats_of, learned
from numpy.typing import NDArray
from sources import data_folder

import furytune.pairing.linking
from furytune.pairing.linking.model import FEATURES, Model, sizes
from furytune.pairing.linking.network import WEIGHTS
from furytune.pairing.linking.usage import Usage

Array = NDArray[Any]

_OUT = Path(furytune.pairing.linking.__file__).parent / "linker.npz"
_FOLDS = 3
_WIDTH = 40
_KEPT = 8
_SOURCES = (
    {
        "name": "IRC disentanglement: train, channel-two.dev",
        "from": "github.com/jkkummerfeld/irc-disentanglement",
        "licence": "CC BY 4.0",
    },
    {
        "name": "PyScript Discord, native replies",
        "from": "github.com/pyscript/discord-dump",
        "licence": "MIT",
    },
    {
        "name": "MeshCore Discord forum, native replies",
        "from": "github.com/MrAlders0n/meshcore-discord-archive",
        "licence": "MIT",
    },
    {"name": "Gitter dialogues", "from": "github.com/LiveChat2021/LiveChat", "licence": "MIT"},
)
_COUNTS = {"irc": 1.0, "discord": 2.0, "forum": 2.0, "gitter": 0.5}
"""How much an example counts: the few Discord replies more than IRC, the weak labels of Gitter less."""


def weights_of(examples: Examples) -> Array:
    return np.array([_COUNTS[kind] for kind in examples.kinds], np.float32)


def fold_of(file: str) -> int:
    return crc32(file.encode()) % _FOLDS


def folds(examples: Examples, pair: Array, settings: Settings) -> tuple[list[FloatNetwork], Array]:
    """Trains one network for each fold of files on the other folds.

    Returns:
        The networks, and the scores of every example by the one that saw nothing of its file.
    """
    fold = np.array([fold_of(name) for name in examples.files])[examples.streams]
    scores = np.empty(examples.right.shape, np.float32)
    networks = []
    for k in range(_FOLDS):
        network = train(
            examples, np.flatnonzero(fold != k), weights_of(examples), (sizes("message"), pair), settings
        )
        scores[fold == k] = all_scores(network, examples, np.flatnonzero(fold == k))
        networks.append(network)
    return networks, scores


def half_of(file: str) -> int:
    return crc32(b"half" + file.encode()) % 2


def taught(examples: Examples, pair: Array, settings: Settings) -> Array:
    """Returns the scores of every example by a network that saw nothing of its file, and whose teachers did not either.

    Each network learns from labels and from what two teachers say, each of them of the files that it has not seen.
    """
    of_pair = sizes("message"), pair
    fold, half = (
        np.array([part(name) for name in examples.files])[examples.streams] for part in (fold_of, half_of)
    )
    weights = weights_of(examples)
    scores = np.empty(examples.right.shape, np.float32)
    for k in range(_FOLDS):
        shares = np.zeros(examples.right.shape, np.float32)
        for h in (0, 1):
            teacher = train(examples, np.flatnonzero((fold != k) & (half != h)), weights, of_pair, settings)
            told_of = np.flatnonzero((fold != k) & (half == h))
            shares[told_of] = softmax(all_scores(teacher, examples, told_of))
        network = train(examples, np.flatnonzero(fold != k), weights, of_pair, settings, shares=shares)
        scores[fold == k] = all_scores(network, examples, np.flatnonzero(fold == k))
    return scores


def likelihood(scores: Array, examples: Examples, temperature: float) -> float:
    """Returns the mean log likelihood of the right choices; those out of reach are left out."""
    given = examples.right.any(1)
    likely = (softmax(scores / temperature) * examples.right).sum(1)[given]
    return float(np.average(np.log(np.maximum(likely, 1e-12)), weights=weights_of(examples)[given]))


def temperature_of(scores: Array, examples: Examples) -> float:
    tried = np.round(np.arange(0.7, 2.01, 0.05), 2)
    return float(max(tried, key=lambda value: likelihood(scores, examples, value)))


def shares(scores: Array, examples: Examples) -> dict[str, float]:
    """Returns how often the choice is right, by kind of stream."""
    right = examples.right[np.arange(len(examples)), scores.argmax(1)]
    return {
        str(kind): round(float(right[examples.kinds == kind].mean()), 4) for kind in np.unique(examples.kinds)
    }


def write(model: Model, about: dict[str, Any], out: Path) -> None:
    networks = {"near": model.near, "fine": model.fine}
    settings = {
        "features": FEATURES,
        "width": model.width,
        "kept": model.kept,
        "step": model.step,
        **{name: {"start_bias": n.start_bias, "shifts": n.shifts} for name, n in networks.items()},
    }
    np.savez_compressed(
        out,
        settings=np.array(json.dumps(settings)),
        likelihood=model.likelihood.astype(np.int32),
        rarity=model.rarity,
        usage_hashes=model.usage.hashes.astype(np.uint32),
        usage_values=model.usage.values.astype(np.int8),
        **{f"{name}_{w}": getattr(n, w).astype(np.int32) for name, n in networks.items() for w in WEIGHTS},
    )
    out.with_suffix(".json").write_text(json.dumps(about, indent=2) + "\n", "utf-8")


def told(epoch: int, loss: float) -> None:
    print(f"  epoch {epoch}: loss {loss:.4f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="the data folder, instead of FURYTUNE_DATA")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=_OUT)
    wanted = parser.parse_args()
    near = Settings(first=24, second=12, epochs=8, seed=wanted.seed)
    fine = Settings(first=64, second=32, seed=wanted.seed)
    streams = list(training_streams(wanted.data or data_folder()))
    rarity = rarity_of(streams)
    message, pair = sizes("message"), sizes("pair")
    pair_and_thread = np.concatenate((pair, sizes("thread")))

    print("first look", flush=True)
    examples = examples_of(streams, first_look(_WIDTH, rarity))
    networks, scores = folds(examples, pair, near)
    about: dict[str, Any] = {
        "sources": _SOURCES,
        "examples": {str(k): int((examples.kinds == k).sum()) for k in np.unique(examples.kinds)},
        "settings": {"near": attrs.asdict(near), "fine": attrs.asdict(fine)},
        "first_look_right_on_files_left_out": shares(scores, examples),
    }
    print(json.dumps(about), flush=True)
    network = train(examples, np.arange(len(examples)), weights_of(examples), (message, pair), near, told)

    # The second network must learn from first looks as wrong as those at an unknown channel.
    def model(first: FloatNetwork, usage: Usage | None) -> Model:
        return Model(_WIDTH, _KEPT, whole(first), None, likelihoods(1.0), STEP, rarity, usage)

    print("words", flush=True)
    models = [model(first, None) for first in networks]
    links = SureLinks.of(streams, lambda file: models[fold_of(file)], wanted.seed)
    chats = chats_of(streams)
    usages = [learned(chats, links, lambda file, k=k: fold_of(file) != k, wanted.seed) for k in range(_FOLDS)]
    usage = learned(chats, links, lambda _: True, wanted.seed)
    about["words"] = {"known": len(usage.hashes), "learned_from_links": len(links.child)}

    print("second look", flush=True)
    models = [model(first, usage) for first, usage in zip(networks, usages, strict=True)]
    examples = examples_of(streams, second_look(lambda file: models[fold_of(file)]))
    scores = taught(examples, pair_and_thread, fine)
    about["right_on_files_left_out"] = shares(scores, examples)
    about["temperature"] = temperature = temperature_of(scores, examples)
    print(json.dumps(about), flush=True)
    second = train(
        examples,
        np.arange(len(examples)),
        weights_of(examples),
        (message, pair_and_thread),
        fine,
        told,
        # Those networks are now the teachers.
        softmax(scores / temperature),
    )
    write(
        attrs.evolve(model(network, usage), fine=whole(second), likelihood=likelihoods(temperature)),
        about,
        wanted.out,
    )


if __name__ == "__main__":
    main()
