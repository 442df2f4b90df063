"""Reads reStructuredText: headings, blocks that belong together, and invisible parts, which are left out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from attrs import define, field

from furytune.corpora._text.blocks import Document, Heading, Span
from furytune.corpora._text.indents import Indents
from furytune.corpora._text.roles import readable_rst

__all__ = ["CODE", "LEFT_OUT", "head_of", "literal_code", "rst"]

_UNDERLINE = re.compile(r"([!-/:-@\[-`{-~])\1*[ \t]*$")
_DIRECTIVE = re.compile(r"(\s*)\.\.[ \t]+([\w.+-]+(?::[\w.+-]+)*)::(?:[ \t]+(.*))?$")
_EXPLICIT = re.compile(r"(\s*)\.\.(?:[ \t]+(.*))?$")
_TARGET = re.compile(r"_(?:`[^`]+`|(?:[^\\:]|\\.|:(?!\s|$))+):\s*$|__:?\s*$|_:?\s*$")
_KEPT_MARKUP = re.compile(r"\[[^\]]+\]\s|_|\|[^|]+\|\s+\S+::|__\s")
_OPTION = re.compile(r"\s+:[\w -]+:(\s|$)")
_METADATA = re.compile(
    r":(?:orphan|tocdepth|nocomments|nosearch|no-search|hidetoc|hide-toc|html_theme[\w.]*):"
)
_SUBSTITUTION = re.compile(r"\|([^|]{1,200})\|[ \t]+(replace|unicode)::(?:[ \t]+(.*))?$")
_CODE_POINT = re.compile(r"(?:0x|x|\\x|U\+|u|\\u|&#x)([0-9A-Fa-f]{1,6});?|(\d{1,7})")
_LONGEST = 500  # characters of a substitution's text
_DEEPEST = 3  # substitutions in substitutions
# Bounds what substitutions add in all: a page of short names could otherwise grow without limit.
_ROOM = 1 << 20
_IMAGE_SUBSTITUTION = re.compile(r"\|[^|]+\|\s+(image)::")


def _words(names: str) -> frozenset[str]:
    return frozenset(names.split())


CODE = _words(
    "code code-block code-cell doctest graphviz ipython ipython3 math mermaid parsed-literal plantuml plot prompt"
    " pyodide sourcecode testcode testoutput testsetup testcleanup try-prompt uml"
)
LEFT_OUT = {
    name: reason
    for reason, names in {
        "toctree": "toctree contents tableofcontents autotoc minigallery sectnum",
        "include": "include literalinclude",
        "autodoc": "autosummary automodule autoclass autofunction automethod autoattribute autodata autoexception"
        " autodecorator autoproperty automodapi autoapimodule automodsumm",
        "image": "image video youtube",
        "raw": "raw",
        "metadata": "currentmodule module py:module py:currentmodule highlight index meta default-role role default-domain title sectionauthor moduleauthor"
        " codeauthor tabularcolumns rst-class class-name",
    }.items()
    for name in names.split()
}
_BARE = _words("only container figure tab-set grid dropdown-set hlist compound topic-container")
_CONTENT_OPTIONS = _words("csv-table list-table table")
_HEADS = {
    "versionadded": "Added in version",
    "versionchanged": "Changed in version",
    "deprecated": "Deprecated since version",
    "versionremoved": "Removed in version",
    "seealso": "See also",
}
# For these directives, the argument alone says what they describe.
_OBJECTS = _words(
    "function method class attribute data exception staticmethod classmethod decorator decoratormethod property type"
    " macro member struct union enum enumerator var object option cmdoption program envvar confval setting"
    " django-admin admonition glossary rubric table list-table csv-table tab tab-item card grid-item"
    " grid-item-card dropdown topic sidebar templatetag templatefilter fieldlookup opcode pdbcommand describe"
)


@define
class _Reading:
    """The lines of a file during reading.

    Attributes:
        lines: The lines; what is left out becomes empty.
        indents: Indentation of all lines.
        code: Number of the code block that each line belongs to, 0 for prose.
        room: Characters that substitutions may still add.
        spans: Lines that belong together.
        dropped: What was left out, by reason.
        substitutions: Texts by their names.
    """

    lines: list[str]
    indents: Indents
    code: list[int]
    room: int
    spans: list[Span] = field(factory=list)
    dropped: Counter[str] = field(factory=Counter)
    substitutions: dict[str, str] = field(factory=dict)

    def blank(self, start: int, end: int, reason: str) -> None:
        blank(self.lines, self.code, start, end)
        self.dropped[reason] += 1


def rst(lines: Sequence[str], *, headings: bool = True) -> Document:
    """Reads a file, a docstring or a comment.

    Args:
        lines: Without line ends.
        headings: Whether to look for headings.
    """
    indents = Indents(lines)
    r = _Reading(list(lines), indents, literal_code(lines, indents), max(_ROOM, sum(map(len, lines))))
    _metadata(r)
    i = 0
    while i < len(lines):
        i = _explicit(r, i)
    _readable(r)
    return Document(
        lines=r.lines,
        code=r.code,
        spans=r.spans,
        headings=_headings(r.lines, r.code) if headings else (),
        dropped=r.dropped,
    )


def _metadata(r: _Reading) -> None:
    """Leaves out field lists that configure the page, at its top."""
    for i, line in enumerate(r.lines):
        if line.strip() and not _METADATA.match(line):
            return
        if line.strip():
            r.blank(i, i + 1, "metadata")


def _explicit(r: _Reading, i: int) -> int:
    """Reads the directive, comment or target at a line, if there is one; returns the next line to look at."""
    line = r.lines[i]
    match = _DIRECTIVE.match(line)
    # A code directive is marked as code itself, and must still be read for its options.
    if r.code[i] and not (match and (i == 0 or r.code[i - 1] != r.code[i])):
        return i + 1
    if match:
        return _directive(r, i, match)
    match = _EXPLICIT.match(line)
    if not match:
        return i + 1
    rest, end = match[2] or "", r.indents.below(i)
    if defined := _SUBSTITUTION.match(rest):
        text = " ".join([defined[3] or "", *r.lines[i + 1 : end]])
        r.substitutions[" ".join(defined[1].split())] = _characters(text) if defined[2] == "unicode" else text
        reason = "substitution"
    elif _IMAGE_SUBSTITUTION.match(rest):
        reason = "image"
    # A target is one line; what is indented below it is ordinary text.
    elif _TARGET.match(rest):
        reason, end = "target", i + 1
    elif _KEPT_MARKUP.match(rest):
        return i + 1
    else:
        reason = "comment"
        if not rest and (i + 1 >= len(r.lines) or not r.lines[i + 1].strip()):
            end = i + 1  # an empty comment ends the block before it and has no body
    r.blank(i, end, reason)
    return end


def _characters(text: str) -> str:
    """Decodes a ``unicode`` substitution: codes such as ``0xA9``, ``U+2014`` or ``169``, and the text between them."""
    words = []
    for word in text.partition(" .. ")[0].split():
        code = _CODE_POINT.fullmatch(word)
        number = int(code[1], 16) if code and code[1] else int(code[2]) if code else -1
        usable = 0 <= number < 0xD800 or 0xDFFF < number <= 0x10FFFF
        words.append(chr(number) if usable else word)
    return "".join(words) if len(words) < 2 or all(len(w) == 1 for w in words) else " ".join(words)


def _directive(r: _Reading, i: int, match: re.Match[str]) -> int:
    """Reads a directive; returns the next line to look at."""
    name, argument, end = match[2].lower(), (match[3] or "").strip(), r.indents.below(i)
    reason = LEFT_OUT.get(name, "autodoc" if name.startswith("auto") else "")
    if reason:
        r.blank(i, end, reason)
        return end
    if end > i + 1:
        r.spans.append((i, end))
    short = name.rpartition(":")[2]
    if short in CODE:
        return end
    r.lines[i] = match[1] + head_of(name, argument)
    if short not in _CONTENT_OPTIONS:
        _options(r, i + 1, end)
    return i + 1


def head_of(name: str, argument: str) -> str:
    """Writes a directive's name and argument for a reader: "Note: ...", "Added in version 2.0"."""
    short = name.rpartition(":")[2].lower()
    if short in _BARE:
        return ""
    if short in _OBJECTS:
        return argument
    head = _HEADS.get(short) or short.replace("-", " ").replace("_", " ").capitalize()
    if short in ("versionadded", "versionchanged", "deprecated", "versionremoved"):
        version, _, text = argument.partition(" ")
        return f"{head} {version}" + (f": {text}" if text else "")
    return f"{head}: {argument}" if argument else f"{head}:"


