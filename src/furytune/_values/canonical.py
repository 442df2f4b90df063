"""Encodes every value that is hashed or compared in one way."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"


def canonical_json(value: Json) -> bytes:
    """Encodes a JSON value so that equal values give equal bytes on any machine.

    Keys are sorted by code point, white space is left out, and text stays UTF-8.

    Args:
        value: Any JSON value.

    Returns:
        UTF-8 bytes.

    Raises:
        ValueError: The value contains NaN or an infinity.
        UnicodeEncodeError: The value contains a lone surrogate.
    """
    # NaN is refused because it is not JSON and is not equal to itself.
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8")


def plain(value: Json) -> Json:
    """Returns the value with all mappings as dicts and all sequences as lists."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    return value


def digest(value: Json) -> str:
    """Returns the sha256 of a value's canonical form, as 64 hex digits."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def sorted_once(names: Iterable[str]) -> tuple[str, ...]:
    """Returns the names in order, each once, so that equal sets give equal tuples."""
    return tuple(sorted(set(names)))
