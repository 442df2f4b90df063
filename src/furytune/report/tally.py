"""Counts what happened to every message and pair."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import define, field, frozen

from furytune._values.canonical import Json
from furytune.errors import ConservationError
from furytune.records import Dropped, QAPair, Unit

__all__ = ["ChannelCount", "Counts", "DropCount", "Tally"]

_CHANNELS = 500
"""More channels are counted together, so that a server with many threads of unknown parents does not fill the memory."""
_OTHERS = "(other channels)"
_LISTED = 20  # enough to look into a drop; millions of drops must not fill the memory


@frozen(kw_only=True)
class DropCount:
    """How many items of a unit were dropped for a reason.

    Attributes:
        unit: What was dropped, such as "pair".
        reason: One of the words that ``furytune.reasons`` explains.
        count: How many.
        examples: Up to 20 places or ids.
        channels: Name and detail of up to 20 channels, if the unit is "channel".
    """

    unit: Unit
    reason: str
    count: int
    examples: tuple[str, ...] = ()
    channels: tuple[tuple[str, str], ...] = ()

    def as_json(self) -> dict[str, Json]:
        """Returns the entry of a manifest."""
        entry: dict[str, Json] = {"unit": self.unit, "reason": self.reason, "count": self.count}
        entry["examples"] = [*self.examples]
        if self.unit == "channel":
            entry["channels"] = [{"name": name, "detail": detail} for name, detail in self.channels]
        return entry


@frozen(kw_only=True)
class ChannelCount:
    """What became of the messages of a channel with its threads, or of a forum. Channels of one name count as one.

    Attributes:
        name: Its name, such as "#help", or its id if the name is not known.
        messages: Number of chat messages that were read.
        messages_used: Number of chat messages in collected pairs.
        pairs: Number of pairs from collectors.
        rows: Number of training rows.
        dropped: Number of drops for each unit and reason.
    """

    name: str
    messages: int
    messages_used: int
    pairs: int
    rows: int
    dropped: Mapping[tuple[Unit, str], int]


@define
class _Channel:
    """What was counted in a channel so far."""

    messages_used: int = 0
    pairs: int = 0
    rows: int = 0
    drops: dict[tuple[Unit, str], int] = field(factory=dict)

    def named(self, name: str) -> ChannelCount:
        lost = sum(n for (unit, _), n in self.drops.items() if unit == "message")
        return ChannelCount(
            name=name,
            messages=self.messages_used + lost,
            messages_used=self.messages_used,
            pairs=self.pairs,
            rows=self.rows,
            dropped=dict(sorted(self.drops.items())),
        )


@frozen(kw_only=True)
class Counts:
    """What a run counted. It contains no times and no text, and is the same for equal input.

    Attributes:
        messages: Number of chat messages that were read.
        messages_used: Number of chat messages in collected pairs.
        pairs: Number of pairs from collectors.
        rows: Number of training rows.
        dropped: The drops, sorted by unit and reason.
        edited_answers: Number of answers that each curation step changed, sorted by its name.
        channels: The counts of each channel, the one with the most messages first. They are not in manifests, because
            a name may say who someone is.
    """

    messages: int
    messages_used: int
    pairs: int
    rows: int
    dropped: tuple[DropCount, ...]
    edited_answers: Mapping[str, int]
    channels: tuple[ChannelCount, ...] = ()

    def as_json(self) -> dict[str, Json]:
        """Returns the counts for a manifest."""
        return {
            "messages": self.messages,
            "messages_used": self.messages_used,
            "pairs": self.pairs,
            "rows": self.rows,
            "dropped": [drop.as_json() for drop in self.dropped],
            "edited_answers": dict(self.edited_answers),
        }


@define
class Tally:
    """Counts one run while it is running.

    Attributes:
        messages_used: Number of chat messages in collected pairs.
        pairs: Number of pairs from collectors.
        rows: Number of training rows.
        drops: Number of drops for each unit and reason.
        examples: Up to 20 places or ids for each unit and reason.
        unread: Name and detail of up to 20 dropped channels for each reason.
        edits: Number of answers that each curation step changed.
        provenance: What each collector says about the origin of its data; see `furytune.protocols.Provenance`.
        channels: The counts of each channel by its name, and of all after the first 500 together.
    """

    messages_used: int = 0
    pairs: int = 0
    rows: int = 0
    drops: dict[tuple[Unit, str], int] = field(factory=dict)
    examples: dict[tuple[Unit, str], list[str]] = field(factory=dict)
    unread: dict[str, list[tuple[str, str]]] = field(factory=dict)
    edits: dict[str, int] = field(factory=dict)
    provenance: list[Mapping[str, Json]] = field(factory=list)
    channels: dict[str, _Channel] = field(factory=dict)

    def drop(self, dropped: Dropped, *, of: QAPair | None = None) -> None:
        """Counts a drop.

        Args:
            dropped: What was dropped.
            of: The pair that was dropped, which knows its channel.
        """
        key = (dropped.unit, dropped.reason)
        if name := dropped.channel or (of.source.name if of is not None else ""):
            drops = self._channel(name).drops
            drops[key] = drops.get(key, 0) + dropped.count
        self.drops[key] = self.drops.get(key, 0) + dropped.count
        listed = self.examples.setdefault(key, [])
        if len(listed) < _LISTED:
            named = dropped.ids or ((dropped.where,) if dropped.where else ())
            listed.extend(named[: _LISTED - len(listed)])
        if dropped.unit == "channel":
            unread = self.unread.setdefault(dropped.reason, [])
            if len(unread) < _LISTED:
                unread.append((dropped.where or ", ".join(dropped.ids), dropped.detail))

    def collected(self, pair: QAPair) -> None:
        """Counts a pair that a collector yielded."""
        self.pairs += 1
        used = len(pair.question_messages) + len(pair.answer_messages)
        self.messages_used += used
        if pair.source.name:
            channel = self._channel(pair.source.name)
            channel.pairs += 1
            channel.messages_used += used

    def rendered(self, pair: QAPair) -> None:
        """Counts a pair that became a training row."""
        self.rows += 1
        if pair.source.name:
            self._channel(pair.source.name).rows += 1

    def _channel(self, name: str) -> _Channel:
        """Returns the counts of a channel."""
        if name not in self.channels and len(self.channels) >= _CHANNELS:
            name = _OTHERS
        return self.channels.setdefault(name, _Channel())

    def dropped(self, unit: Unit) -> int:
        """Returns how many items of a unit were dropped for any reason."""
        return sum(n for (u, _), n in self.drops.items() if u == unit)

    def check(self) -> None:
        """Checks that every pair became a row or was dropped.

        Raises:
            ConservationError: The sums differ.
        """
        lost = self.pairs - self.rows - self.dropped("pair")
        if lost:
            raise ConservationError(
                f"{self.pairs} pairs came in, {self.rows} rows and {self.dropped('pair')} drops came out: "
                f"{lost} are unaccounted for; this is a bug in furytune, please report it"
            )

    @property
    def counts(self) -> Counts:
        """The counts so far."""
        return Counts(
            messages=self.messages_used + self.dropped("message"),
            messages_used=self.messages_used,
            pairs=self.pairs,
            rows=self.rows,
            dropped=tuple(
                DropCount(
                    unit=unit,
                    reason=reason,
                    count=count,
                    examples=tuple(self.examples[unit, reason]),
                    channels=tuple(self.unread.get(reason, ())) if unit == "channel" else (),
                )
                for (unit, reason), count in sorted(self.drops.items())
            ),
            edited_answers=dict(sorted(self.edits.items())),
            channels=tuple(
                sorted(
                    (channel.named(name) for name, channel in self.channels.items()),
                    key=lambda count: (-count.messages, count.name),
                )
            ),
        )
