"""Reads a data set back, row by row: what the model reads, what it should say, and where the row is from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from furytune import dialects
from furytune._storage import manifests
from furytune.errors import ExportError, FurytuneError
from furytune.records import DataFile, Dataset, Prompt, Source, Split, TrainingRow
from furytune.template import PromptTemplate

__all__ = ["head_of", "read_rows", "template_of"]

_CELL = re.compile(rb'"((?:[^"]|"")*+)"(?:,|\r\n)')


class _Entry(msgspec.Struct, gc=False):
    """What a manifest says about a row, as far as it is shown."""

    id: str
    split: str
    group: str = ""
    path: str = ""
    line: int | None = None
    guild: str = ""
    channel: str = ""
    thread: str = ""
    at: datetime | None = None
    messages: tuple[str, ...] = ()


def head_of(dataset: Dataset) -> Mapping[str, Any]:
    """Returns the head of a data set's manifest.

    Raises:
        ExportError: The manifest cannot be read.
    """
    try:
        return manifests.read_head(Path(dataset.manifest))
    except OSError as error:
        raise ExportError(
            f"{dataset.manifest}: cannot be read: {error.strerror}; export the data set again"
        ) from None
    except ValueError:
        raise ExportError(f"{dataset.manifest}: not a manifest; export the data set again") from None


def template_of(head: Mapping[str, Any]) -> PromptTemplate | None:
    """Returns the template that rendered the prompts; None if this version of furytune cannot read it."""
    try:
        return PromptTemplate.from_spec(head["contract"]["form"]["template"])
    except (FurytuneError, KeyError, TypeError):
        return None


def read_rows(dataset: Dataset) -> Iterator[TrainingRow]:
    """Yields the rows of a data set, in constant memory: the training rows first, each split in the order of export.

    They are as they were exported, except that their prompts have no `Prompt.passages` and `Prompt.left_out`.

    Raises:
        ExportError: A file cannot be read, or does not have the rows that the manifest lists. `load_dataset` also
            compares the digests of the files.
    """
    head = head_of(dataset)
    dialect = dialects.get(dataset.dialect)
    template = template_of(head)
    # Dialects without a field for it join the system instruction and the text with a blank line.
    joined = template.system if template and dialect.joins_system else ""
    escaped = bool(head.get("escaped_formulas"))
    for file in dataset.files:
        entries = _entries(dataset, file.split)
        try:
            for texts in _texts(file, dialect, escaped=escaped):
                entry = next(entries, None)
                if entry is None:
                    raise _differs(file, dataset)
                yield _row(entry, file.split, texts, joined)
        except OSError as error:
            raise ExportError(
                f"{file.path}: cannot be read: {error.strerror}; export the data set again"
            ) from error
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise _differs(file, dataset) from error
        if next(entries, None) is not None:
            raise _differs(file, dataset)


def _row(entry: _Entry, split: Split, texts: tuple[str, ...], joined: str) -> TrainingRow:
    *before, answer = texts
    system, text = ("", before[0]) if len(before) == 1 else (before[0], "".join(before[1:]))
    if joined and text.startswith(f"{joined}\n\n"):
        system, text = joined, text[len(joined) + 2 :]
    return TrainingRow(
        id=entry.id,
        split=split,
        group=entry.group,
        prompt=Prompt(text=text, system=system),
        answer=answer,
        at=entry.at,
        source=Source(
            path=entry.path, line=entry.line, guild=entry.guild, channel=entry.channel, thread=entry.thread
        ),
        messages=entry.messages,
    )


def _entries(dataset: Dataset, split: Split) -> Iterator[_Entry]:
    decode = msgspec.json.Decoder(_Entry).decode
    try:
        for line in manifests.source_lines(Path(dataset.manifest)):
            entry = decode(line)
            if entry.split == split:
                yield entry
    except (OSError, msgspec.MsgspecError):
        raise ExportError(f"{dataset.manifest}: cannot be read; export the data set again") from None


def _texts(file: DataFile, dialect: dialects.Dialect, *, escaped: bool) -> Iterator[tuple[str, ...]]:
    """Yields the texts of each row, the answer last."""
    json_lines = manifests.is_json_lines(file.path)
    with Path(file.path).open("rb") as lines:
        if json_lines:
            yield from (dialect.texts(json.loads(line)) for line in lines)
            return
        records = _records(lines)
        next(records, None)
        for cells in records:
            texts = tuple(cell.replace(b'""', b'"').decode() for cell in cells)
            if len(texts) != 2:
                raise ValueError("not two cells")
            yield tuple(map(manifests.unescape_formula, texts)) if escaped else texts


def _records(lines: Iterator[bytes] | Any) -> Iterator[list[bytes]]:
    """Yields the cells of each record. A record ends at the line end after an even number of quotes."""
    record, quotes = bytearray(), 0
    for line in lines:
        record += line
        quotes += line.count(b'"')
        if quotes % 2 == 0:
            yield list(_cells(bytes(record)))
            record, quotes = bytearray(), 0


def _cells(record: bytes) -> Iterator[bytes]:
    """Yields the cells of a record, one after the other: a search would begin again at each quote."""
    at = 0
    while at < len(record):
        cell = _CELL.match(record, at)
        if cell is None:
            raise ValueError("not a record as an exporter writes it")
        yield cell[1]
        at = cell.end()


def _differs(file: DataFile, dataset: Dataset) -> ExportError:
    return ExportError(
        f"{file.path}: does not have the rows that {dataset.manifest} lists: the export was interrupted, or the file was "
        "changed since; export the data set again"
    )
