"""Joins the rows of new messages to those before them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from furytune.pairing.linking.messages import COLUMNS
from furytune.pairing.linking.pairs import Block
from furytune.pairing.linking.speakers import NO_ONE

__all__ = ["History"]

_EMPTY = -2
"""The speaker of a row before the first message; no message is by him or addresses him."""
_QUIET = 240
"""Minutes between the rows before the first message. Without a pause between them, they would look like a crowd, and in a
crowd the message right above is rarely the one that is answered."""


class History:
    """The last rows of a channel.

    Args:
        width: How many messages back a parent may be; twice as many rows are kept.
    """

    def __init__(self, width: int) -> None:
        self._kept = 2 * width
        self._rows: NDArray[Any] = np.full((self._kept, len(COLUMNS)), NO_ONE, np.int64)
        for name, value in (
            ("speaker", _EMPTY),
            ("minute", _QUIET * np.arange(-self._kept, 0)),
            ("flags", 0),
            ("length", 0),
            ("own_count", 0),
        ):
            self._rows[:, COLUMNS.index(name)] = value
        self._entries: NDArray[Any] = np.empty(0, np.int64)
        self._counts: NDArray[Any] = np.zeros(self._kept, np.int64)
        self._first = -self._kept

    def block(self, rows: Sequence[tuple[int, ...]], entries: Sequence[int], counts: Sequence[int]) -> Block:
        """Returns new rows with those before them, and keeps the last."""
        block = Block(
            np.concatenate((self._rows, np.array(rows, np.int64))),
            np.concatenate((self._entries, np.array(entries, np.int64))),
            np.concatenate((self._counts, np.array(counts, np.int64))),
            self._first,
        )
        self._first += len(rows)
        self._rows = block.rows[-self._kept :]
        self._counts = block.counts[-self._kept :]
        self._entries = block.entries[len(block.entries) - int(self._counts.sum()) :]
        return block
