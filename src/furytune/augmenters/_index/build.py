"""Builds the index that `furytune.augmenters.rag.RagAugmenter` reads."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC
from pathlib import Path

from attrs import frozen

from furytune._values.canonical import canonical_json
from furytune._values.shown import Shown
from furytune.augmenters._index import tables
from furytune.augmenters._index.search import POSTINGS
from furytune.augmenters._index.snapshot import Loaded, Vectors, blob, digest_of
from furytune.augmenters._index.versions import CleanedIndex, drop_versions
from furytune.augmenters._search.as_of import Moments
from furytune.augmenters._search.postings import Postings, make_postings
from furytune.augmenters._search.vectors import numpy, whole
from furytune.augmenters.embedders import Embedder
from furytune.errors import ConfigError, KnowledgeError
from furytune.records import Dropped, Passage
from furytune.report.progress import progress

__all__ = ["IndexReport", "build_index"]

_BATCH = 256
_SOURCES = "give it passages: python_package(...), markup(...), or a list of Passage"


@frozen(kw_only=True, repr=False)
class IndexReport(Shown):
    """What building an index did.

    Attributes:
        path: Folder of the table, absolute.
        version: Number of the version that holds the passages.
        snapshot: Identity of the passages.
        passages: How many there are.
        dated: How many of them carry a date.
        unchanged: How many the version before held with equal title and text: they were not taken apart again,
            nor embedded.
        removed: How many passages of the version before are gone.
        embedded: How many texts the embedder was given.
        written: False where the index held equal passages already, so that no version was added.
        dropped: What was left out, and why, in the order it came.
        cleaned: Which versions of the index were removed, and why the others stay; None with ``clean=False``.
    """

    path: str
    version: int
    snapshot: str
    passages: int
    dated: int
    written: bool
    unchanged: int = 0
    removed: int = 0
    embedded: int = 0
    dropped: tuple[Dropped, ...] = ()
    cleaned: CleanedIndex | None = None

    def __str__(self) -> str:
        state = "written" if self.written else "unchanged"
        numbers = (f"{self.passages} passages", f"{self.dated} dated", f"{self.unchanged} unchanged")
        lines = [f"{self.path}  version {self.version} ({state})  {', '.join(numbers)}"]
        lines += [f"  no longer there {self.removed:>7}"] * bool(self.removed)
        lines += [f"  texts embedded  {self.embedded:>7}"] * bool(self.embedded)
        counts: dict[tuple[str, str], int] = {}
        for d in self.dropped:
            counts[d.unit, d.reason] = counts.get((d.unit, d.reason), 0) + d.count
        lines += [f"  left out {n:>7}  {unit:<8} {reason}" for (unit, reason), n in sorted(counts.items())]
        return "\n".join([*lines, *(self.cleaned.lines() if self.cleaned else [])])


def build_index(
    path: str | os.PathLike[str],
    *sources: Iterable[Passage | Dropped],
    embedder: Embedder | None = None,
    clean: bool = True,
) -> IndexReport:
    """Makes passages the newest version of an index.

    The index is a LanceDB table: ``lancedb.connect("kb").open_table("corpus")`` opens ``kb/corpus.lance``. It
    is replaced, not added to: what the sources no longer give is gone from the new version. Earlier versions that a
    contract may need stay readable, see `clean_index`; the others are removed. What did not change since the version before is neither
    taken apart nor embedded again. A build that is killed leaves the index as it was; of builds that run at once each
    makes a whole version.

    Args:
        path: Folder of the table, ending in ``.lance``; made if absent.
        sources: Streams of passages, such as `furytune.corpora.python_package.python_package` gives. They are
            read to the end before anything is written, and held in memory.
        embedder: Gives each passage a vector, of its title and text; without one the index has none and serves
            only ``mode="lexical"``. See `furytune.protocols.Embedder`.
        clean: Whether to remove versions that nobody needs, as `clean_index` does. False keeps all.

    Returns:
        An account of the passages and of what was left out. Added to the sources' own reasons are ``empty_text`` (nothing
        but white space), ``lone_surrogate`` (text that UTF-8 cannot carry) and ``bad_date`` (before year 1 or after
        9999 in UTC).

    Raises:
        ConfigError: The path cannot be an index, or a source gives something else than passages.
        KnowledgeError: Two passages have one id; there are no passages; the folder holds a table that is not
            an index; the embedder gives no vectors; or the index could not be written.
        MissingExtraError: LanceDB is not installed, or what the embedder needs.
    """
    place = tables.check_path(path)
    if embedder is not None and (isinstance(embedder, type) or not isinstance(embedder, Embedder)):
        raise ConfigError(f"{embedder!r:.60} is no embedder; see furytune.protocols.Embedder")
    for source in sources:
        _check_source(source)
    tables.check_installed()  # before hours of reading, or an embedding that is paid for
    found: dict[str, Passage] = {}
    dropped: list[Dropped] = []
    items = (item for source in sources for item in source)
    for item in progress(items, "reading", "passage"):
        if isinstance(item, Dropped):
            dropped.append(item)
        elif not isinstance(item, Passage):
            raise ConfigError(f"a source of build_index gave a {type(item).__name__}; {_SOURCES}")
        elif reason := _unfit(item):
            id_, where = (text.encode("utf-8", "replace").decode() for text in (item.id, item.source))
            dropped.append(Dropped(reason=reason, unit="record", ids=(id_,), where=where))
        elif item.id in found:
            raise KnowledgeError(
                f"two passages have the id {item.id!r}: {found[item.id].source or 'no source'} and"
                f" {item.source or 'no source'}; give one of them another id"
            )
        else:
            found[item.id] = item
    if not found:
        raise KnowledgeError(f"{place}: the sources gave no passages; an index that stood here still stands")
    passages = tuple(tables.utc(found[i]) for i in sorted(found))
    before = tables.newest_state(place)
    vectors, embedded = _embed(passages, before, embedder)
    postings = make_postings(passages, Moments(passages), before=_postings(place, before))
    wanted = Loaded(version=0, passages=passages, snapshot=digest_of(passages), vectors=vectors)
    blobs = {POSTINGS: postings.to_bytes(wanted.snapshot)}
    state, written = tables.store(place, wanted, blobs, before)
    old = {p.id: (p.title, p.text) for p in before.passages} if before else {}
    return IndexReport(
        path=place,
        version=state.version,
        snapshot=state.snapshot,
        passages=len(found),
        dated=sum(p.date is not None for p in passages),
        unchanged=sum(old.get(p.id) == (p.title, p.text) for p in passages),
        removed=len(old.keys() - found.keys()),
        embedded=embedded,
        written=written,
        dropped=tuple(dropped),
        cleaned=_cleaned(place) if clean else None,
    )


def _cleaned(path: str) -> CleanedIndex:
    # The new version stands, whatever becomes of the old ones; the next build tries again.
    try:
        return drop_versions(path)
    except KnowledgeError as error:
        return CleanedIndex(path=path, kept=(), obstacle=str(error))


def _postings(path: str, state: Loaded | None) -> tuple[Sequence[Passage], Postings] | None:
    if state is None:
        return None
    found = Postings.from_bytes(blob(Path(path), state.version, POSTINGS), state.snapshot)
    return None if found is None else (state.passages, found)


def _embed(
    passages: Sequence[Passage], before: Loaded | None, embedder: Embedder | None
) -> tuple[Vectors | None, int]:
    """Returns a vector for each passage, and how many texts had to be embedded for it."""
    if embedder is None:
        return None, 0
    np, spec, name = numpy(), dict(embedder.spec), str(embedder.spec.get("name"))
    rows = {}
    held = before.vectors if before else None
    if before and held and canonical_json(held.embedder) == canonical_json(spec):
        rows = {_shown(p): row for p, row in zip(before.passages, held.numbers, strict=True)}
    new = list(dict.fromkeys(text for text in map(_shown, passages) if text not in rows))
    batches = [new[i : i + _BATCH] for i in range(0, len(new), _BATCH)]
    for batch in progress(batches, "embedding", "batch"):
        rows.update(zip(batch, whole(embedder.embed(batch, kind="passage"), len(batch), name), strict=True))
    if len({len(row) for row in rows.values()}) > 1:
        raise KnowledgeError(f"the embedder {name} gave vectors of different lengths; look at its model file")
    return Vectors.of(spec, np.stack([rows[_shown(p)] for p in passages])), len(new)


def _shown(passage: Passage) -> str:
    """The text that is embedded: what a prompt shows of the passage, without where it comes from."""
    return f"{passage.title}\n{passage.text}" if passage.title else passage.text


def _check_source(source: object) -> None:
    # A text can be iterated, but by its characters.
    odd = isinstance(source, (str, bytes, os.PathLike, Mapping)) or not isinstance(source, Iterable)
    if odd:
        raise ConfigError(f"a source of build_index is a {type(source).__name__}; {_SOURCES}")


def _unfit(passage: Passage) -> str:
    if not passage.text.strip():
        return "empty_text"
    try:
        f"{passage.id}{passage.text}{passage.title}{passage.source}{passage.url}".encode()
    except UnicodeEncodeError:
        return "lone_surrogate"
    try:
        _ = passage.date and passage.date.astimezone(UTC)
    except OverflowError:
        return "bad_date"
    return ""
