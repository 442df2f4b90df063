"""Builds the index that `furytune.augmenters.rag.RagAugmenter` reads."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import UTC

from attrs import frozen

from furytune._progress import progress
from furytune.augmenters import _table
from furytune.errors import ConfigError, KnowledgeError
from furytune.records import Dropped, Passage

__all__ = ["IndexReport", "build_index"]

_SOURCES = "give it passages: python_package(...), markup(...), or a list of Passage"


@frozen(kw_only=True)
class IndexReport:
    """What building an index did.

    Attributes:
        path: Folder of the table, absolute.
        version: Number of the version that holds the passages.
        snapshot: Identity of the passages.
        passages: How many there are.
        dated: How many of them carry a date.
        written: False where the index held equal passages already, so that no version was added.
        dropped: What was left out, and why, in the order it came.
    """

    path: str
    version: int
    snapshot: str
    passages: int
    dated: int
    written: bool
    dropped: tuple[Dropped, ...] = ()

    def __str__(self) -> str:
        state = "written" if self.written else "unchanged"
        lines = [
            f"{self.path}  version {self.version} ({state})  {self.passages} passages, {self.dated} dated"
        ]
        counts: dict[tuple[str, str], int] = {}
        for d in self.dropped:
            counts[d.unit, d.reason] = counts.get((d.unit, d.reason), 0) + d.count
        lines += [f"  left out {n:>7}  {unit:<8} {reason}" for (unit, reason), n in sorted(counts.items())]
        return "\n".join(lines)


def build_index(path: str | os.PathLike[str], *sources: Iterable[Passage | Dropped]) -> IndexReport:
    """Makes passages the newest version of an index.

    The index is a LanceDB table: ``lancedb.connect("kb").open_table("corpus")`` opens ``kb/corpus.lance``. It
    is replaced, not added to; earlier versions stay readable for whoever is pinned to them. A build that
    is killed leaves the index as it was; of builds that run at once each makes a whole version.

    Args:
        path: Folder of the table, ending in ``.lance``; made if absent.
        sources: Streams of passages, such as `furytune.corpora.python_package.python_package` gives. They are
            read to the end before anything is written, and held in memory.

    Returns:
        An account of the passages and of what was left out. Added to the sources' own reasons are ``empty_text`` (nothing
        but white space), ``lone_surrogate`` (text that UTF-8 cannot carry) and ``bad_date`` (before year 1 or after
        9999 in UTC).

    Raises:
        ConfigError: The path cannot be an index, or a source gives something else than passages.
        KnowledgeError: Two passages have one id; there are no passages; the folder holds a table that is not
            an index; or it could not be written.
        MissingExtraError: LanceDB is not installed.
    """
    place = _table.check_path(path)
    for source in sources:
        _check_source(source)
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
    state, written = _table.store(place, [found[i] for i in sorted(found)])
    return IndexReport(
        path=place,
        version=state.version,
        snapshot=state.snapshot,
        passages=len(found),
        dated=sum(p.date is not None for p in found.values()),
        written=written,
        dropped=tuple(dropped),
    )


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
