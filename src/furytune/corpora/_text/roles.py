"""Makes the inline markup of documentation readable: roles and links become the text that they show."""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["code_spans", "readable_markdown", "readable_rst"]

_SYMBOLS = frozenset(
    [
        "func",
        "function",
        "meth",
        "method",
        "class",
        "attr",
        "attribute",
        "mod",
        "module",
        "data",
        "exc",
        "exception",
        "obj",
        "object",
        "const",
        "constant",
        "any",
        "member",
        "macro",
        "type",
        "var",
        "decorator",
        "property",
        "enum",
        "enumerator",
        "struct",
        "union",
        "namespace",
        "option",
        "envvar",
    ]
)
_NUMBERED = {"pep": "PEP ", "rfc": "RFC "}
# To keep time linear, every repetition is bounded or stops at a character that the next match can begin with.
_NAME = r"[A-Za-z](?:[\w.+:-]{0,60}[\w.+])?"
_RST = re.compile(
    r"(?P<literal>``.+?``(?!`))"
    rf"|(?<![\w`:]):(?P<role>{_NAME}):`(?P<content>[^`]+)`(?![`\w])"
    r"|(?<![\w`:\\])`(?P<text>[^`<]*[^`<\s])\s+<(?P<url>[^`<>\s]+)>`__?(?!\w)"
    r"|(?<![\w`:\\])`(?P<plain>[^`<\s](?:[^`<]*[^`<\s])?)`__?(?!\w)",
    re.DOTALL,
)
_TICKS = re.compile("`+")
_ROLE = re.compile(rf"\{{({_NAME})\}}")
_LONGEST_ROLE = 64
_IMAGE = re.compile(r"!\[([^\[\]]*)\]\([^()\s]*(?:\s+\"[^\"]*\")?\)")
_TITLED = re.compile(r"(?P<title>.*?\S)\s*<(?P<target>[^<>]*)>", re.DOTALL)


def readable_rst(text: str) -> str:
    """Replaces roles and links of reStructuredText.

    A symbol is written in full: ``:func:`~fury.actor.sphere``` becomes "fury.actor.sphere". The full name can be imported,
    and a search finds it by each of its parts; the last part alone would not lead to the full name. The number of lines
    does not change.
    """
    return _RST.sub(_of_rst, text)


def _of_rst(match: re.Match[str]) -> str:
    """Returns what a reader sees of one piece of markup."""
    if match["literal"]:
        return match[0]
    if match["role"]:
        shown = _shown(match["role"], match["content"])
    elif match["url"]:
        # A name that ends in an underscore is a target, which does not help a reader as an address does.
        shown = match["text"] if match["url"].endswith("_") else f"{match['text']} ({match['url']})"
    else:
        shown = match["plain"]
    return _as_many_lines(shown, match[0])


def readable_markdown(text: str) -> str:
    """Replaces MyST's roles, and images by their alternative text. The number of lines does not change."""
    parts, at = [], 0
    for start, end, shown in sorted([*code_spans(text), *_images(text)]):
        # An image inside code is code, and comes with it.
        if start >= at:
            parts += [text[at:start], _as_many_lines(shown, text[start:end])]
            at = end
    return "".join([*parts, text[at:]])


def _images(text: str) -> Iterator[tuple[int, int, str]]:
    yield from ((found.start(), found.end(), found[1]) for found in _IMAGE.finditer(text))


def code_spans(text: str) -> Iterator[tuple[int, int, str]]:
    """Yields the place of each role and each piece of code between backticks, and its readable text.

    A piece of code ends at the next run with the same number of backticks. Each run is read only once.
    """
    runs = [(found.start(), found.end()) for found in _TICKS.finditer(text)]
    closing: dict[int, int] = {}  # number of a run -> number of the one that closes it
    last: dict[int, int] = {}
    # From the end, so that the next run of each length is known without searching for it: linear time.
    for i in range(len(runs) - 1, -1, -1):
        length = runs[i][1] - runs[i][0]
        closing[i], last[length] = last.get(length, 0), i
    i = 0
    while i < len(runs):
        start, end = runs[i]
        close = closing[i]
        if not close:
            i += 1
            continue
        after = runs[close][1]
        # A MyST role is `{name}` directly before the backticks.
        brace = text.rfind("{", max(0, start - _LONGEST_ROLE), start)
        role = _ROLE.fullmatch(text, brace, start) if brace >= 0 and close == i + 1 else None
        if role:
            yield brace, after, _shown(role[1], text[end : runs[close][0]])
        else:
            yield start, after, text[start:after]
        i = close + 1


def _as_many_lines(shown: str, was: str) -> str:
    return shown + "\n" * (was.count("\n") - shown.count("\n"))


def _shown(role: str, content: str) -> str:
    """Returns what a reader sees of a role: a title, a name, or both."""
    name = role.rpartition(":")[2].lower()
    titled = _TITLED.fullmatch(content)
    if name in _NUMBERED and not titled:
        return _NUMBERED[name] + content
    if name not in _SYMBOLS:
        return titled["title"] if titled else content
    if not titled:
        return content.lstrip("~!.")
    title, target = titled["title"].lstrip("~!."), titled["target"].lstrip("~!.")
    # The full name says more than a title that repeats its end.
    if title in {target, target.rpartition(".")[2], f"{target}()"}:
        return target
    return f"{title} ({target})"
