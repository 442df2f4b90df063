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

from furytune._storage.durable import NO_FOLLOW
from furytune.contract import PromptContract
from furytune.errors import AnswerError, FurytuneError, SourceError

__all__ = ["Audited", "Entry", "Status", "append", "audit", "note", "request_digest"]

_encode = msgspec.json.Encoder().encode
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | NO_FOLLOW | getattr(os, "O_BINARY", 0)

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
    """Appends a line of JSON to a file of records, see `append`.

    Raises:
        AnswerError: It cannot be written.
    """
    try:
        append(path, line)
    except OSError as error:
        why = error.strerror or "the line was cut off"
        raise AnswerError(
            f"{path}: the records of answers cannot be written ({why}); make room, or give the right to write"
        ) from error


def append(path: Path, line: object) -> None:
    """Appends a line of JSON to a file that only its owner can read.

    The file is opened for each line, so that another program may move it away at any time.

    Raises:
        OSError: The line could not be written.
    """
    data = _encode(line) + b"\n"
    fd = os.open(path, _FLAGS, 0o600)
    try:
        # One write for the whole line, so that lines of several processes do not mix.
        if os.write(fd, data) != len(data):
            raise OSError("the line was cut off")
    finally:
        os.close(fd)


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
                try:
                    yield msgspec.json.decode(line, type=Entry)
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                    yield None
    except OSError as error:
        raise SourceError(
            f"{log}: cannot be read ({error.strerror}); name the file of AnswerSettings(audit=)"
        ) from error
