"""Finds code that adds names to another module: ``module.name = value``, ``setattr(module, ...)``."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from furytune._python_source.bindings import absolute, last_name, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from furytune._python_source.package_files import PackageFiles

__all__ = ["read_patches", "stores"]

_MAY_STORE: Final = re.compile(
    r"setattr|modules\[|import_module|\bvars\(|__dict__|^[ \t]*(?!self\.|cls\.)[A-Za-z_][\w.]*\.\w+[ \t]*(?::[^=\n]*)?(?:=(?!=)|,)|^\w[\w.]*\(",
    re.MULTILINE,
)
"""What a file must contain to set a name of something else; most files do not, and need not be parsed."""

_REGISTERING: Final = frozenset({"register", "append", "add", "print", "setdefault"})


def stores(node: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    """Yields each object whose attribute a node may set, and the attribute's name; "" if it may be any name."""
    if isinstance(node, ast.Attribute):
        if not isinstance(node.ctx, ast.Load):
            yield node.value, node.attr
        elif node.attr == "__dict__":
            # Whatever is done with the dictionary, it may set any name.
            yield node.value, ""
    elif isinstance(node, ast.Call) and node.args:
        function = last_name(node.func)
        if function == "setattr":
            name = node.args[1] if len(node.args) > 1 else None
            constant = name.value if isinstance(name, ast.Constant) else ""
            yield node.args[0], constant if isinstance(constant, str) else ""
        elif function == "vars":
            yield node.args[0], ""


def read_patches(
    package: str, files: PackageFiles, resolve: Callable[[str], tuple[str, bool] | None]
) -> Mapping[str, set[str]]:
    """Finds the names that the modules of a package set in one another, and in classes.

    Args:
        package: Top-level name.
        files: The package's files.
        resolve: Returns the module or class that a dotted name refers to, and whether it is a class; None for
            anything else.

    Returns:
        The names set in each module and class from anywhere in the package; "" means any name.
    """
    patches: defaultdict[str, set[str]] = defaultdict(set)
    for file in files.sources():
        source = files.read(file) or b""
        # Decoded only to be searched, so that wrong characters do not matter.
        if _MAY_STORE.search(source.decode("utf-8", "replace")) is None:
            continue
        tree = parse(source)
        if tree is None:
            continue
        parents = file.split("/")[:-1]
        # All scopes are read as one: too many possible patches only mean fewer findings, too few mean wrong
        # ones.
        nodes = list(ast.walk(tree))
        module = files.module_of(file, package)
        names = _names(nodes, ".".join([package, *parents]))
        for statement in tree.body:
            if isinstance(statement, ast.ClassDef):
                names.setdefault(statement.name, set()).add(f"{module}.{statement.name}")
        for node in nodes:
            for target, name in stores(node):
                for dotted in _dotted(target, names):
                    if found := resolve(dotted):
                        patches[found[0]].add(name)
        for dotted in _handed_over(tree, names):
            if (found := resolve(dotted)) and found[1]:
                patches[found[0]].add("")
    return dict(patches)


def _handed_over(tree: ast.Module, names: Mapping[str, set[str]]) -> Iterator[str]:
    """Yields what a module passes to a function whose result it ignores: such a function may add methods to a class."""
    for statement in tree.body:
        call = statement.value if isinstance(statement, ast.Expr) else None
        if isinstance(call, ast.Call) and last_name(call.func) not in _REGISTERING:
            for argument in (*call.args, *(k.value for k in call.keywords)):
                yield from _dotted(argument, names)


def _names(nodes: list[ast.AST], package: str) -> dict[str, set[str]]:
    """Returns the dotted names that each name in a file may refer to, in any scope."""
    names: defaultdict[str, set[str]] = defaultdict(set)
    for node in nodes:
        if isinstance(node, ast.Import):
            for item in node.names:
                top = item.name.split(".")[0]
                names[item.asname or top].add(item.name if item.asname else top)
        elif isinstance(node, ast.ImportFrom):
            source = absolute(node, package)
            for item in node.names:
                names[item.asname or item.name].add(f"{source}.{item.name}")
    # Assignments come second, because they may give another name to something that is imported.
    for node in nodes:
        if isinstance(node, ast.Assign):
            meant = _dotted(node.value, names)
            for target in node.targets:
                if isinstance(target, ast.Name):
                    names[target.id] |= meant
    return dict(names)


def _dotted(node: ast.expr, names: Mapping[str, set[str]]) -> set[str]:
    """Returns what an expression may refer to, including ``sys.modules["a.b"]`` and ``import_module("a.b")``."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    bases: set[str] = set()
    if isinstance(node, ast.Name):
        bases = names.get(node.id, set())
    elif isinstance(node, ast.Subscript) and last_name(node.value) == "modules":
        bases = _constant(node.slice)
    elif isinstance(node, ast.Call) and node.args and last_name(node.func) == "import_module":
        bases = _constant(node.args[0])
    return {".".join([base, *reversed(parts)]) for base in bases}


def _constant(node: ast.expr) -> set[str]:
    return {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set()
