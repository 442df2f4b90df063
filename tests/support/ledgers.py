"""Writes and reads the records of tuning runs: the one module of the helpers that knows how they are stored."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from furytune.records import Dataset
from furytune.tuners._jobs import lineage
from furytune.tuners._jobs.ledger import Entry, Ledger
from furytune.tuners._jobs.submission import Submission

__all__ = [
    "alone",
    "entries",
    "entry",
    "ledger",
    "note_messages",
    "read",
    "rows_that_hold",
    "submission",
    "write",
]


def entry(key: str = "k", step: str = "PLANNED", **fields: Any) -> Entry:
    """The record of a run that reached a step."""
    return Entry(
        **{
            "key": key,
            "run": "run",
            "step": step,
            "at": 1.0,
            "backend": "vertex",
            "place": "p/l",
            "manifest": "m",
            "fingerprint": "f",
            "settings": {},
            **fields,
        }
    )


def ledger(folder: Path) -> Ledger:
    """The records in a folder."""
    return Ledger(folder)


def submission(**parts: Any) -> Submission:
    """A submission whose parts a test chooses, such as a ledger that dies."""
    return Submission(**parts)


def write(folder: Path, record: Entry) -> None:
    """Stores the record of a run."""
    Ledger(folder).write(record)


def read(folder: Path, key: str) -> Entry | None:
    """The record of a run, None without one."""
    return Ledger(folder).read(key)


def entries(folder: Path) -> list[Entry]:
    """All records; raises an error if one is not whole."""
    return list(Ledger(folder).entries())


def alone(folder: Path, key: str) -> AbstractContextManager[None]:
    """Holds the lock of a run, as a process does that submits it."""
    return Ledger(folder).alone(key)


def note_messages(folder: Path, key: str, dataset: Dataset) -> None:
    """Stores which messages the rows of a run were made from."""
    lineage.note(folder, key, dataset)


def rows_that_hold(folder: Path, key: str, messages: set[str]) -> int | None:
    """How many rows of a run were made from one of the messages, None if it is not known."""
    return lineage.rows_that_hold(folder, key, messages)
