"""Where an answer comes from, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence

from furytune.records import Passage

__all__ = ["citations", "footnotes"]


def citations(passages: Sequence[Passage]) -> list[dict[str, str]]:
    """Returns what a reader needs to find the passages, in the order of the prompt."""
    return [{"citation": passage.citation, "url": _address(passage)} for passage in passages]


def footnotes(passages: Sequence[Passage]) -> str:
    """Returns the citations as the end of an answer; "" without passages."""
    lines = [f"[{n}] {p.citation} {_address(p)}".rstrip() for n, p in enumerate(passages, 1)]
    return "\n\n" + "\n".join(lines) if lines else ""


def _address(passage: Passage) -> str:
    # Clients make links of addresses, and a passage can come from anywhere.
    return passage.url if passage.url.startswith(("https://", "http://")) else ""
