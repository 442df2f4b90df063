"""Collects what the page shows, and renders it."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial
from importlib import resources
from typing import Any, Self

from attrs import frozen
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from furytune._privacy.printable import one_line
from furytune.dataset_rows import head_of, read_rows, template_of
from furytune.errors import ConfigError
from furytune.records import Dataset, Estimate, TrainingRow
from furytune.report.diffing import DatasetDiff, DatasetOutline, diff_datasets
from furytune.report.html import charts, words
from furytune.report.html.embedded import Embedding
from furytune.report.html.lengths import Lengths, measure
from furytune.report.overview import BINS, ChannelCounts, Overview
from furytune.report.report import Report
from furytune.report.sampling import Sample
from furytune.report.tally import Counts, DropCount

__all__ = ["Page"]

_PEOPLE = 8
_LISTED = 200
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_CODE = re.compile(r"`([^`]+)`")


@frozen(kw_only=True)
class _Rows:
    """The rows in the page.

    Attributes:
        json: The script block.
        shown: How many rows are in it.
        twins: How many of them have a twin without retrieval; None if no such data set was given.
        lengths: Lengths of prompts and answers.
        counted: How the lengths were counted.
    """

    json: str
    shown: int
    twins: int | None
    lengths: Sequence[Lengths]
    counted: str


@frozen(kw_only=True)
class Page:
    """Everything that the page shows.

    Attributes:
        title: Its heading.
        counts: What a run counted; None if nothing is known.
        overview: What a run noted; None if nothing is known.
        dataset: The data set; None for a run without an exporter.
        head: The head of its manifest.
        rows: The rows in the page; None without a data set.
        diff: What changed; None if no earlier data set was given.
        estimate: The cost; None if it is unknown.
        reviewed: Confidence, and whether a person accepted the pair.
        limit: Most tokens of a prompt; None if unknown.
    """

    title: str
    counts: Counts | None
    overview: Overview | None
    dataset: Dataset | None
    head: Mapping[str, Any]
    rows: _Rows | None
    diff: DatasetDiff | None
    estimate: Estimate | None
    reviewed: Sequence[tuple[float, bool]]
    limit: int | None

    @classmethod
    def of(
        cls,
        source: Report | Dataset,
        *,
        title: str,
        without_retrieval: Dataset | None,
        since: Dataset | DatasetOutline | None,
        estimate: Estimate | None,
        reviewed: Sequence[tuple[float, bool]],
        max_tokens: int | None,
        rows: int,
        max_bytes: int,
    ) -> Self:
        """Reads the data sets. The arguments are those of `furytune.write_report`.

        Raises:
            ConfigError: There is no data set to compare with another one.
            ExportError: A data set cannot be read.
        """
        if isinstance(source, Dataset):
            dataset: Dataset | None = source
        else:
            dataset = source.datasets[0] if source.datasets else None
        if dataset is None and (since is not None or without_retrieval is not None):
            raise ConfigError("the run wrote no data set to compare; give its pipeline an exporter")
        head = head_of(dataset) if dataset else {}
        limit = max_tokens or _budget(head)
        diff = diff_datasets(since, dataset) if since is not None and dataset else None
        overview = source.overview if isinstance(source, Report) else None
        return cls(
            title=title,
            counts=source.counts if isinstance(source, Report) else _counts(head),
            overview=overview,
            dataset=dataset,
            head=head,
            rows=_rows(dataset, head, overview, without_retrieval, diff, limit, rows, max_bytes)
            if dataset
            else None,
            diff=diff,
            estimate=estimate,
            reviewed=reviewed,
            limit=limit,
        )

    def html(self) -> str:
        """Returns the page."""
        style, script = _asset("report.css"), _asset("report.js")
        policy = (
            f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:; "
            "base-uri 'none'; form-action 'none'"
        )
        return (
            _environment()
            .get_template("report.html.j2")
            .render(
                page=self,
                policy=policy,
                style=Markup(style),  # noqa: S704  # a file of ours
                script=Markup(script),  # noqa: S704
                data=Markup(self.rows.json) if self.rows else None,  # noqa: S704  # escaped by script_json
                charts=charts,
                words=words,
            )
        )

    @property
    def total(self) -> int:
        """How many rows there are."""
        if self.dataset:
            return self.dataset.rows
        return self.counts.rows if self.counts else 0

    @property
    def splits(self) -> Mapping[str, int]:
        """Number of rows by split."""
        files = self.dataset.files if self.dataset else ()
        return {s: sum(f.rows for f in files if f.split == s) for s in ("train", "validation")}

    @property
    def kept(self) -> int:
        """How many pairs passed the curation steps."""
        return sum(c.kept for c in self.overview.channels) if self.overview else self.total

    @property
    def channels(self) -> Sequence[ChannelCounts]:
        """The channels."""
        return self.overview.channels if self.overview else ()

    @property
    def lost(self) -> Sequence[words.LostGroup]:
        """What was left out."""
        return tuple(words.lost(self.counts, self.overview)) if self.counts else ()

    @property
    def months(self) -> Sequence[charts.Column]:
        """Rows and dropped pairs of each month, without gaps."""
        known = {month: (pairs, rows) for month, pairs, rows in self.overview.months} if self.overview else {}
        return [
            charts.Column(
                _month(m), known.get(m, (0, 0))[1], known.get(m, (0, 0))[0] - known.get(m, (0, 0))[1]
            )
            for m in _every(sorted(known))
        ]

    @property
    def people(self) -> Sequence[tuple[str, int]]:
        """How many rows each of those who answered most answered."""
        counts = self.overview.answerers if self.overview else ()
        return [(f"Person {i}", n) for i, n in enumerate(counts[:_PEOPLE], 1)]

    @property
    def others(self) -> Sequence[int]:
        """How many rows each of the others answered."""
        return self.overview.answerers[_PEOPLE:] if self.overview else ()

    @property
    def confidence(self) -> Sequence[charts.Column]:
        """Rows and dropped pairs by confidence; nothing if all pairs are certain, because people wrote them as pairs."""
        if self.overview is None or not any(self.overview.kept[:-1] + self.overview.dropped[:-1]):
            return ()
        return [
            charts.Column(f"{i / BINS:.2f} to {(i + 1) / BINS:.2f}", kept, dropped)
            for i, (kept, dropped) in enumerate(zip(self.overview.kept, self.overview.dropped, strict=True))
        ]

    @property
    def judged(self) -> Sequence[charts.Column]:
        """Accepted and rejected pairs by confidence, in ten bins."""
        bins = [[0, 0] for _ in range(10)]
        for confidence, accepted in self.reviewed:
            bins[min(int(confidence * 10), 9)][not accepted] += 1
        return [
            charts.Column(f"{i / 10:.1f} to {(i + 1) / 10:.1f}", yes, no) for i, (yes, no) in enumerate(bins)
        ]

    @property
    def facts(self) -> Sequence[tuple[str, str]]:
        """Where the data set comes from, as names and values."""
        if not self.dataset:
            return ()
        found = [
            ("Contract", self.dataset.fingerprint),
            ("Knowledge", self.dataset.snapshot or "none: the prompts have no passages"),
            ("Form of the rows", self.dataset.dialect),
        ]
        for i, told in enumerate(self.head.get("provenance", ()), 1):
            many = len(self.head["provenance"]) > 1
            found += [(f"Source {i}: {key}" if many else key, value) for key, value in _flat(told)]
        return found

    @property
    def files(self) -> Sequence[Mapping[str, Any]]:
        """The files, as the manifest lists them: without the folders of this machine."""
        return [{**file, "name": str(file["name"]).rpartition("/")[2]} for file in self.head.get("files", ())]

    @property
    def first(self) -> int:
        """How many ids or channels a list shows."""
        return _LISTED


def _rows(
    dataset: Dataset,
    head: Mapping[str, Any],
    overview: Overview | None,
    without: Dataset | None,
    diff: DatasetDiff | None,
    limit: int | None,
    most: int,
    max_bytes: int,
) -> _Rows:
    """Reads the rows to show."""
    sample: Sample[tuple[int, TrainingRow]] = Sample(most)
    for i, row in enumerate(read_rows(dataset)):
        sample.offer(row.id, partial(_pair, i, row))
    chosen = list(sample.by_hash())
    wanted = {row.id for _, row in chosen}
    twins = {row.id: row for row in read_rows(without) if row.id in wanted} if without else {}
    twin_template = template_of(head_of(without)) if without else None
    facts = {fact.id: fact for fact in overview.rows} if overview else {}
    embedding = Embedding(template_of(head), facts, diff)
    shown: list[tuple[int, dict[str, Any]]] = []
    for i, row in chosen:
        if embedding.size >= max_bytes:
            break
        shown.append((i, embedding.row(row, twins.get(row.id), twin_template)))
    lengths, counted = measure((row for _, row in chosen), limit)
    ordered = [row for _, row in sorted(shown, key=lambda item: item[0])]
    names = {c.id: words.label(c) for c in overview.channels} if overview else {}
    return _Rows(
        json=embedding.document(ordered, names),
        shown=len(ordered),
        twins=sum("twin" in row for row in ordered) if without else None,
        lengths=lengths,
        counted=counted,
    )


def _pair(i: int, row: TrainingRow) -> tuple[int, TrainingRow]:
    return i, row


def _budget(head: Mapping[str, Any]) -> int | None:
    """Returns the token budget of the contract."""
    try:
        found = head["contract"]["form"]["budget"]["max_tokens"]
    except (KeyError, TypeError):
        return None
    return found if isinstance(found, int) else None


def _counts(head: Mapping[str, Any]) -> Counts | None:
    """Returns the counts in a manifest; None if it has none."""
    told = head.get("counts")
    if not told:
        return None
    return Counts(
        messages=told["messages"],
        messages_used=told["messages_used"],
        pairs=told["pairs"],
        rows=told["rows"],
        dropped=tuple(
            DropCount(
                unit=drop["unit"],
                reason=drop["reason"],
                count=drop["count"],
                examples=tuple(drop.get("examples", ())),
                channels=tuple((c["name"], c["detail"]) for c in drop.get("channels", ())),
            )
            for drop in told["dropped"]
        ),
        edited_answers=told["edited_answers"],
        edited_questions=told.get("questions_edited_by_a_person", {}),
    )


def _flat(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Yields the names and values of a JSON value."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}, {key}" if name else str(key))
    elif isinstance(value, list):
        for i, inner in enumerate(value, 1):
            yield from _flat(inner, f"{name} {i}" if len(value) > 1 else name)
    elif value not in (None, ""):
        yield name.replace("_", " "), f"{value:,}" if type(value) is int else str(value)


def _every(months: Sequence[str]) -> Iterator[str]:
    """Yields every month from the first to the last."""
    if not months:
        return
    first, last = (int(m[:4]) * 12 + int(m[5:]) - 1 for m in (months[0], months[-1]))
    for n in range(first, last + 1):
        yield f"{n // 12:04}-{n % 12 + 1:02}"


def _month(month: str) -> str:
    """Returns "May 2026" for "2026-05", whatever the locale."""
    return f"{_MONTHS[int(month[5:]) - 1]} {month[:4]}"


def _code(text: str) -> Markup:
    """Returns a sentence with what is between backticks as code."""
    parts = _CODE.split(one_line(text))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if i % 2 else Markup("{}").format(part)
        for i, part in enumerate(parts)
    )


def _bins(lengths: Lengths) -> list[charts.Column]:
    """Returns the columns of a histogram of lengths."""
    return [
        charts.Column(f"{i * lengths.width:,} to {(i + 1) * lengths.width - 1:,}", n)
        for i, n in enumerate(lengths.bins)
    ]


def _finalize(value: object) -> object:
    """Replaces control characters in every text that the template inserts, except in markup of our own."""
    return one_line(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _environment() -> Environment:
    found = Environment(
        loader=PackageLoader("furytune.report.html"),
        autoescape=True,
        finalize=_finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["code"] = _code
    found.filters["number"] = lambda n: f"{n:,}"
    found.filters["bins"] = _bins
    return found


@cache
def _asset(name: str) -> str:
    return (
        resources.files("furytune.report.html")
        .joinpath("templates", name)
        .read_text(encoding="utf-8")
        .strip()
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
