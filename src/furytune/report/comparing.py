"""Shows runs side by side, such as one with and one without retrieval."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from furytune._storage import manifests
from furytune.errors import ConfigError
from furytune.records import JobProgress
from furytune.report.report import Report

__all__ = ["compare"]


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
    """Returns what the table shows of one run, by label.

    Raises:
        ConfigError: The run wrote no data set.
    """
    if not report.datasets:
        raise ConfigError(f"the run {name!r} wrote no data set; give its pipeline an exporter")
    # All data sets of a run have the same rows, so the first one stands for them.
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

    Raises:
        ConfigError: The manifest cannot be read.
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
