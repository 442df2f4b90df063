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
_SOURCES = "pass python_package(...), markup(...), or a list of Passage"


@frozen(kw_only=True, repr=False)
class IndexReport(Shown):
    """The result of building an index.

    Attributes:
        path: Folder of the table, absolute.
        version: Number of the version that contains the passages.
        snapshot: Identity of the passages.
        passages: How many there are.
        dated: How many of them have a date.
        unchanged: How many have the same title and text as in the previous version, so that they were not analysed or
            embedded again.
        removed: How many passages of the previous version are not in this one.
        embedded: How many texts were embedded.
        written: False if the index already contained equal passages, so that no version was added.
        dropped: What was left out, and why, in the order of the sources.
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
    """Makes the passages of all sources the newest version of an index.

    The index is a LanceDB table: ``lancedb.connect("kb").open_table("corpus")`` opens ``kb/corpus.lance``. Its content is
    replaced, not extended: passages that the sources no longer give are missing from the new version. Earlier versions
    that a contract may need stay readable, see `clean_index`; the others are removed. Passages that have not changed
    since the previous version are not analysed or embedded again. If a build is killed, the index is unchanged. Builds
    that run at the same time each make a complete version.

    Args:
        path: Folder of the table, ending in ``.lance``; made if missing.
        sources: Streams of passages, such as `furytune.corpora.python_package.python_package` returns. All are read into
            memory before anything is written.
        embedder: Makes a vector for each passage, from its title and text. Without an embedder the index has no vectors
            and supports only ``mode="lexical"``. See `furytune.protocols.Embedder`.
        clean: Whether to remove versions that nothing needs, as `clean_index` does. False keeps all versions.

    Returns:
        A report on the passages and on what was left out. The reasons are those of the sources, and ``empty_text`` (only
        white space), ``lone_surrogate`` (text that UTF-8 cannot encode) and ``bad_date`` (before year 1 or after 9999
        in UTC).

    Raises:
        ConfigError: The path cannot be an index, or a source gives something other than passages.
        KnowledgeError: Two passages have the same id; the sources give no passages; the folder contains a table that is
            not an index; the embedder returns no valid vectors; or the index could not be written.
        MissingExtraError: LanceDB is not installed, or a package that the embedder needs.
    """
    place = tables.check_path(path)
    if embedder is not None and (isinstance(embedder, type) or not isinstance(embedder, Embedder)):
        raise ConfigError(f"{embedder!r:.60} is not an embedder; see furytune.protocols.Embedder")
    for source in sources:
        _check_source(source)
    tables.check_installed()  # first: reading may take hours, and embedding may cost money
    found: dict[str, Passage] = {}
    dropped: list[Dropped] = []
    items = (item for source in sources for item in source)
    for item in progress(items, "reading", "passage"):
        if isinstance(item, Dropped):
            dropped.append(item)
        elif not isinstance(item, Passage):
            raise ConfigError(f"a source of build_index returned a {type(item).__name__}; {_SOURCES}")
        elif reason := _unfit(item):
            # The report must be writable even if the passage is not.
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
        raise KnowledgeError(
            f"{place}: the sources gave no passages; check their paths (an existing index is unchanged)"
        )
    passages = tuple(tables.utc(found[i]) for i in sorted(found))
    # Only the newest version can save work: its postings and vectors are reused for unchanged texts.
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
    """Removes old versions, and returns what happened."""
    # The new version is written; a failed clean-up must not fail the build, and the next build tries again.
    try:
        return drop_versions(path)
    except KnowledgeError as error:
        return CleanedIndex(path=path, kept=(), obstacle=str(error))


def _postings(path: str, state: Loaded | None) -> tuple[Sequence[Passage], Postings] | None:
    """Returns the passages and stored terms of a version, None if it has none."""
    if state is None:
        return None
    found = Postings.from_bytes(blob(Path(path), state.version, POSTINGS), state.snapshot)
    return None if found is None else (state.passages, found)


def _embed(
    passages: Sequence[Passage], before: Loaded | None, embedder: Embedder | None
) -> tuple[Vectors | None, int]:
    """Returns a vector for each passage, and how many texts were embedded to get them.

    Args:
        passages: The passages, in ascending order of id.
        before: The newest version, whose vectors are reused for unchanged texts.
        embedder: The model; None for an index without vectors.

    Raises:
        KnowledgeError: The embedder gave vectors of different lengths.
    """
    if embedder is None:
        return None, 0
    np, spec, name = numpy(), dict(embedder.spec), str(embedder.spec.get("name"))
    rows = {}
    held = before.vectors if before else None
    # Vectors of another model, or of other model files, cannot be compared with these.
    if before and held and canonical_json(held.embedder) == canonical_json(spec):
        rows = {_shown(p): row for p, row in zip(before.passages, held.numbers, strict=True)}
    # Equal texts are embedded once.
    new = list(dict.fromkeys(text for text in map(_shown, passages) if text not in rows))
    batches = [new[i : i + _BATCH] for i in range(0, len(new), _BATCH)]
    for batch in progress(batches, "embedding", "batch"):
        rows.update(zip(batch, whole(embedder.embed(batch, kind="passage"), len(batch), name), strict=True))
    if len({len(row) for row in rows.values()}) > 1:
        raise KnowledgeError(f"the embedder {name} gave vectors of different lengths; check its model file")
    return Vectors.of(spec, np.stack([rows[_shown(p)] for p in passages])), len(new)


def _shown(passage: Passage) -> str:
    """Returns the text to embed: what a prompt shows of the passage, without its source."""
    return f"{passage.title}\n{passage.text}" if passage.title else passage.text


def _check_source(source: object) -> None:
    """Raises ConfigError for a value that is not a stream of passages, before anything is read."""
    # A string is iterable too, but would give its characters.
    odd = isinstance(source, (str, bytes, os.PathLike, Mapping)) or not isinstance(source, Iterable)
    if odd:
        raise ConfigError(f"a source of build_index is a {type(source).__name__}; {_SOURCES}")


def _unfit(passage: Passage) -> str:
    """Returns why a passage cannot be stored, "" if it can."""
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
