"""Reads the arrays of a safetensors file: a length, a JSON header, then the bytes. No code is run."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from furytune.augmenters._search.vectors import numpy
from furytune.errors import KnowledgeError

__all__ = ["read_tensors"]

_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "I8": "i1"}
_MOST_HEADER = 100_000_000  # the limit of the format itself


def read_tensors(path: Path) -> dict[str, Any]:
    """Returns the arrays by name; 16-bit floats become 32-bit floats.

    Raises:
        KnowledgeError: The file is damaged, or contains an unknown type.
        MissingExtraError: numpy is not installed.
    """
    try:
        return _parsed(path.read_bytes())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise KnowledgeError(
            f"{path}: this file cannot be read as safetensors ({error}); download the model again"
        ) from error


def _parsed(raw: bytes) -> dict[str, Any]:
    """Reads the arrays, after checking every offset against the size of the file."""
    np = numpy()
    size = int.from_bytes(raw[:8], "little")
    if not 2 <= size <= min(_MOST_HEADER, len(raw) - 8):
        raise ValueError("the header is longer than the file")
    found = {}
    for name, entry in json.loads(raw[8 : 8 + size]).items():
        if name == "__metadata__":
            continue
        start, end = entry["data_offsets"]
        kind = np.dtype(_TYPES[entry["dtype"]])
        count = math.prod(entry["shape"])
        # numpy would read whatever memory the offsets name, so they are checked against the file first.
        if not 0 <= start <= end <= len(raw) - 8 - size or end - start != count * kind.itemsize:
            raise ValueError("an array reaches beyond the end of the file")
        array = np.frombuffer(raw, kind, count, 8 + size + start).reshape(entry["shape"])
        found[name] = _widened(np, array, entry["dtype"])
    return found


def _widened(np: Any, array: Any, kind: str) -> Any:
    """Returns an array of 16-bit floats as 32-bit floats; others unchanged."""
    if kind == "BF16":
        # bfloat16 is the upper half of a 32-bit float.
        return (array.astype(np.uint32) << 16).view(np.float32)
    return array.astype(np.float32) if kind == "F16" else array
