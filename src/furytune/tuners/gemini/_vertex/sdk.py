"""Imports google-genai, finds credentials, and turns Google's exceptions into our own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from furytune.errors import ConfigError, FurytuneError, MissingExtraError, ServiceError

__all__ = ["authorized", "default_credentials", "sdk"]

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_LOGIN = "run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS to a key file"


def sdk() -> Any:
    """Returns the module ``google.genai``.

    Raises:
        MissingExtraError: google-genai is not installed.
    """
    try:
        from google import genai
    except ImportError as error:
        raise MissingExtraError("Gemini on Vertex AI", "gemini") from error
    return genai


def default_credentials() -> Any:
    """Returns this machine's credentials for Google Cloud.

    Raises:
        ConfigError: It has none.
        MissingExtraError: google-auth is not installed.
    """
    try:
        import google.auth
        from google.auth.exceptions import DefaultCredentialsError
    except ImportError as error:
        raise MissingExtraError("Gemini on Vertex AI", "gemini") from error
    try:
        credentials, _ = google.auth.default(scopes=[_SCOPE])
    except DefaultCredentialsError:
        raise ConfigError(f"no credentials for Google Cloud were found: {_LOGIN}") from None
    return credentials


@contextmanager
def authorized(doing: str, hints: Mapping[int, str]) -> Iterator[None]:
    """Turns every exception of Google's packages into a `ServiceError`.

    Args:
        doing: What the request does, for the message.
        hints: What to do next, by HTTP status.

    Raises:
        ServiceError: The request failed. The error contains nothing of what was sent.
    """
    from google.auth.exceptions import GoogleAuthError, TransportError
    from google.genai.errors import APIError

    try:
        yield
    except APIError as error:
        raise ServiceError(
            doing,
            code=int(error.code),
            status=_word(error.status),
            hint=hints.get(int(error.code), ""),
            said=str(error.message or ""),
        ) from None
    except TransportError:
        raise ServiceError(doing, status=_network("google.auth")) from None
    except GoogleAuthError as error:
        raise ServiceError(
            doing, code=401, status=type(error).__name__, hint=f"the credentials were not accepted: {_LOGIN}"
        ) from None
    except FurytuneError:
        raise
    except Exception as error:  # noqa: BLE001
        # Network errors come from httpx, httpx2 or requests, depending on the version. An answer that the SDK
        # cannot read raises one of Python's own exceptions. In both cases the request may have succeeded.
        raise ServiceError(doing, status=_network(type(error).__name__)) from None


def _word(status: object) -> str:
    """Returns a status if it is a plain word, else "": a server could put anything there."""
    text = str(status or "")
    return text if len(text) <= 40 and text.replace("_", "").isalnum() and text.isascii() else ""


def _network(kind: str) -> str:
    return f"({kind})"
