"""Finds files of ready pairs, and reads their bytes and their text."""

from __future__ import annotations

import codecs
import gzip
import os
import zlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import define, field, frozen

from furytune._privacy.printable import printable
from furytune._readers.bytes import FALSE_MARK, marked_encoding, sound_part
from furytune._storage.folders import list_files, opener
from furytune.errors import ConfigError, SourceError, SourceFormatError
from furytune.records import Dropped

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

__all__ = [
    "LIMIT",
    "Flaw",
    "PairFile",
    "TextBlocks",
    "UnreadableFile",
    "Utf8Blocks",
    "find_files",
    "paths_of",
    "text_encoding",
]

LIMIT = 16 << 20
"""Maximum length of a line or record, in bytes or characters."""

_BLOCK = 1 << 20
_UTF8 = frozenset({"utf-8", "utf-8-sig"})


@frozen(kw_only=True)
class Flaw:
    """A record that cannot be used.

    Attributes:
        reason: The reason it is counted under.
        problem: What is wrong, in words.
        line: Line, counted from 1.
        column: Column in characters, counted from 1.
        hint: What to do next.
        error: False for a valid record that is left out on purpose: it is counted and never raises.
    """

    reason: str
    problem: str
    line: int
    column: int | None = None
    hint: str = ""
    error: bool = True


class UnreadableFile(Exception):  # noqa: N818  (becomes a SourceFormatError or a drop)
    """A file that cannot be read to its end.

    Args:
        reason: The reason it is counted under.
        problem: What is wrong, in words.
        hint: What to do next.
    """

    def __init__(self, reason: str, problem: str, hint: str) -> None:
        super().__init__(problem)
        self.reason = reason
        self.problem = problem
        self.hint = hint


@frozen
class PairFile:
    """One file to read.

    Attributes:
        path: Its path, as the user knows it.
        name: Its name in pairs: relative to the given folder, with forward slashes.
        real: Its path with links resolved.
    """

    path: Path
    name: str
    real: Path

    @property
    def place(self) -> str:
        """The path as errors show it."""
        return printable(self.path)

    @property
    def stem(self) -> str:
        """The name without its suffixes ``.gz`` and ``.csv`` or ``.jsonl``."""
        # The stem is part of derived ids, so compressing a file must not change it.
        name = self.name[:-3] if self.name.lower().endswith(".gz") else self.name
        folder, slash, last = name.rpartition("/")
        dot = last.rfind(".")
        return folder + slash + (last[:dot] if dot > 0 else last)

    def blocks(self) -> Generator[bytes, None, None]:
        """Yields the bytes in blocks, decompressed if they are gzip.

        Raises:
            SourceError: The file cannot be read.
            UnreadableFile: Its gzip data are damaged or incomplete.
        """
        try:
            with open(self.real, "rb", opener=opener) as raw:
                zipped = raw.read(2) == b"\x1f\x8b"
                raw.seek(0)
                source = gzip.GzipFile(fileobj=raw) if zipped else raw
                while block := source.read(_BLOCK):
                    yield block
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise UnreadableFile(
                "damaged", "its gzip data are damaged or incomplete", "download the file again"
            ) from error
        except OSError as error:
            raise SourceError(
                f"{self.place}: cannot be read: {error.strerror or 'unknown reason'}; check the file and its permissions"
            ) from error


