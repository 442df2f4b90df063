"""Reads sdists, wheels and other archives in memory, without unpacking anything to disk."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path
from typing import IO, NoReturn, cast

from attrs import define, field

from furytune._python_source.files import UnfitError
from furytune._python_source.trees import (
    Entry,
    Tree,
    Wanted,
    carried,
    entered,
    other_suffixes,
    packages_of,
    too_large,
)
from furytune._storage.folders import NOT_REGULAR, printable_name, sort_links
from furytune.errors import KnowledgeError
from furytune.records import Dropped

__all__ = ["archive_tree"]

_MOST_FILES = 200_000
_MOST_BYTES = 2 << 30  # unpacked, including skipped files, because a tar must be decompressed to skip them
_MOST_KEPT = 512 << 20
_RATIO = 200  # deflate can reach 1032; a source tree has 3 to 8
_FREE = 32 << 20
_BLOCK = 512
_LONGEST_LINK = 4096  # bytes
_DRIVE = re.compile(r"[A-Za-z]:[/\\]")
_VERSION = re.compile(rb"^Version:[ \t]*(\S+)", re.MULTILINE)
_NAMED = re.compile(r"-(v?\d[\w.+!]*?)(?=-|\.tar|\.tgz|\.zip|$)")


@define
class _Contents:
    """What was found in an archive so far.

    Attributes:
        place: The archive.
        max_bytes: Larger files are refused.
        wanted: Decides by the file's name whether it is read.
        names: Names of all files, in the order of the archive.
        kept: Bytes of the wanted files.
        refused: Wanted files that cannot be used, with the reason.
        links: Targets of links, relative to their folders.
        dropped: What is not read.
        metadata: The file that states the version.
        size: Bytes kept so far.
    """

    place: Path
    max_bytes: int
    wanted: Wanted
    most_files: int
    most_kept: int
    names: list[str] = field(factory=list)
    kept: dict[str, bytes] = field(factory=dict)
    refused: dict[str, UnfitError] = field(factory=dict)
    links: dict[str, str] = field(factory=dict)
    dropped: list[Dropped] = field(factory=list)
    metadata: bytes = b""
    size: int = 0

    def wants(self, name: str) -> bool:
        return self.wanted(_last(name)) and carried(name)

    def drop(self, reason: str, name: str, detail: str = "") -> None:
        """Reports a file that is not read, unless it would not be wanted anyway."""
        if self.wanted(_last(name)):
            where = printable_name(name)
            self.dropped.append(Dropped(reason=reason, unit="file", where=where, detail=detail))

    def safe(self, name: str) -> bool:
        """Returns False for a path that leads out of the archive, and counts it as dropped."""
        parts = name.replace("\\", "/").split("/")
        # Nothing is unpacked, but the name becomes part of a citation, and of paths that users make from it.
        if ".." not in parts and parts[0] and not _DRIVE.match(name):
            return True
        detail = "a path out of the archive"
        where = printable_name(name)
        self.dropped.append(Dropped(reason="path_outside", unit="file", where=where, detail=detail))
        return False

    def keep(self, name: str, data: bytes) -> None:
        """Stores a file's bytes, up to a limit for the whole archive."""
        self.kept[name] = data
        self.size += len(data)
        if self.size > self.most_kept:
            self.bomb(f"its source files are larger than {self.most_kept >> 20} MiB")

    def bomb(self, how: str) -> NoReturn:
        """Refuses the archive."""
        raise KnowledgeError(
            f"{self.place}: this archive is not read because {how}; unpack it and pass the folder"
        )


def archive_tree(
    place: Path,
    *,
    wanted: Wanted,
    folder: str,
    max_bytes: int,
    most_files: int = _MOST_FILES,
    most_kept: int = _MOST_KEPT,
) -> Tree:
    """Reads the wanted files of an archive. A single top folder, as in an sdist, is removed from their names.

    Args:
        place: The archive.
        wanted: Says for a file's name whether to read it.
        folder: Only files below this folder are read; "" for all.
        max_bytes: Maximum size of a file.
        most_files: Maximum number of members.
        most_kept: Maximum bytes of all files that are read.

    Raises:
        KnowledgeError: The archive is damaged, or a bomb: too many files or bytes, or compressed too tightly.
    """
    found = _Contents(
        place=place, max_bytes=max_bytes, wanted=wanted, most_files=most_files, most_kept=most_kept
    )
    try:
        if place.name.lower().endswith((".zip", ".whl")):
            _read_zip(found)
        else:
            _read_tar(found)
    # A damaged archive makes Python's readers fail in all these ways.
    except (
        OSError,
        EOFError,
        tarfile.TarError,
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        ValueError,
        RuntimeError,
    ) as error:
        raise KnowledgeError(
            f"{place}: this archive cannot be read ({type(error).__name__}); download it again"
        ) from error
    return _tree(found, folder)


