"""Learns without labels how words are used, for the linker: those of a message and those of its answer become alike.

Words begin as `word_vectors` describes them. Where names and times say clearly who answers whom, the vectors are moved, so
that they tell the message that was answered from others nearby. So they also tell where there are no names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from attrs import frozen
from linker_examples import training_posts
from linker_training import SCORE, softmax
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sources import Stream
from word_vectors import Chats

from furytune.pairing.linking.channel import Channel
from furytune.pairing.linking.lexicon import EDGES, HASH_BITS, bare, words_of
from furytune.pairing.linking.model import Model
from furytune.pairing.linking.usage import LENGTH, Usage

Array = NDArray[Any]

_SURE = 0.8
"""A link is learned from if the first look says that it is right with this likelihood."""
_OTHERS = 15
"""With how many other messages the right one is compared."""
_EPOCHS = 2
_BATCH = 512
_RATE = 2e-3
_LOOSE = 0.02
"""How strongly words are held where they begin."""


@frozen(eq=False)
class SureLinks:
    """All messages of some streams, and the links between them that the first look is sure of.

    Attributes:
        files: File of each stream.
        streams: Number of the stream of each message.
        entries: Entries of the words of each message.
        child: The later message of each link.
        choices: What it is compared with: link x message, the right one first; -1 for none.
        logits: How likely each is by its distance and speaker alone, as a logarithm.
    """

    files: list[str]
    streams: Array
    entries: list[Array]
    child: Array
    choices: Array
    logits: Array

    @classmethod
    def of(cls, streams: list[Stream], model_of: Callable[[str], Model], seed: int) -> SureLinks:
        """Looks at streams.

        Args:
            streams: The streams; a file that comes twice is read once.
            model_of: By file, a model whose first network has not seen it.
            seed: For choosing what a link is compared with.
        """
        read = list({stream.file: stream for stream in reversed(streams)}.values())[::-1]
        numbers: list[Array] = []
        entries: list[Array] = []
        parents: list[Array] = []
        sure: list[Array] = []
        speakers: list[Array] = []
        firsts: list[Array] = []
        offset = 0
        files: list[str] = []
        for stream in read:
            posts = training_posts(stream)
            if not posts:
                continue
            model = model_of(stream.file)
            block = Channel(model).block(posts, [""] * len(posts))
            look = model.first_look(block)
            new = np.arange(len(posts))
            likely = softmax(look.scores.astype(float) / SCORE)[new, look.best]
            ends = np.cumsum(block.counts)
            old = len(block.counts) - len(posts)
            entries += np.split(block.entries, ends[:-1])[old:]
            speakers.append(block.column["speaker"][old:])
            parents.append(new - look.best + offset)
            sure.append((likely > _SURE) & (look.best > 0))
            firsts.append(np.full(len(posts), offset))
            numbers.append(np.full(len(posts), len(files)))
            files.append(stream.file)
            offset += len(posts)
            width = model.width
        parent, first, speaker = (np.concatenate(part) for part in (parents, firsts, speakers))
        child = np.flatnonzero(np.concatenate(sure))
        random = np.random.default_rng(seed)
        others = child[:, None] - random.integers(1, width + 1, (len(child), _OTHERS))
        others[(others < first[child][:, None]) | (others == parent[child][:, None])] = -1
        choices = np.concatenate((parent[child][:, None], others), 1)
        near = np.minimum(5, np.log2(np.maximum(child[:, None] - choices, 1)).astype(int))
        kind = near * 2 + (speaker[child][:, None] == speaker[choices])
        right = np.bincount(kind[:, 0], minlength=12) + 5
        wrong = np.bincount(kind[:, 1:][choices[:, 1:] >= 0], minlength=12) + 5
        logits = np.where(choices < 0, -np.inf, np.log(right / wrong)[kind])
        return cls(files, np.concatenate(numbers), entries, child, choices, logits)


def chats_of(streams: list[Stream]) -> Chats:
    """Returns the words as the linker compares them, by file. Names of those who write are left out."""
    number: dict[str, int] = {}
    channels: dict[str, list[Array]] = {}
    names = {bare(name) for stream in streams for row in stream.rows for name in row.names}
    for stream in streams:
        if stream.file in channels:
            continue
        texts = channels.setdefault(stream.file, [])
        for row in stream.rows:
            if not row.system:
                plain = (word.strip(EDGES) for word in words_of(row.text[:2000].lower()))
                found = (word for word in plain if len(word) > 1 and word not in names)
                texts.append(np.array([number.setdefault(word, len(number)) for word in found], int))
    return Chats(list(number), channels)


def learned(chats: Chats, links: SureLinks, use: Callable[[str], bool], seed: int) -> Usage:
    """Returns how words are used in some files."""
    vectors = chats.vectors(use)
    keys = np.array(sorted(vectors.place))
    start = vectors.values[[vectors.place[int(key)] for key in keys]]
    start = (start / np.linalg.norm(start, axis=1).mean()).astype(np.float32)
    which = np.array([use(file) for file in links.files])[links.streams[links.child]]
    values = _moved(start, _bags(links.entries, keys), links, np.flatnonzero(which), seed)
    return Usage(keys, np.clip(np.rint(values * LENGTH), -LENGTH, LENGTH).astype(np.float32))


def _bags(entries: list[Array], keys: Array) -> csr_matrix:
    """Returns how often each message has each word."""
    counts = np.array([len(found) for found in entries])
    hashes = np.concatenate(entries) & ((1 << HASH_BITS) - 1)
    place = np.minimum(np.searchsorted(keys, hashes), len(keys) - 1)
    known = keys[place] == hashes
    rows = np.repeat(np.arange(len(counts)), counts)[known]
    ones = np.ones(len(rows), np.float32)
    return csr_matrix((ones, (rows, place[known])), shape=(len(counts), len(keys)))


def _moved(start: Array, bags: csr_matrix, links: SureLinks, which: Array, seed: int) -> Array:
    """Returns the vectors of words after learning from some links, by Adam."""
    random = np.random.default_rng(seed)
    values = {"words": start.copy(), "scale": np.array([6], np.float32)}
    rates = {"words": _RATE, "scale": 10 * _RATE}
    mean = {name: np.zeros_like(value) for name, value in values.items()}
    square = {name: np.zeros_like(value) for name, value in values.items()}
    runs = np.split(which, np.arange(32, len(which), 32))
    last = _EPOCHS * -(-len(which) // _BATCH)
    step = 0
    for _ in range(_EPOCHS):
        order = np.concatenate([runs[k] for k in random.permutation(len(runs))])
        for begin in range(0, len(order), _BATCH):
            batch = order[begin : begin + _BATCH]
            slopes = _slopes(values["words"], values["scale"], bags, links, batch)
            step += 1
            rate = min(1, step / 100) * (1 + np.cos(np.pi * step / last)) / 2
            for name, slope in slopes.items():
                mean[name] += 0.1 * (slope - mean[name])
                square[name] += 0.002 * (slope**2 - square[name])
                move = mean[name] / (1 - 0.9**step) / (np.sqrt(square[name] / (1 - 0.998**step)) + 1e-8)
                values[name] -= (rate * rates[name] * move).astype(np.float32)
            values["words"] -= rate * _RATE * _LOOSE * (values["words"] - start)
    return values["words"]


def _slopes(words: Array, scale: Array, bags: csr_matrix, links: SureLinks, batch: Array) -> dict[str, Array]:
    child, choices = links.child[batch], links.choices[batch]
    there = choices >= 0
    rows, place = np.unique(
        np.concatenate((child, np.where(there, choices, child[:, None]).ravel())), return_inverse=True
    )
    of_child, of_choices = place[: len(child)], place[len(child) :].reshape(choices.shape)
    some = bags[rows]
    sums = some @ words
    # The same as `Usage` does in whole numbers.
    length = np.sqrt((sums**2).sum(1, keepdims=True) + 1)
    unit = sums / length
    alike = np.einsum("nd,ncd->nc", unit[of_child], unit[of_choices]) * there
    wanted = softmax(np.where(there, links.logits[batch] + scale * alike, -1e9))
    wanted[:, 0] -= 1
    wanted *= there / len(batch)
    of_pairs = csr_matrix(
        ((wanted * scale).ravel(), (np.repeat(of_child, choices.shape[1]), of_choices.ravel())),
        shape=(len(rows), len(rows)),
    )
    of_unit = of_pairs @ unit + of_pairs.T @ unit
    of_sums = (of_unit - unit * (unit * of_unit).sum(1, keepdims=True)) / length
    return {"words": some.T @ of_sums, "scale": np.array([(wanted * alike).sum()])}
