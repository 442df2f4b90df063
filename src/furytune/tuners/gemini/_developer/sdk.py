"""Imports google-generativeai, and turns its exceptions into our own."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, TypeVar

from furytune.errors import FurytuneError, MissingExtraError, ServiceError

__all__ = ["UnreadableAnswerError", "ask", "load_sdk", "require_sdk"]

T = TypeVar("T")

_HINTS = {
    400: "the service found the request invalid; check the API key too",
    401: "check the API key",
    403: "check the API key; the model belongs to another project, or was not shared with this one",
    404: "the service does not have it; tuned models from before May 2025 are listed, but can no longer be called",
    409: "it exists already",
    429: "the quota is used up for now",
}


def require_sdk() -> None:
    """Checks that google-generativeai is installed, without importing it.

    Raises:
        MissingExtraError: google-generativeai is not installed.
    """
    try:
        # Importing the SDK takes seconds, and a tuner is often made only to estimate.
        found = find_spec("google.generativeai") is not None
    except ModuleNotFoundError:
        found = False
    if not found:
        raise MissingExtraError("the Gemini Developer API backend", "gemini-developer")


def load_sdk() -> Any:
    """Imports google-generativeai and everything it needs."""
    with warnings.catch_warnings():
        # They announce the end of support, of the SDK itself and of a Python version.
        warnings.simplefilter("ignore", FutureWarning)
        import google.generativeai as sdk
    return sdk


class UnreadableAnswerError(ServiceError):
    """The SDK could not read an answer. As with a lost answer, the request may have succeeded.

    Args:
        doing: What the request does.
        problem: What is wrong; contains nothing of the answer.
    """

    def __init__(self, doing: str, problem: str) -> None:
        super().__init__(doing, hint=f"google-generativeai could not read the answer ({problem})")


def ask(doing: str, request: Callable[[], T]) -> T:
    """Makes a request, and turns the SDK's exceptions into errors that quote nothing.

    Args:
        doing: What the request does, for the message.
        request: Makes the request.

    Raises:
        ServiceError: The service refused, or did not answer.
        UnreadableAnswerError: The SDK could not read the answer.
    """
    load_sdk()
    from google.api_core import exceptions
    from google.auth.exceptions import TransportError
    from requests import RequestException

    try:
        return request()
    except FurytuneError:
        raise
    except exceptions.GoogleAPICallError as error:
        failure = _refused(doing, error)
    except (RequestException, TransportError, exceptions.RetryError, OSError):
        failure = ServiceError(doing, hint="the connection failed or was dropped")
    except Exception as error:  # noqa: BLE001  (the vendor's messages may quote what was sent)
        failure = UnreadableAnswerError(doing, type(error).__name__)
    # Raised outside of the handlers, so that it does not keep the vendor's exception as its context.
    raise failure


def _refused(doing: str, error: Any) -> ServiceError:
    """Returns the error for an answer that refuses the request."""
    code = None if error.code is None else int(error.code)
    return ServiceError(
        doing, code=code, status=_status(error), hint=_HINTS.get(code or 0, ""), said=error.message
    )


def _status(error: Any) -> str:
    """Returns the service's word for a refusal, such as "ALREADY_EXISTS"."""
    if error.grpc_status_code is not None:
        return str(error.grpc_status_code.name)
    try:
        status = error.response.json()["error"]["status"]
    except (AttributeError, ValueError, KeyError, TypeError):
        return ""
    return status if isinstance(status, str) and status.replace("_", "").isalpha() else ""
