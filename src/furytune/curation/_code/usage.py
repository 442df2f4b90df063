"""Finds the names and arguments that code uses but a package does not have."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from attrs import frozen

from furytune._python_source.bindings import Module, absolute, last_name
from furytune._python_source.patches import stores
from furytune._python_source.symbols import MISSING, Callee, SymbolTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Stale", "check"]

_FORGIVING: Final = frozenset(
    {"ImportError", "ModuleNotFoundError", "AttributeError", "TypeError", "Exception", "BaseException"}
)

_EXPECTING: Final = frozenset({"suppress", "raises", "assertRaises", "assertRaisesRegex"})


@frozen
class Stale:
    """A name or argument that a package no longer has.

    Attributes:
        symbol: The dotted name, with the argument in parentheses if only that is missing.
        is_argument: Whether only an argument is missing.
    """

    symbol: str
    is_argument: bool = False


def check(trees: Iterable[ast.Module], table: SymbolTable) -> list[Stale]:
    """Returns each name or argument that the code uses and the package does not have.

    The trees share their names, like the blocks of one answer. A name that is assigned again after its import is not
    followed, and neither is code that expects a missing name: inside ``try``, or after a check of the version.
    """
    bodies = list(trees)
    nodes = [node for tree in bodies for node in _unguarded(tree)]
    names = _Names(table)
    for node in nodes:
        names.learn(node)
    # Guarded code may bind names too: a fallback import after `except ImportError`.
    names.close(node for tree in bodies for node in ast.walk(tree))
    found: dict[Stale, None] = dict.fromkeys(names.stale)
    for node in nodes:
        found.update(dict.fromkeys(_stale_in(node, names, table)))
    # Code that uses sys.modules may replace any module of the package.
    if names.reaches_modules:
        return []
    found = {s: None for s in found if not names.adds(s)}
    # If `fury.actor` is missing, `fury.actor.sphere` is missing too and adds nothing.
    shadowed = {s.symbol for s in found if not s.is_argument}
    return [s for s in found if s.is_argument or not any(s.symbol.startswith(f"{o}.") for o in shadowed)]


class _Names:
    """The names in a piece of code that refer to something in the package."""

    def __init__(self, table: SymbolTable) -> None:
        self.table = table
        self.imported: dict[str, str] = {}
        self.stars: list[Module] = []
        self.blocked: set[str] = set()
        self.assigned: set[str] = set()
        self.added: set[str] = set()
        self.opened: set[str] = set()
        self.reaches_modules = False
        self.stale: list[Stale] = []

    def learn(self, node: ast.AST) -> None:
        """Records the names of an import."""
        if isinstance(node, ast.Import):
            for item in node.names:
                top = item.name.split(".")[0]
                if top == self.table.package:
                    self._require(item.name)
                    self._bind(item.asname or top, item.name if item.asname else top)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            source = absolute(node, "")
            if source.split(".")[0] == self.table.package:
                self._learn_from(source, node)

    def _learn_from(self, source: str, node: ast.ImportFrom) -> None:
        """Records the names of a ``from`` import of the package."""
        if not self._require(source):
            return
        for item in node.names:
            if item.name == "*":
                if module := self.table.module(source):
                    self.stars.append(module)
                continue
            self._require(f"{source}.{item.name}")
            self._bind(item.asname or item.name, f"{source}.{item.name}")

    def _bind(self, name: str, target: str) -> None:
        """Binds a name; a name that is bound to two things is blocked."""
        # A name with two meanings proves nothing about either.
        if self.imported.setdefault(name, target) != target:
            self.blocked.add(name)

    def _require(self, dotted: str) -> bool:
        """Notes a name that an import needs and the package does not have."""
        symbol, upto = self.table.lookup(dotted)
        if symbol is MISSING:
            self.stale.append(Stale(upto))
        return symbol is not MISSING

    def close(self, nodes: Iterable[ast.AST]) -> None:
        """Blocks every name that is also bound in another way, and records names that the code sets itself."""
        stored: list[tuple[ast.expr, str]] = []
        for node in nodes:
            stored += stores(node)
            self.blocked.update(_bound_names(node, self.table.package))
            # `sys.modules`, also with an alias such as `_sys`.
            if isinstance(node, ast.Attribute) and node.attr == "modules":
                self.reaches_modules |= last_name(node.value).endswith("sys")
        for target, name in stored:
            self.assigned.add(name)
            if (dotted := self.dotted(target)) is not None:
                self.added.add(name)
                # Code that may set any name of a module says nothing about what is missing there.
                self.opened |= set() if name else {dotted}
            elif isinstance(target, ast.Constant):  # monkeypatch.setattr("package.name", value)
                self.added.add(str(target.value).rpartition(".")[2])

    def adds(self, stale: Stale) -> bool:
        """Returns whether the code itself may set the name that it uses."""
        module, _, name = stale.symbol.partition("(")[0].rpartition(".")
        return name in self.added or module in self.opened

    def target(self, name: str) -> str | None:
        """Returns the dotted name in the package that a name refers to, None if that is not certain."""
        if name in self.blocked:
            return None
        if name in self.imported:
            return self.imported[name]
        for module in self.stars:
            if isinstance(self.table.lookup(f"{module.name}.{name}")[0], Module | Callee):
                return f"{module.name}.{name}"
        # An excerpt often leaves out `import package`.
        return name if name == self.table.package else None

    def dotted(self, node: ast.expr) -> str | None:
        """Returns the full name in the package that an expression refers to."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        base = self.target(node.id) if isinstance(node, ast.Name) else None
        return None if base is None else ".".join([base, *reversed(parts)])


