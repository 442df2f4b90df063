"""Reads a data set back, one row at a time, each with the id that the manifest gives it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from attrs import define, field, frozen

from furytune._storage import manifests
from furytune.errors import TuningError
from furytune.records import DataFile, Dataset, Split
from furytune.tuners._jobs.service import Problem

__all__ = ["Findings", "Row", "check_unchanged", "ids", "json_rows"]

_LISTED = 20


@define
class Findings:
    """Problems of rows, gathered: a rule and the first ids that break it."""

    count: dict[str, int] = field(factory=dict)
    ids: dict[str, list[str]] = field(factory=dict)

    def add(self, rule: str, row: str) -> None:
        """Notes that a row breaks a rule."""
        self.count[rule] = self.count.get(rule, 0) + 1
        listed = self.ids.setdefault(rule, [])
        if len(listed) < _LISTED:
            listed.append(row)

    def problems(self) -> Iterator[Problem]:
        """Yields one problem for each rule that was broken."""
        for rule, count in self.count.items():
            yield Problem(detail=rule, ids=tuple(self.ids[rule]), count=count)


@frozen(kw_only=True)
class Row:
    """A row as it lies in its file.

    Attributes:
        id: Of the pair it was made from.
        split: Of the file.
        data: Its line without the line feed.
    """

    id: str
    split: Split
    data: bytes = field(repr=False)


def json_rows(dataset: Dataset, file: DataFile) -> Iterator[Row]:
    """Yields the rows of a JSON lines file, in flat memory.

    Raises:
        TuningError: The file or the manifest cannot be read, the bytes are not those that the manifest
            lists, or the two do not belong together. What was yielded before is then worth nothing.
    """
    names = ids(dataset, file.split)
    state = hashlib.sha256()
    try:
        with Path(file.path).open("rb") as lines:
            for line in lines:
                state.update(line)
                yield Row(id=next(names, ""), split=file.split, data=line.removesuffix(b"\n"))
    except OSError as error:
        raise TuningError(
            f"{file.path}: cannot be read: {error.strerror}; export the data set again"
        ) from None
    if state.hexdigest() != file.sha256:
        raise _changed(file)


def ids(dataset: Dataset, split: Split) -> Iterator[str]:
    """Yields the ids of a split's rows, in the order of its file.

    Raises:
        TuningError: The manifest cannot be read.
    """
    try:
        for line in manifests.source_lines(Path(dataset.manifest)):
            entry = json.loads(line)
            if entry["split"] == split:
                yield str(entry["id"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TuningError(
            f"{dataset.manifest}: no manifest that can be read ({type(error).__name__}); export the data set again"
        ) from None


def check_unchanged(file: DataFile) -> str:
    """Compares a file with the sha256 that its manifest lists.

    Returns:
        The md5 of its bytes in hexadecimal digits, which Cloud Storage compares with.

    Raises:
        TuningError: It differs, or cannot be read.
    """
    sha, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    try:
        with Path(file.path).open("rb") as source:
            while block := source.read(1 << 20):
                sha.update(block)
                md5.update(block)
    except OSError as error:
        raise TuningError(
            f"{file.path}: cannot be read: {error.strerror}; export the data set again"
        ) from None
    if sha.hexdigest() != file.sha256:
        raise _changed(file)
    return md5.hexdigest()


def _changed(file: DataFile) -> TuningError:
    return TuningError(
        f"{file.path}: is not the file that its manifest lists (its sha256 differs); it was changed after the "
        "export, so nothing is sent; export the data set again"
    )
