"""Lists what a class and its instances have: methods, and attributes that its source sets."""

from __future__ import annotations

import ast
import builtins
from importlib import import_module
from typing import TYPE_CHECKING, Final, Literal

from attrs import define, field, frozen

from furytune._python_source.bindings import Alias, last_name
from furytune._python_source.kinds import MISSING, PRESENT, UNKNOWN, Class, Function

if TYPE_CHECKING:
    from furytune._python_source.bindings import Module
    from furytune._python_source.kinds import AnyFunction, Names, Symbol

__all__ = ["Line", "ancestors", "find", "member"]

_OF_TUPLES: Final = frozenset({"_asdict", "_field_defaults", "_fields", "_make", "_replace"})
_NEUTRAL: Final = frozenset({"object", "ABC", "Generic", "Protocol"})
_STANDARD: Final = frozenset(
    {
        "abc",
        "argparse",
        "collections",
        "collections.abc",
        "contextlib",
        "datetime",
        "decimal",
        "enum",
        "io",
        "json",
        "logging",
    }
    | {"numbers", "pathlib", "queue", "string", "threading", "types", "typing", "uuid", "weakref"}
)
"""Modules of Python whose classes packages derive from, and which are safe to import."""
_MAKING: Final = frozenset({"setattr", "type", "exec", "vars", "make_class", "wraps", "dataclass"})
"""Functions with which a decorator can make another class, or add names that it computes."""
_META: Final = frozenset({"ABCMeta", "EnumMeta", "EnumType"})
_PLAIN: Final = frozenset(
    {
        "final",
        "total_ordering",
        "runtime_checkable",
        "set_module",
        "deprecated",
        "unique",
        "dataclass",
        "define",
        "frozen",
    }
    | {"mutable", "s", "attrs", "doc", "Appender", "Substitution"}
)
"""Decorators of classes that add no public name."""


@frozen
class Line:
    """A class and the classes that it inherits from.

    Attributes:
        classes: Those of the package, nearest first.
        outside: Bases from elsewhere: classes of Python itself, None for any other.
    """

    classes: tuple[Class, ...]
    outside: tuple[type | None, ...] = ()


@define
class Body:
    """What the source of one class sets."""

    nodes: dict[str, list[AnyFunction | None]] = field(factory=dict)
    overloads: dict[str, list[AnyFunction]] = field(factory=dict)
    open: bool = False
    getattr: bool = False


Setter = Literal["code", "decorator", "unread"] | None
"""What may set an attribute that the source does not define: code of the class, such as ``__getattr__``; a decorator of the
class; or something that cannot be read. None: nothing."""


def ancestors(cls: Class, names: Names) -> Line:
    """Returns the line of a class; depth first, which is near enough to Python's order."""
    classes: list[Class] = []
    outside: list[type | None] = []
    waiting = [cls]
    while waiting and len(classes) < 200:
        one = waiting.pop(0)
        if any(c.node is one.node for c in classes):
            continue
        classes.append(one)
        found: list[Class] = []
        for base in one.node.bases:
            plain = base.value if isinstance(base, ast.Subscript) else base
            symbol = names.resolve(plain, one.module)
            if isinstance(symbol, Class):
                found.append(symbol)
            elif last_name(plain) not in _NEUTRAL:
                outside.append(tuple if last_name(plain) == "NamedTuple" else _of_python(plain, one.module))
        waiting = [*found, *waiting]
    return Line(tuple(classes), tuple(outside))


def _of_python(base: ast.expr, module: Module) -> type | None:
    """Returns the class of Python itself that a base refers to, None for any other."""
    name, source = last_name(base), base.value if isinstance(base, ast.Attribute) else None
    bindings = module.bindings.get(last_name(source) if source is not None else name, [])
    if not bindings and source is None:
        found = getattr(builtins, name, None)
        return found if isinstance(found, type) else None
    only = bindings[0] if len(bindings) == 1 else None
    if not isinstance(only, Alias):
        return None
    dotted = only.module if source is None else ".".join(filter(None, [only.module, only.name]))
    if dotted not in _STANDARD:
        return None
    found = getattr(import_module(dotted), only.name if source is None else name, None)
    return found if isinstance(found, type) else None


def _body(cls: Class) -> Body:
    """Reads the source of a class once."""
    known = cls.module.bodies.get(cls.node)
    if isinstance(known, Body):
        return known
    body = Body()
    _read(cls.node.body, body)
    for method in [n for nodes in body.nodes.values() for n in nodes if n is not None]:
        _read_method(method, body)
    cls.module.bodies[cls.node] = body
    return body


def _read(statements: list[ast.stmt], body: Body) -> None:
    """Notes what the statements of a class body bind."""
    for node in statements:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if any(last_name(d) == "overload" for d in node.decorator_list):
                body.overloads.setdefault(node.name, []).append(node)
                continue
            body.nodes.setdefault(node.name, []).append(node)
            body.getattr |= node.name in {"__getattr__", "__getattribute__"}
        elif isinstance(node, ast.ClassDef):
            body.nodes.setdefault(node.name, []).append(None)
        elif isinstance(node, ast.Delete):
            for target in node.targets:
                body.nodes.pop(last_name(target), None)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for item in node.names:
                body.nodes.setdefault((item.asname or item.name).split(".")[0], []).append(None)
        else:
            for part in ast.walk(node):
                if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                    body.nodes.setdefault(part.id, []).append(None)
                elif isinstance(part, ast.Constant) and isinstance(part.value, str) and _is_slots(node):
                    body.nodes.setdefault(part.value, []).append(None)
                elif isinstance(part, ast.Call) and last_name(part.func) in {
                    "locals",
                    "vars",
                    "exec",
                    "setattr",
                }:
                    body.open = True
            for part in ast.iter_child_nodes(node):
                if isinstance(part, ast.stmt):
                    _read([part], body)


