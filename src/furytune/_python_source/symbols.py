"""Lists the names of a package from its source, without importing or running it.

A name is `MISSING` only if the source proves it. If code may add names at run time, the answer is `UNKNOWN`: a module-level
``__getattr__`` other than plain lazy loading, a star import from elsewhere, ``globals()``, ``exec``, another module that
sets the name, or a compiled module.
"""

from __future__ import annotations

import ast
import enum
from typing import TYPE_CHECKING, Final, TypeAlias

from attrs import define, field, frozen

from furytune._python_source.bindings import Alias, Module, last_name, read
from furytune._python_source.patches import read_patches

if TYPE_CHECKING:
    from collections.abc import Mapping

    from furytune._python_source.package_files import PackageFiles

__all__ = ["MISSING", "UNKNOWN", "Callee", "Symbol", "SymbolTable"]

_PLAIN_DECORATORS: Final = frozenset(
    {"cache", "contextmanager", "lru_cache", "staticmethod", "warn_on_args_to_kwargs"}
)
"""Decorators that do not change the keyword arguments; the last one is common in scientific packages."""

_ADAPTING: Final = frozenset({"warn_on_args_to_kwargs"})
"""The ones that turn positional arguments into keyword arguments."""

_INTERCEPTING: Final = frozenset({"Enum", "Flag", "IntEnum", "IntFlag", "NamedTuple", "StrEnum", "TypedDict"})
"""Base classes whose metaclass receives the arguments of a call."""


class Verdict(enum.Enum):
    """What is known about a name that is neither a module nor a callable of the package."""

    MISSING = "missing"
    UNKNOWN = "unknown"


MISSING: Final = Verdict.MISSING
UNKNOWN: Final = Verdict.UNKNOWN


@frozen(eq=False)
class Callee:
    """A function or class of the package.

    Attributes:
        keywords: Names it accepts as keyword arguments; None if that cannot be proved.
        positions: How many positional arguments it accepts; None if that cannot be proved.
        intercepted: Whether something other than ``__init__`` may receive the arguments of a class.
    """

    keywords: frozenset[str] | None = None
    positions: int | None = None
    intercepted: bool = False


Symbol: TypeAlias = Module | Callee | Verdict


