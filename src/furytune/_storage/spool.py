"""Stores rows on disk, to read them more than once in constant memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Self

import msgspec

from furytune.errors import ExportError
from furytune.records import TrainingRow

__all__ = ["Spool"]


class Spool:
    """Stores rows in an unnamed temporary file, which is removed when the block ends.

    Raises:
        ExportError: The temporary folder is full or cannot be used.
    """

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

    def fill(self, rows: Iterable[TrainingRow]) -> None:
        """Appends rows."""
        encode = msgspec.msgpack.Encoder().encode
        for row in rows:
            packed = encode(row)
            try:
                # The length comes first, because msgpack has no separator between records.
                self._file.write(len(packed).to_bytes(8, "big") + packed)
            except OSError as error:
                raise _full(error) from error
        try:
            self._file.flush()
        except OSError as error:
            raise _full(error) from error

    def __iter__(self) -> Iterator[TrainingRow]:
        decode = msgspec.msgpack.Decoder(TrainingRow).decode
        try:
            self._file.seek(0)
            while head := self._file.read(8):
                yield decode(self._file.read(int.from_bytes(head, "big")))
        except OSError as error:
            raise _full(error) from error


def _full(error: OSError) -> ExportError:
    """Returns the error for a temporary folder that cannot take the rows."""
    return ExportError(
        f"{tempfile.gettempdir()}: cannot store the rows in the temporary folder: "
        f"{error.strerror or type(error).__name__}; nothing was written; free some space there, or set TMPDIR to "
        "another folder, and run again"
    )
