"""How results look in a shell, a log and a notebook: one line, or a small table. Secrets are replaced."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from html import escape
from typing import Any

import attrs

from furytune._privacy.redaction import KINDS, redact

__all__ = ["Shown", "page", "words"]

_LINE = 60
_CELL = 600
_PAGE = 3000
_PERSON = re.compile(r"<@!?\d+>")
_DIGEST = re.compile(r"((?:sha256:)?[0-9a-f]{12})[0-9a-f]{28,52}")


def words(text: str, most: int = _LINE) -> str:
    """Returns the beginning of a text that people wrote, in one line, without secrets and ids of people."""
    clean, _ = redact(text, KINDS)
    return _short(" ".join(_PERSON.sub("@user", clean).split()), most)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _brief(value: object) -> str:
    """Returns a value in a few characters; collections as their size."""
    if isinstance(value, str):
        if digest := _DIGEST.fullmatch(value):
            return repr(f"{digest[1]}…")
        return repr(_short(redact(value, ("secrets",))[0], _LINE))
    if isinstance(value, datetime):
        return value.isoformat(" ", "minutes")
    if isinstance(value, Mapping):
        return f"<{len(value)} keys>"
    if isinstance(value, Collection):
        short = [_brief(item) for item in value] if len(value) <= 3 else []
        line = f"({short[0]},)" if len(short) == 1 else f"({', '.join(short)})"
        return line if short and len(line) <= _LINE else f"<{len(value)} items>"
    if attrs.has(type(value)) and type(value).__str__ is not object.__str__ and not isinstance(value, Shown):
        return _brief(" ".join(str(value).split()))
    return _short(repr(value), _LINE)


def _told_in_cell(value: object) -> str:
    """Returns a value for a table: without quotes, and with short lists written out."""
    if isinstance(value, str):
        return f"{digest[1]}…" if (digest := _DIGEST.fullmatch(value)) else words(value, _CELL)
    if isinstance(value, tuple) and all(isinstance(item, str) for item in value):
        shown = ", ".join(words(item) for item in value[:3])
        return f"{shown} and {len(value) - 3} more" if len(value) > 3 else shown
    if attrs.has(type(value)) and type(value).__str__ is not object.__str__:
        return words(str(value), _CELL)
    return _brief(value)


def page(text: str, title: str) -> str:
    """Returns HTML that shows a text as it is; a long one is folded below its title. Secrets are replaced."""
    clean = escape(redact(text, ("secrets",))[0])
    # Some notebooks show <pre> in a proportional font, in which columns are not aligned.
    shown = f'<pre style="white-space:pre-wrap;text-align:left;font-family:monospace">{clean}</pre>'
    return shown if len(text) <= _PAGE else f"<details><summary>{escape(title)}</summary>{shown}</details>"


class Shown:
    """Gives an attrs class its `repr` and its table in a notebook.

    Both leave out fields with default values. The `repr` also leaves out fields with ``repr=False``, and shows only the
    beginning of fields with ``repr=words``, which contain what people wrote.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={text}' for name, text in self._facts())})"

    def _repr_html_(self) -> str:
        """Returns what ``print`` shows, or a table of the fields. Everything in it is escaped."""
        if type(self).__str__ is not object.__str__:
            return page(str(self), repr(self))
        rows = "".join(
            f'<tr><th style="text-align:left">{escape(name)}</th><td style="text-align:left">{escape(text)}</td></tr>'
            for name, text in self._cells()
        )
        caption = f'<caption style="text-align:left">{escape(type(self).__name__)}</caption>'
        return f"<table>{caption}<tbody>{rows}</tbody></table>"

    def _facts(self) -> Iterator[tuple[str, str]]:
        """Yields name and value of each field in the `repr`, as text."""
        for a, value in self._told():
            if callable(a.repr):
                yield a.name, repr(a.repr(value))
            elif a.repr:
                yield a.name, _brief(value)

    def _cells(self) -> Iterator[tuple[str, str]]:
        """Yields name and value of each field in the table, as text. It shows more text than the `repr`."""
        for a, value in self._told():
            if isinstance(value, str) or a.repr:
                yield a.name, _told_in_cell(value)

    def _told(self) -> Iterator[tuple[attrs.Attribute[Any], Any]]:
        """Yields the fields that tell a reader something, with their values."""
        # Fields of subclasses count too.
        heir: Any = type(self)  # an attrs class
        for a in attrs.fields(heir):
            value = getattr(self, a.name)
            # Default and empty values tell a reader nothing.
            if value != a.default and value not in ("", (), {}, None):
                yield a, value
