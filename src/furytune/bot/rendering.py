"""How an answer looks on Discord."""

from __future__ import annotations

from collections.abc import Sequence

from furytune.answering.sources import cited
from furytune.answering.text import safe, split
from furytune.records import Passage

__all__ = ["MOST", "heading", "pages", "quoted", "sources"]

MOST = 2000  # characters of a message
_QUOTE = 300
_HEADING = 90
_SOURCES = 5


def pages(text: str, *, before: str = "", after: Sequence[str] = ()) -> list[str]:
    """Returns the messages of an answer.

    Args:
        text: The answer, which is safe already; see `furytune.answering.text.safe`.
        before: What stands above it, such as the question.
        after: Paragraphs below it, such as sources.
    """
    found: list[str] = [*split("\n".join(part for part in (before, text) if part), MOST)]
    below = "\n".join(part for part in after if part)
    if below and found and len(joined := f"{found[-1].rstrip()}\n\n{below}") <= MOST:
        return [*found[:-1], joined]
    return [*found, *split(below, MOST)]


def sources(passages: Sequence[Passage]) -> str:
    """Returns the line that names where an answer comes from, "" without links."""
    found = [f"[{_label(one.label)}](<{one.url}>)" for one in cited(passages) if one.url]
    return f"-# Sources: {', '.join(found[:_SOURCES])}" if found else ""


def _label(text: str) -> str:
    # A bracket would end the link's text.
    return text.replace("[", "(").replace("]", ")")


def quoted(question: str) -> str:
    """Returns a question as a quote above its answer, shortened."""
    line = _line(question, _QUOTE)
    return f"> {line}" if line else ""


def heading(question: str) -> str:
    """Returns the name of the thread for a question; Discord takes up to 100 characters."""
    return _line(question, _HEADING) or "Question"


def _line(text: str, most: int) -> str:
    line = safe(" ".join(text.split()))
    if len(line) <= most:
        return line
    cut = line[:most]
    return f"{(cut.rsplit(' ', 1)[0] if ' ' in cut else cut).rstrip()} \N{HORIZONTAL ELLIPSIS}"
