"""Reads a revision of a git repository from its objects; the working tree and the index are not touched."""

from __future__ import annotations

import os
import re
import subprocess
from functools import partial
from pathlib import Path

from furytune.corpora._files import UnfitError
from furytune.corpora._sources import (
    Entry,
    Tree,
    Wanted,
    carried,
    entered,
    packages_of,
    readable_name,
    too_large,
)
from furytune.errors import ConfigError, KnowledgeError
from furytune.records import Dropped

__all__ = ["checkout_of", "git_tree"]

_MOST_KEPT = 512 << 20
_SHORT = 12
_LINK, _SUBMODULE = "120000", "160000"


def checkout_of(folder: Path) -> Path | None:
    """Returns the folder of the repository that a folder belongs to, found without git."""
    for place in (folder, *folder.parents):
        if (place / ".git").exists() or all((place / n).exists() for n in ("HEAD", "objects", "refs")):
            return place
    return None


def git_tree(root: Path, revision: str, *, wanted: Wanted, folder: str, max_bytes: int) -> Tree:
    """Reads the wanted files of a revision.

    Args:
        root: Folder in a checkout, or a bare repository.
        revision: Tag, commit or branch.
        wanted: Judges by a file's name.
        folder: Folder below ``root``.
        max_bytes: Files of more are not read.

    Returns:
        Files named by their path in the repository. The revision is the tag as given; anything else may move or
        be ambiguous, so it becomes the commit's first twelve digits.

    Raises:
        ConfigError: git is not installed.
        KnowledgeError: There is no such revision, or the repository cannot be read.
    """
    if not revision.isprintable():
        raise ConfigError(f"{revision!r} is no revision; give a tag, a commit or a branch")
    commit = _commit(root, revision)
    # A bare repository has no prefix, nor has a checkout at its top.
    prefix = _git(root, "rev-parse", "--show-prefix").decode("utf-8", "surrogateescape").rstrip("\n")
    start = prefix + (f"{folder}/" if folder else "")
    names, files, dropped = [], [], list[Dropped]()
    for mode, kind, blob, size, name in _listed(root, commit):
        names.append(name)
        below = name.removeprefix(start)
        if not name.startswith(start) or not entered(below) or not wanted(name.rpartition("/")[2]):
            continue
        if mode == _LINK or kind != "blob":
            dropped.append(Dropped(reason="link", unit="file", where=readable_name(name)))
        elif not carried(name):
            dropped.append(Dropped(reason="bad_name", unit="file", where=readable_name(name)))
        else:
            files.append((name, blob, size))
    if start and not any(n.startswith(start) for n in names):
        raise KnowledgeError(f"{root}: revision {revision} has no folder {start.rstrip('/')!r}")
    small = [(blob, size) for _, blob, size in files if size <= max_bytes]
    if sum(size for _, size in small) > _MOST_KEPT:
        raise KnowledgeError(
            f"{root}: the source files of {revision} have more than {_MOST_KEPT >> 20} MiB; give a folder of them"
        )
    contents = _contents(root, [blob for blob, _ in small])
    return Tree(
        entries=tuple(
            Entry(
                name=n, below=n.removeprefix(start), read=partial(_give, contents, n, blob, size, max_bytes)
            )
            for n, blob, size in sorted(files)
        ),
        dropped=tuple(dropped),
        packages=packages_of(names),
        revision=revision if _is_tag(root, revision) else commit[:_SHORT],
    )


def _give(contents: dict[str, bytes], name: str, blob: str, size: int, max_bytes: int) -> bytes:
    if size > max_bytes:
        raise too_large(name, size, max_bytes)
    if blob not in contents:
        raise UnfitError("unreadable", f"git has no object {blob[:_SHORT]} of it here", path=name)
    return contents[blob]


def _commit(root: Path, revision: str) -> str:
    try:
        found = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    except KnowledgeError as error:
        if str(error).endswith(": git says nothing"):
            raise KnowledgeError(
                f"{root}: the git repository {checkout_of(root)} has no revision {revision!r};"
                " fetch it (git fetch --tags), or name another"
            ) from error
        raise
    return found.decode().strip()


def _is_tag(root: Path, revision: str) -> bool:
    try:
        _git(root, "show-ref", "--verify", "--quiet", f"refs/tags/{revision}")
    except KnowledgeError:
        return False
    return True


def _listed(root: Path, commit: str) -> list[tuple[str, str, str, int, str]]:
    out = _git(root, "ls-tree", "-r", "-z", "--long", "--full-tree", commit).decode(
        "utf-8", "surrogateescape"
    )
    found = []
    for line in out.split("\0")[:-1]:
        head, _, name = line.partition("\t")
        mode, kind, blob, size = head.split()
        found.append((mode, kind, blob, int(size) if size.isdigit() else 0, name))
    return found


def _contents(root: Path, blobs: list[str]) -> dict[str, bytes]:
    """Returns the bytes of objects; those that a partial clone lacks are not in it."""
    out = _git(root, "cat-file", "--batch", "--buffer", given="".join(f"{b}\n" for b in blobs).encode())
    found, at = {}, 0
    while at < len(out):
        end = out.index(b"\n", at)
        head = out[at:end].decode().split()
        at = end + 1
        if re.fullmatch(r"\d+", head[-1]):
            size = int(head[-1])
            found[head[0]] = out[at : at + size]
            at += size + 1
    return found


def _git(root: Path, *arguments: str, given: bytes = b"") -> bytes:
    # Where furytune runs inside a hook, git's variables name the repository of the hook.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    environment |= {
        "LC_ALL": "C",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
    }
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "--no-replace-objects", "-C", os.fspath(root), *arguments],  # noqa: S607
            input=given,
            capture_output=True,
            env=environment,
            check=False,
        )
    except FileNotFoundError as error:
        raise ConfigError(
            f"{root}: reading a revision needs the program git, which is not installed;"
            " install it, or give a folder or an archive of that revision without revision="
        ) from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().replace("\n", " ") or "nothing"
        raise KnowledgeError(f"{root}: git says {said}")
    return done.stdout
