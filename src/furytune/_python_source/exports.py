"""Finds the shorter names under which a package exports what its modules define."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from furytune._python_source.bindings import absolute
from furytune._python_source.definitions import exported

__all__ = ["public_names", "relative_imports", "star_names"]


def public_names(
    packages: Mapping[str, Sequence[ast.ImportFrom]], offered: Mapping[str, frozenset[str]]
) -> dict[str, str]:
    """Returns the shortest public name of each symbol that an ``__init__`` above its module imports.

    Args:
        packages: The imports in the ``__init__`` of each package.
        offered: The names that ``import *`` imports from each module.
    """
    found: dict[str, str] = {}
    for package in sorted(packages, key=lambda name: (name.count("."), name)):
        for node in packages[package]:
            module = absolute(node, package)
            if not module.startswith(f"{package}."):
                continue
            for alias in node.names:
                star = alias.name == "*"
                for name in sorted(offered.get(module, frozenset())) if star else (alias.name,):
                    shown = name if star else alias.asname or name
                    if not shown.startswith("_"):
                        # Packages come from the top down, so the shortest name is the first one.
                        found.setdefault(f"{module}.{name}", f"{package}.{shown}")
    return found


def relative_imports(tree: ast.Module) -> tuple[ast.ImportFrom, ...]:
    """Returns the statements of a module that import names from other modules."""
    return tuple(node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))


def star_names(tree: ast.Module) -> frozenset[str]:
    """Returns what ``import *`` imports: the names in ``__all__``, or else the public definitions."""
    said = exported(tree)
    if said:
        return said
    return frozenset(
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
    )
