"""Learns from unlabelled chats which words are used alike, so that a few labels say something about many words.

A word is described by the words around it (positive pointwise mutual information, reduced by a singular value
decomposition). The vectors are only needed in training: a model that is linear in them is one weight for each word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from zlib import crc32

import numpy as np
import scipy.sparse as sp
from attrs import define
from numpy.typing import NDArray
from scipy.sparse.linalg import svds
from sources import Stream

from furytune.pairing._chat.wording import words
from furytune.pairing._chat.worth import FEW_WORDS
from furytune.pairing.languages import language

DIMENSIONS = 64
MOST = 12_000  # words
RARE = 8  # messages; a word in fewer has no vector
AROUND = 5  # words
SMOOTHING = 0.75


@define
class Vectors:
    """What each word is like.

    Attributes:
        place: Row of each word in ``values``, by its key.
        values: A row for each word, times how much the word says; a word that is like any other is zero.
    """

    place: dict[int, int]
    values: NDArray[np.float64]

    def mean(self, keys: Iterable[int]) -> NDArray[np.float64]:
        """Returns the mean over the words of a text. Unknown words count as zero."""
        keys = list(keys)
        found = [self.place[key] for key in keys if key in self.place]
        total: NDArray[np.float64] = self.values[found].sum(axis=0) / (len(keys) + FEW_WORDS)
        return total


@define
class Chats:
    """The words of messages, by channel."""

    words: list[str]
    channels: dict[str, list[NDArray[np.int64]]]

    @classmethod
    def of(cls, streams: Iterable[Stream]) -> Chats:
        """Reads all messages in English. Names of those who write are left out.

        Of other languages there is only what is out of place in an English channel, which says nothing about them.
        """
        number: dict[str, int] = {}
        channels: dict[str, list[NDArray[np.int64]]] = {}
        for stream in streams:
            names = {name.casefold() for row in stream.rows for name in row.names}
            texts = channels.setdefault(stream.channel, [])
            for row in stream.rows:
                if not row.system and language(row.text) in ("en", ""):
                    found = (word for word in words(row.text) if word not in names)
                    texts.append(np.array([number.setdefault(word, len(number)) for word in found], int))
        return cls(list(number), channels)

    def vectors(self, use: Callable[[str], bool]) -> Vectors:
        """Returns vectors learned from some channels only."""
        texts = [text for channel, found in self.channels.items() if use(channel) for text in found]
        seen = Counter(int(word) for text in texts for word in set(text.tolist()))
        kept = [word for word, count in seen.most_common(MOST) if count >= RARE]
        place = np.full(len(self.words), -1)
        place[kept] = np.arange(len(kept))
        lines = [line[line >= 0] for line in (place[text] for text in texts)]
        near = _counted(lines, len(kept))
        values = _reduced(near)
        telling = np.array([np.log(len(texts) / seen[word]) for word in kept])
        values /= np.maximum(1e-9, np.linalg.norm(values, axis=1, keepdims=True))
        weight = telling * np.array([seen[word] for word in kept])
        values -= (values * weight[:, None]).sum(axis=0) / weight.sum()
        keys = [crc32(self.words[word].encode()) for word in kept]
        return Vectors({key: i for i, key in enumerate(keys)}, values * telling[:, None])


def _counted(lines: list[NDArray[np.int64]], count: int) -> sp.csr_matrix:
    """Returns how often two words are near each other."""
    # Gaps keep the words of two messages apart.
    gap = np.full(AROUND, -1)
    stream = np.concatenate([part for line in lines for part in (line, gap)])
    total = sp.csr_matrix((count, count))
    for step in range(1, AROUND + 1):
        one, two = stream[:-step], stream[step:]
        there = (one >= 0) & (two >= 0)
        ones = np.ones(int(there.sum()))
        total += sp.coo_matrix((ones, (one[there], two[there])), shape=(count, count)).tocsr()
    return total + total.T


def _reduced(near: sp.csr_matrix) -> NDArray[np.float64]:
    """Returns a short vector for each word."""
    sums = np.asarray(near.sum(axis=1)).ravel()
    share = sums**SMOOTHING
    share /= share.sum()
    pairs = near.tocoo()
    surprise = np.log(pairs.data / (sums[pairs.row] * share[pairs.col]))
    above = surprise > 0
    matrix = sp.coo_matrix((surprise[above], (pairs.row[above], pairs.col[above])), shape=near.shape).tocsr()
    left, strength, _ = svds(matrix, k=DIMENSIONS, random_state=0)
    reduced: NDArray[np.float64] = left[:, ::-1] * np.sqrt(strength[::-1])
    return reduced
