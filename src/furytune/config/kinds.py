"""What an argument can be in a settings file: how it is checked, read, and described to editors."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, get_args, get_origin

import attrs
from attrs import frozen

from furytune import plugins
from furytune._privacy.secret import Secret
from furytune._values.canonical import Json
from furytune.config.arguments import Argument, alternatives, arguments
from furytune.config.document import Document, Key
from furytune.config.writing import UNITS, written
from furytune.errors import ConfigError, FurytuneError, MissingExtraError, PluginError
from furytune.pairing import Pairer
from furytune.protocols import (
    Augmenter,
    Collector,
    Curator,
    Embedder,
    Exporter,
    Model,
    Reranker,
    Splitter,
    StatefulCurator,
    Tuner,
)
from furytune.records import QAPair

__all__ = [
    "PARTS",
    "Group",
    "Kind",
    "Pairs",
    "Part",
    "Several",
    "any_of",
    "arguments_of",
    "kinds",
    "make",
    "nearest",
    "read",
]

PARTS: Mapping[Any, plugins.Role] = {
    Augmenter: "augmenters",
    Collector: "collectors",
    Curator: "curators",
    Embedder: "embedders",
    Exporter: "exporters",
    Model: "models",
    Pairer: "pairers",
    Reranker: "rerankers",
    Splitter: "splitters",
    StatefulCurator: "curators",
    Tuner: "tuners",
}
"""The protocols whose parts are named by ``type``."""

_DURATION = re.compile(rf"([0-9]+) ({'|'.join(UNITS)})s?")


def nearest(name: str, known: Iterable[str]) -> str:
    """Returns a hint about the name that was probably meant, and all that exist."""
    names = sorted(known)
    alike = {n.replace("_", "-").lower(): n for n in names}
    close = difflib.get_close_matches(name.replace("_", "-").lower(), alike, n=1, cutoff=0.6)
    meant = f"did you mean {alike[close[0]]!r}? " if close else ""
    return f"{meant}known: {', '.join(names) or 'nothing'}"


class Kind(Protocol):
    """One of the things that an argument can be."""

    @property
    def said(self) -> str:
        """What it is, for people: "a text"."""
        ...

    @property
    def schema(self) -> dict[str, Json]:
        """What it is, as JSON schema."""
        ...

    def fits(self, value: Any) -> bool:
        """Returns True if a value of a settings file looks like it."""
        ...

    def read(self, value: Any, document: Document, key: Key) -> Any:
        """Returns the argument that a fitting value means."""
        ...


@frozen
class _Plain:
    """A number, a text, or true and false."""

    type: type

    _SAID: ClassVar = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
    _SCHEMA: ClassVar = {bool: "boolean", int: "integer", float: "number", str: "string"}

    @property
    def said(self) -> str:
        return self._SAID[self.type]

    @property
    def schema(self) -> dict[str, Json]:
        return {"type": self._SCHEMA[self.type]}

    def fits(self, value: Any) -> bool:
        # True is an int in Python, but never meant as a number here.
        return type(value) is self.type or (self.type is float and type(value) is int)

    def read(self, value: Any, document: Document, key: Key) -> Any:  # noqa: ARG002
        return value


@frozen
class _Choice:
    """One of a few words or numbers."""

    allowed: tuple[Any, ...]

    @property
    def said(self) -> str:
        return f"one of {', '.join(map(repr, self.allowed))}"

    @property
    def schema(self) -> dict[str, Json]:
        return {"enum": list(self.allowed)}

    def fits(self, value: Any) -> bool:
        return any(value == allowed and type(value) is type(allowed) for allowed in self.allowed)

    def read(self, value: Any, document: Document, key: Key) -> Any:  # noqa: ARG002
        return value


@frozen
class _Place:
    """A path; a relative one begins at the folder of the settings file.

    Attributes:
        named: Whether it may also be a name, such as that of an installed package. Then a word that is not in the folder
            stays as it is.
    """

    named: bool = False

    @property
    def said(self) -> str:
        return "a path"

    @property
    def schema(self) -> dict[str, Json]:
        return {"type": "string"}

    def fits(self, value: Any) -> bool:
        return isinstance(value, str)

    def read(self, value: Any, document: Document, key: Key) -> Any:
        try:
            # "./~" is a file of that name.
            path = document.base / (Path(value).expanduser() if value.startswith("~") else Path(value))
        except RuntimeError:
            document.fail(key, "no one on this machine has this home folder")
        return value if self.named and not re.search(r"[/\\]", value) and not path.exists() else path


@frozen
class _Duration:
    """A span of time."""

    said = "a duration such as '7 days' or '15 minutes'"

    @property
    def schema(self) -> dict[str, Json]:
        return {"type": "string", "pattern": f"^{_DURATION.pattern}$"}

    def fits(self, value: Any) -> bool:
        return isinstance(value, str) and _DURATION.fullmatch(value) is not None

    def read(self, value: Any, document: Document, key: Key) -> Any:
        found = _DURATION.fullmatch(value)
        assert found is not None
        try:
            return timedelta(microseconds=int(found[1]) * UNITS[found[2]])
        except OverflowError:
            document.fail(key, "this is longer than the calendar")


@frozen
class _Hidden:
    """A secret: the name of a variable or a file that contains it, and never the secret itself."""

    raw: bool

    said = 'a secret such as {env = "NAME"} or {file = "PATH"}'

    @property
    def schema(self) -> dict[str, Json]:
        only: dict[str, Json] = {"type": "object", "additionalProperties": False}
        return {
            "oneOf": [
                {**only, "properties": {name: {"type": "string"}}, "required": [name]}
                for name in ("env", "file")
            ]
        }

    def fits(self, value: Any) -> bool:
        # A text is taken too, so that the error can say where secrets belong.
        return isinstance(value, str | dict)

    def read(self, value: Any, document: Document, key: Key) -> Any:
        if isinstance(value, str):
            document.fail(
                key,
                'a secret must not be in a settings file; name a variable with {env = "NAME"} or a file with '
                '{file = "PATH"}, and replace this secret with a new one if others can read the file',
            )
        if (
            len(value) != 1
            or not set(value) <= {"env", "file"}
            or not isinstance(next(iter(value.values())), str)
        ):
            document.fail(key, f"must be {self.said}")
        try:
            secret = (
                Secret.env(value["env"]) if "env" in value else Secret.file(document.base / value["file"])
            )
            return secret.reveal().encode() if self.raw else secret
        except ConfigError as error:
            document.fail(key, str(error))


@frozen
class Several:
    """A list."""

    items: tuple[Kind, ...]

    @property
    def said(self) -> str:
        """See `Kind.said`."""
        return f"a list: {_either(self.items)} each" if self.items else "a list"

    @property
    def schema(self) -> dict[str, Json]:
        """See `Kind.schema`."""
        return {"type": "array", "items": any_of(kind.schema for kind in self.items)}

    def fits(self, value: Any) -> bool:
        """See `Kind.fits`."""
        return isinstance(value, list)

    def read(self, value: Any, document: Document, key: Key) -> Any:
        """See `Kind.read`."""
        return tuple(read(item, self.items, document, (*key, i)) for i, item in enumerate(value))


@frozen
class _Free:
    """A table with any keys."""

    said = "a table"

    @property
    def schema(self) -> dict[str, Json]:
        return {"type": "object"}

    def fits(self, value: Any) -> bool:
        return isinstance(value, dict)

    def read(self, value: Any, document: Document, key: Key) -> Any:  # noqa: ARG002
        return value


@frozen
class Group:
    """The arguments of a class that has no ``type``, such as `Consent`."""

    made: type

    @property
    def said(self) -> str:
        """See `Kind.said`."""
        return f"a table with keys of {self.made.__name__}"

    @property
    def schema(self) -> dict[str, Json]:
        """See `Kind.schema`."""
        return {"$ref": f"#/$defs/{self.made.__name__}"}

    def fits(self, value: Any) -> bool:
        """See `Kind.fits`."""
        return isinstance(value, dict)

    def read(self, value: Any, document: Document, key: Key) -> Any:
        """See `Kind.read`."""
        # It needs no type, but a part that is always the same, such as a journal, may be named like everywhere else.
        named = plugins.name_of(self.made)
        if "type" in value and (named is None or value["type"] != named):
            document.fail((*key, "type"), f"must be {named!r}" if named else "this table has no type")
        return make(self.made, value, document, key)


@frozen
class Part:
    """A part with a ``type``, which is its name as a plugin."""

    role: plugins.Role

    @property
    def said(self) -> str:
        """See `Kind.said`."""
        return 'a table with type = "..."'

    @property
    def schema(self) -> dict[str, Json]:
        """See `Kind.schema`."""
        return {"$ref": f"#/$defs/{self.role}"}

    def fits(self, value: Any) -> bool:
        """See `Kind.fits`."""
        return isinstance(value, dict)

    def read(self, value: Any, document: Document, key: Key) -> Any:
        """See `Kind.read`."""
        return make(self.named(value, document, key), value, document, key)

    def check(self, value: Mapping[str, Any], document: Document, key: Key) -> None:
        """Raises if the keys of a table are wrong, without making the part."""
        arguments_of(self.named(value, document, key), value, document, key)

    def named(self, value: Mapping[str, Any], document: Document, key: Key) -> Callable[..., Any]:
        """Returns the class or function that a table names.

        Raises:
            ConfigError: It names none, or one that does not exist.
        """
        known = plugins.names(self.role)
        name = value.get("type")
        if name not in known:
            problem = "type is missing" if name is None else f"no part of {self.role} is called {name!r}"
            document.fail(
                (*key, "type") if name is not None else key, f"{problem}; {nearest(str(name), known)}"
            )
        try:
            return plugins.load(self.role, name)  # type: ignore[no-any-return]
        except PluginError as error:
            document.fail((*key, "type"), str(error))


@frozen
class Pairs:
    """A stream of pairs, named by its collector."""

    @property
    def said(self) -> str:
        """See `Kind.said`."""
        return 'a collector: a table with type = "..."'

    @property
    def schema(self) -> dict[str, Json]:
        """See `Kind.schema`."""
        return Part("collectors").schema

    def fits(self, value: Any) -> bool:
        """See `Kind.fits`."""
        return isinstance(value, dict)

    def read(self, value: Any, document: Document, key: Key) -> Any:
        """See `Kind.read`."""
        return Part("collectors").read(value, document, key).collect()


def kinds(argument: Argument) -> tuple[Kind, ...]:
    """Returns what an argument can be. Empty means anything."""
    found = _kinds(argument.types)
    # The sources of passages may be packages by their names.
    return tuple(
        _Place(named=True) if kind == _Place() and argument.name == "source" else kind for kind in found
    )


def _kinds(types: Iterable[Any]) -> tuple[Kind, ...]:
    found: dict[Kind, None] = {}
    # What is more particular comes first: a secret before a text, and a path before one.
    for kind in sorted(filter(None, map(_kind, types)), key=_order):
        found[kind] = None
    return tuple(found)


def _order(kind: Kind) -> int:
    return next(
        (
            i
            for i, one in enumerate((_Hidden, _Place, _Duration, _Choice, Part, Group))
            if isinstance(kind, one)
        ),
        9,
    )


@cache
def _kind(hint: Any) -> Kind | None:
    """Returns the kind for one type, None if no value of a settings file can be one."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return _Choice(inner)
    if hint is Secret or hint is bytes:
        return _Hidden(raw=hint is bytes)
    if hint in PARTS:
        return Part(PARTS[hint])
    if hint is timedelta:
        return _Duration()
    if hint in (str, int, float, bool):
        return _Plain(hint)
    if hint is os.PathLike or origin is os.PathLike or hint is Path:
        return _Place()
    base = origin or hint
    if not isinstance(base, type):
        return None
    if issubclass(base, Mapping):
        return _Free()
    if issubclass(base, list | tuple | Sequence | Iterable):
        items = [one for given in inner if given is not ... for one in alternatives(given)]
        return Pairs() if QAPair in items else Several(() if Any in items else _kinds(items))
    return Group(base) if attrs.has(base) else None


