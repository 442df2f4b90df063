"""Finds and parses the Python that people paste into chat answers."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Final

from attrs import frozen

from furytune._python_source.bindings import parse
from furytune.curation._code.almost_python import SHELL, is_diff, is_newer, is_other_cell, rewritten

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator

__all__ = ["Snippet", "fenced", "inline", "tree"]

_PYTHON: Final = frozenset({"py", "python", "python3", "py3", "pycon", "ipython", "ipython3"})
_LONGEST: Final = 100_000
_FENCE: Final = re.compile(r"^[> \t]*(?P<mark>`{3,}|~{3,})|(?P<mark2>`{3,})", re.MULTILINE)
_LANGUAGE: Final = re.compile(r"[ \t]*([\w+#.-]*+)([^\n`]{0,80})\n")
_QUOTED: Final = re.compile(r"^[ \t]*>[ \t]?", re.MULTILINE)
_PROMPT: Final = re.compile(r"^[ \t]*(?:>>> ?|In \[\d+\]: ?)", re.MULTILINE)
_DOTS: Final = re.compile(r"^[ \t]*\.\.\.(?:[ :]|$)")
_LONGEST_ENTRY: Final = 100
_OMITTED: Final = re.compile(r"^\s*(?:\[?(?:\.{2,}|\u2026)\]?)\s*$")
_TRACEBACK: Final = "Traceback (most recent call last)"


@frozen
class Snippet:
    """One block of code.

    Attributes:
        text: The text between the fences.
        marked: Whether the fence says that it is Python.
        number: The number of the block in the answer, counted from 1.
    """

    text: str
    marked: bool
    number: int


def fenced(answer: str) -> Iterator[Snippet]:
    """Yields the fenced blocks that are marked as Python or not marked at all."""
    at, number = 0, 0
    while opening := _FENCE.search(answer, at):
        mark = opening["mark"] or opening["mark2"]
        start = opening.end()
        # An unclosed fence runs to the end of the answer, because some people forget to close it.
        end = answer.find(mark, start)
        body = answer[start : end if end >= 0 else len(answer)]
        at = end + len(mark) if end >= 0 else len(answer)
        number += 1
        word, text = _language(body)
        if word and word not in _PYTHON:
            continue
        # A quoted code block has the mark of the quote on each line.
        if opening[0].lstrip().startswith(">"):
            text = _QUOTED.sub("", text)
        yield Snippet(text, marked=bool(word), number=number)


def _language(body: str) -> tuple[str, str]:
    """Splits the text between fences into the name of its language and the code."""
    line = _LANGUAGE.match(body)
    if line is None:
        return "", body
    word = line[1].lower()
    # In "```import fury", code begins on the line of the fence, so its first word is not a language.
    if line[2].strip() and word not in _PYTHON:
        return "", body
    return word, body[line.end() :]


def inline(answer: str) -> Iterator[Snippet]:
    """Yields the code between single backticks, outside fences."""
    prose = re.sub(r"(`{3,}|~{3,}).*?(?:\1|\Z)", " ", answer, flags=re.DOTALL)
    for number, text in enumerate(re.findall(r"(?<!`)`([^`\n]+)`(?!`)", prose), start=1):
        yield Snippet(text, marked=False, number=number)


def tree(snippet: Snippet) -> tuple[ast.Module | None, bool]:
    """Parses a snippet as a human reader would.

    Prompts, session output, lines for a shell or IPython, placeholders and cut-off indentation are accepted. A diff, or
    code that only a newer Python may parse, is not judged.

    Returns:
        The tree or None, and whether the snippet is broken: marked as Python, but not readable as Python.
    """
    # A parser may take seconds for a pasted log, and a traceback is not code.
    if len(snippet.text) > _LONGEST or _TRACEBACK in snippet.text:
        return None, False
    # Chat clients add carriage returns, no-break spaces and tabs that Python would refuse.
    plain = textwrap.dedent(snippet.text.replace("\r\n", "\n").replace("\u00a0", " ").expandtabs()).strip(
        "\n"
    )
    if _PROMPT.search(plain) and parse(plain) is None:
        plain = _session(plain)
    if is_other_cell(plain):
        return None, False
    # Readings go from the text itself to freer ones; the first that parses counts.
    tried: set[str] = set()
    for candidate in (reading for text in rewritten(plain) for reading in _readings(text)):
        # Most readings are equal for code that is already Python.
        if candidate in tried:
            continue
        tried.add(candidate)
        if (module := parse(candidate)) is not None:
            return (None if is_diff(candidate, parsed=True) else module), False
    return None, snippet.marked and not is_newer(plain) and not is_diff(plain, parsed=False)


def _readings(text: str) -> Iterator[str]:
    """Yields a text in freer and freer readings, such as without shell lines or omissions."""
    yield text
    lines = text.split("\n")
    yield "\n".join(re.sub(r"\S.*", "pass", line) if SHELL.match(line) else line for line in lines)
    kept = [line for line in lines if not SHELL.match(line)]
    yield "\n".join(kept)
    filled = [re.sub(r"\S.*", "pass", line) if _OMITTED.match(line) else line for line in kept]
    yield "\n".join(filled)
    solid = [line for line in kept if not _OMITTED.match(line)]
    yield "\n".join(solid)
    rest = textwrap.dedent("\n".join(solid[1:]))
    yield "\n".join([solid[0].lstrip() if solid else "", rest])
    whole = "\n".join(solid)
    yield f"if True:\n    pass\n{whole}"  # starts at `else:` or `elif`
    yield f"try:\n    pass\n{whole}"  # starts at `except` or `finally`
    yield f"{whole.rstrip()}\n{_indent_after(whole)}pass"  # ends at `def f():`


def _session(text: str) -> str:
    """Keeps the input of an interactive session and removes its output.

    Input is a line with a prompt, the lines with dots after it, and, if those are not a complete statement, as many of the
    following lines as complete it.
    """
    entries: list[list[str]] = []
    dots = growing = False
    for line in text.split("\n"):
        if _PROMPT.match(line):
            entries.append([_PROMPT.sub("", line, count=1)])
            dots = growing = True
        elif dots and _DOTS.match(line):
            entries[-1].append(_DOTS.sub("", line, count=1))
        elif growing:
            dots = False
            growing = len(entries[-1]) < _LONGEST_ENTRY and not _is_complete(entries[-1])
            if growing:
                entries[-1].append(line)
    return "\n".join(line for entry in entries for line in entry)


def _is_complete(entry: list[str]) -> bool:
    return SHELL.match(entry[0]) is not None or parse("\n".join(entry)) is not None


def _indent_after(text: str) -> str:
    last = text.rstrip().rpartition("\n")[2]
    return " " * (len(last) - len(last.lstrip()) + 4)
