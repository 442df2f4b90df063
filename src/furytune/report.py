"""What happened to every message and pair, counted."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import Factory, define, field, frozen

from furytune._canonical import Json
from furytune.errors import ConservationError
from furytune.records import Dataset, Dropped, QAPair, TuningJob, Unit

__all__ = ["Report", "Tally"]

_LISTED = 20


@define
class Tally:
    """Counts of one run while it goes on.

    Attributes:
        messages_used: Chat messages that stand in a collected pair.
        pairs: Pairs that collectors gave.
        rows: Training rows made.
        drops: Count by unit and reason.
        examples: Up to 20 places or ids for each unit and reason.
        edits: How many answers each curation step changed.
    """

    messages_used: int = 0
    pairs: int = 0
    rows: int = 0
    drops: dict[tuple[Unit, str], int] = field(factory=dict)
    examples: dict[tuple[Unit, str], list[str]] = field(factory=dict)
    edits: dict[str, int] = field(factory=dict)

    def drop(self, dropped: Dropped) -> None:
        """Counts a drop."""
        key = (dropped.unit, dropped.reason)
        self.drops[key] = self.drops.get(key, 0) + dropped.count
        listed = self.examples.setdefault(key, [])
        if len(listed) < _LISTED:
            named = dropped.ids or ((dropped.where,) if dropped.where else ())
            listed.extend(named[: _LISTED - len(listed)])

    def collected(self, pair: QAPair) -> None:
        """Counts a pair as it leaves its collector."""
        self.pairs += 1
        self.messages_used += len(pair.question_messages) + len(pair.answer_messages)

    def dropped(self, unit: Unit) -> int:
        """Returns how many of a unit were dropped, for any reason."""
        return sum(n for (u, _), n in self.drops.items() if u == unit)

    def check(self) -> None:
        """Checks that pairs in are rows out plus pairs dropped.

        Raises:
            ConservationError: They are not.
        """
        lost = self.pairs - self.rows - self.dropped("pair")
        if lost:
            raise ConservationError(
                f"{self.pairs} pairs came in, {self.rows} rows and {self.dropped('pair')} drops came out: "
                f"{lost} are unaccounted for"
            )

    def as_json(self) -> dict[str, Json]:
        """Returns the counts for a manifest: no timing, no text, the same for equal input."""
        return {
            "messages": self.messages_used + self.dropped("message"),
            "messages_used": self.messages_used,
            "pairs": self.pairs,
            "rows": self.rows,
            "dropped": [
                {"unit": unit, "reason": reason, "count": n, "examples": list(self.examples[unit, reason])}
                for (unit, reason), n in sorted(self.drops.items())
            ],
            "edited_answers": dict(sorted(self.edits.items())),
        }


@frozen(kw_only=True)
class Report:
    """The account of one run, to read or to store.

    Attributes:
        counts: See `Tally.as_json`.
        datasets: What was written.
        job: The tuning job, if there is one.
    """

    counts: Mapping[str, Json]
    datasets: tuple[Dataset, ...] = ()
    job: TuningJob | None = None
    notes: tuple[str, ...] = Factory(tuple)

    def __str__(self) -> str:
        c = self.counts
        lines = [
            f"messages  {c['messages']:>9}  ({c['messages_used']} in pairs)",
            f"pairs     {c['pairs']:>9}",
            f"rows      {c['rows']:>9}",
        ]
        drops = c["dropped"]
        assert isinstance(drops, list)
        if drops:
            lines.append("dropped")
            lines += [f"  {d['count']:>9}  {d['unit']:<8} {d['reason']}" for d in drops]
        edits = c["edited_answers"]
        assert isinstance(edits, dict)
        if edits:
            lines.append("answers edited by " + ", ".join(f"{name} ({n})" for name, n in edits.items()))
        for data in self.datasets:
            lines += [f"{f.split:<10}{f.rows:>9}  {f.path}" for f in data.files]
            lines.append(f"manifest             {data.manifest}")
        if self.job is not None:
            lines.append(f"tuning    {self.job.state:>9}  {self.job.name}")
        return "\n".join([*lines, *self.notes])
