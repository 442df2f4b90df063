"""A fake Vertex AI and Cloud Storage on loopback, for rehearsals without an account and tests with the real SDK."""

from __future__ import annotations

from typing import Any

from furytune.errors import MissingExtraError
from furytune.testing._fakes.loopback import Fault, Recorded, Rehearsal
from furytune.testing._fakes.vertex import VertexService

__all__ = ["FakeVertex", "Fault", "Recorded", "fake_credentials"]


def fake_credentials(token: str = "rehearsal") -> Any:  # noqa: S107  (a stand-in)
    """Returns google-auth credentials with a fixed token, which never ask for another one.

    Args:
        token: The token; it is sent with every request.

    Raises:
        MissingExtraError: google-auth is not installed.
    """
    try:
        from google.oauth2.credentials import Credentials
    except ImportError as error:
        raise MissingExtraError("a rehearsal on Vertex AI", "gemini") from error
    make: Any = Credentials
    return make(token=token)


class FakeVertex(Rehearsal):
    """A server that behaves like Vertex AI: uploads, tuning jobs, and models that answer.

    It refuses what the reference says is refused. If a tuned model is asked with exactly the texts of a
    training row, it gives that row's answer; otherwise it says that it was not trained on this. So a rehearsal
    shows whether the bot's prompt is the prompt of the training row.

    Args:
        **service: Attributes of ``furytune.testing._fakes.vertex.VertexService``: ``states`` (one for each
            request for a job), ``delay`` (seconds until a new job is listed), ``now``, ``stats``, ``error``,
            ``more`` and ``answer``.

    Attributes:
        requests: All requests, in order. Their bodies contain training data; their repr does not.
        faults: Faults to come, used up in order; see `fail`.
        service: The state of the service: objects and jobs.
    """

    def __init__(self, **service: Any) -> None:
        self.service = VertexService(**service)
        super().__init__(self.service)
