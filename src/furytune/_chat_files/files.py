"""Opens exports: folders, archives, and folders of archives. Nothing is unpacked to disk under a name."""

from __future__ import annotations

import re
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Protocol, cast

from attrs import field, frozen

from furytune._privacy.printable import printable
from furytune._storage.folders import list_files, opener, printable_name
from furytune.errors import SourceError, SourceFormatError
from furytune.records import Dropped

__all__ = ["MAX_FILE", "ExportFiles", "UnusableError", "open_exports", "place_of"]

MAX_FILE = 256 << 20
"""Most bytes of one file that is read as a whole. A day of a busy channel has a few megabytes."""

_ENDINGS = (".json", ".jsonl")
_ZIP = ".zip"
_TAR = (".tar.gz", ".tgz", ".tar")
_BLOCK = 1 << 18
_MOST_FILES = 2_000_000
_RATIO = 200  # real exports reach 30
_RATIO_FROM = 16 << 20
_DRIVE = re.compile(r"[A-Za-z]:")

OnDrop = Callable[[Dropped], None]


class UnusableError(Exception):
    """A file that cannot be used; the caller counts it or raises.

    Args:
        reason: The reason it is counted under.
        problem: What is wrong, in words.
    """

    def __init__(self, reason: str, problem: str) -> None:
        super().__init__(problem)
        self.reason = reason
        self.problem = problem


class ExportFiles(Protocol):
    """**Protocol:** the files of one export."""

    @property
    def path(self) -> Path:
        """The folder or archive."""
        ...

    @property
    def names(self) -> tuple[str, ...]:
        """Paths of its JSON files, sorted, with forward slashes."""
        ...

    def shown(self, name: str) -> str:
        """Returns the name of a file for errors."""
        ...

    def blocks(self, name: str) -> Iterator[bytes]:
        """Yields the bytes of a file.

        Raises:
            UnusableError: The file cannot be read.
        """
        ...


@frozen
class _Folder:
    path: Path
    files: dict[str, Path] = field(repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.files)

    def shown(self, name: str) -> str:
        return printable(self.path if self.path.is_file() else self.path / name)

    def blocks(self, name: str) -> Iterator[bytes]:
        try:
            with open(self.files[name], "rb", opener=opener) as file:
                while block := file.read(_BLOCK):
                    yield block
        except OSError as error:
            raise UnusableError("unreadable", error.strerror or "cannot be read") from error


@frozen
class _Zip:
    path: Path
    # It stays open, because an export can have 100,000 files, and each opening would read the list of all.
    archive: zipfile.ZipFile
    members: dict[str, zipfile.ZipInfo] = field(repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.members)

    def shown(self, name: str) -> str:
        return f"{printable(self.path)}: {printable_name(name)}"

    def blocks(self, name: str) -> Iterator[bytes]:
        info = self.members[name]
        size = 0
        try:
            with self.archive.open(info) as file:
                while block := file.read(_BLOCK):
                    size += len(block)
                    if size > _RATIO_FROM and size > _RATIO * max(info.compress_size, 1):
                        raise UnusableError("too_large", f"expands to over {_RATIO} times its size")
                    yield block
        except OSError as error:
            raise UnusableError("unreadable", error.strerror or "cannot be read") from error
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise UnusableError("damaged", "its compressed data are damaged") from error


@frozen
class _Tar:
    path: Path
    copy: IO[bytes]
    members: dict[str, tuple[int, int]] = field(repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.members)

    def shown(self, name: str) -> str:
        return f"{printable(self.path)}: {printable_name(name)}"

    def blocks(self, name: str) -> Iterator[bytes]:
        start, left = self.members[name]
        try:
            while left:
                self.copy.seek(start)
                block = self.copy.read(min(left, _BLOCK))
                if not block:
                    raise UnusableError("damaged", "its compressed data are cut short")
                start, left = start + len(block), left - len(block)
                yield block
        except OSError as error:
            raise UnusableError("unreadable", error.strerror or "cannot be read") from error


def place_of(files: ExportFiles, name: str, root: Path) -> str:
    """Returns the name of a file in reports and manifests, relative to what was given to the collector."""
    if files.path == root:
        return printable_name(name)
    return f"{printable(files.path.name)}/{printable_name(name)}"


