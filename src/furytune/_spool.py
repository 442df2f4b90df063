"""Rows kept on disk, to be read more than once with flat memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Self

import msgspec

from furytune.records import TrainingRow

__all__ = ["Spool"]


class Spool:
    """Holds rows in an unnamed temporary file, gone when the block ends."""

    def __enter__(self) -> Self:
        self._file = tempfile.TemporaryFile()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def fill(self, rows: Iterable[TrainingRow]) -> None:
        """Appends rows."""
        encode = msgspec.msgpack.Encoder().encode
        for row in rows:
            packed = encode(row)
            self._file.write(len(packed).to_bytes(8, "big") + packed)

    def __iter__(self) -> Iterator[TrainingRow]:
        decode = msgspec.msgpack.Decoder(TrainingRow).decode
        self._file.seek(0)
        while head := self._file.read(8):
            yield decode(self._file.read(int.from_bytes(head, "big")))
