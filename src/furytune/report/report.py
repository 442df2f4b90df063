"""The report of one run, and how it looks as text."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import field, frozen

from furytune._values.shown import Shown
from furytune.records import Dataset, TuningJob
from furytune.report.funnel import advised, funnel
from furytune.report.overview import Overview
from furytune.report.tally import Counts, DropCount

__all__ = ["Report"]

_FAULTS = frozenset(
    [("channel", reason) for reason in ("no_permission", "hidden", "gone", "unknown_type")]
    + [("channel", reason) for reason in ("private_threads", "archived_threads", "failed", "no_content")]
    + [("file", reason) for reason in ("unreadable", "truncated", "malformed_file", "damaged", "encoding")]
    + [("file", reason) for reason in ("empty", "not_utf8", "encrypted")]
    + [("message", reason) for reason in ("invalid_message", "malformed_json", "invalid_utf8", "no_id")]
    + [("grade", reason) for reason in ("no_grade", "max_requests")]
)
"""What is missing although the run asked for it. Everything else is left out on purpose."""


@frozen(kw_only=True, repr=False)
class Report(Shown):
    """The report of one run, to read or to store.

    Attributes:
        counts: What was counted.
        datasets: The data sets that were written.
        job: The tuning job; None without a tuner.
        overview: What the HTML report shows besides the counts; None if nothing was noted.
    """

    counts: Counts
    datasets: tuple[Dataset, ...] = ()
    job: TuningJob | None = None
    overview: Overview | None = field(default=None, repr=False, eq=False)

    @property
    def complete(self) -> bool:
        """False if something could not be read or graded that should have been, such as a channel or a damaged file."""
        return not any((d.unit, d.reason) in _FAULTS for d in self.counts.dropped)

    def _facts(self) -> Iterator[tuple[str, str]]:
        c = self.counts
        yield from (("messages", str(c.messages)), ("pairs", str(c.pairs)), ("rows", str(c.rows)))
        yield "dropped", str(sum(d.count for d in c.dropped))

    def __str__(self) -> str:
        c = self.counts
        channels = self.overview.channels if self.overview is not None else ()
        lines = [
            f"messages  {c.messages:>9}  ({c.messages_used} in pairs)",
            f"pairs     {c.pairs:>9}",
            f"rows      {c.rows:>9}",
        ]
        if c.dropped:
            lines.append("dropped   (python -m furytune.reasons explains each word)")
            lines += [f"  {d.count:>9}  {d.unit:<8} {d.reason}" for d in c.dropped]
            lines += [line for d in c.dropped for line in (*_not_read(d), *_not_applied(d))]
            lines += advised(c, channels)
        lines += funnel(channels)
        if c.edited_answers:
            edits = ", ".join(f"{name} ({n})" for name, n in c.edited_answers.items())
            lines.append(f"answers edited by {edits}")
        if c.edited_questions:
            edits = ", ".join(f"{name} ({n})" for name, n in c.edited_questions.items())
            lines.append(f"questions edited by a person: {edits}")
        for data in self.datasets:
            lines += [f"{f.split:<10}{f.rows:>9}  {f.path}" for f in data.files]
            lines.append(f"manifest             {data.manifest}")
        if self.job is not None:
            lines += _of_job(self.job)
        return "\n".join(lines)


def _not_read(dropped: DropCount) -> list[str]:
    """Returns a line for each channel that could not be read, with its name and the reason."""
    channels, reason = dropped.channels, dropped.reason
    lines = [f"not read  {name}: {reason}{_bracketed(detail)}" for name, detail in channels]
    # Only the first channels are listed, but all are counted.
    more = dropped.count - len(channels)
    return [*lines, f"not read  and {more} more: {reason}"] if channels and more > 0 else lines


def _not_applied(dropped: DropCount) -> list[str]:
    """Returns a line that names the pairs whose decisions were not applied."""
    if dropped.unit != "decision" or not dropped.examples:
        return []
    more = dropped.count - len(dropped.examples)
    return [
        f"not applied  {dropped.reason}: {', '.join(dropped.examples)}{f' and {more} more' if more > 0 else ''}"
    ]


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
