"""Tells whether a text repeats an earlier one: the same characters in a row, whatever the case, blanks and marks between them.

A text is the set of its shingles: all runs of 16 letters and digits. Of a long text, the smallest hashes stand for all.

Source: A. Z. Broder, "On the resemblance and containment of documents" (1997).
"""

from __future__ import annotations

import unicodedata
from array import array
from bisect import bisect_right
from collections.abc import Iterable
from typing import Any, Final

__all__ = ["Sayings", "Sketch", "sketch"]

Sketch = tuple[int, ...]
"""The smallest hashes of a text's shingles, in order. It is not the text, but who guesses the text can compare."""

_WIDTH: Final = 16  # characters of a shingle
_MOST: Final = 48  # hashes of a sketch
_READ: Final = 20_000  # characters of a text that count
_SHARE: Final = 0.6  # of one text's shingles that must be in the other
_FLUSH: Final = 4096
_EXACT: Final = 1 << 63  # set in the hash of a text that is too short to be found in another one


def sketch(text: str) -> Sketch:
    """Returns the sketch of a text; empty if it has no letter and no digit."""
    import numpy as np

    hashes = _hashes(text)
    return tuple(map(int, np.unique(hashes)[:_MOST]))


def _hashes(text: str) -> Any:
    """Returns the hashes of all shingles. A text that is shorter than two shingles has one hash, of all of it."""
    import numpy as np

    plain = "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text[:_READ]).casefold()))
    points = np.frombuffer(plain.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint64)
    if not len(points):
        return np.zeros(0, dtype=np.uint64)
    short = len(points) < 2 * _WIDTH
    width = len(points) if short else _WIDTH
    # Odd numbers from a fixed sequence, so that a hash is the same on every machine and for ever.
    odd = (np.arange(1, width + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)) | np.uint64(1)
    found = np.lib.stride_tricks.sliding_window_view(points, width) @ odd
    found = (found ^ (found >> np.uint64(31))) * np.uint64(0xBF58476D1CE4E5B9)
    found ^= found >> np.uint64(29)
    return found | np.uint64(_EXACT) if short else found & np.uint64(_EXACT - 1)


class Sayings:
    """What was said, and when; finds texts that repeat it.

    It keeps up to 48 numbers of each text, and no text.
    """

    def __init__(self) -> None:
        self._sizes, self._times = array("H"), array("d")
        self._largest = array("Q")
        # Most hashes are sorted, the latest are not, and of these some are in a table.
        self._sorted: Any = None
        self._hashes, self._owners = array("Q"), array("I")
        self._latest: dict[int, list[int]] = {}
        self._in_table = 0

    def __len__(self) -> int:
        return len(self._sizes)

    def add(self, said: str | Sketch, at: float) -> None:
        """Adds what was said.

        Args:
            said: The text, or its sketch.
            at: When, in seconds; minus infinity if it is not known.
        """
        found = sketch(said) if isinstance(said, str) else said
        if not found:
            return
        self._hashes.extend(found)
        self._owners.extend([len(self._sizes)] * len(found))
        self._sizes.append(len(found))
        self._times.append(at)
        self._largest.append(found[-1] if len(found) == _MOST else _EXACT - 1)

    def _sort(self) -> None:
        """Sorts the latest hashes if there are many, and puts them into the table otherwise."""
        import numpy as np

        known = 0 if self._sorted is None else len(self._sorted[0])
        if len(self._hashes) < _FLUSH + known // 4:
            for n in range(self._in_table, len(self._hashes)):
                self._latest.setdefault(self._hashes[n], []).append(self._owners[n])
            self._in_table = len(self._hashes)
            return
        hashes, owners = np.array(self._hashes, dtype=np.uint64), np.array(self._owners, dtype=np.uint32)
        if self._sorted is not None:
            hashes = np.concatenate([self._sorted[0], hashes])
            owners = np.concatenate([self._sorted[1], owners])
        order = np.argsort(hashes, kind="stable")
        self._sorted = hashes[order], owners[order]
        self._hashes, self._owners = array("Q"), array("I")
        self._latest, self._in_table = {}, 0

    def repeated(self, text: str, *, until: float) -> bool:
        """Tells whether most of a text was said until a moment, or most of something that was said is in the text.

        Args:
            text: The text.
            until: The moment, in seconds; infinity counts all that was said.
        """
        import numpy as np

        if not self._sizes:
            return False
        self._sort()
        mine = np.unique(_hashes(text))
        in_order = mine.tolist()
        counts: dict[int, int] = {}
        for owner in self._owners_of(mine):
            if self._times[owner] <= until:
                counts[owner] = counts.get(owner, 0) + 1
        for owner, common in counts.items():
            if common >= _SHARE * self._sizes[owner]:
                return True  # what was said is in the text
            # Of a long text that was said, only hashes up to the largest of its sketch can be compared.
            comparable = bisect_right(in_order, self._largest[owner]) if common > 2 else 0
            if common >= 3 and common >= _SHARE * comparable:
                return True  # the text is in what was said
        return False

    def _owners_of(self, hashes: Any) -> Iterable[int]:
        import numpy as np

        for one in hashes.tolist() if self._latest else ():
            yield from self._latest.get(one, ())
        if self._sorted is not None:
            known, owners = self._sorted
            first = np.searchsorted(known, hashes)
            there = known[np.minimum(first, len(known) - 1)] == hashes
            last = np.searchsorted(known, hashes[there], side="right")
            for a, b in zip(first[there].tolist(), last.tolist(), strict=True):
                yield from owners[a:b].tolist()
