"""Counts what happened to every message and pair."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from furytune._storage import manifests
from furytune._values.canonical import Json
from furytune._values.shown import Shown
from furytune.errors import ConfigError, ConservationError
from furytune.records import Dataset, Dropped, JobProgress, QAPair, TuningJob, Unit

__all__ = ["Report", "Tally", "compare"]

_LISTED = 20  # enough to look into a drop; millions of drops must not fill the memory


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
    """

    messages_used: int = 0
    pairs: int = 0
    rows: int = 0
    drops: dict[tuple[Unit, str], int] = field(factory=dict)
    examples: dict[tuple[Unit, str], list[str]] = field(factory=dict)
    unread: dict[str, list[tuple[str, str]]] = field(factory=dict)
    edits: dict[str, int] = field(factory=dict)
    provenance: list[Mapping[str, Json]] = field(factory=list)

    def drop(self, dropped: Dropped) -> None:
        """Counts a drop."""
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

    def as_json(self) -> dict[str, Json]:
        """Returns the counts for a manifest. They contain no times and no text, and are the same for equal input."""
        return {
            "messages": self.messages_used + self.dropped("message"),
            "messages_used": self.messages_used,
            "pairs": self.pairs,
            "rows": self.rows,
            "dropped": [self._dropped(unit, reason, n) for (unit, reason), n in sorted(self.drops.items())],
            "edited_answers": dict(sorted(self.edits.items())),
        }

    def _dropped(self, unit: Unit, reason: str, count: int) -> dict[str, Json]:
        examples: list[Json] = [*self.examples[unit, reason]]
        entry: dict[str, Json] = {"unit": unit, "reason": reason, "count": count, "examples": examples}
        if unit == "channel":
            entry["channels"] = [
                {"name": name, "detail": detail} for name, detail in self.unread.get(reason, [])
            ]
        return entry


@frozen(kw_only=True, repr=False)
class Report(Shown):
    """The report of one run, to read or to store.

    Attributes:
        counts: See `Tally.as_json`.
        datasets: The data sets that were written.
        job: The tuning job; None without a tuner.
    """

    counts: Mapping[str, Json]
    datasets: tuple[Dataset, ...] = ()
    job: TuningJob | None = None

    def _facts(self) -> Iterator[tuple[str, str]]:
        for name in ("messages", "pairs", "rows"):
            yield name, str(self.counts[name])
        drops = self.counts["dropped"]
        assert isinstance(drops, list)
        yield "dropped", str(sum(d["count"] for d in drops))

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
            lines.append("dropped   (python -m furytune.reasons says what each word means)")
            lines += [f"  {d['count']:>9}  {d['unit']:<8} {d['reason']}" for d in drops]
            lines += [line for d in drops for line in _not_read(d)]
        edits = c["edited_answers"]
        assert isinstance(edits, dict)
        if edits:
            lines.append("answers edited by " + ", ".join(f"{name} ({n})" for name, n in edits.items()))
        for data in self.datasets:
            lines += [f"{f.split:<10}{f.rows:>9}  {f.path}" for f in data.files]
            lines.append(f"manifest             {data.manifest}")
        if self.job is not None:
            lines += _of_job(self.job)
        return "\n".join(lines)


def compare(reports: Mapping[str, Report]) -> str:
    """Returns a table that shows runs side by side, such as one with and one without retrieval.

    Args:
        reports: Maps the name of each column to the report of a run. If a job has ended since the run, add it
            with ``attrs.evolve(report, job=job)``.

    Returns:
        Text in columns. The line "same pairs" says whether all runs have the same pairs, with the same ids and
        the same split. Only then you can compare their models.

    Raises:
        ConfigError: There are fewer than two reports, one has no data set, or a manifest cannot be read.
    """
    if len(reports) < 2:
        raise ConfigError("compare needs two or more reports, each with a name")
    columns = {name: _column(name, report) for name, report in reports.items()}
    first, *others = columns.values()
    same = "yes" if all(c["pairs and split"] == first["pairs and split"] for c in others) else "NO"
    labels = [label for label in first if label != "pairs and split"]
    table = [["", *columns]]
    table += [[label, *(c[label] for c in columns.values())] for label in labels]
    table.insert(1, ["same pairs", *[same] * len(columns)])
    widths = [max(map(len, cells)) for cells in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in table
    )


def _column(name: str, report: Report) -> dict[str, str]:
    if not report.datasets:
        raise ConfigError(f"the run {name!r} wrote no data set; give its pipeline an exporter")
    data = report.datasets[0]
    rows = {split: sum(f.rows for f in data.files if f.split == split) for split in ("train", "validation")}
    job = report.job
    progress = job.progress if job else JobProgress()
    return {
        "pairs and split": _identity(Path(data.manifest)),
        "train rows": f"{rows['train']:,}",
        "validation rows": f"{rows['validation']:,}",
        "bytes": f"{sum(f.size for f in data.files):,}",
        "contract": data.fingerprint[:12],
        "knowledge": data.snapshot.rpartition(":")[2][:12] or "-",
        "job": job.state if job else "-",
        "billed tokens": _number(progress.billed_tokens),
        "dropped rows": _number(progress.dropped if job else None),
        "last loss": f"{progress.losses[-1].loss:.4f}" if progress.losses else "-",
        "model": (job.model if job else "") or "-",
    }


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _identity(manifest: Path) -> str:
    """Returns the digest of the sources in a manifest: ids, split and origin of all rows, in order.

    It leaves out the messages that passages quote, because runs with and without retrieval have the same pairs.
    """
    state = hashlib.sha256()
    try:
        with manifest.open("rb") as lines:
            for line in lines:
                if line.rstrip(b"\n") == manifests.SOURCES:
                    break
            for line in lines:
                pair, found, rest = line.partition(b',"quoted":[')
                state.update(pair + rest.partition(b"]")[2] if found else line)
    except OSError as error:
        raise ConfigError(
            f"{manifest}: cannot be read ({error.strerror}); keep the manifest where the run wrote it"
        ) from None
    return state.hexdigest()


def _not_read(dropped: Mapping[str, Any]) -> list[str]:
    """Returns a line for each channel that could not be read, with its name and the reason."""
    channels, reason = dropped.get("channels", []), dropped["reason"]
    lines = [f"not read  {c['name']}: {reason}{_bracketed(c['detail'])}" for c in channels]
    more = dropped["count"] - len(channels)
    return [*lines, f"not read  and {more} more: {reason}"] if channels and more > 0 else lines


def _bracketed(detail: str) -> str:
    return f" ({detail})" if detail else ""


def _of_job(job: TuningJob) -> list[str]:
    """Returns the lines about a job, including how many rows the service left out."""
    lines = [f"tuning    {job.state:>9}  {job.name}"]
    if job.model:
        lines.append(f"model                {job.model}")
    if job.progress.dropped:
        named = ", ".join(job.progress.dropped_ids) or "it names none"
        lines.append(f"dropped   {job.progress.dropped:>9}  by the service, of the training rows: {named}")
    return lines
