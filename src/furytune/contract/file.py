"""The contract file: its keys, its seal, and the path of its index."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from furytune._storage.durable import write_file
from furytune._values.canonical import canonical_json, digest
from furytune.errors import ContractError

__all__ = ["edited", "placed", "read", "write"]

FORMAT = 1
_KEYS = {
    "furytune_contract",
    "fingerprint",
    "snapshot",
    "form",
    "parts",
    "location",
    "golden",
    "deviations",
    "seal",
}

T = TypeVar("T")


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Writes a contract with its seal, whole or not at all.

    Raises:
        ContractError: The file cannot be written.
    """
    sealed = {"furytune_contract": FORMAT, **content}
    # Without a key, the seal only notices accidents and edits by hand; it does not stop an attacker.
    sealed["seal"] = digest(sealed)
    text = json.dumps(sealed, indent=2, sort_keys=True, ensure_ascii=False)
    try:
        write_file(path, text.encode("utf-8") + b"\n")
    except OSError as error:
        raise ContractError(
            f"{path}: the contract cannot be written ({error.strerror}); choose a file in an existing, writable folder"
        ) from error


def edited(content: Mapping[str, Any]) -> bool:
    """Returns True if the content was changed after it was sealed."""
    return bool(digest({k: v for k, v in content.items() if k != "seal"}) != content["seal"])


def read(path: Path) -> dict[str, Any]:
    """Reads a contract and checks the type of every value.

    Raises:
        ContractError: The file is missing, damaged or has another format.
    """
    try:
        content = json.loads(
            path.read_bytes().decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse
        )
        canonical_json(content)  # raises for a lone surrogate that was written as an escape
    except OSError as error:
        raise ContractError(
            f"{path}: cannot be read ({error.strerror}); name the file that save() wrote"
        ) from error
    except (ValueError, RecursionError) as error:
        raise ContractError(f"{path}: not a contract ({type(error).__name__}); save it again") from None
    if not isinstance(content, dict) or content.get("furytune_contract") != FORMAT:
        raise ContractError(f"{path}: not a contract of format {FORMAT}; save it again with this library")
    # A key that this version does not know may change prompts, so the file is refused.
    odd = sorted((content.keys() - {"model"}) ^ _KEYS)
    if odd:
        raise ContractError(f"{path}: missing or unknown keys: {', '.join(odd)}; save it again")
    if not _well_formed(content):
        raise ContractError(f"{path}: a value has the wrong type; save the contract again")
    return content


def _well_formed(content: dict[str, Any]) -> bool:
    """Returns whether every value has its type, so that later code need not check again."""
    form = content["form"]
    return (
        all(isinstance(content[k], dict) for k in ("form", "parts", "location"))
        and all(isinstance(content[k], list) for k in ("golden", "deviations"))
        and all(isinstance(content[k], str) for k in ("fingerprint", "snapshot"))
        and form.keys() == {"template", "normalizer", "augmenter", "budget", "dialects"}
        and all(isinstance(v, dict) for k, v in form.items() if k != "budget")
        and isinstance(form["budget"], dict | None)
        and all(isinstance(n, str) for n in form["dialects"])
        and all(_texts(g, {"question", "sha256"}) for g in content["golden"])
        and all(_texts(d, {"part", "reason"}) for d in content["deviations"])
        and ("model" not in content or _texts(content["model"], {"name", "base", "job"}))
    )


def _texts(value: object, keys: set[str]) -> bool:
    """Returns whether a value is an object of exactly these keys, with a text under each."""
    return (
        isinstance(value, dict)
        and value.keys() == keys
        and all(isinstance(text, str) for text in value.values())
    )


def _unique(pairs: list[tuple[str, T]]) -> dict[str, T]:
    """Builds an object, and refuses a key that occurs twice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")


def placed(location: Mapping[str, Any], base: Path) -> dict[str, Any]:
    """Returns a location in which every "path" is relative to a folder."""
    found: dict[str, Any] = {}
    for key, value in location.items():
        if isinstance(value, Mapping):
            found[key] = placed(value, base)
        else:
            found[key] = relative(Path(str(value)), base) if key == "path" else value
    return found


def relative(path: Path, base: Path) -> str:
    """Returns a path relative to a folder. It also works if the folder is reached through a symbolic link."""
    try:
        inside = os.path.relpath(path.absolute(), base.absolute())
        # With a link in the path, ".." may lead elsewhere; then the resolved paths are used.
        if os.path.realpath(base / inside) == os.path.realpath(path):
            return Path(inside).as_posix()
        return Path(os.path.relpath(path.resolve(), base.resolve())).as_posix()
    except ValueError:  # another drive
        return path.absolute().as_posix()
