"""Finds what code takes from a package, and whether the package has it.

The code is read from top to bottom, as Python would run it. A name counts only while it certainly refers to something of the
package: an import, an assignment of such a thing, or an object whose class is known. The first pass of a loop counts, and
after a branch, what both ways agree on. Code that expects a name to be missing is left out: inside ``try``, or under a check
of the version.
"""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING, Final, Literal

from attrs import define, field, frozen

from furytune._python_source.bindings import Module, absolute, last_name
from furytune._python_source.kinds import MISSING, PRESENT, UNKNOWN, Class, Function, Instance, Symbol
from furytune._python_source.patches import stores

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from furytune._python_source.symbols import SymbolTable

__all__ = ["Block", "Use", "read_uses"]

Status = Literal["found", "missing", "unknown", "dynamic", "lacking"]

_FORGIVING: Final = frozenset(
    {"ImportError", "ModuleNotFoundError", "AttributeError", "TypeError", "Exception", "BaseException"}
)
_EXPECTING: Final = frozenset({"suppress", "raises", "assertRaises", "assertRaisesRegex"})


@frozen
class Block:
    """Code of an answer.

    Attributes:
        tree: Its syntax tree.
        whole: Whether it is meant to run as it is, unlike code inside a sentence.
    """

    tree: ast.Module
    whole: bool = True


@frozen
class Use:
    """One thing that code takes from the package.

    Attributes:
        block: The block of code, counted from 0.
        line: The line in it, counted from 1.
        column: The column.
        symbol: The dotted name; of an argument the call, with the argument in parentheses.
        kind: What is used.
        status: Whether the package has it. ``dynamic``: only code that sets names at run time may provide it. ``lacking``:
            the call leaves out an argument that has no default, or no ``import *`` provides the name.
        target: What the name refers to; of an argument, what is called.
        on: What an attribute is taken from.
    """

    block: int
    line: int
    column: int
    symbol: str
    kind: Literal["name", "attribute", "argument"]
    status: Status
    target: Symbol = field(eq=False, repr=False)
    on: Symbol = field(eq=False, repr=False)

    @property
    def key(self) -> tuple[int, int, int, str]:
        """Identifies the place, so that the same use can be found in another release."""
        leaf = self.symbol.partition("(")[2] or self.symbol.rpartition(".")[2]
        return self.block, self.line, self.column, "needs" if leaf.startswith("needs ") else leaf


@frozen
class _Value:
    """Something of the package, and the dotted name by which the code reached it."""

    symbol: Symbol
    dotted: str


_Scope = dict[str, "_Value | None"]


def read_uses(
    blocks: Sequence[Block], table: SymbolTable, aliases: Mapping[str, str] | None = None
) -> list[Use]:
    """Returns what code takes from the package.

    Args:
        blocks: The blocks of one answer. They share their names.
        table: The package.
        aliases: What short names usually stand for, such as "np" for "numpy", if the code does not say it.
    """
    reader = _Reader(table, aliases or {})
    reader.prepare([block.tree for block in blocks])
    for number, block in enumerate(blocks):
        reader.block, reader.whole = number, block.whole
        reader.body(block.tree.body, reader.scope)
    reader.finish()
    # Code that uses sys.modules may replace any module of the package.
    if reader.reaches_modules:
        return []
    uses = [use for use in reader.uses if not reader.sets(use)]
    return [*{(use.key, use.symbol): use for use in reversed(uses)}.values()][::-1]


