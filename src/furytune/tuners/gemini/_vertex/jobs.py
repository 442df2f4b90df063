"""Reads a Vertex tuning job as the tuner's own values."""

from __future__ import annotations

from typing import Any

from furytune._values.canonical import Json
from furytune.records import JobFailure
from furytune.tuners._jobs.labels import fingerprint_of
from furytune.tuners._jobs.service import Snapshot, State

__all__ = ["snapshot_of"]

# A state that is not listed counts as running: the service may introduce new states while a job runs.
_STATES: dict[str, State] = {
    "JOB_STATE_UNSPECIFIED": "queued",
    "JOB_STATE_QUEUED": "queued",
    "JOB_STATE_PENDING": "queued",
    "JOB_STATE_SUCCEEDED": "succeeded",
    "JOB_STATE_PARTIALLY_SUCCEEDED": "succeeded",
    "JOB_STATE_FAILED": "failed",
    "JOB_STATE_EXPIRED": "failed",
    "JOB_STATE_CANCELLED": "cancelled",
}


def snapshot_of(job: Any) -> Snapshot:
    """Returns a google-genai job as a snapshot."""
    word = _word(job.state)
    state = _STATES.get(word, "running")
    detail = _word(getattr(job, "tuning_job_state", None)).removeprefix("TUNING_JOB_STATE_")
    stats = getattr(job.tuning_data_stats, "supervised_tuning_data_stats", None)
    tuned = job.tuned_model
    return Snapshot(
        state=state,
        detail=" ".join(filter(None, [word.removeprefix("JOB_STATE_"), detail])),
        percent=100.0 if state == "succeeded" else _percent(job),
        model=str(getattr(tuned, "model", None) or ""),
        endpoint=str(getattr(tuned, "endpoint", None) or ""),
        fingerprint=fingerprint_of(job.labels or {}),
        dropped=int(getattr(stats, "total_truncated_example_count", None) or 0),
        dropped_rows=tuple(int(n) for n in getattr(stats, "truncated_example_indices", None) or ()),
        dropped_reasons=tuple(str(r) for r in getattr(stats, "dropped_example_reasons", None) or ()),
        failure=_failure(job.error),
        billed_tokens=_number(getattr(stats, "total_billable_token_count", None)),
        experiment=str(job.experiment or ""),
        more=_more(job, stats),
    )


def _failure(error: Any) -> JobFailure | None:
    code, message = getattr(error, "code", None), getattr(error, "message", None)
    return JobFailure(code=code, message=str(message or "")) if code is not None or message else None


def _number(value: Any) -> int | None:
    return None if value is None else int(value)


def _word(value: Any) -> str:
    return str(getattr(value, "value", value) or "")


def _percent(job: Any) -> float | None:
    """Returns the share of epochs that are done, None if the service does not say."""
    done = getattr(getattr(job, "tuning_job_metadata", None), "completed_epoch_count", None)
    asked = getattr(getattr(job.supervised_tuning_spec, "hyper_parameters", None), "epoch_count", None)
    return min(100.0, 100.0 * int(done) / int(asked)) if done and asked else None


def _more(job: Any, stats: Any) -> dict[str, Json]:
    """Returns further facts about a job, in words that JSON can write."""
    told: dict[str, Json] = {
        "base_model": job.base_model,
        "steps": getattr(stats, "tuning_step_count", None),
        "rows_read": getattr(stats, "tuning_dataset_example_count", None),
    }
    found: dict[str, Json] = {name: value for name, value in told.items() if value is not None}
    for name in ("create_time", "start_time", "end_time"):
        moment = getattr(job, name, None)
        if moment is not None:
            found[name] = moment.isoformat()
    checkpoints = getattr(job.tuned_model, "checkpoints", None)
    if checkpoints:
        found["checkpoints"] = [
            {"id": str(c.checkpoint_id), "epoch": c.epoch, "step": c.step, "endpoint": str(c.endpoint)}
            for c in checkpoints
        ]
    return found
