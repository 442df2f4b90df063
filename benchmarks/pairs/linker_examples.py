"""Turns chat with gold links into arrays that the linker's network is trained on, by the code that the linker runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import attrs
import msgspec
import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray
from score_links import gold_of, post_of
from sources import Row, Stream, discord, forum, gitter, irc

from furytune.pairing.linking.channel import Channel
from furytune.pairing.linking.lexicon import HASH_BITS, Lexicon, words_of
from furytune.pairing.linking.model import Model
from furytune.pairing.linking.pairs import describe
from furytune.pairing.linking.speakers import NO_ONE
from furytune.pairing.posts import Post

Array = NDArray[Any]
Looking = Callable[[list[Post], Stream], tuple[Array, Array, Array]]
"""Returns the features of a stream's messages, the distances of their choices and the features of the pairs."""

RARITY_BITS = 16
_LETTERS = re.compile(r"[\w|^`\[\]{}-]+")
_OTHER_LETTERS = str.maketrans("aeioubcdfghjklmnpqrstvwxyz", "eioaucdfghjklmnpqrstvwxyzb")
_TIMELESS = 12
"""One file in so many is read without times, because some exports have none."""
_FREQUENT = 250
"""A word in more than one of so many messages tells nothing about what a message is about."""


@frozen(eq=False)
class Examples:
    """Labelled messages, each with the choices that a network has for it: a start, then earlier messages.

    Attributes:
        messages: Features of every message of every stream; the last row, of zeros, stands for a missing one.
        child: Row of each labelled message.
        parents: Rows of its choices: example x choice; -1 for the start and for what does not exist.
        pairs: Features of the choices: example x choice x feature.
        right: True for right choices: example x choice.
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
    for part in (
        irc(root, "train"),
        irc(root, "channel-two.dev"),
        discord(root),
        forum(root),
        gitter(root),
    ):
        for stream in part:
            yield stream
            if stream.kind in ("discord", "forum"):
                yield attrs.evolve(stream, rows=foreign(stream.rows))


def foreign(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """Returns messages in a language that no one knows: letters are exchanged, except in names.

    It shows the network how people talk when it understands none of the words.
    """
    names = {name.casefold() for row in rows for name in row.names}

    def exchanged(found: re.Match[str]) -> str:
        return found[0] if found[0].casefold() in names else found[0].translate(_OTHER_LETTERS)

    return tuple(attrs.evolve(row, text=_LETTERS.sub(exchanged, row.text)) for row in rows)


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


def first_look(width: int, rarity: Array) -> Looking:
    """Returns what describes a stream's messages to the first network."""

    def look(posts: list[Post], _stream: Stream) -> tuple[Array, Array, Array]:
        block = Channel(Model(width, 1, None, None, None, 1, rarity, None)).block(posts, [""] * len(posts))
        messages, pairs = describe(block, width, rarity)
        return messages[width:], np.broadcast_to(np.arange(width + 1), (len(posts), width + 1)), pairs

    return look


def second_look(model_of: Callable[[str], Model]) -> Looking:
    """Returns what describes a stream's messages to the second network.

    Args:
        model_of: By file, a model whose first network has not seen it.
    """

    def look(posts: list[Post], stream: Stream) -> tuple[Array, Array, Array]:
        model = model_of(stream.file)
        channel = Channel(model)
        found = channel.look(channel.block(posts, [""] * len(posts)), [NO_ONE] * len(posts))
        return found.first.messages[model.width :], found.chosen, found.features

    return look


def training_posts(stream: Stream) -> list[Post]:
    """Returns a stream's messages as the linker sees them, in some files without times."""
    posts = [post_of(row) for row in stream.rows if not row.system]
    if crc32(stream.file.encode()) % _TIMELESS == 0:
        return [msgspec.structs.replace(post, sent_at=None) for post in posts]
    return posts


def examples_of(streams: Iterable[Stream], look: Looking) -> Examples:
    messages: list[Array] = []
    parts: list[tuple[Array, Array, Array, Array]] = []
    kinds: list[str] = []
    numbers: list[int] = []
    files: list[str] = []
    offset = 0
    for stream in streams:
        place = {i: k for k, i in enumerate(i for i, row in enumerate(stream.rows) if not row.system)}
        if not place:
            continue
        posts = training_posts(stream)
        of_messages, distances, pairs = look(posts, stream)
        messages.append(of_messages.astype(np.int8))
        gold = {place[i]: parents for i, parents in gold_of(stream).items() if i in place}
        labelled = np.array(sorted(gold), int)
        distances = distances[labelled]
        before = labelled[:, None] - distances
        exists = (distances > 0) & (before >= 0)
        right = np.zeros(distances.shape, bool)
        for k, child in enumerate(labelled):
            for parent in gold[child]:
                right[k] |= distances[k] == child - place.get(parent, -(1 << 20))
        parts.append(
            (
                labelled + offset,
                np.where(exists, before + offset, -1),
                pairs[:, labelled].transpose(1, 2, 0).astype(np.int8),
                right,
            )
        )
        kinds += [stream.kind] * len(labelled)
        numbers += [len(files)] * len(labelled)
        files.append(stream.file)
        offset += len(place)
    messages.append(np.zeros((1, messages[0].shape[1]), np.int8))
    child, parents, pairs, right = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Examples(
        np.concatenate(messages), child, parents, pairs, right, np.array(kinds), np.array(numbers), files
    )
