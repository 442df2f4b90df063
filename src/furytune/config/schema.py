"""The JSON schema of settings files, for editors. It is made from the parts that are installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from furytune import plugins
from furytune._values.canonical import Json, plain
from furytune.config.arguments import Argument, arguments, summary
from furytune.config.kinds import Group, Kind, Pairs, Part, Several, any_of, kinds
from furytune.config.tables import OWN, TABLES
from furytune.config.writing import written
from furytune.errors import ConfigError, FurytuneError
from furytune.pipeline import Pipeline

__all__ = ["schema"]


def schema() -> dict[str, Json]:
    """Returns a JSON schema (draft 2020-12) of settings files. It knows the plugins that are installed here."""
    definitions: dict[str, Json] = {}
    root = _object(Pipeline, definitions)
    properties: dict[str, Json] = dict(root["properties"])  # type: ignore[arg-type]
    for name in ("contract", "report", "title"):
        properties[name] = {"type": "string", "description": OWN[name]}
    corpus = _used(Part("corpora"), definitions)
    properties["knowledge"] = {
        "anyOf": [corpus, {"type": "array", "items": corpus}],
        "description": OWN["knowledge"],
    }
    properties["without_retrieval"] = {
        "type": "object",
        "description": OWN["without_retrieval"],
        "properties": {"exporter": properties["exporter"]},
        "required": ["exporter"],
        "additionalProperties": False,
    }
    _used(Part("models"), definitions)
    properties["model"] = {**_unnamed(definitions["models"]), "description": OWN["model"]}
    properties |= {name: _object(kind, definitions) for name, kind in TABLES.items()}
    # A server has the contract alone, and no collector.
    needed = [root.pop("required"), *([name] for name in ("model", *TABLES))]
    root["anyOf"] = [{"required": names} for names in needed]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "furytune.toml",
        **root,
        "properties": properties,
        "$defs": definitions,
    }


def _unnamed(models: Json) -> dict[str, Json]:
    """Returns the schema of models whose name the contract may say."""
    found: Any = models
    kinds = [
        {**one, "required": [key for key in one["required"] if key != "name"]}
        for one in found.get("oneOf", ())
    ]
    return {**found, "oneOf": kinds} if kinds else found


def _object(part: Callable[..., Any], definitions: dict[str, Json], name: str = "") -> dict[str, Json]:
    """Returns the schema of the table of a part.

    Args:
        part: Its class or function.
        definitions: Gets the definitions that it refers to.
        name: Its ``type``, "" if it needs none.
    """
    known = arguments(part)
    properties: dict[str, Json] = {"type": {"const": name}} if name else {}
    properties |= {argument.name: _value(argument, definitions) for argument in known.values()}
    if not name and isinstance(part, type) and (named := plugins.name_of(part)):
        properties["type"] = {"const": named}
    required: list[Json] = ["type"] if name else []
    required += [argument.name for argument in known.values() if argument.required]
    return {
        "type": "object",
        "description": summary(part),
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _value(argument: Argument, definitions: dict[str, Json]) -> dict[str, Json]:
    among = kinds(argument) if argument.types else ()
    found = any_of([_used(kind, definitions) for kind in among])
    if argument.doc:
        found["description"] = argument.doc
    default = _default(argument)
    if default is not None:
        found["default"] = default
    return found


def _default(argument: Argument) -> Json:
    """Returns the default of an argument as JSON, None if it has none that can be shown."""
    default = argument.default
    if argument.required or isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        return None
    try:
        value = written(default) if default is not None else None
    except ConfigError:
        return None
    return plain(value) if isinstance(value, str | int | float | list) else None


def _used(kind: Kind, definitions: dict[str, Json]) -> dict[str, Json]:
    """Returns the schema of a kind, and adds the definitions that it refers to."""
    if isinstance(kind, Pairs):
        kind = Part("collectors")
    if isinstance(kind, Several):
        return {"type": "array", "items": any_of([_used(one, definitions) for one in kind.items])}
    if isinstance(kind, Group) and kind.made.__name__ not in definitions:
        definitions[kind.made.__name__] = {}  # a mark, for classes that refer to themselves
        definitions[kind.made.__name__] = _object(kind.made, definitions)
    if isinstance(kind, Part) and kind.role not in definitions:
        definitions[kind.role] = {}
        definitions[kind.role] = _parts(kind.role, definitions)
    return kind.schema


def _parts(role: plugins.Role, definitions: dict[str, Json]) -> dict[str, Json]:
    """Returns the schema of all parts of a role. A plugin that cannot be imported here is left out."""
    found: list[Json] = []
    for name in plugins.names(role):
        try:
            part = plugins.load(role, name)
        except FurytuneError:
            continue
        found.append(_object(part, definitions, name))
    return {"type": "object", "required": ["type"], "oneOf": found} if found else {"not": {}}
