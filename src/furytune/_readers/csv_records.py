"""Reads CSV records: RFC 4180 and the variations of real files.

furytune does not use Python's reader because that limits fields by a setting of the whole process, reports no columns, and
joins a damaged record with the next ones. Beyond the RFC: LF and a lone CR also end a record, the delimiter may be another
character, a quote in a field that does not begin with a quote is an ordinary character, and blank lines are skipped.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from attrs import define, field

from furytune._readers.files import LIMIT, Flaw

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["CsvReader", "Record", "cell"]

Record: TypeAlias = tuple[int, tuple[str, ...]]
"""The line where the record begins, and its raw fields, including quotes."""

# Possessive: an unclosed quote fails at once, instead of being tried from each of its inner quotes.
_QUOTED = r'"[^"]*+(?:""[^"]*+)*+"'
_QUOTED_RE = re.compile(_QUOTED)
_SURROGATE = re.compile("[\ud800-\udfff]")
_BLANK = re.compile(r"[ \t]{0,999}(?:\r\n|\n|\r)")
_BLANK_OR_SEP = re.compile(
    r"""[ \t]{0,999}(?:(?P<quote>"?)sep=(?P<mark>[^"\r\n])(?P=quote))?(?:\r\n|\n|\r)""", re.IGNORECASE
)
_PREAMBLE = 1024
_BREAK = re.compile(r"\r\n|\n|\r")
_SHOW_QUOTE = "double each quote that belongs to the text, and put quotes around the whole field"


def cell(raw: str) -> str:
    """Returns the text of a raw field, without its quotes."""
    if raw[:1] == '"':
        inner = raw[1:-1]
        return inner.replace('""', '"') if '"' in inner else inner
    return raw


def _breaks(text: str) -> int:
    """Counts line ends: LF, CR LF and lone CR."""
    count = text.count("\n")
    returns = text.count("\r")
    return count + returns - text.count("\r\n") if returns else count


class _More(Exception):  # noqa: N818  (a signal, never an error)
    """The record continues after the end of the buffer."""


class _Bad(Exception):  # noqa: N818
    """The record's quotes are wrong."""

    def __init__(self, problem: str, at: int) -> None:
        self.problem = problem
        self.at = at