def open_exports(path: Path, on_drop: OnDrop, stack: ExitStack) -> list[ExportFiles]:
    """Opens a folder, a zip file, a folder of zip files, or a single file.

    Args:
        path: What the user gave.
        on_drop: Called for each file that cannot be used.
        stack: Closes the archives.

    Raises:
        SourceError: It does not exist or cannot be read, or holds nothing to read.
        SourceFormatError: It is a zip file that cannot be opened.
    """
    shown = printable(path)
    try:
        if path.is_file():
            real = path.resolve(strict=True)
            if _packed(path.name):
                return [_open_archive(path, real, on_drop, stack, "")]
            return [_Folder(path, {path.name: real})]
        if not path.is_dir():
            raise SourceError(f"{shown}: no such file or folder")
        listing = list_files(path, wanted=lambda name: name.lower().endswith(_ENDINGS) or _packed(name))
    except OSError as error:
        raise SourceError(f"{shown}: cannot be read: {error.strerror}") from error
    for dropped in listing.dropped:
        on_drop(dropped)
    plain = {file.name: file.real for file in listing.files if not _packed(file.name)}
    found: list[ExportFiles] = [_Folder(path, plain)] if plain else []
    # Attachments can be zip files, so only those that lie beside nothing else are exports.
    packed = [file for file in listing.files if _packed(file.name) and "/" not in file.name]
    found += [_open_archive(file.path, file.real, on_drop, stack, f"{file.name}/") for file in packed]
    if not found:
        raise SourceError(
            f"{shown}: no *.json, *.jsonl, *.zip or *.tar.gz inside; give the folder or archive of an export"
        )
    return found


def _packed(name: str) -> bool:
    return name.lower().endswith((_ZIP, *_TAR))


def _open_archive(path: Path, real: Path, on_drop: OnDrop, stack: ExitStack, prefix: str) -> ExportFiles:
    open_it = _open_zip if path.name.lower().endswith(_ZIP) else _open_tar
    return open_it(path, real, on_drop, stack, prefix)


def _open_tar(path: Path, real: Path, on_drop: OnDrop, stack: ExitStack, prefix: str) -> ExportFiles:
    """Copies the JSON files of a tar archive into a temporary file without a name, because a tar has no list of files.

    Raises:
        SourceError: It cannot be read, or the temporary folder is full.
        SourceFormatError: It is not a tar archive, or it unpacks to far more than real exports do.
    """
    hint = "download it again, or unpack it and give the folder"
    members: dict[str, tuple[int, int]] = {}
    try:
        size = real.stat().st_size
        packed = stack.enter_context(open(real, "rb", opener=opener))  # noqa: SIM115  (the stack closes it)
        copy = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
        with tarfile.open(fileobj=packed, mode="r|*") as archive:
            for number, info in enumerate(archive):
                if info.offset > max(_RATIO_FROM, _RATIO * size) or number > _MOST_FILES:
                    raise SourceFormatError(
                        f"expands to over {_RATIO} times its size", path=printable(path), hint=hint
                    )
                name = info.name.removeprefix("./")
                if not info.isfile() or not name.lower().endswith(_ENDINGS):
                    continue
                if _leads_out(name):
                    where = printable_name(prefix + name)
                    detail = "a path out of the archive"
                    on_drop(Dropped(reason="path_outside", unit="file", where=where, detail=detail))
                    continue
                start = copy.tell()
                file = cast("IO[bytes]", archive.extractfile(info))
                while block := file.read(_BLOCK):
                    copy.write(block)
                members[name] = start, copy.tell() - start
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise SourceFormatError(
            "not a tar archive, or one that is damaged", path=printable(path), hint=hint
        ) from error
    except OSError as error:
        raise SourceError(f"{printable(path)}: cannot be read: {error.strerror or 'damaged'}") from error
    return _Tar(path, copy, dict(sorted(members.items())))


def _leads_out(name: str) -> bool:
    return name.startswith("/") or ".." in name.split("/") or _DRIVE.match(name) is not None


def _open_zip(path: Path, real: Path, on_drop: OnDrop, stack: ExitStack, prefix: str) -> ExportFiles:
    """Lists the JSON files of a zip file.

    Raises:
        SourceError: It cannot be read.
        SourceFormatError: It is not a zip file, or has too many files.
    """
    try:
        packed = stack.enter_context(open(real, "rb", opener=opener))  # noqa: SIM115  (the stack closes it)
        archive = stack.enter_context(zipfile.ZipFile(cast("IO[bytes]", packed)))
        infos = archive.infolist()
    except OSError as error:
        raise SourceError(f"{printable(path)}: cannot be read: {error.strerror}") from error
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise SourceFormatError(
            "not a zip file, or one that is damaged",
            path=printable(path),
            hint="download it again, or unpack it and give the folder",
        ) from error
    if len(infos) > _MOST_FILES:
        raise SourceFormatError(
            f"has over {_MOST_FILES} files", path=printable(path), hint="unpack it and give the folder"
        )
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        name = info.filename.replace("\\", "/")
        if info.is_dir() or not name.lower().endswith(_ENDINGS):
            continue
        problem = _problem(info, name)
        if problem is not None:
            where = printable_name(prefix + name)
            on_drop(Dropped(reason=problem[0], unit="file", where=where, detail=problem[1]))
            continue
        members[name] = info
    return _Zip(path, archive, dict(sorted(members.items())))


def _problem(info: zipfile.ZipInfo, name: str) -> tuple[str, str] | None:
    """Returns why a file of an archive is not read, with the detail."""
    if info.flag_bits & 1:
        return "encrypted", "it is encrypted"
    if _leads_out(name):
        return "path_outside", "a path out of the archive"
    return None
