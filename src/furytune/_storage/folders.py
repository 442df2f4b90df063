"""Lists files that someone else may have put there: no link leads out of the given root, and no file is read twice.

The same rules hold for folders, git trees and archives:

* The user chose the root, so a root that is a link is followed.
* A link whose target is outside the root is dropped as ``link_outside``.
* A link to a file inside the root is read under the link's name. If that file is read anyway, the link is dropped as
  ``link``. A link to a folder is always dropped as ``link``: the folder itself is listed, so a loop cannot start.
* A link that leads nowhere, or in a circle, is ``unreadable``.
"""

from __future__ import annotations

import errno
import os
import stat
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

from attrs import frozen

from furytune.records import Dropped

__all__ = [
    "FILE_LINK",
    "FOLDER_LINK",
    "NOT_REGULAR",
    "NOWHERE",
    "OUTSIDE",
    "Listed",
    "Listing",
    "leads_out",
    "list_files",
    "opener",
    "printable_name",
    "sort_links",
]

FILE_LINK = "a link to a file that is read under its own name"
FOLDER_LINK = "a link to a folder; files in it are read under their own names"
NOWHERE = "a link that leads nowhere or in a circle"
NOT_REGULAR = "not a regular file"
OUTSIDE = "a link out of the given root; copy its target into the root, or read the target separately"

_MOST_LINKS = 40  # on the way to one file, as in Linux
_LONGEST = 1024  # characters of a path with a link in it
_PATH_ONLY = getattr(os, "O_PATH", 0)  # needs permission to pass through a folder, not to list it
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)


@frozen(kw_only=True)
class Listed:
    """One file below a root.

    Attributes:
        name: Path below the root, with forward slashes.
        path: Path as the user knows it.
        real: Path with all links resolved. Open this one, with `opener`.
    """

    name: str
    path: Path
    real: Path


