"""Vertex AI and Cloud Storage on loopback: for rehearsals without an account, and for tests with the real SDK."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from furytune.errors import MissingExtraError
from furytune.testing._fakes.loopback import Fault, Loopback, Recorded
from furytune.testing._fakes.vertex import VertexService

__all__ = ["FakeVertex", "Fault", "Recorded", "fake_credentials"]


def fake_credentials(token: str = "rehearsal") -> Any:  # noqa: S107  (a stand-in)
    """Returns credentials of google-auth that hold a token and ask nobody for another.

    Args:
        token: Sent with every request.

    Raises:
        MissingExtraError: google-auth is not installed.
    """
    try:
        from google.oauth2.credentials import Credentials
    except ImportError as error:
        raise MissingExtraError("a rehearsal on Vertex AI", "gemini") from error
    make: Any = Credentials
    return make(token=token)


class FakeVertex:
    """A server that behaves like Vertex AI: uploads, tuning jobs, and models that answer.

    It refuses what the reference says is refused. A tuned model says what it was trained to say if it is
    asked with the very texts of a training row, and otherwise that it was not trained on this: so a
    rehearsal shows whether the bot's prompt is that of the training row.

    Args:
        **service: Attributes of ``furytune.testing._fakes.vertex.VertexService``: ``states`` (one for each
            time a job is asked for), ``delay`` (seconds until a new job is listed), ``now``, ``stats``,
            ``error``, ``more`` and ``answer``.

    Attributes:
        requests: Everything that was asked, in order. Bodies hold training data; their repr does not.
        faults: What shall go wrong, used up in order; see `fail`.
        service: Its state: objects and jobs.
    """

    def __init__(self, **service: Any) -> None:
        self.service = VertexService(**service)
        self._loopback = Loopback(self.service)
        self.requests = self._loopback.requests
        self.faults = self._loopback.faults

    @property
    def url(self) -> str:
        """What to give as the endpoint, such as ``http://127.0.0.1:40000``."""
        return self._loopback.url

    def fail(
        self, on: str = "", status: int = 503, *, times: int = 1, skip: int = 0, mode: Any = "status"
    ) -> None:
        """Has the next matching requests go wrong.

        Args:
            on: Regular expression, searched in "METHOD /path".
            status: HTTP status of a refusal.
            times: How many requests it strikes.
            skip: How many matching requests pass before.
            mode: "status"; "hang up" before anything is done; "lose the answer" after it was done; or
                "hang" without an answer.
        """
        self.faults.append(Fault(on=on, mode=mode, status=status, times=times, skip=skip))

    def close(self) -> None:
        """Stops the server."""
        self._loopback.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
