"""Builds the `TuningJob` that users get."""

from __future__ import annotations

from furytune._values.canonical import Json
from furytune.errors import TuningError
from furytune.records import Dataset, TuningJob
from furytune.tuners._jobs.ledger import Entry
from furytune.tuners._jobs.rows import ids
from furytune.tuners._jobs.service import Snapshot

__all__ = ["known_job", "polled_job"]


def known_job(entry: Entry, *, run: str = "") -> TuningJob:
    """Returns a job as the ledger knows it.

    Args:
        entry: The job's entry in the ledger.
        run: Key of the run, for an entry that does not have it.
    """
    details: dict[str, Json] = {"backend": entry.backend}
    if entry.endpoint:
        details["endpoint"] = entry.endpoint
    return TuningJob(
        key=entry.run or run,
        name=entry.name,
        state=entry.state or "queued",
        model=entry.model,
        fingerprint=entry.fingerprint,
        details=details,
    )


def polled_job(job: TuningJob, seen: Snapshot, entry: Entry | None, *, backend: str) -> TuningJob:
    """Returns a job updated with what the service says about it.

    Args:
        job: The job as it was known before.
        seen: The service's answer.
        entry: The job's entry in the ledger, if there is one.
        backend: Name of the service.
    """
    details: dict[str, Json] = {"backend": backend, "detail": seen.detail, **seen.more}
    if seen.percent is not None:
        details["percent"] = seen.percent
    if seen.losses:
        details["losses"] = [
            {"step": x.step, "epoch": x.epoch, "loss": x.loss, "split": x.split} for x in seen.losses
        ]
    if seen.endpoint:
        details["endpoint"] = seen.endpoint
    if seen.dropped:
        details["dropped"] = seen.dropped
        details["dropped_reasons"] = list(seen.dropped_reasons)
        details["dropped_ids"] = _named(seen, entry)
    if seen.error_code is not None or seen.error:
        details["error"] = {"code": seen.error_code, "message": seen.error}
    return TuningJob(
        key=job.key,
        name=job.name,
        state=seen.state,
        model=seen.model or job.model,
        fingerprint=job.fingerprint or seen.fingerprint,
        details=details,
    )


def _named(seen: Snapshot, entry: Entry | None) -> list[str]:
    """Returns the ids of dropped rows, or their numbers if the manifest is missing."""
    wanted = set(seen.dropped_rows)
    names: dict[int, str] = {}
    if entry is not None and entry.manifest and wanted:
        dataset = Dataset(
            files=(), manifest=entry.manifest, dialect="", fingerprint=entry.fingerprint, snapshot=""
        )
        try:
            names = {n: name for n, name in enumerate(ids(dataset, "train"), 1) if n in wanted}
        except TuningError:
            names = {}
    return [names.get(number, f"row {number}") for number in seen.dropped_rows]
