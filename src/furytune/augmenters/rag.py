"""Retrieval: finds the passages of an index that fit a question, the same ones in training and in the bot."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import attrs
from attrs import evolve, field, frozen

from furytune._values.canonical import Json, canonical_json
from furytune._values.checks import of_type, one_of
from furytune.augmenters._index import tables
from furytune.augmenters._index.build import IndexReport, build_index
from furytune.augmenters._index.explain import findings
from furytune.augmenters._index.search import Search
from furytune.augmenters._index.settings import (
    as_float,
    embedder_of,
    number,
    place_of,
    positive,
    shown,
    within,
)
from furytune.augmenters._index.snapshot import Loaded, mark
from furytune.augmenters._index.versions import CleanedIndex, KeptVersion, clean_index
from furytune.augmenters._search.as_of import InOrder
from furytune.augmenters._search.bm25 import SCORER_VERSION
from furytune.augmenters._search.fusion import FUSION_VERSION
from furytune.augmenters._search.rerank import reordered
from furytune.augmenters._search.vectors import VECTORS_VERSION
from furytune.augmenters._search.words import TOKENIZER_VERSION
from furytune.augmenters.distractors import Distractors
from furytune.errors import ConfigError, ContractMismatchError, KnowledgeError
from furytune.explanation import Finding
from furytune.protocols import Embedder, Located, Reranker
from furytune.records import Passage

__all__ = [
    "CleanedIndex",
    "Distractors",
    "IndexReport",
    "KeptVersion",
    "RagAugmenter",
    "Reranker",
    "build_index",
    "clean_index",
]

# One lock for all augmenters: loading is rare, and an augmenter with its own lock could not be pickled.
_LOADING = threading.Lock()

VERSION = 2
"""Increased when equal settings and passages could give another context, for a reason outside the scorers.