def make(part: Callable[..., Any], values: Mapping[str, Any], document: Document, key: Key) -> Any:
    """Makes a part from a table.

    Args:
        part: The class or function.
        values: The table; its ``type`` is ignored.
        document: Where it is from.
        key: Its place there.

    Raises:
        ConfigError: A key is unknown or missing, or a value is wrong.
    """
    made = arguments_of(part, values, document, key)
    try:
        return part(**made)
    except MissingExtraError:
        raise
    except FurytuneError as error:
        if str(error).startswith(document.where(())):
            raise
        document.fail(_blamed(str(error), values, key), str(error))
    except (TypeError, ValueError) as error:
        problem = str(error.args[0] if error.args else type(error).__name__)
        document.fail(_blamed(problem, values, key), problem)


def arguments_of(
    part: Callable[..., Any], values: Mapping[str, Any], document: Document, key: Key
) -> dict[str, Any]:
    """Returns the arguments that a table gives to a part; see `make`.

    Raises:
        ConfigError: A key is unknown or missing, or a value has the wrong type.
    """
    known = arguments(part)
    given = {name: value for name, value in values.items() if name != "type" or name in known}
    for name in given:
        if name not in known:
            document.fail((*key, name), f"{part.__name__} has no such key; {nearest(name, known)}")
    missing = [name for name, argument in known.items() if argument.required and name not in given]
    if missing:
        document.fail(key, f"{', '.join(missing)} is missing: {known[missing[0]].doc or 'it must be given'}")
    made = {
        name: read(value, kinds(known[name]), document, (*key, name)) if known[name].types else value
        for name, value in given.items()
    }
    return _based(part, made, document, key) | made


