"""Finds out what a module's own ``__getattr__`` (PEP 562) does with a name, without running it.

The function is followed for one name at a time. Strings, numbers, and dictionaries and lists of them are known, and so are
functions of the same package. Everything else is `OPAQUE`. If a condition depends on something opaque, both ways are
followed, and if they disagree, nothing is known about the name.
"""

from __future__ import annotations

import ast
import enum
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from attrs import define, field, frozen

from furytune._python_source.bindings import Alias, Assigned, Module, absolute, last_name
from furytune._python_source.kinds import MISSING, PRESENT, UNKNOWN, Function, Names, Symbol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Found", "ask"]

_DEEPEST: Final = 12
_STEPS: Final = 3000
_LONGEST: Final = 10_000
_METHODS: Final[dict[type, set[str]]] = {
    str: {"startswith", "endswith", "lower", "upper", "strip", "lstrip", "rstrip", "split", "rsplit", "partition",
          "rpartition", "removeprefix", "removesuffix", "format", "replace", "isupper", "islower"},
    dict: {"get", "keys", "values", "items"},
}  # fmt: skip


class _Opaque(enum.Enum):
    ANY = "any"  # nothing is known of the value
    SOME = "some"  # it is not None
    NAMES = "names"  # the names of a module, among which the name asked for is not


@frozen(eq=False)
class _Closure:
    node: ast.FunctionDef
    module: Module
    around: Mapping[str, Any]


@frozen(eq=False)
class _Unique:
    """What ``object()`` returns."""


@frozen(eq=False)
class _Code:
    """A module, class or function of the package."""

    symbol: Symbol


@frozen
class Found:
    """What a ``__getattr__`` does with a name.

    Attributes:
        symbol: What it returns; missing if it raises.
        message: The message of the error that it raises.
    """

    symbol: Symbol
    message: str = ""


class _Raised(Exception):  # noqa: N818  # it stands for an error of the code that is followed
    def __init__(self, kind: str, message: str = "") -> None:
        super().__init__(kind)
        self.kind = kind
        self.message = message


class _UncertainError(Exception):
    """Two ways through the code disagree."""


@frozen(eq=False)
class _Returned:
    value: Any


Outcome: TypeAlias = "_Returned | _Raised | None"


def ask(module: Module, name: str, names: Names) -> Found:
    """Returns what a module's own ``__getattr__`` does with a name."""
    follower = _Follower(names, name)
    try:
        made = module.getattr
        if isinstance(made, ast.FunctionDef):
            closure: Any = _Closure(made, module, {})
        else:
            closure = follower.value(made, {}, module) if made is not None else _Opaque.ANY
        if not isinstance(closure, _Closure):
            return Found(UNKNOWN)
        value = follower.call(closure, [name], {})
    except _Raised as raised:
        return Found(MISSING, raised.message)
    except (_UncertainError, RecursionError):
        return Found(UNKNOWN)
    return Found(value.symbol if isinstance(value, _Code) else PRESENT)


