"""What is almost Python: IPython's own syntax, placeholders, diffs, and what only newer Pythons parse."""

from __future__ import annotations

import io
import re
import tokenize
from typing import Final

__all__ = ["SHELL", "in_older_syntax", "is_diff", "is_newer", "is_other_cell", "rewritten"]

SHELL: Final = re.compile(
    r"^\s*(?:\$\s*\w|!\s*\S|%{1,2}\s?[A-Za-z]|\?{1,2}\s*[\w.*]+\s*$"
    r"|[\w.*]+\?{1,2}\s*(?:;\s*)?(?:#.*)?$|\w+(?:, ?\w+){0,9} ?= ?[!%]\s?[A-Za-z./~]"
    r"|(?:python3?|pip3?|conda|mamba|uv|git|cd|ls|sudo|apt|brew|export|source)\s+[\w./-]+)"
)
"""A line for a shell or for IPython: ``$ x``, ``!x``, ``%magic``, ``name?``, ``files = !ls``."""

_OTHER_CELL: Final = re.compile(
    r"\s*%%\s?(?:bash|cython|cmd|html|javascript|js|latex|markdown|perl|ruby|script|sh|svg|system|sx|writefile|file|R)\b"
)
_DIFF: Final = re.compile(r"^(?:[-+](?![-+ \t]*[\d.(]*\d)|@@ -\d)", re.MULTILINE)
_WORDS: Final = re.compile(r"<[A-Za-z_][^<>\n=()]{0,80}>")
_DOTS: Final = r"(?:\.{2,}+(?!\d))"
_DOTS_AFTER: Final = re.compile(rf",\s{{0,200}}{_DOTS}(?=\s{{0,200}}[,)\]}}])")
_DOTS_NEXT: Final = re.compile(rf"(?<=[\w)\]}}\"'])[ \t]{{1,40}}{_DOTS}(?=[ \t]{{0,40}}[)\]}}])")
_DOTS_FIRST: Final = re.compile(rf"(?<=[(\[{{])\s{{0,200}}{_DOTS}\s{{0,200}},")
_F_STRING: Final = re.compile(
    r"\b(?:[fF][rR]?|[rR][fF])"
    r"(?:(?P<triple>\"\"\"|''')(?P<long>(?:(?!(?P=triple))[\s\S])*+)|(?P<mark>[\"'])(?P<short>(?:(?!(?P=mark))[^\n])*+))"
)
_FIELD_311_LACKS: Final = re.compile(r"\{[^{}]*[\\#]")
# PEP 758 (3.14), PEP 695 (3.12) and PEP 750 (3.14), each with what says the same of names in 3.11.
_OLDER: Final = (
    (
        re.compile(r"^([ \t]*except\*?[ \t]+)([\w.]+(?:[ \t]*,[ \t]*[\w.]+)+)(?=[ \t]*:)", re.MULTILINE),
        r"\1(\2)",
    ),
    (re.compile(r"^([ \t]*)type[ \t]+(\w+)[ \t]*(?:\[[^\n=]*\][ \t]*)?(?==)", re.MULTILINE), r"\1\2 "),
    (re.compile(r"^([ \t]*(?:(?:async[ \t]+)?def|class)[ \t]+\w+)[ \t]*\[[^\n()]*\]", re.MULTILINE), r"\1"),
    (re.compile(r"(?<![\w\"'])(?:[tT][rR]?|[rR][tT])(?=[\"'])"), "f"),
)


def is_diff(text: str, *, parsed: bool) -> bool:
    """Whether a line begins with a sign, as those that a change takes out or puts in.

    Of code that Python parses, only lines that are not within a string count: a docstring may hold a list.
    """
    if _DIFF.search(text) is None or not parsed:
        return _DIFF.search(text) is not None
    try:
        return any(
            token.type == tokenize.OP and token.start[1] == 0 and _DIFF.match(token.line)
            for token in tokenize.generate_tokens(io.StringIO(text).readline)
        )
    except (tokenize.TokenError, SyntaxError):
        return True


def is_other_cell(text: str) -> bool:
    """Whether it is a cell of a notebook in another language, or one that is written to a file."""
    return _OTHER_CELL.match(text) is not None


def is_newer(text: str) -> bool:
    """Whether an f-string may hold what Python 3.11 cannot parse and 3.12 can (PEP 701).

    That is the quote of the string within a field, a backslash, a comment, or a field over several lines.
    """
    bodies = (m["long"] or m["short"] or "" for m in _F_STRING.finditer(text))
    return any(b.count("{") > b.count("}") or _FIELD_311_LACKS.search(b) for b in bodies)


def in_older_syntax(text: str) -> str:
    """Writes statements that newer Pythons added in the form that all of them parse."""
    for pattern, older in _OLDER:
        text = pattern.sub(older, text)
    return text


def rewritten(text: str) -> list[str]:
    """Returns the text, then in older syntax, then with what the reader is to fill in as expressions.

    Filled in are ``<name>`` and the character for an ellipsis; left out is ``...`` where no expression fits.
    """
    older = in_older_syntax(text)
    filled = _WORDS.sub("...", older.replace("\u2026", "..."))
    bare = _DOTS_FIRST.sub("", _DOTS_NEXT.sub("", _DOTS_AFTER.sub("", filled)))
    return list(dict.fromkeys((text, older, filled, bare)))
