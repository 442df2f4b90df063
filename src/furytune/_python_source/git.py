"""Reads a revision of a git repository from its objects, without changing the working tree or the git index."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from attrs import frozen

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
from furytune._storage.folders import printable_name, sort_links
from furytune.errors import ConfigError, KnowledgeError
from furytune.records import Dropped

__all__ = ["checkout_of", "git_tree", "tags"]

_MOST_KEPT = 512 << 20
_SHORT = 12
_LINK, _SUBMODULE = "120000", "160000"
_LONGEST_LINK = 4096  # bytes


@frozen
class _Listed:
    """One line of ``git ls-tree``.

    Attributes:
        mode: Mode in octal digits; it tells files, links and submodules apart.
        kind: "blob", "tree" or "commit".
        blob: Hash of the object.
        size: Bytes; 0 for what has no content.
        name: Path from the top of the repository.
    """

    mode: str
    kind: str
    blob: str
    size: int
    name: str

    @property
    def is_file(self) -> bool:
        return self.kind == "blob" and self.mode != _LINK


def checkout_of(folder: Path) -> Path | None:
    """Returns the repository folder that contains a folder, without running git."""
    for place in (folder, *folder.parents):
        # A linked worktree has a file named .git; a bare repository has none, but these three.
        if (place / ".git").exists() or all((place / n).exists() for n in ("HEAD", "objects", "refs")):
            return place
    return None


def git_tree(
    root: Path,
    revision: str,
    *,
    wanted: Wanted,
    folder: str,
    max_bytes: int,
    most_kept: int = _MOST_KEPT,
) -> Tree:
    """Reads the wanted files of a revision.

    Args:
        root: Folder in a checkout, or a bare repository.
        revision: Tag, commit or branch.
        wanted: Decides by a file's name whether to read it.
        folder: Folder below ``root``.
        max_bytes: Larger files are not read.
        most_kept: Maximum bytes of all files that are read.

    Returns:
        Files named by their path in the repository. The revision is the given tag. Anything else may move or be
        ambiguous, so it becomes the first twelve digits of the commit.

    Raises:
        ConfigError: git is not installed, or the revision is not valid.
        KnowledgeError: The revision does not exist, or the repository cannot be read.
    """
    # A line break would let `cat-file` read another request.
    if not revision.isprintable():
        raise ConfigError(f"{revision!r} is not a valid revision; pass a tag, a commit or a branch")
    commit = _commit(root, revision)
    # A bare repository has no prefix, and neither does the top folder of a checkout.
    prefix = _git(root, "rev-parse", "--show-prefix").decode("utf-8", "surrogateescape").rstrip("\n")
    start = prefix + (f"{folder}/" if folder else "")
    # The whole revision is listed, because links may lead out of the folder that was asked for.
    listed = _listed(root, commit)
    dropped = list[Dropped]()
    asked = [entry for entry in listed if entry.name.startswith(start) and entered(entry.name[len(start) :])]
    blobs = {e.name: e for e in listed if e.is_file}
    files = {e.name: e for e in asked if e.is_file and wanted(_last(e.name))}
    links = {e.name: e for e in listed if e.mode == _LINK}
    for name, found in sort_links(
        [e.name for e in asked if e.name in links],
        _targets(root, links),
        blobs.keys(),
        files.keys(),
        wanted=lambda name: wanted(_last(name)),
        top=prefix,
    ):
        if isinstance(found, Dropped):
            dropped.append(found)
        else:
            files[name] = blobs[found]
    for name in [e.name for e in asked if e.mode == _SUBMODULE]:
        detail = "a submodule, which is a separate repository"
        dropped.append(Dropped(reason="link", unit="file", where=printable_name(name), detail=detail))
    for name in [name for name in files if not carried(name)]:
        del files[name]
        dropped.append(Dropped(reason="bad_name", unit="file", where=printable_name(name)))
    others = tuple(e.name for e in asked if e.is_file and not wanted(_last(e.name)))
    dropped += other_suffixes(others)
    names = [e.name for e in listed]
    if start and not any(n.startswith(start) for n in names):
        raise KnowledgeError(f"{root}: revision {revision} has no folder {start.rstrip('/')!r}")
    # Sizes are known from the list, so a large file is refused without being read.
    small = [e for e in files.values() if e.size <= max_bytes]
    if sum(e.size for e in small) > most_kept:
        raise KnowledgeError(
            f"{root}: the source files of {revision} are larger than {most_kept >> 20} MiB; choose a part with folder="
        )
    contents = _contents(root, [e.blob for e in small])
    return Tree(
        entries=tuple(
            Entry(
                name=name,
                below=name.removeprefix(start),
                read=partial(_give, contents, name, e.blob, e.size, max_bytes),
            )
            for name, e in sorted(files.items())
        ),
        dropped=tuple(dropped),
        packages=packages_of(names),
        # A branch moves on; only a tag or a commit names the same text later.
        revision=revision if _is_tag(root, revision) else commit[:_SHORT],
        others=others,
    )


def tags(root: Path) -> list[tuple[str, datetime]]:
    """Returns the tags of a repository with their dates: when an annotated tag was made, or the commit of another tag.

    Args:
        root: Folder in a checkout, or a bare repository.

    Raises:
        ConfigError: git is not installed.
        KnowledgeError: It is not a repository.
    """
    listed = _git(root, "for-each-ref", "--format=%(refname:strip=2)%00%(creatordate:unix)", "refs/tags")
    rows = (line.split("\0") for line in listed.decode("utf-8", "surrogateescape").splitlines())
    # A tag of a file or a tree has no date.
    return [(name, datetime.fromtimestamp(int(when), UTC)) for name, when in rows if when]


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _targets(root: Path, links: Mapping[str, _Listed]) -> dict[str, str]:
    """Returns the target of each link."""
    # git stores the target of a link as the content of its blob.
    texts = _contents(root, [e.blob for e in links.values() if e.size <= _LONGEST_LINK]) if links else {}
    # In a partial clone, the text of a link may be missing; such a link leads nowhere.
    return {
        name: texts.get(e.blob, b"").decode("utf-8", "surrogateescape") or name for name, e in links.items()
    }


def _give(contents: dict[str, bytes], name: str, blob: str, size: int, max_bytes: int) -> bytes:
    """Returns the bytes of a file, or raises why they cannot be used.

    Raises:
        UnfitError: The file is too large, or a partial clone does not have it.
    """
    if size > max_bytes:
        raise too_large(name, size, max_bytes)
    if blob not in contents:
        raise UnfitError("unreadable", f"the repository does not have its object {blob[:_SHORT]}", path=name)
    return contents[blob]


def _commit(root: Path, revision: str) -> str:
    """Returns the full hash of the commit that a revision means.

    Raises:
        KnowledgeError: The repository has no such revision.
    """
    try:
        found = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    except KnowledgeError as error:
        if str(error).endswith(": git says nothing"):
            raise KnowledgeError(
                f"{root}: the git repository {checkout_of(root)} has no revision {revision!r};"
                " fetch it (git fetch --tags), or pass another revision"
            ) from error
        raise
    return found.decode().strip()


def _is_tag(root: Path, revision: str) -> bool:
    """Returns whether a revision is the name of a tag."""
    try:
        _git(root, "show-ref", "--verify", "--quiet", f"refs/tags/{revision}")
    except KnowledgeError:
        return False
    return True


def _listed(root: Path, commit: str) -> list[_Listed]:
    """Lists all entries of a commit."""
    out = _git(root, "ls-tree", "-r", "-z", "--long", "--full-tree", commit).decode(
        "utf-8", "surrogateescape"
    )
    found = []
    for line in out.split("\0")[:-1]:
        head, _, name = line.partition("\t")
        mode, kind, blob, size = head.split()
        found.append(_Listed(mode, kind, blob, int(size) if size.isdigit() else 0, name))
    return found


def _contents(root: Path, blobs: list[str]) -> dict[str, bytes]:
    """Returns the bytes of objects, without those that a partial clone does not have."""
    # One process for all files: starting one for each takes a hundred times as long.
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
    """Runs git without side effects and returns its output.

    Args:
        root: A folder in the repository.
        arguments: The command.
        given: Standard input.

    Raises:
        ConfigError: git is not installed.
        KnowledgeError: git failed; the error says what it said.
    """
    # Inside a git hook, git's environment variables name the repository of the hook.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    # git must not ask for a password, fetch missing objects or write to the repository.
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
            " install it, or pass a folder or an archive of that revision without revision="
        ) from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().replace("\n", " ") or "nothing"
        raise KnowledgeError(f"{root}: git says {said}")
    return done.stdout
