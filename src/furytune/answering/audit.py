"""The audit log: what was asked and sent, as digests, so that it can be proved later that prompts were the contract's."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec
from attrs import frozen

from furytune._storage.appending import append, oldest, replace
from furytune._storage.system import system_errors_as
from furytune.contract import PromptContract
from furytune.errors import AnswerError, FurytuneError, SourceError
from furytune.records import Erased

__all__ = ["Audited", "Entry", "Status", "audit", "note", "prune", "request_digest"]

_encode = msgspec.json.Encoder().encode
_LINE = 1 << 16
"""Most bytes of a line. An entry has about 500."""

Status = Literal["prompt", "asked", "answered", "refused", "failed", "stopped"]


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line of the audit log. It contains no text.

    Attributes:
        id: Id of the completion.
        time: The moment of the question, for which the prompt was rendered.
        request: Digest of the question.
        prompt: Digest of the prompt, as `furytune.records.Prompt.digest`.
        fingerprint: Fingerprint of the contract.
        snapshot: Snapshot of the knowledge.
        status: "prompt" (only the prompt was returned) or "asked", then what became of the answer.
    """

    id: str
    time: datetime
    request: str
    prompt: str
    fingerprint: str
    snapshot: str
    status: Status


def request_digest(question: str) -> str:
    """Returns the sha256 of a question, as 64 hex digits. Who guesses the question can compare."""
    return hashlib.sha256(question.encode("utf-8", "surrogatepass")).hexdigest()


def note(path: Path, line: object) -> None:
    """Appends a line of JSON to a file of records that only its owner can read.

    The file is opened for each line, so that another program may move it away at any time.

    Raises:
        AnswerError: It cannot be written.
    """
    try:
        append(path, _encode(line) + b"\n")
    except OSError as error:
        why = error.strerror or "the line was cut off"
        raise AnswerError(
            f"{path}: the records of answers cannot be written ({why}); make room, or give the right to write"
        ) from error


@frozen(kw_only=True)
class Audited:
    """What an audit found, in prompts.

    Attributes:
        proved: The contract renders the same bytes again.
        differing: Ids of entries for which it does not.
        other: Belong to another fingerprint or snapshot.
        unknown: Their question was not given.
        damaged: Lines that are not an entry, as a full disk or another program may leave them.
    """

    proved: int
    differing: tuple[str, ...]
    other: int
    unknown: int
    damaged: int = 0

    def __str__(self) -> str:
        return (
            f"{self.proved} prompts are the contract's, {len(self.differing)} differ, {self.other} belong to another contract "
            f"or knowledge, {self.unknown} have a question that was not given"
            + (f"; {self.damaged} lines are damaged" if self.damaged else "")
        )


def audit(log: str | os.PathLike[str], contract: PromptContract, questions: Iterable[str]) -> Audited:
    """Renders the prompts of an audit log again and compares their digests.

    Args:
        log: The file of ``AnswerSettings(audit=...)``.
        contract: The contract with the knowledge of that time.
        questions: The questions that people asked, as far as someone has them. The log contains only their digests.

    Raises:
        SourceError: The log cannot be read.
    """
    known = {request_digest(question): question for question in questions}
    proved = other = unknown = damaged = 0
    differing = []
    for entry in _entries(Path(log)):
        if entry is None:
            damaged += 1
        elif entry.status not in {"prompt", "asked"}:
            continue
        elif (entry.fingerprint, entry.snapshot) != (contract.fingerprint, contract.snapshot):
            other += 1
        elif entry.request not in known:
            unknown += 1
        elif _digest(contract, known[entry.request], entry.time) == entry.prompt:
            proved += 1
        else:
            differing.append(entry.id)
    return Audited(proved=proved, differing=tuple(differing), other=other, unknown=unknown, damaged=damaged)


def prune(log: str | os.PathLike[str], days: float) -> Erased:
    """Removes all entries of an audit log that are older than so many days, and lines that are damaged.

    The new file replaces the old one at once. A server may append meanwhile: no line of it is lost.

    Args:
        log: The file of ``AnswerSettings(audit=...)``.
        days: 0 removes everything.

    Raises:
        ConfigError: ``days`` is not a number from 0.
        AnswerError: The log cannot be replaced, and is as it was.
    """
    first = oldest(days)

    def stays(line: bytes) -> bool:
        entry = _entry(line)
        return entry is not None and entry.time >= first

    with system_errors_as(AnswerError, log, "the log is as it was"):
        removed, left = replace(Path(log), stays, _LINE)
    return Erased(kind="audit log", path=str(log), removed=removed, left=left)


def _digest(contract: PromptContract, question: str, at: datetime) -> str:
    try:
        return contract.prompt(question, at=at).digest
    except FurytuneError:
        return ""


def _entries(log: Path) -> Iterator[Entry | None]:
    """Yields the entries, None for a line that is not one."""
    try:
        with log.open("rb") as lines:
            for line in lines:
                yield _entry(line)
    except OSError as error:
        raise SourceError(
            f"{log}: cannot be read ({error.strerror}); name the file of AnswerSettings(audit=)"
        ) from error


def _entry(line: bytes) -> Entry | None:
    try:
        found = msgspec.json.decode(line, type=Entry)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return found if found.time.utcoffset() is not None else None
