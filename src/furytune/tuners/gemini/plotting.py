"""The loss curve of a tuning job, as data and as a picture."""

from __future__ import annotations

import os
from typing import Any

from furytune.errors import MissingExtraError, TuningError
from furytune.records import Loss, TuningJob

__all__ = ["losses", "plot_losses"]


def losses(job: TuningJob) -> tuple[Loss, ...]:
    """Returns the loss curve that the service reported, sorted by split and step.

    The Developer API reports a loss for each step. Vertex AI reports none: there the curve is part of
    ``job.progress.experiment``, which the console shows.

    Args:
        job: A job from `GeminiTuner.poll` or `GeminiTuner.wait`.
    """
    return tuple(sorted(job.progress.losses, key=lambda x: (x.split, x.step)))


def plot_losses(*jobs: TuningJob, path: str | os.PathLike[str] | None = None) -> Any:
    """Draws the loss curves of one or more jobs.

    Args:
        *jobs: Each makes one line, or two if it has validation losses.
        path: Where to save the picture; its suffix decides the format.

    Returns:
        A ``matplotlib.figure.Figure``.

    Raises:
        TuningError: The service reported no loss.
        MissingExtraError: matplotlib is not installed.
    """
    lines = {
        (job.name, split): [(x.step, x.loss) for x in losses(job) if x.split == split]
        for job in jobs
        for split in ("train", "validation")
    }
    lines = {label: points for label, points in lines.items() if points}
    if not lines:
        where = ", ".join(job.progress.experiment for job in jobs if job.progress.experiment)
        raise TuningError(
            "the service reported no loss for these jobs"
            + (f"; the console shows the curve under {where}" if where else "; poll the job first")
        )
    try:
        # Not pyplot, which would open a window or need a display.
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("a plot of the loss", "plot") from error
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    for (name, split), points in lines.items():
        steps, values = zip(*points, strict=True)
        axes.plot(
            steps, values, marker=".", linestyle="-" if split == "train" else "--", label=f"{name}, {split}"
        )
    axes.set_xlabel("step")
    axes.set_ylabel("mean loss")
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize="small")
    if path is not None:
        figure.savefig(os.fspath(path))
    return figure