@frozen
class Listing:
    """The files below a root.

    Attributes:
        files: The files to read, sorted by name.
        dropped: Links and other entries that are not read, each with a reason.
        others: Names of the files that are not wanted.
    """

    files: tuple[Listed, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    others: tuple[str, ...] = ()


def list_files(
    root: Path,
    *,
    wanted: Callable[[str], bool],
    entered: Callable[[str], bool] = bool,
    within: Path | None = None,
    prefix: str = "",
    repeat: bool = False,
) -> Listing:
    """Lists the wanted files below a folder.

    Args:
        root: The folder.
        wanted: Returns True for the path, below the root, of a file to list.
        entered: Returns True for the name of a folder to enter.
        within: A larger folder that links may lead to; None for the root.
        prefix: Put before names in drops.
        repeat: Whether to list a file under a link's name as well as its own.

    Raises:
        OSError: The root cannot be resolved.
    """
    real_root = root.resolve(strict=True)
    limit = real_root if within is None else within.resolve(strict=True)
    files, links = dict[str, Path](), dict[str, os.DirEntry[str]]()
    dropped, others = list[Dropped](), list[str]()

    def drop(reason: str, name: str, detail: str) -> None:
        where = printable_name(prefix + name)
        dropped.append(Dropped(reason=reason, unit="file", where=where, detail=detail))

    # A stack instead of recursion, because a folder tree of someone else may be nested deeper than Python's
    # stack.
    waiting = [(real_root, "")]
    while waiting:
        folder, above = waiting.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError as error:
            drop("unreadable", above.rstrip("/") or ".", error.strerror or "")
            continue
        for entry in entries:
            name = above + entry.name
            if _is_link(entry):
                links[name] = entry
            elif entry.is_dir():
                if entered(entry.name):
                    waiting.append((Path(entry.path), f"{name}/"))
            elif not wanted(name):
                others.append(name)
            elif entry.is_file():
                files[name] = Path(entry.path)
            else:
                drop("unreadable", name, NOT_REGULAR)
    # Links come last: only now is it known which of their targets are read anyway.
    read = {os.fspath(real) for real in files.values()}
    for name, entry in sorted(links.items()):
        try:
            real = Path(entry.path).resolve(strict=True)
            mode = real.stat().st_mode
        except PermissionError as error:
            drop("unreadable", name, error.strerror or "")
            continue
        except (OSError, RuntimeError):  # before Python 3.13, a circle of links raises RuntimeError
            if wanted(name):
                drop("unreadable", name, NOWHERE)
            continue
        if stat.S_ISDIR(mode) and not entered(entry.name):
            continue
        if not real.is_relative_to(limit):
            drop("link_outside", name, OUTSIDE)
        elif stat.S_ISDIR(mode):
            drop("link", name, FOLDER_LINK)
        elif not wanted(name):
            continue
        elif not stat.S_ISREG(mode):
            drop("unreadable", name, NOT_REGULAR)
        elif os.fspath(real) in read and not repeat:
            drop("link", name, FILE_LINK)
        else:
            read.add(os.fspath(real))
            files[name] = real
    return Listing(
        tuple(Listed(name=n, path=root / n, real=real) for n, real in sorted(files.items())),
        tuple(sorted(dropped, key=lambda d: (d.where, d.reason))),
        tuple(others),
    )


def leads_out(path: Path, root: Path) -> bool:
    """Returns True if a link on a path below a root leads out of the root.

    Raises:
        OSError: The path or the root cannot be resolved.
    """
    return not path.resolve(strict=True).is_relative_to(root.resolve(strict=True))


def _is_link(entry: os.DirEntry[str]) -> bool:
    junction = getattr(entry, "is_junction", None)  # Windows, from Python 3.12
    return entry.is_symlink() or bool(junction and junction())


def opener(path: str, flags: int) -> int:
    """Opens a path without links, for ``open(path, "rb", opener=opener)``.

    It fails if a file or folder on the way has become a link since the path was resolved, so no one can swap in a link
    between listing and reading. It does not wait for a pipe either.

    Raises:
        OSError: The path cannot be opened, or contains a link.
    """
    # Without O_NONBLOCK, opening a named pipe would wait for a writer, without end.
    flags |= _NO_FOLLOW | getattr(os, "O_NONBLOCK", 0)
    if not _PATH_ONLY:
        if Path(path).resolve() != Path(path).absolute():
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
        return os.open(path, flags)
    # Folder by folder: between listing and opening, someone could have replaced any of them by a link.
    *folders, name = Path(path).absolute().parts
    at = -1
    try:
        for folder in folders:
            above = at
            at = os.open(
                folder, _PATH_ONLY | os.O_DIRECTORY | _NO_FOLLOW, dir_fd=None if above < 0 else above
            )
            if above >= 0:
                os.close(above)
        return os.open(name, flags, dir_fd=at)
    finally:
        if at >= 0:
            os.close(at)


def sort_links(
    asked: Iterable[str],
    links: Mapping[str, str],
    files: Collection[str],
    read: Collection[str],
    *,
    wanted: Callable[[str], bool],
    top: str = "",
) -> Iterator[tuple[str, str | Dropped]]:
    """Decides which links to read in a tree that is not on disk, such as an archive or a git revision.

    Args:
        asked: Paths of the links to decide about.
        links: Target of each link in the tree, as text, by the link's path.
        files: Paths of all files.
        read: Paths of the files that are read under their own names.
        wanted: Returns True for the path of a file to read.
        top: Folder of the tree that links must not leave, with a trailing slash.

    Yields:
        The link's path, and either the path of the file to read in its place or a drop.
    """
    taken, known, names = set(read), dict[str, "_Place"](), sorted(files)
    for name in sorted(asked):
        found = _follow(name, links, known, 0)
        place = "/".join(found or ())
        # In sorted names, a folder's files follow its name directly, so one look-up tells whether it is a
        # folder.
        at = bisect_left(names, f"{place}/")
        if found is None or (found is not _LOST and not f"{place}/".startswith(top)):
            reason, detail = "link_outside", OUTSIDE
        elif not place or (at < len(names) and names[at].startswith(f"{place}/")):
            reason, detail = "link", FOLDER_LINK
        elif not wanted(name):
            continue
        elif place not in files:
            reason, detail = "unreadable", NOWHERE
        elif place in taken:
            reason, detail = "link", FILE_LINK
        else:
            taken.add(place)
            yield name, place
            continue
        yield name, Dropped(reason=reason, unit="file", where=printable_name(name), detail=detail)


_Place: TypeAlias = "tuple[str, ...] | None"
_LOST: _Place = ("", "")  # no path has empty parts


def _follow(path: str, links: Mapping[str, str], known: dict[str, _Place], depth: int) -> _Place:
    """Resolves the links in a path; returns None if it leaves the tree, `_LOST` if it leads nowhere.

    Each link is followed only once, even if many paths pass through it.

    Args:
        path: The path of a link.
        links: All links of the tree, with their targets.
        known: Links that were resolved before; gets new ones.
        depth: How many links were followed to get here.
    """
    if depth > _MOST_LINKS or len(path) > _LONGEST:
        return _LOST
    found: tuple[str, ...] = ()
    for part in path.split("/"):
        if part in ("", "."):
            continue
        if part == "..":
            if not found:
                return None
            found = found[:-1]
            continue
        link = "/".join((*found, part))
        if link not in links:
            found = (*found, part)
            continue
        if link not in known:
            known[link] = _LOST  # while this link is being followed, so that a circle ends
            # Archives made on Windows may have backslashes in their links.
            target = links[link].replace("\\", "/")
            absolute = target.startswith("/") or target[1:2] == ":"
            known[link] = None if absolute else _follow("/".join((*found, target)), links, known, depth + 1)
        place = known[link]
        if place is None or place is _LOST:
            return place
        found = place
    return found


def printable_name(name: str) -> str:
    """Returns a file name that a report can show, on one line and in UTF-8."""
    plain = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return plain.replace("\n", "\\n").replace("\r", "\\r")
