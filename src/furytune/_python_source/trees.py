"""Lists the files of a source: a folder, an archive in memory, or a revision of a git repository."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path, PurePosixPath

from attrs import frozen

from furytune._python_source.files import UnfitError
from furytune._storage.folders import NOT_REGULAR, list_files, opener, printable_name
from furytune.errors import KnowledgeError
from furytune.records import Dropped

__all__ = [
    "Entry",
    "Tree",
    "below_folder",
    "carried",
    "entered",
    "other_suffixes",
    "packages_of",
]

Wanted = Callable[[str], bool]


@frozen(kw_only=True)
class Entry:
    """One file.

    Attributes:
        name: Path that passages cite, with forward slashes.
        below: Path below the source.
        read: Returns the bytes, or raises `UnfitError`.
    """

    name: str
    below: str
    read: Callable[[], bytes]


@frozen(kw_only=True)
class Tree:
    """The wanted files of a source.

    Attributes:
        entries: In order of name.
        dropped: Files that cannot be used, known before any file is read.
        packages: Folders that contain an ``__init__.py``.
        revision: The revision of the source, "" if it is not known.
        others: Names of the files that are not wanted.
        top: Prefix of the names in the drops that the names of the entries do not have.
    """

    entries: tuple[Entry, ...]
    dropped: tuple[Dropped, ...] = ()
    packages: frozenset[str] = frozenset()
    revision: str = ""
    others: tuple[str, ...] = ()
    top: str = ""


def below_folder(
    root: Path,
    base: Path,
    *,
    wanted: Wanted,
    max_bytes: int,
    revision: str = "",
    within: Path | None = None,
    repeat: bool = False,
) -> Tree:
    """Lists the files below a folder, or a single file.

    Hidden folders and ``__pycache__`` are skipped. `furytune._storage.folders` describes which links are followed.

    Args:
        root: Folder or file.
        base: Parent folder that names are relative to.
        wanted: Decides by a file's name whether to read it.
        max_bytes: Larger files are not read.
        revision: The revision that the user passed.
        within: Folder that links may lead to; None means the root.
        repeat: Whether to list a file under the name of a link too.

    Raises:
        KnowledgeError: The root cannot be read.
    """
    try:
        if root.is_dir():
            start = "" if root == base else f"{root.relative_to(base).as_posix()}/"
            listing = list_files(
                root,
                wanted=lambda name: wanted(name.rpartition("/")[2]),
                entered=lambda name: entered(f"{name}/"),
                within=within,
                prefix=start,
                repeat=repeat,
            )
            files = [(start + file.name, file.name, file.real) for file in listing.files]
            dropped = [*listing.dropped, *other_suffixes(listing.others)]
            others = tuple(start + name for name in listing.others)
        else:
            files, dropped = [(root.relative_to(base).as_posix(), root.name, root.resolve(strict=True))], []
            others = ()
    except OSError as error:
        raise KnowledgeError(
            f"{root}: the source cannot be read ({error.strerror}); check its permissions"
        ) from error
    entries = []
    for name, below, real in files:
        if carried(name):
            entries.append(Entry(name=name, below=below, read=partial(_read, real, name, max_bytes)))
        else:
            dropped.append(Dropped(reason="bad_name", unit="file", where=printable_name(name)))
    entries.sort(key=lambda e: e.name)
    return Tree(
        entries=tuple(entries),
        dropped=tuple(dropped),
        packages=packages_of(e.name for e in entries),
        revision=revision,
        others=others,
    )


def _read(path: Path, name: str, max_bytes: int) -> bytes:
    """Returns the bytes of a file.

    Raises:
        UnfitError: It cannot be read, is not a regular file, or is too large.
    """
    try:
        with open(path, "rb", opener=opener) as file:
            state = os.fstat(file.fileno())
            # Checked on the open file: the path may lead to something else by now.
            if not stat.S_ISREG(state.st_mode):
                raise UnfitError("unreadable", NOT_REGULAR, path=name)
            if state.st_size > max_bytes:
                raise too_large(name, state.st_size, max_bytes)
            # The file may grow between the check and the reading.
            data = file.read(max_bytes + 1)
    except OSError as error:
        raise UnfitError("unreadable", f"the file cannot be read ({error.strerror})", path=name) from error
    if len(data) > max_bytes:
        raise too_large(name, len(data), max_bytes)
    return data


def too_large(name: str, size: int, max_bytes: int) -> UnfitError:
    """Returns the error for a file that is too large."""
    return UnfitError(
        "too_large", f"the file has at least {size:,} bytes, but only {max_bytes:,} are allowed", path=name
    )


def entered(name: str) -> bool:
    """Returns whether a path avoids hidden folders and folders of compiled code, which contain no source."""
    return not any(part.startswith(".") or part == "__pycache__" for part in name.split("/")[:-1])


def carried(name: str) -> bool:
    """Returns whether a passage can cite a file name: it must be UTF-8 and on one line."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return "\n" not in name and "\r" not in name


def other_suffixes(names: Iterable[str]) -> list[Dropped]:
    """Counts the files that are not read because of their suffix, for each suffix."""
    counts = Counter(PurePosixPath(name).suffix.lower() for name in names)
    return [
        Dropped(reason="other_suffix", unit="file", count=count, where=printable_name(suffix) or "no suffix")
        for suffix, count in sorted(counts.items())
    ]


def packages_of(names: Iterable[str]) -> frozenset[str]:
    """Returns the folders that contain an ``__init__.py`` or ``__init__.pyi``."""
    return frozenset(n.rpartition("/")[0] for n in names if n.endswith(("/__init__.py", "/__init__.pyi")))
