"""Stores rows or pairs on disk, to read them more than once in constant memory."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Generic, Self, TypeVar

import msgspec

from furytune.errors import ExportError
from furytune.records import QAPair, TrainingRow

__all__ = ["Spool"]

_Record = TypeVar("_Record", QAPair, TrainingRow)
_PICKLED = 1 << 63  # bit of the length: how the record is stored


class Spool(Generic[_Record]):
    """Stores records in an unnamed temporary file, which is removed when the block ends.

    Args:
        kind: The class of the records. They come back equal, with all dates in UTC.

    Raises:
        ExportError: The temporary folder is full or cannot be used.
    """

    def __init__(self, kind: type[_Record]) -> None:
        self._kind: type[_Record] = kind

    def __enter__(self) -> Self:
        try:
            # The file has no name, so a killed process leaves no rows behind.
            self._file = tempfile.TemporaryFile()
        except OSError as error:
            raise _full(error) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # a full disk has been reported by then
            self._file.close()

    def fill(self, records: Iterable[_Record]) -> None:
        """Appends records."""
        for _ in self.passing(records):
            pass

    def passing(self, records: Iterable[_Record]) -> Iterator[_Record]:
        """Appends each record before it is yielded."""
        encode = msgspec.msgpack.Encoder().encode
        for record in records:
            try:
                packed, how = encode(record), 0
            except UnicodeEncodeError:
                # Half of a character cannot be encoded. A later step drops such a pair, so it must get that far.
                packed, how = pickle.dumps(record), _PICKLED
            try:
                # The length comes first, because msgpack has no separator between records.
                self._file.write((len(packed) | how).to_bytes(8, "big") + packed)
            except OSError as error:
                raise _full(error) from error
            yield record
        try:
            self._file.flush()
        except OSError as error:
            raise _full(error) from error

    def __iter__(self) -> Iterator[_Record]:
        decode = msgspec.msgpack.Decoder(self._kind).decode
        try:
            self._file.seek(0)
            while head := self._file.read(8):
                size = int.from_bytes(head, "big")
                packed = self._file.read(size & ~_PICKLED)
                # The file has no name, so no one else can have written to it.
                yield pickle.loads(packed) if size & _PICKLED else decode(packed)  # noqa: S301
        except OSError as error:
            raise _full(error) from error


def _full(error: OSError) -> ExportError:
    """Returns the error for a temporary folder that cannot take the records."""
    return ExportError(
        f"{tempfile.gettempdir()}: cannot store the rows or pairs in the temporary folder: "
        f"{error.strerror or type(error).__name__}; nothing was written; free some space there, or set TMPDIR to "
        "another folder, and run again"
    )
