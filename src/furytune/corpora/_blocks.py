"""Takes a documentation file apart: into sections at headings, and a section into pieces of bounded size."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

from attrs import frozen

__all__ = ["Piece", "Section", "pieces", "sections"]

_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_SETEXT = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_FENCE = re.compile(r"\s*(?:(?:[-*+]|\d+[.)])\s+)?(`{3,}|~{3,})(.*)$")
# What begins a block of its own in Markdown, so that a line of hyphens below it is no underline.
_NO_PARAGRAPH = re.compile(r" {0,3}(?:#|>|[-*+][ \t]|\d+[.)][ \t]|\||<)|\s{4,}|\t")
_UNDERLINE = re.compile(r"([!-/:-@\[-`{-~])\1*[ \t]*$")
_DIRECTIVE = re.compile(r"\s*\.\.\s+([\w:.+-]+)::")
_CODE_NAMES = """
code code-block doctest graphviz highlight ipython literalinclude math mermaid parsed-literal plot prompt raw
sourcecode testcode testoutput testsetup
"""
_CODE_DIRECTIVES = frozenset(_CODE_NAMES.split())


@frozen(kw_only=True)
class Section:
    """Lines below one heading, up to the next.

    Attributes:
        path: Its heading, and those that it is below, outermost first.
        start: Number of its first line, from 0.
        lines: Its lines, the heading's own among them.
        code: For each line, the number of the code block it belongs to, 0 for none.
    """

    path: tuple[str, ...]
    start: int
    lines: tuple[str, ...]
    code: tuple[int, ...]


@frozen(kw_only=True)
class Piece:
    """A part of a section that makes one passage: its text, and its lines from ``start`` up to ``end``."""

    text: str
    start: int
    end: int


@frozen(kw_only=True)
class _Heading:
    first: int  # line, overline included
    body: int  # line after it, underline included
    style: tuple[str, int]
    text: str


def sections(lines: Sequence[str], suffix: str) -> Iterator[Section]:
    """Cuts a file at its headings.

    Args:
        lines: Without line ends.
        suffix: ``.md``, ``.rst``, or anything else for a text without headings.
    """
    if suffix == ".md":
        code = _markdown_code(lines)
        headings = _markdown_headings(lines, code)
    elif suffix == ".rst":
        code = _literal_code(lines)
        headings = _rst_headings(lines, code)
    else:
        code, headings = _indented_code(lines), []
    path: list[tuple[tuple[str, int], str]] = []
    begin, seen, kept = 0, 0, tuple[str, ...]()
    for heading in headings:
        if any(line.strip() for line in lines[seen : heading.first]):
            yield _section(kept, begin, heading.first, lines, code)
            begin = heading.first
        _descend(path, heading)
        seen, kept = heading.body, tuple(text for _, text in path)
    if any(line.strip() for line in lines[begin:]):
        yield _section(kept, begin, len(lines), lines, code)


def _section(
    path: tuple[str, ...], start: int, end: int, lines: Sequence[str], code: Sequence[int]
) -> Section:
    return Section(path=path, start=start, lines=tuple(lines[start:end]), code=tuple(code[start:end]))


def _descend(path: list[tuple[tuple[str, int], str]], heading: _Heading) -> None:
    """Leaves the headings that are not above this one: by its number, or by the style's first use."""
    mark, level = heading.style
    if mark:
        known = [style for style, _ in path]
        if heading.style in known:
            del path[known.index(heading.style) :]
    else:
        while path and path[-1][0][1] >= level:
            path.pop()
    path.append((heading.style, heading.text))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _markdown_headings(lines: Sequence[str], code: Sequence[int]) -> list[_Heading]:
    found: list[_Heading] = []
    for i, line in enumerate(lines):
        if code[i]:
            continue
        above = lines[i - 1] if i and not code[i - 1] else ""
        alone = i < 2 or not lines[i - 2].strip() or (found and found[-1].body == i - 1)
        if match := _ATX.match(line):
            if match[2]:
                found.append(
                    _Heading(first=i, body=i + 1, style=("", len(match[1])), text=_one_line(match[2]))
                )
        elif (match := _SETEXT.match(line)) and above.strip() and alone and not _NO_PARAGRAPH.match(above):
            style = ("", 1 if match[1][0] == "=" else 2)
            found.append(_Heading(first=i - 1, body=i + 1, style=style, text=_one_line(above)))
    return found


def _rst_headings(lines: Sequence[str], code: Sequence[int]) -> list[_Heading]:
    found: list[_Heading] = []
    for i in range(1, len(lines)):
        title, match = lines[i - 1], _UNDERLINE.match(lines[i])
        if not match or not title.strip() or code[i - 1] or _UNDERLINE.match(title):
            continue
        if len(lines[i].rstrip()) < min(4, len(title.strip())):
            continue
        follows = bool(found) and found[-1].body == i - 1
        above = lines[i - 2] if i > 1 and not follows else ""
        over = _UNDERLINE.match(above)
        if over and over[1] == match[1]:
            found.append(_Heading(first=i - 2, body=i + 1, style=(match[1], 1), text=_one_line(title)))
        elif not above.strip() and not title[0].isspace():
            found.append(_Heading(first=i - 1, body=i + 1, style=(match[1], 0), text=_one_line(title)))
    return found


