"""Finds the files of one package and reads them."""

from __future__ import annotations

import importlib.util
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from attrs import field, frozen

from furytune._storage.folders import leads_out, list_files, opener
from furytune.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from furytune.records import Dropped

__all__ = ["PackageFiles", "locate"]

COMPILED: Final = (".so", ".pyd")


@frozen(eq=False)
class PackageFiles:
    """The files of one package.

    Attributes:
        root: Folder of the package, or its single file.
        files: The location of each file, by its path below the folder.
        dropped: Links and special files that are not read.
    """

    root: Path
    files: dict[str, Path] = field(repr=False)
    dropped: tuple[Dropped, ...] = field(default=(), repr=False)

    def read(self, name: str) -> bytes | None:
        """Returns the bytes of a file, None if it cannot be read."""
        try:
            with open(self.files[name], "rb", opener=opener) as file:
                return file.read()
        except OSError:
            return None

    def sources(self) -> Iterator[str]:
        """Yields the names of the Python files, sorted."""
        yield from (name for name in sorted(self.files) if name.endswith(".py"))

    def hides(self, stem: str) -> bool:
        """Returns whether a link or compiled code, which are not read, may define the module with this path."""
        stems = {stem, f"{stem}/__init__".removeprefix("/")}
        hidden = [*(d.where for d in self.dropped), *(n for n in self.files if n.endswith(COMPILED))]
        return any(name[: len(name) - len(_suffixes(name))] in stems for name in hidden)

    def is_namespace(self, folder: str) -> bool:
        """Returns whether a folder contains Python but no ``__init__.py``."""
        return any(name.rpartition("/")[0] == folder for name in self.files if not name.endswith(".pyi"))


def _suffixes(name: str) -> str:
    """Returns all suffixes, such as ".cpython-311-x86_64-linux-gnu.so"."""
    return "".join(name.rpartition("/")[2].partition(".")[1:])


def locate(package: str, path: str | Path | None) -> PackageFiles:
    """Finds the source of a package.

    Args:
        package: Top-level name.
        path: The package's folder or its parent folder; links out of it are not followed. None means the installed
            package, whose links are followed, as Python does.

    Raises:
        ConfigError: The package does not exist.
    """
    if not package.isidentifier():
        raise ConfigError(f"{package!r} is not the name of a top-level package")
    if path is None:
        root = _installed(package)
        return _files(root, within=Path(root.anchor))
    given = Path(path)
    for root in (given / package, given / "src" / package, given):
        if (root / "__init__.py").is_file():
            if leads_out(root, given):
                raise ConfigError(
                    f"{root} is a link out of {given}; pass the folder that it leads to as path="
                )
            return _files(root, within=given)
    raise ConfigError(
        f"{given}: found no package {package!r} here; pass its folder or its parent folder as path="
    )


def _installed(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not (spec.submodule_search_locations or (spec.origin or "").endswith(".py")):
        raise ConfigError(f"the package {package!r} is not installed; install it or pass path=")
    places = list(spec.submodule_search_locations or [str(spec.origin)])
    return Path(places[0]).absolute()


def _files(root: Path, within: Path) -> PackageFiles:
    try:
        if stat.S_ISREG(root.stat().st_mode):
            return PackageFiles(root, {root.name: root.resolve(strict=True)})
        found = list_files(
            root, wanted=lambda name: name.endswith((".py", ".pyi", *COMPILED)), within=within, repeat=True
        )
    except OSError as error:
        raise ConfigError(f"{root}: this cannot be read ({error.strerror})") from error
    return PackageFiles(root, {file.name: file.real for file in found.files}, found.dropped)
