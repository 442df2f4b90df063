"""A fake Gemini Developer API on loopback, for rehearsals without a key and tests with the real SDK."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from furytune.testing._fakes.developer_api import DeveloperService
from furytune.testing._fakes.loopback import Fault, Recorded, Rehearsal

__all__ = ["TUNABLE", "FakeDeveloperApi", "Fault", "Recorded"]

TUNABLE = "models/gemini-1.5-flash-001-tuning"
"""The last model that the real service could tune, until May 2025."""


class FakeDeveloperApi(Rehearsal):
    """A server that behaves like the Gemini Developer API: models, tuning, permissions, answers.

    By default it tunes nothing, like the real service. It refuses what the reference says is refused, leaves
    training data out of its answers, and lets a tuned model be used only by its owner's key and by those it is
    shared with. A tuned model answers with the output of the training row whose input is exactly the text it
    gets, and otherwise with a fixed sentence. So a rehearsal shows whether the bot's prompt is the prompt of
    the training row.

    Args:
        tunable: Models that can be tuned, such as `TUNABLE`; none by default.
        polls: Requests for the job until it ends.
        failure: Message that every job fails with; "" for success.
        hidden: How many requests for a new model get a 404, as if it had not reached all servers yet.
        hyperparameters: Extra hyperparameters in the answers; "learningRateMultiplier" replaces "learningRate".
        state: Number of a state to report instead of CREATING while a job runs.
        answer: Returns a base model's answer to a text.

    Attributes:
        requests: All requests, in order. Their bodies contain training data; their repr does not.
        faults: Faults to come, used up in order; see `fail`.
        service: The state of the service.
    """

    def __init__(
        self,
        *,
        tunable: tuple[str, ...] = (),
        polls: int = 4,
        failure: str = "",
        hidden: int = 0,
        hyperparameters: Mapping[str, Any] | None = None,
        state: int | None = None,
        answer: Callable[[str], str] | None = None,
    ) -> None:
        self.service = DeveloperService(
            tunable=tunable,
            polls=polls,
            failure=failure,
            hidden=hidden,
            hyperparameters=hyperparameters or {},
            state=state,
        )
        if answer is not None:
            self.service.answer = answer
        super().__init__(self.service)

    @property
    def jobs(self) -> int:
        """Number of tuning jobs that were created."""
        return self.service.created
