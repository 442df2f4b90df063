"""The files of a journal beside its logs: how they are read and written, and what they all say."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import msgspec

from furytune._storage.durable import write_file
from furytune._storage.journal.folder import HINTS, access
from furytune.errors import SourceFormatError

__all__ = ["Permission", "load", "save"]

T = TypeVar("T")


class Permission(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who permitted the collection, in the words of the user, and since when."""

    statement: str
    since: str


def load(path: Path, kind: type[T], form: str = "") -> T:
    """Reads one of the journal's own files; a missing one has default values.

    Args:
        path: The file.
        kind: What it contains, such as `Forgotten`.
        form: The format that the file must name; "" for a file that names none.

    Raises:
        SourceFormatError: The file is damaged, or another version of furytune wrote it. The error says how to go on.
    """
    try:
        with access(path):
            data = path.read_bytes()
    except FileNotFoundError:
        return kind()
    try:
        return _decoded(data, kind, str(path), form)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SourceFormatError(
            f"this file of the journal is damaged ({error})", path=str(path), hint=HINTS[path.name]
        ) from None


def save(path: Path, value: msgspec.Struct) -> None:
    """Writes one of the journal's own files atomically. Only its owner can read it.

    Raises:
        OSError: As the system reports it; the old file is unchanged.
    """
    data = msgspec.json.encode(value, order="deterministic")
    # An unchanged file keeps its time, so a backup does not copy it again.
    if not path.is_file() or path.read_bytes() != data:
        write_file(path, data)
        path.chmod(0o600)


def _decoded(data: bytes, kind: type[T], path: str, form: str = "") -> T:
    """Decodes a file; see `load`."""
    # The format comes first: the fields of another format would only give a confusing error.
    said = msgspec.json.decode(data, type=dict[str, Any])
    if form and said.get("format") != form:
        other = f"the format {said['format']!r}" if "format" in said else "no format"
        raise SourceFormatError(
            f"the journal has {other}, but this version reads {form!r} here",
            path=path,
            hint="use the version of furytune that wrote it",
        )
    try:
        return msgspec.convert(said, kind)
    except msgspec.ValidationError as error:
        if "unknown field" not in str(error):
            raise
        raise SourceFormatError(
            f"this file of the journal contains more than this version knows ({error}), which would be lost",
            path=path,
            hint="use the version of furytune that wrote it, or a newer one",
        ) from None
