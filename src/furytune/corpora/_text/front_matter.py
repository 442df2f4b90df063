"""Finds the front matter of a page: YAML between ``---``, TOML between ``+++``, or JSON between ``;;;``."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

__all__ = ["front_matter"]

_OPENING = re.compile(r"(---|\+\+\+|;;;)[ \t]{0,8}(?:yaml|yml|toml|json)?[ \t]{0,8}$", re.IGNORECASE)
_KEY = re.compile(r"[\"']?[A-Za-z_][\w .-]{0,80}[\"']?\s{0,8}[:=](?:\s|$)|[\[{]")
_TITLE = re.compile(r"[\"']?title[\"']?[ \t]{0,8}[:=](?=[ \t])", re.IGNORECASE)
_MOST_LINES = 400  # a longer block between rules is not front matter
_LONGEST_TITLE = 1000


def front_matter(lines: Sequence[str]) -> tuple[int, str]:
    """Finds the front matter of a page.

    Two rules (``---``) with prose between them are not front matter.

    Args:
        lines: All lines of the file.

    Returns:
        How many lines it has, or 0, and its title, or "".
    """
    first = lines[0].rstrip() if lines else ""
    opening = _OPENING.match(first)
    if not opening and first != "{":
        return 0, ""
    closing = {"---": ("---", "..."), "+++": ("+++",), ";;;": (";;;",)}[opening[1]] if opening else ("}",)
    end = next((i for i in range(1, min(len(lines), _MOST_LINES)) if lines[i].rstrip() in closing), 0)
    inside = lines[1:end] if opening else ["{", *lines[1:end], "}"]
    told = [line for line in inside if line.strip()]
    if not end or (opening is None and not _object(inside)):
        return 0, ""
    # A page may also begin with a ruler, and then text follows instead of settings.
    if opening and opening[1] == "---" and told and not any(_KEY.match(line) for line in told):
        return 0, ""
    return end + 1, _title(inside)


def _object(lines: Sequence[str]) -> dict[str, object]:
    """Reads JSON front matter; {} if it is not an object."""
    try:
        found = msgspec.json.decode("\n".join(lines))
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _title(lines: Sequence[str]) -> str:
    """Returns the title that the front matter states, "" without one."""
    text = "\n".join(lines).strip()
    value: object = ""
    if text.startswith("{"):
        value = _object(lines).get("title")
    else:
        for line in lines:
            if line.startswith("["):  # a TOML table, whose title is not that of the page
                break
            if found := _TITLE.match(line):
                value = _scalar(line[found.end() :].strip())
                break
    title = " ".join(value.split()) if isinstance(value, str) else ""
    return title if len(title) <= _LONGEST_TITLE else ""


def _scalar(text: str) -> str:
    """Returns the value of a YAML or TOML setting on one line; "" if it spans several lines."""
    if text[:1] in ("|", ">"):
        return ""
    quote = text[:1]
    if quote in ("'", '"'):
        end = text.find(quote, 1)
        while quote == '"' and end > 0 and text[end - 1] == "\\":
            end = text.find(quote, end + 1)
        return text[1:end].replace('\\"', '"') if end > 0 else text[1:]
    return text.partition(" #")[0].strip()
