"""Makes the inline markup of documentation readable: what a role or a link shows stays, its notation goes."""

from __future__ import annotations

import re

__all__ = ["readable_markdown", "readable_rst"]

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
_NAME = r"[A-Za-z](?:[\w.+:-]*[\w.+])?"
_RST = re.compile(
    r"(?P<literal>``.+?``(?!`))"
    rf"|(?<![\w`:]):(?P<role>{_NAME}):`(?P<content>[^`]+)`(?![`\w])"
    r"|(?<![\w`:\\])`(?P<text>[^`<]*[^`<\s])\s+<(?P<url>[^`<>\s]+)>`__?(?!\w)"
    r"|(?<![\w`:\\])`(?P<plain>[^`<\s](?:[^`<]*[^`<\s])?)`__?(?!\w)",
    re.DOTALL,
)
_MARKDOWN = re.compile(
    rf"\{{(?P<role>{_NAME})\}}(?P<ticks>`+)(?P<content>[^`]+)(?P=ticks)(?!`)"
    r"|(?P<open>`+)(?P<literal>.+?)(?<!`)(?P=open)(?!`)"
    r"|!\[(?P<alt>[^\[\]]*)\]\((?P<src>[^()\s]*(?:\s+\"[^\"]*\")?)\)",
    re.DOTALL,
)
_TITLED = re.compile(r"(?P<title>.*?\S)\s*<(?P<target>[^<>]*)>", re.DOTALL)


def readable_rst(text: str) -> str:
    """Replaces roles and links of reStructuredText.

    A symbol is written out in full, ``:func:`~fury.actor.sphere``` as "fury.actor.sphere": the whole name is what can
    be imported, and a search finds it by each of its parts, while the last part alone would not lead to the whole.
    The number of lines stays.
    """
    return _RST.sub(_of_rst, text)


def _of_rst(match: re.Match[str]) -> str:
    if match["literal"]:
        return match[0]
    if match["role"]:
        shown = _shown(match["role"], match["content"])
    elif match["url"]:
        # A target's name ends in an underscore; only addresses help a reader.
        shown = match["text"] if match["url"].endswith("_") else f"{match['text']} ({match['url']})"
    else:
        shown = match["plain"]
    return _as_many_lines(shown, match[0])


def readable_markdown(text: str) -> str:
    """Replaces MyST's roles, and images by what stands for them in words. The number of lines stays."""
    return _MARKDOWN.sub(_of_markdown, text)


def _of_markdown(match: re.Match[str]) -> str:
    if match["role"]:
        return _as_many_lines(_shown(match["role"], match["content"]), match[0])
    if match["open"]:
        return match[0]
    return _as_many_lines(match["alt"], match[0])


def _as_many_lines(shown: str, was: str) -> str:
    return shown + "\n" * (was.count("\n") - shown.count("\n"))


def _shown(role: str, content: str) -> str:
    name = role.rpartition(":")[2].lower()
    titled = _TITLED.fullmatch(content)
    if name in _NUMBERED and not titled:
        return _NUMBERED[name] + content
    if name not in _SYMBOLS:
        return titled["title"] if titled else content
    if not titled:
        return content.lstrip("~!.")
    title, target = titled["title"].lstrip("~!."), titled["target"].lstrip("~!.")
    if title in {target, target.rpartition(".")[2], f"{target}()"}:
        return target
    return f"{title} ({target})"
