"""The arguments of a part: their names, accepted types, defaults and descriptions, from its signature and docstring."""

from __future__ import annotations

import builtins
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, ForwardRef, Union, get_args, get_origin

import attrs
from attrs import frozen

__all__ = ["NOTHING", "Argument", "alternatives", "arguments", "summary"]

NOTHING = inspect.Parameter.empty
"""The default of an argument that must be given."""

_SECTIONS = re.compile(r"^(?:Args|Attributes):$")
_ENTRY = re.compile(r"^(\w+)(?: \([^)]*\))?: (.*)$")


@frozen
class Argument:
    """An argument of a part.

    Attributes:
        name: Its name.
        types: The types that it accepts, without `None`. Empty if anything goes.
        default: Its default, `NOTHING` if it must be given.
        doc: What the docstring says about it, in one line.
    """

    name: str
    types: tuple[Any, ...]
    default: Any
    doc: str

    @property
    def required(self) -> bool:
        """True if the part cannot be made without it."""
        return self.default is NOTHING


class _Names(dict[str, Any]):
    """Names of annotations. A name that is only imported for type checkers stands for anything."""

    def __missing__(self, name: str) -> Any:
        return Any


@cache
def arguments(part: Callable[..., Any]) -> Mapping[str, Argument]:
    """Returns the arguments of a class or function, in order.

    Args:
        part: An attrs class, another class, or a function. Arguments that begin with an underscore are internal.
    """
    docs = _described(part)
    fields = attrs.fields_dict(part) if isinstance(part, type) and attrs.has(part) else {}
    by_alias = {field.alias: field for field in fields.values()}
    found: dict[str, Argument] = {}
    for name, parameter in inspect.signature(part).parameters.items():
        if name.startswith("_") or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        field = by_alias.get(name)
        # What does not count when two parts are compared, such as a clock, is not a setting.
        if field is not None and not field.eq:
            continue
        # attrs copies the annotation of a converter, whose names are those of another module.
        converter = getattr(field, "converter", None)
        hint = _hint(part, parameter.annotation, converter)
        # A converter that takes any object says less than the field's own type.
        if hint in (Any, object) and field is not None:
            hint = _hint(part, field.type)
        default = parameter.default if field is None else field.default
        default = NOTHING if default is attrs.NOTHING else default
        types = tuple(kind for kind in alternatives(hint) if kind is not NoneType)
        found[name] = Argument(name, () if Any in types else types, default, docs.get(name, ""))
    return found


def alternatives(hint: Any) -> Iterator[Any]:
    """Yields the members of a union, or the only type."""
    if isinstance(hint, str | ForwardRef):
        yield Any
    elif get_origin(hint) in (Union, UnionType):
        for member in get_args(hint):
            yield from alternatives(member)
    else:
        yield hint


def _hint(part: Callable[..., Any], annotation: Any, converter: Any = None) -> Any:
    """Returns the type that an annotation means; `Any` if that cannot be found out."""
    if annotation is NOTHING or annotation is None:
        return Any
    if not isinstance(annotation, str):
        return annotation
    # Some modules import these names for type checkers only.
    usual = {"Path": Path, "Iterable": Iterable, "Mapping": Mapping, "Sequence": Sequence}
    names = _Names(vars(builtins) | usual)
    for kind in reversed(part.__mro__ if isinstance(part, type) else (part,)):
        names.update(vars(sys.modules.get(kind.__module__, builtins)))
    names.update(getattr(converter, "__globals__", {}))
    try:
        return eval(annotation, {}, names)  # noqa: S307  (code of an installed part, as typing evaluates it)
    except Exception:  # noqa: BLE001  (an annotation of a plugin may raise anything)
        return Any


def summary(part: Callable[..., Any]) -> str:
    """Returns the first sentence of a part's docstring."""
    text = inspect.cleandoc(part.__doc__ or "").partition("\n\n")[0]
    return _plain(" ".join(text.split()))


def _described(part: Callable[..., Any]) -> dict[str, str]:
    """Returns what the sections "Args" and "Attributes" of a docstring say about each argument."""
    found: dict[str, str] = {}
    # A class has the arguments of those that it extends, and repeats nothing about them.
    for one in reversed(part.__mro__ if isinstance(part, type) else (part,)):
        found |= _sections(one.__doc__ or "")
    return found


def _sections(docstring: str) -> dict[str, str]:
    found: dict[str, str] = {}
    section, name = False, ""
    for line in inspect.cleandoc(docstring).splitlines():
        if not line.startswith(" "):
            section, name = bool(_SECTIONS.match(line)) or (section and not line), ""
            continue
        entry = _ENTRY.match(line[4:]) if section else None
        if entry and not line.startswith("     "):
            name = entry[1]
            found[name] = entry[2]
        elif section and name and line.strip():
            found[name] += f" {line.strip()}"
    return {name: _plain(text) for name, text in found.items()}


def _plain(text: str) -> str:
    """Returns a docstring's text without its markup."""
    return text.replace("`", "")
