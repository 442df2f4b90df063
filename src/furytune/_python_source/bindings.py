"""Reads the source of one module: what its names are bound to, and whether code may add names at run time."""

from __future__ import annotations

import ast
import warnings
from typing import TYPE_CHECKING, Final, TypeAlias

from attrs import define, field, frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from furytune._python_source.package_files import PackageFiles

__all__ = ["Alias", "Assigned", "Binding", "Module", "absolute", "last_name", "parse", "read", "read_stub"]

_READING: Final = frozenset({"keys", "values", "items", "get", "copy", "__contains__"})
"""Methods of a dictionary of names that set no name."""

_SHIFTING: Final = (
    b"global",
    b"exec",
    b"vars(",
    b"locals(",
    b"setattr",
    b"modules",
    b"import_module",
    b"__import__",
)
"""Words without which a module sets no names at run time, so that most modules need not be walked."""


@frozen
class Alias:
    """``from module import name``; for ``import module`` the name is "" ."""

    module: str
    name: str = ""


@frozen
class Assigned:
    """``name = value``."""

    value: ast.expr


Binding: TypeAlias = "ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | Alias | Assigned | None"


@define(eq=False)
class Module:
    """One module of the package.

    Attributes:
        name: Dotted name.
        package: Dotted name that relative imports start from.
        bindings: What each module-level name is bound to; None for a computed value.
        stars: Modules of the same package whose names are imported by ``*``.
        open: Whether it may have names that cannot be read, such as those of compiled code.
        shifting: Whether its own code may add names at run time.
        unlisted: Whether it exports names of the modules below it, without a list of them.
        overloads: The signatures of a function that only a type checker sees.
        exports: The expressions that make up ``__all__``, None without one.
        getattr: The module's own ``__getattr__``: its definition, or the call that makes it.
        hints: Bindings under ``if TYPE_CHECKING``, which do not exist at run time.
        hint_stars: Star imports under ``if TYPE_CHECKING``.
        bodies: What the bodies of its classes set, filled on first use.
        stub: Whether this is the stub of a compiled module, which may not name all that exists.
    """

    name: str
    package: str
    bindings: dict[str, list[Binding]] = field(factory=dict)
    stars: list[str] = field(factory=list)
    open: bool = False
    shifting: bool = False
    unlisted: bool = False
    overloads: dict[str, list[ast.FunctionDef | ast.AsyncFunctionDef]] = field(factory=dict)
    exports: list[ast.expr] | None = None
    getattr: ast.FunctionDef | ast.expr | None = None
    hints: dict[str, list[Binding]] = field(factory=dict)
    hint_stars: list[str] = field(factory=list)
    bodies: dict[ast.ClassDef, object] = field(factory=dict, repr=False)
    stub: bool = False

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
    source = files.read(file)
    tree = parse(source) if source is not None else None
    if source is None or tree is None:
        # Of a module that cannot be read, nothing can be said to be missing.
        return Module(dotted, package, open=True)
    module = Module(dotted, package)
    try:
        _read(module, tree, source, files.read(f"{file}i") if f"{file}i" in files.files else None)
    except RecursionError:  # nested too deeply, such as thousands of `elif`
        return Module(dotted, package, open=True)
    return module


def read_stub(dotted: str, package: str, source: bytes) -> Module:
    """Reads the stub of a compiled module. What it names exists; what it does not name may exist too."""
    module = Module(dotted, package, open=True, stub=True)
    if (tree := parse(source)) is not None:
        _read(module, tree, source, None)
    return module


def _read(module: Module, tree: ast.Module, source: bytes, stub: bytes | None) -> None:
    """Fills a module from its syntax tree."""
    if any(word in source for word in _SHIFTING):
        _read_shifting(module, tree)
    for statement, hint in _module_level(tree.body):
        if hint:
            aside = Module(module.name, module.package)
            _collect(aside, statement, None)
            module.hints |= aside.bindings
            module.hint_stars += aside.stars
            continue
        _collect(module, statement, stub)
        if isinstance(statement, ast.Delete) and statement in tree.body:
            for target in statement.targets:
                for part in ast.walk(target):
                    if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Del):
                        module.bindings.pop(part.id, None)
    if module.exports is not None and b"def " in source and source.count(b"__all__") > 1 and _grows(tree):
        module.exports.append(ast.Constant(None))  # a function adds names, so they cannot all be read


