"""Errors as OpenAI's service words them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from starlette.responses import Response

from furytune.errors import (
    AnswerError,
    BusyError,
    EmptyTextError,
    FurytuneError,
    NoTextError,
    QuestionTooLongError,
    ServiceError,
    TextError,
)
from furytune.serving.wire import encode

__all__ = ["Refusal", "refusal_of"]


class Refusal(Exception):  # noqa: N818  (an answer, not a fault)
    """A request that gets an error.

    Args:
        status: HTTP status.
        code: A word for programs.
        message: A sentence for people. It quotes nothing of the request.
        param: The field of the request that is at fault; "" for none.
        wait: Seconds after which asking again may help; 0 for no such advice.
        close: Whether the connection ends, because the request was not read to its end.
    """

    def __init__(
        self, status: int, code: str, message: str, *, param: str = "", wait: float = 0, close: bool = False
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self._param, self._wait, self._close = param, wait, close

    @property
    def body(self) -> Mapping[str, object]:
        """The error as JSON."""
        kinds = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
        kind = "api_error" if self.status >= 500 else kinds.get(self.status, "invalid_request_error")
        return {
            "error": {
                "message": self.message,
                "type": kind,
                "param": self._param or None,
                "code": self.code,
            }
        }

    def response(self) -> Response:
        """Returns the answer to the request."""
        headers = {}
        if self._wait:
            headers["retry-after"] = str(math.ceil(self._wait))
        if self._close:
            headers["connection"] = "close"
        if self.status == 401:
            headers["www-authenticate"] = "Bearer"
        return Response(encode(self.body), self.status, headers, "application/json")


def refusal_of(error: FurytuneError) -> Refusal:
    """Returns the answer to a request whose prompt or answer failed."""
    if isinstance(error, BusyError):
        return Refusal(
            429,
            "overloaded",
            "too many requests are under way; wait for the seconds of Retry-After and ask again",
            wait=error.wait,
        )
    if isinstance(error, AnswerError):
        return Refusal(503, "log_unavailable", "the server cannot write its records; ask again later")
    if isinstance(error, EmptyTextError):
        return Refusal(
            400, "empty_question", "the question is empty; write what you want to know", param="messages"
        )
    if isinstance(error, TextError):
        return Refusal(400, "damaged_question", "the question contains a damaged character", param="messages")
    if isinstance(error, QuestionTooLongError):
        return Refusal(
            400, "context_length_exceeded", "the question is too long; ask with fewer words", param="messages"
        )
    if isinstance(error, NoTextError):
        return Refusal(422, "no_text", "the model gave no text; rephrase the question")
    if isinstance(error, ServiceError):
        if error.code == 429:
            return Refusal(
                429,
                "model_busy",
                "the model's service has too much to do; ask again later",
                wait=error.wait or 5,
            )
        return Refusal(
            502, "model_unavailable", "the model's service refused or did not answer; ask again later"
        )
    return Refusal(503, "unavailable", "the answer could not be made; the server's log says why")
