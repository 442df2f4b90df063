"""Rules of tuners."""

from __future__ import annotations

from collections.abc import Callable

from furytune.protocols import Tuner
from furytune.records import Dataset
from furytune.testing.conformance.rules import fits, rule

__all__ = ["check_tuner"]

_KEY, _OTHER = "1" * 32, "0" * 32


def check_tuner(make: Callable[[], Tuner], dataset: Dataset) -> None:
    """Holds a tuner to its protocol. It starts a job.

    Args:
        make: Builds the tuner, as after a restart.
        dataset: What to train on; one without problems.

    Raises:
        AssertionError: A rule is broken.
    """
    tuner = make()
    fits(tuner, Tuner)
    problems = tuner.estimate(dataset).problems
    if problems:
        raise AssertionError(f"the data set cannot be used for this check: {'; '.join(problems)}")
    nothing = tuner.find(_OTHER)
    job = tuner.submit(dataset, key=_KEY)
    found = make().find(_KEY)
    rule(
        nothing is None and found is not None and found.name == job.name and make().find(_OTHER) is None,
        Tuner,
        "After a restart, `find` returns the job for its key, and None for another key.",
    )
    again = [tuner.submit(dataset, key=_KEY).name, make().submit(dataset, key=_KEY).name]
    rule(
        again == [job.name] * 2,
        Tuner,
        "One key, one job: submitting again with the same key starts no second job, not even after a restart.",
        seen=f"the jobs {', '.join(sorted({job.name, *again}))}",
    )
    polled = tuner.poll(job)
    rule((polled.key, polled.name) == (job.key, job.name), Tuner, "`poll` keeps the key and name of the job.")
