"""Looks twice at the messages of one channel, block by block, and keeps what the next block needs."""

from __future__ import annotations

from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from furytune.pairing.linking.history import History
from furytune.pairing.linking.messages import Reader
from furytune.pairing.linking.model import FirstLook, Model
from furytune.pairing.linking.pairs import Block
from furytune.pairing.linking.speakers import NO_ONE
from furytune.pairing.linking.threads import roots_of
from furytune.pairing.posts import Post

__all__ = ["Channel", "SecondLook"]


@frozen(eq=False)
class SecondLook:
    """What the second network is asked.

    Attributes:
        first: What the first network said.
        chosen: By message, the distances to compare; a start comes first.
        features: Features of the pairs: features x messages x choices.
    """

    first: FirstLook
    chosen: NDArray[Any]
    features: NDArray[Any]


class Channel:
    """The messages of one channel."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._reader = Reader()
        self._history = History(model.width)
        kept = 2 * model.width
        self._parents: NDArray[Any] = np.arange(-kept, 0)
        self._roots: NDArray[Any] = np.arange(-kept, 0)

    def block(self, posts: list[Post], answered: list[str]) -> Block:
        """Reads the next posts.

        Args:
            posts: Posts that may be parents.
            answered: Who wrote what each natively replies to, or "".
        """
        rows: list[tuple[int, ...]] = []
        entries: list[int] = []
        counts: list[int] = []
        for post, writer in zip(posts, answered, strict=True):
            row, words = self._reader.row(post, writer)
            rows.append(row)
            entries += words
            counts.append(len(words))
        return self._history.block(rows, entries, counts)

    def look(self, block: Block, native: list[int]) -> SecondLook:
        """Takes the first look at a block and prepares the second.

        Args:
            block: What `block` returned.
            native: Places of the targets of native replies, or `NO_ONE`.
        """
        first = self._model.first_look(block)
        start = block.first + 2 * self._model.width
        places = np.arange(start, start + len(native))
        replies = np.array(native)
        found = np.where(replies != NO_ONE, replies, places - first.best)
        parents = np.concatenate((self._parents, found))
        roots = self._roots.tolist()
        roots_of(found.tolist(), roots, block.first, 2 * self._model.width)
        chosen = self._model.likeliest(first)
        features = self._model.second_features(block, first, chosen, parents, np.array(roots))
        self._parents = parents[-len(self._parents) :]
        self._roots = np.array(roots[-len(self._roots) :])
        return SecondLook(first, chosen, features)
