"""Reads the Developer API's protobufs as the tuner's own values.

The SDK's own decoder is not used: it raises TypeError for answers that hold a field it does not know, such
as a learning rate multiplier.
"""

from __future__ import annotations

import math
import re
from typing import Any

from attrs import evolve

from furytune._canonical import Json
from furytune.errors import TuningError
from furytune.tuners.gemini._backend import Loss, Permission, Snapshot, State

__all__ = ["described", "of_model", "of_operation", "permission", "text_of"]

_STATES: dict[str, State] = {"CREATING": "running", "ACTIVE": "succeeded", "FAILED": "failed"}
_GRANTEES = {1: "user", 2: "group"}
_DESCRIPTION = "made by furytune, contract "


def described(fingerprint: str) -> str:
    """Returns the description of a tuned model, which is where the service keeps a fingerprint for us."""
    return _DESCRIPTION + fingerprint


def of_model(model: Any, **more: Json) -> Snapshot:
    """Reads a tuned model, which is all that is left of a job whose operation is gone.

    Args:
        model: ``google.ai.generativelanguage.TunedModel``.
        more: Further things worth keeping.
    """
    word = getattr(model.state, "name", "") or f"state {int(model.state)}"
    state = _STATES.get(word, "running")
    done = state == "succeeded"
    task = model.tuning_task
    noted = re.fullmatch(_DESCRIPTION + "([0-9a-f]{64})", model.description)
    return Snapshot(
        state=state,
        detail=word,
        percent=100.0 if done else None,
        losses=_losses(task.snapshots),
        model=model.name,
        endpoint=model.name if done else "",
        fingerprint=noted[1] if noted else "",
        more={
            **more,
            **{
                name: moment.isoformat()
                for name, moment in (("started", task.start_time), ("completed", task.complete_time))
                if moment
            },
        },
    )


def of_operation(operation: Any, metadata: Any, model: Any) -> Snapshot:
    """Reads a job.

    Args:
        operation: ``google.longrunning.operations_pb2.Operation``.
        metadata: ``CreateTunedModelMetadata`` out of it, or None.
        model: ``TunedModel`` out of it, or None.
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
            error_code=operation.error.code,
            error=operation.error.message,
            more=more,
        )
    if model is not None:
        found = of_model(model, **more)
        return found if found.losses else evolve(found, losses=losses)
    return Snapshot(
        state="running", detail="CREATING", percent=_percent(metadata), losses=losses, model=name, more=more
    )


def permission(found: Any) -> Permission:
    """Reads a grant."""
    kind = int(found.grantee_type)
    word = _GRANTEES.get(kind, f"type {kind}")
    grantee = "everyone" if kind == 3 else f"{word}:{found.email_address}"
    role = getattr(found.role, "name", "") or f"role {int(found.role)}"
    return Permission(name=found.name, grantee=grantee, role=role.lower())


def text_of(response: Any, *, partly: bool = False) -> str:
    """Returns the text of an answer.

    Args:
        response: ``GenerateContentResponse``.
        partly: Whether it is a piece of a stream, which may hold no text.

    Raises:
        TuningError: There is no text; the message says what the service gave as its reason.
    """
    if response.candidates:
        candidate = response.candidates[0]
        text = "".join(part.text for part in candidate.content.parts)
        reason = getattr(candidate.finish_reason, "name", "") or f"reason {int(candidate.finish_reason)}"
    else:
        blocked = response.prompt_feedback.block_reason
        text, reason = "", f"the prompt was blocked, {getattr(blocked, 'name', '') or int(blocked)}"
        if partly and not blocked:
            return ""
    if text or (partly and reason in {"FINISH_REASON_UNSPECIFIED", "STOP"}):
        return text
    raise TuningError(
        f"the model gave no text ({reason}); ask otherwise, or see the service's safety settings"
    )


def _percent(metadata: Any) -> float | None:
    if metadata is None:
        return None
    percent = metadata.completed_percent
    if not percent and metadata.total_steps > 0:
        percent = 100 * metadata.completed_steps / metadata.total_steps
    return min(100.0, max(0.0, percent)) if math.isfinite(percent) else None


def _losses(snapshots: Any) -> tuple[Loss, ...]:
    found = [
        Loss(step=s.step, epoch=s.epoch, loss=s.mean_loss) for s in snapshots if math.isfinite(s.mean_loss)
    ]
    return tuple(sorted(found, key=lambda loss: loss.step))
