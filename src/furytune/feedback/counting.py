"""Counts feedback: how often answers helped, by week, and which passages were in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

from attrs import define, field, frozen

from furytune._privacy.printable import one_line
from furytune.feedback.lines import Exchange
from furytune.feedback.log import FeedbackLog, Reading
from furytune.feedback.rules import Confirmer, Judgement, gathered, judged

__all__ = ["Counted", "Rate", "count"]

_DOUBT = 5  # verdicts at the usual share, which are added before passages are ranked
_LEAST = 3  # verdicts about a passage; fewer say nothing


@define
class Rate:
    """How often answers helped.

    Attributes:
        helped: Answers that helped everyone who said something.
        said: Answers about which someone said something.
    """

    helped: int = 0
    said: int = 0

    def add(self, judgement: Judgement) -> None:
        """Counts an answer about which someone said something."""
        self.said += 1
        self.helped += judgement.helped > 0 and not judgement.did_not_help and not judgement.corrected

    @property
    def share(self) -> float:
        """The share of answers that helped."""
        return self.helped / self.said if self.said else 0.0

    def toward(self, usual: float) -> float:
        """Returns the share, nearer to the usual one the fewer verdicts there are: three say little."""
        return (self.helped + _DOUBT * usual) / (self.said + _DOUBT)


@frozen(kw_only=True)
class Counted:
    """The figures of a log.

    Attributes:
        answers: Answers in the log.
        states: How many are confirmed, corrected, and so on.
        helped: How many helped, of those about which someone said something.
        weeks: The same by week, such as "2026-W05", the oldest first.
        passages: The same by the passages in the prompt.
        reading: What could not be read.
    """

    answers: int
    states: Mapping[str, int]
    helped: Rate
    weeks: Mapping[str, Rate]
    passages: Mapping[str, Rate]
    reading: Reading = field(factory=Reading)

    def lines(self, width: int = 80, most: int = 10) -> Iterator[str]:
        """Yields lines for a terminal.

        Args:
            width: Most characters of a line; longer citations are cut.
            most: How many weeks, and how many passages at each end, are shown.
        """
        yield f"answers    {self.answers:>6}"
        for state, number in self.states.items():
            yield f"  {state.replace('_', ' '):<14}{number:>6}"
        if self.helped.said:
            yield f"helped     {self.helped.share:>6.0%}  of {self.helped.said} with a verdict"
        if self.weeks:
            yield "by week"
            yield from (_row(week, rate, width) for week, rate in [*self.weeks.items()][-most:])
        known = [(name, rate) for name, rate in self.passages.items() if rate.said >= _LEAST]
        if known:
            known.sort(key=lambda item: (item[1].toward(self.helped.share), item[0]))
            worst, best = known[:most], known[most:][-most:]
            yield "by passage, the least helpful first"
            yield from (_row(name, rate, width) for name, rate in worst)
            if len(known) > 2 * most:
                yield f"  ... {len(known) - 2 * most} more"
            yield from (_row(name, rate, width) for name, rate in best)
        if self.reading.damaged or self.reading.torn:
            yield f"damaged    {self.reading.damaged + self.reading.torn:>6}  lines, not counted"


def count(log: FeedbackLog, *, confirmed_by: Collection[Confirmer] = ("asker", "helper", "mark")) -> Counted:
    """Counts what people said about answers.

    Args:
        log: The log.
        confirmed_by: See `furytune.feedback.FeedbackCollector`.

    Raises:
        SourceError: The log cannot be read.
    """
    reading = Reading()
    states, helped = Counter[str](), Rate()
    weeks: dict[str, Rate] = {}
    passages: dict[str, Rate] = {}
    cited: dict[str, tuple[str, ...]] = {}
    names: dict[str, str] = {}
    with log.opened(reading) as lines:
        answers = gathered(lines)
    for line in log.lines():
        if isinstance(line, Exchange) and line.citations and answers.get(line.answer):
            # Equal citations are one object: a log has many answers from few passages.
            cited[line.answer] = tuple(names.setdefault(one, one) for one in line.citations)
    for about in answers.values():
        found = judged(about, confirmed_by)
        states[found.state] += 1
        if found.at is None:
            continue
        helped.add(found)
        weeks.setdefault(_week(found.at), Rate()).add(found)
        for citation in dict.fromkeys(cited.get(about.answer, ())):
            passages.setdefault(citation, Rate()).add(found)
    return Counted(
        answers=len(answers),
        states=dict(states.most_common()),
        helped=helped,
        weeks=dict(sorted(weeks.items())),
        passages=passages,
        reading=reading,
    )


def _week(at: datetime) -> str:
    year, week, _ = at.isocalendar()
    return f"{year}-W{week:02}"


def _row(name: str, rate: Rate, width: int) -> str:
    room = max(8, width - 18)
    shown = one_line(name)
    # The end of a citation has the place in the file.
    shown = shown if len(shown) <= room else f"…{shown[-room + 1 :]}"
    return f"  {rate.share:>4.0%} of {rate.said:<6} {shown}"
