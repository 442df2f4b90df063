"""Says which arguments a function or class accepts."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from attrs import evolve, field, frozen

from furytune._python_source.bindings import last_name
from furytune._python_source.decorators import Effect, effect_of
from furytune._python_source.kinds import Class, Function
from furytune._python_source.members import ancestors, find

if TYPE_CHECKING:
    from collections.abc import Iterator

    from furytune._python_source.kinds import Names

__all__ = ["Signature", "signature_of"]

_INTERCEPTING: Final = frozenset({"Enum", "Flag", "IntEnum", "IntFlag", "NamedTuple", "StrEnum", "TypedDict"})
"""Base classes whose metaclass receives the arguments of a call."""

_DATACLASS: Final = frozenset({"dataclass", "NamedTuple"})
_ATTRS: Final = frozenset({"define", "frozen", "mutable", "s", "attrs", "attributes"})
_HARMLESS: Final = frozenset(
    {"final", "total_ordering", "runtime_checkable", "set_module", "deprecated", "unique"}
)


@frozen
class Signature:
    """The arguments that a call may pass.

    Attributes:
        positional: Parameters that a positional argument may fill, in order.
        named: Names that a keyword argument may have.
        required: Parameters without a default.
        any_positional: Whether it accepts any number of positional arguments, or this is not known.
        any_named: Whether it accepts any keyword argument, or this is not known.
        known: Whether all of this was read, so that a call that fits is known to work.
    """

    positional: tuple[str, ...] = ()
    named: frozenset[str] = field(factory=frozenset)
    required: frozenset[str] = field(factory=frozenset)
    any_positional: bool = False
    any_named: bool = False
    known: bool = True


ANYTHING: Final = Signature(any_positional=True, any_named=True, known=False)


def signature_of(symbol: Function | Class, names: Names) -> Signature:
    """Returns the arguments that a function or class accepts."""
    if isinstance(symbol, Class):
        return _of_class(symbol, names)
    return _of_function(symbol, names)


def _of_function(function: Function, names: Names) -> Signature:
    """Returns the arguments of a function, without ``self`` if it is bound."""
    node = function.node
    if function.module.stub:
        return ANYTHING  # a stub is not what runs
    kinds = {last_name(d) for d in node.decorator_list}
    takes_self = function.owner is not None and "staticmethod" not in kinds
    skip = takes_self and (function.bound or "classmethod" in kinds or node.name == "__new__")
    signature = _written(node.args, skip=1 if skip else 0)
    for decorator in node.decorator_list:
        effect = effect_of(decorator, function.module, names)
        if effect is None:
            # What the function lists, it most likely still accepts; whatever else, is not known.
            return evolve(signature, any_positional=True, any_named=True, known=False)
        signature = _changed(signature, effect)
    return signature


def _changed(signature: Signature, effect: Effect) -> Signature:
    return evolve(
        signature,
        named=signature.named | effect.added,
        any_positional=signature.any_positional or effect.positions,
        any_named=signature.any_named or effect.names,
        known=signature.known and not effect.names,
    )


def _written(known: ast.arguments, *, skip: int) -> Signature:
    """Returns the arguments that a definition lists, without its first ``skip`` parameters."""
    first = [*known.posonlyargs, *known.args]
    optional = {a.arg for a in first[len(first) - len(known.defaults) :]}
    optional |= {a.arg for a, d in zip(known.kwonlyargs, known.kw_defaults, strict=True) if d is not None}
    # The first parameter of a method is `self`, even if it has another name.
    named = [*known.args[max(skip - len(known.posonlyargs), 0) :], *known.kwonlyargs]
    left = [a.arg for a in first[skip:]]
    return Signature(
        positional=tuple(left),
        named=frozenset(a.arg for a in named),
        required=frozenset({*left, *(a.arg for a in known.kwonlyargs)} - optional),
        any_positional=known.vararg is not None,
        any_named=known.kwarg is not None,
    )


def _of_class(cls: Class, names: Names) -> Signature:
    """Returns the arguments that a class takes: those of its ``__init__``, unless something else receives them first."""
    line = ancestors(cls, names)
    if any(one.module.stub for one in line.classes):
        return ANYTHING
    if {last_name(b) for b in cls.node.bases} == {"NamedTuple"} and find(cls, "__new__") is None:
        return _listing([*_listed(cls, "NamedTuple", collect=True)])
    for one in line.classes:
        bases = {last_name(b) for b in one.node.bases}
        metaclass = any(
            k.arg == "metaclass" and not _is_plain(k.value, one, names) for k in one.node.keywords
        )
        if (
            metaclass
            or not _INTERCEPTING.isdisjoint(bases)
            or find(one, "__new__") is not None
            or any(isinstance(b, ast.Call) for b in one.node.bases)
            or names.patches(one.dotted) & {"", "__init__", "__new__"}
        ):
            return ANYTHING
    for one in line.classes:
        generated = _generated({last_name(d) for d in one.node.decorator_list})
        if not all(
            last_name(d) in _HARMLESS or effect_of(d, one.module, names) == Effect()
            for d in one.node.decorator_list
            if last_name(d) != generated
        ):
            return ANYTHING
        init = find(one, "__init__")
        if isinstance(init, ast.FunctionDef):
            if line.classes[0] is not one and not _settled(line.classes, one):
                return ANYTHING
            return _of_function(Function(init, one.module, one, bound=True), names)
        if init is not None:
            return ANYTHING
        if generated:
            return _fields(line.classes[line.classes.index(one) :], generated)
    described = any(
        last_name(base) == "Protocol" for one in line.classes for base in map(_bare, one.node.bases)
    )
    return ANYTHING if line.outside or described else Signature()  # `object` takes no arguments


def _bare(base: ast.expr) -> ast.expr:
    return base.value if isinstance(base, ast.Subscript) else base


def _is_plain(metaclass: ast.expr, cls: Class, names: Names) -> bool:
    """Returns whether a metaclass leaves the arguments of a call to the class."""
    if last_name(metaclass) == "ABCMeta":
        return True
    symbol = names.resolve(metaclass, cls.module)
    if not isinstance(symbol, Class):
        return False
    line = ancestors(symbol, names)
    return {*line.outside} <= {type} and all(
        find(one, name) is None for one in line.classes for name in ("__call__", "__new__", "__init__")
    )


def _settled(classes: tuple[Class, ...], upto: Class) -> bool:
    """Returns whether the classes before one surely have no constructor of their own: each has one base."""
    before = classes[: classes.index(upto)]
    return all(
        len([b for b in c.node.bases if last_name(b) not in {"ABC", "Generic", "object"}]) == 1
        for c in before
    )


def _generated(decorators: set[str]) -> str:
    """Returns the decorator that writes the ``__init__`` of a class, "" without one."""
    return next((d for d in sorted(decorators) if d in _DATACLASS or d in _ATTRS), "")


def _fields(classes: tuple[Class, ...], generated: str) -> Signature:
    """Returns the arguments of the ``__init__`` that ``dataclass`` or attrs writes."""
    order: dict[str, tuple[bool, bool]] = {}
    for cls in reversed(classes):
        decorators = [d for d in cls.node.decorator_list if last_name(d) == generated]
        if not decorators:
            # A field of a class without the decorator does not count, but its constructor may.
            if cls is not classes[-1] or find(cls, "__init__") is not None:
                return ANYTHING
            continue
        options = {k.arg: k.value for d in decorators if isinstance(d, ast.Call) for k in d.keywords}
        if options.keys() & {"init", "these", "field_transformer"} or None in options:
            return ANYTHING
        only_named = _true(options.get("kw_only"))
        for name, optional, kw_only in _listed(cls, generated, collect=_true(options.get("auto_attribs"))):
            order[name] = (optional, only_named or kw_only)
    return _listing([(name, *rest) for name, rest in order.items()])


def _listing(fields: list[tuple[str, bool, bool]]) -> Signature:
    """Returns the arguments that fields make: each with whether it is optional, and whether it must be named."""
    return Signature(
        positional=tuple(name for name, _, only in fields if not only),
        named=frozenset(name for name, _, _ in fields),
        required=frozenset(name for name, optional, _ in fields if not optional),
    )


def _listed(cls: Class, generated: str, *, collect: bool) -> Iterator[tuple[str, bool, bool]]:
    """Yields each field's argument, whether it has a default, and whether it is keyword-only."""
    old = generated in {"s", "attributes"} or (generated == "attrs")
    after = False
    for node in cls.node.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            target, value, note = node.target.id, node.value, node.annotation
        elif (
            isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
        ):
            target, value, note = node.targets[0].id, node.value, None
        else:
            continue
        written = note.value if isinstance(note, ast.Subscript) else note
        if written is not None and last_name(written) == "ClassVar":
            continue
        if written is not None and last_name(written) == "KW_ONLY":
            after = True
            continue
        call = value if isinstance(value, ast.Call) else None
        described = call is not None and last_name(call) in {"field", "ib", "attrib", "attr", "Factory"}
        if generated in _DATACLASS:
            if note is None:
                continue
        elif not described and (note is None or (old and not collect)):
            continue
        options = {k.arg: k.value for k in call.keywords} if call is not None and described else {}
        if _false(options.get("init")):
            continue
        optional = (
            bool(options.keys() & {"default", "factory", "default_factory"})
            if described
            else value is not None
        )
        name = target
        if generated not in _DATACLASS:
            name = name.lstrip("_")
            alias = options.get("alias")
            if isinstance(alias, ast.Constant) and isinstance(alias.value, str):
                name = alias.value
        yield (
            name,
            optional or bool(described and call is not None and call.args),
            after or _true(options.get("kw_only")),
        )


def _true(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def _false(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is False
