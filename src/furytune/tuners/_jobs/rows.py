"""Reads the rows of a data set one by one, each with its id from the manifest."""

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
    """Collects the problems of rows: each broken rule, with the first ids that break it."""

    count: dict[str, int] = field(factory=dict)
    ids: dict[str, list[str]] = field(factory=dict)

    def add(self, rule: str, row: str) -> None:
        """Notes that a row breaks a rule."""
        self.count[rule] = self.count.get(rule, 0) + 1
        listed = self.ids.setdefault(rule, [])
        if len(listed) < _LISTED:
            listed.append(row)

    def problems(self) -> Iterator[Problem]:
        """Yields one problem for each broken rule."""
        for rule, count in self.count.items():
            yield Problem(detail=rule, ids=tuple(self.ids[rule]), count=count)


@frozen(kw_only=True)
class Row:
    """A row as it is in its file.

    Attributes:
        id: Id of the pair it was made from.
        split: Split of the file.
        data: The line, without its line feed.
    """

    id: str
    split: Split
    data: bytes = field(repr=False)


def json_rows(dataset: Dataset, file: DataFile) -> Iterator[Row]:
    """Yields the rows of a JSON lines file, in constant memory.

    Raises:
        TuningError: The file or the manifest cannot be read, or the file is not the one that the manifest
            lists. Discard the rows that were yielded before.
    """
    names = ids(dataset, file.split)
    # Hashed while reading, so that a large file is read once; the price is that a change shows only at the end.
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
            f"{dataset.manifest}: the manifest cannot be read ({type(error).__name__}); export the data set again"
        ) from None


def check_unchanged(file: DataFile) -> str:
    """Compares a file with the sha256 that its manifest lists.

    Returns:
        The md5 of its bytes as hexadecimal digits, to compare with Cloud Storage's.

    Raises:
        TuningError: The file differs, or cannot be read.
    """
    # Cloud Storage reports an md5, so both digests are made in one pass.
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
    """Returns the error for a file that was changed after its export."""
    return TuningError(
        f"{file.path}: is not the file that its manifest lists (its sha256 differs); it was changed after the "
        "export, so nothing was sent; export the data set again"
    )
