"""Writes the report of a run as one HTML file that needs no network, to show before anything is trained."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol, runtime_checkable

from furytune._storage.durable import write_file
from furytune.errors import ConfigError, ExportError, MissingExtraError
from furytune.records import Dataset, Estimate
from furytune.report.diffing import DatasetOutline
from furytune.report.report import Report
from furytune.report.sampling import MOST

__all__ = ["Reported", "write_report"]

_MAX_BYTES = 24 << 20


@runtime_checkable
class Reported(Protocol):
    """**Protocol:** something with a report, such as `furytune.pipeline.Run`."""

    @property
    def report(self) -> Report:
        """The report."""
        ...


def write_report(
    path: str | os.PathLike[str],
    of: Reported | Report | Dataset,
    *,
    title: str = "",
    without_retrieval: Dataset | None = None,
    since: Dataset | DatasetOutline | None = None,
    estimate: Estimate | None = None,
    reviewed: Iterable[tuple[float, bool]] = (),
    max_tokens: int | None = None,
    rows: int = MOST,
    max_bytes: int = _MAX_BYTES,
) -> Path:
    """Writes a report as one HTML file. It loads nothing from anywhere.

    The texts are those of the data set, so they passed the same curation steps. See :doc:`report` for what the page shows
    and how to share it safely.

    Args:
        path: The file to write, such as "report.html". An existing file is replaced.
        of: A run, its report, or a data set. A data set alone tells nothing about channels, months, people and confidence.
        title: The heading of the page, such as the name of the community.
        without_retrieval: A data set of the same pairs whose prompts have no passages, to show beside the others.
        since: An earlier data set, or its `outline` if the run replaced its files, to show what changed.
        estimate: What tuning would cost.
        reviewed: Confidence of each pair that a person reviewed, as it was before the review, and whether the pair was
            accepted.
        max_tokens: Most tokens of a prompt, to compare with. By default the token budget of the contract, if it has one.
        rows: How many rows the page shows, at most 10,000. Of more, it shows those whose ids have the smallest hashes, which
            are nearly the same rows next month.
        max_bytes: How many bytes these rows may have together. Texts that repeat count once.

    Returns:
        The path.

    Raises:
        MissingExtraError: Jinja2 is not installed.
        ConfigError: An argument is out of range, or there is no data set to compare with another one.
        ExportError: A data set cannot be read, or the file cannot be written.
    """
    if isinstance(rows, bool) or not isinstance(rows, int) or not 0 <= rows <= MOST:
        raise ConfigError(f"rows must be a whole number from 0 to {MOST:,}")
    judged = tuple(reviewed)
    if any(not 0 <= confidence <= 1 for confidence, _ in judged):
        raise ConfigError("reviewed: a confidence is not between 0 and 1")
    try:
        from furytune.report.html.page import Page
    except ImportError as error:
        raise MissingExtraError("the HTML report", "report") from error
    page = Page.of(
        of.report if isinstance(of, Reported) else of,
        title=title,
        without_retrieval=without_retrieval,
        since=since,
        estimate=estimate,
        reviewed=judged,
        max_tokens=max_tokens,
        rows=rows,
        max_bytes=max_bytes,
    )
    target = Path(path)
    try:
        write_file(target, page.html().encode("utf-8", "replace"))
    except OSError as error:
        raise ExportError(
            f"{target}: cannot be written: {error.strerror or type(error).__name__}; check the folder and try again"
        ) from error
    return target
