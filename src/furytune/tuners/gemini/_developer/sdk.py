"""Imports google-generativeai, and calls it so that its exceptions stay inside."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, TypeVar

from furytune.errors import FurytuneError, MissingExtraError, ServiceError

__all__ = ["UnreadableAnswerError", "ask", "load_sdk", "require_sdk"]

T = TypeVar("T")

_HINTS = {
    400: "the service takes the request for wrong; the API key may be, too",
    401: "check the API key",
    403: "check the API key; the model belongs to another project, or was not shared with this one",
    404: "the service has no such thing; tuned models of before May 2025 are listed but can no longer be called",
    409: "it exists already",
    429: "the quota is used up for now",
}


def require_sdk() -> None:
    """Sees to it that google-generativeai is installed; imports none of it.

    Raises:
        MissingExtraError: It is not.
    """
    try:
        found = find_spec("google.generativeai") is not None
    except ModuleNotFoundError:
        found = False
    if not found:
        raise MissingExtraError("the Gemini Developer API backend", "gemini-developer")


def load_sdk() -> Any:
    """Imports google-generativeai, and with it all that it needs."""
    with warnings.catch_warnings():
        # They announce the end of support, of the SDK itself and of a Python version.
        warnings.simplefilter("ignore", FutureWarning)
        import google.generativeai as sdk
    return sdk


class UnreadableAnswerError(ServiceError):
    """There was an answer, and the SDK could not read it. As with no answer, the request may have succeeded.

    Args:
        doing: What was asked of the service.
        problem: What is wrong; nothing of the answer.
    """

    def __init__(self, doing: str, problem: str) -> None:
        super().__init__(doing, hint=f"google-generativeai could not read what came back ({problem})")


def ask(doing: str, request: Callable[[], T]) -> T:
    """Makes a request, and turns what the SDK raises into errors that quote nothing.

    Args:
        doing: What is asked of the service.
        request: Asks it.

    Raises:
        ServiceError: The service refused, or there was no answer.
        UnreadableAnswerError: The SDK failed over the answer.
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
    # Outside of the handlers, so that the vendor's exception is not even kept as the context.
    raise failure


def _refused(doing: str, error: Any) -> ServiceError:
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
