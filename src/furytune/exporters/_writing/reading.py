"""Reads the answers of a data set again, each with the id of its row."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from furytune import dialects
from furytune._privacy.lineage import decode_row
from furytune._storage import manifests
from furytune.errors import ExportError
from furytune.exporters._writing.manifest import is_json_lines
from furytune.records import Dataset

__all__ = ["answers"]

_CELL: Final = re.compile(r'"((?:[^"]|"")*+)"')


def answers(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Yields id and answer of each row, in the order of the files.

    Raises:
        ExportError: A file cannot be read, or is not as an exporter wrote it.
    """
    manifest = Path(dataset.manifest)
    try:
        escaped = bool(manifests.read_head(manifest).get("escaped_formulas"))
        for file in dataset.files:
            ids = (r.id for r in map(decode_row, manifests.source_lines(manifest)) if r.split == file.split)
            quoted = not is_json_lines(file.path)
            texts = (
                _cells(Path(file.path), escaped=escaped)
                if quoted
                else _rows(Path(file.path), dataset.dialect)
            )
            yield from zip(ids, texts, strict=True)
    except OSError as error:
        raise ExportError(
            f"{error.filename or manifest}: cannot be read: {error.strerror}; export the data set again"
        ) from error
    except (ValueError, KeyError, TypeError, IndexError, msgspec.MsgspecError) as error:
        raise ExportError(
            f"{manifest}: its files are not as an exporter wrote them; export the data set again"
        ) from error


def _rows(path: Path, name: str) -> Iterator[str]:
    """Yields the answers of a JSON lines file."""
    dialect = dialects.get(name)
    with path.open("rb") as lines:
        for line in lines:
            yield dialect.texts(json.loads(line))[-1]


def _cells(path: Path, *, escaped: bool) -> Iterator[str]:
    """Yields the last cell of each record of a CSV file, without the header."""
    record, first = "", True
    with path.open(encoding="utf-8", newline="") as lines:
        for line in lines:
            record += line
            # Doubled quotes come in pairs, so a record ends where the number of quotes is even.
            if record.count('"') % 2:
                continue
            if not first:
                text = _CELL.findall(record)[-1].replace('""', '"')
                yield manifests.unescape_formula(text) if escaped else text
            record, first = "", False
