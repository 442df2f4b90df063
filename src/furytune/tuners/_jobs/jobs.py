"""Builds the `TuningJob` that users get."""

from __future__ import annotations

from furytune.errors import TuningError
from furytune.records import Dataset, JobProgress, TuningJob
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
    return TuningJob(
        key=entry.run or run,
        name=entry.name,
        # Until the first poll, the ledger knows only that the job was submitted.
        state=entry.state or "queued",
        model=entry.model,
        fingerprint=entry.fingerprint,
        progress=JobProgress(endpoint=entry.endpoint),
        details={"backend": entry.backend},
    )


def polled_job(job: TuningJob, seen: Snapshot, entry: Entry | None, *, backend: str) -> TuningJob:
    """Returns a job updated with what the service says about it.

    Args:
        job: The job as it was known before.
        seen: The service's answer.
        entry: The job's entry in the ledger, if there is one.
        backend: Name of the service.
    """
    return TuningJob(
        key=job.key,
        name=job.name,
        state=seen.state,
        model=seen.model or job.model,
        # The ledger knows the whole fingerprint; a label of the service may be missing.
        fingerprint=job.fingerprint or seen.fingerprint,
        progress=JobProgress(
            detail=seen.detail,
            percent=seen.percent,
            losses=seen.losses,
            endpoint=seen.endpoint,
            dropped=seen.dropped,
            dropped_ids=_named(seen, entry) if seen.dropped else (),
            dropped_reasons=seen.dropped_reasons if seen.dropped else (),
            billed_tokens=seen.billed_tokens,
            experiment=seen.experiment,
        ),
        failure=seen.failure,
        details={"backend": backend, **seen.more},
    )


def _named(seen: Snapshot, entry: Entry | None) -> tuple[str, ...]:
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
    return tuple(names.get(number, f"row {number}") for number in seen.dropped_rows)
