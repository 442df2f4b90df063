"""Checks an augmenter's arguments, and the settings that a contract contains."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from numbers import Real
from pathlib import Path
from typing import Any

import attrs

from furytune._values.canonical import Json
from furytune.augmenters._index import tables
from furytune.augmenters.embedders import Embedder, LanceEmbedder, OnnxEmbedder, StaticEmbedder
from furytune.errors import ConfigError, ContractError, ContractMismatchError

__all__ = ["as_float", "embedder_of", "number", "place_of", "positive", "shown", "within"]

# The largest version number that LanceDB can store.
_MOST = 2**63 - 1
_SHOWN = 60
_EMBEDDERS: dict[str, Any] = {"static": StaticEmbedder, "onnx": OnnxEmbedder, "lance": LanceEmbedder}


def positive(_: object, attribute: attrs.Attribute[int], value: int) -> None:
    """Checks that a value is a whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MOST:
        raise ConfigError(f"{attribute.name} must be a whole number of at least 1, not {shown(value)}")


def within(least: float, most: float) -> Any:
    """Returns a validator for floats between two bounds, both included."""

    def check(_: object, attribute: attrs.Attribute[float], value: object) -> None:
        # NaN fails the comparison, so it is refused here.
        if not isinstance(value, float) or not least <= value <= most:
            raise ConfigError(f"{attribute.name} must be a number from {least} to {most}, not {shown(value)}")

    return check


def shown(value: object) -> str:
    """Returns a value for an error message, at most 60 characters of it."""
    try:
        text = repr(value)
    except ValueError:  # Python refuses to write very long integers
        return "an integer of thousands of digits"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def as_float(value: object) -> Any:
    """Converts a number to a float; other values are returned unchanged, for the validator to refuse."""
    with suppress(OverflowError):
        return value if isinstance(value, bool) or not isinstance(value, Real) else float(value)
    return value


def place_of(location: object, base: Path) -> tuple[str, int | None, str]:
    """Returns path, version and snapshot of a contract's location.

    Raises:
        ContractError: The location is not valid.
    """
    unknown = ContractError("the contract does not say where the index is; save a new contract")
    if not isinstance(location, Mapping):
        raise unknown
    path, version = location.get("path"), location.get("version")
    snapshot = location.get("snapshot") or ""
    if not isinstance(path, str) or not isinstance(snapshot, str) or "version" not in location:
        raise unknown
    if version is not None and (
        isinstance(version, bool) or not isinstance(version, int) or not 1 <= version <= _MOST
    ):
        raise unknown
    try:
        return tables.check_path(base / path), version, snapshot
    except ConfigError as error:
        raise ContractError(f"the index path in the contract is not valid: {error}") from error


def number(spec: Mapping[str, Json], name: str, kind: type) -> Any:
    """Returns a number from a contract.

    Raises:
        TypeError: The value is not a number of that kind.
    """
    value = spec[name]
    # JSON writes 2.0 as 2, so a float may come back as an int.
    if isinstance(value, bool) or not isinstance(value, (int, kind)):
        raise TypeError(f"{name} is not a number")
    return value


def embedder_of(spec: Json, location: Mapping[str, Json], base: Path) -> Embedder | None:
    """Builds the embedder that a contract names; None if it names no embedder.

    Raises:
        ContractMismatchError: The embedder is not built in.
        ConfigError: Its files are missing.
        KeyError: The contract does not say where the files are.
        TypeError: A setting has the wrong type.
    """
    if spec is None:
        return None
    if not isinstance(spec, Mapping):
        raise TypeError("embedder is not a mapping")
    kind = _EMBEDDERS.get(str(spec.get("name")))
    if kind is None:
        raise ContractMismatchError(
            "augmenter",
            f"the embedder {shown(spec.get('name'))} is not built in; load the contract with"
            " augmenter=RagAugmenter(path, embedder=...)",
        )
    where = location.get("embedder")
    made: Embedder = kind.from_spec(spec, where if isinstance(where, Mapping) else {}, base)
    return made