@define
class _Follower:
    """Follows code for one name."""

    names: Names
    asked: str
    depth: int = 0
    steps: int = 0
    constants: dict[tuple[str, str], Any] = field(factory=dict)

    def call(self, function: _Closure, given: list[Any], named: dict[str, Any]) -> Any:
        """Returns what a function returns, or raises what it raises."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise _UncertainError
        arguments = function.node.args
        spots = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
        scope = {**function.around, **dict.fromkeys(spots, _Opaque.ANY)}
        defaults = dict(
            zip(reversed(spots[: len(arguments.args)]), reversed(arguments.defaults), strict=False)
        )
        scope |= {k: self.value(v, {}, function.module) for k, v in defaults.items()}
        scope |= dict(zip(spots, given, strict=False)) | {k: v for k, v in named.items() if k in spots}
        outcome = self.run(function.node.body, scope, function.module)
        self.depth -= 1
        if isinstance(outcome, _Raised):
            raise outcome
        return outcome.value if outcome is not None else None

    def run(self, body: Iterable[ast.stmt], scope: dict[str, Any], module: Module) -> Outcome:
        """Follows statements until they return or raise."""
        waiting = [*body]
        while waiting:
            statement = waiting.pop(0)
            self.steps += 1
            if self.steps > _STEPS:
                raise _UncertainError
            try:
                if isinstance(statement, ast.If):
                    truth = self.truth(self.value(statement.test, scope, module))
                    ways = [[*statement.body, *waiting], [*statement.orelse, *waiting]]
                    if truth is None:
                        return self.joined_ways(ways, scope, module)
                    waiting = ways[0 if truth else 1]
                    continue
                outcome = self.step(statement, scope, module)
            except _Raised as raised:
                return raised
            if outcome is not None:
                return outcome
        return None

    def joined_ways(self, ways: list[list[ast.stmt]], scope: dict[str, Any], module: Module) -> Outcome:
        """Follows both ways of a condition to their ends, which must be of the same kind."""
        first, second = (self.run(way, dict(scope), module) for way in ways)
        if isinstance(first, _Raised) and isinstance(second, _Raised):
            return _Raised(first.kind, first.message or second.message)
        if isinstance(first, _Returned) and isinstance(second, _Returned):
            return _Returned(_Opaque.SOME if first.value is not None is not second.value else _Opaque.ANY)
        if first is second is None:
            scope |= dict.fromkeys(scope, _Opaque.ANY)  # what they assigned may differ
            return None
        raise _UncertainError

    def step(self, node: ast.stmt, scope: dict[str, Any], module: Module) -> Outcome:
        """Follows one statement."""
        if isinstance(node, ast.Return):
            return _Returned(self.value(node.value, scope, module) if node.value else None)
        if isinstance(node, ast.Raise):
            return self.raised(node, scope, module)
        if isinstance(node, ast.Try):
            return self.attempt(node, scope, module)
        if isinstance(node, ast.With):
            return self.run(node.body, scope, module)
        if isinstance(node, ast.Assign | ast.AnnAssign):
            value = self.value(node.value, scope, module) if node.value is not None else _Opaque.ANY
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                self.bind(target, value, scope)
        elif isinstance(node, ast.FunctionDef):
            scope[node.name] = _Closure(node, module, scope)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            self.imported(node, scope, module)
        elif isinstance(node, ast.Expr):
            if isinstance(node.value, ast.Call) and last_name(node.value.func) not in {"warn", "_warn"}:
                self.value(node.value, scope, module)
        elif not isinstance(node, ast.Pass | ast.Global | ast.Nonlocal | ast.Assert | ast.Delete):
            self.loop(node, scope)
        return None

    def loop(self, node: ast.stmt, scope: dict[str, Any]) -> None:
        """Accepts a loop only if it can neither return nor raise."""
        for part in ast.walk(node):
            if isinstance(part, ast.Return | ast.Raise):
                raise _UncertainError
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                scope[part.id] = _Opaque.ANY

    def bind(self, target: ast.expr, value: Any, scope: dict[str, Any]) -> None:
        """Assigns a value."""
        if isinstance(target, ast.Name):
            scope[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            many = isinstance(value, tuple | list) and len(value) == len(target.elts)
            for i, element in enumerate(target.elts):
                self.bind(element, value[i] if many else _Opaque.ANY, scope)

    def raised(self, node: ast.Raise, scope: dict[str, Any], module: Module) -> _Raised:
        """Returns the error that a statement raises, with its message."""
        error = node.exc
        message: Any = ""
        if isinstance(error, ast.Call) and error.args:
            message = self.value(error.args[0], scope, module)
        return _Raised(last_name(error) if error else "", message if isinstance(message, str) else "")

    def attempt(self, node: ast.Try, scope: dict[str, Any], module: Module) -> Outcome:
        """Follows a ``try``."""
        outcome = self.run([*node.body, *node.orelse], scope, module)
        if isinstance(outcome, _Raised):
            for handler in node.handlers:
                types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
                known = {last_name(t) for t in types if t is not None}
                if handler.type is None or known & {
                    outcome.kind,
                    "Exception",
                    "BaseException",
                    "LookupError",
                }:
                    outcome = self.run(handler.body, scope, module)
                    break
        return self.run(node.finalbody, scope, module) or outcome

    def imported(self, node: ast.Import | ast.ImportFrom, scope: dict[str, Any], module: Module) -> None:
        """Binds what an import inside the function imports."""
        own = module.name.split(".")[0]
        for item in node.names:
            if isinstance(node, ast.Import):
                top = item.name if item.asname else item.name.split(".")[0]
                path, bound = top.split("."), item.asname or top
            else:
                path, bound = (
                    [*absolute(node, module.package).split("."), item.name],
                    item.asname or item.name,
                )
            scope[bound] = self.wrapped(self.walk(path)) if path[0] == own else _Opaque.SOME
            if path[0] == own and len(path) > 1 and scope[bound] is _Opaque.SOME:
                scope[bound] = self.constant(".".join(path[:-1]), path[-1])

    def walk(self, path: list[str]) -> Symbol:
        """Returns what a dotted name of the package refers to."""
        symbol = self.names.resolve(ast.Name(path[0], ast.Load()), Module(path[0], path[0], open=True))
        for name in path[1:]:
            symbol = self.names.attribute(symbol, name)
        return symbol

    def wrapped(self, symbol: Symbol) -> Any:
        if isinstance(symbol, Function) and isinstance(symbol.node, ast.FunctionDef):
            return _Closure(symbol.node, symbol.module, {})
        return _Opaque.SOME if symbol is PRESENT else _Code(symbol)

    def constant(self, module: str, name: str) -> Any:
        """Returns the value of a module-level name, if it is a constant."""
        key = (module, name)
        if key not in self.constants:
            self.constants[key] = _Opaque.ANY  # ends circles
            found = self.walk(module.split("."))
            self.constants[key] = self.bound(found, name) if isinstance(found, Module) else _Opaque.ANY
        return self.constants[key]

    def bound(self, module: Module, name: str) -> Any:
        bindings = module.bindings.get(name, [])
        if len(bindings) != 1:
            return _Opaque.ANY
        only = bindings[0]
        if isinstance(only, Assigned):
            return self.value(only.value, {}, module)
        if isinstance(only, ast.FunctionDef):
            return _Closure(only, module, {})
        if isinstance(only, Alias) and only.module.split(".")[0] == module.name.split(".")[0]:
            if only.name and only.module != module.name:
                symbol = self.walk([*only.module.split("."), only.name])
                return (
                    self.wrapped(symbol)
                    if isinstance(symbol, Module | Function)
                    else self.constant(only.module, only.name)
                )
            return self.wrapped(self.walk([*only.module.split("."), *filter(None, [only.name])]))
        return _Opaque.SOME if isinstance(only, ast.ClassDef) else _Opaque.ANY

    @staticmethod
    def truth(value: Any) -> bool | None:
        """Returns whether a value counts as true, None if that is not known."""
        if isinstance(value, _Opaque | _Code | _Closure | _Unique):
            return None
        return bool(value)

    def value(self, node: ast.expr | None, scope: Mapping[str, Any], module: Module) -> Any:
        """Returns the value of an expression."""
        self.steps += 1
        if self.steps > _STEPS * 10:
            raise _UncertainError
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            if node.id in {"__name__", "__package__"}:
                return module.name if node.id == "__name__" else module.package
            return scope[node.id] if node.id in scope else self.constant(module.name, node.id)
        if isinstance(node, ast.JoinedStr):
            return self.joined(node, scope, module)
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            return self.collection(node, scope, module)
        if isinstance(node, ast.Dict):
            return self.dictionary(node, scope, module)
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            return self.compared(node, scope, module)
        if isinstance(node, ast.BoolOp):
            return self.combined(node, scope, module)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            truth = self.truth(self.value(node.operand, scope, module))
            return _Opaque.ANY if truth is None else not truth
        if isinstance(node, ast.BinOp):
            return self.operated(node, scope, module)
        if isinstance(node, ast.Subscript):
            return self.item(node, scope, module)
        if isinstance(node, ast.Attribute):
            if node.attr == "__dict__":
                return _Opaque.NAMES
            if node.attr == "parent" and last_name(node.value) == "__spec__":
                return module.package
            inner = self.value(node.value, scope, module)
            return (
                self.wrapped(self.names.attribute(inner.symbol, node.attr))
                if isinstance(inner, _Code)
                else _Opaque.ANY
            )
        if isinstance(node, ast.Call):
            return self.called(node, scope, module)
        if isinstance(node, ast.NamedExpr):
            value = self.value(node.value, scope, module)
            if isinstance(scope, dict):
                self.bind(node.target, value, scope)
            return value
        if isinstance(node, ast.IfExp):
            truth = self.truth(self.value(node.test, scope, module))
            if truth is None:
                return _Opaque.ANY
            return self.value(node.body if truth else node.orelse, scope, module)
        if isinstance(node, ast.DictComp | ast.SetComp | ast.ListComp | ast.GeneratorExp):
            return self.comprehension(node, scope, module)
        return _Opaque.ANY

    def comprehension(
        self,
        node: ast.DictComp | ast.SetComp | ast.ListComp | ast.GeneratorExp,
        scope: Mapping[str, Any],
        module: Module,
    ) -> Any:
        generator = node.generators[0]
        many = self.value(generator.iter, scope, module)
        if len(node.generators) > 1 or not isinstance(many, list | tuple | set | dict):
            return _Opaque.SOME
        result: list[Any] = []
        for each in many:
            inner = dict(scope)
            self.bind(generator.target, each, inner)
            truths = [self.truth(self.value(test, inner, module)) for test in generator.ifs]
            if None in truths:
                return _Opaque.SOME
            if all(truths):
                parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
                result.append([self.value(part, inner, module) for part in parts])
        if any(not isinstance(r[0], str | int) for r in result) and isinstance(
            node, ast.DictComp | ast.SetComp
        ):
            return _Opaque.SOME
        if isinstance(node, ast.DictComp):
            return {r[0]: r[1] for r in result}
        return {r[0] for r in result} if isinstance(node, ast.SetComp) else [r[0] for r in result]

    def dictionary(self, node: ast.Dict, scope: Mapping[str, Any], module: Module) -> Any:
        result: dict[Any, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            inner = self.value(value, scope, module)
            known = self.value(key, scope, module) if key is not None else None
            if key is None and isinstance(inner, dict):
                result |= inner
            elif isinstance(known, str | int):
                result[known] = inner
            else:
                return _Opaque.SOME
        return result

    def collection(
        self, node: ast.Tuple | ast.List | ast.Set, scope: Mapping[str, Any], module: Module
    ) -> Any:
        values: list[Any] = []
        for element in node.elts:
            if isinstance(element, ast.Starred):
                inner = self.value(element.value, scope, module)
                if not isinstance(inner, tuple | list | set | dict):
                    return _Opaque.SOME
                values += inner
            else:
                values.append(self.value(element, scope, module))
        if isinstance(node, ast.Set):
            return set(values) if all(isinstance(v, str | int) for v in values) else _Opaque.SOME
        return tuple(values) if isinstance(node, ast.Tuple) else values

    def joined(self, node: ast.JoinedStr, scope: Mapping[str, Any], module: Module) -> Any:
        text = ""
        for part in node.values:
            inner = self.value(part.value if isinstance(part, ast.FormattedValue) else part, scope, module)
            text += inner if isinstance(inner, str) else "\0"
        # A null character stands for what is not known, so that the text equals no name.
        return text

    def compared(self, node: ast.Compare, scope: Mapping[str, Any], module: Module) -> Any:
        left = self.value(node.left, scope, module)
        right = self.value(node.comparators[0], scope, module)
        operator = node.ops[0]
        if isinstance(operator, ast.In | ast.NotIn):
            if right is _Opaque.NAMES and left == self.asked:
                within: bool | None = False  # otherwise Python would not have called `__getattr__`
            elif isinstance(right, str | tuple | list | set | dict) and isinstance(left, str | int):
                within = left in right
                opaque = not isinstance(right, str | dict) and any(isinstance(v, _Opaque) for v in right)
                within = None if not within and opaque else within
            else:
                return _Opaque.ANY
            return _Opaque.ANY if within is None else within is isinstance(operator, ast.In)
        if isinstance(operator, ast.Is | ast.IsNot) and any(isinstance(v, _Unique) for v in (left, right)):
            if _Opaque.ANY in (left, right) or any(
                isinstance(v, _Code) and v.symbol is UNKNOWN for v in (left, right)
            ):
                return _Opaque.ANY
            return (left is right) is isinstance(operator, ast.Is)
        if isinstance(operator, ast.Is | ast.IsNot) and right is None:
            if left is _Opaque.ANY or (isinstance(left, _Code) and left.symbol is UNKNOWN):
                return _Opaque.ANY
            return (left is None) is isinstance(operator, ast.Is)
        if any(isinstance(v, _Opaque | _Code | _Closure | _Unique) for v in (left, right)):
            return _Opaque.ANY
        if isinstance(operator, ast.Eq | ast.NotEq | ast.Is | ast.IsNot):
            return (left == right) is isinstance(operator, ast.Eq | ast.Is)
        return _Opaque.ANY

    def combined(self, node: ast.BoolOp, scope: Mapping[str, Any], module: Module) -> Any:
        stop = isinstance(node.op, ast.Or)
        known, value = True, None
        for part in node.values:
            value = self.value(part, scope, module)
            truth = self.truth(value)
            if truth is stop:
                return value if known else _Opaque.ANY
            known &= truth is not None
        return value if known else _Opaque.ANY

    def operated(self, node: ast.BinOp, scope: Mapping[str, Any], module: Module) -> Any:
        left, right = self.value(node.left, scope, module), self.value(node.right, scope, module)
        both = (left, right)
        for kind, operator in (
            (str, ast.Add),
            (list, ast.Add),
            (tuple, ast.Add),
            (set, ast.BitOr),
            (dict, ast.BitOr),
        ):
            if isinstance(node.op, operator) and all(isinstance(v, kind) for v in both):
                return left | right if operator is ast.BitOr else left + right
        if isinstance(left, str) and isinstance(node.op, ast.Mod):
            values = right if isinstance(right, tuple) else (right,)
            try:
                text = left % tuple(v if isinstance(v, str) else "\0" for v in values)
            except (TypeError, ValueError):
                return _Opaque.SOME
            return text[:_LONGEST]
        return _Opaque.ANY

    def item(self, node: ast.Subscript, scope: Mapping[str, Any], module: Module) -> Any:
        value, key = self.value(node.value, scope, module), self.value(node.slice, scope, module)
        if isinstance(value, dict) and isinstance(key, str | int):
            if key not in value:
                raise _Raised("KeyError")
            return value[key]
        if isinstance(value, tuple | list) and isinstance(key, int):
            if not -len(value) <= key < len(value):
                raise _Raised("IndexError")
            return value[key]
        if value is _Opaque.NAMES and key == self.asked:
            raise _Raised("KeyError")
        return _Opaque.NAMES if last_name(node.value) == "modules" else _Opaque.ANY

    def called(self, node: ast.Call, scope: Mapping[str, Any], module: Module) -> Any:
        name = last_name(node.func)
        given = [self.value(a, scope, module) for a in node.args if not isinstance(a, ast.Starred)]
        named = {k.arg: self.value(k.value, scope, module) for k in node.keywords if k.arg}
        if isinstance(node.func, ast.Attribute):
            on = self.value(node.func.value, scope, module)
            if isinstance(on, dict | str):
                return self.method(on, name, given)
            if isinstance(on, _Code):
                inner = self.wrapped(self.names.attribute(on.symbol, name))
                return self.call(inner, given, named) if isinstance(inner, _Closure) else _Opaque.ANY
            if name == "import_module" and given and isinstance(given[0], str):
                return self.module(given[0], [*given[1:], *named.values()], module)
            return _Opaque.ANY
        function = scope[name] if name in scope else self.constant(module.name, name)
        if isinstance(function, _Closure):
            return self.call(function, given, named)
        if name == "object" and not given:
            return _Unique()
        if name in {"globals", "vars", "locals"} and not given:
            return _Opaque.NAMES
        if name in {"set", "frozenset", "list", "tuple", "sorted", "dict"} and function is _Opaque.ANY:
            return self.copied(name, given, named)
        if name == "str" and len(given) == 1 and isinstance(given[0], str):
            return given[0]
        if name == "import_module" and given and isinstance(given[0], str):
            return self.module(given[0], [*given[1:], *named.values()], module)
        if name in {"getattr", "hasattr"} and len(given) >= 2:
            return self.got(name, given)
        return _Opaque.ANY

    @staticmethod
    def copied(name: str, given: list[Any], named: dict[str, Any]) -> Any:
        if name == "dict":
            return dict(named) if not given else given[0] if isinstance(given[0], dict) else _Opaque.ANY
        if not given:
            return []
        if not isinstance(given[0], tuple | list | set | dict):
            return _Opaque.ANY
        values = [*given[0]]
        return values if name in {"list", "sorted"} else tuple(values)

    @staticmethod
    def method(on: Any, name: str, given: list[Any]) -> Any:
        """Calls a method of a known string or dictionary."""
        if name not in _METHODS[type(on)] or any(
            isinstance(v, _Opaque | _Code | _Closure | _Unique) for v in given[:1]
        ):
            return _Opaque.ANY
        if name == "format":
            given = [v if isinstance(v, str) else "\0" for v in given]
        elif isinstance(on, str) and not all(isinstance(v, str | int | tuple) for v in given):
            return _Opaque.ANY
        try:
            result = getattr(on, name)(*given)
        except (TypeError, ValueError, LookupError):
            return _Opaque.ANY
        if isinstance(result, str) and len(result) > _LONGEST:
            return _Opaque.SOME
        return result if isinstance(result, str | bool | list | tuple) or name == "get" else [*result]

    def module(self, dotted: str, package: list[Any], module: Module) -> Any:
        """Returns the module that ``import_module`` imports."""
        if dotted.startswith("."):
            if "\0" in dotted or (package and not isinstance(package[0], str)):
                return _Opaque.SOME
            level = len(dotted) - len(dotted.lstrip("."))
            base = (package[0] if package else module.package).split(".")
            dotted = ".".join([*base[: len(base) - level + 1], dotted.lstrip(".")])
        path = dotted.split(".")
        if path[0] != module.name.split(".")[0] or "\0" in dotted:
            return _Opaque.SOME
        symbol = self.walk(path)
        if symbol is MISSING:
            raise _Raised("ModuleNotFoundError")
        return self.wrapped(symbol)

    def got(self, name: str, given: list[Any]) -> Any:
        """Returns what ``getattr`` or ``hasattr`` returns."""
        on, attribute = given[0], given[1]
        if not isinstance(on, _Code) or not isinstance(attribute, str):
            return _Code(UNKNOWN) if name == "getattr" else _Opaque.ANY
        symbol = self.names.attribute(on.symbol, attribute)
        if name == "hasattr":
            return _Opaque.ANY if symbol is UNKNOWN else symbol is not MISSING
        if symbol is not MISSING:
            return self.wrapped(symbol)
        if len(given) > 2:
            return given[2]
        raise _Raised("AttributeError")