Version 1, which is missing from the specs it wrote, returned several equal passages side by side.
"""


class _Cache:
    """What an augmenter has read from its table. Copies and other processes get only the pin."""

    __slots__ = ("pin", "search", "state")

    def __init__(self, pin: tuple[str, int] | None = None) -> None:
        self.pin = pin
        self.state: Loaded | None = None
        self.search: Search | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return _Cache, (self.pin,)


def _fresh(cache: _Cache) -> _Cache:
    return _Cache(cache.pin)


@frozen
class RagAugmenter:
    """Finds the passages of an index that have the most in common with a question.

    The first use pins the table's version. Later builds change nothing: equal questions get equal passages as long as
    the object lives. A pickled copy keeps an existing pin, and so does ``attrs.evolve`` unless it changes ``path`` or
    ``version``. A single question and a batch use the same scorer (see `furytune.augmenters._search.bm25` for words and
    `furytune.augmenters._search.vectors` for vectors). Passages that have nothing in common with the question are never
    returned. All passages of the version are kept in memory and compared with each question: the search is exact.

    Attributes:
        path: Folder of the table that `build_index` wrote. It becomes absolute; symbolic links are not resolved.
        k: Maximum number of passages.
        mode: "lexical" counts words, "vector" compares vectors, "hybrid" does both.
        embedder: The model that the index was built with; only for "vector" and "hybrid".
        fusion: How "hybrid" combines two rankings: "scores" adds the scores, each divided by the spread of its ranking;
            "ranks" is reciprocal rank fusion.
        rerank: Reorders the first passages; None keeps their order.
        distractors: Unhelpful passages for a share of the training rows; see `Distractors`.
        version: Version of the table; None means the newest at first use.
        k1: BM25's k1: how fast repeated words stop to matter.
        b: BM25's b: how much long passages are penalised, from 0 to 1.

    Raises:
        ConfigError: An argument is not valid.
    """

    path: str = field(converter=tables.check_path)
    k: int = field(default=4, validator=positive)
    mode: Literal["lexical", "vector", "hybrid"] = field(
        default="lexical", kw_only=True, validator=one_of("lexical", "vector", "hybrid")
    )
    embedder: Embedder | None = field(default=None, kw_only=True)
    fusion: Literal["scores", "ranks"] = field(
        default="scores", kw_only=True, validator=one_of("scores", "ranks")
    )
    rerank: Reranker | None = field(default=None, kw_only=True)
    distractors: Distractors | None = field(
        default=None, kw_only=True, validator=of_type(Distractors, type(None))
    )
    version: int | None = field(default=None, kw_only=True, validator=attrs.validators.optional(positive))
    k1: float = field(default=1.5, kw_only=True, converter=as_float, validator=within(0.0, 10.0))
    b: float = field(default=0.75, kw_only=True, converter=as_float, validator=within(0.0, 1.0))
    _cache: _Cache = field(
        factory=_Cache, converter=_fresh, alias="_cache", kw_only=True, eq=False, repr=False
    )

    def __attrs_post_init__(self) -> None:
        for given, kind in ((self.embedder, Embedder), (self.rerank, Reranker)):
            if given is not None and (isinstance(given, type) or not isinstance(given, kind)):
                raise ConfigError(
                    f"{type(given).__name__} is not a valid {kind.__name__.lower()}; see {kind.__module__}"
                )
        if (self.embedder is None) != (self.mode == "lexical"):
            raise ConfigError(
                f"mode={self.mode!r} {'needs an' if self.embedder is None else 'takes no'} embedder;"
                ' an embedder goes with mode="vector" or mode="hybrid"'
            )

    @classmethod
    def from_spec(cls, spec: Mapping[str, Json], *, location: Mapping[str, Json], base: Path) -> RagAugmenter:
        """Builds the augmenter that a contract names, and opens its table.

        The passages matter, not their version number: if the version is missing or contains other passages, the newest
        hundred versions are searched for the snapshot.

        Args:
            spec: What `spec` returned when the contract was made.
            location: "path", with forward slashes, absolute or relative to ``base``; "version", None if unknown;
                "snapshot", the digest of the passages. Without a snapshot the version is used unchecked; without both,
                the newest version is used. "embedder" says where the model's files are.
            base: Folder of the contract file.

        Raises:
            ContractMismatchError: This furytune would not find the same passages.
            ContractError: The location is not valid.
            KnowledgeError: Neither snapshot nor version is given, and the table cannot be used.
            SnapshotError: The table is missing or no longer contains the passages.
        """
        path, version, snapshot = place_of(location, base)
        if not isinstance(spec, Mapping):
            raise ContractMismatchError(
                "augmenter", "the contract has no settings for the augmenter; save a new contract"
            )
        if spec.get("version", 1) != VERSION:
            raise ContractMismatchError(
                "augmenter",
                f"its passages were chosen by rules of version {shown(spec.get('version', 1))}, but this furytune has"
                f" version {VERSION}; use the furytune that made the contract, or save a new contract and tune again",
            )
        if spec.get("rerank") is not None:
            raise ContractMismatchError(
                "augmenter",
                "its re-ranker is not built in; load the contract with augmenter=RagAugmenter(..., rerank=...)",
            )
        try:
            settings = {name: number(spec, name, float) for name in ("k1", "b") if name in spec}
            settings |= {name: spec[name] for name in ("mode", "fusion") if name in spec}
            made = cls(
                path,
                number(spec, "k", int),
                embedder=embedder_of(spec.get("embedder"), location, base),
                distractors=Distractors.from_spec(spec.get("distractors")),
                **settings,
            )
            ours = made.spec
        except (ConfigError, KeyError, TypeError, OSError) as error:
            raise ContractMismatchError(
                "augmenter", f"the settings of RagAugmenter in the contract cannot be used: {error}"
            ) from error
        # The spec of this library against that of the contract: a setting that either of them lacks is a
        # difference too.
        differ = sorted(str(key) for key in {*spec, *ours} if spec.get(key, ...) != ours.get(key, ...))
        if differ:
            raise ContractMismatchError(
                "augmenter",
                f"this furytune's RagAugmenter differs in {', '.join(differ)};"
                " use the furytune and the model files that the contract was made with, or make a new contract"
                " and tune again",
            )
        state = tables.find(made.path, version, snapshot, vectors=made.embedder is not None)
        made = evolve(made, version=state.version)
        made._cache.state = made._checked(state)  # noqa: SLF001  (it is read already)
        mark(Path(made.path), state.version, "loaded")
        return made

    @property
    def spec(self) -> Mapping[str, Json]:
        """Everything that decides which passages are found, except the passages themselves."""
        found: dict[str, Json] = {"name": "rag", "version": VERSION, "k": self.k}
        # Only what decides the result belongs here; anything else would break contracts for no reason.
        if self.mode != "vector":
            found |= {
                "scorer": "bm25",
                "scorer_version": SCORER_VERSION,
                "tokenizer": TOKENIZER_VERSION,
                "k1": self.k1,
                "b": self.b,
            }
        if self.embedder is not None:
            found |= {"mode": self.mode, "embedder": dict(self.embedder.spec)}
            found |= {"vectors": VECTORS_VERSION, "search": "exact"}
        if self.mode == "hybrid":
            found |= {"fusion": self.fusion, "fusion_version": FUSION_VERSION}
        if self.rerank is not None:
            found["rerank"] = dict(self.rerank.spec)
        if self.distractors is not None:
            found["distractors"] = self.distractors.spec
        return found

    @property
    def snapshot(self) -> str:
        """Digest of all passages of the pinned version, including their vectors if they are used."""
        return self._load().identity

    @property
    def location(self) -> Mapping[str, Json]:
        """The absolute "path" of the table, with forward slashes, its pinned "version", and its "snapshot"."""
        state = self._load()
        found: dict[str, Json] = {
            "path": Path(self.path).as_posix(),
            "version": state.version,
            "snapshot": state.identity,
        }
        model: object = self.embedder
        if isinstance(model, Located):
            found["embedder"] = dict(model.location)
        return found

    @property
    def dated(self) -> bool:
        """Whether any passage has a date, so that the moment of a question matters."""
        return any(p.date is not None for p in self._load().passages)

    @property
    def edit(self) -> Distractors | None:
        """What is added to training rows but not to the bot's prompts."""
        return self.distractors

    def visible_passages(self, at: datetime | None) -> Sequence[Passage]:
        """Returns the passages that are visible at a moment, oldest first; None means now."""
        search, (visible,) = self.searched, self.visible([at])
        return InOrder(search.passages, search.moments.order, visible)

    def nearest(self, question: str, *, at: datetime | None, count: int) -> tuple[Passage, ...]:
        """Returns up to ``count`` passages for a normalised question, best first, before any re-ranking."""
        search = self.searched
        return tuple(search.passages[i] for i in search.top([question], self.visible([at]), count)[0])

    def pin(self) -> bool:
        """Adds a tag to the pinned version, so that no clean-up by LanceDB removes it.

        Returns:
            False if the table's folder cannot be written to.
        """
        return tables.pin(self.path, self._load().version)

    def latest(self) -> RagAugmenter:
        """Returns the same augmenter, pinned to the newest version of the table.

        Raises:
            KnowledgeError: The table does not exist.
        """
        return evolve(self, version=tables.newest(self.path))

    def context(self, question: str, *, at: datetime | None = None) -> tuple[Passage, ...]:
        """Returns the passages for a question, best first; equal scores are ordered by id.

        Of passages with equal title and text, only the oldest is returned: undated before dated, then by id.

        Args:
            question: The normalised question.
            at: When it is asked: passages dated at or after this moment are ignored. None means now.

        Raises:
            ConfigError: The moment has no time zone.
            KnowledgeError: The index cannot be used.
            SnapshotError: The pinned version is missing.
        """
        return self.contexts([question], at=[at])[0]

    def contexts(
        self, questions: Sequence[str], *, at: Sequence[datetime | None]
    ) -> list[tuple[Passage, ...]]:
        """Returns what `context` returns for each question and its moment.

        Args:
            questions: The normalised questions.
            at: The moment of each, in the same order.

        Raises:
            ConfigError: The numbers of moments and questions differ, or a moment has no time zone.
            KnowledgeError: The index cannot be used.
            SnapshotError: The pinned version is missing.
        """
        if len(questions) != len(at):
            raise ConfigError(f"{len(questions)} questions need as many moments in at=, not {len(at)}")
        search, visible = self.searched, self.visible(at)
        # A re-ranker only sees the first passages; the others keep their places after them.
        depth = self.k if self.rerank is None else max(self.k, self.rerank.depth)
        rows = search.top(questions, visible, depth)
        if self.rerank is not None:
            shown = self.rerank.depth
            rows = [
                [*reordered(self.rerank, q, row[:shown], search.passages), *row[shown:]][: self.k]
                for q, row in zip(questions, rows, strict=True)
            ]
        return [tuple(search.passages[i] for i in row) for row in rows]

    def explain(self, question: str, *, at: datetime | None = None) -> tuple[Finding, ...]:
        """Returns what `context` finds and what came next, with scores and reasons.

        Args:
            question: The normalised question.
            at: When it is asked; None means now.
        """
        at = at or datetime.now(UTC)
        chosen = self.context(question, at=at)
        return findings(self.searched, question, self.visible([at])[0], chosen, self.k)

    def visible(self, at: Sequence[datetime | None]) -> list[int]:
        """Returns for each moment how many passages, in the order of time, are visible.

        Raises:
            ConfigError: A moment has no time zone.
        """
        if any(moment is not None and moment.utcoffset() is None for moment in at):
            raise ConfigError("a moment has no time zone; give it one, such as datetime.UTC")
        now = datetime.now(UTC)
        return [self.searched.moments.visible(moment or now) for moment in at]

    def _load(self) -> Loaded:
        """Returns the pinned version; reads it at the first call."""
        cache = self._cache
        # Checked before and after taking the lock, so that only the first callers wait.
        if cache.state is None:
            with _LOADING:
                if cache.state is None:
                    pinned = cache.pin[1] if cache.pin and cache.pin[0] == self.path else None
                    with_vectors = self.embedder is not None
                    state = tables.load(self.path, self.version or pinned, vectors=with_vectors)
                    cache.pin, cache.state = (self.path, state.version), self._checked(state)
                    # So that a clean-up in another process keeps the version.
                    mark(Path(self.path), state.version, "opened")
        return cache.state

    def _checked(self, state: Loaded) -> Loaded:
        """Returns the state if its vectors come from this embedder.

        Raises:
            KnowledgeError: The version has no vectors, or those of another model.
        """
        if self.embedder is None:
            return state
        again = f"build it with build_index({self.path!r}, ..., embedder=...)"
        if state.vectors is None:
            raise KnowledgeError(f"{self.path}: version {state.version} has no vectors; {again}")
        if canonical_json(state.vectors.embedder) != canonical_json(dict(self.embedder.spec)):
            raise KnowledgeError(
                f"{self.path}: the vectors of version {state.version} come from another embedder or other model files"
                f" ({state.vectors.embedder.get('name')}); use the embedder it was built with, or {again}"
            )
        return state

    @property
    def searched(self) -> Search:
        """The pinned version, ready for questions; made once."""
        cache, state = self._cache, self._load()
        if cache.search is None:
            with _LOADING:
                if cache.search is None:
                    cache.search = Search(
                        self.path,
                        state,
                        embedder=self.embedder,
                        words=self.mode != "vector",
                        fusion=self.fusion,
                        k1=self.k1,
                        b=self.b,
                    )
        return cache.search
