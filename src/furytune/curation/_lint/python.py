"""Finds fences that are never closed, and Python whose indentation was lost on its way through a chat."""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from typing import Final

from furytune._python_source.bindings import parse
from furytune.curation._code.snippets import Snippet, tree
from furytune.curation._lint.blocks import Block, blocks

__all__ = ["broken_indentation", "closed", "indented"]

_PYTHON: Final = re.compile(r"[ \t]*(?:py|python|python3|py3)[ \t]*\n", re.IGNORECASE)
_WORD: Final = re.compile(r"[ \t]*[\w+#.-]*[ \t]*\n")
_FIRST_LINE: Final = re.compile(r"[ \t]*[\w+#.-]*[ \t]*\n(?=[\s\S]*\S)")
_OPENS: Final = re.compile(
    r"^[ \t]*(?:def \w+\(|class \w+[(:]|for \w[\w, ]* in .+:|if .+:|while .+:|with .+:|try:)[^\n]*$",
    re.MULTILINE,
)
_LONGEST: Final = 20_000
_TABS: Final = (8, 4)


def closed(answer: str) -> str:
    """Returns an answer whose last fence is closed. One with nothing behind it is removed."""
    last = blocks(answer)[-1] if blocks(answer) else None  # only the last one can be open
    if last is None or answer.startswith(last.mark, last.end) or not _starts_line(answer, last):
        return answer
    if not answer[last.body :].strip():
        return answer[: last.start].rstrip() or answer
    if _FIRST_LINE.match(answer, last.body) is None:
        return answer
    return f"{answer.rstrip()}\n{last.mark}"


def indented(answer: str) -> str:
    """Returns an answer whose Python is indented as Python wants it, if only one reading of it is possible.

    Only blocks that do not parse are touched, and only if they do afterwards: blanks that all lines share are removed; so are
    those of all lines but the first, which loses them when people copy; and tabs become blanks, unless their width matters.
    A block with a string of several lines stays as it is, because the string would change.
    """
    parts, at = [], 0
    for block in blocks(answer):
        code = _code(answer, block)
        if code is not None and (better := _repaired(code)) is not None:
            parts += [answer[at : block.end - len(code)], better]
            at = block.end
    return "".join([*parts, answer[at:]]) if parts else answer


def broken_indentation(answer: str) -> str | None:
    """Returns which block of an answer is Python without its indentation, None if there is not one."""
    for number, block in enumerate(blocks(answer), 1):
        code = _code(answer, block)
        if code is None or _OPENS.search(code) is None:
            continue
        # What reads as Python in a free reading, such as a session or code with gaps, is not broken.
        if tree(Snippet(code, marked=True, number=number))[1] and _misindented(code):
            return f"block {number}"
    return None


def _starts_line(answer: str, block: Block) -> bool:
    """Returns whether a fence begins its line. Within a line, it may be something that the answer talks about."""
    return not answer[answer.rfind("\n", 0, block.start) + 1 : block.start].strip()


def _code(answer: str, block: Block) -> str | None:
    """Returns the code of a block if it may be Python: the fence says so, or it has a statement that opens a block."""
    if block.end - block.body > _LONGEST:
        return None
    text = answer[block.body : block.end]
    if (marked := _PYTHON.match(text)) is not None:
        return text[marked.end() :]
    word = _WORD.match(text)
    if word is not None and word[0].strip():
        return None
    code = text[word.end() :] if word is not None else text
    return code if "\n" in code and _OPENS.search(code) is not None else None


def _repaired(code: str) -> str | None:
    """Returns code that parses, made from code that does not by its indentation alone; None if there is no single reading."""
    if ">>>" in code or parse(code) is not None or not _misindented(code, dedent=False):
        return None
    first, found, rest = code.partition("\n")
    readings = [textwrap.dedent(code)]
    # People who copy a block lose the indentation of its first line only.
    readings += [f"{first}{found}{textwrap.dedent(rest)}"] if not first[:1].isspace() else []
    for candidate in readings:
        if (module := parse(candidate)) is not None:
            return candidate if not _long_string(module) else None
    spaced = [textwrap.dedent(code.expandtabs(width)) for width in _TABS] if "\t" in code else []
    parsed = {ast.dump(module): (text, module) for text in spaced if (module := parse(text)) is not None}
    # Tabs of 8 and of 4 blanks must mean the same, or only one of them anything.
    text, module = next(iter(parsed.values()), ("", None))
    return text if len(parsed) == 1 and module is not None and not _long_string(module) else None


def _long_string(module: ast.Module) -> bool:
    return any(
        isinstance(node, ast.Constant | ast.JoinedStr) and node.end_lineno != node.lineno
        for node in ast.walk(module)
    )


def _misindented(code: str, *, dedent: bool = True) -> bool:
    """Returns whether Python refuses code for its indentation."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(textwrap.dedent(code) if dedent else code)
        except IndentationError:  # and TabError
            return True
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            return False
    return False
