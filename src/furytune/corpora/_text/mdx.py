"""Reads MDX: Markdown with JavaScript imports and exports, components, and comments in braces."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from attrs import evolve

from furytune.corpora._text.blocks import Document
from furytune.corpora._text.front_matter import front_matter
from furytune.corpora._text.markdown import fences, markdown
from furytune.corpora._text.roles import code_spans

__all__ = ["mdx"]

_STATEMENT = re.compile(r"(?:import|export)[ \t{*'\"]")
_MOST_LINES = 200  # of an import or export
_TAG_OR_COMMENT = re.compile(r"</?[A-Za-z][\w.-]{0,100}(?=[\s/>])|</?>|\{\s{0,100}/\*")
_COMMENT_END = re.compile(r"\*/\s{0,100}\}")
_NAMED = re.compile(r"\s(?:title|label)=(?:\"([^\"\n]{1,300})\"|'([^'\n]{1,300})')")
_STRUCTURE = re.compile("[\"'`{}<>]")
_LONGEST_TAG = 10_000


def mdx(lines: Sequence[str]) -> Document:
    """Reads a file.

    Imports, exports and comments in braces are left out. A component keeps its content and the text of its ``title`` or
    ``label``, without the tags. As in MDX, indented text is not code.

    Args:
        lines: Without line ends.
    """
    kept, dropped = list(lines), Counter[str]()
    start, _ = front_matter(lines)
    code = [False] * start + fences(kept[start:])
    _leave_out_statements(kept, code, start, dropped)
    begin = start
    for i in range(start, len(kept) + 1):
        if i == len(kept) or code[i]:
            text = "\n".join(kept[begin:i])
            if "<" in text or "{" in text:
                kept[begin:i] = _without_tags(text, dropped).split("\n")
            begin = i + 1
    # In Markdown, a line that begins with spaces would be a code block.
    found = markdown(kept, indented_code=False)
    return evolve(found, dropped=found.dropped + dropped)


def _leave_out_statements(lines: list[str], code: Sequence[bool], start: int, dropped: Counter[str]) -> None:
    """Blanks imports and exports of JavaScript."""
    i = start
    while i < len(lines):
        begins = i == start or not lines[i - 1].strip()
        if code[i] or not begins or not _STATEMENT.match(lines[i]):
            i += 1
            continue
        end = _end_of_statements(lines, code, i)
        lines[i:end] = [""] * (end - i)
        dropped["esm"] += 1
        i = end


def _end_of_statements(lines: Sequence[str], code: Sequence[bool], start: int) -> int:
    """Returns the first blank line outside all brackets, or the first blank line if they are not closed in time."""
    # MDX parses JavaScript to find the end; counting brackets is enough for real pages, and the limit bounds the
    # rest.
    open_brackets, first_blank = 0, 0
    last = min(start + _MOST_LINES, len(lines))
    for i in range(start, last):
        if code[i]:
            last = i
            break
        if not lines[i].strip():
            if not open_brackets:
                return i
            first_blank = first_blank or i
        open_brackets += sum(lines[i].count(c) for c in "([{") - sum(lines[i].count(c) for c in ")]}")
    return first_blank or last


def _without_tags(text: str, dropped: Counter[str]) -> str:
    """Removes tags and comments, and keeps what is between them."""
    parts, at = [], 0
    for start, end, shown, reason in _marks(text):
        # Line breaks of a tag stay, so that line numbers do not change.
        parts += [text[at:start], shown + "\n" * (text.count("\n", start, end) - shown.count("\n"))]
        dropped[reason] += 1
        at = end
    return "".join([*parts, text[at:]])


def _marks(text: str) -> Iterator[tuple[int, int, str, str]]:
    """Yields the place of each tag and comment outside code, the text that replaces it, and the reason of its drop."""
    spans = iter([*code_spans(text), (len(text), len(text), "")])
    code = next(spans)
    at = 0
    while found := _TAG_OR_COMMENT.search(text, at):
        while code[1] <= found.start() < len(text):
            code = next(spans)
        if code[0] <= found.start() < code[1]:
            at = code[1]
        elif found[0].startswith("{"):
            close = _COMMENT_END.search(text, found.end())
            if close is None:
                return
            yield found.start(), close.end(), "", "comment"
            at = close.end()
        else:
            end, complete = _end_of_tag(text, found.end())
            if complete:
                name = _NAMED.search(text, found.end() - 1, end)
                # A title or label is text that readers see, such as the name of a tab.
                yield found.start(), end, (name[1] or name[2]) if name else "", "jsx"
            at = end  # do not search the same text again


def _end_of_tag(text: str, at: int) -> tuple[int, bool]:
    """Returns the end of a tag, after its strings and braces, and whether it ends at all."""
    if text[at - 1] == ">":
        return at, True
    depth, limit = 0, at + _LONGEST_TAG
    while found := _STRUCTURE.search(text, at, limit):
        at = found.end()
        if found[0] in "\"'`":
            close = text.find(found[0], at, limit)
            if close < 0:
                return at, False
            at = close + 1
        elif found[0] == "{":
            depth += 1
        elif found[0] == "}":
            depth -= 1
        elif not depth:
            return (at, True) if found[0] == ">" else (at - 1, False)
    return min(limit, len(text)), False