def _tree(found: _Contents, folder: str) -> Tree:
    """Returns what was found as a tree, with names below the archive's single top folder.

    Raises:
        KnowledgeError: The archive does not have the folder.
    """
    tops = {name.partition("/")[0] for name in found.names}
    # An sdist's top folder contains the version, so ids of passages would change with each release.
    top = f"{tops.pop()}/" if len(tops) == 1 and all("/" in name for name in found.names) else ""
    if f"{top}__init__.py" in found.names:
        top = ""  # the archive is one package, whose folder is part of the names
    start = f"{folder}/" if folder else ""

    def asked(full: str) -> bool:
        name = full.removeprefix(top)
        return name.startswith(start) and entered(name.removeprefix(start))

    files = {full: full for full in (*found.kept, *found.refused) if asked(full)}
    files |= _through_links(found, [full for full in found.links if asked(full)], files, top)
    entries = []
    for full, place in sorted(files.items()):
        name = full.removeprefix(top)
        entries.append(
            Entry(name=name, below=name.removeprefix(start), read=partial(_give, found, place, name))
        )
    others = [n for n in found.names if asked(n) and n not in found.links and not found.wanted(_last(n))]
    found.dropped += other_suffixes(others)
    if folder and not any(n.removeprefix(top).startswith(start) for n in found.names):
        raise KnowledgeError(f"{found.place}: the archive has no folder {folder!r}; check the name")
    return Tree(
        entries=tuple(entries),
        dropped=tuple(found.dropped),
        packages=packages_of(n.removeprefix(top) for n in found.names),
        revision=_revision(found),
        others=tuple(n.removeprefix(top) for n in others),
        top=top,
    )


def _through_links(found: _Contents, asked: list[str], read: Collection[str], top: str) -> dict[str, str]:
    """Returns the files to read instead of links, and counts the other links as dropped.

    Args:
        found: The archive.
        asked: Links below the folder that is read.
        read: Files that are read anyway.
        top: The single top folder, "" without one.
    """
    files = {}
    for name, target in sort_links(asked, found.links, {*found.names}, read, wanted=found.wants, top=top):
        if isinstance(target, Dropped):
            found.dropped.append(target)
        elif target in found.kept or target in found.refused:
            files[name] = target
        else:
            found.drop("link", name, "a link to a file that is not read because of its suffix")
    return files


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _give(found: _Contents, full: str, name: str) -> bytes:
    """Returns a file's bytes, or raises the reason why it was refused."""
    if full in found.refused:
        raise UnfitError(found.refused[full].reason, found.refused[full].problem, path=name)
    return found.kept[full]


def _revision(found: _Contents) -> str:
    """Returns the version that the metadata or the archive's name states, "" without one."""
    # The headers end at the first blank line; below it is the readme, which may contain such a line too.
    stated = _VERSION.search(found.metadata.partition(b"\n\n")[0])
    if stated:
        return stated[1].decode("utf-8", "replace")
    named = _NAMED.search(found.place.name)
    return named[1] if named else ""


def _metadata(name: str) -> bool:
    """Returns whether a file states the version: PKG-INFO of an sdist, METADATA of a wheel."""
    folder, _, file = name.rpartition("/")
    return (file == "PKG-INFO" and folder.count("/") == 0) or (
        file == "METADATA" and folder.endswith(".dist-info") and "/" not in folder
    )


class _Counting:
    """A file that counts the bytes read from it and remembers the last ones."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.read_so_far = 0
        self.tail = b""

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.read_so_far += len(data)
        self.tail = (self.tail + data)[-_BLOCK:]
        return data


def _decompressed(packed: _Counting, head: bytes) -> IO[bytes]:
    """Opens a stream by its content. Unlike tarfile's stream mode, this notices a missing or wrong end."""
    if head.startswith(b"\x1f\x8b"):
        return cast("IO[bytes]", gzip.GzipFile(fileobj=cast("IO[bytes]", packed)))
    if head.startswith(b"BZh"):
        return bz2.BZ2File(cast("IO[bytes]", packed))
    if head.startswith(b"\xfd7zXZ\0"):
        return lzma.LZMAFile(cast("IO[bytes]", packed))
    return cast("IO[bytes]", packed)


