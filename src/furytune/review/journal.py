"""The file of decisions: JSON lines, to which every process appends, and of which nothing is lost in a crash.

The first line names the format. Each other line is a decision; the last one of a pair counts, and the earlier ones are its
history. A decision is written with one call and synced before it counts as recorded. A writer holds a lock, so the decisions
of several processes follow each other. Readers need no lock.

A crash can only cut off the last line. Readers do not use such a line, and the next writer removes it. Any other damage is an
error, because a decision that is lost in silence would let a bad pair in.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from attrs import asdict, define, evolve, field, frozen

from furytune._privacy.lineage import names, whole_numbers
from furytune._privacy.printable import printable
from furytune._readers.files import Flaw
from furytune._readers.json_lines import decode_lines
from furytune._storage.durable import NO_FOLLOW, output_path, staged, sweep, write_file
from furytune._storage.locks import lock_file
from furytune._storage.system import system_errors_as
from furytune.errors import ConfigError, CurationError, SourceError, SourceFormatError
from furytune.records import Erased
from furytune.review.decision import Action, Decision

__all__ = ["Journal", "State"]

T = TypeVar("T")

_FORMAT: Final = "furytune-review/1"
_FAMILY: Final = "furytune-review/"
_PATIENCE: Final = 10.0  # seconds to wait for another writer, who needs milliseconds
_BINARY: Final = getattr(os, "O_BINARY", 0)


class _Head(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The first line.

    Attributes:
        format: Name and version of the format.
        erased: How many decisions `Journal.erase` removed, so that revisions never go back.
        rewritten: How often it replaced the file, so that readers notice.
    """

    format: str
    erased: int = 0
    rewritten: int = 0


