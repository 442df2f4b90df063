"""Retrieval: passages of an index that go with a question, the same ones in training and in the bot."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from numbers import Real
from pathlib import Path
from typing import Any

import attrs
from attrs import evolve, field, frozen

from furytune._canonical import Json
from furytune.augmenters import _table
from furytune.augmenters._build import IndexReport, build_index
from furytune.augmenters._lexical import SCORER_VERSION, LexicalIndex
from furytune.augmenters._snapshot import Loaded
from furytune.augmenters._tokens import TOKENIZER_VERSION
from furytune.errors import ConfigError, ContractError, ContractMismatchError
from furytune.records import Passage

__all__ = ["IndexReport", "RagAugmenter", "build_index"]

# One for all: loading is rare, and a lock of its own would keep an augmenter from being pickled.
_LOADING = threading.Lock()
# The largest number that a version can have.
_MOST = 2**63 - 1
_SHOWN = 60


class _Cache:
    """What an augmenter has found out about its table. Only the pin travels to copies and other processes."""

    __slots__ = ("index", "pin", "state")

    def __init__(self, pin: tuple[str, int] | None = None) -> None:
        self.pin = pin
        self.state: Loaded | None = None
        self.index: LexicalIndex | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return _Cache, (self.pin,)


def _fresh(cache: _Cache) -> _Cache:
    return _Cache(cache.pin)


def _positive(_: object, attribute: attrs.Attribute[int], value: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MOST:
        raise ConfigError(f"{attribute.name} must be a whole number from 1 up, not {_shown(value)}")


def _within(least: float, most: float) -> Any:
    def check(_: object, attribute: attrs.Attribute[float], value: object) -> None:
        if not isinstance(value, float) or not least <= value <= most:
            raise ConfigError(
                f"{attribute.name} must be a number from {least} to {most}, not {_shown(value)}"
            )

    return check


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except ValueError:  # Python refuses to write very long integers
        return "an integer of thousands of digits"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _float(value: object) -> Any:
    """Returns numbers as floats, and leaves what is none to the validator."""
    with suppress(OverflowError):
        return value if isinstance(value, bool) or not isinstance(value, Real) else float(value)
    return value


@frozen
class RagAugmenter:
    """Finds the passages of an index that have the most in common with a question.

    The table's version is pinned when the object is first used, so whatever is added to the table later,
    equal questions get equal passages for as long as the object lives. A pickled copy keeps the pin, if there is
    one by then, and so does ``attrs.evolve`` unless it changes ``path`` or ``version``. One scorer serves one question
    and many (`furytune.augmenters._lexical` says how it weighs words); passages that share no
    word with the question are never returned. All passages of the version are held in memory.

    Attributes:
        path: Folder of the table that `build_index` wrote; made absolute, with symbolic links as they are.
        k: How many passages at most.
        version: Version of the table; None is the newest at first use.
        k1: BM25's k1: how fast repeated words stop to matter.
        b: BM25's b: how much long passages are held back, from 0 to 1.

    Raises:
        ConfigError: An argument that cannot work.
    """

    path: str = field(converter=_table.check_path)
    k: int = field(default=4, validator=_positive)
    version: int | None = field(default=None, kw_only=True, validator=attrs.validators.optional(_positive))
    k1: float = field(default=1.5, kw_only=True, converter=_float, validator=_within(0.0, 10.0))
    b: float = field(default=0.75, kw_only=True, converter=_float, validator=_within(0.0, 1.0))
    _cache: _Cache = field(
        factory=_Cache, converter=_fresh, alias="_cache", kw_only=True, eq=False, repr=False
    )

    @classmethod
    def from_spec(cls, spec: Mapping[str, Json], *, location: Mapping[str, Json], base: Path) -> RagAugmenter:
        """Builds the augmenter that a contract names, and opens its table.

        What counts is which passages the table holds, not under which number: where the version is gone
        or holds something else, the newest hundred versions are searched for the snapshot.

        Args:
            spec: What `spec` returned when the contract was made.
            location: "path", with forward slashes, absolute or relative to ``base``; "version", None if
                unknown; "snapshot", identity of the passages. Without a snapshot the version is taken as it
                is, without both the newest one.
            base: Folder that the contract file is in.

        Raises:
            ContractMismatchError: This library would not find the same passages.
            ContractError: The location is not one.
            KnowledgeError: Neither snapshot nor version is given, and the table cannot serve.
            SnapshotError: The table is gone or no longer holds the passages.
        """
        path, version, snapshot = _place(location, base)
        if not isinstance(spec, Mapping):
            raise ContractMismatchError("augmenter", "its settings are none; make a new contract")
        try:
            made = cls(
                path, _number(spec, "k", int), k1=_number(spec, "k1", float), b=_number(spec, "b", float)
            )
        except (ConfigError, KeyError, TypeError) as error:
            raise ContractMismatchError(
                "augmenter", f"settings of RagAugmenter cannot be used: {error}"
            ) from error
        ours = made.spec
        differ = sorted(str(key) for key in {*spec, *ours} if spec.get(key, ...) != ours.get(key, ...))
        if differ:
            raise ContractMismatchError(
                "augmenter",
                f"RagAugmenter of this furytune differs in {', '.join(differ)};"
                " use the furytune that wrote the contract, or make a new contract and tune again",
            )
        state = _table.find(made.path, version, snapshot)
        made = evolve(made, version=state.version)
        made._cache.state = state  # noqa: SLF001  (it is read already)
        return made

    @property
    def spec(self) -> Mapping[str, Json]:
        """Everything but the passages that decides what is found."""
        return {
            "name": "rag",
            "k": self.k,
            "scorer": "bm25",
            "scorer_version": SCORER_VERSION,
            "tokenizer": TOKENIZER_VERSION,
            "k1": self.k1,
            "b": self.b,
        }

    @property
    def snapshot(self) -> str:
        """Digest of all passages of the pinned version; the order they were added in does not matter."""
        return self._load().snapshot

    @property
    def location(self) -> Mapping[str, Json]:
        """The absolute "path" of the table, with forward slashes, its pinned "version", and its "snapshot"."""
        state = self._load()
        return {"path": Path(self.path).as_posix(), "version": state.version, "snapshot": state.snapshot}

    @property
    def dated(self) -> bool:
        """Whether any passage carries a date, so that the moment of a question matters."""
        return any(p.date is not None for p in self._load().passages)

    def latest(self) -> RagAugmenter:
        """Returns the same augmenter, pinned to the newest version of the table.

        Raises:
            KnowledgeError: There is no such table.
        """
        return evolve(self, version=_table.newest(self.path))

    def context(self, question: str, *, at: datetime | None = None) -> tuple[Passage, ...]:
        """Returns the passages for a question, best first; equal scores are ordered by id.

        Args:
            question: The normalised question.
            at: The moment it is asked: passages dated at or after it are as if they did not exist. None is now.

        Raises:
            ConfigError: The moment has no time zone.
            KnowledgeError: The index cannot serve.
            SnapshotError: The pinned version is gone.
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
            ConfigError: There are not as many moments as questions, or one has no time zone.
            KnowledgeError: The index cannot serve.
            SnapshotError: The pinned version is gone.
        """
        if len(questions) != len(at):
            raise ConfigError(f"{len(questions)} questions need as many moments, not {len(at)}")
        if any(moment is not None and moment.utcoffset() is None for moment in at):
            raise ConfigError("a moment has no time zone; give it one, such as datetime.UTC")
        passages, index = self._load().passages, self._index()
        now = datetime.now(UTC)
        visible = [index.visible(moment or now) for moment in at]
        return [tuple(passages[i] for i in row) for row in index.top(questions, visible, self.k)]

    def _load(self) -> Loaded:
        cache = self._cache
        if cache.state is None:
            with _LOADING:
                if cache.state is None:
                    pinned = cache.pin[1] if cache.pin and cache.pin[0] == self.path else None
                    state = _table.load(self.path, self.version or pinned)
                    cache.pin, cache.state = (self.path, state.version), state
        return cache.state

    def _index(self) -> LexicalIndex:
        cache, passages = self._cache, self._load().passages
        if cache.index is None:
            with _LOADING:
                if cache.index is None:
                    cache.index = LexicalIndex(passages, k1=self.k1, b=self.b)
        return cache.index


def _place(location: object, base: Path) -> tuple[str, int | None, str]:
    unknown = ContractError("the contract does not say where the index is; make a new contract")
    if not isinstance(location, Mapping):
        raise unknown
    path, version = location.get("path"), location.get("version")
    snapshot = location.get("snapshot") or ""
    if not isinstance(path, str) or not isinstance(snapshot, str) or "version" not in location:
        raise unknown
    if version is not None and (
        isinstance(version, bool) or not isinstance(version, int) or not 1 <= version <= _MOST
    ):
        raise unknown
    try:
        return _table.check_path(base / path), version, snapshot
    except ConfigError as error:
        raise ContractError(f"the contract names an index that cannot be: {error}") from error


def _number(spec: Mapping[str, Json], name: str, kind: type) -> Any:
    value = spec[name]
    if isinstance(value, bool) or not isinstance(value, (int, kind)):
        raise TypeError(f"{name} is no number")
    return value
