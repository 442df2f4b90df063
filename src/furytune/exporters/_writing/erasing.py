"""Removes rows from a data set on disk; the other rows keep their bytes and their order.

A data set is several files, and only a single rename is atomic. So erasing first writes a plan into the manifest: which
rows to remove, and what the files will be. Then it replaces the files, and last the manifest, without the plan. After a
crash, the next call finds the plan and finishes it: the plan contains everything needed, and the result is the same.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from attrs import frozen

from furytune._privacy.lineage import decode_row, names, whole_numbers
from furytune._storage import manifests
from furytune._storage.durable import StagedFile, staged, sweep
from furytune._storage.manifests import is_json_lines
from furytune._values.canonical import Json
from furytune.errors import ExportError
from furytune.exporters._writing.manifest import blocks, encode_head, load_dataset
from furytune.records import Erased

__all__ = ["DatasetPlace", "check", "erase", "rows_naming"]

_PLAN = "forgetting"
_BLOCK = 1 << 20


@frozen
class DatasetPlace:
    """A data set, as a place that contains people's messages.

    Args:
        manifest: Path of its manifest.
    """

    manifest: Path

    def check(self) -> None:
        """Checks the data set; see `check`."""
        check(self.manifest)

    def erase(self, messages: Collection[str], people: Collection[str]) -> Erased:
        """Removes rows, see `erase`, and the temporary files that killed processes left behind."""
        removed, left = erase(self.manifest, messages, people)
        files = manifests.read_head(self.manifest)["files"]
        folders = {(self.manifest.parent / str(file["name"])).resolve().parent for file in files}
        for folder in {self.manifest.parent, *folders}:
            sweep(folder)
        return Erased(kind="data set", path=str(self.manifest), removed=removed, left=left)


def check(manifest: Path) -> None:
    """Raises ExportError unless rows can be removed: the data set must be whole, or have an unfinished plan."""
    try:
        head = manifests.read_head(manifest)
        if _PLAN not in head:
            load_dataset(manifest)
    except OSError as error:
        raise ExportError(
            f"{manifest}: cannot be read: {error.strerror}; nothing was changed; give the path of a data set's manifest"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ExportError(
            f"{manifest}: not a complete manifest of a data set; nothing was changed; give the file that ends with "
            ".manifest.json, or export the data set again"
        ) from error


def erase(manifest: Path, messages: Collection[str], people: Collection[str] = ()) -> tuple[int, int]:
    """Removes every row that was made from one of the messages, or quotes one in its prompt.

    It also removes rows that contain the id of one of the people, which older versions made, and removes all these ids
    from the examples of dropped items. If there is nothing to remove, no file changes.

    Args:
        manifest: Manifest of the data set.
        messages: Ids of chat messages.
        people: Ids of people.

    Returns:
        The number of removed rows, including those of an interrupted call, and the number of rows that are left.

    Raises:
        ExportError: The files are not those that the manifest lists, or cannot be written. Call again to resume.
    """
    try:
        head = manifests.read_head(manifest)
        finished = 0
        if _PLAN in head:
            finished = len(head[_PLAN]["rows"])
            _finish(manifest, head)
            head = manifests.read_head(manifest)
        load_dataset(manifest)
        wanted = messages if isinstance(messages, (set, frozenset)) else frozenset(messages)
        naming = whole_numbers(people)
        gone = [row.id for row in _rows(manifest) if not wanted.isdisjoint(row.holds())]
        if naming:
            gone += set(_naming(manifest, head, naming)).difference(gone)
        counts = _recounted(head["counts"], frozenset(gone), wanted | frozenset(people))
        if gone:
            # The plan is in the manifest before any file changes, so an interrupted removal can be finished.
            head[_PLAN] = {
                "rows": gone,
                "files": [_after(manifest, f, frozenset(gone)) for f in head["files"]],
                "counts": counts,
            }
            _write(manifest, head, keep=None)
            _finish(manifest, head)
            head = manifests.read_head(manifest)
        elif counts != head["counts"]:
            _write(manifest, {**head, "counts": counts}, keep=None)
    except OSError as error:
        raise ExportError(
            f"{error.filename or manifest}: cannot be written: {error.strerror or type(error).__name__}; "
            "fix the cause and run again to finish"
        ) from error
    except (ValueError, KeyError, TypeError, msgspec.MsgspecError) as error:
        raise ExportError(
            f"{manifest}: not a complete manifest of a data set; export the data set again"
        ) from error
    return finished + len(gone), sum(int(f["rows"]) for f in head["files"])


def rows_naming(manifest: Path, people: Collection[str], messages: Collection[str]) -> int:
    """Returns how many rows contain the id of one of the people, but none of the messages."""
    naming = whole_numbers(people)
    head = manifests.read_head(manifest)
    if naming is None or _PLAN in head:
        return 0
    hits = set(_naming(manifest, head, naming))
    return sum(row.id in hits and set(row.holds()).isdisjoint(messages) for row in _rows(manifest))


def _naming(manifest: Path, head: Mapping[str, Any], naming: re.Pattern[bytes]) -> Iterator[str]:
    """Yields the ids of rows that contain a person's id, in the data or in their manifest entry."""
    for file in head["files"]:
        path = manifest.parent / file["name"]
        records = _records(path)
        if not is_json_lines(str(path)):
            next(records)
        lines = ((decode_row(line), line) for line in manifests.source_lines(manifest))
        ours = ((row, line) for row, line in lines if row.split == file["split"])
        for record, (row, line) in zip(records, ours, strict=True):
            if naming.search(record) or naming.search(line):
                yield row.id