def paths_of(value: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> tuple[Path, ...]:
    """Returns one path or several as a tuple.

    Raises:
        ConfigError: The value is empty, or not a path.
    """
    if isinstance(value, str | os.PathLike):
        return (Path(value),)
    items = tuple(value) if isinstance(value, Iterable) else (value,)
    for item in items:
        if not isinstance(item, str | os.PathLike):
            raise ConfigError(
                f"path must be a file, a folder or a list of these, not a {type(item).__name__}"
            )
    paths = tuple(Path(item) for item in items)
    if not paths:
        raise ConfigError("pass the path of at least one file or folder to collect")
    return paths


def find_files(paths: Iterable[Path], suffix: str) -> tuple[list[PairFile], list[Dropped]]:
    """Returns the files for some paths; a folder means all its files with a suffix, sorted by name.

    Args:
        paths: Files with any name, and folders.
        suffix: Suffix of the files to read in folders, also with ``.gz`` after it.

    Returns:
        The files, and the links and special files that are not read.

    Raises:
        SourceError: A path does not exist or cannot be read, or a folder has no such file.
    """
    found, dropped = list[PairFile](), list[Dropped]()
    for path in paths:
        try:
            if path.is_dir():
                inside = list_files(
                    path,
                    wanted=lambda name: name.lower().endswith((suffix, suffix + ".gz")),
                    entered=lambda name: (
                        not name.lower().endswith(".lance")
                    ),  # a LanceDB table contains no pairs
                )
                if not inside.files:
                    raise SourceError(_nothing(path, f"*{suffix} or *{suffix}.gz", inside.dropped))
                files = [PairFile(f.path, printable(f.name), f.real) for f in inside.files]
                found += sorted(files, key=lambda file: (file.name, os.fsencode(file.path)))
                dropped += inside.dropped
            elif path.exists():
                found.append(PairFile(path, printable(path.name), path.resolve(strict=True)))
            else:
                raise SourceError(f"{printable(path)}: this file or folder does not exist; check the path")
        except OSError as error:
            raise SourceError(f"{printable(path)}: cannot be read: {error.strerror}") from error
    return found, dropped


def _nothing(path: Path, what: str, dropped: Sequence[Dropped]) -> str:
    left_out = "".join(f"; {drop.where} is not read: {drop.detail}" for drop in dropped[:3])
    return f"{printable(path)}: this folder has no {what}{left_out}; pass another path"


def text_encoding(value: str | None) -> str | None:
    """Returns the normal name of an encoding.

    Raises:
        ConfigError: Python does not know a text encoding with that name.
    """
    if value is None:
        return None
    if not isinstance(value, str):
        raise ConfigError(f"encoding must be the name of a text encoding, not a {type(value).__name__}")
    try:
        with suppress(UnicodeError):
            # `codecs.lookup` alone also finds codecs such as "zlib" that do not make text.
            b"-".decode(value)  # raises LookupError for "rot13" and others that do not encode text
        return codecs.lookup(value).name
    except LookupError as error:
        raise ConfigError(
            f"{value!r} is not the name of a text encoding, such as 'utf-8' or 'cp1252'"
        ) from error


@define
class TextBlocks:
    """The text of a file, block by block.

    The default encoding is UTF-8, or the one of the byte order mark; nothing is guessed. Bytes that are not UTF-8 become
    lone surrogates, and ``dirty`` is set, so that only their record is refused. In any other encoding, the text ends at
    the first bytes that cannot be decoded, and ``broken`` is set.

    Attributes:
        file: The file.
        encoding: The given encoding, or None.
        dirty: Whether any byte so far was not UTF-8.
        first_bad: Offset of the first such byte.
        broken: Why the text ended early, or None; to be raised after all records before it have been read.
    """

    file: PairFile
    encoding: str | None
    dirty: bool = False
    first_bad: int = 0
    broken: UnreadableFile | None = None
    _offset: int = field(default=0, init=False)

    def __iter__(self) -> Iterator[str]:
        blocks = self.file.blocks()
        first = next(blocks, b"")
        name = self._settle(first)
        utf8 = name in _UTF8
        if utf8 and first.startswith(codecs.BOM_UTF8):
            first = first[3:]
            self._offset = 3
        # A lone surrogate in UTF-16 affects only its record, which cannot be written as UTF-8.
        errors = "surrogatepass" if name.startswith(("utf-16", "utf-32")) else "strict"
        decoder = codecs.getincrementaldecoder("utf-8" if utf8 else name)(errors)
        start = True
        for block in self._with(first, blocks):
            kept = decoder.getstate()[0]
            text, error = sound_part(decoder, block, final=not block)
            if error is not None and utf8:
                self.dirty = True
                self.first_bad = self._offset - len(kept) + error.start
                # From here on, wrong bytes become surrogates, so that only their own records are refused.
                decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
                text = decoder.decode(kept + block, final=not block)
            elif error is not None:
                at = self._offset - len(kept) + error.start
                self.broken = UnreadableFile(
                    "encoding", f"is not {name} near byte {at}", "pass the correct `encoding=`"
                )
            self._offset += len(block)
            if start and text:
                start = False
                if not utf8:
                    text = text.removeprefix("\ufeff")
            if text:
                yield text
            if self.broken:
                return

    def _with(self, first: bytes, blocks: Iterator[bytes]) -> Iterator[bytes]:
        yield first
        yield from blocks
        # An empty block at the end tells the decoder to report a character that was cut off.
        if first:
            yield b""

    def _settle(self, first: bytes) -> str:
        """Returns the encoding to use.

        Raises:
            SourceFormatError: UTF-16 was named, and nothing states its byte order.
            UnreadableFile: The file has a false byte order mark.
        """
        given = self.encoding
        marked = first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        if given == "utf-16" and not marked:
            raise SourceFormatError(
                "has no byte order mark, so its byte order in UTF-16 is not known",
                path=self.file.place,
                line=1,
                column=1,
                hint="pass encoding='utf-16-le' or encoding='utf-16-be'",
            )
        if given is None and marked and not marked_encoding(first):
            raise UnreadableFile("encoding", FALSE_MARK, "save it as UTF-8, or pass `encoding=`")
        return given or marked_encoding(first) or "utf-8"


@define
class Utf8Blocks:
    """A file as UTF-8 without a byte order mark, block by block; bytes that are not UTF-8 are not changed.

    Attributes:
        file: The file.
        encoding: The given encoding, or None.
        broken: The same as in `TextBlocks`.
    """

    file: PairFile
    encoding: str | None
    broken: UnreadableFile | None = None

    def __iter__(self) -> Iterator[bytes]:
        blocks = self.file.blocks()
        first = next(blocks, b"")
        if self.encoding in _UTF8 or (self.encoding is None and not marked_encoding(first)):
            yield first.removeprefix(codecs.BOM_UTF8)
            yield from blocks
            return
        blocks.close()
        texts = TextBlocks(self.file, self.encoding)
        for text in texts:
            yield text.encode("utf-8", "surrogatepass")
        self.broken = texts.broken