def _bound_names(node: ast.AST, package: str) -> Iterator[str]:
    """Yields the names that a node binds in another way than by importing them from the package."""
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
        yield node.name or ""
    elif isinstance(node, ast.MatchMapping):
        yield node.rest or ""
    elif isinstance(node, ast.Import | ast.ImportFrom):
        source = "" if isinstance(node, ast.Import) else node.module or ""
        for item in node.names:
            top = (source or item.name).split(".")[0]
            if top != package or (isinstance(node, ast.ImportFrom) and node.level):
                yield item.asname or item.name.split(".")[0]


def _unguarded(node: ast.AST) -> Iterator[ast.AST]:
    """Walks code without the parts that expect a name to be missing."""
    yield node
    if isinstance(node, ast.Try | ast.TryStar) and any(_forgives(h) for h in node.handlers):
        # Code in such a `try` expects the name to be missing in some versions.
        children: Iterable[ast.AST] = node.finalbody
    elif isinstance(node, ast.If | ast.IfExp) and _asks(node.test):
        children = ()
    elif isinstance(node, ast.With | ast.AsyncWith) and any(_expects(i.context_expr) for i in node.items):
        children = node.items
    elif isinstance(node, ast.Call) and _expects(node):  # pytest.raises(AttributeError, lambda: ...)
        children = ()
    else:
        children = ast.iter_child_nodes(node)
    for child in children:
        yield from _unguarded(child)


def _forgives(handler: ast.ExceptHandler) -> bool:
    """Returns whether a handler catches what a missing name raises."""
    if handler.type is None:
        return True
    return _names_forgiving(handler.type)


def _names_forgiving(node: ast.expr) -> bool:
    types = node.elts if isinstance(node, ast.Tuple) else [node]
    return any(last_name(t) in _FORGIVING for t in types)


def _expects(node: ast.expr) -> bool:
    """Returns whether a call is ``suppress(AttributeError)``, ``pytest.raises(TypeError)`` or the like."""
    return (
        isinstance(node, ast.Call)
        and last_name(node.func) in _EXPECTING
        and any(
            isinstance(value, ast.Starred) or _names_forgiving(value)
            for value in (*node.args, *(keyword.value for keyword in node.keywords))
        )
    )


def _asks(test: ast.expr) -> bool:
    """Returns whether a condition checks what the package has, or its version."""
    return any(
        isinstance(part, ast.Name | ast.Attribute)
        and ("version" in last_name(part).lower() or last_name(part) in {"hasattr", "TYPE_CHECKING"})
        for part in ast.walk(test)
    )


def _stale_in(node: ast.AST, names: _Names, table: SymbolTable) -> Iterator[Stale]:
    """Yields what a node uses and the package does not have."""
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
        dotted = names.dotted(node)
        if dotted is not None:
            symbol, upto = table.lookup(dotted)
            if symbol is MISSING and upto.rpartition(".")[2] not in names.assigned:
                yield Stale(upto)
    elif isinstance(node, ast.Call):
        dotted = names.dotted(node.func)
        if dotted is not None:
            yield from _unaccepted(dotted, node, table)


def _unaccepted(dotted: str, call: ast.Call, table: SymbolTable) -> Iterator[Stale]:
    """Yields the arguments of a call that the function does not take."""
    symbol, upto = table.lookup(dotted)
    if upto != dotted or not isinstance(symbol, Callee):
        return
    if symbol.keywords is not None:
        for keyword in call.keywords:
            if keyword.arg is not None and keyword.arg not in symbol.keywords:
                yield Stale(f"{dotted}({keyword.arg})", is_argument=True)
    starred = any(isinstance(value, ast.Starred) for value in call.args)
    if symbol.positions is not None and not starred and len(call.args) > symbol.positions:
        yield Stale(f"{dotted}(argument {symbol.positions + 1} without a name)", is_argument=True)
