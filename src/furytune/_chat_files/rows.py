"""Reads the rows of a JSON file: quickly if all are sound, otherwise one by one, so that a damaged row is refused alone."""

from __future__ import annotations

import codecs
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, TypeVar, cast

import msgspec
from attrs import field, frozen

from furytune._chat_files.files import MAX_FILE, ExportFiles, UnusableError
from furytune._readers.bytes import ByteSource
from furytune._readers.json_stream import ObjectArray
from furytune._readers.json_text import Bad, Malformed
from furytune.errors import SourceFormatError
from furytune.records import Dropped

__all__ = ["Faults", "read_object", "read_rows", "whole"]

T = TypeVar("T")

_MAX_LIST = 1 << 30
"""Most bytes of a file with people and channels, such as Zulip's ``realm.json``, which has all reactions too."""
_SHOWN = 20
_HEAD = b'{"rows":'
_ASK = "export it again, or leave such parts out with on_error='skip'"


@frozen
class Faults:
    """What happens to damaged parts of an export.

    Args:
        skip: Whether to count them instead of raising.
        on_drop: Called with what is left out.
        limit: Most bytes of a single message.
    """

    skip: bool
    on_drop: Callable[[Dropped], None]
    limit: int
    _told: Counter[tuple[str, str]] = field(factory=Counter, init=False)

    def file(
        self, reason: str, problem: str, shown: str, where: str, line: int | None = None, column: int = 1
    ) -> None:
        """Counts a file that cannot be read, or not to its end.

        Raises:
            SourceFormatError: Damaged parts are not skipped.
        """
        if not self.skip:
            raise SourceFormatError(
                problem, path=shown, line=line, column=None if line is None else column, hint=_ASK
            )
        place = where if line is None else f"{where}:{line}:{column}"
        self.on_drop(Dropped(reason=reason, unit="file", where=place, detail=problem))

    def message(
        self, reason: str, problem: str, shown: str, where: str, line: int | None = None, column: int = 1
    ) -> None:
        """Counts a message that cannot be used. Half of a character is always skipped, because platforms allow it.

        Raises:
            SourceFormatError: Damaged parts are not skipped.
        """
        if not self.skip and reason != "lone_surrogate":
            raise SourceFormatError(
                f"{problem} (in a message)",
                path=shown,
                line=line,
                column=None if line is None else column,
                hint=_ASK,
            )
        self._told[reason, where] += 1
        # A damaged file can have millions of such rows; the first ones show what is wrong.
        if self._told[reason, where] <= _SHOWN:
            place = where if line is None else f"{where}:{line}:{column}"
            self.on_drop(Dropped(reason=reason, unit="message", where=place, detail=problem))

    def flush(self) -> None:
        """Counts the messages that were not counted one by one; call this after each file."""
        for (reason, where), count in self._told.items():
            if count > _SHOWN:
                self.on_drop(Dropped(reason=reason, unit="message", count=count - _SHOWN, where=where))
        self._told.clear()


def whole(files: ExportFiles, name: str, *, most: int = MAX_FILE) -> bytes:
    """Returns the bytes of a file, without a byte order mark.

    Args:
        files: The export.
        name: The file.
        most: Most bytes to read.

    Raises:
        UnusableError: It cannot be read, or is too large.
    """
    parts: list[bytes] = []
    size = 0
    for block in files.blocks(name):
        size += len(block)
        if size > most:
            raise UnusableError("too_large", f"it has more than {most >> 20} MiB")
        parts.append(block)
    return b"".join(parts).removeprefix(codecs.BOM_UTF8)


def read_object(files: ExportFiles, name: str, kind: type[T]) -> T:
    """Returns the content of a file that describes an export, such as its list of people.

    Raises:
        SourceFormatError: It cannot be used. Without it the export makes no sense, so this is never skipped.
    """
    try:
        return cast("T", _decoder(cast("Any", kind))(whole(files, name, most=_MAX_LIST)))
    except UnusableError as error:
        problem = error.problem
    except RecursionError:
        problem = "it is nested too deeply"
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        problem = str(error)
    raise SourceFormatError(problem, path=files.shown(name), hint="export it again") from None


def read_rows(
    files: ExportFiles, name: str, where: str, kind: type[T], faults: Faults, *, key: str = ""
) -> Iterator[list[T]]:
    """Yields the rows of a file in lists.

    Args:
        files: The export.
        name: The file.
        where: Its name in reports.
        kind: Type of a row.
        faults: What happens to damaged parts.
        key: The member of the file's object that holds the rows; "" if the file is a list.
    """
    try:
        data = whole(files, name)
    except UnusableError as error:
        faults.file(error.reason, error.problem, files.shown(name), where)
        return
    try:
        if not key and len(data) <= faults.limit:
            found: list[T] = _decoder(cast("Any", list)[kind])(data)
            yield found
            return
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass  # the exact reader finds out which row it is, and where
    yield from _exact(files, name, data, where, kind, faults, key=key)


def _exact(
    files: ExportFiles, name: str, data: bytes, where: str, kind: type[T], faults: Faults, *, key: str
) -> Iterator[list[T]]:
    """Yields the rows of damaged or large files, and counts what is wrong with the others."""
    shown = files.shown(name)
    head = b"" if key else _HEAD
    source = _Memory(head + data + (b"" if key else b"}"))

    def place(offset: int) -> tuple[int, int]:
        at = max(0, min(offset - len(head), len(data)))
        before = data[:at]
        start = before.rfind(b"\n") + 1
        return before.count(b"\n") + 1, len(before[start:].decode("utf-8", "replace")) + 1

    # The reader uses only these methods of a source.
    array = ObjectArray(cast("ByteSource", source), key or "rows", kind, limit=faults.limit, skip=faults.skip)
    try:
        array.open()
        for block in array.blocks():
            if isinstance(block, Bad):
                faults.message(block.reason, block.detail, shown, where, *place(block.offset))
            else:
                yield block
    except Malformed as error:
        reason = "truncated" if error.truncated or error.offset >= len(head) + len(data) else "malformed_file"
        faults.file(reason, error.problem, shown, where, *place(error.offset))


class _Memory:
    """Bytes in memory, in the form in which `ObjectArray` reads them."""

    broken = ""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._at = 0

    def readinto(self, view: memoryview) -> int:
        part = self._data[self._at : self._at + len(view)]
        view[: len(part)] = part
        self._at += len(part)
        return len(part)

    def text_start(self, first: bytes) -> int:  # noqa: ARG002  # the signature of `ByteSource`
        return 0


@cache
def _decoder(kind: Any) -> Callable[[bytes], Any]:
    return msgspec.json.Decoder(kind).decode
