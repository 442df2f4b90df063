"""Postings: how often each term occurs in each passage, for the lexical scorer, and the file that stores them.

With the file, a bot's start and the next build need not analyse all texts again. The file is used only if its bytes have the
digest that it states, and if it was made from the same passages by the same rules.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen

from furytune._values.canonical import Json, canonical_json
from furytune.augmenters._search.as_of import Moments
from furytune.augmenters._search.vectors import numpy
from furytune.augmenters._search.words import TOKENIZER_VERSION, analyze, words
from furytune.records import Passage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["TITLE_WEIGHT", "Postings", "make_postings"]

TITLE_WEIGHT = 3
_FORMAT = 1


@frozen(kw_only=True, eq=False)
class Postings:
    """The terms of a fixed set of passages.

    Attributes:
        terms: In ascending order.
        start: Where the postings of each term begin, and at the end where the last ones end.
        rank: The passage of each posting, as its rank in the order of `Moments`; ascending within each term.
        count: How often the term occurs in that passage; an occurrence in the title counts `TITLE_WEIGHT` times.
        length: The number of terms of each passage, in the same order, counted in the same way without compounds.
    """

    terms: tuple[str, ...]
    start: NDArray[np.int64]
    rank: NDArray[np.int32]
    count: NDArray[np.int32]
    length: NDArray[np.int64]

    def to_bytes(self, snapshot: str) -> bytes:
        """Returns the bytes of the file for passages with this identity."""
        text = "\n".join(self.terms).encode()
        arrays = [a.astype(a.dtype.newbyteorder("<")).tobytes() for a in self._arrays]
        body = b"".join([*arrays, text])
        sizes: list[Json] = [len(a) for a in self._arrays]
        header = {**_rules(snapshot), "sizes": sizes, "sha256": hashlib.sha256(body).hexdigest()}
        return canonical_json(header) + b"\n" + body

    @classmethod
    def from_bytes(cls, raw: bytes, snapshot: str) -> Postings | None:
        """Reads what `to_bytes` wrote; returns None if the bytes or the rules do not match."""
        np = numpy()
        try:
            end = raw.index(b"\n") + 1
            header = json.loads(raw[:end])
            sizes, sha256 = header.pop("sizes"), header.pop("sha256")
            # The rules contain the version of Unicode: another Python may split the same text differently.
            if header != _rules(snapshot) or hashlib.sha256(memoryview(raw)[end:]).hexdigest() != sha256:
                return None
            arrays = []
            for size, kind in zip(sizes, ("<i8", "<i4", "<i4", "<i8"), strict=True):
                arrays.append(np.frombuffer(raw, kind, size, end).copy())  # aligned
                end += arrays[-1].nbytes
            terms = tuple(raw[end:].decode().split("\n")) if len(arrays[0]) > 1 else ()
            start, rank, count, length = arrays
        except (ValueError, KeyError, TypeError, AttributeError):
            return None
        return cls(terms=terms, start=start, rank=rank, count=count, length=length)

    def without(self, ranks: Sequence[int]) -> Postings:
        """Returns the postings of the other passages.

        Args:
            ranks: Ranks of the passages to leave out. Each of their terms must also be in a passage that stays.
        """
        np = numpy()
        stays = np.ones(len(self.length), dtype=bool)
        stays[np.array(ranks, dtype=np.int64)] = False
        kept = stays[self.rank]
        renumbered = np.cumsum(stays, dtype=np.int32) - np.int32(1)
        return Postings(
            terms=self.terms,
            start=np.concatenate(([0], np.cumsum(kept)))[self.start],
            rank=renumbered[self.rank[kept]],
            count=self.count[kept],
            length=self.length[stays],
        )

    @property
    def _arrays(self) -> tuple[Any, ...]:
        return self.start, self.rank, self.count, self.length


def _rules(snapshot: str) -> dict[str, Json]:
    """Returns everything that decides which terms passages have; a file made by other rules is not used."""
    return {
        "furytune_postings": _FORMAT,
        "tokenizer": TOKENIZER_VERSION,
        "title_weight": TITLE_WEIGHT,
        "unicode": unicodedata.unidata_version,
        "snapshot": snapshot,
    }


def make_postings(
    passages: Sequence[Passage],
    moments: Moments,
    *,
    before: tuple[Sequence[Passage], Postings] | None = None,
) -> Postings:
    """Splits passages into terms and counts them.

    Args:
        passages: In ascending order of id.
        moments: The order of these passages in time.
        before: Other passages and their postings: a passage with equal title and text is not analysed again.
    """
    np = numpy()
    n = len(passages)
    known, vocabulary = _known(before)
    length = np.zeros(n, dtype=np.int64)
    number, size = vocabulary.setdefault, vocabulary.__len__
    kept: list[tuple[int, int]] = []
    terms: list[int] = []
    held: list[int] = []
    for rank, i in enumerate(moments.order):
        title, text = passages[i].title, passages[i].text
        # Splitting text is the slow part of a build, and most passages of a new release are unchanged.
        row = known.get((title, text))
        if row is not None:
            kept.append((rank, row))
            held.append(0)
            continue
        begin, total = len(terms), 0
        for part, weight in ((title, TITLE_WEIGHT), (text, 1)):
            for word in words(part):
                pieces, compounds = analyze(word)
                total += weight * len(pieces)
                terms += [number(t, size()) for t in pieces + compounds] * weight
        held.append(len(terms) - begin)
        length[rank] = total
    ranks = np.repeat(np.arange(n, dtype=np.int64), held)
    # One number for term and passage, so that sorting counts the occurrences and orders the postings.
    key, count = np.unique(np.array(terms, dtype=np.int64) * max(n, 1) + ranks, return_counts=True)
    term, rank_of = np.divmod(key, max(n, 1))
    if before is not None and kept:
        more = _kept(before[1], np.array(kept, dtype=np.int64), length)
        term, rank_of, count = (
            np.concatenate(both) for both in zip((term, rank_of, count), more, strict=True)
        )
    return _sorted(term, rank_of, count, length, list(vocabulary))


def _known(
    before: tuple[Sequence[Passage], Postings] | None,
) -> tuple[dict[tuple[str, str], int], dict[str, int]]:
    """Returns the passages of an earlier version by their text, and its vocabulary."""
    if before is None:
        return {}, {}
    passages, postings = before
    order = Moments(passages).order
    known = {(passages[i].title, passages[i].text): rank for rank, i in enumerate(order)}
    return known, {term: number for number, term in enumerate(postings.terms)}


def _kept(old: Postings, pairs: Any, length: Any) -> tuple[Any, Any, Any]:
    """Returns term, new rank and count for the postings of unchanged passages; fills in their lengths."""
    np = numpy()
    new, row = pairs[:, 0], pairs[:, 1]
    length[new] = old.length[row]
    by_rank = np.argsort(old.rank, kind="stable")
    sizes = np.bincount(old.rank, minlength=len(old.length))
    begin = np.cumsum(sizes) - sizes
    count = sizes[row]
    at = np.repeat(begin[row] - (np.cumsum(count) - count), count) + np.arange(int(count.sum()))
    chosen = by_rank[at]
    term = np.repeat(np.arange(len(old.terms)), np.diff(old.start))[chosen]
    return term, np.repeat(new, count), old.count[chosen]


def _sorted(term: Any, rank: Any, count: Any, length: Any, names: list[str]) -> Postings:
    """Numbers the terms in ascending order, so that the history of an index does not change its bytes.

    Args:
        term: The term of each posting, as a number.
        rank: Its passage, as a place in the order of time.
        count: How often the term occurs there.
        length: The length of each passage.
        names: The terms, by their numbers.
    """
    np = numpy()
    used = np.flatnonzero(np.bincount(term, minlength=len(names)))
    order = sorted(used.tolist(), key=names.__getitem__)
    new = np.zeros(len(names), dtype=np.int64)
    new[np.array(order, dtype=np.int64)] = np.arange(len(order))
    term = new[term]
    place = np.argsort(term * max(len(length), 1) + rank)
    return Postings(
        terms=tuple(names[t] for t in order),
        start=np.concatenate(([0], np.cumsum(np.bincount(term, minlength=len(order))))).astype(np.int64),
        rank=rank[place].astype(np.int32),
        count=count[place].astype(np.int32),
        length=length,
    )
