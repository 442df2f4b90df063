"""Starts exactly one job for a run, even if answers are lost or processes are killed.

Every step is on disk before it is taken. A run that stopped in SUBMITTING may or may not have a job. So it asks
the service for all jobs under the key, until even a job created at the last moment must be visible
(`JobService.settle`). Only if there is still none does it make another request.

Two ledgers know nothing about each other. So a run asks the service once more after making a job: of two jobs
under one key, the oldest stays and the others are cancelled.
"""

from __future__ import annotations

import logging

from attrs import asdict, evolve, frozen

from furytune._network.retries import delays
from furytune.errors import ServiceError, TuningError
from furytune.records import Dataset
from furytune.tuners._jobs import lineage
from furytune.tuners._jobs.ledger import Entry, Ledger, Step
from furytune.tuners._jobs.retries import Clock, patiently
from furytune.tuners._jobs.service import JobService, TuningSettings

__all__ = ["Submission"]

_TRIES = 7
_log = logging.getLogger("furytune")


@frozen(kw_only=True)
class Submission:
    """The submission of one run.

    Attributes:
        backend: The service.
        ledger: Records the steps.
        clock: Source of the time.
        key: Label or id of the remote job.
    """

    backend: JobService
    ledger: Ledger
    clock: Clock
    key: str

    def submit(self, dataset: Dataset, settings: TuningSettings, run: str) -> Entry:
        """Returns the entry of the run's only job, and starts the job if there is none.

        Raises:
            TuningError: The service refused or did not answer, or a file was changed. Call again to resume
                where this call stopped.
        """
        with self.ledger.alone(self.key):
            planned = Entry(
                key=self.key,
                run=run,
                step="PLANNED",
                at=self.clock.now(),
                backend=self.backend.name,
                place=self.backend.place,
                manifest=dataset.manifest,
                fingerprint=dataset.fingerprint,
                files=tuple(f.sha256 for f in dataset.files),
                settings=asdict(settings),
            )
            # Read inside the lock: another process may just have written it.
            entry = self.ledger.read(self.key)
            name = entry.name if entry else ""
            name = name or self._settled(entry)
            # A job without an entry comes from a lost ledger, or from another one: it may use another contract.
            if name and entry is None:
                self._check_adopted(name, dataset)
            entry = entry or planned
            _check_same(entry, dataset)
            # Noted before anything is sent, so that no job can exist whose messages are unknown.
            lineage.note(self.ledger.folder, self.key, dataset)
            if name:
                return entry if entry.name else self._note(entry, "SUBMITTED", name=name)
            # Recorded before the first request, so that `find` knows the run even if it ends here.
            self.ledger.write(entry)
            patiently(lambda: self.backend.ready(settings), self.clock)
            uploaded = patiently(lambda: self.backend.upload(dataset), self.clock)
            entry = self._note(entry, "UPLOADED", train=uploaded.train, validation=uploaded.validation)
            for wait, _ in zip(delays(), range(_TRIES), strict=False):
                # From here until SUBMITTED, a crash leaves open whether there is a job; `_settled` finds out.
                entry = self._note(entry, "SUBMITTING")
                try:
                    name = self.backend.submit(dataset, uploaded, settings, self.key)
                except ServiceError as error:
                    if error.lost:
                        name = self._settled(entry)
                        if name:
                            return self._note(entry, "SUBMITTED", name=name)
                    else:
                        # The service answered, so there is certainly no job: the next run need not wait for one.
                        entry = self._note(entry, "UPLOADED")
                    if not error.transient:
                        raise
                    self.clock.sleep(wait)
                    continue
                return self._note(entry, "SUBMITTED", name=self._oldest(name, dataset))
            raise TuningError(
                f"the service did not accept the job in {_TRIES} tries, and has no job with the label "
                f"furytune_key={self.key}; run again later: nothing is uploaded or started twice"
            )

    def find(self) -> tuple[Entry | None, str]:
        """Returns the run's entry in the ledger, and the name of its job or "".

        Raises:
            TuningError: There are two jobs.
            ServiceError: The service refused or did not answer.
        """
        entry = self.ledger.read(self.key)
        if entry is not None and entry.name:
            return entry, entry.name
        name = self._settled(entry)
        if name and entry is not None:
            entry = self._note(entry, "SUBMITTED", name=name)
        return entry, name

    def _settled(self, entry: Entry | None) -> str:
        """Returns the job's name, "" if there is none and none can appear later.

        Raises:
            TuningError: Several jobs carry the run's label.
        """
        unsure = entry is not None and entry.step == "SUBMITTING"
        left = 0.0
        if entry is not None and unsure:
            passed = self.clock.now() - entry.at
            # If the clock was set back, the time that passed is unknown: wait the full time.
            left = self.backend.settle - passed if passed >= 0 else self.backend.settle
        for wait in delays(most=8.0):
            names = self._names()
            if len(names) > 1:
                raise TuningError(
                    f"{len(names)} jobs carry the label furytune_key={self.key}: {', '.join(names)}; nothing more is "
                    "started; cancel all but one at the service, or keep them and follow one with tuner.job(name)"
                )
            # The service shows the job. It does not matter who started it: the run has one.
            if names:
                return names[0]
            if left <= 0:
                return ""
            pause = min(wait, left)
            self.clock.sleep(pause)
            left -= pause
        raise AssertionError

    def _names(self) -> tuple[str, ...]:
        """Returns the jobs under the key, the oldest first; if there are several, without cancelled ones."""
        names = self._listed()
        # A single job counts even if it was cancelled: only attempt= starts another one.
        if len(names) < 2:
            return names
        return tuple(n for n in names if self._state(n) != "cancelled") or names[:1]

    def _listed(self) -> tuple[str, ...]:
        return patiently(lambda: self.backend.find(self.key), self.clock)

    def _state(self, name: str) -> str:
        return patiently(lambda: self.backend.snapshot(name), self.clock).state

    def _oldest(self, made: str, dataset: Dataset) -> str:
        """Returns the oldest of the new job and any that another ledger made at the same time; cancels the others.

        Raises:
            TuningError: A later job can't be cancelled, or the oldest one belongs to another contract.
        """
        listed = self._listed()
        alive = [n for n in listed if n != made and self._state(n) != "cancelled"]
        if not alive:
            return made
        if made not in listed:  # the service does not list the new job yet, so we cannot tell which is older
            _log.warning(
                "two jobs may be running for one run: %s and %s; check both, and cancel one", made, alive[0]
            )
            return made
        # The other process may have been faster and have cancelled the new job already.
        names = [n for n in listed if n in alive or (n == made and self._state(n) != "cancelled")]
        # Both processes see the same order, so they agree on which job stays.
        oldest, *later = names
        for name in later:
            _log.warning("two jobs were started for one run: keeping %s, cancelling %s", oldest, name)
            try:
                patiently(lambda name=name: self.backend.cancel(name), self.clock)  # type: ignore[misc]
            except TuningError as error:
                if self._state(name) != "cancelled":  # the other process may have been faster
                    raise TuningError(
                        f"two jobs were started for one run, {oldest} and {name}, and the later one could not be cancelled "
                        f"({error}); nothing more is started; cancel {name} at the service"
                    ) from error
        if oldest != made:
            self._check_adopted(oldest, dataset)
        return oldest

    def _check_adopted(self, name: str, dataset: Dataset) -> None:
        """Raises TuningError if a job that the ledger does not know belongs to another contract."""
        trained = patiently(lambda: self.backend.snapshot(name), self.clock).fingerprint
        if trained and trained != dataset.fingerprint:
            raise TuningError(
                f"{name} has this run's key, but was trained with prompts of the contract {trained[:12]}, not "
                f"{dataset.fingerprint[:12]}; give this run another key"
            )

    def _note(self, entry: Entry, step: Step, **changes: str) -> Entry:
        """Writes a step to the ledger, and returns the entry with it."""
        entry = evolve(entry, step=step, at=self.clock.now(), **changes)  # type: ignore[arg-type]
        self.ledger.write(entry)
        return entry


def _check_same(entry: Entry, dataset: Dataset) -> None:
    """Raises TuningError if a key was used for another data set before."""
    if entry.files != tuple(f.sha256 for f in dataset.files) or entry.fingerprint != dataset.fingerprint:
        raise TuningError(
            "this run was started with another data set under the same key; give the run another key, or use the "
            "data set that it was started with"
        )
