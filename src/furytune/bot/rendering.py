"""How an answer looks on Discord."""

from __future__ import annotations

from collections.abc import Sequence

from furytune.bot.standin import cited, safe, split
from furytune.records import Passage

__all__ = ["MOST", "answer", "heading", "quoted", "sources"]

MOST = 2000  # characters of a message
_QUOTE = 300
_SOURCES = 5


def answer(
    text: str, hosts: Sequence[str] | None, *, before: str = "", after: Sequence[str] = ()
) -> list[str]:
    """Returns the messages of an answer.

    Args:
        text: The model's text.
        hosts: Hosts that links may lead to, None for all.
        before: What stands above it, such as the question.
        after: Paragraphs below it, such as sources.
    """
    whole = "\n".join(part for part in (before, safe(text, hosts=hosts)) if part)
    pieces = split(whole, MOST) if whole.strip() else []
    below = "\n".join(part for part in after if part)
    if below and pieces:
        joined = f"{pieces[-1]}\n\n{below}"
        if _units(joined) <= MOST:
            return [*pieces[:-1], joined]
    return [*pieces, *(split(below, MOST) if below else [])]


def sources(passages: Sequence[Passage], hosts: Sequence[str] | None) -> str:
    """Returns the line that names where an answer comes from, "" without links."""
    found = [f"[{one.label}](<{one.url}>)" for one in cited(passages, hosts=hosts)[:_SOURCES] if one.url]
    return f"-# Sources: {', '.join(found)}" if found else ""


def quoted(question: str) -> str:
    """Returns a question as a quote above its answer, shortened."""
    line = " ".join(question.split())
    line = line if len(line) <= _QUOTE else f"{line[:_QUOTE].rstrip()} \N{HORIZONTAL ELLIPSIS}"
    return f"> {safe(line, hosts=())}" if line else ""


def heading(question: str) -> str:
    """Returns the name of the thread for a question."""
    line = " ".join(question.split())
    if len(line) > 90:
        line = line[:90].rsplit(" ", 1)[0][:90].rstrip() + " \N{HORIZONTAL ELLIPSIS}"
    return line or "Question"


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
