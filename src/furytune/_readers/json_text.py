"""Reads JSON values from a part of a text, one by one, and reports the byte offset of each error."""

from __future__ import annotations

import json
import re
from typing import Any

from attrs import frozen

__all__ = ["Bad", "Malformed", "MoreNeededError", "Text"]

_SPACE = re.compile(r"[ \t\n\r]*")


@frozen
class Bad:
    """An element that cannot be used, although it is valid JSON or can be skipped.

    Attributes:
        reason: "invalid_message", "lone_surrogate", "invalid_utf8", "malformed_json" or "message_too_long".
        offset: Byte offset of the element, or of the error in it.
        id: The element's own ``id``, or "".
        detail: A description without text from the element.
    """

    reason: str
    offset: int
    id: str = ""
    detail: str = ""


class Malformed(Exception):  # noqa: N818  # never leaves the collectors: the caller adds the place
    """The JSON text ends early or is not valid at a byte offset."""

    def __init__(self, problem: str, offset: int, *, truncated: bool = False) -> None:
        super().__init__(problem)
        self.problem = problem
        self.offset = offset
        self.truncated = truncated


class _BadNumberError(ValueError):
    pass


def _refuse(name: str) -> float:
    raise _BadNumberError(f"{name} is not a JSON number")


def _integer(digits: str) -> int | float:
    # Python refuses to convert numbers of more than 4,300 digits, and takes quadratic time for shorter ones.
    return int(digits) if len(digits) < 20 else float(digits)


_DECODER = json.JSONDecoder(parse_constant=_refuse, parse_int=_integer)


class MoreNeededError(Exception):
    pass


class Text:
    """A decoded part of the buffer, which reads values and converts errors to byte offsets."""

    def __init__(self, raw: bytes, base: int, *, last: bool) -> None:
        # Wrong bytes must not stop the search for the next element; they are reported with their own message.
        self.text = raw.decode("utf-8", "surrogateescape")
        self.base = base
        self.last = last

    def size(self, start: int, end: int) -> int:
        """Returns the number of bytes in a slice of characters."""
        return len(self.text[start:end].encode("utf-8", "surrogateescape"))

    def fail(self, problem: str, at: int) -> Exception:
        """Returns Malformed for a character, or MoreNeededError if the text ends there."""
        truncated = at >= len(self.text)
        if truncated and not self.last:
            return MoreNeededError()
        if truncated:
            problem = "the file ends in the middle"
        return Malformed(problem, self.base + self.size(0, at), truncated=truncated)

    def not_utf8(self, start: int, end: int) -> int | None:
        """Returns the offset of the first byte of a slice that is not UTF-8, or None."""
        try:
            self.text[start:end].encode()
        except UnicodeEncodeError as error:
            return self.base + self.size(0, start + error.start)
        return None

    def space(self, at: int) -> int:
        """Skips white space."""
        found = _SPACE.match(self.text, at)
        assert found is not None
        return found.end()

    def expect(self, chars: str, at: int) -> int:
        """Skips white space, expects one of ``chars``, and returns its place."""
        at = self.space(at)
        if self.text[at : at + 1] not in tuple(chars):
            raise self.fail("expected " + " or ".join(repr(c) for c in chars), at)
        return at

    def value(self, at: int) -> tuple[Any, int]:
        """Decodes the value at a character; returns the value and its end.

        Raises:
            Malformed: It is not JSON, or the file ends in it.
            MoreNeededError: The buffer ends in it.
        """
        try:
            value, end = _DECODER.raw_decode(self.text, at)
        except json.JSONDecodeError as error:
            problem, pos = error.msg, error.pos
            if "Unterminated" in problem:
                if self.last:
                    where = self.base + self.size(0, pos)
                    raise Malformed("the file ends inside a string", where, truncated=True) from None
                raise MoreNeededError from None
            # A literal or escape that is cut off by the buffer is reported at its beginning.
            if not self.last and pos >= len(self.text) - 16:
                raise MoreNeededError from None
            raise self.fail(f"not JSON: {problem}", pos) from None
        except _BadNumberError as error:
            raise self.fail(f"not JSON: {error}", at) from None
        except RecursionError:
            raise self.fail("nested too deeply", at) from None
        if end == len(self.text) and not self.last and not isinstance(value, (dict, list, str)):
            raise MoreNeededError  # a number may continue
        return value, end
