"""Makes the parts that rank passages. They have no public names; the tests of their laws compare them one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from furytune.augmenters._index.search import Search
from furytune.augmenters._index.snapshot import Loaded, Vectors
from furytune.augmenters._search.as_of import Moments
from furytune.augmenters._search.bm25 import LARGE, LexicalIndex
from furytune.augmenters._search.maxscore import MaxScore
from furytune.augmenters._search.postings import Postings, make_postings
from furytune.augmenters._search.vectors import LENGTH, whole
from furytune.augmenters._search.words import analyze, words
from furytune.protocols import Embedder
from furytune.records import Passage

__all__ = [
    "LARGE",
    "LENGTH",
    "MaxScore",
    "analyze",
    "lexical",
    "loaded",
    "postings_of",
    "read_postings",
    "search",
    "terms",
    "whole",
    "words",
]


def terms(text: str) -> list[str]:
    """All terms of a text, in order, the parts of a word before its compounds."""
    return [t for w in words(text) for part in analyze(w) for t in part]


def postings_of(
    passages: Sequence[Passage], before: tuple[Sequence[Passage], Postings] | None = None
) -> Postings:
    """The terms of passages, which are in the order of their ids."""
    return make_postings(passages, Moments(passages), **({"before": before} if before else {}))


def read_postings(data: bytes, snapshot: str) -> Postings | None:
    """Stored terms, None if they are damaged or of other passages."""
    return Postings.from_bytes(data, snapshot)


def lexical(passages: Sequence[Passage], **options: Any) -> tuple[Moments, LexicalIndex]:
    """The order in time and the scorer of passages, which are in the order of their ids."""
    moments = Moments(passages)
    return moments, LexicalIndex(
        make_postings(passages, moments), moments, **{"k1": 1.5, "b": 0.75, **options}
    )


def loaded(passages: Sequence[Passage], vectors: Vectors | None = None, *, version: int = 0) -> Loaded:
    """Passages as they come from a table."""
    return Loaded(version=version, passages=tuple(passages), snapshot="", vectors=vectors)


def search(
    passages: Sequence[Passage], embedder: Embedder | None = None, *, fusion: str = "scores"
) -> Search:
    """The search in passages by words, and by vectors if there is an embedder; it embeds each passage alone."""
    vectors = None
    if embedder is not None:
        rows = [whole(embedder.embed([p.text], kind="passage"), 1, "test") for p in passages]
        vectors = Vectors.of(embedder.spec, np.concatenate(rows))
    state = loaded(passages, vectors)
    return Search("nowhere.lance", state, embedder=embedder, words=True, fusion=fusion, k1=1.5, b=0.75)
