"""Opens a source of any kind: a folder, a file, an archive, or a revision of a git repository."""

from __future__ import annotations

import os
from pathlib import Path

from furytune._python_source.archives import archive_tree
from furytune._python_source.git import checkout_of, git_tree
from furytune._python_source.trees import Tree, Wanted, below_folder
from furytune._storage.folders import leads_out
from furytune.errors import ConfigError, KnowledgeError

__all__ = ["check_folder", "open_tree"]

_ARCHIVES = (".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".zip", ".whl")


def open_tree(
    source: str | os.PathLike[str], *, wanted: Wanted, revision: str, folder: str, max_bytes: int
) -> Tree:
    """Lists the files of a folder, file, archive, or revision of a git repository.

    Raises:
        ConfigError: The options cannot be combined, or git is needed and not installed.
        KnowledgeError: The source does not exist or cannot be opened.
    """
    root = Path(source).absolute()
    if not os.path.lexists(root):
        raise KnowledgeError(f"{source}: this file or folder does not exist; check the path")
    folder = check_folder(folder)
    if root.is_file() and root.name.lower().endswith(_ARCHIVES):
        if revision:
            raise ConfigError(f"{source}: an archive contains its own version; leave revision= out")
        return archive_tree(root, wanted=wanted, folder=folder, max_bytes=max_bytes)
    if revision and checkout_of(root if root.is_dir() else root.parent) is not None:
        if not root.is_dir():
            raise ConfigError(
                f"{source}: a revision is read from a folder; pass the folder of the repository, and folder= for a part of it"
            )
        return git_tree(root, revision, wanted=wanted, folder=folder, max_bytes=max_bytes)
    if folder and not (root / folder).is_dir():
        raise KnowledgeError(f"{source}: the source has no folder {folder!r}; check the name")
    if folder and leads_out(root / folder, root):
        raise KnowledgeError(
            f"{source}: {folder!r} is a link that leads out of the source; pass the folder that it leads to"
        )
    base = root.parent if not folder else root
    within = root if root.is_dir() else None
    return below_folder(
        root / folder, base, wanted=wanted, max_bytes=max_bytes, revision=revision, within=within
    )


def check_folder(folder: str) -> str:
    """Returns the normalised path of a folder below a source."""
    parts = [p for p in folder.replace("\\", "/").split("/") if p not in ("", ".")]
    if folder.startswith("/") or ".." in parts:
        raise ConfigError(f"folder must be a path below the source, such as 'docs/source', not {folder!r}")
    return "/".join(parts)
