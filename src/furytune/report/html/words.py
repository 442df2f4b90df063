"""Says what the report's numbers mean, in plain sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attrs import frozen

from furytune.reasons import REASONS, Unit
from furytune.report.overview import ChannelCounts, Example, Overview
from furytune.report.tally import Counts, DropCount

__all__ = ["Lost", "LostGroup", "headline", "label", "lost", "many", "mostly", "share", "who_answers"]

_HEADINGS: Mapping[Unit, str] = {
    "message": "Messages that are in no pair",
    "pair": "Pairs that did not become rows",
    "channel": "Channels that were left out or read in part",
    "file": "Files that were left out or read in part",
    "record": "Records that were left out",
    "field": "Fields that were not used",
    "grade": "Grades that are missing",
}
_CHANNELS = 3
_MOSTLY = 2


@frozen(kw_only=True)
class Lost:
    """A reason why something was left out, as the page shows it.

    Attributes:
        reason: The word in reports and manifests.
        meaning: What it means.
        advice: What to do; "" if nothing.
        count: How many.
        share: Share of all that the group lost, between 0 and 1.
        channels: Where it happened most, and how often.
        elsewhere: In how many other channels it happened.
        places: Ids or places of some of them.
        examples: Texts, if they were wanted.
    """

    reason: str
    meaning: str
    advice: str
    count: int
    share: float
    channels: tuple[tuple[str, int], ...] = ()
    elsewhere: int = 0
    places: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()


@frozen(kw_only=True)
class LostGroup:
    """All reasons for one unit, the most frequent first."""

    heading: str
    unit: str
    count: int
    reasons: tuple[Lost, ...]


def many(n: int, one: str, several: str = "") -> str:
    """Returns a number with its noun."""
    return f"{n:,} {one if n == 1 else several or one + 's'}"


def share(part: float, whole: float) -> str:
    """Returns a share in percent. A small share is not shown as 0 %, and a large one not as 100 %."""
    if not whole or not part:
        return "0 %"
    percent = 100 * part / whole
    if percent < 1:
        return "under 1 %"
    return "over 99 %" if 99.5 <= percent < 100 else f"{percent:.0f} %"


def headline(counts: Counts | None, rows: int) -> str:
    """Returns the sentence at the top."""
    learn = f"{many(rows, 'example')} to learn from"
    if counts is None or not counts.pairs:
        return f"This data set has {learn}."
    if not counts.messages:
        return f"{many(counts.pairs, 'pair')} became {learn}."
    return f"{many(counts.messages, 'message')} became {learn}."


def lost(counts: Counts, overview: Overview | None) -> Iterator[LostGroup]:
    """Yields what was left out, by unit: messages and pairs first."""
    units = sorted({d.unit for d in counts.dropped}, key=lambda unit: (_order(unit), unit))
    for unit in units:
        found = sorted((d for d in counts.dropped if d.unit == unit), key=lambda d: -d.count)
        total = sum(d.count for d in found)
        yield LostGroup(
            heading=_HEADINGS.get(unit, f"Left out: {unit}"),
            unit=unit,
            count=total,
            reasons=tuple(_lost(d, total, overview) for d in found),
        )


def _order(unit: Unit) -> int:
    known = list(_HEADINGS)
    return known.index(unit) if unit in known else len(known)


def _lost(drop: DropCount, total: int, overview: Overview | None) -> Lost:
    known = REASONS.get((drop.unit, drop.reason))
    advice = known.remedy if known else ""
    where = _where(drop.unit, drop.reason, overview.channels if overview else ())
    named = tuple(f"{name} ({detail})" if detail else name for name, detail in drop.channels)
    examples = overview.examples if overview and drop.unit == "pair" else ()
    return Lost(
        reason=drop.reason,
        meaning=known.meaning if known else "A part that does not come with furytune left it out.",
        advice="" if advice == "Nothing." else advice,
        count=drop.count,
        share=drop.count / total,
        channels=tuple(where[:_CHANNELS]),
        elsewhere=max(len(where) - _CHANNELS, 0),
        places=named or drop.examples,
        examples=tuple(example for example in examples if example.reason == drop.reason),
    )


def _where(unit: Unit, reason: str, channels: Sequence[ChannelCounts]) -> list[tuple[str, int]]:
    """Returns the channels in which something was dropped for a reason, the most frequent first."""
    found = [
        (label(channel), n)
        for channel in channels
        for u, why, n in channel.dropped
        if (u, why) == (unit, reason) and channel.id
    ]
    return sorted(found, key=lambda item: -item[1])


def label(channel: ChannelCounts) -> str:
    """Returns how the page calls a channel."""
    return f"#{channel.name}" if channel.name else channel.id or "In no channel"


def mostly(channel: ChannelCounts) -> Sequence[tuple[str, int]]:
    """Returns the most frequent reasons why messages of a channel are in no pair, with their numbers."""
    return [(reason, n) for unit, reason, n in channel.dropped if unit == "message"][:_MOSTLY]


def who_answers(answerers: Sequence[int]) -> str:
    """Returns a sentence on how answers are spread over people."""
    total, people = sum(answerers), len(answerers)
    if people < 2:
        return "One person wrote all answers"
    half, sum_ = 0, 0
    for n in answerers:
        half, sum_ = half + 1, sum_ + n
        if 2 * sum_ >= total:
            break
    if half == 1:
        return f"One of {people:,} people wrote {share(answerers[0], total)} of the answers"
    return f"{half:,} of {people:,} people wrote half of the answers"
