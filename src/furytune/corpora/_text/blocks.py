"""Splits a documentation file into sections at its headings, and each section into pieces of limited size."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence

from attrs import evolve, field, frozen

from furytune.corpora._text.cutting import cut_code, cut_prose
from furytune.corpora._text.sizes import Beside, Sizes

__all__ = ["Document", "Heading", "Piece", "Section", "pieces", "sections", "text_of_lines"]

Span = tuple[int, int]
_FENCES = ("```", "~~~")
_DEEPEST = 30


def _outer_first(spans: Sequence[Span]) -> list[Span]:
    """Sorts spans, and drops those nested so deeply that processing them would exhaust the stack."""
    kept: list[Span] = []
    around: list[int] = []
    # Longer spans first where several begin at one line, so that the stack holds the outer ones.
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        while around and around[-1] <= start:
            around.pop()
        if len(around) < _DEEPEST:
            kept.append((start, end))
        around.append(end)
    return kept


@frozen(kw_only=True)
class Heading:
    """A heading: its lines from ``first`` up to ``body``, its rank, its text, and its anchor on the page.

    The rank is ``("", level)`` if the format numbers levels. Otherwise it is the style of underlining, whose order of
    first use decides the level.
    """

    first: int
    body: int
    rank: tuple[str, int]
    text: str
    anchor: str = ""


@frozen(kw_only=True)
class Document:
    """A file after the reader for its format has processed it.

    Attributes:
        lines: Readable text. Lines that were left out are blank, so line numbers do not change.
        code: For each line, the number of its code block, or 0.
        spans: Start and end of lines that belong together: directives, admonitions, cells. Spans may nest.
        headings: The headings in order.
        title: A title above all headings, or "".
        dropped: How much was left out, by reason.
        origin: For each line, its place in the file, counted from 1; empty if that is the line number.
        unit: What ``origin`` counts if not lines, such as "cell".
    """

    lines: Sequence[str]
    code: Sequence[int]
    spans: Sequence[Span] = field(default=(), converter=_outer_first)
    headings: Sequence[Heading] = ()
    title: str = ""
    dropped: Counter[str] = field(factory=Counter)
    origin: Sequence[int] = ()
    unit: str = ""


@frozen(kw_only=True)
class Section:
    """Lines of a document below one heading, up to the next.

    Attributes:
        document: The document.
        path: The headings from the outermost to this one.
        anchor: Anchor of the heading.
        start: First line.
        body: First line after the heading.
        end: Line after the last one.
    """

    document: Document
    path: tuple[str, ...] = ()
    anchor: str = ""
    start: int = 0
    body: int = 0
    end: int


@frozen(kw_only=True)
class Piece:
    """A part of a section that makes one passage: its text, and its lines from ``start`` up to ``end``.

    ``cut`` says that it is part of a code block that was too long to stay whole.
    """

    text: str
    start: int
    end: int
    cut: bool = False


def sections(document: Document) -> Iterator[Section]:
    """Splits a document at its headings. A heading without text is joined with the next section."""
    lines = document.lines
    top = ((("", 0), document.title),) if document.title else ()
    path: list[tuple[tuple[str, int], str]] = [*top]
    begin, seen = 0, 0
    kept, anchor = tuple(text for _, text in path), ""
    for heading in document.headings:
        if _has_text(lines, seen, heading.first):
            yield Section(
                document=document, path=kept, anchor=anchor, start=begin, body=seen, end=heading.first
            )
            begin = heading.first
        # The heading before this one has neither text nor a joined heading.
        elif not _has_text(lines, begin, seen):
            begin = heading.first
        _descend(path, heading)
        seen, kept = heading.body, tuple(text for _, text in path)
        anchor = heading.anchor or (anchor if begin < heading.first else "")
    if _has_text(lines, begin, len(lines)):
        yield Section(document=document, path=kept, anchor=anchor, start=begin, body=seen, end=len(lines))


def _has_text(lines: Sequence[str], start: int, end: int) -> bool:
    return any(lines[i].strip() for i in range(start, end))  # a slice would copy


def _descend(path: list[tuple[tuple[str, int], str]], heading: Heading) -> None:
    """Removes headings from the path that are not above this one, by level or by the style's first use."""
    mark, level = heading.rank
    # In reStructuredText a style has no fixed level: one that is in the path already ends everything below its first use.
    if mark:
        known = [rank for rank, _ in path]
        if heading.rank in known:
            del path[known.index(heading.rank) :]
    else:
        while path and path[-1][0][1] >= level:
            path.pop()
    path.append((heading.rank, heading.text))


def pieces(section: Section, sizes: Sizes) -> Iterator[Piece]:
    """Splits a section into pieces that fit: between blocks, and inside a block only if it is too long by itself."""
    for piece in _pack(section.document, section.start, section.end, sizes, section.body):
        yield evolve(piece, text=piece.text.rstrip())