def _grows(tree: ast.Module) -> bool:
    """Returns whether a function of a module changes its ``__all__``."""
    return any(
        isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id == "__all__"
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for part in ast.walk(function)
    )


def _read_shifting(module: Module, tree: ast.Module) -> None:
    """Notes the names that code sets in other ways than by assigning them at module level."""
    nodes = list(ast.walk(tree))
    imported = {
        item.asname or item.name.split(".")[0]
        for node in nodes
        if isinstance(node, ast.Import | ast.ImportFrom)
        for item in node.names
    }
    # What a module's own `__getattr__` stores in `globals()` is what it returns.
    own = [n for n in nodes if isinstance(n, ast.FunctionDef) and n.name in {"__getattr__", "__dir__"}]
    looped = _bind_in_loops(module, nodes)
    harmless = {*_harmless(nodes), *looped, *(part for n in own for part in ast.walk(n))}
    for node in nodes:
        if isinstance(node, ast.Global):
            # A function may set the name to any value.
            for name in node.names:
                module.bind(name, None)
        elif node not in harmless and _is_dynamic(node, imported):
            module.shifting = True
    module.shifting |= _reaches_itself(nodes)


def _bind_in_loops(module: Module, nodes: list[ast.AST]) -> list[ast.AST]:
    """Binds what ``for name in ["a", "b"]: globals()[name] = ...`` sets, and returns these calls of ``globals``."""
    calls: list[ast.AST] = []
    for loop in nodes:
        if not isinstance(loop, ast.For) or not isinstance(loop.target, ast.Name):
            continue
        elements = getattr(loop.iter, "elts", [])
        names = [e.value for e in elements if isinstance(e, ast.Constant) and isinstance(e.value, str)]
        if not names or len(names) < len(elements):
            continue
        for part in ast.walk(loop):
            if (
                isinstance(part, ast.Subscript)
                and isinstance(part.ctx, ast.Store)
                and isinstance(part.value, ast.Call)
                and last_name(part.value) == "globals"
                and last_name(part.slice) == loop.target.id
            ):
                calls.append(part.value)
                for name in names:
                    module.bind(name, None)
    return calls


def _harmless(nodes: list[ast.AST]) -> Iterator[ast.AST]:
    """Yields the calls such as ``globals()`` whose result is only read."""
    for node in nodes:
        inner: list[ast.AST] = []
        if (isinstance(node, ast.Attribute) and node.attr in _READING) or (
            isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load)
        ):
            inner = [node.value]
        elif isinstance(node, ast.Compare):
            inner = [*node.comparators]
        elif isinstance(node, ast.Call) and last_name(node.func) in {"sorted", "list", "set", "len", "dir"}:
            inner = [*node.args]
        elif isinstance(node, ast.For | ast.comprehension):
            inner = [node.iter]
        yield from (i for i in inner if isinstance(i, ast.Call) and not i.args)


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
    compared = {c for n in nodes if isinstance(n, ast.Compare) for c in n.comparators}
    # `sys.modules["other"]` and `sys.modules.get("other")` are other modules.
    compared |= {n.value for n in nodes if isinstance(n, ast.Subscript) and isinstance(n.slice, ast.Constant)}
    compared |= {
        n.func.value
        for n in nodes
        if isinstance(n, ast.Call)
        and isinstance(n.func, ast.Attribute)
        and n.func.attr == "get"
        and n.args
        and isinstance(n.args[0], ast.Constant)
    }
    return any(
        (
            isinstance(node, ast.Attribute)
            and node.attr == "modules"
            and last_name(node.value) in systems
            and node not in compared
        )
        or (
            isinstance(node, ast.Call)
            and last_name(node.func) in importers
            and any(last_name(v) == "__name__" for v in (*node.args, *(k.value for k in node.keywords)))
        )
        for node in nodes
    )


