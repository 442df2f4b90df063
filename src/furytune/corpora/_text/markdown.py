"""Reads Markdown: CommonMark with the directives of MyST and MkDocs."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

from attrs import define, field

from furytune.corpora._text import rst
from furytune.corpora._text.blocks import Document, Heading, Span
from furytune.corpora._text.front_matter import front_matter
from furytune.corpora._text.indents import Indents, depth
from furytune.corpora._text.roles import readable_markdown

__all__ = ["fences", "markdown", "plain"]

_ATX = re.compile(r" {0,3}(#{1,6})(?![^ \t])(.*)$")
# The id and classes of a heading in Pandoc, MkDocs and MyST: "## Title { #anchor .class }".
_ATTRIBUTES = re.compile(r"(?<=\S)[ \t]+\{:?[ \t]*[#.][\w-][^{}]*\}[ \t]*$")
_SETEXT = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_FENCE = re.compile(r"(?P<indent>\s*(?:(?:[-*+]|\d+[.)])\s+)?)(?P<fence>`{3,}|~{3,}|:{3,})(?P<info>.*)$")
_DIRECTIVE = re.compile(r"\s*\{([\w.+:-]+)\}\s*(.*)$")
_MKDOCS = re.compile(r"(\s*)(?:!!!|\?\?\?\+?)[ \t]+([\w-]+(?: +[\w-]+)*)(?:[ \t]++\"(.*)\")?[ \t]*+$")
# What begins another block in Markdown, so that a line of hyphens below it is not an underline.
_NO_PARAGRAPH = re.compile(r" {0,3}(?:#|>|[-*+][ \t]|\d+[.)][ \t]|\||<)|\s{4,}|\t")
_TARGET = re.compile(r"\([\w.:+-]+\)=\s*$")
_OPTION = re.compile(r"\s*:[\w-]+:(\s|$)")
_IMAGE = re.compile(r"!\[[^\[\]]*\]\(")
_LONGEST = 1000  # characters of a heading; no real one is that long, and the patterns take quadratic time
_DEEPEST = 30  # nested directives; deeper ones stay unread, because reading them would exhaust the stack


@define
class _Reading:
    """The lines of a file during reading.

    Attributes:
        lines: The lines; what is left out becomes empty.
        code: Number of the code block that each line belongs to, 0 for prose.
        spans: Lines that belong together.
        dropped: What was left out, by reason.
        title: Title that the front matter states.
        blocks: How many code blocks were found.
        indented: Whether indented text can be code.
        depth: How deep the directive is that is being read.
        indented_until: End of the indented block that was measured last.
        indents: Indentation of all lines.
        comment_ends: Lines in which a comment ends.
    """

    lines: list[str]
    code: list[int]
    spans: list[Span] = field(factory=list)
    dropped: Counter[str] = field(factory=Counter)
    title: str = ""
    blocks: int = 0
    indented: bool = True
    depth: int = 0
    indented_until: int = 0
    indents: Indents = field(init=False)
    comment_ends: list[int] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.indents = Indents(self.lines)
        self.comment_ends = [i for i, line in enumerate(self.lines) if "-->" in line]

    def blank(self, start: int, end: int, reason: str) -> None:
        rst.blank(self.lines, self.code, start, end)
        self.dropped[reason] += 1

    def mark(self, start: int, end: int) -> None:
        self.blocks += 1
        self.code[start:end] = [self.blocks] * (end - start)


def markdown(lines: Sequence[str], *, indented_code: bool = True, settings: bool = True) -> Document:
    """Reads a file.

    Args:
        lines: Without line ends.
        indented_code: Whether text indented by four columns is code.
        settings: Whether the file may begin with front matter.
    """
    r = _Reading(list(lines), [0] * len(lines), indented=indented_code)
    start, r.title = front_matter(lines) if settings else (0, "")
    if start:
        r.blank(0, start, "front_matter")
    _read(r, start, len(r.lines))
    for i, line in enumerate(r.lines):
        if not r.code[i] and len(line) <= _LONGEST and _ATX.match(line):
            r.lines[i] = _ATTRIBUTES.sub("", line)
    headings = _headings(r.lines, r.code)
    # A heading of the first level is the title that readers see.
    if any(h.rank == ("", 1) for h in headings):
        r.title = ""
    _readable(r)
    return Document(
        lines=r.lines,
        code=r.code,
        spans=r.spans,
        headings=headings,
        title=r.title,
        dropped=r.dropped,
    )


def plain(lines: Sequence[str]) -> Document:
    """Reads plain text: no headings; text indented by four columns after a blank line is code."""
    r = _Reading(list(lines), [0] * len(lines))
    for i in range(len(lines)):
        if not r.code[i] and _begins_indent(r, i, 0):
            r.mark(i, r.indents.end(i + 1, 4))
    return Document(lines=r.lines, code=r.code)


def _read(r: _Reading, start: int, end: int) -> None:
    """Marks code and directives between two lines, and leaves out parts that a page does not show."""
    i = start
    while i < end:
        line = r.lines[i]
        if (match := _FENCE.match(line)) and _opens(match):
            i = _fenced(r, i, end, match)
        elif match := _MKDOCS.match(line):
            i = _indented_note(r, i, end, match)
        elif line.lstrip().startswith("<!--") and depth(line) < 4:
            i = _comment(r, i, end)
        elif _TARGET.match(line):
            r.blank(i, i + 1, "target")
            i += 1
        elif r.indented and _begins_indent(r, i, start):
            if i >= r.indented_until:  # inside, the end is the same
                r.indented_until = r.indents.end(i + 1, 4)
            stop = min(r.indented_until, end)
            fenced = next((j for j in range(i, stop) if (m := _FENCE.match(r.lines[j])) and _opens(m)), stop)
            r.mark(i, fenced)  # a fence in a list item is one block, even after the item's text
            i = fenced
        else:
            i += 1


def _begins_indent(r: _Reading, i: int, start: int) -> bool:
    return bool(r.lines[i].strip()) and depth(r.lines[i]) >= 4 and (i == start or not r.lines[i - 1].strip())


def _opens(match: re.Match[str]) -> bool:
    """Returns whether a line really opens a fence."""
    if match["fence"][0] == ":":
        return bool(_DIRECTIVE.match(match["info"]))
    # CommonMark: the info string of a backtick fence contains no backtick; otherwise it is inline code.
    return not (match["fence"][0] == "`" and "`" in match["info"])


def _fenced(r: _Reading, i: int, end: int, match: re.Match[str]) -> int:
    """Reads a fenced block or directive; returns the line after it.

    Args:
        r: The file.
        i: Line of the fence.
        end: End of the part that is being read.
        match: The fence.
    """
    fence = match["fence"]
    # An unclosed fence runs to the end of its container, as CommonMark says.
    close = next((j for j in range(i + 1, end) if _closes(r.lines[j], fence)), end)
    after = min(close + 1, end)
    directive = _DIRECTIVE.match(match["info"])
    name = directive[1].lower() if directive else ""
    short = name.rpartition(":")[2]
    reason = rst.LEFT_OUT.get(name, "autodoc" if name.startswith("auto") else "")
    if reason:
        r.blank(i, after, reason)
    elif directive is None or short in rst.CODE or r.depth == _DEEPEST:
        r.mark(i, after)
    else:
        r.spans.append((i, after))
        # Lines are replaced, never removed, so that line numbers in citations stay right.
        r.lines[i] = match["indent"] + ("" if name == "eval-rst" else rst.head_of(name, directive[2].strip()))
        if close < end:
            r.lines[close] = ""
        _body(r, i + 1, close, name)
    return after


def fences(lines: Sequence[str]) -> list[bool]:
    """Returns for each line whether it is code between fences, or one of the fences."""
    inside, fence = [], ""
    for line in lines:
        match = None if fence else _FENCE.match(line)
        opens = match is not None and match["fence"][0] != ":" and _opens(match)
        inside.append(bool(fence) or opens)
        if fence and _closes(line, fence):
            fence = ""
        elif opens and match:
            fence = match["fence"]
    return inside


def _closes(line: str, fence: str) -> bool:
    text = line.strip()
    return len(text) >= len(fence) and set(text) == {fence[0]}


def _body(r: _Reading, start: int, end: int, name: str) -> None:
    """Reads the inside of a directive, as Markdown or as reStructuredText.

    Args:
        r: The file.
        start: First line of the body.
        end: Line after it.
        name: Name of the directive.
    """
    if name == "eval-rst":
        inner = rst.rst(r.lines[start:end], headings=False)
        r.lines[start:end] = inner.lines
        # Both readers number code blocks from 1, so the numbers of the inner one are shifted.
        for i, number in enumerate(inner.code, start):
            r.code[i] = number and number + r.blocks
        r.blocks += max(inner.code, default=0)
        r.spans += [(a + start, b + start) for a, b in inner.spans]
        r.dropped += inner.dropped
        return
    while start < end and _OPTION.match(r.lines[start]):
        r.blank(start, start + 1, "option")
        start += 1
    r.depth += 1
    _read(r, start, end)
    r.depth -= 1


def _indented_note(r: _Reading, i: int, end: int, match: re.Match[str]) -> int:
    """Reads an admonition of MkDocs, whose body is indented; returns the line after it."""
    stop = min(r.indents.end(i + 1, depth(r.lines[i]) + 4), end)
    r.lines[i] = match[1] + rst.head_of(match[2].strip(), match[3] or "")
    if stop > i + 1:
        r.spans.append((i, stop))
    for j in range(i + 1, stop):
        if (inner := _FENCE.match(r.lines[j])) and _opens(inner) and not r.code[j]:
            close = next((k for k in range(j + 1, stop) if _closes(r.lines[k], inner["fence"])), stop - 1)
            r.mark(j, close + 1)
    return stop


def _comment(r: _Reading, i: int, end: int) -> int:
    """Leaves a comment out; returns the line after it."""
    at = bisect_left(r.comment_ends, i)
    close = r.comment_ends[at] if at < len(r.comment_ends) else end
    if close >= end:
        return i + 1
    rest = r.lines[close].partition("-->")[2]
    if rest.strip():
        return close + 1  # visible text follows on the same line, so the line is kept
    r.blank(i, close + 1, "comment")
    return close + 1


def _readable(r: _Reading) -> None:
    """Replaces roles and images by what a reader sees, paragraph by paragraph."""
    start = 0
    for i in range(len(r.lines) + 1):
        if i == len(r.lines) or r.code[i] or not r.lines[i].strip():
            text = "\n".join(r.lines[start:i])
            if "`" in text or "![" in text:
                r.lines[start:i] = readable_markdown(text).split("\n")
                images = len(_IMAGE.findall(text)) - len(_IMAGE.findall("\n".join(r.lines[start:i])))
                if images:
                    r.dropped["image"] += images
            start = i + 1


def _headings(lines: Sequence[str], code: Sequence[int]) -> list[Heading]:
    """Returns the headings of both forms, ``# Title`` and an underlined title."""
    found: list[Heading] = []
    for i, line in enumerate(lines):
        if code[i] or len(line) > _LONGEST:
            continue
        above = lines[i - 1] if i and not code[i - 1] else ""
        # In a paragraph of several lines, a row of hyphens is more likely a ruler or a table than an
        # underline.
        alone = i < 2 or not lines[i - 2].strip() or (found and found[-1].body == i - 1)
        if match := _ATX.match(line):
            if text := _without_closing(match[2]):
                found.append(Heading(first=i, body=i + 1, rank=("", len(match[1])), text=_title(text)))
        elif (match := _SETEXT.match(line)) and above.strip() and alone and not _NO_PARAGRAPH.match(above):
            rank = ("", 1 if match[1][0] == "=" else 2)
            found.append(Heading(first=i - 1, body=i + 1, rank=rank, text=_title(above)))
    return found


def _without_closing(text: str) -> str:
    """Returns the text of a heading without a closing row of ``#``."""
    text = text.strip(" \t")
    less = text.rstrip("#")
    return text if less and not less.endswith((" ", "\t")) else less.rstrip(" \t")


def _title(text: str) -> str:
    return " ".join(readable_markdown(text).split())
