"""The encoding that furytune's files are hashed in, written again from its description: an oracle, and a way to forge."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def encoded(value: Any) -> bytes:
    """JSON with sorted keys and without white space, as UTF-8."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def digest(value: Any) -> str:
    """The sha256 of a value's encoding."""
    return hashlib.sha256(encoded(value)).hexdigest()


def seal(content: dict[str, Any]) -> None:
    """Seals the content of a contract file, as if it had been written like this."""
    content["seal"] = digest({key: value for key, value in content.items() if key != "seal"})