def _is_slots(node: ast.stmt) -> bool:
    """Returns whether a statement lists the attributes of a class's objects."""
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return any(isinstance(t, ast.Name) and t.id in {"__slots__", "_fields_"} for t in targets)


def _read_method(method: AnyFunction, body: Body) -> None:
    """Notes the attributes that a method sets on its first parameter."""
    first = [*method.args.posonlyargs, *method.args.args]
    own = {first[0].arg} if first else set()
    for part in ast.walk(method):
        if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id in own:
            if isinstance(part.ctx, ast.Store):
                body.nodes.setdefault(part.attr, []).append(None)
            elif part.attr == "__dict__":
                body.open = True
        elif isinstance(part, ast.Call) and part.args:
            name, target = last_name(part.func), part.args[0]
            on_self = isinstance(target, ast.Name) and target.id in own
            if name in {"setattr", "__setattr__"} and (on_self or name == "__setattr__"):
                key = part.args[1] if len(part.args) > 1 and on_self else part.args[0]
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    body.nodes.setdefault(key.value, []).append(None)
                elif not _is_setattr(method):
                    body.open = True
            elif name == "vars" and on_self:
                body.open = True


def _is_setattr(method: AnyFunction) -> bool:
    return method.name in {"__setattr__", "__delattr__"}


def find(cls: Class, name: str) -> AnyFunction | Symbol | None:
    """Returns a method that a class itself defines: its definition, PRESENT for something else, None without one."""
    nodes = _body(cls).nodes.get(name)
    if not nodes:
        return None
    last = nodes[-1]
    return last if len(nodes) == 1 and last is not None else PRESENT


def member(cls: Class, name: str, names: Names, *, instance: bool) -> tuple[Symbol, Setter]:
    """Looks an attribute of a class up.

    Args:
        cls: The class.
        name: The attribute.
        names: The package.
        instance: Whether it is looked up on an object of the class.

    Returns:
        What it is, and, if it is not defined, what may set it at run time.
    """
    line = ancestors(cls, names)
    outside = stubbed = decorated = dynamic = patched = False
    for one in line.classes:
        body = _body(one)
        patches = names.patches(one.dotted)
        if name in patches:
            return PRESENT, None
        metaclass = {last_name(k.value) for k in one.node.keywords if k.arg == "metaclass"} - _META
        strange = [
            d
            for d in one.node.decorator_list
            if last_name(d) not in _PLAIN and not _is_plain(d, one, names, name)
        ]
        # The stub of a compiled class may not list all that it has.
        stubbed |= one.module.stub
        decorated |= bool(strange)
        dynamic |= body.getattr or bool(metaclass) or body.open or "" in patches
        patched |= "" in patches
        nodes = body.nodes.get(name)
        if nodes:
            methods = [n for n in nodes if n is not None]
            plain = len(methods) == len(nodes) and all(not _is_property(n) for n in methods)
            # A decorator, or a class in between that cannot be read, may set another method of that name.
            if len(nodes) == 1 and plain and not (stubbed or decorated or patched):
                overloads = tuple(body.overloads.get(name, ()))
                return Function(methods[0], one.module, one, bound=instance, overloads=overloads), None
            return PRESENT, None
        if name in body.overloads:
            return PRESENT, None
    for known in line.outside:
        if known is None:
            outside = True
        elif hasattr(known, name):
            return PRESENT, None
    if name in _OF_TUPLES and tuple in line.outside:
        return PRESENT, None
    if hasattr(object, name) or (name.startswith("__") and name.endswith("__")):
        return PRESENT, None
    if not instance and hasattr(type, name):
        return PRESENT, None
    if outside or stubbed:
        return UNKNOWN, "unread"
    if decorated:
        return UNKNOWN, "decorator"
    return (UNKNOWN, "code") if dynamic else (MISSING, None)


def _is_plain(decorator: ast.expr, cls: Class, names: Names, name: str) -> bool:
    """Returns whether a decorator of a class is a function of the package that cannot add an attribute of this name."""
    symbol = names.resolve(decorator.func if isinstance(decorator, ast.Call) else decorator, cls.module)
    if not isinstance(symbol, Function):
        return False
    return not any(
        (isinstance(part, ast.Call) and last_name(part.func) in _MAKING)
        or (isinstance(part, ast.Attribute) and part.attr in {"__dict__", name})
        for part in ast.walk(symbol.node)
    )


def _is_property(node: AnyFunction) -> bool:
    """Returns whether a decorator makes something else of a method, such as a property."""
    return any(
        last_name(d) not in {"staticmethod", "classmethod", "abstractmethod"}
        and (
            "property" in last_name(d).lower()
            or last_name(d) in {"setter", "getter", "deleter", "cache_readonly", "attribute"}
        )
        for d in node.decorator_list
    )
