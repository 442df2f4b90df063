"""Shows people why a prompt contains its passages, in a terminal or in a notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Literal, Protocol, TypeAlias, runtime_checkable

from attrs import field, frozen

from furytune._values.shown import Shown, page
from furytune.records import Passage, Prompt

__all__ = ["Explaining", "Explanation", "Fate", "Finding"]

Fate: TypeAlias = Literal["found", "beyond_k", "later", "same_text", "prompt", "budget"]

_SAID: dict[Fate, str] = {
    "found": "found",
    "prompt": "in the prompt",
    "budget": "left out: no room in the token budget",
    "beyond_k": "left out: not among the k best",
    "later": "left out: dated at or after the question",
    "same_text": "left out: same text as",
}


@frozen(kw_only=True, repr=False)
class Finding(Shown):
    """A passage that was found, or came close.

    Attributes:
        passage: The passage.
        fate: What happened to it: "prompt" (it is in the prompt), "budget" (found, but left out), "beyond_k" (ranked below
            the best k), "later" (it would have been found if it were older than the question), "same_text" (another
            passage with its title and text was found instead), or "found" if no prompt was rendered.
        scores: Its score in each ranking. The last ranking decides.
        ranks: Its place in each ranking, from 1; None if it has no score there. Empty for a copy, which is not ranked.
        same_as: Id of the passage that was found instead; "" unless the fate is "same_text".
    """

    passage: Passage
    fate: Fate
    scores: Mapping[str, float] = field(factory=dict)
    ranks: Mapping[str, int | None] = field(factory=dict)
    same_as: str = ""


@runtime_checkable
class Explaining(Protocol):
    """**Protocol:** an augmenter that can say why it finds what it finds.

    - An explanation begins with what ``context`` finds, in that order.
    """

    def explain(self, question: str, *, at: datetime | None = None) -> tuple[Finding, ...]:
        """Returns what ``context`` finds, in that order, and then the near misses."""
        ...


@frozen(kw_only=True, repr=False)
class Explanation(Shown):
    """How a prompt was made. Print it, or show it in a notebook. It quotes the question.

    Attributes:
        prompt: What `furytune.contract.PromptContract.prompt` renders, byte for byte.
        at: The moment of the question.
        findings: The passages in the order of the prompt, then those that were left out.
    """

    prompt: Prompt
    at: datetime
    findings: tuple[Finding, ...] = ()

    def __str__(self) -> str:
        rows = [self._head, *self._rows]
        # The last column is not padded, because it may be long.
        widths = [max(len(row[i]) for row in rows) for i in range(len(self._head) - 1)]
        lines = [
            "  ".join(c.ljust(w) for c, w in zip(row, [*widths, 0], strict=True)).rstrip() for row in rows
        ]
        return "\n".join(
            [f"asked at {self.at.isoformat()}", *lines, "", self._system, self.prompt.text]
        ).strip()

    def _repr_html_(self) -> str:
        """Returns a table with the prompt below it. Everything in it is escaped."""

        def line(cells: Sequence[str], tag: str) -> str:
            inner = "".join(f'<{tag} style="text-align:left">{escape(cell)}</{tag}>' for cell in cells)
            return f"<tr>{inner}</tr>"

        body = "".join(line(row, "td") for row in self._rows)
        text = page(f"{self._system}\n{self.prompt.text}".strip(), "prompt")
        return (
            f"<p>asked at {escape(self.at.isoformat())}</p>"
            f"<table><thead>{line(self._head, 'th')}</thead><tbody>{body}</tbody></table>{text}"
        )

    @property
    def _system(self) -> str:
        return f"{self.prompt.system}\n" if self.prompt.system else ""

    @property
    def _names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for f in self.findings for name in f.scores))

    @property
    def _head(self) -> list[str]:
        return ["", *self._names, "what became of it", "passage"]

    @property
    def _rows(self) -> list[list[str]]:
        """The rows of the table, below its head."""
        return [
            [str(i), *(_score(f, name) for name in self._names), _said(f), _named(f.passage)]
            for i, f in enumerate(self.findings, 1)
        ]


def _score(finding: Finding, name: str) -> str:
    """Returns a score with its place, such as "3.120 (#2)"."""
    rank = finding.ranks.get(name)
    place = f" (#{rank})" if rank else ""
    return f"{finding.scores.get(name, 0.0):.3f}{place}"


def _said(finding: Finding) -> str:
    return f"{_SAID[finding.fate]} {finding.same_as}".rstrip()


def _named(passage: Passage) -> str:
    date = f", {passage.date.date().isoformat()}" if passage.date else ""
    return f"{passage.citation}{date}"
