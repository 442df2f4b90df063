"""The Gemini Developer API on loopback: for rehearsals without a key, and for tests with the real SDK."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from furytune.testing._fakes.developer_api import DeveloperService
from furytune.testing._fakes.loopback import Fault, Loopback, Mode, Recorded

__all__ = ["TUNABLE", "FakeDeveloperApi", "Fault", "Recorded"]

TUNABLE = "models/gemini-1.5-flash-001-tuning"
"""The last model that the real service could tune, until May 2025."""


class FakeDeveloperApi:
    """A server that behaves like the Gemini Developer API: models, tuning, permissions, answers.

    As the real service, it tunes nothing unless told to; it refuses what the reference says is refused,
    leaves the training data out of its answers, and lets only the owner's key and those it was shared with
    use a tuned model. A tuned model answers with the output of the example whose input is the very text
    it is asked, and with a fixed sentence otherwise, so a rehearsal shows whether the prompt of the
    bot is the prompt of the training row.

    Args:
        tunable: Models that can be tuned, such as `TUNABLE`; none by default.
        polls: Requests for the job until it ends.
        failure: Message that every job fails with; "" for success.
        hidden: How many requests for a new model are answered 404, as if it had not arrived everywhere.
        hyperparameters: Fields that answers hold beyond those that were asked for; "learningRateMultiplier"
            stands in place of "learningRate".
        state: Number of a state to report while a job runs instead of CREATING.
        answer: What a base model says to a text.

    Attributes:
        requests: Everything that was asked, in order. Bodies hold training data; their repr does not.
        faults: What shall go wrong, used up in order; see `fail`.
        service: Its state.
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
        self._loopback = Loopback(self.service)
        self.requests = self._loopback.requests
        self.faults = self._loopback.faults

    @property
    def url(self) -> str:
        """What to give as the endpoint, such as ``http://127.0.0.1:40000``."""
        return self._loopback.url

    @property
    def jobs(self) -> int:
        """Number of tuning jobs that were created."""
        return self.service.created

    def fail(
        self,
        on: str = "",
        status: int = 503,
        *,
        times: int = 1,
        skip: int = 0,
        mode: Mode = "status",
        body: Any = None,
    ) -> None:
        """Has the next matching requests go wrong.

        Args:
            on: Regular expression, searched in "METHOD /path".
            status: HTTP status of the answer.
            times: How many requests it strikes.
            skip: How many matching requests pass before.
            mode: "status"; "hang up" before anything is done; "lose the answer" after it was done; or
                "hang" without an answer.
            body: JSON of the answer instead of a plain error.
        """
        self.faults.append(Fault(on=on, mode=mode, status=status, times=times, skip=skip, body=body))

    def close(self) -> None:
        """Stops the server."""
        self._loopback.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