def _finish(manifest: Path, head: dict[str, Any]) -> None:
    """Carries out the plan in a manifest.

    Raises:
        ExportError: A file changed after the plan was made.
    """
    plan = head.pop(_PLAN)
    gone = frozenset(plan["rows"])
    with staged() as group:
        for before, after in zip(head["files"], plan["files"], strict=True):
            path = manifest.parent / before["name"]
            if after["rows"] == 0 and before["split"] == "validation":
                group.remove(path)  # a data set without validation rows has no file for them
                continue
            if _sha256(path) == after["sha256"]:  # replaced before the crash
                continue
            file = group.open(path)
            made = hashlib.sha256()
            for record in _kept(manifest, before, gone):
                made.update(record)
                file.write(record)
            if made.hexdigest() != after["sha256"]:
                raise ExportError(
                    f"{path}: is not the file that its manifest lists: it was changed while rows were removed; "
                    "export the data set again, or delete it"
                )
        head["files"] = [f for f in plan["files"] if f["rows"] or f["split"] == "train"]
        head["counts"] = plan["counts"]
        head["forgotten"] = head.get("forgotten", 0) + len(gone)
        _fill(group.open(manifest), manifest, head, lambda row: row not in gone)


def _write(manifest: Path, head: Mapping[str, Json], *, keep: Callable[[str], bool] | None) -> None:
    with staged() as group:
        _fill(group.open(manifest), manifest, head, keep)


def _fill(
    file: StagedFile, manifest: Path, head: Mapping[str, Json], keep: Callable[[str], bool] | None
) -> None:
    """Writes a manifest with a new head, and the sources of the rows to keep.

    Args:
        file: The new manifest.
        manifest: The old one.
        head: The new head.
        keep: Decides by the row's id; None keeps all rows.
    """
    file.write(encode_head(head))
    waiting: list[bytes] = []
    size = 0
    between = b""
    for line in manifests.source_lines(manifest):
        if keep is not None and not keep(decode_row(line).id):
            continue
        waiting += (between, line)
        between = b",\n"
        size += len(line)
        if size > _BLOCK:
            file.write(b"".join(waiting))
            waiting.clear()
            size = 0
    file.write(b"".join([*waiting, b"\n]\n}\n" if between else b"]\n}\n"]))


def _rows(manifest: Path) -> Iterator[Any]:
    return map(decode_row, manifests.source_lines(manifest))


def _kept(manifest: Path, file: Mapping[str, Any], gone: Collection[str]) -> Iterator[bytes]:
    """Yields the bytes of the rows to keep in a file, including its header."""
    path = manifest.parent / file["name"]
    records = _records(path)
    if not is_json_lines(str(path)):
        yield next(records)
    rows = (row.id for row in _rows(manifest) if row.split == file["split"])
    for record, row in zip(records, rows, strict=True):
        if row not in gone:
            yield record


def _records(path: Path) -> Iterator[bytes]:
    """Yields the records of a file: lines, or for CSV the parts that end at a line break outside of quotes."""
    quoted = not is_json_lines(str(path))
    inside = False
    parts: list[bytes] = []
    with path.open("rb") as lines:
        for line in lines:
            # Doubled quotes come in pairs, so an odd number opens or closes a cell.
            inside ^= quoted and line.count(b'"') % 2 == 1
            parts.append(line)
            if not inside:
                yield b"".join(parts)
                parts.clear()


def _after(manifest: Path, file: Mapping[str, Any], gone: Collection[str]) -> dict[str, Any]:
    """Returns a file's manifest entry as it will be after the removal."""
    made = hashlib.sha256()
    rows = size = 0
    for record in _kept(manifest, file, gone):
        made.update(record)
        size += len(record)
        rows += 1
    if not is_json_lines(str(manifest.parent / file["name"])):
        rows -= 1
    return {**file, "rows": rows, "size": size, "sha256": made.hexdigest()}


def _sha256(path: Path) -> str:
    return manifests.sha256_of(blocks(str(path))) if os.path.lexists(path) else ""


def _recounted(
    counts: Mapping[str, Any], gone: Collection[str], wanted: frozenset[str] | set[str]
) -> dict[str, Any]:
    """Returns the counts with the removed rows counted as dropped, and without examples that name them."""
    if not counts:
        return {}
    dropped = [
        {**d, "examples": [e for e in d["examples"] if e not in gone and wanted.isdisjoint(names(e))]}
        for d in counts["dropped"]
    ]
    if not gone:
        return {**counts, "dropped": dropped}
    entry = next((d for d in dropped if (d["unit"], d["reason"]) == ("pair", "forgotten")), None)
    if entry is None:
        entry = {"unit": "pair", "reason": "forgotten", "count": 0, "examples": []}
        dropped = sorted([*dropped, entry], key=lambda d: (d["unit"], d["reason"]))
    entry["count"] += len(gone)
    return {**counts, "rows": counts["rows"] - len(gone), "dropped": dropped}
