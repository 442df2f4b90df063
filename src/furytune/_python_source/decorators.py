"""Says what a decorator does to the arguments of the function below it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from attrs import field, frozen

from furytune._python_source.bindings import last_name
from furytune._python_source.kinds import Class, Function, Instance
from furytune._python_source.members import find

if TYPE_CHECKING:
    from furytune._python_source.bindings import Module
    from furytune._python_source.kinds import AnyFunction, Names

__all__ = ["Effect", "effect_of"]

_PLAIN: Final = frozenset(
    {
        *(
            "abstractmethod",
            "asynccontextmanager",
            "cache",
            "classmethod",
            "contextmanager",
            "coroutine",
            "final",
        ),
        *("lru_cache", "no_type_check", "overload", "override", "staticmethod", "warn_on_args_to_kwargs"),
        *("wraps", "deprecated", "set_module", "Appender", "Substitution", "doc"),
    }
)
"""Decorators that do not change the keyword arguments; those of packages are common in scientific ones."""

_ADAPTING: Final = frozenset({"warn_on_args_to_kwargs"})
"""The ones that turn positional arguments into keyword arguments."""

_CHANGING: Final = frozenset({"pop", "setdefault", "update", "clear", "popitem"})


@frozen
class Effect:
    """What a decorator does to arguments.

    Attributes:
        added: Keyword arguments that it accepts itself.
        positions: Whether it may accept other positional arguments.
        names: Whether it may accept other keyword arguments.
    """

    added: frozenset[str] = field(factory=frozenset)
    positions: bool = False
    names: bool = False


def effect_of(decorator: ast.expr, module: Module, names: Names) -> Effect | None:
    """Returns what a decorator does to arguments, None if that is not known."""
    called = isinstance(decorator, ast.Call)
    symbol = names.resolve(decorator.func if isinstance(decorator, ast.Call) else decorator, module)
    if isinstance(symbol, Function):
        return _of_function(symbol.node, called=called) or _by_name(decorator)
    if isinstance(symbol, Class | Instance):
        cls = symbol if isinstance(symbol, Class) else symbol.classes[0]
        method = find(cls, "__call__")
        if isinstance(method, ast.FunctionDef) and (called or isinstance(symbol, Instance)):
            return _of_decorator(method, skip=1) or _by_name(decorator)
    return _by_name(decorator)


def _by_name(decorator: ast.expr) -> Effect | None:
    name = last_name(decorator)
    return Effect(positions=name in _ADAPTING) if name in _PLAIN else None


def _of_function(node: AnyFunction, *, called: bool) -> Effect | None:
    """Returns the effect of a decorator that is a function; ``called`` if it is used with arguments."""
    if not called:
        return _of_decorator(node, skip=0)
    inner = {n.name: n for n in node.body if isinstance(n, ast.FunctionDef)}
    returned = [_partial(r.value) for r in _returns(node) if r.value is not None]
    makers = [inner[r.id] for r in returned if isinstance(r, ast.Name) and r.id in inner]
    found = {_of_decorator(maker, skip=0) for maker in makers}
    return found.pop() if len(found) == 1 else None


def _partial(node: ast.expr) -> ast.expr:
    """Returns the function in ``partial(function, ...)``, or the expression itself."""
    return (
        node.args[0]
        if isinstance(node, ast.Call) and last_name(node.func) == "partial" and node.args
        else node
    )


def _of_decorator(node: AnyFunction, *, skip: int) -> Effect | None:
    """Returns the effect of the function that receives the decorated one."""
    first = [*node.args.posonlyargs, *node.args.args][skip:]
    if not first:
        return None
    given = first[0].arg
    returned = [r.value for r in _returns(node)]
    if returned and all(isinstance(r, ast.Name) and r.id == given for r in returned):
        return Effect()  # the function itself
    effects = [_of_wrapper(w, given) for w in _wrappers(node, given)]
    if effects and all(e is not None for e in effects):
        known = [e for e in effects if e is not None]
        return Effect(
            frozenset(name for e in known for name in e.added),
            any(e.positions for e in known),
            any(e.names for e in known),
        )
    return None


def _returns(node: AnyFunction) -> list[ast.Return]:
    """Returns the ``return`` statements of a function, without those of the functions inside it."""
    found: list[ast.Return] = []
    waiting: list[ast.AST] = [*node.body]
    while waiting:
        part = waiting.pop()
        if isinstance(part, ast.Return):
            found.append(part)
        elif not isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            waiting += ast.iter_child_nodes(part)
    return found


def _wrappers(node: AnyFunction, given: str) -> list[AnyFunction]:
    """Returns the functions that ``functools.wraps`` declares to stand for the decorated one."""
    return [
        part
        for part in ast.walk(node)
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)
        and any(
            isinstance(d, ast.Call)
            and last_name(d.func) == "wraps"
            and d.args
            and isinstance(d.args[0], ast.Name)
            and d.args[0].id == given
            for d in part.decorator_list
        )
    ]


def _of_wrapper(node: AnyFunction, given: str) -> Effect | None:
    """Returns the effect of a wrapper that passes its arguments on as they are; None for any other."""
    arguments = node.args
    if arguments.vararg is None or arguments.kwarg is None:
        return None
    many, named = arguments.vararg.arg, arguments.kwarg.arg
    passed = False
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and part.id in {many, named} and not isinstance(part.ctx, ast.Load):
            return None
        if (
            isinstance(part, ast.Subscript)
            and last_name(part.value) == named
            and not isinstance(part.ctx, ast.Load)
        ):
            return None
        if isinstance(part, ast.Attribute) and part.attr in _CHANGING and last_name(part.value) == named:
            return None
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id == given:
            stars = [a.value for a in part.args if isinstance(a, ast.Starred)]
            double = [k.value for k in part.keywords if k.arg is None]
            if not (
                len(stars) == len(double) == 1
                and last_name(stars[0]) == many
                and last_name(double[0]) == named
            ):
                return None
            passed = True
    first = [*arguments.posonlyargs, *arguments.args]
    added = frozenset(a.arg for a in arguments.kwonlyargs)
    return Effect(added, positions=bool(added)) if passed and len(first) <= 1 else None
