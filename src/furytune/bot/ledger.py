"""The bot's notes: which questions it has taken, and the messages of their answers. They contain ids, and no text.

The first line names the format. Each other line says what is new about a question, and is on disk before the bot goes on.
A crash can only cut off the last line, which the next start removes. The caller keeps other processes out.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal, Self

import msgspec

from furytune._storage.durable import NO_FOLLOW, make_folder, output_path, write_file
from furytune._storage.system import system_errors_as
from furytune.errors import AnswerError, SourceError

__all__ = ["Entry", "Ledger", "moment", "snowflake"]

_FORMAT: Final = "furytune-bot/1"
_BINARY: Final = getattr(os, "O_BINARY", 0)
_KEPT: Final = 7 * 86_400.0  # seconds; Discord's interface rarely shows older questions
_EPOCH: Final = 1_420_070_400_000

State = Literal["claimed", "done"]


class _Head(msgspec.Struct, forbid_unknown_fields=True):
    """The first line: the format, and the id before which the bot did not exist."""

    format: str
    since: int


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is known about a question.

    Attributes:
        id: Id of the question.
        state: "claimed" while its answer is under way, then "done".
        channel: Where it was asked.
        door: How it reached the bot.
        source: Id of the message with its text, 0 if it is not in a message.
        mark: Tells the bot's placeholder from that of another process.
        place: Where the answer is, 0 before.
        posts: Ids of the answer's messages, in order.
        more: True while another message is being sent, whose id is not known yet.
        how: What became of it, once it is done.
        earlier: Id of the question that it continues, 0 if it stands on its own.
        asks_back: Whether the answer only asks back.
    """

    id: int
    state: State
    channel: int
    door: str
    source: int = 0
    mark: str = ""
    place: int = 0
    posts: tuple[int, ...] = ()
    more: bool = False
    how: str = ""
    earlier: int = 0
    asks_back: bool = False


def snowflake(seconds: float) -> int:
    """Returns the first id of a moment, in seconds since 1970."""
    return max(0, int(seconds * 1000) - _EPOCH) << 22


def moment(number: int) -> float:
    """Returns when an id was made, in seconds since 1970."""
    return ((number >> 22) + _EPOCH) / 1000


class Ledger:
    """The file of notes, open for one process.

    Args:
        path: The file; created if it is missing.

    Attributes:
        since: The id before which the bot did not exist.

    Raises:
        SourceError: The file has another format, or is damaged.
        AnswerError: It cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries: dict[int, Entry] = {}
        with system_errors_as(AnswerError, path, "the bot does not start without its notes"):
            make_folder(path.parent, mode=0o700)
            self.since = self._read()
            self._write_again()
            flags = os.O_WRONLY | os.O_APPEND | _BINARY | NO_FOLLOW
            self._fd: int | None = os.open(output_path(path), flags)

    def _read(self) -> int:
        try:
            lines = self._path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return snowflake(time.time())
        # What follows the last line end was cut off by a crash.
        whole = lines[:-1]
        try:
            head = msgspec.json.decode(whole[0], type=_Head) if whole else None
        except msgspec.DecodeError:
            head = None
        if head is None or head.format != _FORMAT:
            raise SourceError(
                f"{self._path}: not the notes of a bot of this version; choose another folder, or move the file away"
            )
        for number, line in enumerate(whole[1:], 2):
            try:
                entry = msgspec.json.decode(line, type=Entry)
            except msgspec.DecodeError:
                raise SourceError(
                    f"{self._path}:{number}: this line is damaged; remove it, and start the bot again"
                ) from None
            self._entries[entry.id] = entry
        return head.since

    def _write_again(self) -> None:
        """Replaces the file by one line for each question that is open, or not old."""
        oldest = snowflake(time.time() - _KEPT)
        self._entries = {n: e for n, e in self._entries.items() if e.state != "done" or n > oldest}
        lines = [msgspec.json.encode(_Head(_FORMAT, self.since))]
        lines += [msgspec.json.encode(entry) for entry in self._entries.values()]
        write_file(self._path, b"\n".join(lines) + b"\n")
        with suppress(OSError):
            self._path.chmod(0o600)

    def note(self, entry: Entry) -> Entry:
        """Writes what is new about a question; when it returns, a crash cannot undo it.

        Raises:
            AnswerError: The file cannot be written.
        """
        with system_errors_as(AnswerError, self._path, "make room, or give the right to write"):
            assert self._fd is not None
            before = os.fstat(self._fd).st_size
            try:
                rest = memoryview(msgspec.json.encode(entry) + b"\n")
                while rest:
                    rest = rest[os.write(self._fd, rest) :]
                os.fsync(self._fd)
            except BaseException:
                # Half a line would damage the one that follows.
                with suppress(OSError):
                    os.ftruncate(self._fd, before)
                raise
        self._entries[entry.id] = entry
        return entry

    def find(self, question: int) -> Entry | None:
        """Returns what is known about a question."""
        return self._entries.get(question)

    def about(self, message: int) -> list[Entry]:
        """Returns the questions whose text is in a message."""
        found = self._entries.get(message)
        others = [e for e in self._entries.values() if e.source == message and e.id != message]
        return ([found] if found is not None and found.source == message else []) + others

    def open(self) -> list[Entry]:
        """Returns the questions whose answer is not complete."""
        return [entry for entry in self._entries.values() if entry.state == "claimed"]

    def since_id(self, number: int) -> list[Entry]:
        """Returns the questions whose id is larger."""
        return [entry for entry in self._entries.values() if entry.id > number]

    def with_post(self, message: int) -> Entry | None:
        """Returns the question that one of the bot's messages answers."""
        return next((entry for entry in self._entries.values() if message in entry.posts), None)

    def answered_in(self, place: int) -> list[Entry]:
        """Returns the questions whose answers are in a place."""
        return [entry for entry in self._entries.values() if entry.place == place]

    def known_posts(self) -> Iterator[int]:
        """Yields the ids of all answers' messages."""
        for entry in self._entries.values():
            yield from entry.posts

    def close(self) -> None:
        """Closes the file."""
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
