"""Counts what happened to every message and pair."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import define, field, frozen

from furytune._values.canonical import Json
from furytune._values.shown import Shown
from furytune.errors import ConservationError
from furytune.records import Dropped, QAPair, TrainingRow, Unit
from furytune.report.overview import Watcher

__all__ = ["Counts", "DropCount", "Tally"]

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


@frozen(kw_only=True, repr=False)
class Counts(Shown):
    """What a run counted. It contains no times and no text, and is the same for equal input.

    Attributes:
        messages: Number of chat messages that were read.
        messages_used: Number of chat messages in collected pairs.
        pairs: Number of pairs from collectors.
        rows: Number of training rows.
        dropped: The drops, sorted by unit and reason.
        edited_answers: Number of answers that each curation step changed, sorted by its name.
        edited_questions: Number of questions that each step replaced by a person's, sorted by its name.
    """

    messages: int
    messages_used: int
    pairs: int
    rows: int
    dropped: tuple[DropCount, ...]
    edited_answers: Mapping[str, int]
    edited_questions: Mapping[str, int] = field(factory=dict)

    def as_json(self) -> dict[str, Json]:
        """Returns the counts for a manifest."""
        found: dict[str, Json] = {
            "messages": self.messages,
            "messages_used": self.messages_used,
            "pairs": self.pairs,
            "rows": self.rows,
            "dropped": [drop.as_json() for drop in self.dropped],
            "edited_answers": dict(self.edited_answers),
        }
        # Left out where no one corrected a question, so that such a manifest keeps the bytes of earlier versions.
        if self.edited_questions:
            found["questions_edited_by_a_person"] = dict(self.edited_questions)
        return found


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
        questions: Number of questions that each step replaced by a person's.
        provenance: What each collector says about the origin of its data; see `furytune.protocols.Provenance`.
        watcher: Notes what the HTML report shows besides the counts.
    """

    messages_used: int = 0
    pairs: int = 0
    rows: int = 0
    drops: dict[tuple[Unit, str], int] = field(factory=dict)
    examples: dict[tuple[Unit, str], list[str]] = field(factory=dict)
    unread: dict[str, list[tuple[str, str]]] = field(factory=dict)
    edits: dict[str, int] = field(factory=dict)
    questions: dict[str, int] = field(factory=dict)
    provenance: list[Mapping[str, Json]] = field(factory=list)
    watcher: Watcher = field(factory=Watcher, eq=False, repr=False)

    def drop(self, dropped: Dropped, pair: QAPair | None = None) -> None:
        """Counts a drop.

        Args:
            dropped: What was dropped.
            pair: The pair, if a pair that was collected is dropped.
        """
        self.watcher.dropped(dropped, pair)
        key = (dropped.unit, dropped.reason)
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
        self.messages_used += len(pair.question_messages) + len(pair.answer_messages)
        self.watcher.collected(pair)

    def row(self, pair: QAPair, row: TrainingRow) -> None:
        """Counts a training row and the pair that it was made from."""
        self.rows += 1
        self.watcher.row(pair, row)

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
            edited_questions=dict(sorted(self.questions.items())),
        )