# The order of the fields is the order in a line.
class _Line(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    pair: str
    digest: str
    action: Action
    question: str = ""
    answer: str = ""
    into: str = ""
    reason: str = ""
    by: str = ""
    note: str = ""
    messages: tuple[str, ...] = ()
    confidence: float | None = None
    at: datetime | None = None


@define
class State:
    """What a file says.

    Attributes:
        decisions: All decisions about each pair, oldest first.
        revision: Number of decisions that the file ever had.
        rewritten: How often `Journal.erase` replaced the file.
        missing: True if there is no file.
        torn: True if the last line is cut off.
        end: Where whole lines end, in bytes.
        lines: Number of whole lines.
        head: The first line.
        tail: What follows the whole lines.
    """

    decisions: dict[str, list[Decision]] = field(factory=dict)
    revision: int = 0
    rewritten: int = 0
    missing: bool = True
    torn: bool = False
    end: int = 0
    lines: int = 0
    head: bytes = b""
    tail: bytes = b""

    def last(self, pair: str) -> Decision | None:
        """Returns the last decision about a pair, "undo" included; None if there never was one."""
        found = self.decisions.get(pair)
        return found[-1] if found else None

    def in_order(self) -> list[Decision]:
        """Returns all decisions in the order of the file."""
        return sorted((d for found in self.decisions.values() for d in found), key=lambda d: d.revision)


@frozen
class Journal:
    """One file of decisions.

    Args:
        path: The file; created with the first decision.
    """

    path: Path
    _state: list[State] = field(init=False, factory=list, repr=False, eq=False)
    # The threads of a server share one object.
    _lock: Any = field(init=False, factory=threading.RLock, repr=False, eq=False)

    def look(self, ask: Callable[[State], T]) -> T:
        """Asks what the file says now. Reads only what is new since the last call.

        Args:
            ask: Gets what the file says and returns what the caller wants to know. It must not keep the state, which other
                threads change.

        Raises:
            SourceError: The file cannot be read, or has another format.
            SourceFormatError: A line is damaged.
        """
        with self._lock:
            with system_errors_as(SourceError, self.path):
                state = self._read()
            return ask(state)

    def append(self, decide: Callable[[State], Sequence[Decision]]) -> list[Decision]:
        """Records decisions durably, after all that other processes recorded.

        Args:
            decide: Gets what the file says and returns the decisions to add. No other process writes meanwhile.

        Returns:
            The decisions with their revisions.

        Raises:
            ConfigError: A decision makes no sense; nothing was recorded.
            CurationError: The file cannot be written, or another process holds it; nothing was recorded.
        """
        with self._lock, self._alone("nothing was recorded"):
            state = self._read()
            new = list(decide(state))
            for decision in new:
                # A line that cannot be read again would make the whole file unusable.
                if problem := _problem(decision):
                    raise ConfigError(f"nothing was recorded about the pair {decision.pair!r}: {problem}")
            if new:
                self._write(state, b"".join(map(_encoded, new)))
            return [evolve(d, revision=state.revision + n) for n, d in enumerate(new, 1)]

    def check(self) -> None:
        """Checks that the file can be read and replaced. Changes nothing.

        Raises:
            ConfigError: There is no such file, or it may not be replaced.
            SourceError: It cannot be read.
        """
        if self.look(lambda state: state.missing):
            raise ConfigError(
                f"{printable(self.path)}: this file of decisions does not exist; nothing was changed; check the path"
            )
        if not os.access(self.path.resolve().parent, os.W_OK | os.X_OK):
            raise ConfigError(
                f"{printable(self.path.parent)}: may not be changed; nothing was changed; give yourself the permission to write there"
            )

    def erase(self, messages: Collection[str], people: Collection[str]) -> Erased:
        """Removes every decision about a pair that contains one of the messages, or that names a message or a person.

        A decision that names one of the people only as its reviewer stays, without the name.

        Raises:
            CurationError: The file cannot be replaced. Call it again to continue.
        """
        wanted, naming = frozenset(messages), whole_numbers(people)
        with self._lock, self._alone("call it again to continue"):
            state = self._read()
            kept: list[bytes] = []
            changed = state.torn
            gone = left = 0
            for found in state.in_order():
                decision = found
                if naming and naming.search(decision.by.encode()):
                    decision, changed = evolve(decision, by=""), True
                line = _encoded(decision)
                held = {*decision.messages, *names(line.decode())}
                if not wanted.isdisjoint(held) or (naming and naming.search(line)):
                    gone += 1
                else:
                    kept.append(line)
                    left += 1
            if gone or changed:
                head = _Head(_FORMAT, state.revision - left, state.rewritten + 1)
                with staged() as group:
                    group.open(self.path).write(_head(head) + b"".join(kept))
                self._state.clear()
            sweep(output_path(self.path).parent)
        return Erased(kind="decisions", path=str(self.path), removed=gone, left=left)

    @contextmanager
    def _alone(self, consequence: str) -> Iterator[None]:
        """Keeps other writers out while the block runs."""
        with system_errors_as(CurationError, self.path, consequence):
            target = output_path(self.path)
            try:
                lock = lock_file(target.with_name(f"{target.name}.lock"), wait=_PATIENCE)
                lock.__enter__()
            except BlockingIOError as error:
                raise CurationError(
                    f"{printable(self.path)}: another process is writing ({error.strerror}); {consequence}; try again"
                ) from None
            try:
                yield
            finally:
                lock.__exit__(None, None, None)

    def _read(self) -> State:
        try:
            with open(self.path, "rb") as file:  # noqa: PTH123  (so that a test can let it fail)
                head = file.readline()
                old = self._state[0] if self._state else None
                size = os.fstat(file.fileno()).st_size
                # A file that was replaced, by `erase` or by hand, is read from its beginning.
                if old is None or old.missing or old.tail or old.head != head or size < old.end:
                    old = self._started(head)
                file.seek(old.end)
                self._take(old, file.read() if head else b"")
        except FileNotFoundError:
            old = State()
        except BaseException:
            self._state.clear()
            raise
        self._state[:] = [old]
        return old

    def _started(self, head: bytes) -> State:
        """Returns the state after the first line.

        Raises:
            SourceError: It does not name the format.
        """
        if not head:
            return State(missing=False)
        try:
            found = msgspec.json.decode(head, type=_Head)
        except (msgspec.DecodeError, RecursionError):
            found = None
        if found is None or not head.endswith(b"\n") or found.erased < 0:
            raise SourceError(
                f"{printable(self.path)}:1: not a file of decisions: the first line of one is "
                f'{{"format":"{_FORMAT}"}}; give the file that Decisions wrote, and read a table with read_sheet'
            )
        if found.format != _FORMAT:
            newer = found.format.startswith(_FAMILY)
            raise SourceError(
                f"{printable(self.path)}:1: has the format {'of another version' if newer else 'of something else'}, and this "
                f"furytune reads {_FORMAT}; {'install the furytune that wrote it' if newer else 'check the path'}"
            )
        return State(
            revision=found.erased,
            rewritten=found.rewritten,
            missing=False,
            end=len(head),
            lines=1,
            head=head,
        )

    def _take(self, state: State, data: bytes) -> None:
        """Adds the lines of some bytes to a state."""
        cut = data.rfind(b"\n") + 1
        for found in decode_lines([data[:cut]] if cut else []):
            self._add(state, found, state.lines)
        state.lines += data.count(b"\n", 0, cut)
        state.end += cut
        state.tail, state.torn = data[cut:], False
        if state.tail.strip():
            # An editor may leave out the last line end, and then the line is whole. A line that was cut off is not JSON,
            # because its brace is not closed.
            for found in decode_lines([state.tail]):
                if isinstance(found, Flaw):
                    state.torn = True
                else:
                    self._add(state, found, state.lines)

    def _add(self, state: State, found: Flaw | tuple[int, dict[str, Any]], above: int) -> None:
        """Adds a line to a state.

        Raises:
            SourceFormatError: The line is not a decision.
        """
        if isinstance(found, Flaw):
            raise self._damaged(found.line + above, found.problem, found.column)
        line, content = found
        try:
            said = msgspec.convert(content, _Line)
        except msgspec.ValidationError as error:
            raise self._damaged(line + above, f"not a decision ({_kind_of(error)})") from None
        problem = _problem(said)
        if problem:
            raise self._damaged(line + above, problem)
        state.revision += 1
        decision = Decision(
            pair=said.pair,
            digest=said.digest,
            action=said.action,
            question=said.question,
            answer=said.answer,
            into=said.into,
            reason=said.reason,
            by=said.by,
            note=said.note,
            messages=said.messages,
            confidence=said.confidence,
            at=said.at,
            revision=state.revision,
        )
        state.decisions.setdefault(said.pair, []).append(decision)

    def _damaged(self, line: int, problem: str, column: int | None = None) -> SourceFormatError:
        return SourceFormatError(
            problem,
            path=printable(self.path),
            line=line,
            column=column,
            hint="restore the file from a backup, or remove this line and decide again",
        )

    def _write(self, state: State, data: bytes) -> None:
        """Appends lines and syncs them. After an error, the file is as it was."""
        if not state.head:
            write_file(self.path, _head(_Head(_FORMAT)))
            state.end, state.tail = 0, b""
        fd = os.open(output_path(self.path), os.O_RDWR | os.O_APPEND | _BINARY | NO_FOLLOW)
        try:
            if state.torn:
                os.ftruncate(fd, state.end)
            elif state.tail:
                data = b"\n" + data
            before = os.lseek(fd, 0, os.SEEK_END)
            try:
                rest = memoryview(data)
                while rest:
                    rest = rest[os.write(fd, rest) :]
                os.fsync(fd)
            except BaseException:
                # Otherwise the next process would find a decision that was reported as not recorded.
                with suppress(OSError):
                    os.ftruncate(fd, before)
                raise
        finally:
            os.close(fd)


def _head(head: _Head) -> bytes:
    return msgspec.json.encode(head) + b"\n"


def _encoded(decision: Decision) -> bytes:
    fields = asdict(decision, recurse=False)
    del fields["revision"]
    return msgspec.json.encode(_Line(**fields)) + b"\n"


def _problem(said: _Line | Decision) -> str:
    """Returns what is wrong with a line whose fields have the right types, or ""."""
    if not said.pair or not said.digest:
        return "the id or the digest of the pair is empty"
    if (said.question or said.answer) and said.action != "accept":
        return "a corrected text goes with the action accept"
    if any(text and not text.strip() for text in (said.question, said.answer)):
        return "a corrected text is blank"
    if (said.action == "merge") != bool(said.into):
        return 'the action merge needs "into", and no other action has it'
    if said.into == said.pair:
        return "the pair is merged into itself"
    if said.confidence is not None and not 0 <= said.confidence <= 1:
        return "the confidence is not between 0 and 1"
    return ""


def _kind_of(error: msgspec.ValidationError) -> str:
    """Returns where a line breaks the rules; the message of the error may quote a text."""
    path = str(error).rpartition(" - at `$.")[2].rstrip("`") if " - at `$." in str(error) else ""
    if path in _Line.__struct_fields__:
        return f"the value of {path} does not fit"
    return "a field is missing or unknown"
