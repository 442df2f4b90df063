"""Finds the tuning jobs that were trained on a person's messages."""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from furytune._storage.manifests import read_head
from furytune.exporters._writing.erasing import rows_naming
from furytune.records import Dataset
from furytune.tuners._jobs import lineage
from furytune.tuners._jobs.ledger import Entry, Ledger

__all__ = ["Held", "jobs_that_hold"]


@frozen(kw_only=True)
class Held:
    """A tuning job that was trained on a person's messages. Its model cannot forget them, but it can be deleted.

    Attributes:
        key: Name of its record in the ledger.
        job: The service's name for it, "" if no job was started.
        backend: "vertex" or "developer".
        state: Its last known state.
        model: The tuned model, "" if none is known yet.
        endpoint: The endpoint of the model, or "".
        files: URIs of the uploaded rows.
        rows: How many rows contained the messages; None if it is unknown which messages the job was given.
        unsure: How many more rows contained messages that have since been deleted, and may be theirs.
    """

    key: str
    job: str
    backend: str
    state: str
    model: str
    endpoint: str
    files: tuple[str, ...]
    rows: int | None
    unsure: int = 0

    def __str__(self) -> str:
        name = self.job or f"the run {self.key}, which has no job yet"
        known = "it is not known which messages it was given"
        if self.rows is not None:
            known = f"{self.rows} of its rows contained them"
        if self.unsure:
            known += f", {self.unsure} contained messages that have since been deleted"
        return f"{name} ({self.state or 'not started'}): {known}"


def jobs_that_hold(
    folder: Path, manifests: list[Path], theirs: set[str], deleted: set[str], people: list[str]
) -> tuple[Held, ...]:
    """Returns the jobs that were given the messages, and those for which this is unknown.

    A record of an older version does not say which messages its job was given. If the data set still exists, this function
    notes the messages now, before rows are removed from it.
    """
    # A job is tied to its data by their bytes, because paths change.
    shas = {tuple(str(f["sha256"]) for f in read_head(m)["files"]): m for m in manifests}
    found = []
    for entry in Ledger(folder).entries():
        manifest = shas.get(entry.files)
        if manifest is not None:
            dataset = Dataset(
                files=(), manifest=str(manifest), dialect="", fingerprint=entry.fingerprint, snapshot=""
            )
            lineage.note(folder, entry.key, dataset)
        rows = lineage.rows_that_hold(folder, entry.key, theirs)
        # Rows may name messages that were deleted earlier, whose authors nothing tells any more.
        either = lineage.rows_that_hold(folder, entry.key, theirs | deleted) if deleted else rows
        if manifest is not None and rows is not None and either is not None:
            naming = rows_naming(manifest, people, theirs | deleted)
            rows, either = rows + naming, either + naming
        if either != 0:
            found.append(_job(entry, rows, (either or 0) - (rows or 0)))
    return tuple(found)


def _job(entry: Entry, rows: int | None, unsure: int) -> Held:
    """Returns what is known about a job, from its entry."""
    return Held(
        key=entry.key,
        job=entry.name,
        backend=entry.backend,
        state=entry.state or (entry.step.lower() if entry.name else ""),
        model=entry.model,
        endpoint=entry.endpoint,
        files=tuple(uri for uri in (entry.train, entry.validation) if uri),
        rows=rows,
        unsure=unsure,
    )
