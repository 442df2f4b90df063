"""Lists the names of a package from its source, without importing or running it.

A name is `MISSING` only if the source proves it. If code may add names at run time, the answer is `UNKNOWN`: a module-level
``__getattr__`` that cannot be followed, a star import from elsewhere, ``globals()``, ``exec``, another module that sets the
name, or a compiled module. A name that exists, but as something that cannot be read, is `PRESENT`.
"""

from __future__ import annotations

import ast
import re
from functools import cached_property
from typing import TYPE_CHECKING, Final

from attrs import define, field

from furytune._python_source.bindings import Alias, Assigned, Module, last_name, parse, read, read_stub
from furytune._python_source.dynamic import Found, ask
from furytune._python_source.kinds import MISSING, PRESENT, UNKNOWN, Class, Function, Instance, Symbol
from furytune._python_source.members import ancestors, find, member
from furytune._python_source.patches import read_patches
from furytune._python_source.signatures import Signature, signature_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from furytune._python_source.package_files import PackageFiles

__all__ = ["SymbolTable"]

_SELF: Final = frozenset({"Self"})
_DEEPEST: Final = 40
_DEFINED: Final = re.compile(r"^[ \t]*(?:async )?(?:def|class) (\w+)", re.MULTILINE)


@define(eq=False, slots=False)
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
    _derived: dict[str, list[Class]] | None = field(default=None, repr=False)
    _found: dict[tuple[str, str], Symbol] = field(factory=dict, repr=False)
    _asked: dict[tuple[str, str], Found] = field(factory=dict, repr=False)
    _signatures: dict[Function | Class, Signature] = field(factory=dict, repr=False)
    _mentioned: dict[str, bool] = field(factory=dict, repr=False)
    _depth: int = field(default=0, repr=False)

    def lookup(self, dotted: str) -> tuple[Symbol, str]:
        """Follows a dotted name that starts with the package.

        Returns:
            What the name refers to, and the part of it that was followed: up to the first missing or unknown name.
        """
        head, *rest = dotted.split(".")
        symbol: Symbol = self.module(head) or UNKNOWN
        for name in rest:
            if not isinstance(symbol, Module | Class):
                # Attributes of functions and values are not followed, because they may have any.
                return (symbol if symbol is MISSING else UNKNOWN), head
            head = f"{head}.{name}"
            symbol = self.attribute(symbol, name)
        return symbol, head

    def attribute(self, symbol: Symbol, name: str) -> Symbol:
        """Returns what an attribute of something refers to."""
        if isinstance(symbol, Module):
            key = (symbol.name, name)
            if key not in self._found:
                self._found[key] = self._attribute(symbol, name, set())
            return self._found[key]
        if isinstance(symbol, Class):
            return member(symbol, name, self, instance=False)[0]
        if isinstance(symbol, Instance):
            return self._of_instance(symbol, name)
        return UNKNOWN

    def _of_instance(self, symbol: Instance, name: str) -> Symbol:
        """Returns what an attribute of an object refers to; missing only if no class that it may have defines it."""
        found = [member(cls, name, self, instance=True)[0] for cls in symbol.classes]
        if len(found) == 1 and found[0] is not MISSING:
            return found[0]
        if not symbol.exact:
            below = [c for cls in symbol.classes for c in self.subclasses(cls.dotted)]
            found += [member(c, name, self, instance=True)[0] for c in below]
        if all(f is MISSING for f in found):
            return MISSING
        return PRESENT if all(f not in {MISSING, UNKNOWN} for f in found) else UNKNOWN

    def only_dynamic(self, symbol: Symbol, name: str) -> bool:
        """Returns whether an attribute can only come from code that computes its name, such as a ``__getattr__``."""
        if isinstance(symbol, Module):
            # Whatever sets a name that is written in the older release would have to mention it.
            return not symbol.open and not self.mentions(name)
        classes = symbol.classes if isinstance(symbol, Instance) else [symbol]
        setters = [
            member(c, name, self, instance=isinstance(symbol, Instance))[1]
            for c in classes
            if isinstance(c, Class)
        ]
        # A decorator that adds methods takes them from another class.
        return bool(setters) and all(
            setter in {None, "code"} or (setter == "decorator" and name not in self.definitions)
            for setter in setters
        )

    def writes(self, symbol: Symbol, name: str) -> bool:
        """Returns whether the source of a module or class itself binds a name, in whatever way."""
        if isinstance(symbol, Module):
            return name in symbol.bindings
        classes = symbol.classes if isinstance(symbol, Instance) else [symbol]
        return any(
            find(one, name) is not None
            for cls in classes
            if isinstance(cls, Class)
            for one in ancestors(cls, self).classes
        )

    def decorator_mentions(self, symbol: Function, name: str) -> bool:
        """Returns whether a decorator of a function may know an argument by its name.

        It may be written beside the decorator, in the decorator's own source, or beside the decorators of another function that
        is passed to it.
        """
        read: list[ast.AST] = [*symbol.node.decorator_list]
        for decorator in symbol.node.decorator_list:
            call = decorator.args if isinstance(decorator, ast.Call) else []
            for part in (decorator.func if isinstance(decorator, ast.Call) else decorator, *call):
                found = self.resolve(part, symbol.module)
                if isinstance(found, Function | Class):
                    read += [found.node]
                elif part not in call:
                    return True  # a decorator that cannot be read
        return any(
            name in {getattr(part, key, None) for key in ("arg", "value", "id")}
            for node in read
            for part in ast.walk(node)
            if isinstance(part, ast.arg | ast.keyword | ast.Name)
            or (isinstance(part, ast.Constant) and isinstance(part.value, str))
        )

    def mentions(self, name: str) -> bool:
        """Returns whether any source of the package contains a name as a word."""
        if name not in self._mentioned:
            word = re.compile(rb"(?<!\w)" + re.escape(name.encode()) + rb"(?!\w)")
            read = (self.files.read(file) or b"" for file in self.files.files if "/tests/" not in f"/{file}")
            self._mentioned[name] = any(word.search(source) for source in read)
        return self._mentioned[name]

    @cached_property
    def definitions(self) -> Mapping[str, Sequence[str]]:
        """The modules in which functions and classes of a name are defined, found without parsing."""
        found: dict[str, list[str]] = {}
        for file in self.files.sources():
            module = self.files.module_of(file, self.package)
            for name in {*_DEFINED.findall((self.files.read(file) or b"").decode("utf-8", "replace"))}:
                found.setdefault(name, []).append(module)
        return found

    def defined(self, name: str, modules: Iterable[str] | None = None) -> Iterator[Function | Class]:
        """Yields the functions, classes and methods of a name, in some modules or anywhere."""
        for dotted in self.definitions.get(name, ()) if modules is None else modules:
            if (module := self.module(dotted)) is None:
                continue
            for bindings in module.bindings.values():
                for node in bindings:
                    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
                        yield Function(node, module)
                    elif isinstance(node, ast.ClassDef):
                        cls = Class(node, module)
                        if node.name == name:
                            yield cls
                        for inner in node.body:
                            if (
                                isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef)
                                and inner.name == name
                            ):
                                yield Function(inner, module, cls)

    def signature(self, symbol: Function | Class) -> Signature:
        """Returns the arguments that a function or class accepts."""
        if symbol not in self._signatures:
            self._signatures[symbol] = signature_of(symbol, self)
        return self._signatures[symbol]

    def result(self, symbol: Symbol) -> Symbol:
        """Returns what a call of something returns."""
        if isinstance(symbol, Class):
            line = ancestors(symbol, self).classes
            if any(last_name(k.value) != "ABCMeta" for one in line for k in one.node.keywords):
                return UNKNOWN  # a metaclass may return anything
            # A `__new__` may choose a subclass.
            return Instance((symbol,), exact=all(find(one, "__new__") is None for one in line))
        if not isinstance(symbol, Function):
            return UNKNOWN
        if isinstance(symbol.node, ast.AsyncFunctionDef):
            return UNKNOWN
        nodes = [*symbol.overloads] or [symbol.node]
        classes: list[Class] = []
        for node in nodes:
            found = self._annotated(node.returns, symbol)
            if found is None:
                return UNKNOWN
            classes += found
        strange = {last_name(d) for d in symbol.node.decorator_list} & {
            "contextmanager",
            "asynccontextmanager",
        }
        return Instance(tuple(dict.fromkeys(classes)), exact=False) if classes and not strange else UNKNOWN

    def _annotated(self, node: ast.expr | None, function: Function) -> list[Class] | None:
        """Returns the classes that a return annotation names; None if it may mean anything else."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            tree = parse(node.value)
            body = tree.body[0] if tree is not None and len(tree.body) == 1 else None
            node = body.value if isinstance(body, ast.Expr) else None
        if isinstance(node, ast.Constant) and node.value is None:
            return []
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            sides = [self._annotated(side, function) for side in (node.left, node.right)]
            return None if None in sides else [c for side in sides if side for c in side]
        if isinstance(node, ast.Subscript) and last_name(node.value) == "Optional":
            return self._annotated(node.slice, function)
        if isinstance(node, ast.Name) and node.id in _SELF:
            return [function.owner] if function.owner else None
        if isinstance(node, ast.Name | ast.Attribute):
            found = self.resolve(node, function.module)
            return [found] if isinstance(found, Class) and not _is_protocol(found) else None
        return None

    def patches(self, dotted: str) -> set[str]:
        """Returns the names that other code of the package sets in a module or class; "" means any name."""
        if self._patches is None:
            # Finding patches needs lookups, which need patches: a table without patches ends this circle.
            plain = SymbolTable(self.package, self.files, modules=self._modules, patches={})
            self._patches = read_patches(self.package, self.files, plain.home)
        return self._patches.get(dotted, set())

    def subclasses(self, dotted: str) -> Sequence[Class]:
        """Returns the classes of the package that derive from a class."""
        if self._derived is None:
            self._derived = {}
            for file in self.files.sources():
                module = self.module(self.files.module_of(file, self.package))
                for bindings in module.bindings.values() if module else ():
                    for node in bindings:
                        if isinstance(node, ast.ClassDef) and module is not None:
                            cls = Class(node, module)
                            for one in ancestors(cls, self).classes[1:]:
                                self._derived.setdefault(one.dotted, []).append(cls)
        return self._derived.get(dotted, [])

    def public(self, symbol: Function | Class) -> str:
        """Returns the shortest name by which a module above its own exports something, else its name there."""
        if isinstance(symbol, Function) and symbol.owner is not None:
            return f"{self.public(symbol.owner)}.{symbol.node.name}"
        path = symbol.module.name.split(".")
        for end in range(1, len(path)):
            if any(part.startswith("_") for part in path[:end]):
                break
            above = self.module(".".join(path[:end]))
            found = self.attribute(above, symbol.node.name) if above is not None else UNKNOWN
            if isinstance(found, Function | Class) and found.node is symbol.node:
                return f"{'.'.join(path[:end])}.{symbol.node.name}"
        return symbol.dotted

    def home(self, dotted: str) -> tuple[str, bool] | None:
        """Returns the module or class that a dotted name refers to, by its first name, and whether it is a class."""
        if dotted.split(".", maxsplit=1)[0] != self.package:
            return None
        symbol, upto = self.lookup(dotted)
        if upto != dotted:
            return None
        if isinstance(symbol, Module):
            return symbol.name, False
        return (symbol.dotted, True) if isinstance(symbol, Class) else None

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
        # A compiled module exists. Only its stub tells something about its names.
        if self.files.hides(stem):
            stub = self.files.read(f"{stem}.pyi") if f"{stem}.pyi" in self.files.files else None
            return read_stub(dotted, parent, stub) if stub is not None else Module(dotted, parent, open=True)
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
            return PRESENT
        submodule = self.module(f"{module.name}.{name}")
        found = self._own(module, name, seen)
        if submodule and found is not submodule:
            # A submodule and a value have the same name; the order of imports decides which one wins.
            return submodule if found is MISSING else PRESENT
        if found is MISSING and module.getattr is not None:
            found = self._dynamic(module, name)
        if found is MISSING and module.unlisted:
            below = [m for m in self.definitions.get(name, ()) if m.rpartition(".")[0] == module.name]
            found = self._attribute_of(below[0], name, seen) if len(below) == 1 else UNKNOWN
        is_special = name.startswith("__") and name.endswith("__")
        is_open = module.open or is_special or module.shifting or "" in patches
        return UNKNOWN if found is MISSING and is_open else found

    def _dynamic(self, module: Module, name: str) -> Symbol:
        """Returns what the module's ``__getattr__`` returns for a name."""
        found = self.asked(module, name).symbol
        if found is MISSING or isinstance(found, Module):
            return found
        # Type checkers are told what the name is.
        hint = self._hinted(module, name)
        if hint is MISSING or found is UNKNOWN:
            return found
        return hint

    def _hinted(self, module: Module, name: str) -> Symbol:
        """Returns what a type checker is told about a name."""
        aside = Module(module.name, module.package, module.hints, module.hint_stars)
        return self._own(aside, name, {(module.name, name)})

    def asked(self, module: Module, name: str) -> Found:
        """Returns what the module's ``__getattr__`` does with a name."""
        key = (module.name, name)
        if key not in self._asked:
            self._asked[key] = Found(UNKNOWN)  # ends circles
            self._asked[key] = ask(module, name, self)
        return self._asked[key]

    def _own(self, module: Module, name: str, seen: set[tuple[str, str]]) -> Symbol:
        """Returns what a module's source binds a name to, also through its star imports."""
        if name in module.bindings:
            return self._bound(module, name, seen)
        found: list[Symbol] = []
        for star in module.stars:
            offered = self.offers(star, name)
            if offered is not False:
                found.append(self._starred(star, name, set(seen)))
        known = {one for one in found if one is not MISSING}
        if len(known - {UNKNOWN}) > 1:
            return PRESENT  # the order of imports decides
        return next(iter(known - {UNKNOWN}), UNKNOWN if known else MISSING)

    def starred(self, dotted: str, name: str) -> Symbol:
        """Returns what ``from dotted import *`` binds a name to."""
        return MISSING if self.offers(dotted, name) is False else self._starred(dotted, name, set())

    def _starred(self, dotted: str, name: str, seen: set[tuple[str, str]]) -> Symbol:
        module = self.module(dotted)
        if module is None or module.exports is not None:
            found = self._attribute_of(dotted, name, seen)
            # A name of `__all__` must exist, or the import would fail.
            return PRESENT if found is MISSING and self.offers(dotted, name) else found
        # Without `__all__`, only what is bound counts, not what `__getattr__` would return.
        if name in self.patches(dotted):
            return PRESENT
        found = self._own(module, name, {*seen, (dotted, name)})
        # `import *` asks `__getattr__` for `__all__` alone.
        if found is MISSING and (submodule := self.module(f"{dotted}.{name}")) is not None:
            return submodule  # it is bound if something imported it before
        is_lazy = module.getattr is not None and self.asked(module, "__all__").symbol is not MISSING
        is_open = module.open or module.shifting or is_lazy
        return UNKNOWN if found is MISSING and is_open else found

    def offers(self, dotted: str, name: str) -> bool | None:
        """Returns whether ``from dotted import *`` imports a name if it exists; None if that is not known."""
        module = self.module(dotted)
        if module is None:
            return None
        if module.exports is None:
            return not name.startswith("_")
        known = self._exports(module, 0)
        return None if known is None else name in known

    def _exports(self, module: Module, depth: int) -> set[str] | None:
        """Returns the names in a module's ``__all__``, None if they cannot all be read."""
        names: set[str] = set()
        for expression in module.exports or ():
            found = self._listed(expression, module, depth)
            if found is None:
                return None
            names |= found
        return names

    def _listed(self, node: ast.expr, module: Module, depth: int) -> set[str] | None:
        if depth > _DEEPEST:
            return None
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            values = [
                self._listed(e.value, module, depth + 1) if isinstance(e, ast.Starred) else _text(e)
                for e in node.elts
            ]
            return None if None in values else {n for v in values if v for n in v}
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.BitOr):
            left, right = (self._listed(n, module, depth + 1) for n in (node.left, node.right))
            return None if left is None or right is None else left | right
        if (
            isinstance(node, ast.Call)
            and last_name(node.func) in {"list", "tuple", "sorted", "set"}
            and len(node.args) == 1
        ):
            return self._listed(node.args[0], module, depth + 1)
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
            whole = node.slice.lower is node.slice.upper is node.slice.step is None
            return self._listed(node.value, module, depth + 1) if whole else None
        if isinstance(node, ast.Attribute) and node.attr == "__all__":
            found = self.resolve(node.value, module)
            if isinstance(found, Module) and found.exports is not None:
                return self._exports(found, depth + 1)
        if isinstance(node, ast.Name) and len(bindings := module.bindings.get(node.id, [])) == 1:
            only = bindings[0]
            if isinstance(only, Assigned):
                return self._listed(only.value, module, depth + 1)
            if isinstance(only, Alias) and only.name == "__all__" and (other := self.module(only.module)):
                return self._exports(other, depth + 1) if other.exports is not None else None
        return None

    def _attribute_of(self, dotted: str, name: str, seen: set[tuple[str, str]]) -> Symbol:
        module = self.module(dotted)
        return UNKNOWN if module is None else self._attribute(module, name, seen)

    def _bound(self, module: Module, name: str, seen: set[tuple[str, str]]) -> Symbol:
        """Returns what a bound name refers to, or present if it is bound in several ways."""
        bindings = module.bindings[name]
        binding = bindings[0]
        # Two definitions, such as in the branches of an `if`: the source does not prove which one is used.
        if any(other != binding for other in bindings):
            return PRESENT
        if isinstance(binding, Alias):
            return self._aliased(module, binding, seen)
        if isinstance(binding, ast.ClassDef):
            return Class(binding, module)
        if isinstance(binding, Assigned):
            return self._assigned(module, binding.value, seen)
        if binding is None:
            return PRESENT
        return Function(binding, module, overloads=tuple(module.overloads.get(name, ())))

    def _assigned(self, module: Module, value: ast.expr, seen: set[tuple[str, str]]) -> Symbol:
        """Follows ``name = other``; of other values, only the class is known."""
        if isinstance(value, ast.Name) and value.id not in module.bindings:
            return PRESENT
        if isinstance(value, ast.Name | ast.Attribute | ast.Call) and self._depth < _DEEPEST:
            self._depth += 1
            found = self._resolve(value, module, seen)
            self._depth -= 1
            # The assignment succeeds when the module is imported.
            return PRESENT if found in {MISSING, UNKNOWN} else found
        return PRESENT

    def _aliased(self, module: Module, alias: Alias, seen: set[tuple[str, str]]) -> Symbol:
        """Follows an import to what it imports."""
        if alias.module.split(".")[0] != self.package:
            return PRESENT
        if not alias.name:
            return self.module(alias.module) or PRESENT
        if alias.module == module.name:  # `from . import x` in x's own package
            return self.module(f"{module.name}.{alias.name}") or PRESENT
        found = self._attribute_of(alias.module, alias.name, seen)
        # The package itself imports the name, so it exists, perhaps in a way that is not seen here.
        return PRESENT if found in {MISSING, UNKNOWN} else found

    def resolve(self, node: ast.expr, module: Module) -> Symbol:
        """Returns what an expression in a module's scope refers to."""
        return self._resolve(node, module, set())

    def _resolve(self, node: ast.expr, module: Module, seen: set[tuple[str, str]]) -> Symbol:
        if self._depth > _DEEPEST:
            return UNKNOWN
        if isinstance(node, ast.Name):
            if node.id == self.package and node.id not in module.bindings:
                return self.module(self.package) or UNKNOWN
            found = self._own(module, node.id, seen)
            return self._hinted(module, node.id) if found is MISSING else found
        self._depth += 1
        try:
            if isinstance(node, ast.Attribute):
                inner = self._resolve(node.value, module, seen)
                if isinstance(inner, Module):
                    return self._attribute(inner, node.attr, seen)
                return self.attribute(inner, node.attr)
            if isinstance(node, ast.Call):
                return self.result(self._resolve(node.func, module, seen))
            return UNKNOWN
        finally:
            self._depth -= 1


def _text(node: ast.expr) -> set[str] | None:
    return {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _is_protocol(cls: Class) -> bool:
    """Returns whether a class only describes others, so that objects have more than it says."""
    return any(
        last_name(b.value if isinstance(b, ast.Subscript) else b) == "Protocol" for b in cls.node.bases
    )