def _module_level(body: list[ast.stmt], *, hint: bool = False) -> Iterator[tuple[ast.stmt, bool]]:
    """Yields the statements that run in the module's scope, including those inside compound statements.

    The second value is True for statements under ``if TYPE_CHECKING``, which do not run.
    """
    for statement in body:
        yield statement, hint
        # What is inside them belongs to another scope.
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if isinstance(statement, ast.If) and last_name(statement.test) == "TYPE_CHECKING":
            yield from _module_level(statement.body, hint=True)
            yield from _module_level(statement.orelse, hint=hint)
            continue
        if isinstance(statement, ast.If) and ast.unparse(statement.test) == "__name__ == '__main__'":
            continue  # it does not run on import
        for _, value in ast.iter_fields(statement):
            if isinstance(value, list):
                parts = [v for v in value if isinstance(v, ast.stmt)]
                for part in value:
                    if isinstance(part, ast.ExceptHandler | ast.match_case):
                        parts += part.body
                yield from _module_level(parts, hint=hint)


def _collect(module: Module, node: ast.stmt, stub: bytes | None) -> None:
    """Binds the names that one statement sets in the module's scope."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        if node.name == "__getattr__":
            module.getattr = node if isinstance(node, ast.FunctionDef) else None
            if isinstance(node, ast.ClassDef) and node.decorator_list:
                _collect_properties(module, node)
            else:
                module.open |= module.getattr is None
        if any(last_name(d) == "overload" for d in node.decorator_list):
            assert not isinstance(node, ast.ClassDef)
            module.overloads.setdefault(node.name, []).append(node)
            # A stub has no other definition.
            if not module.stub:
                return
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
        _collect_exports(module, node)
        _collect_assigned(module, node)


def _collect_properties(module: Module, node: ast.ClassDef) -> None:
    """Binds what a class named ``__getattr__`` offers: a decorator makes a function of it that reads its properties."""
    for part in node.body:
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
            module.bind(part.name, None)
        else:
            for target in ast.walk(part):
                if isinstance(target, ast.Name) and isinstance(target.ctx, ast.Store):
                    module.bind(target.id, None)


def _collect_assigned(module: Module, node: ast.stmt) -> None:
    """Binds the names that a statement assigns."""
    if isinstance(node, ast.AnnAssign) and node.value is None and not module.stub:
        return  # a mere annotation
    if _decorates(module, node):
        return
    simple = isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    for part in _own_expressions(node):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            value = getattr(node, "value", None) if simple and part in targets else None
            module.bind(part.id, Assigned(value) if value is not None else None)
        elif isinstance(part, ast.MatchAs | ast.MatchStar) and part.name:
            module.bind(part.name, None)


def _decorates(module: Module, node: ast.stmt) -> bool:
    """Notes ``Name = decorate(Name, ...)`` as a decorator of the class or function that has the name."""
    target = node.targets[0] if isinstance(node, ast.Assign) and len(node.targets) == 1 else None
    bindings = module.bindings.get(target.id, []) if isinstance(target, ast.Name) else []
    defined = bindings[0] if len(bindings) == 1 else None
    if not isinstance(node, ast.Assign) or not isinstance(target, ast.Name):
        return False
    if not isinstance(defined, ast.ClassDef | ast.FunctionDef):
        return False
    value, applied = node.value, []
    while isinstance(value, ast.Call) and value.args:
        applied.append(value.func)
        value = value.args[0]
    if not applied or not isinstance(value, ast.Name) or value.id != target.id:
        return False
    defined.decorator_list[:0] = applied
    return True


def _collect_exports(module: Module, node: ast.stmt) -> None:
    """Notes what a statement adds to ``__all__``."""
    value: ast.expr | None = None
    fresh = False
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if any(isinstance(t, ast.Name) and t.id == "__all__" for t in targets):
            value, fresh = node.value, not isinstance(node, ast.AugAssign)
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        function = node.value.func
        if (
            isinstance(function, ast.Attribute)
            and isinstance(function.value, ast.Name)
            and function.value.id == "__all__"
        ):
            if function.attr == "remove":
                return
            elements = [*node.value.args]
            value = ast.List(elements, ast.Load()) if function.attr == "append" else elements[0]
    if value is not None:
        module.exports = [*([] if fresh else module.exports or []), value]


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
    elif name == "attach_stub" and stub is None:
        # Some sources come without stubs, which say what the modules below export.
        module.unlisted = module.shifting = True
    elif name in {"attach", "attach_stub"}:
        attached = name == "attach" and isinstance(call, ast.Call) and _collect_attach(module, call)
        module.open |= not attached
    elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and len(node.targets) == 1:
        module.getattr = node.value  # a function that returns the `__getattr__`
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
