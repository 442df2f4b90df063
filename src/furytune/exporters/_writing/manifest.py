"""Writes and reads a data set's manifest: its files, the contract that rendered them, and the source of each row."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from furytune._privacy.lineage import named_messages
from furytune._storage import manifests
from furytune._storage.manifests import is_json_lines
from furytune._values.canonical import Json, canonical_json, plain
from furytune.errors import ExportError
from furytune.records import DataFile, Dataset, TrainingRow

__all__ = [
    "blocks",
    "encode_head",
    "encode_sources",
    "head_lines",
    "load_dataset",
    "source_ids",
]

_BLOCK = 1 << 20
_TAIL = b"]\n}\n"


# The order of the fields is the order of the bytes in a manifest, and equal rows must give equal bytes.
class _Entry(msgspec.Struct, omit_defaults=True, gc=False):
    """One row's source, as a manifest lists it.

    Attributes:
        id: Id of the row.
        split: "train" or "validation".
        group: The conversation.
        path: File that it was read from.
        line: Line of that file.
        guild: Server id.
        channel: Channel id.
        thread: Thread id.
        messages: Ids of the messages of question and answer.
        at: Moment of the question, as the augmenter saw it.
        quoted: Ids of messages that passages in the prompt quote.
    """

    id: str
    split: str
    group: str
    path: str = ""
    line: int | None = None
    guild: str = ""
    channel: str = ""
    thread: str = ""
    messages: tuple[str, ...] = ()
    at: datetime | None = None
    quoted: tuple[str, ...] = ()


def encode_sources(rows: Iterable[TrainingRow], encoder: msgspec.json.Encoder) -> bytes:
    """Returns one line for each row.

    The line contains the row's id, split, group and time, where it was read, the messages it was made from, and
    the messages that the passages of its prompt were made from: those are people's words as well.
    """
    return encoder.encode_lines(
        [
            _Entry(
                r.id,
                r.split,
                r.group,
                s.path,
                s.line,
                s.guild,
                s.channel,
                s.thread,
                r.messages,
                r.at,
                named_messages(r.prompt.passages) if r.prompt.passages else (),
            )
            for r in rows
            for s in (r.source,)
        ]
    )


def head_lines(
    *,
    files: Sequence[DataFile],
    folder: Path,
    dialect: str,
    escaped_formulas: bool,
    fingerprint: str,
    snapshot: str,
    form: Mapping[str, Json],
    counts: Mapping[str, Json],
    provenance: Sequence[Mapping[str, Json]] = (),
) -> bytes:
    """Returns the head of a manifest: everything before its sources.

    Args:
        files: The data files.
        folder: Folder of the manifest; names are relative to it.
        dialect: Dialect of the rows.
        escaped_formulas: Whether cells that look like formulas are escaped.
        fingerprint: Fingerprint of the contract.
        snapshot: Snapshot of the contract.
        form: Form of the contract.
        counts: See `furytune.report.Counts.as_json`; may be empty.
        provenance: What the collectors say about the origin of their data; may be empty.
    """
    head: dict[str, Json] = {
        "format": manifests.FORMAT,
        "contract": {"fingerprint": fingerprint, "snapshot": snapshot, "form": plain(form)},
        "counts": plain(counts),
        "dialect": dialect,
        "escaped_formulas": escaped_formulas,
        "files": [
            {
                "name": _relative(f.path, folder),
                "split": f.split,
                "rows": f.rows,
                "size": f.size,
                "sha256": f.sha256,
            }
            for f in files
        ],
    }
    if provenance:
        head["provenance"] = plain(provenance)
    return encode_head(head)


def encode_head(head: Mapping[str, Json]) -> bytes:
    """Returns the bytes of a head: one key per line, up to the line before the sources."""
    # One key per line, so that people can read the head, and readers stop before the sources.
    lines = [canonical_json(key) + b":" + canonical_json(value) + b",\n" for key, value in head.items()]
    return b"{\n" + b"".join(lines) + manifests.SOURCES + b"\n"


def load_dataset(manifest: str | os.PathLike[str]) -> Dataset:
    """Reads a manifest and checks its files against it.

    Args:
        manifest: Path of the manifest, such as ``train.jsonl.manifest.json``.

    Returns:
        The data set, as the exporter returned it.

    Raises:
        ExportError: The manifest is missing, damaged or incomplete, or a file is not the one it lists: the
            export was interrupted, or the file was changed since.
    """
    path = Path(manifest)
    try:
        head = manifests.read_head(path)
        sources = _count_sources(path)
        files = tuple(_listed(path, entry) for entry in head["files"])
        dataset = Dataset(
            files=files,
            manifest=str(path),
            dialect=str(head["dialect"]),
            fingerprint=str(head["contract"]["fingerprint"]),
            snapshot=str(head["contract"]["snapshot"]),
        )
    except OSError as error:
        raise ExportError(f"{path}: cannot be read: {error.strerror}; export the data set again") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ExportError(
            f"{path}: not a complete manifest of a data set; export the data set again"
        ) from error
    if sources != dataset.rows:
        raise ExportError(
            f"{path}: it lists the sources of {sources} rows, but its files have {dataset.rows} rows; "
            "export the data set again"
        )
    for file in files:
        _check(file, path)
    return dataset


def _listed(manifest: Path, entry: Mapping[str, Any]) -> DataFile:
    """Returns a file of a data set from its entry."""
    split: Literal["train", "validation"] = "validation" if entry["split"] == "validation" else "train"
    return DataFile(
        path=str(manifest.parent / str(entry["name"])),
        split=split,
        rows=int(entry["rows"]),
        size=int(entry["size"]),
        sha256=str(entry["sha256"]),
    )


def _check(file: DataFile, manifest: Path) -> None:
    """Compares a file with its entry.

    Raises:
        ExportError: Size, digest or number of rows differ.
    """
    again = (
        f"it is not the file that {manifest} lists: the export was interrupted, or the file was changed since; "
        "export the data set again"
    )
    try:
        size = Path(file.path).stat().st_size
        if size != file.size:
            raise ExportError(f"{file.path}: has {size} bytes instead of {file.size}; {again}")
        if manifests.sha256_of(blocks(file.path)) != file.sha256:
            raise ExportError(f"{file.path}: its sha256 differs; {again}")
        rows = _count_rows(file.path, quoted=not is_json_lines(file.path))
    except OSError as error:
        raise ExportError(f"{file.path}: cannot be read: {error.strerror}; {again}") from error
    if rows != file.rows:
        raise ExportError(f"{file.path}: has {rows} rows instead of {file.rows}; {again}")


def blocks(path: str) -> Iterator[bytes]:
    """Yields the bytes of a file, a mebibyte at a time."""
    with Path(path).open("rb") as source:
        while block := source.read(_BLOCK):
            yield block


def _count_rows(path: str, *, quoted: bool) -> int:
    """Counts records: lines, or for CSV the line ends outside of quotes, without the header."""
    rows = -1 if quoted else 0
    inside = False
    with Path(path).open("rb") as lines:
        for line in lines:
            inside ^= quoted and line.count(b'"') % 2 == 1
            rows += not inside
    return rows


def _count_sources(path: Path) -> int:
    """Counts the lines of the sources, and raises ValueError unless the manifest is complete."""
    count = 0
    last = b""
    with path.open("rb") as lines:
        for line in lines:
            if line.rstrip(b"\n") == manifests.SOURCES:
                break
        for line in lines:
            count += line.startswith(b"{")
            # A manifest that was cut off lacks its last bytes, whatever the rest looks like.
            last = (last + line)[-len(_TAIL) :]
    if last != _TAIL:
        raise ValueError("cut short")
    return count


def _relative(path: str, folder: Path) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()


def source_ids(lines: Iterable[bytes]) -> Iterator[str]:
    """Yields the ids from lines that `encode_sources` made."""
    for line in lines:
        yield json.loads(line.rstrip(b",\n"))["id"]