def _blamed(problem: str, given: Mapping[str, Any], key: Key) -> Key:
    """Returns the key of the argument that an error is about: the one that it begins with, or whose value it quotes."""
    first = re.match(r"'?(\w+)", problem)
    if first and first[1] in given:
        return (*key, first[1])
    quoted = [name for name, value in given.items() if isinstance(value, str) and repr(value) in problem]
    return (*key, quoted[0]) if len(quoted) == 1 else key


def _based(
    part: Callable[..., Any], given: Mapping[str, Any], document: Document, key: Key
) -> dict[str, Any]:
    """Returns the defaults that hold relative paths, from the folder of the file instead of the current one."""
    if document.base == Path():
        return {}
    found = {}
    for name, argument in arguments(part).items():
        default: Any = argument.default
        if name in given:
            continue
        if isinstance(default, attrs.Factory) and not default.takes_self:  # type: ignore[arg-type]
            default = default.factory()
        if isinstance(default, Path) or attrs.has(type(default)):
            found[name] = read(written(default), kinds(argument), document, (*key, name))
    return found


def read(value: Any, among: tuple[Kind, ...], document: Document, key: Key) -> Any:
    """Returns what a value means as one of several kinds.

    Raises:
        ConfigError: It is something else.
    """
    if not among:
        return value
    for kind in among:
        if kind.fits(value):
            return kind.read(value, document, key)
    hint = ""
    choices = [str(word) for kind in among if isinstance(kind, _Choice) for word in kind.allowed]
    if isinstance(value, str) and choices and (close := difflib.get_close_matches(value, choices, n=1)):
        hint = f"; did you mean {close[0]!r}?"
    return document.fail(key, f"must be {_either(among)}, not {_type(value)}{hint}")


def _either(among: Sequence[Kind]) -> str:
    return " or ".join(dict.fromkeys(kind.said for kind in among))


def _type(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return repr(value) if value.isidentifier() and len(value) <= 20 else "a text"
    return "a list" if isinstance(value, list) else "a table" if isinstance(value, dict) else "a date or time"


def any_of(schemas: Iterable[dict[str, Json]]) -> dict[str, Json]:
    """Returns a schema that fits what one of several schemas fits; anything if there is no schema."""
    several: list[dict[str, Json]] = []
    for one in schemas:
        if one not in several:
            several.append(one)
    return {} if not several else dict(several[0]) if len(several) == 1 else {"anyOf": [*several]}
