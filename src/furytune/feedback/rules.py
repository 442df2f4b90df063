"""Weighs what people said about an answer.

The latest word of each person counts, and each person has one voice. If a helper spoke, only helpers count.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any, Literal, TypeAlias

from attrs import define, field, frozen

from furytune.feedback.lines import Exchange, Line, Said

__all__ = ["Answered", "Confirmer", "Judgement", "State", "gathered", "ids_of", "judged"]

Confirmer: TypeAlias = Literal["asker", "helper", "mark", "member"]
"""Whose "helped" confirms an answer. It can be who asked, a helper, a check mark or a tag of the thread, or anyone else."""

State: TypeAlias = Literal[
    "confirmed", "corrected", "proposed", "contradicted", "not_helpful", "not_confirmed"
]
"""What became of an answer. A correction by a helper counts as "corrected", one by a member as "proposed"."""


@define
class Answered:
    """An answer of the bot, and the latest word of each person about it.

    Attributes:
        answer: Id of the answer.
        question: Id or digest of the question, "" if unknown.
        exchange: Place of its exchange in the log; None if the log has none.
        asker: Id of who asked, "" if unknown.
        fingerprint: Fingerprint of the contract, "" if unknown.
        parts: Ids of the further messages of the answer.
        before: Ids of the earlier messages that belong to the question.
        voices: The words by person.
        marked: True if the chat has a check mark on it, or a tag that says that its thread is solved.
    """

    answer: str
    question: str = ""
    exchange: int | None = None
    asker: str = ""
    fingerprint: str = ""
    parts: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    voices: dict[str, Said] = field(factory=dict)
    marked: bool = False

    @property
    def messages(self) -> tuple[str, ...]:
        """Ids of all messages of the answer."""
        return (self.answer, *self.parts)


@frozen(kw_only=True)
class Judgement:
    """What people think of an answer.

    Attributes:
        state: What became of it.
        who: Who confirmed or corrected it; "" if no one did.
        text: The correction, or the latest one that is proposed; "" without any.
        helped: How many say that it helped.
        did_not_help: How many say that it did not, without a correction.
        corrected: How many corrected it.
        at: When the last of them spoke; None if no one did.
    """

    state: State
    who: Confirmer | Literal[""] = ""
    text: str = field(default="", repr=False)
    helped: int = 0
    did_not_help: int = 0
    corrected: int = 0
    at: datetime | None = None

    def __str__(self) -> str:
        return f"{self.helped} helped, {self.did_not_help} did not help, {self.corrected} corrected"


def gathered(lines: Iterable[tuple[int, Line]]) -> dict[str, Answered]:
    """Reads a log once; returns the answers by id, in the order in which the log first names them."""
    found: dict[str, Answered] = {}
    # A client of a server may know an answer by its question only. Then the last answer to it is meant.
    latest: dict[str, str] = {}
    for at, line in lines:
        if isinstance(line, Exchange):
            about = found.setdefault(line.answer, Answered(line.answer))
            about.exchange, about.asker, about.fingerprint = at, line.asker, line.fingerprint
            about.question, about.parts = line.question or about.question, line.parts
            about.before = line.before
            if line.question:
                latest[line.question] = line.answer
            continue
        named = line.answer
        if named not in found and named == line.question:
            named = latest.get(named, named)
        about = found.setdefault(named, Answered(named))
        about.question = about.question or line.question
        before = about.voices.get(line.by)
        if before is None or line.time >= before.time:
            about.voices[line.by] = line
    return found


def judged(about: Answered, confirmed_by: Collection[Confirmer], silent: Collection[str] = ()) -> Judgement:
    """Returns what people think of an answer.

    Args:
        about: The answer and what they said.
        confirmed_by: Whose "helped" confirms it.
        silent: Ids of people whose words do not count, because they do not take part.
    """
    said = [(_who(one, about), one) for one in about.voices.values() if one.by not in silent]
    helpers = [item for item in said if item[0] == "helper"]
    weighed = helpers or said
    good = {who for who, one in weighed if one.verdict == "helped"}
    if about.marked and not helpers:
        good |= {"mark"}
    corrections = sorted(
        (one for _, one in weighed if one.verdict == "corrected" and one.text), key=lambda one: one.time
    )
    counts: dict[str, Any] = {
        "helped": sum(one.verdict == "helped" for _, one in said) + about.marked,
        "did_not_help": sum(
            one.verdict == "did_not_help" or (one.verdict == "corrected" and not one.text) for _, one in said
        ),
        "corrected": sum(one.verdict == "corrected" and bool(one.text) for _, one in said),
        "at": max((one.time for _, one in said), default=None),
        "text": corrections[-1].text if corrections else "",
    }
    negative = len(corrections) < sum(one.verdict != "helped" for _, one in weighed)
    state, who = _verdict(
        good, {one.text.strip() for one in corrections}, bool(helpers), negative, confirmed_by
    )
    return Judgement(state=state, who=who, **counts)


def _verdict(
    good: Collection[Confirmer],
    corrections: Collection[str],
    helper: bool,  # noqa: FBT001
    negative: bool,  # noqa: FBT001
    confirmed_by: Collection[Confirmer],
) -> tuple[State, Confirmer | Literal[""]]:
    if (good and (corrections or negative)) or len(corrections) > 1:
        return "contradicted", ""
    if corrections:
        return ("corrected", "helper") if helper else ("proposed", "")
    if negative:
        return "not_helpful", ""
    order: tuple[Confirmer, ...] = ("helper", "asker", "mark", "member")
    for who in order:
        if who in good and who in confirmed_by:
            return "confirmed", who
    return "not_confirmed", ""


def _who(said: Said, about: Answered) -> Confirmer:
    if said.role == "helper":
        return "helper"
    if said.by and said.by == about.asker:
        return "asker"
    # Someone who is known and pressed a mark is a member like all others; the chat does not say who pressed its marks.
    return "mark" if said.source == "solved_tag" or (said.source == "reaction" and not said.by) else "member"


def ids_of(found: Iterable[Answered]) -> Iterator[str]:
    """Yields the ids under which a chat may have the texts of answers and questions."""
    for about in found:
        yield from (*about.messages, *about.before)
        if about.question:
            yield about.question
