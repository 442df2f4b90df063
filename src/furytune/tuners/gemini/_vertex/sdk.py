"""Google's credentials and Google's exceptions, in our words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from furytune.errors import ConfigError, FurytuneError, MissingExtraError, ServiceError

__all__ = ["authorized", "default_credentials", "sdk"]

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_LOGIN = "run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS to a key file"


def sdk() -> Any:
    """Returns google-genai.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        from google import genai
    except ImportError as error:
        raise MissingExtraError("Gemini on Vertex AI", "gemini") from error
    return genai


def default_credentials() -> Any:
    """Returns the credentials that this machine has for Google Cloud.

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
        raise ConfigError(f"there are no credentials for Google Cloud here: {_LOGIN}") from None
    return credentials


@contextmanager
def authorized(doing: str, hints: Mapping[int, str]) -> Iterator[None]:
    """Turns whatever Google's packages raise into a `ServiceError`.

    Args:
        doing: What is asked of the service.
        hints: What to do next, by HTTP status.

    Raises:
        ServiceError: The request failed. Nothing of what was sent is in it.
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
        # Those of the network are httpx's, httpx2's or requests', by version; and an answer that the SDK
        # cannot make sense of ends in any of Python's own. Neither tells if the request was carried out.
        raise ServiceError(doing, status=_network(type(error).__name__)) from None


def _word(status: object) -> str:
    """Returns a status if it is a plain word: a server could put anything there."""
    text = str(status or "")
    return text if len(text) <= 40 and text.replace("_", "").isalnum() and text.isascii() else ""


def _network(kind: str) -> str:
    return f"({kind})"
