"""Bytes of an export file, plain or gzip, in order and in bounded memory; and where an offset stands."""

from __future__ import annotations

import zlib
from pathlib import Path
from types import TracebackType
from typing import Self

from furytune._folders import opener
from furytune.errors import SourceError, SourceFormatError

__all__ = ["ByteSource", "Locator"]

_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff", b"{\x00", b"\x00{", b"[\x00", b"\x00[")
_RATIO = 100
_RATIO_FROM = 16 << 20
_CHUNK = 1 << 17
_GZIP = 16 + zlib.MAX_WBITS
_CONTINUATION = bytes(range(0x80, 0xC0))


class ByteSource:
    """The decompressed bytes of one file.

    Args:
        path: A plain or gzip file, without links in it; told apart by its first bytes, not by its name.
        name: How errors name it.

    Raises:
        SourceError: It cannot be opened or read.
        SourceFormatError: It is a gzip bomb: over 100 times its size after 16 MiB.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        self.broken = ""
        """Why the compressed stream ended early, "" while it is sound."""
        self._out = 0
        try:
            self._file = open(path, "rb", buffering=0, opener=opener)  # noqa: SIM115  (`close` closes it)
            zipped = self._file.read(2) == b"\x1f\x8b"
            self._file.seek(0)
        except OSError as error:
            raise SourceError(f"{name}: cannot be read: {error.strerror}") from error
        self._zip = zlib.decompressobj(_GZIP) if zipped else None
        self._packed = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def readinto(self, view: memoryview) -> int:
        """Fills a part of ``view`` and returns its length; 0 at the end, or where gzip data break."""
        try:
            if self._zip is None:
                return self._file.readinto(view) or 0
            data = self._unpack(len(view))
        except zlib.error:
            self.broken = "its gzip data are damaged"
            return 0
        except OSError as error:
            raise SourceError(f"{self.name}: cannot be read: {error.strerror}") from error
        view[: len(data)] = data
        self._out += len(data)
        if self._out > _RATIO_FROM and self._out > _RATIO * self._file.tell():
            raise SourceFormatError(
                f"expands to over {_RATIO} times its size",
                path=self.name,
                hint="if it is a sound export, decompress it yourself and collect the plain file",
            )
        return len(data)

    def _unpack(self, most: int) -> bytes:
        """Returns up to ``most`` bytes, of this gzip member or of the one that follows it."""
        assert self._zip is not None
        while not self.broken:
            if self._zip.eof:
                self._packed = self._zip.unused_data.lstrip(b"\0") or self._file.read(_CHUNK).lstrip(b"\0")
                if not self._packed:
                    return b""
                self._zip = zlib.decompressobj(_GZIP)
            self._packed = self._packed or self._file.read(_CHUNK)
            data = self._zip.decompress(self._packed, most)
            if not data and not self._packed and not self._zip.eof:
                self.broken = "its gzip data end early"
            self._packed = self._zip.unconsumed_tail
            if data:
                return data
        return b""

    def text_start(self, first: bytes) -> int:
        """Returns how many of the first bytes are a byte order mark.

        Raises:
            SourceFormatError: The text is not UTF-8.
        """
        if first.startswith(_UTF16):
            raise SourceFormatError(
                "is UTF-16, not UTF-8", path=self.name, line=1, column=1, hint="save it as UTF-8"
            )
        return len(_BOM) if first.startswith(_BOM) else 0


class Locator:
    """Tells line and column of ascending byte offsets, by reading the file a second time when asked.

    So the fast path counts no lines. All questions together cost one pass.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._name = name
        self._source: ByteSource | None = None
        self._chunk = b""
        self._base = 0
        self._line = 1
        self._column = 1

    def __call__(self, offset: int) -> tuple[int, int]:
        """Returns line and column of a byte offset, both from 1; columns count characters."""
        if self._source is None or offset < self._base:
            self._restart()
        while True:
            use = min(offset - self._base, len(self._chunk))
            self._advance(self._chunk[:use])
            self._base += use
            self._chunk = self._chunk[use:]
            if self._base >= offset or not self._read():
                return self._line, self._column

    def close(self) -> None:
        """Closes the file if it was opened."""
        if self._source is not None:
            self._source.close()
            self._source = None

    def _restart(self) -> None:
        self.close()
        self._source = ByteSource(self._path, self._name)
        self._base, self._line, self._column = 0, 1, 1
        self._chunk = b""
        if self._read() and self._chunk.startswith(_BOM):
            self._column = 0  # the mark itself is no column

    def _read(self) -> bool:
        assert self._source is not None
        chunk = bytearray(_CHUNK)
        with memoryview(chunk) as view:
            got = self._source.readinto(view)
        self._chunk = bytes(chunk[:got])
        return got > 0

    def _advance(self, part: bytes) -> None:
        lines = part.count(b"\n")
        if lines:
            self._line += lines
            self._column = 1
            part = part[part.rindex(b"\n") + 1 :]
        self._column += len(part.translate(None, _CONTINUATION))
