"""The files of a journal beside its logs: how they are read, and what they all say."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from furytune.errors import SourceFormatError

__all__ = ["Permission", "decoded"]

T = TypeVar("T")


class Permission(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who permitted the collection, in the words of the user, and since when."""

    statement: str
    since: str


def decoded(data: bytes, kind: type[T], path: str, form: str = "") -> T:
    """Decodes one of the journal's own files.

    Args:
        data: The contents of the file.
        kind: What the file contains, such as `Forgotten`.
        path: The file's name.
        form: The format that the file must name; "" for a file that names none.

    Raises:
        SourceFormatError: Another version of furytune wrote it.
        msgspec.DecodeError: It is damaged.
        UnicodeDecodeError: It is damaged.
    """
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