def _markdown_code(lines: Sequence[str]) -> list[int]:
    """Numbers the lines of fenced blocks, fences included, and of indented ones; 0 is no code."""
    code = _indented_code(lines)
    number, fence = max(code, default=0), ""
    for i, line in enumerate(lines):
        match = _FENCE.match(line)
        if fence:
            code[i] = number
            if match and match[1].startswith(fence) and not match[2].strip():
                fence = ""
        elif match and not (match[1][0] == "`" and "`" in match[2]):
            number += 1
            fence, code[i] = match[1], number
    return code


def _indented_code(lines: Sequence[str]) -> list[int]:
    """Numbers the lines of blocks that are indented by four columns after a blank line."""
    code = [0] * len(lines)
    number, i = 0, 0
    while i < len(lines):
        end = i + 1
        if lines[i].strip() and _depth(lines[i]) >= 4 and (i == 0 or not lines[i - 1].strip()):
            end = _end_of_indent(lines, end, 4)
            number += 1
            code[i:end] = [number] * (end - i)
        i = end
    return code


def _literal_code(lines: Sequence[str]) -> list[int]:
    """Numbers the lines of doctests, and of literal blocks with the line that opens them."""
    code = [0] * len(lines)
    number, i = 0, 0
    while i < len(lines):
        end = i + 1
        if lines[i].lstrip().startswith(">>>"):
            end = next((j for j in range(end, len(lines)) if not lines[j].strip()), len(lines))
        elif _opens_literal(lines[i]):
            end = _end_of_indent(lines, end, _depth(lines[i]) + 1)
        if end > i + 1:
            number += 1
            code[i:end] = [number] * (end - i)
        i = end
    return code


def _depth(line: str) -> int:
    expanded = line.expandtabs(4)
    return len(expanded) - len(expanded.lstrip())


def _opens_literal(line: str) -> bool:
    if match := _DIRECTIVE.match(line):
        return match[1].lower() in _CODE_DIRECTIVES
    return line.rstrip().endswith("::")


def _end_of_indent(lines: Sequence[str], start: int, depth: int) -> int:
    """Returns the line after the last that is indented by so much; blank lines may stand between."""
    end = start
    for j in range(start, len(lines)):
        if lines[j].strip():
            if _depth(lines[j]) < depth:
                break
            end = j + 1
    return end


def pieces(section: Section, max_chars: int) -> Iterator[Piece]:
    """Cuts a section into pieces of at most so many characters, code blocks whole."""
    held: list[tuple[int, int]] = []
    for start, end in _blocks(section):
        if held and len(_text(section, held[0][0], end)) > max_chars:
            yield from _flush(section, held, max_chars)
            held = []
        held.append((start, end))
    yield from _flush(section, held, max_chars)


def _blocks(section: Section) -> Iterator[tuple[int, int]]:
    """Yields the paragraphs and code blocks of a section; code stays with a paragraph that touches it."""
    start: int | None = None
    for i, line in enumerate(section.lines):
        inside = section.code[i] != 0 and i > 0 and section.code[i] == section.code[i - 1]
        if not line.strip() and not section.code[i]:
            if start is not None:
                yield start, i
            start = None
        elif start is None:
            start = i
        elif section.code[i - 1] and not inside:
            yield start, i
            start = i
    if start is not None:
        yield start, len(section.lines)


def _flush(section: Section, held: list[tuple[int, int]], max_chars: int) -> Iterator[Piece]:
    start, end = held[0][0], held[-1][1]
    text = _text(section, start, end)
    if len(text) <= max_chars or any(section.code[start:end]):
        yield Piece(text=text, start=section.start + start, end=section.start + end)
        return
    # A single paragraph over the bound.
    for a, b, part in _cut(section.lines[start:end], max_chars):
        yield Piece(text=part, start=section.start + start + a, end=section.start + start + b)


def _text(section: Section, start: int, end: int) -> str:
    return "\n".join(section.lines[start:end]).rstrip()


def _cut(lines: Sequence[str], max_chars: int) -> Iterator[tuple[int, int, str]]:
    """Cuts a paragraph between lines, and a line that is too long itself between words."""
    first, held = 0, ""
    for i, line in enumerate(lines):
        if held and len(held) + 1 + len(line) > max_chars:
            yield first, i, held
            held = ""
        if not held:
            first = i
        if len(line) > max_chars:
            *parts, line = textwrap.wrap(  # noqa: PLW2901
                line, max_chars, expand_tabs=False, replace_whitespace=False, break_on_hyphens=False
            )
            for part in parts:
                yield i, i + 1, part
        held = f"{held}\n{line}" if held else line
    if held:
        yield first, len(lines), held
