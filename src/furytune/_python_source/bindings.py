"""Reads the source of one module: what its names are bound to, and whether code may add names at run time."""

from __future__ import annotations

import ast
import warnings
from typing import TYPE_CHECKING, TypeAlias

from attrs import define, field, frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from furytune._python_source.package_files import PackageFiles

__all__ = ["Alias", "Binding", "Module", "absolute", "last_name", "parse", "read"]


@frozen
class Alias:
    """``from module import name``; for ``import module`` the name is "" ."""

    module: str
    name: str = ""


Binding: TypeAlias = "ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | Alias | None"


@define(eq=False)
class Module:
    """One module of the package.

    Attributes:
        name: Dotted name.
        package: Dotted name that relative imports start from.
        bindings: What each module-level name is bound to; None for a computed value.
        stars: Modules of the same package whose names are imported by ``*``.
        open: Whether code may add names at run time.
    """

    name: str
    package: str
    bindings: dict[str, list[Binding]] = field(factory=dict)
    stars: list[str] = field(factory=list)
    open: bool = False

    def bind(self, name: str, binding: Binding) -> None:
        """Records another binding of a name."""
        self.bindings.setdefault(name, []).append(binding)


def parse(source: str | bytes) -> ast.Module | None:
    """Parses Python without showing warnings; returns None if it does not parse."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(source)
        # The parser fails in all these ways on source that is nested too deeply or contains null characters.
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def read(dotted: str, package: str, files: PackageFiles, file: str) -> Module:
    """Reads a module.

    Args:
        dotted: Name of the module.
        package: Name that its relative imports start from.
        files: The files of the package.
        file: Its source file. If it cannot be read or parsed, the result is an open module without names.
    """
    tree = parse(source) if (source := files.read(file)) is not None else None
    if tree is None:
        # Of a module that cannot be read, nothing can be said to be missing.
        return Module(dotted, package, open=True)
    module = Module(dotted, package)
    try:
        _read(module, tree, files.read(f"{file}i") if f"{file}i" in files.files else None)
    except RecursionError:  # nested too deeply, such as thousands of `elif`
        return Module(dotted, package, open=True)
    return module


def _read(module: Module, tree: ast.Module, stub: bytes | None) -> None:
    """Fills a module from its syntax tree."""
    nodes = list(ast.walk(tree))
    imported = {
        item.asname or item.name.split(".")[0]
        for node in nodes
        if isinstance(node, ast.Import | ast.ImportFrom)
        for item in node.names
    }
    for node in nodes:
        if isinstance(node, ast.Global):
            # A function may set the name to any value.
            for name in node.names:
                module.bind(name, None)
        elif _is_dynamic(node, imported):
            module.open = True
    module.open |= _reaches_itself(nodes)
    for statement in _module_level(tree.body):
        _collect(module, statement, stub)


def _is_dynamic(node: ast.AST, imported: set[str]) -> bool:
    """Returns whether a node may add names to a module at run time."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return False
    target = node.args[0] if node.args else None
    if node.func.id == "setattr":
        return isinstance(target, ast.Name) and target.id in imported
    return node.func.id in {"globals", "exec"} or (node.func.id in {"vars", "locals"} and not node.args)


def _reaches_itself(nodes: list[ast.AST]) -> bool:
    """Returns whether a module looks itself up by ``sys.modules`` or ``import_module(__name__)``, under any alias."""
    systems, importers = {"sys"}, {"import_module", "__import__"}
    for node in nodes:
        if isinstance(node, ast.Import):
            systems |= {item.asname for item in node.names if item.name == "sys" and item.asname}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            if node.module == "sys" and any(item.name in {"modules", "*"} for item in node.names):
                return True
            importers |= {item.asname for item in node.names if item.name == "import_module" and item.asname}
    return any(
        (isinstance(node, ast.Attribute) and node.attr == "modules" and last_name(node.value) in systems)
        or (
            isinstance(node, ast.Call)
            and last_name(node.func) in importers
            and any(last_name(v) == "__name__" for v in (*node.args, *(k.value for k in node.keywords)))
        )
        for node in nodes
    )


