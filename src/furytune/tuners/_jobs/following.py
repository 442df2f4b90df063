"""Waits for a remote job to end, through network failures."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator

from furytune._network.retries import delays
from furytune.errors import ServiceError, TuningError
from furytune.records import TuningJob
from furytune.report.progress import meter
from furytune.tuners._jobs.retries import Clock

__all__ = ["ENDED", "follow"]

ENDED = frozenset({"succeeded", "failed", "cancelled"})
# A new job or a new token may be unknown for a moment, so a single refusal proves nothing.
_REFUSALS = 4

_log = logging.getLogger(__name__)


def follow(
    job: TuningJob,
    poll: Callable[[TuningJob], TuningJob],
    clock: Clock,
    *,
    every: float,
    timeout: float | None,
    seen: Callable[[TuningJob], object] | None,
) -> TuningJob:
    """Polls a job until it has ended.

    Lost connections, 408, 429 and 5xx never end the waiting, because the job continues without us. Any other
    refusal counts only if it comes four times in a row, because a new job or a new token may be unknown for a
    moment.

    Returns:
        The job in its final state, which may be "failed".

    Raises:
        TuningError: The job did not end in time.
        ServiceError: The service refused four requests in a row.
    """
    began = clock.now()
    refusals = 0
    waits = _pauses(every)
    try:
        with meter("tuning") as show:
            while True:
                try:
                    job = poll(job)
                except ServiceError as error:
                    # A lost connection says nothing about the job, so it also breaks a row of refusals.
                    refusals = 0 if error.transient else refusals + 1
                    if refusals >= _REFUSALS:
                        raise
                    pause = next(waits)
                    _log.info("%s; the job continues, asking again in %.0f s", error, pause)
                    show(None, "no answer, asking again")
                else:
                    refusals = 0
                    pause = every
                    waits = _pauses(every)
                    show(job.progress.percent, job.progress.detail or job.state)
                    if seen is not None:
                        seen(job)
                    if job.state in ENDED:
                        return job
                left = None if timeout is None else timeout - (clock.now() - began)
                if left is not None and left <= 0:
                    raise TuningError(
                        f"{job.name} did not end within {timeout:.0f} s and is still running; {_way_back(job)}"
                    )
                clock.sleep(pause if left is None else min(pause, left))
    except KeyboardInterrupt:
        # Stopping the program looks like stopping the job, which continues and costs money.
        sys.stderr.write(f"\n{job.name} keeps running without this process; {_way_back(job)}\n")
        raise


def _pauses(every: float) -> Iterator[float]:
    """Yields the waits after requests without an answer; always above zero, even for ``every=0``."""
    return delays(first=min(every, 2.0) or 0.1, most=max(every, 60.0))


def _way_back(job: TuningJob) -> str:
    return f"come back with tuner.wait(tuner.job({job.name!r})), or stop it with tuner.cancel(...)"
