"""Reads reStructuredText: headings, what belongs together, and what shows nothing and is left out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from furytune.corpora._blocks import Document, Heading, Span
from furytune.corpora._roles import readable_rst

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
# What these describe is shown by their argument alone.
_OBJECTS = _words(
    "function method class attribute data exception staticmethod classmethod decorator decoratormethod property type"
    " macro member struct union enum enumerator var object option cmdoption program envvar confval setting"
    " django-admin admonition glossary rubric table list-table csv-table tab tab-item card grid-item"
    " grid-item-card dropdown topic sidebar templatetag templatefilter fieldlookup opcode pdbcommand describe"
)


def rst(lines: Sequence[str], *, headings: bool = True) -> Document:
    """Reads a file, or a docstring or comment that is written so.

    Args:
        lines: Without line ends.
        headings: Whether to look for headings.
    """
    kept, code = list(lines), literal_code(lines)
    spans, dropped = list[Span](), Counter[str]()
    _metadata(kept, code, dropped)
    i = 0
    while i < len(kept):
        i = _explicit(kept, code, i, spans, dropped)
    _readable(kept, code)
    return Document(
        lines=kept,
        code=code,
        spans=spans,
        headings=_headings(kept, code) if headings else (),
        dropped=dropped,
    )


def _metadata(lines: list[str], code: list[int], dropped: Counter[str]) -> None:
    for i, line in enumerate(lines):
        if line.strip() and not _METADATA.match(line):
            return
        if line.strip():
            blank(lines, code, i, i + 1)
            dropped["metadata"] += 1


def _explicit(lines: list[str], code: list[int], i: int, spans: list[Span], dropped: Counter[str]) -> int:
    """Reads the directive, comment or target at a line, if there is one; returns the next line to look at."""
    match = _DIRECTIVE.match(lines[i])
    if code[i] and not (match and (i == 0 or code[i - 1] != code[i])):
        return i + 1
    if match:
        return _directive(lines, code, i, match, spans, dropped)
    match = _EXPLICIT.match(lines[i])
    if not match:
        return i + 1
    rest = match[2] or ""
    if _IMAGE_SUBSTITUTION.match(rest):
        reason = "image"
    elif _TARGET.match(rest):
        blank(lines, code, i, i + 1)
        dropped["target"] += 1
        return i + 1
    elif _KEPT_MARKUP.match(rest):
        return i + 1
    else:
        reason = "comment"
    end = end_of_indent(lines, i + 1, depth(lines[i]) + 1)
    if not rest and (i + 1 >= len(lines) or not lines[i + 1].strip()):
        end = i + 1  # an empty comment ends what stands before it, and has no body
    blank(lines, code, i, end)
    dropped[reason] += 1
    return end


def _directive(
    lines: list[str], code: list[int], i: int, match: re.Match[str], spans: list[Span], dropped: Counter[str]
) -> int:
    name, argument = match[2].lower(), (match[3] or "").strip()
    end = end_of_indent(lines, i + 1, depth(lines[i]) + 1)
    reason = LEFT_OUT.get(name, "autodoc" if name.startswith("auto") else "")
    if reason:
        blank(lines, code, i, end)
        dropped[reason] += 1
        return end
    if end > i + 1:
        spans.append((i, end))
    short = name.rpartition(":")[2]
    if short in CODE:
        return end
    lines[i] = match[1] + head_of(name, argument)
    if short not in _CONTENT_OPTIONS:
        _options(lines, code, i + 1, end, dropped)
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


def _options(lines: list[str], code: list[int], start: int, end: int, dropped: Counter[str]) -> None:
    """Leaves out the options that follow a directive's first line; they say how it looks."""
    i = start
    while i < end and _OPTION.match(lines[i]):
        blank(lines, code, i, i + 1)
        dropped["option"] += 1
        i += 1


def blank(lines: list[str], code: list[int], start: int, end: int) -> None:
    """Leaves lines out; their numbers stay taken."""
    for i in range(start, end):
        lines[i], code[i] = "", 0


def _readable(lines: list[str], code: Sequence[int]) -> None:
    start = 0
    for i in range(len(lines) + 1):
        if i == len(lines) or not lines[i].strip() or (code[i] and not _announces(lines, code, i)):
            if i > start and any("`" in line for line in lines[start:i]):
                lines[start:i] = readable_rst("\n".join(lines[start:i])).split("\n")
            start = i + 1


def _announces(lines: Sequence[str], code: Sequence[int], i: int) -> bool:
    """Tells whether a line of code is the sentence above it, which ends in two colons."""
    first = i == 0 or code[i - 1] != code[i]
    return first and lines[i].rstrip().endswith("::") and not _EXPLICIT.match(lines[i])


def _headings(lines: Sequence[str], code: Sequence[int]) -> list[Heading]:
    found: list[Heading] = []
    for i in range(1, len(lines)):
        title, match = lines[i - 1], _UNDERLINE.match(lines[i])
        if not match or not title.strip() or code[i - 1] or _UNDERLINE.match(title):
            continue
        if len(lines[i].rstrip()) < min(4, len(title.strip())):
            continue
        follows = bool(found) and found[-1].body == i - 1
        above = lines[i - 2] if i > 1 and not follows else ""
        over = _UNDERLINE.match(above)
        text = " ".join(title.split())
        if over and over[1] == match[1]:
            found.append(Heading(first=i - 2, body=i + 1, rank=(match[1], 1), text=text))
        elif not above.strip() and not title[0].isspace():
            found.append(Heading(first=i - 1, body=i + 1, rank=(match[1], 0), text=text))
    return found


def literal_code(lines: Sequence[str]) -> list[int]:
    """Numbers the lines of doctests, and of literal blocks with the line that opens them; 0 is no code."""
    code = [0] * len(lines)
    number, i = 0, 0
    while i < len(lines):
        end = i + 1
        doctest = lines[i].lstrip().startswith(">>>")
        if doctest:
            end = next((j for j in range(end, len(lines)) if not lines[j].strip()), len(lines))
        elif _opens_literal(lines[i]):
            end = end_of_indent(lines, end, depth(lines[i]) + 1)
        if end > i + 1 or doctest:
            number += 1
            code[i:end] = [number] * (end - i)
        i = end
    return code


def _opens_literal(line: str) -> bool:
    if match := _DIRECTIVE.match(line):
        name = match[2].lower().rpartition(":")[2]
        return name in CODE
    return line.rstrip().endswith("::") and not _EXPLICIT.match(line)


def depth(line: str) -> int:
    """Returns how far a line is indented, a tab being four columns."""
    expanded = line.expandtabs(4)
    return len(expanded) - len(expanded.lstrip())


def end_of_indent(lines: Sequence[str], start: int, least: int) -> int:
    """Returns the line after the last that is indented by so much; blank lines may stand between."""
    end = start
    for j in range(start, len(lines)):
        if lines[j].strip():
            if depth(lines[j]) < least:
                break
            end = j + 1
    return end