@define
class CsvReader:
    """Reads the records of one file in constant memory.

    Args:
        blocks: The text. An attribute ``dirty`` says that lone surrogates replace bytes that cannot be decoded.
        limit: Maximum characters of a record.
    """

    blocks: Iterable[str]
    limit: int = LIMIT
    line: int = 1
    _buffer: str = ""
    _pos: int = 0
    _ended: bool = False
    _source: Iterator[str] = field(init=False, factory=lambda: iter(()))
    _plain: re.Pattern[str] = field(init=False, factory=lambda: re.compile(""))

    def __attrs_post_init__(self) -> None:
        self._source = iter(self.blocks)
        self._fill()

    def preamble(self) -> str | None:
        """Skips blank lines before the header, and a line such as ``sep=;``, which Excel writes there.

        Returns:
            The delimiter that such a line names, or None.
        """
        named: str | None = None
        while True:
            # A line that is cut off by the end of the buffer would look like a header.
            while not self._ended and len(self._buffer) - self._pos < _PREAMBLE:
                self._fill()
            at = self._buffer, self._pos
            found = _BLANK.match(*at) if named else _BLANK_OR_SEP.match(*at)
            if found is None:
                return named
            named = found["mark"] if found.groupdict().get("mark") else named
            self._pos = found.end()
            self.line += 1

    def header(self, delimiter: str) -> tuple[str, ...]:
        """Returns the fields of the first record for a delimiter, without consuming it.

        Returns:
            An empty tuple if the file is empty or its first record has wrong quotes.
        """
        self._use(delimiter)
        while True:
            try:
                fields, _ = self._scan(self._pos, delimiter)
            except _More:
                if len(self._buffer) > self.limit:
                    return ()
                self._fill()
            except _Bad:
                return ()
            else:
                return tuple(map(cell, fields)) if self._buffer else ()

    def records(self, delimiter: str, count: int) -> Iterator[Record | Flaw]:
        """Yields records of ``count`` fields, and a flaw for each other record."""
        self._use(delimiter)
        mark = re.escape(delimiter)
        one = rf'({_QUOTED}|[^"{mark}\r\n][^{mark}\r\n]*+|)'
        # Nearly all records match this one pattern, so they are read without a loop over their fields. A CR at the end
        # of the buffer does not match, because an LF may follow.
        row = re.compile(mark.join([one] * count) + r"(?:\r\n|\n|\r(?=[^\n]))")
        while True:
            found = row.match(self._buffer, self._pos)
            if found is None:
                item = self._slowly(delimiter, count)
                if item is None:
                    return
                if isinstance(item, Flaw) or item[1]:
                    yield item
                continue
            text = found[0]
            start = self.line
            self._pos = found.end()
            self.line += _breaks(text)
            flaw = self._undecodable(text, start)
            yield flaw or (start, found.groups())

    def _use(self, delimiter: str) -> None:
        self._plain = re.compile(rf"[^{re.escape(delimiter)}\r\n]*+")

    def _slowly(self, delimiter: str, count: int) -> Record | Flaw | None:
        """Reads one record of any form. A blank line has no fields; None means the end of the file."""
        while True:
            if self._ended and self._pos >= len(self._buffer):
                return None
            try:
                fields, end = self._scan(self._pos, delimiter)
            except _More:
                if len(self._buffer) - self._pos > self.limit:
                    return self._too_long()
                self._fill()
            except _Bad as bad:
                return self._damaged(bad)
            else:
                break
        text = self._buffer[self._pos : end]
        start = self.line
        self._pos = end
        self.line += _breaks(text)
        # RFC 4180 does not mention blank lines; spreadsheets and people leave them, and they mean nothing.
        if fields == [""]:
            return start, ()
        if flaw := self._undecodable(text, start):
            return flaw
        if len(fields) != count:
            return Flaw(
                reason="fields",
                problem=f"{len(fields)} fields instead of {count}",
                line=start,
                column=1,
                hint="give every record as many fields as the header",
            )
        return start, tuple(fields)

    def _scan(self, pos: int, delimiter: str) -> tuple[list[str], int]:
        """Returns the raw fields of the record at a position, and where the next one begins."""
        buffer = self._buffer
        size = len(buffer)
        fields: list[str] = []
        while True:
            quoted = buffer.startswith('"', pos)
            found = (_QUOTED_RE if quoted else self._plain).match(buffer, pos)
            if found is None:
                if not self._ended:
                    raise _More
                raise _Bad("a quoted field is never closed", pos)
            fields.append(found[0])
            pos = found.end()
            if pos == size:
                if not self._ended:
                    raise _More
                return fields, pos
            after = buffer[pos]
            if after == delimiter:
                pos += 1
            elif after == "\n":
                return fields, pos + 1
            elif after == "\r":
                # An LF may follow in the next block.
                if pos + 1 == size and not self._ended:
                    raise _More
                return fields, pos + (2 if buffer.startswith("\n", pos + 1) else 1)
            else:
                raise _Bad("text follows a closed quote", pos)

    def _fill(self) -> None:
        """Reads at least as much as is left in the buffer, so that a long record is scanned only a few times."""
        left = self._buffer[self._pos :]
        parts = [left]
        got = 0
        while got <= len(left):
            block = next(self._source, None)
            if block is None:
                self._ended = True
                break
            parts.append(block)
            got += len(block)
        self._buffer = "".join(parts)
        self._pos = 0

    def _place(self, at: int) -> tuple[int, int]:
        """Returns line and column of a position in the buffer."""
        text = self._buffer[self._pos : at]
        last = max(text.rfind("\n"), text.rfind("\r"))
        return self.line + _breaks(text), len(text) - last

    def _damaged(self, bad: _Bad) -> Flaw:
        """Reports wrong quotes and continues at the next line, so that the other records are kept."""
        line, column = self._place(bad.at)
        self._next_line()
        return Flaw(reason="quotes", problem=bad.problem, line=line, column=column, hint=_SHOW_QUOTE)

    def _too_long(self) -> Flaw:
        """Reports a record over the limit and continues at the next line."""
        line = self.line
        self._next_line()
        return Flaw(
            reason="too_long",
            problem=f"a record is longer than {self.limit} characters, or a quote in it is never closed",
            line=line,
            column=1,
            hint=_SHOW_QUOTE,
        )

    def _next_line(self) -> None:
        """Skips the rest of the current line, ignoring quotes."""
        while True:
            found = _BREAK.search(self._buffer, self._pos)
            # A break at the very end of the buffer may be the first half of a CR LF.
            if found and (self._ended or found.end() < len(self._buffer)):
                self._pos = found.end()
                self.line += 1
                return
            if self._ended:
                self._pos = len(self._buffer)
                return
            self._pos = found.start() if found else len(self._buffer)
            self._fill()

    def _undecodable(self, text: str, line: int) -> Flaw | None:
        """Reports bytes that are not UTF-8, if the record has any."""
        # Searching each record for surrogates would slow down all files; only a file with a wrong byte can
        # contain one.
        if not getattr(self.blocks, "dirty", False) or not (found := _SURROGATE.search(text)):
            return None
        before = text[: found.start()]
        last = max(before.rfind("\n"), before.rfind("\r"))
        return Flaw(
            reason="encoding",
            problem=f"byte 0x{ord(found[0]) & 0xFF:02x} is not UTF-8 "
            f"(the first such byte of the file is at offset {getattr(self.blocks, 'first_bad', 0)})",
            line=line + _breaks(before),
            column=len(before) - last,
            hint="pass the correct `encoding=`",
        )
