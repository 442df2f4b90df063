"""Reads documents made of cells of prose and code: notebooks, and the scripts of an example gallery."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import dropwhile
from typing import Literal

import msgspec
from attrs import frozen

from furytune._python_source.files import UnfitError
from furytune.corpora._text.blocks import Document, Heading, Span
from furytune.corpora._text.markdown import markdown
from furytune.corpora._text.rst import rst

__all__ = ["is_gallery", "notebook", "script"]

_BORDER = re.compile(r"#{20,}[ \t]*(.*)$|#[ \t]?%%[ \t]*(?:\[(?:markdown|md|rst)\])?[ \t]*(.*)$")
_ADORNMENT = re.compile(r"([!#-&(-/:-@\[-`{-~])\1{2,}[ \t]*$")
_OPENING = re.compile(r"[rRuU]?(\"\"\"|''')")
_RUNS_OF_TICKS = re.compile("`{3,}")


@frozen(kw_only=True)
class _Cell:
    """A piece of prose or code."""

    kind: Literal["prose", "code"]
    lines: Sequence[str]
    first: int  # line of the script, or number of the cell
    counted: bool  # whether ``first`` is a line number that increases with each line


def _assembled(
    cells: Sequence[_Cell],
    read: Callable[[list[str]], Document],
    language: str,
    unit: str,
    dropped: Counter[str],
) -> Document:
    """Joins cells into one document. A prose cell and the code after it belong together.

    Args:
        cells: The cells.
        read: Reads prose.
        language: The language of the code, for its fences.
        unit: What a number in a citation counts; "" for lines.
        dropped: What was left out so far.
    """
    lines: list[str] = []
    code: list[int] = []
    origin: list[int] = []
    spans: list[Span] = []
    headings: list[Heading] = []
    block, begin, title = 0, 0, ""
    for cell in cells:
        shift = len(lines)
        numbers = [cell.first + i * cell.counted for i in range(len(cell.lines))]
        if cell.kind == "prose":
            spans.append((begin, shift))
            begin = shift
            part = read(list(cell.lines))
            lines += part.lines
            # Each reader numbers code blocks from 1, so the numbers are shifted.
            code += [number and number + block for number in part.code]
            block += max(part.code, default=0)
            spans += [(a + shift, b + shift) for a, b in part.spans]
            headings += [
                Heading(first=h.first + shift, body=h.body + shift, rank=h.rank, text=h.text)
                for h in part.headings
            ]
            dropped += part.dropped
            title = title or part.title
        else:
            block += 1
            longest = max(
                (len(run) for line in cell.lines for run in _RUNS_OF_TICKS.findall(line)), default=2
            )
            # Longer than any run of backticks in the cell, so that the code cannot close its own fence.
            fence = "`" * (longest + 1)
            lines += [f"{fence}{language}", *cell.lines, fence]
            code += [block] * (len(cell.lines) + 2)
            # The fences are not in the file, so they get the numbers of the lines next to them.
            numbers = [numbers[0], *numbers, numbers[-1]]
        # A blank line keeps two cells from becoming one paragraph.
        lines.append("")
        code.append(0)
        origin += [*numbers, numbers[-1] if numbers else cell.first]
    spans.append((begin, len(lines)))
    return Document(
        lines=lines,
        code=code,
        spans=[(a, b) for a, b in spans if b > a],
        headings=headings,
        title=title,
        dropped=dropped,
        origin=origin,
        unit=unit,
    )


def is_gallery(text: str) -> bool:
    """Returns whether a script is an example for sphinx-gallery: its docstring begins with a title."""
    found = _docstring(text.split("\n"))
    lines = list(dropwhile(lambda line: not line.strip(), found[2])) if found else []
    if len(lines) > 2 and _ADORNMENT.match(lines[0]) and lines[1].strip() and _ADORNMENT.match(lines[2]):
        return True
    return len(lines) > 1 and _ADORNMENT.match(lines[1]) is not None


def script(text: str) -> Document:
    """Reads a script with prose in its docstring and in comments below ``# %%`` or a row of ``#``."""
    cells = [c for c in _script_cells(text.split("\n")) if any(line.strip() for line in c.lines)]
    return _assembled(cells, rst, "python", "", Counter())


def _script_cells(lines: list[str]) -> Iterator[_Cell]:
    """Yields the docstring, the commented prose and the code between them."""
    start = 0
    docstring = _docstring(lines)
    if docstring:
        first, start, text = docstring
        yield _Cell(kind="prose", lines=text, first=first + 1, counted=True)
    i = begin = start
    while i < len(lines):
        match = _BORDER.match(lines[i])
        if not match:
            i += 1
            continue
        yield _code(lines, begin, i)
        # The text on the border line is the title of the cell.
        prose = [match[1] or match[2] or ""]
        first, i = i, i + 1
        while i < len(lines) and lines[i].startswith("#") and not _BORDER.match(lines[i]):
            prose.append(lines[i][2:] if lines[i].startswith("# ") else lines[i][1:])
            i += 1
        yield _Cell(kind="prose", lines=prose, first=first + 1, counted=True)
        begin = i
    yield _code(lines, begin, len(lines))


