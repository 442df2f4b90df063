"""Opens a source of any kind: a folder, a file, an archive, or a revision of a git repository."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from attrs import evolve

from furytune._python_source.files import UnfitError
from furytune._python_source.git import checkout_of, git_tree
from furytune._python_source.installed import installed
from furytune._python_source.package_files import COMPILED, PackageFiles
from furytune._python_source.trees import Tree, Wanted, below_folder
from furytune._storage.folders import leads_out
from furytune.errors import ConfigError, KnowledgeError

__all__ = ["check_folder", "open_installed", "open_package", "open_tree"]

_MOST_BYTES = 64 << 20
"""Of a file of a package. Generated modules can be large, and whatever is not read, nothing can be said of."""

_ARCHIVES = (".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".zip", ".whl")

_STATING = ("_version.py", "version.py", "__version__.py", "__about__.py", "_info.py", "__init__.py")
"""Files that may state the version of a package."""
_VERSION = re.compile(
    rb"^(?:__version__|version|VERSION|full_version)(?:[ \t]*[:=][ \t]*\w+)*[ \t]*=[ \t]*[\"'](v?\d[\w.+-]*)[\"']",
    re.MULTILINE,
)


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
        from furytune._python_source.archives import archive_tree  # its formats take long to import

        return archive_tree(root, wanted=wanted, folder=folder, max_bytes=max_bytes)
    if revision and checkout_of(root if root.is_dir() else root.parent) is not None:
        if not root.is_dir():
            raise ConfigError(
                f"{source}: a revision is read from a folder; pass the folder of the repository, and folder= for a part of it"
            )
        return git_tree(root, revision, wanted=wanted, folder=folder, max_bytes=max_bytes)
    if folder and not (root / folder).is_dir():
        raise KnowledgeError(f"{source}: the source has no folder {folder!r}; check the name")
    # The folder may come from a configuration file that someone else wrote.
    if folder and leads_out(root / folder, root):
        raise KnowledgeError(
            f"{source}: {folder!r} is a link that leads out of the source; pass the folder that it leads to"
        )
    # The name of the top folder is part of the citations, as in "docs/guide.md".
    base = root.parent if not folder else root
    within = root if root.is_dir() else None
    return below_folder(
        root / folder, base, wanted=wanted, max_bytes=max_bytes, revision=revision, within=within
    )


def check_folder(folder: str) -> str:
    """Returns the normalised path of a folder below a source.

    Raises:
        ConfigError: It is not a path below the source.
    """
    parts = [p for p in folder.replace("\\", "/").split("/") if p not in ("", ".")]
    if folder.startswith("/") or ".." in parts:
        raise ConfigError(f"folder must be a path below the source, such as 'docs/source', not {folder!r}")
    return "/".join(parts)


def open_installed(
    name: str, *, wanted: Wanted, max_bytes: int, repeat: bool = False
) -> list[tuple[Path, Tree]]:
    """Lists the files of an installed package or module: each folder it is in, or its file, with its tree.

    Raises:
        KnowledgeError: It is not installed, or without source.
    """
    up = len(name.split("."))
    return [
        (
            root,
            # Some installers link each file into a cache, and Python follows these links.
            below_folder(
                root,
                root.parents[up - 1],
                wanted=wanted,
                max_bytes=max_bytes,
                within=Path(root.anchor),
                repeat=repeat,
            ),
        )
        for root in installed(name)
    ]


def open_package(package: str, path: str | os.PathLike[str] | None, revision: str = "") -> PackageFiles:
    """Finds the source of one package.

    Args:
        package: Top-level name.
        path: The package's folder, the folder that holds it, which no link leads out of, or an archive; None for the
            installed package.
        revision: Tag, commit or branch of the git repository that ``path`` is or lies in.

    Raises:
        ConfigError: There is no such package, or the arguments do not go together.
        KnowledgeError: An archive or a revision cannot be read.
    """
    if not package.isidentifier():
        raise ConfigError(f"{package!r} is not the name of a top-level package")
    if path is None:
        if revision:
            raise ConfigError(f"revision={revision!r} needs path=, a checkout of the git repository")
        return _installed(package)
    given = Path(path).absolute()
    if revision and given.is_dir() and checkout_of(given) is None:
        raise ConfigError(f"{path}: this is not in a git repository, so it has no revision {revision!r}")
    if revision or given.is_file():
        tree = open_tree(given, wanted=_python, revision=revision, folder="", max_bytes=_MOST_BYTES)
        return _within(tree, package, path)
    # The usual layouts of a checkout, and the folder of the package itself.
    for root in (given / package, given / "src" / package, given):
        if (root / "__init__.py").is_file():
            if leads_out(root, given):
                raise ConfigError(
                    f"{root} is a link out of {path}; pass the folder that it leads to as path="
                )
            tree = below_folder(root, root, wanted=_python, max_bytes=_MOST_BYTES, within=given, repeat=True)
            found = _files([tree], "")
            return evolve(found, release=_beside(root) or found.release)
    raise _absent(package, path)


def _installed(package: str) -> PackageFiles:
    """Returns the files of an installed package.

    Raises:
        ConfigError: It is not installed, or without source.
    """
    try:
        found = open_installed(package, wanted=_python, max_bytes=_MOST_BYTES, repeat=True)
    except KnowledgeError as error:
        raise ConfigError(f"the package {package!r} is not installed with its source: {error}") from error
    trees = [tree for _, tree in found]
    alone = trees[0].entries and trees[0].entries[0].name == f"{package}.py"
    return _files(trees, "" if alone else f"{package}/", alone=bool(alone))


def _python(name: str) -> bool:
    return name.endswith((".py", ".pyi"))


def _within(tree: Tree, package: str, path: str | os.PathLike[str]) -> PackageFiles:
    """Returns the files of one package among those of an archive or a revision."""
    places = {entry.below: entry.name for entry in tree.entries}
    for folder in (f"{package}/", f"src/{package}/", ""):
        if name := places.get(f"{folder}__init__.py"):
            return _files([tree], name.removesuffix("__init__.py"))
    for folder in ("", "src/"):
        if name := places.get(f"{folder}{package}.py"):
            module = evolve(tree, entries=tuple(e for e in tree.entries if e.name == name), dropped=())
            return _files([module], name.removesuffix(f"{package}.py"), alone=True)
    raise _absent(package, path)


def _absent(package: str, path: str | os.PathLike[str]) -> ConfigError:
    """Returns the error for a place without the package."""
    return ConfigError(
        f"{path}: found no package {package!r} here; pass its folder or its parent folder as path="
    )


def _beside(root: Path) -> str:
    """Returns the version that installers note beside a package, "" without one."""
    for folder in sorted(root.parent.glob("*.dist-info")):
        name, _, version = folder.name.removesuffix(".dist-info").partition("-")
        record = folder / "RECORD"
        # A distribution may have another name than its package, but it lists the package's files.
        if name.lower().replace("-", "_") == root.name.lower() or (
            record.is_file() and f"\n{root.name}/__init__.py," in "\n" + record.read_text("utf-8", "replace")
        ):
            return version
    return ""


def _stated(files: Mapping[str, Callable[[], bytes]]) -> str:
    """Returns the version that a package's own source states, "" without one."""
    for name in _STATING:
        try:
            found = _VERSION.search(files[name]()) if name in files else None
        except UnfitError:
            found = None
        if found:
            return found[1].decode("ascii")
    return ""


def _files(trees: list[Tree], start: str, *, alone: bool = False) -> PackageFiles:
    """Returns the files whose names start so, without that start."""
    dropped = [
        evolve(drop, where=drop.where.removeprefix(tree.top + start))
        for tree in trees
        for drop in tree.dropped
        if drop.reason != "other_suffix" and drop.where.startswith(tree.top + start)
    ]
    others = [name for tree in trees for name in tree.others]
    files = {
        e.name.removeprefix(start): e.read for tree in trees for e in tree.entries if e.name.startswith(start)
    }
    return PackageFiles(
        files=files,
        release=next((tree.revision for tree in trees if tree.revision), "") or _stated(files),
        compiled=tuple(n.removeprefix(start) for n in others if n.startswith(start) and n.endswith(COMPILED)),
        dropped=tuple(dropped),
        alone=alone,
    )
