"""Finds the source of an installed package without importing it."""

from __future__ import annotations

import platform
import sys
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path

from furytune.errors import KnowledgeError

__all__ = ["installed", "version_of"]


def installed(name: str) -> list[Path]:
    """Returns the folders or the file of a package or module, without importing it or its parents.

    Raises:
        KnowledgeError: The package is not installed, or has no source.
    """
    top, *rest = name.split(".")
    try:
        # find_spec also finds editable installs, and imports nothing for a name without a period.
        spec = PathFinder.find_spec(top) or find_spec(top)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        raise KnowledgeError(f"no package named {name!r} is installed{_import_name(name)}")
    origin = [Path(spec.origin)] if spec.origin and spec.origin.endswith(".py") else []
    roots = [Path(p) for p in spec.submodule_search_locations or ()] or origin
    for part in rest:
        # Importing the parents would run their code, so the parts are looked up as paths.
        below = [found for root in roots for found in (root / part, root / f"{part}.py") if found.exists()]
        roots = below[:1]
    if not roots:
        raise KnowledgeError(
            f"{name!r} is installed without Python source; pass a folder with its source instead"
        )
    return roots


def version_of(name: str, root: Path) -> str:
    """Returns the version of the distribution that a package's files belong to, "" if it is not known.

    Args:
        name: Name of the package or of a module in it.
        root: Where it was found. An editable install is not beside its metadata, so its version is not known.
    """
    from importlib.metadata import distribution, packages_distributions  # takes long to import

    top = name.partition(".")[0]
    if top in sys.stdlib_module_names:
        return platform.python_version()
    for found in sorted(set(packages_distributions().get(top, ()))):
        one = distribution(found)
        # Two distributions may provide one namespace package; the files show which one this is.
        if root.is_relative_to(Path(str(one.locate_file(""))).absolute()):
            return one.version
    return ""


def _import_name(name: str) -> str:
    """Returns a hint: the name may be that of a distribution, which can differ from its package's name."""
    from importlib.metadata import packages_distributions

    wanted = name.lower().replace("_", "-")
    names = [
        package
        for package, distributions in packages_distributions().items()
        if wanted in (d.lower().replace("_", "-") for d in distributions)
    ]
    if names:
        return f"; the distribution {name} provides {', '.join(sorted(names))}: pass one of these"
    return f"; install it for {sys.executable}, or pass the folder of its source"
