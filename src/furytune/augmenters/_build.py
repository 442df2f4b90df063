"""Builds the index that `furytune.augmenters.rag.RagAugmenter` reads."""

from __future__ import annotations

import os
from collections.abc import Iterable

from attrs import frozen

from furytune._progress import progress
from furytune.augmenters import _table
from furytune.errors import KnowledgeError
from furytune.records import Dropped, Passage

__all__ = ["IndexReport", "build_index"]


@frozen(kw_only=True)
class IndexReport:
    """What building an index did.

    Attributes:
        path: Folder of the table.
        version: Number of its newest version, which holds the passages.
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
    is killed leaves the index as it was.

    Args:
        path: Folder of the table, ending in ``.lance``; made if absent.
        sources: Streams of passages, such as `furytune.corpora.python_package.python_package` gives. They are
            read to the end before anything is written, and held in memory.

    Returns:
        An account of the passages and of what was left out. Added to the sources' own reasons are ``empty_text`` (nothing
        but white space) and ``lone_surrogate`` (text that UTF-8 cannot carry).

    Raises:
        ConfigError: The path cannot be an index.
        KnowledgeError: Two passages have one id; there are no passages; the folder holds a table that is not
            an index; or it could not be written.
        MissingExtraError: LanceDB is not installed.
    """
    place = _table.check_path(os.fspath(path))
    found: dict[str, Passage] = {}
    dropped: list[Dropped] = []
    items = (item for source in sources for item in source)
    for item in progress(items, "reading", "passage"):
        reason = "" if isinstance(item, Dropped) else _unfit(item)
        if isinstance(item, Dropped):
            dropped.append(item)
        elif reason:
            where = item.source.encode("utf-8", "replace").decode()
            dropped.append(Dropped(reason=reason, unit="record", where=where))
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


def _unfit(passage: Passage) -> str:
    if not passage.text.strip():
        return "empty_text"
    try:
        f"{passage.id}{passage.text}{passage.title}{passage.source}{passage.url}".encode()
    except UnicodeEncodeError:
        return "lone_surrogate"
    return ""
