"""Finds the files of one package and reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import field, frozen

from furytune._python_source.files import UnfitError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from furytune.records import Dropped

__all__ = ["COMPILED", "PackageFiles"]

COMPILED: Final = (".so", ".pyd")
_TESTS: Final = frozenset({"tests", "testsuite"})


@frozen(eq=False)
class PackageFiles:
    """The files of one package.

    Attributes:
        files: What reads each Python file, by its path below the package's folder.
        compiled: Names of the compiled modules.
        dropped: Links and special files that are not read.
        alone: Whether the package is a module, which is one file.
        release: The release that the source states, "" if it is not known.
    """

    files: Mapping[str, Callable[[], bytes]] = field(repr=False)
    compiled: tuple[str, ...] = field(default=(), repr=False)
    dropped: tuple[Dropped, ...] = field(default=(), repr=False)
    alone: bool = False
    release: str = ""

    def read(self, name: str) -> bytes | None:
        """Returns the bytes of a file, None if it cannot be read."""
        try:
            return self.files[name]()
        except UnfitError:
            return None

    def sources(self) -> Iterator[str]:
        """Yields the names of the Python files, sorted, without tests, which run only on their own."""
        yield from (
            name
            for name in sorted(self.files)
            if name.endswith(".py") and not _TESTS.intersection(name.split("/")[:-1])
        )

    def module_of(self, name: str, package: str) -> str:
        """Returns the dotted name of the module in a file."""
        if self.alone:
            return package
        stem = name.removesuffix(".py").removesuffix("__init__").strip("/")
        return ".".join([package, *filter(None, stem.split("/"))])

    def hides(self, stem: str) -> bool:
        """Returns whether a link or compiled code, which are not read, may define the module with this path."""
        # A module may be a file or a folder with an `__init__`.
        stems = {stem, f"{stem}/__init__".removeprefix("/")}
        hidden = [*(d.where for d in self.dropped), *self.compiled]
        return any(name[: len(name) - len(_suffixes(name))] in stems for name in hidden)

    def is_namespace(self, folder: str) -> bool:
        """Returns whether a folder contains Python but no ``__init__.py``."""
        names = [*self.files, *self.compiled]
        return any(name.rpartition("/")[0] == folder for name in names if not name.endswith(".pyi"))


def _suffixes(name: str) -> str:
    """Returns all suffixes, such as ".cpython-311-x86_64-linux-gnu.so"."""
    return "".join(name.rpartition("/")[2].partition(".")[1:])
