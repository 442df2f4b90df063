"""Where source files come from: a folder, an archive in memory, or a revision of a git repository."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path, PurePosixPath

from attrs import frozen

from furytune._python_source.files import UnfitError
from furytune._storage.folders import NOT_REGULAR, leads_out, list_files, opener, printable_name
from furytune.errors import ConfigError, KnowledgeError
from furytune.records import Dropped

__all__ = [
    "Entry",
    "Tree",
    "below_folder",
    "carried",
    "check_folder",
    "entered",
    "open_tree",
    "other_suffixes",
    "packages_of",
]

Wanted = Callable[[str], bool]
_ARCHIVES = (".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".zip", ".whl")


@frozen(kw_only=True)
class Entry:
    """One file.

    Attributes:
        name: Path that passages cite, with forward slashes.
        below: Path below what was asked for.
        read: Returns its bytes, or raises `UnfitError`.
    """

    name: str
    below: str
    read: Callable[[], bytes]


@frozen(kw_only=True)
class Tree:
    """The wanted files of a source.

    Attributes:
        entries: In order of name.
        dropped: What cannot be used, known before any file is read.
        packages: Folders that hold an ``__init__.py``.
        revision: Which state of the source this is, "" if nobody says.
    """

    entries: tuple[Entry, ...]
    dropped: tuple[Dropped, ...] = ()
    packages: frozenset[str] = frozenset()
    revision: str = ""


def open_tree(
    source: str | os.PathLike[str], *, wanted: Wanted, revision: str, folder: str, max_bytes: int
) -> Tree:
    """Lists the files of a folder, file, archive, or revision of a git repository.

    Raises:
        ConfigError: The options do not go together, or git is needed and absent.
        KnowledgeError: There is no such source, or it cannot be opened.
    """
    from furytune._python_source.archives import archive_tree
    from furytune._python_source.git import checkout_of, git_tree

    root = Path(source).absolute()
    if not os.path.lexists(root):
        raise KnowledgeError(f"{source}: no such file or folder")
    folder = check_folder(folder)
    if root.is_file() and root.name.lower().endswith(_ARCHIVES):
        if revision:
            raise ConfigError(f"{source}: an archive says itself which version it holds; leave revision out")
        return archive_tree(root, wanted=wanted, folder=folder, max_bytes=max_bytes)
    if revision and checkout_of(root if root.is_dir() else root.parent) is not None:
        if not root.is_dir():
            raise ConfigError(
                f"{source}: a revision is read of a folder; give that and the file's own folder="
            )
        return git_tree(root, revision, wanted=wanted, folder=folder, max_bytes=max_bytes)
    if folder and not (root / folder).is_dir():
        raise KnowledgeError(f"{source}: there is no folder {folder!r} in it")
    if folder and leads_out(root / folder, root):
        raise KnowledgeError(f"{source}: {folder!r} is a link out of it; give the folder that it leads to")
    base = root.parent if not folder else root
    within = root if root.is_dir() else None
    return below_folder(
        root / folder, base, wanted=wanted, max_bytes=max_bytes, revision=revision, within=within
    )


def check_folder(folder: str) -> str:
    """Returns the path of a folder below a source, without needless parts."""
    parts = [p for p in folder.replace("\\", "/").split("/") if p not in ("", ".")]
    if folder.startswith("/") or ".." in parts:
        raise ConfigError(f"folder is a path below the source, such as 'docs/source', not {folder!r}")
    return "/".join(parts)


def below_folder(
    root: Path,
    base: Path,
    *,
    wanted: Wanted,
    max_bytes: int,
    revision: str = "",
    within: Path | None = None,
) -> Tree:
    """Lists what is below a folder, or the one file.

    Hidden folders and ``__pycache__`` are not entered. Links are followed as `furytune._storage.folders` says.

    Args:
        root: Folder or file.
        base: Folder above that names are relative to.
        wanted: Decides by a file's name.
        max_bytes: Larger files are not read.
        revision: What the user says it is.
        within: Folder that links may lead to; None is the root.

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
            )
            files = [(start + file.name, file.name, file.real) for file in listing.files]
            dropped = [*listing.dropped, *other_suffixes(listing.others)]
        else:
            files, dropped = [(root.relative_to(base).as_posix(), root.name, root.resolve(strict=True))], []
    except OSError as error:
        raise KnowledgeError(f"{root}: this cannot be read ({error.strerror})") from error
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
    )


def _read(path: Path, name: str, max_bytes: int) -> bytes:
    try:
        with open(path, "rb", opener=opener) as file:
            state = os.fstat(file.fileno())
            if not stat.S_ISREG(state.st_mode):
                raise UnfitError("unreadable", NOT_REGULAR, path=name)
            if state.st_size > max_bytes:
                raise too_large(name, state.st_size, max_bytes)
            data = file.read(max_bytes + 1)
    except OSError as error:
        raise UnfitError("unreadable", f"this cannot be read ({error.strerror})", path=name) from error
    if len(data) > max_bytes:
        raise too_large(name, len(data), max_bytes)
    return data


def too_large(name: str, size: int, max_bytes: int) -> UnfitError:
    """Returns the refusal of a file by its size."""
    return UnfitError(
        "too_large", f"this has {size:,} bytes or more, and {max_bytes:,} are allowed", path=name
    )


def entered(name: str) -> bool:
    """Tells whether no folder of a path is hidden or holds compiled code; in none of those is any source."""
    return not any(part.startswith(".") or part == "__pycache__" for part in name.split("/")[:-1])


def carried(name: str) -> bool:
    """Tells whether a passage can name a file: in UTF-8, on one line."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return "\n" not in name and "\r" not in name


def other_suffixes(names: Iterable[str]) -> list[Dropped]:
    """Counts files that are not read because of what their names end in, for each suffix."""
    counts = Counter(PurePosixPath(name).suffix.lower() for name in names)
    return [
        Dropped(reason="other_suffix", unit="file", count=count, where=printable_name(suffix) or "no suffix")
        for suffix, count in sorted(counts.items())
    ]


def packages_of(names: Iterable[str]) -> frozenset[str]:
    """Returns the folders that hold an ``__init__.py`` or ``__init__.pyi``."""
    return frozenset(n.rpartition("/")[0] for n in names if n.endswith(("/__init__.py", "/__init__.pyi")))
