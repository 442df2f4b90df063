"""Shows people what each curation step did to a pair, in a terminal or in a notebook."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import Literal, TypeAlias

from attrs import define, field, frozen

from furytune._values.shown import Shown
from furytune.reasons import advice
from furytune.records import Dropped, QAPair
from furytune.report import Tally

__all__ = ["Fates", "PairExplanation", "StepOutcome", "Watch"]

Fates: TypeAlias = Literal["kept", "edited", "dropped"]

_MARKS = {"+": "ins", "-": "del"}


@frozen(kw_only=True, repr=False)
class StepOutcome(Shown):
    """What one step did to a pair.

    Attributes:
        step: Name of the step, "collecting" for the collector.
        fate: "kept", "edited" or "dropped".
        before: The pair as the step got it; None if the collector dropped it.
        after: The pair as it left the step; None if it was dropped.
        dropped: Why it was dropped; None if it was not, or if the step did not name the pair.
        earlier: How many pairs the step had seen before this one, if it remembers pairs, so that they may have decided;
            None if it looks at each pair alone.
        read_all: Whether the step had read all pairs before it decided about the first.
    """

    step: str
    fate: Fates
    before: QAPair | None = None
    after: QAPair | None = None
    dropped: Dropped | None = None
    earlier: int | None = None
    read_all: bool = False

    @property
    def changes(self) -> tuple[str, ...]:
        """The lines that were edited, marked with "-" and "+", with a line around them."""
        if self.before is None or self.after is None:
            return ()
        return (
            *_difference("question", self.before.question, self.after.question),
            *_difference("answer", self.before.answer, self.after.answer),
        )

    @property
    def said(self) -> str:
        """What happened, in a line."""
        seen = (
            "" if self.earlier is None else f" (after {self.earlier:,} pairs before it, which it remembers)"
        )
        seen = " (after it had read all pairs)" if self.read_all else seen
        if self.fate != "dropped":
            return f"{self.fate}{seen}"
        if self.dropped is None:
            return f"dropped, without its id{seen}"
        detail = f": {self.dropped.detail}" if self.dropped.detail else ""
        return f"dropped as {self.dropped.reason}{detail}{seen}"

    @property
    def advice(self) -> str:
        """What you can do about a drop, "" if nothing."""
        return advice(self.dropped.unit, self.dropped.reason) if self.dropped is not None else ""


@frozen(kw_only=True, repr=False)
class PairExplanation(Shown):
    """What became of a pair. Print it, or show it in a notebook. It quotes the question and changed lines of the answer.

    Attributes:
        id: Id of the pair.
        steps: What each step did, in order. The last one is that which dropped it, if one did.
    """

    id: str
    steps: tuple[StepOutcome, ...] = ()

    @property
    def pair(self) -> QAPair | None:
        """The pair after the last step; None if it was dropped."""
        return self.steps[-1].after if self.steps else None

    def _facts(self) -> Iterator[tuple[str, str]]:
        yield "id", repr(self.id)
        yield "steps", str(len(self.steps))
        yield "kept", str(self.pair is not None)

    def __str__(self) -> str:
        lines = [f"pair      {self.id}"]
        if question := self._question:
            lines.append(f"question  {' '.join(question.split())[:100]}")
        width = max(len(outcome.step) for outcome in self.steps)
        for outcome in self.steps:
            lines.append(f"{outcome.step:<{width}}  {outcome.said}")
            lines += [f"    {line}" for line in outcome.changes]
            lines += [f"    advice: {outcome.advice}"] if outcome.advice else []
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """Returns a table. Everything in it is escaped."""
        rows = "".join(
            f"<tr><td>{escape(outcome.step)}</td><td>{escape(outcome.said)}"
            f"{_marked(outcome.changes)}{f'<br>advice: {escape(outcome.advice)}' if outcome.advice else ''}</td></tr>"
            for outcome in self.steps
        )
        return (
            f"<p>pair {escape(self.id)}: {escape(self._question)}</p>"
            f"<table><thead><tr><th>step</th><th>what it did</th></tr></thead><tbody>{rows}</tbody></table>"
        )

    @property
    def _question(self) -> str:
        first = self.steps[0].after if self.steps else None
        return first.question if first is not None else ""


@define
class Watch(Tally):
    """Follows one pair on its way through the steps.

    Attributes:
        uid: Id of the pair.
        entered: The pair at the beginning and after each step, as far as it came.
        passed: How many pairs had come there before it.
        reason: Why it was dropped; None if it was not.
    """

    uid: str = field(kw_only=True)
    entered: dict[int, QAPair] = field(factory=dict)
    passed: dict[int, int] = field(factory=dict)
    reason: Dropped | None = None

    def at(self, place: int) -> Callable[[QAPair], QAPair]:
        """Returns a step that changes nothing, and notes when the pair comes to a place."""

        def look(pair: QAPair) -> QAPair:
            if place not in self.entered:
                if pair.id == self.uid:
                    self.entered[place] = pair
                else:
                    self.passed[place] = self.passed.get(place, 0) + 1
            return pair

        return look

    def drop(self, dropped: Dropped, pair: QAPair | None = None) -> None:
        """Notes why the pair was dropped."""
        super().drop(dropped, pair)
        if dropped.unit != "pair" or self.uid not in dropped.ids or self.reason is not None:
            return
        # A second pair with the id may be dropped while a step still has the first one.
        if dropped.reason != "duplicate_id" or 0 not in self.entered:
            self.reason = dropped

    def outcomes(self, steps: Sequence[tuple[str, bool, bool]]) -> Iterator[StepOutcome]:
        """Yields what each step did.

        Args:
            steps: Name of each step, whether it remembers pairs, and whether it reads all of them first.
        """
        if 0 not in self.entered:
            yield StepOutcome(step="collecting", fate="dropped", dropped=self.reason)
            return
        yield StepOutcome(step="collecting", fate="kept", after=self.entered[0])
        for place, (name, remembers, reads_all) in enumerate(steps):
            before, after = self.entered[place], self.entered.get(place + 1)
            earlier = self.passed.get(place, 0) if remembers else None
            if after is None:
                yield StepOutcome(
                    step=name,
                    fate="dropped",
                    before=before,
                    dropped=self.reason,
                    earlier=earlier,
                    read_all=reads_all,
                )
                return
            fate: Fates = "edited" if after.edits != before.edits else "kept"
            yield StepOutcome(
                step=name, fate=fate, before=before, after=after, earlier=earlier, read_all=reads_all
            )


def _difference(what: str, before: str, after: str) -> Iterator[str]:
    """Yields a unified diff of two texts without its head; nothing if they are equal."""
    if before == after:
        return
    yield f"{what}:"
    lines = difflib.unified_diff(before.split("\n"), after.split("\n"), n=1, lineterm="")
    # Two lines name the files, which do not exist.
    yield from (line for number, line in enumerate(lines) if number > 1)


def _marked(changes: Sequence[str]) -> str:
    """Returns changed lines as HTML."""
    shown = []
    for line in changes:
        tag = _MARKS.get(line[:1])
        shown.append(f"<{tag}>{escape(line)}</{tag}>" if tag else escape(line))
    return f'<pre style="white-space:pre-wrap">{chr(10).join(shown)}</pre>' if shown else ""
