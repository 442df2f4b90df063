"""Notes what the HTML report shows besides the counts: channels, months, people's shares, confidence, and facts of rows.

It holds no names of people, no pseudonyms and, unless examples are wanted, no text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial

from attrs import define, field, frozen

from furytune._values.checks import at_least
from furytune._values.shown import Shown, words
from furytune.records import Dropped, Evidence, QAPair, Source, TrainingRow, Unit
from furytune.report.sampling import Sample

__all__ = ["BINS", "ChannelCounts", "Example", "Overview", "RowFacts", "Watcher"]

BINS = 20
"""How many bins of equal width a distribution of confidence has."""

_QUESTION, _ANSWER = 300, 500  # characters of an example


@frozen(kw_only=True, repr=False)
class ChannelCounts(Shown):
    """What became of the messages of a channel and its threads, or of the records of a file.

    Attributes:
        id: Id of the channel, or the name of the file; "" for what belongs to no channel.
        name: Name of the channel, "" if unknown.
        messages: Number of messages that were read.
        messages_used: How many of them are in pairs.
        pairs: Number of pairs.
        kept: How many of them passed the curation steps.
        rows: How many of them became rows.
        dropped: Unit, reason and number of the drops of messages and pairs, the most frequent first.
    """

    id: str
    name: str = ""
    messages: int = 0
    messages_used: int = 0
    pairs: int = 0
    kept: int = 0
    rows: int = 0
    dropped: tuple[tuple[Unit, str, int], ...] = ()


@frozen(kw_only=True, repr=False)
class RowFacts(Shown):
    """What is known about the pair behind a row.

    Attributes:
        id: Id of the row.
        channel: Id of the channel, or the name of the file.
        method: How question and answer were matched; see `QAPair.method`.
        confidence: See `QAPair.confidence`.
        evidence: See `QAPair.evidence`.
        edits: Names of the curation steps that edited the pair.
    """

    id: str
    channel: str = ""
    method: str = ""
    confidence: float = 1.0
    evidence: tuple[Evidence, ...] = ()
    edits: tuple[str, ...] = ()


@frozen(kw_only=True, repr=False)
class Example(Shown):
    """A pair that was dropped, shortened, without secrets and personal data as far as furytune recognises them.

    Attributes:
        reason: Why it was dropped.
        question: The beginning of its question.
        answer: The beginning of its answer.
    """

    reason: str
    question: str = field(repr=False)
    answer: str = field(repr=False)


@frozen(kw_only=True, repr=False)
class Overview(Shown):
    """What a run noted about channels, months, people and confidence.

    Attributes:
        channels: The channels, the one with the most rows first.
        months: Month such as "2024-05", pairs asked in it, and rows made of them, in order of time.
        undated: Pairs without a date.
        answerers: How many rows each person answered, the most first. It has no names and no pseudonyms.
        anonymous: Rows whose answerer is unknown.
        kept: Number of rows in each of 20 bins of confidence, from 0 to 1.
        dropped: Number of dropped pairs in each bin.
        rows: Facts of at most 10,000 rows, chosen by the hashes of their ids.
        examples: Dropped pairs, if they were wanted.
    """

    channels: tuple[ChannelCounts, ...] = ()
    months: tuple[tuple[str, int, int], ...] = ()
    undated: int = 0
    answerers: tuple[int, ...] = ()
    anonymous: int = 0
    kept: tuple[int, ...] = (0,) * BINS
    dropped: tuple[int, ...] = (0,) * BINS
    rows: tuple[RowFacts, ...] = ()
    examples: tuple[Example, ...] = ()


@define
class _Channel:
    """The counts of a channel while they grow."""

    name: str = ""
    messages: int = 0
    used: int = 0
    pairs: int = 0
    lost: int = 0
    rows: int = 0
    drops: Counter[tuple[Unit, str]] = field(factory=Counter)


@define
class Watcher:
    """Watches one run.

    Memory grows with the number of channels and of people who answer, but not with the number of messages.

    Args:
        examples: How many dropped pairs to note for each reason.

    Raises:
        ConfigError: ``examples`` is not a whole number from 0 up.
    """

    examples: int = field(default=0, validator=at_least(0))
    _channels: dict[str, _Channel] = field(factory=dict, init=False)
    _pairs: Counter[tuple[int, int] | None] = field(factory=Counter, init=False)
    _rows: Counter[tuple[int, int] | None] = field(factory=Counter, init=False)
    _answerers: Counter[str] = field(factory=Counter, init=False)
    _kept: list[int] = field(factory=lambda: [0] * BINS, init=False)
    _dropped: list[int] = field(factory=lambda: [0] * BINS, init=False)
    _facts: Sample[RowFacts] = field(factory=Sample, init=False)
    _examples: dict[str, list[Example]] = field(factory=dict, init=False)

    def collected(self, pair: QAPair) -> None:
        """Notes a pair that a collector yielded."""
        channel = self._channel(pair.source)
        used = len(pair.question_messages) + len(pair.answer_messages)
        channel.messages += used
        channel.used += used
        channel.pairs += 1
        self._pairs[_month(pair)] += 1

    def dropped(self, dropped: Dropped, pair: QAPair | None = None) -> None:
        """Notes a drop."""
        if pair is not None:
            channel = self._channel(pair.source)
            channel.lost += _by_curation(dropped)
            self._dropped[_bin(pair)] += 1
            self._example(dropped.reason, pair)
        elif dropped.unit in ("message", "pair"):
            channel = self._channel(dropped.source)
            channel.messages += dropped.count if dropped.unit == "message" else 0
            if dropped.unit == "pair":
                channel.pairs += dropped.count
                channel.lost += dropped.count
        else:
            return
        channel.drops[dropped.unit, dropped.reason] += dropped.count

    def row(self, pair: QAPair, row: TrainingRow) -> None:
        """Notes a row and the pair that it was made from."""
        self._channel(pair.source).rows += 1
        self._rows[_month(pair)] += 1
        self._answerers[pair.answerer] += 1
        self._kept[_bin(pair)] += 1
        self._facts.offer(row.id, partial(_facts, pair, row.id))

    @property
    def overview(self) -> Overview:
        """What was noted so far."""
        months = sorted(month for month in self._pairs if month is not None)
        people = Counter(self._answerers)
        anonymous = people.pop("", 0)
        return Overview(
            channels=tuple(self._counted()),
            months=tuple((f"{y:04}-{m:02}", self._pairs[y, m], self._rows[y, m]) for y, m in months),
            undated=self._pairs[None],
            answerers=tuple(sorted(people.values(), reverse=True)),
            anonymous=anonymous,
            kept=tuple(self._kept),
            dropped=tuple(self._dropped),
            rows=tuple(self._facts.by_hash()),
            examples=tuple(example for found in self._examples.values() for example in found),
        )

    def _counted(self) -> Iterator[ChannelCounts]:
        for uid, c in sorted(
            self._channels.items(), key=lambda item: (-item[1].rows, -item[1].messages, item[0])
        ):
            yield ChannelCounts(
                id=uid,
                name=c.name,
                messages=c.messages,
                messages_used=c.used,
                pairs=c.pairs,
                kept=c.pairs - c.lost,
                rows=c.rows,
                dropped=tuple((unit, reason, n) for (unit, reason), n in c.drops.most_common()),
            )

    def _channel(self, source: Source) -> _Channel:
        uid = _key(source)
        channel = self._channels.get(uid) or self._channels.setdefault(uid, _Channel())
        channel.name = channel.name or source.channel_name
        return channel

    def _example(self, reason: str, pair: QAPair) -> None:
        found = self._examples.setdefault(reason, []) if self.examples else []
        if len(found) < self.examples:
            found.append(
                Example(
                    reason=reason,
                    question=words(pair.question, _QUESTION),
                    answer=words(pair.answer, _ANSWER),
                )
            )


_RENDERING = frozenset({"unusable_question", "unusable_answer", "question_too_long"})


def _by_curation(dropped: Dropped) -> bool:
    """Returns True unless a pair passed all curation steps and was dropped while its prompt was rendered."""
    return dropped.reason not in _RENDERING


def _key(source: Source) -> str:
    return source.channel or source.path


def _facts(pair: QAPair, row: str) -> RowFacts:
    return RowFacts(
        id=row,
        channel=_key(pair.source),
        method=pair.method,
        confidence=pair.confidence,
        evidence=pair.evidence,
        edits=pair.edits,
    )


def _month(pair: QAPair) -> tuple[int, int] | None:
    return None if pair.asked_at is None else (pair.asked_at.year, pair.asked_at.month)


def _bin(pair: QAPair) -> int:
    return min(int(pair.confidence * BINS), BINS - 1)
