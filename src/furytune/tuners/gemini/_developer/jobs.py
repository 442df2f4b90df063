"""Reads the Developer API's protobufs as the tuner's own values.

The SDK's own decoder is not used: it raises TypeError for answers with a field that it does not know, such as
a learning rate multiplier.
"""

from __future__ import annotations

import math
import re
from typing import Any

from attrs import evolve

from furytune._values.canonical import Json
from furytune.records import JobFailure, Loss
from furytune.tuners._jobs.service import Snapshot, State

__all__ = ["described", "of_model", "of_operation", "unpacked", "word_of"]

_STATES: dict[str, State] = {"CREATING": "running", "ACTIVE": "succeeded", "FAILED": "failed"}
_DESCRIPTION = "made by furytune, contract "


def described(fingerprint: str) -> str:
    """Returns the description of a tuned model; it stores the contract's fingerprint at the service."""
    return _DESCRIPTION + fingerprint


def of_model(model: Any, **more: Json) -> Snapshot:
    """Reads a tuned model, which is all that remains of a job once its operation is gone.

    Args:
        model: ``google.ai.generativelanguage.TunedModel``.
        more: Further values to keep in the snapshot.
    """
    raw = type(model).pb(model)
    word = word_of(raw, "state")
    # A state of a newer service must not end the waiting.
    state = _STATES.get(word, "running")
    done = state == "succeeded"
    task = raw.tuning_task
    noted = re.fullmatch(_DESCRIPTION + "([0-9a-f]{64})", raw.description)
    times = {
        name: getattr(task, f"{name}_time").ToJsonString()
        for name in ("start", "complete")
        if task.HasField(f"{name}_time")
    }
    return Snapshot(
        state=state,
        detail=word,
        percent=100.0 if done else None,
        losses=_losses(task.snapshots),
        model=raw.name,
        endpoint=raw.name if done else "",
        fingerprint=noted[1] if noted else "",
        more={**more, **times},
    )


def of_operation(operation: Any, metadata: Any, model: Any) -> Snapshot:
    """Reads a job.

    Args:
        operation: ``google.longrunning.operations_pb2.Operation``.
        metadata: The operation's ``CreateTunedModelMetadata``, or None.
        model: The operation's ``TunedModel``, or None.
    """
    losses = _losses(metadata.snapshots) if metadata is not None else ()
    more: dict[str, Json] = {"operation": operation.name}
    if metadata is not None:
        more |= {"total_steps": metadata.total_steps, "completed_steps": metadata.completed_steps}
    name = metadata.tuned_model if metadata is not None else ""
    if operation.HasField("error"):
        return Snapshot(
            state="failed",
            detail="FAILED",
            losses=losses,
            model=name,
            failure=JobFailure(code=operation.error.code, message=operation.error.message),
            more=more,
        )
    if model is not None:
        found = of_model(model, **more)
        return found if found.losses else evolve(found, losses=losses)
    return Snapshot(
        state="running", detail="CREATING", percent=_percent(metadata), losses=losses, model=name, more=more
    )


def unpacked(packed: Any, kind: Any) -> Any:
    """Returns the message inside an Any; None if it is empty or of another kind."""
    return kind.deserialize(packed.value) if packed.TypeName() == kind.meta.full_name else None


def word_of(raw: Any, name: str) -> str:
    """Returns the name of an enum field's value; for a number that the SDK does not know, the number."""
    number = getattr(raw, name)
    known = raw.DESCRIPTOR.fields_by_name[name].enum_type.values_by_number.get(number)
    return str(known.name) if known else f"{name} {number}"


def _percent(metadata: Any) -> float | None:
    """Returns how much of a job is done, None if the service does not say."""
    if metadata is None:
        return None
    percent = metadata.completed_percent
    if not percent and metadata.total_steps > 0:
        percent = 100 * metadata.completed_steps / metadata.total_steps
    return min(100.0, max(0.0, percent)) if math.isfinite(percent) else None


def _losses(snapshots: Any) -> tuple[Loss, ...]:
    """Returns the finite losses, by step."""
    found = [
        Loss(step=s.step, epoch=s.epoch, loss=s.mean_loss) for s in snapshots if math.isfinite(s.mean_loss)
    ]
    return tuple(sorted(found, key=lambda loss: loss.step))
