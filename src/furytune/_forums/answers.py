"""Reads what a platform answers."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from furytune.errors import ForumError

__all__ = ["converted"]

T = TypeVar("T")


def converted(value: object, kind: type[T], doing: str) -> T:
    """Returns an answer, or a part of one, as its type.

    Raises:
        ForumError: It has another form.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise ForumError(
            f"{doing}: the answer has another form than this version of furytune knows ({error}); install a newer one"
        ) from None
