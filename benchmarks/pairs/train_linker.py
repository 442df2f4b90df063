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
from linker_examples import Examples, examples_of, rarity_of, training_streams
from linker_training import Settings, all_scores, softmax, train, whole
from numpy.typing import NDArray
from sources import data_folder

import furytune.pairing.linking
from furytune.pairing.linking.network import WEIGHTS, Network
from furytune.pairing.linking.pairs import MESSAGE_FEATURES, PAIR_FEATURES

Array = NDArray[Any]

_OUT = Path(furytune.pairing.linking.__file__).parent / "linker.npz"
_FOLDS = 3
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


def held_out(examples: Examples, settings: Settings) -> Array:
    """Returns scores of every example by a network that saw nothing of its file."""
    fold = np.array([crc32(name.encode()) % _FOLDS for name in examples.files])[examples.streams]
    scores = np.empty(examples.right.shape, np.float32)
    weights = weights_of(examples)
    for k in range(_FOLDS):
        network = train(examples, np.flatnonzero(fold != k), weights, settings)
        scores[fold == k] = all_scores(network, examples, np.flatnonzero(fold == k))
        print(f"  fold {k} done", flush=True)
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


def write(network: Network, about: dict[str, Any], out: Path) -> None:
    stored = {name: getattr(network, name).astype(np.int32) for name in WEIGHTS}
    settings = {
        "message_features": MESSAGE_FEATURES,
        "pair_features": PAIR_FEATURES,
        "width": network.width,
        "start_bias": network.start_bias,
        "shifts": network.shifts,
        "step": network.step,
    }
    np.savez_compressed(
        out,
        settings=np.array(json.dumps(settings)),
        likelihood=network.likelihood.astype(np.int32),
        rarity=network.rarity,
        **stored,
    )
    out.with_suffix(".json").write_text(json.dumps(about, indent=2) + "\n", "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="the data folder, instead of FURYTUNE_DATA")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=_OUT)
    wanted = parser.parse_args()
    settings = Settings(seed=wanted.seed)
    streams = list(training_streams(wanted.data or data_folder()))
    rarity = rarity_of(streams)
    examples = examples_of(streams, settings.width, rarity)
    print(f"{len(examples)} examples in {len(examples.files)} files; checking on files left out", flush=True)
    scores = held_out(examples, settings)
    temperature = temperature_of(scores, examples)
    about = {
        "sources": _SOURCES,
        "examples": {str(k): int((examples.kinds == k).sum()) for k in np.unique(examples.kinds)},
        "settings": attrs.asdict(settings),
        "right_on_files_left_out": shares(scores, examples),
        "temperature": temperature,
    }
    print(json.dumps(about, indent=2), flush=True)
    network = train(
        examples,
        np.arange(len(examples)),
        weights_of(examples),
        settings,
        lambda epoch, loss: print(f"  epoch {epoch}: loss {loss:.4f}", flush=True),
    )
    write(whole(network, settings, temperature, rarity), about, wanted.out)


if __name__ == "__main__":
    main()
