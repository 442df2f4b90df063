"""Reads JSON lines strictly: each line must be one JSON object of RFC 8259.

LF, CR LF and a lone CR end a line; blank lines are ignored. Also refused: duplicate keys in an object that is read, lone
surrogates, numbers outside the range of a double, more than 64 levels, and lines over 16 MiB.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

import msgspec

from furytune._privacy.printable import is_name
from furytune._readers.files import LIMIT, Flaw

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["DEPTH", "Record", "Twins", "decode_lines", "split_lines", "twin_key"]

DEPTH = 64
"""Maximum number of nested arrays and objects in a line."""

Record: TypeAlias = tuple[int, dict[str, Any]]
"""The line number, and the object on the line."""

_BLANK = b" \t"
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class Twins(dict[str, Any]):
    """An object with a duplicate key."""

    key: str = ""


def split_lines(blocks: Iterable[bytes], *, limit: int = LIMIT) -> Iterator[tuple[int, list[bytes]] | Flaw]:
    """Yields lists of complete lines with the number of the first, in constant memory.

    Args:
        blocks: The bytes of the file.
        limit: Maximum bytes of a line; a longer one is a flaw.
    """
    number = 1
    rest = b""
    skipping = False
    for block in blocks:
        data = rest + block if rest else block
        # A CR at the very end may be half of a CR LF: it is left for the next round.
        cut = max(data.rfind(b"\n"), data.rfind(b"\r", 0, len(data) - 1)) + 1
        rest = data[cut:]
        lines = data[:cut].splitlines()
        if skipping and lines:
            del lines[0]
            number += 1
            skipping = False
        if lines:
            yield number, lines
            number += len(lines)
        if skipping:
            rest = rest[-1:] if rest.endswith(b"\r") else b""
        elif len(rest) > limit:
            yield _too_long(number, limit)
            rest, skipping = (b"\r" if rest.endswith(b"\r") else b""), True
    if rest and not skipping:
        yield number, rest.splitlines()


def _too_long(line: int, limit: int) -> Flaw:
    return Flaw(
        reason="too_long",
        problem=f"the line is longer than {limit} bytes",
        line=line,
        column=1,
        hint="put each record on a line of its own",
    )


def decode_lines(blocks: Iterable[bytes]) -> Iterator[Record | Flaw]:
    """Yields the object of each line, or the flaw of the line."""
    for part in split_lines(blocks):
        if isinstance(part, Flaw):
            yield part
            continue
        for line, text in enumerate(part[1], part[0]):
            # Nearly all lines begin with a brace, so the test for blank lines is rarely needed.
            if text and (text[0] == 0x7B or text.strip(_BLANK)):
                yield _record(line, text)


def _record(line: int, text: bytes) -> Record | Flaw:
    """Returns the object of a line, or its flaw."""
    try:
        found = _decode(text)
    except RecursionError:
        return _too_deep(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return _diagnose(line, text, error)
    if type(found) is not dict:
        return Flaw(
            reason="not_object",
            problem="the line is JSON, but not an object",
            line=line,
            column=1,
            hint='write each record as {"question": ..., "answer": ...}',
        )
    # Counting brackets is fast and proves for nearly all lines that they are not too deep.
    if text.count(b"[") + text.count(b"{") > DEPTH and _deeper(found):
        return _too_deep(line)
    # msgspec keeps the last of two equal keys silently, so suspicious lines are read again by the standard library.
    if _may_have_twins(text, found):
        found = json.loads(text, object_pairs_hook=_object)
        if isinstance(found, Twins):
            return twin_key(line, found)
    return line, found


def twin_key(line: int, found: Twins) -> Flaw:
    """Returns the flaw of an object with a duplicate key."""
    name = f"the key {found.key!r}" if is_name(found.key) else "a key"  # any other may be text
    return Flaw(
        reason="duplicate_key",
        problem=f"{name} occurs twice in one object",
        line=line,
        column=1,
        hint="keep one of them",
    )


def _may_have_twins(text: bytes, found: dict[str, Any]) -> bool:
    """Returns whether the decoder may have left out a duplicate key.

    Outside strings, each colon belongs to one key. So the encoded value has as many colons as the text, unless a key was
    left out or a colon was written as an escape.
    """
    # A colon may be written as an escape, which the count would miss.
    if b"\\u003" in text:
        return True
    try:
        # A key that was lost takes its colon with it, while colons inside texts stay the same.
        return _encode(found).count(b":") != text.count(b":")
    except (OverflowError, msgspec.MsgspecError):
        return True


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Builds an object of the standard library's decoder, and notes a key that occurs twice."""
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    twins = Twins(found)
    twins.key = Counter(key for key, _ in pairs).most_common(1)[0][0]
    return twins


def _deeper(value: Any) -> bool:
    """Returns whether a value nests more levels than allowed."""
    level = [value]
    for _ in range(DEPTH):
        level = [
            item
            for outer in level
            for item in (outer.values() if type(outer) is dict else outer)
            if type(item) is dict or type(item) is list
        ]
        if not level:
            return False
    return True


def _too_deep(line: int) -> Flaw:
    """Returns the flaw of a line that nests too deeply."""
    return Flaw(
        reason="too_deep",
        problem=f"the line nests more than {DEPTH} levels",
        line=line,
        column=1,
        hint="flatten the record",
    )


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _diagnose(line: int, data: bytes, error: Exception) -> Flaw:
    """Returns what is wrong with a line that could not be decoded, and where."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as bad:
        column = len(data[: bad.start].decode("utf-8")) + 1
        problem = f"byte 0x{data[bad.start]:02x} is not UTF-8"
        return Flaw(
            reason="encoding", problem=problem, line=line, column=column, hint="pass the correct `encoding=`"
        )
    # msgspec is fast but its messages name bytes; the standard library's name the problem and the place.
    reason, hint = "not_json", "write each record as one JSON object on one line"
    try:
        json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as bad:
        column = bad.pos + 1
        problem = f"not JSON: {bad.msg[:1].lower()}{bad.msg[1:]}"
    except RecursionError:  # pragma: no cover  (only if the stack is nearly used up before)
        return _too_deep(line)
    except ValueError:
        column = _byte_column(data, error)
        problem = "not JSON: NaN, an infinity, or a number of too many digits"
    else:
        column = _byte_column(data, error)
        problem, reason, hint = _beyond_grammar(text)
    return Flaw(reason=reason, problem=problem, line=line, column=column, hint=hint)


def _beyond_grammar(text: str) -> tuple[str, str, str]:
    """Returns problem, reason and hint for a line that is valid JSON but not accepted."""
    try:
        json.dumps(json.loads(text), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return (
            "a text contains a lone surrogate, which UTF-8 cannot encode",
            "surrogate",
            "repair or leave out the record",
        )
    return "a number is out of range", "not_json", "write it as a string"


def _byte_column(data: bytes, error: Exception) -> int:
    """Returns the column that the decoder's message names, or the end of the line."""
    found = re.search(r"\(byte (\d+)\)", str(error))
    end = int(found[1]) if found else len(data)
    return len(data[:end].decode("utf-8", "replace")) + 1
