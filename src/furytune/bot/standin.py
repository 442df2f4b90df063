"""Cuts an answer into messages."""

from __future__ import annotations

__all__ = ["cited", "safe", "split"]

from collections.abc import Collection, Sequence

from attrs import frozen

from furytune.records import Passage


@frozen
class Source:
    label: str
    url: str


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def split(text: str, most: int = 2000) -> list[str]:
    """Returns the pieces of a text, each with at most so many characters."""
    pieces: list[str] = []
    lines = text.split("\n")
    current = ""
    fence = ""
    for line in lines:
        while _units(line) > most - 10:
            cut = most // 2
            if current:
                pieces.append(current)
                current = ""
            pieces.append(line[:cut])
            line = line[cut:]  # noqa: PLW2901
        joined = f"{current}\n{line}" if current else line
        if _units(joined) > most - 10:
            pieces.append(current + ("\n```" if fence else ""))
            current = f"{fence}\n{line}" if fence else line
        else:
            current = joined
        if line.startswith("```"):
            fence = "" if fence else line
    if current.strip():
        pieces.append(current)
    return pieces or [""]


def safe(text: str, hosts: Collection[str] | None = None) -> str:  # noqa: ARG001
    """Returns a text that notifies no one."""
    return text.replace("@everyone", "@\u200beveryone").replace("@here", "@\u200bhere")


def cited(passages: Sequence[Passage], hosts: Collection[str] | None = None) -> list[Source]:  # noqa: ARG001
    """Returns the sources of an answer."""
    return [Source(p.citation, p.url) for p in passages]