def _options(r: _Reading, start: int, end: int) -> None:
    """Leaves out the options after a directive's first line, which describe its appearance."""
    i = start
    while i < end and _OPTION.match(r.lines[i]):
        r.blank(i, i + 1, "option")
        i += 1


def blank(lines: list[str], code: list[int], start: int, end: int) -> None:
    """Blanks lines that are left out, so that line numbers do not change."""
    for i in range(start, end):
        lines[i], code[i] = "", 0


def _readable(r: _Reading) -> None:
    """Replaces substitutions, roles and links, paragraph by paragraph."""
    lines, start = r.lines, 0
    table = {}
    for name, text in r.substitutions.items():
        shown = text
        # Substitutions may refer to each other in a circle, so only a few levels are replaced.
        for _ in range(_DEEPEST):
            shown = _substituted(shown, r.substitutions, _LONGEST)[0]
        table[name] = " ".join(shown.split())
    for i in range(len(lines) + 1):
        if i == len(lines) or not lines[i].strip() or (r.code[i] and not _announces(lines, r.code, i)):
            text = "\n".join(lines[start:i])
            if table and "|" in text:
                text, r.room = _substituted(text, table, r.room)
            if "`" in text:
                text = readable_rst(text)
            if i > start:
                lines[start:i] = text.split("\n")
            start = i + 1


