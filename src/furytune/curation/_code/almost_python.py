"""Handles code that is almost Python: IPython syntax, placeholders, diffs, and syntax of newer Pythons."""

from __future__ import annotations

import io
import re
import tokenize
from typing import Final

__all__ = ["SHELL", "added_side", "in_older_syntax", "is_diff", "is_newer", "is_other_cell", "rewritten"]

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
_HEADER: Final = re.compile(r"(?:[+-]{3} |@@ |diff --git |index [0-9a-f]{6,}|(?:new|deleted) file mode )")
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
# PEP 758 (3.14), PEP 695 (3.12) and PEP 750 (3.14), each with a form that uses the same names in 3.11.
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
    """Returns whether a line begins with ``-`` or ``+``, as in a diff.

    If the code parses, lines inside strings do not count, because a docstring may contain a list.
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


def added_side(text: str) -> str:
    """Returns what a diff leads to: lines without a sign and added lines. Removed lines become empty."""
    lines = text.split("\n")
    changed = [line for line in lines if line[:1] in {"+", "-"} and not _HEADER.match(line)]
    # People who write a diff by hand put a space after the sign, and none before the other lines.
    wide = all(line[1:2] in {"", " "} for line in changed)
    result = []
    for line in lines:
        if line[:1] == "-" or _HEADER.match(line):
            result.append("")
        elif line[:1] == "+":
            result.append(line[2:] if wide else line[1:])
        else:
            result.append(line.removeprefix("  " if wide and line[:2] == "  " else " "))
    return "\n".join(result)


def is_other_cell(text: str) -> bool:
    """Returns whether the text is a notebook cell in another language, or one that writes a file."""
    return _OTHER_CELL.match(text) is not None


def is_newer(text: str) -> bool:
    """Returns whether an f-string may need Python 3.12 or later to parse (PEP 701).

    Such an f-string has, inside a field, its own quote, a backslash, a comment, or a line break.
    """
    bodies = (m["long"] or m["short"] or "" for m in _F_STRING.finditer(text))
    return any(b.count("{") > b.count("}") or _FIELD_311_LACKS.search(b) for b in bodies)


def in_older_syntax(text: str) -> str:
    """Rewrites newer statements in a form that all supported Pythons parse."""
    # The rewritten code is only read, never shown: the answer stays as it is.
    for pattern, older in _OLDER:
        text = pattern.sub(older, text)
    return text


def rewritten(text: str) -> list[str]:
    """Returns the text, then the text in older syntax, then with its gaps filled, each version once.

    ``<name>`` and the ellipsis character become ``...``, and ``...`` is removed where no expression may be.
    """
    older = in_older_syntax(text)
    filled = _WORDS.sub("...", older.replace("\u2026", "..."))
    bare = _DOTS_FIRST.sub("", _DOTS_NEXT.sub("", _DOTS_AFTER.sub("", filled)))
    return list(dict.fromkeys((text, older, filled, bare)))