def _code(lines: list[str], start: int, end: int) -> _Cell:
    """Returns a cell of code without blank lines at its ends."""
    while start < end and not lines[start].strip():
        start += 1
    while end > start and not lines[end - 1].strip():
        end -= 1
    return _Cell(kind="code", lines=lines[start:end], first=start + 1, counted=True)


def _docstring(lines: list[str]) -> tuple[int, int, list[str]] | None:
    """Returns the first line, the line after the last, and the text of the string at the start of a script."""
    # A shebang, an encoding and licence comments may come before the docstring.
    first = next((i for i, line in enumerate(lines) if line.strip() and not line.startswith("#")), None)
    if first is None:
        return None
    match = _OPENING.match(lines[first])
    if not match:
        return None
    quotes, text = match[1], [lines[first][match.end() :]]
    for i in range(first, len(lines)):
        if i > first:
            text.append(lines[i])
        if quotes in text[-1]:
            text[-1] = text[-1].partition(quotes)[0]
            return first, i + 1, text
    return None


class _NotebookCell(msgspec.Struct):
    """A cell of a notebook file, of format 3 or 4.

    Attributes:
        cell_type: "markdown", "code", "raw" or "heading".
        source: Text, or its lines.
        input: The same for code in format 3.
        level: Level of a heading in format 3.
        outputs: Outputs, which are counted and not read.
    """

    cell_type: str
    source: str | list[str] = ""
    input: str | list[str] = ""  # format 3
    level: int = 1
    outputs: list[msgspec.Raw] = []


class _Worksheet(msgspec.Struct):
    cells: list[_NotebookCell] = []


class _Language(msgspec.Struct, frozen=True):
    name: str = ""
    language: str = ""


class _Metadata(msgspec.Struct, frozen=True):
    language_info: _Language = _Language()
    kernelspec: _Language = _Language()


class _Notebook(msgspec.Struct):
    """The parts of a notebook file that are read."""

    nbformat: int
    cells: list[_NotebookCell] = []
    worksheets: list[_Worksheet] = []
    metadata: _Metadata = _Metadata()


_DECODER = msgspec.json.Decoder(_Notebook)


def notebook(text: str, path: str) -> Document:
    """Reads a Jupyter notebook of format 3 or 4, without outputs and raw cells.

    Raises:
        UnfitError: ``not_notebook``: the file is not JSON, or not a notebook.
    """
    try:
        book = _DECODER.decode(text)
    except (msgspec.MsgspecError, RecursionError) as error:
        # msgspec's message names a field and its type, or a byte offset; it never quotes the content.
        raise UnfitError("not_notebook", f"this is not a notebook ({error})", path=path) from error
    if book.nbformat not in (3, 4):
        problem = f"this is a notebook of format {book.nbformat}, but only formats 3 and 4 can be read"
        raise UnfitError("not_notebook", problem, path=path)
    # Without a language the notebook is probably old, and from a time when all were in Python.
    language = book.metadata.language_info.name or book.metadata.kernelspec.language or "python"
    dropped: Counter[str] = Counter()
    cells = []
    for number, cell in enumerate([*book.cells, *(c for w in book.worksheets for c in w.cells)], 1):
        dropped["output"] += len(cell.outputs)
        made = _notebook_cell(cell, number)
        if made is None:
            dropped["raw_cell"] += 1
        elif any(line.strip() for line in made.lines):
            cells.append(made)
    first_word = language.split()[0] if language.split() else ""
    return _assembled(cells, partial(markdown), first_word, "cell", +dropped)


def _notebook_cell(cell: _NotebookCell, number: int) -> _Cell | None:
    """Returns a cell as prose or code, None for kinds that a reader does not see."""
    parts = cell.input or cell.source if cell.cell_type == "code" else cell.source
    text = parts if isinstance(parts, str) else "".join(parts)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n").split("\n")
    if cell.cell_type == "heading":
        return _Cell(
            kind="prose",
            lines=[f"{'#' * min(max(cell.level, 1), 6)} {' '.join(lines)}"],
            first=number,
            counted=False,
        )
    if cell.cell_type in ("markdown", "code"):
        kind: Literal["prose", "code"] = "code" if cell.cell_type == "code" else "prose"
        return _Cell(kind=kind, lines=lines, first=number, counted=False)
    return None
