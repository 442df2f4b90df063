"""Turns chat with gold links into arrays that the linker's network is trained on, by the code that the linker runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray
from score_links import gold_of, post_of
from sources import Stream, discord, forum, gitter, irc

from furytune.pairing.linking.history import History
from furytune.pairing.linking.lexicon import HASH_BITS, Lexicon, words_of
from furytune.pairing.linking.messages import Reader
from furytune.pairing.linking.pairs import describe

Array = NDArray[Any]

RARITY_BITS = 16
_FREQUENT = 250
"""A word in more than one of so many messages tells nothing about what a message is about."""


@frozen(eq=False)
class Examples:
    """Labelled messages.

    Attributes:
        messages: Features of every message of every stream; the last row, of zeros, stands for a missing one.
        child: Row of each labelled message.
        parents: Rows of those before it, nearest first; -1 before the first message.
        pairs: Features of the pairs: example x distance x feature.
        right: True for right choices: example x (start, then by distance).
        kinds: What kind of stream each is from.
        streams: Number of the stream that each is from.
        files: File of each stream.
    """

    messages: Array
    child: Array
    parents: Array
    pairs: Array
    right: Array
    kinds: Array
    streams: Array
    files: list[str] = field(repr=False)

    def __len__(self) -> int:
        return len(self.child)


def training_streams(root: Path) -> Iterator[Stream]:
    """Yields what may be trained on; IRC dev and channel-two.test are kept for measuring."""
    yield from irc(root, "train")
    yield from irc(root, "channel-two.dev")
    yield from discord(root)
    yield from forum(root)
    yield from gitter(root)


def rarity_of(streams: Iterable[Stream]) -> Array:
    """Returns how rare words are: 15 times the binary logarithm of messages per message with the word, at most 255."""
    lexicon = Lexicon()
    found = np.zeros(1 << RARITY_BITS, np.int64)
    count = 0
    for stream in streams:
        for row in stream.rows:
            if not row.system:
                count += 1
                hashes = {
                    lexicon[word] & ((1 << HASH_BITS) - 1) for word in words_of(row.text[:2000].lower())
                } - {0}
                for bucket in {value & ((1 << RARITY_BITS) - 1) for value in hashes}:
                    found[bucket] += 1
    rarity = np.round(15 * np.log2(count / np.maximum(found, 1))).clip(0, 255)
    return np.where(found * _FREQUENT > count, 0, rarity).astype(np.uint8)


def examples_of(streams: Iterable[Stream], width: int, rarity: Array) -> Examples:
    messages: list[Array] = []
    parts: list[tuple[Array, Array, Array, Array]] = []
    kinds: list[str] = []
    numbers: list[int] = []
    files: list[str] = []
    offset = 0
    for stream in streams:
        gold = gold_of(stream)
        reader, history = Reader(), History(width)
        rows, entries, counts = [], [], []
        place: dict[int, int] = {}
        for i, row in enumerate(stream.rows):
            if not row.system:
                place[i] = len(rows)
                found, words = reader.row(post_of(row), "")
                rows.append(found)
                entries += words
                counts.append(len(words))
        if not rows:
            continue
        of_messages, of_pairs = describe(history.block(rows, entries, counts), width, rarity)
        messages.append(of_messages[width:].astype(np.int8))
        labelled = np.array([place[i] for i in sorted(gold) if i in place], int)
        right = np.zeros((len(labelled), width + 1), bool)
        for k, i in enumerate(i for i in sorted(gold) if i in place):
            for parent in gold[i]:
                distance = place[i] - place.get(parent, -width - 1)
                if distance <= width:
                    right[k, distance] = True
        before = labelled[:, None] - np.arange(1, width + 1)
        parts.append(
            (
                labelled + offset,
                np.where(before >= 0, before + offset, -1),
                of_pairs[:, labelled].transpose(1, 2, 0).astype(np.int8),
                right,
            )
        )
        kinds += [stream.kind] * len(labelled)
        numbers += [len(files)] * len(labelled)
        files.append(stream.file)
        offset += len(rows)
    messages.append(np.zeros((1, messages[0].shape[1]), np.int8))
    child, parents, pairs, right = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Examples(
        np.concatenate(messages), child, parents, pairs, right, np.array(kinds), np.array(numbers), files
    )
