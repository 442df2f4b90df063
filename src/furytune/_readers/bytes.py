"""Reads the bytes of an export file as UTF-8, plain or gzip, in bounded memory, and finds the line of an offset."""

from __future__ import annotations

import codecs
import zlib
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from furytune._storage.folders import opener
from furytune.errors import SourceError, SourceFormatError

__all__ = ["FALSE_MARK", "ByteSource", "Locator", "marked_encoding", "sound_part"]

_BOM = codecs.BOM_UTF8
_UNMARKED = (b"{\x00", b"\x00{", b"[\x00", b"\x00[", b"\x00\x00\x00{")
_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_LOOK = 4096
_RATIO = 100
_RATIO_FROM = 16 << 20
_CHUNK = 1 << 17
_GZIP = 16 + zlib.MAX_WBITS
_CONTINUATION = bytes(range(0x80, 0xC0))

FALSE_MARK = "begins with the byte order mark of UTF-16, but is not UTF-16"


def marked_encoding(first: bytes) -> str:
    """Returns "utf-16" or "utf-32" if the first bytes of a text say so, otherwise "".

    A byte order mark alone proves nothing, because damaged UTF-8 can begin with the same bytes. But JSON and CSV always
    contain ASCII characters, and each of them has a zero byte in UTF-16.
    """
    if first.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    # Some tools put this mark before UTF-8. In real UTF-16, JSON and CSV always contain NUL bytes.
    return "utf-16" if first.startswith(_MARKS) and b"\0" in first[:_LOOK] else ""


def sound_part(
    decoder: codecs.IncrementalDecoder, data: bytes, *, final: bool
) -> tuple[str, UnicodeDecodeError | None]:
    """Returns the text up to the first bytes that cannot be decoded, and the error for them.

    Args:
        decoder: The decoder, after the bytes before.
        data: The next bytes.
        final: Whether these are the last bytes.
    """
    waiting = len(decoder.getstate()[0])
    try:
        return decoder.decode(data, final), None
    except UnicodeDecodeError as error:
        # The error counts from bytes that the decoder still held from the block before.
        sound = data[: max(0, error.start - waiting)]
        return (decoder.decode(sound) if sound else ""), error


class ByteSource:
    """The decompressed bytes of one file. UTF-16 and UTF-32 with a byte order mark are converted to UTF-8.

    Args:
        path: A plain or gzip file, without links in the path. The first bytes decide which, not the name.
        name: The name of the file in errors.

    Raises:
        SourceError: The file cannot be opened or read.
        SourceFormatError: The file is a gzip bomb: over 100 times its size after 16 MiB.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        self.broken = ""
        """Why the stream ended early, "" without an error."""
        self._out = 0
        self._ready: bytes | None = None  # None until the encoding is known
        self._decoder: codecs.IncrementalDecoder | None = None
        try:
            with ExitStack() as stack:
                self._file = stack.enter_context(open(path, "rb", buffering=0, opener=opener))
                # The content decides, not the suffix, which is often wrong.
                zipped = self._file.read(2) == b"\x1f\x8b"
                self._file.seek(0)
                stack.pop_all()  # from here on, `close` closes the file
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
        """Fills a part of ``view`` and returns its length; 0 at the end of the file or of its readable part."""
        if self._ready is None:
            self._ready = self._start()
        while not self._ready:
            if self._decoder is None:
                # UTF-8 needs no conversion, so the bytes go straight into the caller's buffer.
                return self._read(view)
            chunk = self._chunk(_CHUNK)
            self._ready = self._recoded(chunk)
            if not chunk:
                break
        part, self._ready = self._ready[: len(view)], self._ready[len(view) :]
        view[: len(part)] = part
        return len(part)

    def _start(self) -> bytes:
        """Reads the first bytes, finds the encoding, and returns them as UTF-8."""
        first = b""
        while len(first) < _LOOK and (more := self._chunk(_LOOK - len(first))):
            first += more
        encoding = marked_encoding(first)
        if not encoding:
            return first
        # Lone surrogates are passed on, so that only the record that contains one is refused.
        self._decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
        return self._recoded(first)

    def _recoded(self, chunk: bytes) -> bytes:
        """Converts a chunk to UTF-8; notes the place from which it cannot be decoded."""
        assert self._decoder is not None
        text, error = sound_part(self._decoder, chunk, final=not chunk)
        if error is not None:
            self.broken = f"the text is not {error.encoding} from here on"
        return text.encode("utf-8", "surrogatepass")

    def _chunk(self, most: int) -> bytes:
        found = bytearray(most)
        with memoryview(found) as view:
            return bytes(found[: self._read(view)]) if not self.broken else b""

    def _read(self, view: memoryview) -> int:
        """Reads the next bytes of the file, unpacked.

        Raises:
            SourceError: The file cannot be read.
            SourceFormatError: It unpacks to far more than real exports do.
        """
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
        # Small files may compress extremely well, so the ratio counts only from a certain size on.
        if self._out > _RATIO_FROM and self._out > _RATIO * self._file.tell():
            raise SourceFormatError(
                f"expands to over {_RATIO} times its size",
                path=self.name,
                hint="if the export is genuine, decompress it yourself and collect the plain file",
            )
        return len(data)

    def _unpack(self, most: int) -> bytes:
        """Returns up to ``most`` bytes from this gzip member or the next one."""
        assert self._zip is not None
        while not self.broken:
            if self._zip.eof:
                # Another member may follow, and some tools pad the file with zeros.
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
        """Returns the length of the byte order mark at the start.

        Raises:
            SourceFormatError: The text is not UTF-8.
        """
        marked = first.startswith(_MARKS)
        if marked or first.startswith(_UNMARKED):
            problem = FALSE_MARK if marked else "is UTF-16 without a byte order mark"
            raise SourceFormatError(problem, path=self.name, line=1, column=1, hint="save it as UTF-8")
        return len(_BOM) if first.startswith(_BOM) else 0


class Locator:
    """Finds the line and column of ascending byte offsets, by reading the file a second time if needed.

    So the fast path need not count lines. All offsets together need one pass.
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
        # Problems come in ascending order, so one pass over the file usually finds all their places.
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
        """Opens the file again, for an offset before the current one."""
        self.close()
        self._source = ByteSource(self._path, self._name)
        self._base, self._line, self._column = 0, 1, 1
        self._chunk = b""
        if self._read() and self._chunk.startswith(_BOM):
            self._column = 0  # the byte order mark does not count as a column

    def _read(self) -> bool:
        """Reads the next chunk; returns False at the end."""
        assert self._source is not None
        chunk = bytearray(_CHUNK)
        with memoryview(chunk) as view:
            got = self._source.readinto(view)
        self._chunk = bytes(chunk[:got])
        return got > 0

    def _advance(self, part: bytes) -> None:
        """Moves line and column past some bytes."""
        lines = part.count(b"\n")
        if lines:
            self._line += lines
            self._column = 1
            part = part[part.rindex(b"\n") + 1 :]
        # Continuation bytes of UTF-8 are not counted, so columns count characters.
        self._column += len(part.translate(None, _CONTINUATION))