@define(eq=False)
class SymbolTable:
    """The names of one package. Modules are read on first use.

    Attributes:
        package: Top-level name.
        files: Its files.
    """

    package: str
    files: PackageFiles
    _modules: dict[str, Module | None] = field(factory=dict, repr=False)
    _patches: Mapping[str, set[str]] | None = field(default=None, repr=False)

    def lookup(self, dotted: str) -> tuple[Symbol, str]:
        """Follows a dotted name that starts with the package.

        Returns:
            What the name refers to, and the part of it that was followed: up to the first missing name, or up to a
            function, class or value, whose attributes are not judged.
        """
        head, *rest = dotted.split(".")
        symbol: Symbol = self.module(head) or UNKNOWN
        for name in rest:
            if not isinstance(symbol, Module):
                # Attributes of functions and classes are not followed, because instances may have any.
                return (UNKNOWN, head) if symbol is not MISSING else (symbol, head)
            head = f"{head}.{name}"
            symbol = self._attribute(symbol, name, set())
        return symbol, head

    def patches(self, module: str) -> set[str]:
        """Returns the names that other code of the package sets in a module; "" means any name."""
        if self._patches is None:
            # Finding patches needs lookups, which need patches: a table without patches ends this circle.
            plain = SymbolTable(self.package, self.files, self._modules, {})
            self._patches = read_patches(self.package, self.files, plain.module_name)
        return self._patches.get(module, set())

    def module_name(self, dotted: str) -> str | None:
        """Returns the name of the module that a dotted name refers to, None if it does not refer to a module."""
        if dotted.split(".", maxsplit=1)[0] != self.package:
            return None
        symbol, upto = self.lookup(dotted)
        return symbol.name if isinstance(symbol, Module) and upto == dotted else None

    def module(self, dotted: str) -> Module | None:
        """Returns a module of the package by its dotted name, None if it does not exist."""
        if dotted not in self._modules:
            self._modules[dotted] = self._read(dotted)
        return self._modules[dotted]

    def _read(self, dotted: str) -> Module | None:
        """Reads a module from its file; returns None if there is no such module."""
        parts = dotted.split(".")
        if parts[0] != self.package or not all(part.isidentifier() for part in parts):
            return None
        if self.files.alone:
            return read(dotted, "", self.files, f"{dotted}.py") if len(parts) == 1 else None
        parent, stem = dotted.rpartition(".")[0], "/".join(parts[1:])
        if (name := f"{stem}/__init__.py".removeprefix("/")) in self.files.files:
            return read(dotted, dotted, self.files, name)
        if (name := f"{stem}.py") in self.files.files:
            return read(dotted, parent, self.files, name)
        # A compiled module exists, but nothing is known about its names.
        if self.files.hides(stem):
            return Module(dotted, parent, open=True)
        return Module(dotted, dotted) if self.files.is_namespace(stem) else None

    def _attribute(self, module: Module, name: str, seen: set[tuple[str, str]]) -> Symbol:
        """Returns what a module's attribute is: its own name, a submodule, or unknown.

        Args:
            module: The module.
            name: The attribute.
            seen: Lookups that led here, to end circles.
        """
        # Modules may import names from each other in a circle.
        if (module.name, name) in seen:
            return UNKNOWN
        seen.add((module.name, name))
        patches = self.patches(module.name)
        if name in patches:
            return UNKNOWN
        submodule = self.module(f"{module.name}.{name}")
        found = self._own(module, name, seen)
        if submodule and found is not submodule:
            # A submodule and a value have the same name; the order of imports decides which one wins.
            return submodule if found is MISSING else UNKNOWN
        is_special = name.startswith("__") and name.endswith("__")
        is_open = module.open or is_special or "" in patches
        return UNKNOWN if found is MISSING and is_open else found

    def _own(self, module: Module, name: str, seen: set[tuple[str, str]]) -> Symbol:
        """Returns what a module's source binds a name to, also through its star imports."""
        if name in module.bindings:
            return self._bound(module, name, seen)
        for star in module.stars:
            found = self._attribute_of(star, name, seen)
            if found is not MISSING:
                return found
        return MISSING

    def _attribute_of(self, dotted: str, name: str, seen: set[tuple[str, str]]) -> Symbol:
        module = self.module(dotted)
        return UNKNOWN if module is None else self._attribute(module, name, seen)

    def _bound(self, module: Module, name: str, seen: set[tuple[str, str]]) -> Symbol:
        """Returns what a bound name refers to, or unknown if it is bound in several ways."""
        bindings = module.bindings[name]
        binding = bindings[0]
        # Two definitions, such as in the branches of an `if`: the source does not prove which one is used.
        if any(other != binding for other in bindings):
            return UNKNOWN
        if isinstance(binding, Alias):
            return self._aliased(module, binding, seen)
        if isinstance(binding, ast.ClassDef):
            return self._class(module, binding, seen)
        return UNKNOWN if binding is None else _callee(binding, skip=0)

    def _aliased(self, module: Module, alias: Alias, seen: set[tuple[str, str]]) -> Symbol:
        """Follows an import to what it imports."""
        if alias.module.split(".")[0] != self.package:
            return UNKNOWN
        if not alias.name:
            return self.module(alias.module) or UNKNOWN
        if alias.module == module.name:  # `from . import x` in x's own package
            return self.module(f"{module.name}.{alias.name}") or UNKNOWN
        found = self._attribute_of(alias.module, alias.name, seen)
        # The package itself imports the name, so it probably exists in a way that is not seen here.
        return UNKNOWN if found is MISSING else found

    def _class(self, module: Module, node: ast.ClassDef, seen: set[tuple[str, str]]) -> Callee:
        """Returns the arguments that a class takes."""
        # The arguments of a class are those of its `__init__`, unless something else may receive them first.
        methods = {n.name: n for n in node.body if isinstance(n, ast.FunctionDef)}
        names = [last_name(base) for base in node.bases]
        bases = [
            self._attribute(module, base.id, seen) if isinstance(base, ast.Name) else UNKNOWN
            for base in node.bases
        ]
        parents = [base for base in bases if isinstance(base, Callee)]
        metaclasses = {last_name(k.value) for k in node.keywords} - {"ABCMeta"}
        if (
            node.decorator_list
            or metaclasses
            or "__new__" in methods
            or not _INTERCEPTING.isdisjoint(names)
            or any(isinstance(base, ast.Call) for base in node.bases)
            or any(parent.intercepted for parent in parents)
        ):
            return Callee(intercepted=True)
        if "__init__" in methods:
            return _callee(methods["__init__"], skip=1)
        return parents[0] if len(bases) == 1 and parents else Callee()


def _callee(node: ast.FunctionDef | ast.AsyncFunctionDef, *, skip: int) -> Callee:
    """Returns the arguments that a function accepts, without its first ``skip`` parameters.

    Args:
        node: The function.
        skip: 1 for a method, whose first parameter is the object.
    """
    decorators = {last_name(d) for d in node.decorator_list}
    if not decorators <= _PLAIN_DECORATORS:
        return Callee()
    # The first parameter of a method is `self`, even if it has another name.
    known = node.args
    first = [*known.posonlyargs, *known.args]
    named = [*known.args[max(skip - len(known.posonlyargs), 0) :], *known.kwonlyargs]
    fixed = known.vararg is None and _ADAPTING.isdisjoint(decorators)
    return Callee(
        keywords=None if known.kwarg else frozenset(a.arg for a in named),
        positions=max(len(first) - skip, 0) if fixed else None,
    )