@define
class _Reader:
    table: SymbolTable
    aliases: Mapping[str, str]
    scope: _Scope = field(factory=dict)
    fallback: dict[str, str] = field(factory=dict)
    bound: set[str] = field(factory=set)
    uses: list[Use] = field(factory=list)
    stars: list[Module] = field(factory=list)
    stored: set[str] = field(factory=set)
    opened: set[str] = field(factory=set)
    seen: dict[str, _Value | None] = field(factory=dict)
    mixed: set[str] = field(factory=set)
    later: list[tuple[int, bool, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, _Scope]] = field(
        factory=list
    )
    reaches_modules: bool = False
    block: int = 0
    whole: bool = True
    quiet: int = 0

    def prepare(self, trees: Iterable[ast.Module]) -> None:
        """Notes what the code binds and sets anywhere, because people show the parts of a script in any order."""
        blocked: set[str] = set()
        for tree in trees:
            guarded = {id(part) for part in ast.walk(tree)} - {id(part) for part in _unguarded(tree)}
            for node in ast.walk(tree):
                self.stored |= {name for _, name in stores(node) if name}
                if isinstance(node, ast.Call) and last_name(node.func) == "setattr" and node.args:
                    first = node.args[0]  # monkeypatch.setattr("package.name", value)
                    if isinstance(first, ast.Constant) and isinstance(first.value, str):
                        self.stored.add(first.value.rpartition(".")[2])
                names = set(_bound_names(node, self.table.package))
                self.bound |= names
                blocked |= names
                # `sys.modules`, also with an alias such as `_sys`.
                if isinstance(node, ast.Attribute) and node.attr == "modules":
                    self.reaches_modules |= last_name(node.value).endswith("sys")
                if id(node) in guarded:
                    continue
                for name, target in _imports(node, self.table.package):
                    if self.fallback.setdefault(name, target) != target:
                        blocked.add(name)
        self.fallback = {name: target for name, target in self.fallback.items() if name not in blocked}

    def finish(self) -> None:
        """Reads the bodies of functions, which run once all names of the script are bound."""
        outer = {name: None if name in self.mixed else value for name, value in self.scope.items()}
        while self.later:
            self.block, self.whole, node, around = self.later.pop(0)
            scope = {**outer, **around}
            arguments = node.args
            for one in (
                *arguments.posonlyargs,
                *arguments.args,
                *arguments.kwonlyargs,
                *filter(None, [arguments.vararg, arguments.kwarg]),
            ):
                scope[one.arg] = None
            if isinstance(node, ast.Lambda):
                self.value(node.body, scope)
            else:
                self.body(node.body, scope, around)

    def sets(self, use: Use) -> bool:
        """Returns whether the code itself may set the name that it uses."""
        module, _, name = use.symbol.partition("(")[0].rpartition(".")
        return name in self.stored or module in self.opened

    def body(self, statements: Iterable[ast.stmt], scope: _Scope, local: _Scope | None = None) -> None:
        """Reads statements in order."""
        for statement in statements:
            self.statement(statement, scope, local)

    def statement(self, node: ast.stmt, scope: _Scope, local: _Scope | None) -> None:
        """Reads one statement."""
        if isinstance(node, ast.Import | ast.ImportFrom):
            self.imported(node, scope)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            self.expressions(
                [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)], scope
            )
            self.bind(node.name, None, scope)
            # A function inside another one sees its names, but only as they are at the end.
            inner = dict(scope) if local is not None else {}
            self.later.append((self.block, self.whole, node, inner))
        elif isinstance(node, ast.ClassDef):
            self.expressions([*node.decorator_list, *node.bases, *(k.value for k in node.keywords)], scope)
            self.bind(node.name, None, scope)
            self.body(node.body, dict(scope), local)
        elif isinstance(node, ast.Assign):
            value = self.value(node.value, scope)
            for target in node.targets:
                self.assign(target, node.value, value, scope)
        elif isinstance(node, ast.AnnAssign):
            value = self.value(node.value, scope) if node.value is not None else None
            self.value(node.annotation, scope)
            if node.value is not None:
                self.assign(node.target, node.value, value, scope)
        elif isinstance(node, ast.AugAssign):
            self.expressions([node.value], scope)
            self.assign(node.target, None, None, scope)
        elif isinstance(node, ast.For | ast.AsyncFor):
            self.value(node.iter, scope)
            self.assign(node.target, None, None, scope)
            self.ways([node.body, []], scope, local)
            self.body(node.orelse, scope, local)
        elif isinstance(node, ast.While):
            self.value(node.test, scope)
            self.ways([node.body, []], scope, local)
            self.body(node.orelse, scope, local)
        elif isinstance(node, ast.If):
            if _asks(node.test):
                self.forget([*node.body, *node.orelse], scope)
            else:
                self.value(node.test, scope)
                self.ways([node.body, node.orelse], scope, local)
        elif isinstance(node, ast.With | ast.AsyncWith):
            self.within(node, scope, local)
        elif isinstance(node, ast.Try | ast.TryStar):
            self.attempt(node, scope, local)
        elif isinstance(node, ast.Match):
            self.value(node.subject, scope)
            self.forget([c for case in node.cases for c in [*case.body]], scope)
            for part in ast.walk(node):
                for name in _bound_names(part, self.table.package):
                    self.bind(name, None, scope)
            self.ways([case.body for case in node.cases], scope, local)
        elif isinstance(node, ast.Delete):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    self.bind(target.id, None, scope)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            for name in node.names:
                self.bind(name, None, scope)
        else:
            self.expressions([c for c in ast.iter_child_nodes(node) if isinstance(c, ast.expr)], scope)

    def ways(self, bodies: list[list[ast.stmt]], scope: _Scope, local: _Scope | None) -> None:
        """Reads branches, and keeps what all of them agree on."""
        scopes = []
        for body in bodies:
            one = dict(scope)
            self.body(body, one, local)
            scopes.append(one)
        for name in {name for one in scopes for name in one}:
            values = [one.get(name, scope.get(name)) for one in scopes]
            scope[name] = values[0] if all(v == values[0] for v in values) else None

    def within(self, node: ast.With | ast.AsyncWith, scope: _Scope, local: _Scope | None) -> None:
        """Reads ``with``; what it binds is not known."""
        expecting = any(_expects(item.context_expr) for item in node.items)
        for item in node.items:
            self.value(item.context_expr, scope)
            if item.optional_vars is not None:
                self.assign(item.optional_vars, None, None, scope)
        if expecting:
            self.forget(node.body, scope)
        else:
            self.body(node.body, scope, local)

    def attempt(self, node: ast.Try | ast.TryStar, scope: _Scope, local: _Scope | None) -> None:
        """Reads ``try``, unless it expects a name to be missing in some versions."""
        if any(_forgives(h) for h in node.handlers):
            self.forget([*node.body, *node.orelse, *(s for h in node.handlers for s in h.body)], scope)
        else:
            for handler in node.handlers:
                self.expressions(filter(None, [handler.type]), scope)
            before = dict(scope)
            self.body([*node.body, *node.orelse], scope, local)
            for handler in node.handlers:
                inner = {name: value if before.get(name) == value else None for name, value in scope.items()}
                inner[handler.name or ""] = None
                self.body(handler.body, inner, local)
                self.forget(handler.body, scope)
        self.body(node.finalbody, scope, local)

    def forget(self, statements: Iterable[ast.stmt], scope: _Scope) -> None:
        """Skips statements; of what they bind, nothing is known."""
        for statement in statements:
            for part in ast.walk(statement):
                # `import package.module` binds the package, whatever becomes of the module.
                targets = dict(_imports(part, self.table.package))
                names = [*_bound_names(part, self.table.package), *targets]
                for name in names:
                    if targets.get(name) != self.table.package:
                        self.bind(name, None, scope)

    def bind(self, name: str, value: _Value | None, scope: _Scope) -> None:
        """Binds a name."""
        if scope is self.scope:
            if name in self.seen and self.seen[name] != value:
                self.mixed.add(name)
            self.seen[name] = value
        scope[name] = value

    def assign(self, target: ast.expr, node: ast.expr | None, value: _Value | None, scope: _Scope) -> None:
        """Assigns a value to a target."""
        if isinstance(target, ast.Name):
            self.bind(target.id, value, scope)
        elif isinstance(target, ast.Tuple | ast.List):
            parts: list[ast.expr | None] = [None] * len(target.elts)
            if isinstance(node, ast.Tuple | ast.List) and len(node.elts) == len(target.elts):
                parts = [*node.elts]
            for inner, part in zip(target.elts, parts, strict=True):
                self.quiet += 1  # its parts are read already
                known = self.value(part, scope) if part is not None else None
                self.quiet -= 1
                self.assign(inner, part, known, scope)
        elif isinstance(target, ast.Starred):
            self.assign(target.value, None, None, scope)
        else:
            self.expressions([c for c in ast.iter_child_nodes(target) if isinstance(c, ast.expr)], scope)

    def imported(self, node: ast.Import | ast.ImportFrom, scope: _Scope) -> None:
        """Records an import."""
        for name in _bound_names(node, self.table.package):
            self.bind(name, None, scope)
        if isinstance(node, ast.ImportFrom):
            source = absolute(node, "")
            if node.level or source.split(".")[0] != self.table.package:
                return
            if not self.followed(source, node):
                return
            for item in node.names:
                dotted = f"{source}.{item.name}"
                if item.name == "*":
                    if module := self.table.module(source):
                        self.stars.append(module)
                elif symbol := self.followed(dotted, item):
                    self.bind(item.asname or item.name, _Value(symbol, dotted), scope)
                else:
                    self.bind(item.asname or item.name, None, scope)
            return
        for item in node.names:
            top = item.name.split(".")[0]
            if top != self.table.package:
                continue
            symbol = self.followed(item.name, item)
            if item.asname:
                self.bind(item.asname, _Value(symbol, item.name) if symbol else None, scope)
            elif module := self.table.module(top):
                self.bind(top, _Value(module, top), scope)

    def followed(self, dotted: str, node: ast.AST) -> Symbol | None:
        """Records a dotted name that an import needs; returns None if it does not exist."""
        path = dotted.split(".")
        value = _Value(self.table.module(path[0]) or UNKNOWN, path[0])
        self.record(node, value.dotted, "name", value.symbol, value.symbol)
        for name in path[1:]:
            found = self.taken(value, name, node)
            if found is None:
                return None
            value = found
        return value.symbol

    def starred(self, name: str, node: ast.AST) -> _Value | None:
        """Returns what a name refers to that only ``from module import *`` can have bound."""
        if not self.stars or name in self.bound or name in self.fallback or hasattr(builtins, name):
            return None
        found = [(m, self.table.starred(m.name, name)) for m in reversed(self.stars)]
        for module, symbol in found:
            if symbol is not MISSING:
                if symbol is UNKNOWN:
                    break
                dotted = f"{module.name}.{name}"
                self.add(node, dotted, "name", "found", symbol, module)
                return _Value(symbol, dotted)
        # Readers may know the name from elsewhere; that it is gone is proved only by a release that had it.
        if all(symbol is MISSING or self.table.only_dynamic(m, name) for m, symbol in found):
            self.add(node, f"{found[-1][0].name}.{name}", "name", "lacking", MISSING, found[-1][0])
        return None

    def name(self, name: str, node: ast.AST, scope: _Scope) -> _Value | None:
        """Returns what a name refers to, None if that is not certain or not of the package."""
        if name in scope:
            return scope[name]
        if (starred := self.starred(name, node)) is not None:
            return starred
        dotted = self.fallback.get(name)
        if dotted is None and name not in self.bound:
            # An excerpt often leaves out `import package`.
            dotted = name if name == self.table.package else self.aliases.get(name)
        if dotted is None:
            return None
        symbol, upto = self.table.lookup(dotted)
        return _Value(symbol, dotted) if upto == dotted and symbol is not MISSING else None

    def expressions(self, nodes: Iterable[ast.expr], scope: _Scope) -> None:
        """Reads expressions whose values do not matter."""
        for node in nodes:
            self.value(node, scope)

    def value(self, node: ast.expr, scope: _Scope) -> _Value | None:
        """Reads an expression, and returns what of the package it refers to."""
        if isinstance(node, ast.Name):
            return self.name(node.id, node, scope)
        if isinstance(node, ast.Attribute):
            inner = self.value(node.value, scope)
            if inner is None or not isinstance(node.ctx, ast.Load):
                return None
            if node.attr == "__dict__":
                self.opened.add(inner.dotted)
            return self.taken(inner, node.attr, node)
        if isinstance(node, ast.Call):
            return self.called(node, scope)
        if isinstance(node, ast.NamedExpr):
            value = self.value(node.value, scope)
            self.assign(node.target, node.value, value, scope)
            return value
        if isinstance(node, ast.Lambda):
            self.expressions([*node.args.defaults, *filter(None, node.args.kw_defaults)], scope)
            self.later.append((self.block, self.whole, node, {} if scope is self.scope else dict(scope)))
            return None
        if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
            self.comprehension(node, scope)
            return None
        if isinstance(node, ast.IfExp | ast.BoolOp) and _asks(node):
            return None
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.value(child, scope)
            elif isinstance(child, ast.FormattedValue | ast.keyword | ast.Slice):
                self.expressions([c for c in ast.iter_child_nodes(child) if isinstance(c, ast.expr)], scope)
        return None

    def comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, scope: _Scope
    ) -> None:
        inner = dict(scope)
        for generator in node.generators:
            self.value(generator.iter, inner)
            self.assign(generator.target, None, None, inner)
            self.expressions(generator.ifs, inner)
        self.expressions([node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt], inner)

    def taken(self, inner: _Value, name: str, node: ast.AST) -> _Value | None:
        """Records an attribute that is taken from something of the package."""
        if inner.symbol in {PRESENT, UNKNOWN} or isinstance(inner.symbol, Function):
            return None
        symbol = self.table.attribute(inner.symbol, name)
        dotted = f"{inner.dotted}.{name}"
        kind: Literal["name", "attribute"] = "name" if isinstance(inner.symbol, Module) else "attribute"
        if isinstance(inner.symbol, Instance):
            dotted = f"{inner.dotted}.{name}"
        self.record(node, dotted, kind, symbol, inner.symbol)
        return None if symbol is MISSING else _Value(symbol, dotted)

    def record(
        self, node: ast.AST, dotted: str, kind: Literal["name", "attribute"], symbol: Symbol, on: Symbol
    ) -> None:
        """Records a use of a name."""
        status: Status = "found"
        if symbol is MISSING:
            status = "missing"
        elif symbol is UNKNOWN:
            dynamic = isinstance(on, Module | Class | Instance) and self.table.only_dynamic(
                on, dotted.rpartition(".")[2]
            )
            status = "dynamic" if dynamic else "unknown"
        self.add(node, dotted, kind, status, symbol, on)

    def add(
        self,
        node: ast.AST,
        dotted: str,
        kind: Literal["name", "attribute", "argument"],
        status: Status,
        target: Symbol,
        on: Symbol,
    ) -> None:
        if not self.quiet:
            # The end of an attribute is where its name is written.
            line = getattr(node, "end_lineno", None) or 1
            column = getattr(node, "end_col_offset", None) or 0
            self.uses.append(Use(self.block, int(line), int(column), dotted, kind, status, target, on))

    def called(self, node: ast.Call, scope: _Scope) -> _Value | None:
        """Reads a call: what is called, its arguments, and whether they fit."""
        if _expects(node):  # pytest.raises(AttributeError, lambda: ...)
            return None
        function = self.value(node.func, scope)
        for target, name in stores(node):
            if not name and (found := self.value(target, scope)) is not None:
                # Code that may set any name of a module says nothing about what is missing there.
                self.opened.add(found.dotted)
        self.expressions([a.value if isinstance(a, ast.Starred) else a for a in node.args], scope)
        self.expressions([k.value for k in node.keywords], scope)
        if function is None:
            return None
        if isinstance(function.symbol, Function | Class):
            self.arguments(node, function, function.symbol)
        elif node.keywords and not isinstance(function.symbol, Module):
            self.unread(node, function)
        result = self.table.result(function.symbol)
        if not isinstance(result, Instance):
            return None
        # Attributes of an object are named by its class, as in the documentation.
        own = function.dotted if isinstance(function.symbol, Class) else self.table.public(result.classes[0])
        return _Value(result, own)

    def unread(self, node: ast.Call, function: _Value) -> None:
        """Records keyword arguments of something whose arguments cannot be read."""
        for keyword in node.keywords:
            if keyword.arg is not None:
                dotted = f"{function.dotted}({keyword.arg})"
                self.add(keyword, dotted, "argument", "unknown", function.symbol, function.symbol)

    def unlisted(self, symbol: Function | Class, name: str) -> Status:
        """Returns what is known of an argument that a function does not list, but its decorators may accept."""
        written = (
            isinstance(symbol, Function) and symbol.node.args.kwarg is None and symbol.node.decorator_list
        )
        if not written or not isinstance(symbol, Function) or symbol.module.stub:
            return "unknown"
        return "unknown" if self.table.decorator_mentions(symbol, name) else "dynamic"

    def arguments(self, node: ast.Call, function: _Value, symbol: Function | Class) -> None:
        """Records the arguments of a call."""
        signature = self.table.signature(symbol)
        for keyword in node.keywords:
            if keyword.arg is not None:
                status: Status = "missing"
                if keyword.arg in signature.named:
                    status = "found"
                elif signature.any_named:
                    status = "found" if signature.known else self.unlisted(symbol, keyword.arg)
                dotted = f"{function.dotted}({keyword.arg})"
                self.add(keyword, dotted, "argument", status, symbol, symbol)
        starred = any(isinstance(value, ast.Starred) for value in node.args)
        doubled = any(keyword.arg is None for keyword in node.keywords)
        if not starred and (signature.known or not signature.any_positional):
            for number, value in enumerate(node.args, start=1):
                fits = signature.any_positional or number <= len(signature.positional)
                status = "found" if fits else "missing"
                dotted = f"{function.dotted}(argument {number} without a name)"
                if number == len(signature.positional) + 1 or fits:
                    self.add(value, dotted, "argument", status, symbol, symbol)
        gaps = any(isinstance(v, ast.Constant) and v.value is ... for v in node.args)
        if self.whole and signature.known and not starred and not doubled and not gaps:
            given = {*signature.positional[: len(node.args)], *(k.arg for k in node.keywords)}
            lacking = sorted(signature.required - given)
            dotted = f"{function.dotted}(needs {', '.join(lacking)})"
            self.add(node, dotted, "argument", "lacking" if lacking else "found", symbol, symbol)


def _imports(node: ast.AST, package: str) -> Iterator[tuple[str, str]]:
    """Yields each name that a node imports from the package, and what it stands for."""
    if isinstance(node, ast.Import):
        for item in node.names:
            top = item.name.split(".")[0]
            if top == package:
                yield item.asname or top, item.name if item.asname else top
    elif isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").split(".")[0] == package:
        for item in node.names:
            if item.name != "*":
                yield item.asname or item.name, f"{node.module}.{item.name}"


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