def _pack(
    document: Document, start: int, end: int, sizes: Sizes | Beside, heading: int = 0
) -> Iterator[Piece]:
    """Joins blocks as long as they fit. Lines before ``heading`` never become a piece by themselves.

    Args:
        document: The document.
        start: First line.
        end: Line after the last one.
        sizes: The limit of a piece.
        heading: Line after the section's heading.
    """
    held: Piece | None = None
    for a, b in _blocks(document, start, end):
        block = Piece(text=text_of_lines(document, a, b), start=a, end=b)
        if held is None:
            held = block
        elif sizes.fits(text := f"{held.text}{_gap(document, held.end, a)}{block.text}"):
            held = Piece(text=text, start=held.start, end=b)
        elif held.end <= heading:
            # A heading alone would be a passage that says nothing.
            yield from _below(document, held, block, sizes)
            held = None
        else:
            yield from _flush(document, held, (start, end), sizes)
            held = block
    if held is not None:
        yield from _flush(document, held, (start, end), sizes)


def _gap(document: Document, end: int, start: int) -> str:
    return "\n" if end == start and document.lines[end - 1].strip() else "\n\n"


def _below(document: Document, heading: Piece, block: Piece, sizes: Sizes | Beside) -> Iterator[Piece]:
    """Splits a block that does not fit below its heading; the heading is joined with the first piece.

    Args:
        document: The document.
        heading: The heading.
        block: The block below it.
        sizes: The limit of a piece.
    """
    less = sizes.beside(heading.text)
    first, *others = _flush(document, block, (-1, -1), less)
    # The heading alone takes so much room that text below it would be cut into tiny parts.
    if less is sizes:
        yield heading
        yield first
    else:
        yield evolve(first, text=f"{heading.text}\n\n{first.text}", start=heading.start)
    yield from others


def _flush(document: Document, block: Piece, around: Span, sizes: Sizes | Beside) -> Iterator[Piece]:
    """Yields a block that fits, or its parts.

    Args:
        document: The document.
        block: The block.
        around: The lines that are being packed.
        sizes: The limit of a piece.
    """
    if sizes.fits(block.text):
        yield block
    elif (block.start, block.end) != around:
        # A block that equals the lines around it cannot be packed again: that would never end.
        # A directive that is too long is split between its own blocks.
        yield from _pack(document, block.start, block.end, sizes)
    else:
        for run in _runs(document.code, block.start, block.end):
            yield from _cut(document, run, sizes)


def _cut(document: Document, run: Span, sizes: Sizes | Beside) -> Iterator[Piece]:
    """Splits lines that are all code or all prose. Each part of a fenced block gets its own fences."""
    text, lines = text_of_lines(document, *run), document.lines[slice(*run)]
    first = run[0]
    if sizes.fits(text):
        yield Piece(text=text, start=first, end=run[1])
    elif not document.code[first]:
        for a, b, part in cut_prose(lines, sizes):
            yield Piece(text=part, start=first + a, end=first + b)
    # Without fences of its own, the second part of a code block would look like prose.
    elif lines[0].lstrip().startswith(_FENCES) and lines[-1].strip() == lines[0].strip()[:3]:
        less = sizes.beside(f"{lines[0]}{lines[-1]}")
        for a, b, part in cut_code(lines[1:-1], less):
            text = f"{lines[0]}\n{part}\n{lines[-1]}"
            yield Piece(text=text, start=first + a + 1, end=first + b + 1, cut=True)
    else:
        for a, b, part in cut_code(lines, sizes):
            yield Piece(text=part, start=first + a, end=first + b, cut=True)


def _runs(code: Sequence[int], start: int, end: int) -> Iterator[Span]:
    """Yields runs of lines that are all prose, or all of one code block."""
    begin = start
    for i in range(start + 1, end + 1):
        if i == end or code[i] != code[begin]:
            yield begin, i
            begin = i


def _blocks(document: Document, start: int, end: int) -> Iterator[Span]:
    """Yields the largest spans, paragraphs and code blocks between two lines that are smaller than the whole."""
    at = start
    for a, b in _outermost(document.spans, start, end):
        yield from _paragraphs(document, at, a)
        if _has_text(document.lines, a, b):
            yield a, b
        at = b
    yield from _paragraphs(document, at, end)


def _outermost(spans: Sequence[Span], start: int, end: int) -> Iterator[Span]:
    """Yields the outermost spans between two lines, without one that covers all of them."""
    at = start
    # The spans are sorted, so the search for those inside begins in the middle of the list.
    for i in range(bisect_left(spans, (start,)), len(spans)):
        a, b = spans[i]
        if a >= end:
            return
        if a >= at and b <= end and (a, b) != (start, end):
            yield a, b
            at = b


def _paragraphs(document: Document, begin: int, end: int) -> Iterator[Span]:
    """Yields the paragraphs and code blocks outside spans; code stays with a paragraph directly above or below it."""
    start: int | None = None
    code = document.code
    for i in range(begin, end):
        inside = code[i] != 0 and i > begin and code[i] == code[i - 1]
        if not document.lines[i].strip() and not code[i]:
            if start is not None:
                yield start, i
            start = None
        elif start is None:
            start = i
        elif code[i - 1] and not inside:
            yield start, i
            start = i
    if start is not None:
        yield start, end


def text_of_lines(document: Document, start: int, end: int) -> str:
    """Joins lines, and reduces several blank lines outside code to one."""
    lines: list[str] = []
    for i in range(start, end):
        line = document.lines[i]
        if line.strip() or document.code[i]:
            lines.append(line)
        elif lines and lines[-1].strip():
            lines.append("")
    return "\n".join(lines).strip("\n")