def _read_tar(found: _Contents) -> None:
    """Reads a tar of any compression, from its first to its last byte.

    Raises:
        EOFError: The archive was cut off.
    """
    with found.place.open("rb") as file:
        head = file.read(6)
        file.seek(0)
        packed = _Counting(file)
        stream = _Counting(_decompressed(packed, head))
        # "r|" reads forwards only, so that an archive is decompressed once.
        with tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r|") as archive:
            for member in _members(found, archive, packed):
                contents = archive.extractfile(member)
                assert contents is not None
                _take(found, _name(member.name), member.size, contents)
        rest = 0
        while data := stream.read(1 << 20):
            rest += len(data)
            if rest > _FREE:
                found.bomb("a lot of data follows its end")
        # tarfile accepts an archive that ends after any member, so the end is checked here.
        if stream.tail.strip(b"\0") or not stream.tail:
            raise EOFError  # a tar ends with blocks of zeros, so this one was cut off


def _members(found: _Contents, archive: tarfile.TarFile, packed: _Counting) -> Iterator[tarfile.TarInfo]:
    """Yields the members to read, each before the archive is decompressed up to its end."""
    unpacked = 0
    for count, member in enumerate(archive):
        archive.members = []  # type: ignore[attr-defined]  # a stream never looks back
        unpacked += 512 + max(member.size, 0)
        _bounds(found, count, unpacked, packed.read_so_far)
        if member.isdir() or not found.safe(member.name):
            continue
        name = _name(member.name)
        found.names.append(name)
        if member.issym():
            found.links[name] = member.linkname
        elif member.islnk():  # its target is relative to the top of the archive, not to the link
            # Written relative to the link, so that it can be resolved like a symbolic link.
            up = "" if member.linkname.startswith("/") else "../" * name.count("/")
            found.links[name] = up + member.linkname
        elif not member.isfile():
            found.drop("unreadable", name, NOT_REGULAR)
        elif not carried(name):
            found.drop("bad_name", name)
        elif found.wants(name) or _metadata(name):
            yield member


def _name(name: str) -> str:
    return "/".join(part for part in name.split("/") if part not in ("", "."))


def _bounds(found: _Contents, files: int, unpacked: int, packed: int) -> None:
    if files > found.most_files:
        found.bomb(f"it has more than {found.most_files:,} files")
    if unpacked > _MOST_BYTES:
        found.bomb(f"it has more than {_MOST_BYTES >> 30} GiB unpacked")
    # Checked before each member is unpacked, so a bomb never uses much memory or time.
    if unpacked > _FREE and unpacked > _RATIO * packed:
        found.bomb(f"its compression ratio is above {_RATIO} to 1")


def _take(found: _Contents, name: str, size: int, stream: IO[bytes]) -> None:
    """Keeps a member's bytes, notes the metadata, or refuses a file that is too large.

    Args:
        found: The archive.
        name: Name of the member.
        size: The size that the archive states.
        stream: Its content.
    """
    if _metadata(name):
        found.metadata = found.metadata or stream.read(1 << 20)
    elif size > found.max_bytes:
        found.refused[name] = too_large(name, size, found.max_bytes)
    else:
        # The stated size may be false, so no more than the limit is read.
        found.keep(name, stream.read(found.max_bytes + 1)[: found.max_bytes])


def _read_zip(found: _Contents) -> None:
    """Reads a zip or wheel by its directory."""
    with zipfile.ZipFile(found.place) as archive:
        unpacked = packed = 0
        for count, member in enumerate(archive.infolist()):
            unpacked, packed = unpacked + member.file_size, packed + member.compress_size
            _bounds(found, count, unpacked, packed)
            if member.is_dir() or not found.safe(member.filename):
                continue
            # Names such as "./a.py" and "a//b.py" mean the same file.
            name = _name(member.filename)
            found.names.append(name)
            if not carried(name):
                found.drop("bad_name", name)
            elif member.flag_bits & 1:
                found.drop("encrypted", name)
            elif member.external_attr >> 28 == 0xA:  # a Unix symbolic link
                with archive.open(member) as stream:
                    found.links[name] = stream.read(_LONGEST_LINK).decode("utf-8", "surrogateescape")
            elif found.wants(name) or _metadata(name):
                with archive.open(member) as stream:
                    _take(found, name, member.file_size, stream)