def _module_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yields the statements that run in the module's scope, including those inside compound statements."""
    for statement in body:
        yield statement
        # What is inside them belongs to another scope.
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        for _, value in ast.iter_fields(statement):
            if isinstance(value, list):
                parts = [v for v in value if isinstance(v, ast.stmt)]
                for part in value:
                    if isinstance(part, ast.ExceptHandler | ast.match_case):
                        parts += part.body
                yield from _module_level(parts)


def _collect(module: Module, node: ast.stmt, stub: bytes | None) -> None:
    """Binds the names that one statement sets in the module's scope."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        module.open |= node.name == "__getattr__"
        module.bind(node.name, node)
    elif isinstance(node, ast.Import):
        for item in node.names:
            top = item.name.split(".")[0]
            # `import a.b` binds only `a`; `import a.b as c` binds `c` to the submodule.
            module.bind(item.asname or top, Alias(item.name if item.asname else top))
    elif isinstance(node, ast.ImportFrom):
        _collect_from(module, node)
    elif _assigns_getattr(node):
        _collect_lazy(module, node, stub)
    else:
        for part in _own_expressions(node):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                module.bind(part.id, None)
            elif isinstance(part, ast.MatchAs | ast.MatchStar) and part.name:
                module.bind(part.name, None)


def _own_expressions(node: ast.stmt) -> Iterator[ast.AST]:
    """Walks a statement without the statements inside it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ExceptHandler | ast.stmt):
            continue
        yield from (part for part in ast.walk(child) if not isinstance(part, ast.stmt))


def _collect_from(module: Module, node: ast.ImportFrom) -> None:
    """Binds the names of a ``from`` import."""
    source = absolute(node, module.package)
    for item in node.names:
        if item.name != "*":
            module.bind(item.asname or item.name, Alias(source, item.name))
        # A star import within the package is followed later, once all modules can be looked up.
        elif source.split(".")[0] == module.name.split(".")[0]:
            module.stars.append(source)
        else:
            # A star import from another package may add any name.
            module.open = True


def absolute(node: ast.ImportFrom, package: str) -> str:
    """Returns the full name of the module that a ``from`` import reads; "" if it leads out of the package."""
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    # One dot means the package itself, each further dot the one above it.
    base = parts[: len(parts) - node.level + 1]
    return ".".join([*base, *filter(None, [node.module])]) if base else ""


def _assigns_getattr(node: ast.stmt) -> bool:
    """Returns whether a statement sets the module's ``__getattr__``."""
    return isinstance(node, ast.Assign) and any(
        isinstance(part, ast.Name) and part.id == "__getattr__"
        for target in node.targets
        for part in ast.walk(target)
    )


def _collect_lazy(module: Module, node: ast.stmt, stub: bytes | None) -> None:
    """Reads ``__getattr__, __dir__, __all__ = lazy_loader.attach(...)`` or ``attach_stub(...)``."""
    call = node.value if isinstance(node, ast.Assign) else None
    name = last_name(call.func) if isinstance(call, ast.Call) else ""
    # lazy_loader reads the same names from the .pyi file beside the module.
    if name == "attach_stub" and stub is not None and (tree := parse(stub)):
        for statement in tree.body:
            if isinstance(statement, ast.ImportFrom):
                _collect_from(module, statement)
    elif name == "attach" and isinstance(call, ast.Call) and _collect_attach(module, call):
        return
    else:
        module.open = True


def _collect_attach(module: Module, call: ast.Call) -> bool:
    """Binds the names of ``lazy_loader.attach``; returns False if they are not written as literals."""
    arguments = dict(zip(("name", "submodules", "submod_attrs"), call.args, strict=False))
    arguments |= {k.arg: k.value for k in call.keywords if k.arg}
    try:
        modules = ast.literal_eval(arguments.get("submodules", ast.Constant(None))) or ()
        attributes = ast.literal_eval(arguments.get("submod_attrs", ast.Constant(None))) or {}
        pairs = [(source, name) for source, names in attributes.items() for name in names]
    except (ValueError, AttributeError, TypeError):
        return False
    for name in modules:
        module.bind(name, Alias(f"{module.name}.{name}"))
    for source, name in pairs:
        module.bind(name, Alias(f"{module.name}.{source}", name))
    return True


def last_name(node: ast.expr) -> str:
    """Returns the last part of a dotted name or of a called function; "" for anything else."""
    if isinstance(node, ast.Call):
        return last_name(node.func)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
