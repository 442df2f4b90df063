"""Finds and parses the Python that people paste into chat answers."""

from __future__ import annotations

import ast
import re
import textwrap
from bisect import bisect_right
from typing import TYPE_CHECKING, Final, Literal

from attrs import frozen

from furytune._python_source.bindings import parse
from furytune.curation._code.almost_python import (
    SHELL,
    added_side,
    is_diff,
    is_newer,
    is_other_cell,
    rewritten,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Snippet", "snippets", "tree"]

Form = Literal["fenced", "indented", "session", "inline"]

_PYTHON: Final = frozenset({"py", "python", "python3", "py3", "pycon", "ipython", "ipython3"})
_DIFFS: Final = frozenset({"diff", "patch"})
_LONGEST: Final = 100_000
_FENCE: Final = re.compile(r"^[> \t]*(?P<mark>`{3,}|~{3,})|(?P<mark2>`{3,})", re.MULTILINE)
_LANGUAGE: Final = re.compile(r"[ \t]*([\w+#.-]*+)([^\n`]{0,80})\n")
_QUOTED: Final = re.compile(r"^[ \t]*>[ \t]?", re.MULTILINE)
_PROMPT: Final = re.compile(r"^[ \t]*(?:>>> ?|In \[\d+\]: ?)", re.MULTILINE)
_DOTS: Final = re.compile(r"^[ \t]*\.\.\.(?:[ :]|$)")
_CONTINUED: Final = re.compile(r"^[ \t]*\.{3,}:? ?")
_LONGEST_ENTRY: Final = 100
_MOST_TRIES: Final = 200
_OMITTED: Final = re.compile(r"^\s*(?:\[?(?:\.{2,}|\u2026)\]?)\s*$")
_TRACEBACK: Final = "Traceback (most recent call last)"
_INLINE: Final = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_INDENTED: Final = re.compile(r"(?: {4}|\t)\s*\S")
_OF_MODULE: Final = re.compile(r"(?:from|import)[ \t]+[A-Za-z_]")
_IS_GONE: Final = re.compile(
    r"\b(?:deprecat|remov|renam|replac|no longer|not (?:exist|available|supported|there)|n't (?:exist|work|use|have)|gone|used to"
    r"|instead of|rather than|formerly|previously|was called|old(?:er)?\b|in (?:version )?v?\d+\.\d|before v?\d|until v?\d"
    r"|AttributeError|ImportError|TypeError|has no)",
    re.IGNORECASE,
)
"""Words of a sentence that may speak of code because it does not work any more."""
_SENTENCE: Final = re.compile(r"[.!?;](?=\s)|\n")


@frozen
class Snippet:
    """One piece of code.

    Attributes:
        text: The code.
        marked: Whether its fence says that it is Python.
        number: The number of the fenced block in the answer, counted from 1; 0 for code outside fences.
        form: How it stands in the answer.
        line: The line of the answer on which it begins, counted from 1.
        diff: Whether it is marked as a diff.
    """

    text: str
    marked: bool
    number: int
    form: Form = "fenced"
    line: int = 1
    diff: bool = False


def snippets(answer: str) -> Iterator[Snippet]:
    """Yields the code in an answer: fenced blocks, indented blocks and sessions, then code between single backticks.

    Fenced blocks in another language are left out. Code between backticks is left out if its sentence says that something
    was removed or renamed.
    """
    ends = [m.start() for m in re.finditer("\n", answer)]
    rest = list(answer)
    for start, stop, snippet in _fenced(answer, ends):
        # What follows must not read code again, but must keep the lines.
        rest[start:stop] = [c if c == "\n" else " " for c in answer[start:stop]]
        if snippet is not None:
            yield snippet
    prose = "".join(rest)
    lines = prose.split("\n")
    for first, last, form in _outside(lines):
        yield Snippet("\n".join(lines[first:last]), marked=False, number=0, form=form, line=first + 1)
        lines[first:last] = [""] * (last - first)
    yield from _inline("\n".join(lines))


def _fenced(answer: str, ends: list[int]) -> Iterator[tuple[int, int, Snippet | None]]:
    """Yields the span of each fenced block, and its code if it may be Python."""
    at, number = 0, 0
    while opening := _FENCE.search(answer, at):
        mark = opening["mark"] or opening["mark2"]
        start = opening.end()
        # An unclosed fence runs to the end of the answer, because some people forget to close it.
        end = answer.find(mark, start)
        stop = end if end >= 0 else len(answer)
        body = answer[start:stop]
        at = end + len(mark) if end >= 0 else len(answer)
        number += 1
        word, text = _language(body)
        if word and word not in _PYTHON and word not in _DIFFS:
            yield opening.start(), at, None
            continue
        line = bisect_right(ends, start + len(body) - len(text) - 1) + 1
        # A quoted code block has the mark of the quote on each line.
        if opening[0].lstrip().startswith(">"):
            text = _QUOTED.sub("", text)
        yield (
            opening.start(),
            at,
            Snippet(text, marked=word in _PYTHON, number=number, line=line, diff=word in _DIFFS),
        )


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


def _outside(lines: list[str]) -> Iterator[tuple[int, int, Form]]:
    """Yields the first and last line of each session, indented block, and paragraph that begins with an import."""
    at, tries = 0, _MOST_TRIES
    while at < len(lines):
        line, before = lines[at], lines[at - 1].strip() if at else ""
        end = at + 1
        if _PROMPT.match(line):
            while end < len(lines) and lines[end].strip():
                end += 1
            yield at, end, "session"
        elif _INDENTED.match(line) and not before:
            while end < len(lines) and (_INDENTED.match(lines[end]) or not lines[end].strip()):
                end += 1
            yield at, end, "indented"
        elif _OF_MODULE.match(line) and parse(line) is not None:
            # Pasted without any mark: as many lines as are still Python.
            while end < len(lines) and end - at < _LONGEST_ENTRY and lines[end].strip():
                end += 1
            while end > at + 1 and parse("\n".join(lines[at:end])) is None:
                # A text made to be slow gets its first line alone.
                tries -= 1
                end = end - 1 if tries > 0 else at + 1
            yield at, end, "indented"
        at = end


def _inline(prose: str) -> Iterator[Snippet]:
    """Yields the code between single backticks, but not in sentences about what is gone."""
    line, at = 1, 0
    stops = [0, *(m.end() for m in _SENTENCE.finditer(prose)), len(prose)]
    gone: dict[int, bool] = {}
    for found in _INLINE.finditer(prose):
        line += prose.count("\n", at, found.start())
        at = found.start()
        number = bisect_right(stops, found.start())
        if number not in gone:
            # The code itself may contain such words, as in `old.remove()`.
            sentence = prose[stops[number - 1] : stops[number] if number < len(stops) else len(prose)]
            gone[number] = _IS_GONE.search(_INLINE.sub("", sentence)) is not None
        if not gone[number]:
            yield Snippet(found[1], marked=False, number=0, form="inline", line=line)


def tree(snippet: Snippet) -> tuple[ast.Module | None, bool]:
    """Parses a snippet as a human reader would. The lines of the tree are those of the answer.

    Prompts, session output, lines for a shell or IPython, placeholders and cut-off indentation are accepted. Of a diff,
    only the side with the added lines counts. Code that only a newer Python may parse is not judged.

    Returns:
        The tree or None, and whether the snippet is broken: marked as Python, but not readable as Python.
    """
    # A parser may take seconds for a pasted log, and a traceback is not code.
    if len(snippet.text) > _LONGEST or _TRACEBACK in snippet.text:
        return None, False
    # Chat clients add carriage returns, no-break spaces and tabs that Python would refuse.
    plain = textwrap.dedent(snippet.text.replace("\r\n", "\n").replace("\u00a0", " ").expandtabs())
    if _PROMPT.search(plain) and parse(plain) is None:
        plain = _session(plain)
    if is_other_cell(plain):
        return None, False
    diff = snippet.diff or is_diff(plain, parsed=parse(plain) is not None)
    if diff:
        plain = textwrap.dedent(added_side(plain))
    module = _parsed(plain)
    if module is not None:
        ast.increment_lineno(module, snippet.line - 1)
        return module, False
    return None, snippet.marked and not diff and not is_newer(plain)


def _parsed(plain: str) -> ast.Module | None:
    """Parses a text in freer and freer readings; the first that parses counts."""
    tried: set[str] = set()
    for text in rewritten(plain):
        for candidate, extra in _readings(text):
            # Most readings are equal for code that is already Python.
            if candidate in tried:
                continue
            tried.add(candidate)
            if (module := parse(candidate)) is not None:
                if extra:
                    ast.increment_lineno(module, -extra)
                return module
    return None


def _readings(text: str) -> Iterator[tuple[str, int]]:
    """Yields a text in freer and freer readings, such as without shell lines or omissions.

    A line that is left out becomes empty, so that the others keep their numbers. The number says how many lines a reading
    has before the text.
    """
    yield text, 0
    lines = text.split("\n")
    yield "\n".join(re.sub(r"\S.*", "pass", line) if SHELL.match(line) else line for line in lines), 0
    kept = ["" if SHELL.match(line) else line for line in lines]
    yield "\n".join(kept), 0
    yield "\n".join(re.sub(r"\S.*", "pass", line) if _OMITTED.match(line) else line for line in kept), 0
    solid = ["" if _OMITTED.match(line) else line for line in kept]
    whole = "\n".join(solid)
    yield whole, 0
    first = next((i for i, line in enumerate(solid) if line.strip()), 0)
    rest = textwrap.dedent("\n".join(solid[first + 1 :]))
    yield "\n".join([*[""] * first, solid[first].lstrip(), rest]), 0
    yield f"if True:\n    pass\n{whole}", 2  # starts at `else:` or `elif`
    yield f"try:\n    pass\n{whole}", 2  # starts at `except` or `finally`
    yield f"{whole.rstrip()}\n{_indent_after(whole)}pass", 0  # ends at `def f():`


def _session(text: str) -> str:
    """Keeps the input of an interactive session and replaces its output by empty lines.

    Input is a line with a prompt, the lines with dots after it, and, if those are not a complete statement, as many of the
    following lines as complete it.
    """
    entry: list[str] = []
    result: list[str] = []
    dots = growing = False
    for line in text.split("\n"):
        kept = ""
        if _PROMPT.match(line):
            kept = _PROMPT.sub("", line, count=1)
            entry = [kept]
            dots = growing = True
        elif dots and _DOTS.match(line):
            kept = _CONTINUED.sub("", line, count=1)
            entry.append(kept)
        elif growing:
            dots = False
            growing = len(entry) < _LONGEST_ENTRY and not _is_complete(entry)
            if growing:
                kept = line
                entry.append(line)
        result.append(kept)
    return "\n".join(result)


def _is_complete(entry: list[str]) -> bool:
    return SHELL.match(entry[0]) is not None or parse("\n".join(entry)) is not None


def _indent_after(text: str) -> str:
    last = text.rstrip().rpartition("\n")[2]
    return " " * (len(last) - len(last.lstrip()) + 4)