def _substituted(text: str, table: Mapping[str, str], room: int) -> tuple[str, int]:
    """Replaces ``|name|`` outside literals with its text.

    Args:
        text: One paragraph.
        table: The text of each name. Other names are not replaced.
        room: How many characters the text may grow by, so that a small file cannot become a huge one.

    Returns:
        The text, with the same number of lines, and the room that is left.
    """
    literals = text.split("``")
    # Every odd part is inside literal backticks, where nothing is replaced.
    for n in range(0, len(literals), 2):
        parts = literals[n].split("|")
        made, i = [parts[0]], 1
        while i < len(parts):
            inside = parts[i]
            name = " ".join(inside.split())
            known = table.get(name) if i + 1 < len(parts) and inside == inside.strip() else None
            if known is None or len(known) > room:
                made.append(f"|{inside}")
                i += 1
            else:
                room -= len(known)
                after = parts[i + 1]
                # `|name|_` is also a link, whose underscore no reader sees.
                link = 2 * after.startswith("__") or int(after.startswith("_"))
                made.append(known + "\n" * inside.count("\n") + after[link:])
                i += 2
        literals[n] = "".join(made)
    return "``".join(literals), room


def _announces(lines: Sequence[str], code: Sequence[int], i: int) -> bool:
    """Returns whether a line marked as code is the sentence that ends with two colons and opens the block."""
    first = i == 0 or code[i - 1] != code[i]
    return first and lines[i].rstrip().endswith("::") and not _EXPLICIT.match(lines[i])


def _headings(lines: Sequence[str], code: Sequence[int]) -> list[Heading]:
    """Returns the titles with an underline, or with lines above and below."""
    found: list[Heading] = []
    for i in range(1, len(lines)):
        title, match = lines[i - 1], _UNDERLINE.match(lines[i])
        if not match or not title.strip() or code[i - 1] or _UNDERLINE.match(title):
            continue
        # docutils accepts an underline that is shorter than its title only from four characters on.
        if len(lines[i].rstrip()) < min(4, len(title.strip())):
            continue
        follows = bool(found) and found[-1].body == i - 1
        # The underline of the heading before is not an overline of this one.
        above = lines[i - 2] if i > 1 and not follows else ""
        over = _UNDERLINE.match(above)
        text = " ".join(title.split())
        if over and over[1] == match[1]:
            found.append(Heading(first=i - 2, body=i + 1, rank=(match[1], 1), text=text))
        elif not above.strip() and not title[0].isspace():
            found.append(Heading(first=i - 1, body=i + 1, rank=(match[1], 0), text=text))
    return found


def literal_code(lines: Sequence[str], indents: Indents) -> list[int]:
    """Numbers the lines of doctests, and of literal blocks including the line that opens them; 0 means no code."""
    code = [0] * len(lines)
    number, i = 0, 0
    while i < len(lines):
        end = i + 1
        doctest = lines[i].lstrip().startswith(">>>")
        if doctest:
            end = next((j for j in range(end, len(lines)) if not lines[j].strip()), len(lines))
        elif _opens_literal(lines[i]):
            end = indents.below(i)
        if end > i + 1 or doctest:
            number += 1
            code[i:end] = [number] * (end - i)
        i = end
    return code


def _opens_literal(line: str) -> bool:
    """Returns whether the indented block below a line is shown as it is."""
    if match := _DIRECTIVE.match(line):
        name = match[2].lower().rpartition(":")[2]
        return name in CODE
    return line.rstrip().endswith("::") and not _EXPLICIT.match(line)
