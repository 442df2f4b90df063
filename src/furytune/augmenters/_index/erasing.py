"""Erases passages from all versions of an index.

LanceDB deletes by writing a new version, and the old ones stay readable. So furytune writes a new version without the
passages, and then removes all older versions, their copies and the files of killed writers. A mark in the folder says that
an erasure has begun, because after a crash nothing lists the files of a version that is already removed.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from attrs import frozen

from furytune._privacy.lineage import named_by, whole_numbers
from furytune._storage.durable import sweep, write_file
from furytune.augmenters._index import snapshot, tables, versions
from furytune.augmenters._index.arrow import COLUMNS
from furytune.errors import KnowledgeError
from furytune.records import Erased

__all__ = ["IndexPlace", "check", "erase"]

_COPIES = "_furytune"
_MARK = "erasing"
_FOREVER = timedelta(days=36_500)
# Lance writes ".tmpAbC123" or "NAME#1" and then renames it. If the writer is killed, Lance never removes the file.
_HALF_WRITTEN = re.compile(r"\.tmp\w+|.+#[0-9]+")


@frozen
class IndexPlace:
    """An index as a place that contains people's messages.

    Args:
        path: Folder of the table.
    """

    path: str

    def check(self) -> None:
        """Runs `check` on this index."""
        check(self.path)

    def erase(self, messages: Collection[str], people: Collection[str]) -> Erased:
        """Runs `erase` on this index."""
        removed, left = erase(self.path, messages, people)
        return Erased(kind="index", path=self.path, removed=removed, left=left)


def check(path: str) -> None:
    """Checks that the folder contains an index whose passages can be removed.

    Raises:
        ConfigError: The path cannot be an index.
        KnowledgeError: The index is missing, or was not made by furytune.
        MissingExtraError: LanceDB is not installed.
    """
    tables.newest(tables.check_path(path))


def erase(path: str, messages: Collection[str], people: Collection[str] = ()) -> tuple[int, int]:
    """Removes each passage whose id or source names one of the messages, and all old versions if any contains one.

    Passages that contain the id of one of the people are removed too: earlier furytune versions made such passages.

    An index without such passages is unchanged. Nothing else may write to the index at the same time. Readers of an old
    version lose it.

    Args:
        path: Folder of the table.
        messages: Ids of chat messages.
        people: Ids of people.

    Returns:
        How many passages were removed, from any version, and how many are left. An index without passages cannot be used
        until it is built again.

    Raises:
        KnowledgeError: The index cannot be read or written. Calling again continues the erasure.
    """
    place = Path(tables.check_path(path))
    wanted = _Wanted(frozenset(messages), whole_numbers(people))
    try:
        table = tables.open_index(str(place))
        versions.finish(
            place
        )  # files hidden by a killed clean-up are in no version, but may contain the text
        hits = _hits(table, wanted)
        begun = (place / _COPIES / _MARK).exists()
        if hits or begun:
            (place / _COPIES).mkdir(exist_ok=True)
            # The mark is written before anything is removed, so that a killed erasure is continued by the next call.
            write_file(place / _COPIES / _MARK, b"")
            left = _without(table, wanted)
            _clean(place, table)
        else:
            left = int(table.count_rows())
            _drop_orphans(place, table)
    except (OSError, RuntimeError, ValueError) as error:
        raise KnowledgeError(
            f"{place}: could not remove passages ({type(error).__name__}); check that nothing else uses the index, and run"
            " again"
        ) from error
    return len(hits), left


@frozen
class _Wanted:
    """Decides which passages must be removed."""

    messages: frozenset[str]
    people: re.Pattern[bytes] | None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns to read."""
        # Ids of messages are only in these two columns; ids of people may be in any text.
        return COLUMNS[:-1] if self.people else ("id", "source")

    def __call__(self, passage: Mapping[str, str]) -> bool:
        if not self.messages.isdisjoint(named_by(passage["id"], passage["source"])):
            return True
        return self.people is not None and any(self.people.search(v.encode()) for v in passage.values())


def _hits(table: Any, wanted: _Wanted) -> set[str]:
    """Returns the ids of the passages to remove, from all versions."""
    found: set[str] = set()
    newest = int(table.version)
    try:
        # Old versions count too: their files stay until a clean-up removes them.
        for entry in table.list_versions():
            table.checkout(int(entry["version"]))
            found.update(uid for uid, hit in _named(_rows(table, wanted), wanted) if hit)
    finally:
        table.checkout(newest)
        table.checkout_latest()
    return found


def _rows(table: Any, wanted: _Wanted) -> Any:
    return table.search().select([*wanted.columns]).limit(max(1, table.count_rows())).to_arrow()


def _named(arrow: Any, wanted: _Wanted) -> list[tuple[str, bool]]:
    return [(passage["id"], wanted(passage)) for passage in arrow.select(wanted.columns).to_pylist()]


def _without(table: Any, wanted: _Wanted) -> int:
    """Writes a version with the other passages, in their own columns; returns how many there are."""
    arrow = table.to_arrow()
    keep = [not hit for _, hit in _named(arrow, wanted)]
    if not all(keep):
        import pyarrow as pa

        # A delete would only mark rows as deleted, and keep the text in its file.
        table.add(arrow.filter(pa.array(keep)), mode="overwrite")
    return sum(keep)


def _clean(place: Path, table: Any) -> None:
    """Removes everything except the newest version, and ends the erasure."""
    newest = int(table.version)
    for tag, held in list(table.tags.list().items()):
        # A tag would keep its version, and with it the text.
        if int(held["version"]) != newest:
            table.tags.delete(tag)
    _prune(table, timedelta(0))
    _drop_half_written(place)
    copies = place / _COPIES
    sweep(copies)
    for copy in copies.iterdir():
        if copy.name != _MARK:
            copy.unlink()
    if table.count_rows():
        snapshot.keep(place, tables.load(str(place), None, vectors=True), {})
    (copies / _MARK).unlink()


def _drop_orphans(place: Path, table: Any) -> None:
    """Removes files that belong to no version: those of a killed writer may contain anything."""
    with suppress(FileNotFoundError):
        sweep(place / _COPIES)
    _drop_half_written(place)
    # A manifest contains the names of its files as plain text, so a search in its bytes is enough.
    manifests = b"".join(p.read_bytes() for p in (place / "versions").glob("*.manifest"))
    data = place / "data"
    if data.is_dir() and any(p.name.encode() not in manifests for p in data.iterdir()):
        _prune(table, _FOREVER)


def _drop_half_written(place: Path) -> None:
    """Removes files that a killed writer of Lance left behind."""
    for path in list(place.rglob("*")):
        if _HALF_WRITTEN.fullmatch(path.name) and path.is_file():
            path.unlink()


def _prune(table: Any, age: timedelta) -> None:
    """Lets Lance remove versions and files that are older than an age."""
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # Lance warns that readers lose old versions, which is the purpose here
        table.optimize(cleanup_older_than=age, delete_unverified=True)
