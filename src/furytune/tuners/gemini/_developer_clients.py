"""Connects google-generativeai to a Developer API, without its process-wide configuration.

``google.generativeai.configure`` sets one key and one endpoint for the whole process, so two tuners would
disturb each other. Its functions take a client instead, and the clients are made here, one set for
each backend.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

from attrs import frozen

from furytune._secret import Secret
from furytune.errors import ConfigError, FurytuneError, MissingExtraError, ServiceError
from furytune.tuners.gemini._endpoint import checked_endpoint

__all__ = [
    "GOOGLE",
    "Clients",
    "Place",
    "UnreadableAnswerError",
    "ask",
    "connect",
    "model_name",
    "require_sdk",
]

GOOGLE = "https://generativelanguage.googleapis.com"
"""The service of Google."""

Transport = Literal["rest", "grpc"]
T = TypeVar("T")

_CARRIERS = ("httpRequest", "httpResponse", "request", "response", "metadata")
_HINTS = {
    400: "the service takes the request for wrong; the API key may be, too",
    401: "check the API key",
    403: "check the API key; the model belongs to another project, or was not shared with this one",
    404: "the service has no such thing; tuned models of before May 2025 are listed but can no longer be called",
    409: "it exists already",
    429: "the quota is used up for now",
}


@frozen(kw_only=True)
class Place:
    """Where a Developer API is.

    Attributes:
        host: Host, and port if there is one.
        plain: Whether it is spoken to without TLS; on loopback only.
    """

    host: str
    plain: bool = False

    @classmethod
    def of(cls, endpoint: str) -> Place:
        """Reads an endpoint, as in ``https://host`` or ``http://127.0.0.1:8080``.

        Raises:
            ConfigError: It is no address of a host, or would carry the key in clear over a network.
        """
        parts = urlsplit(checked_endpoint(endpoint) or GOOGLE)
        try:
            fine = parts.path == "" and parts.port != 0
        except ValueError:
            fine = False
        if not fine:
            raise ConfigError(
                "endpoint must be scheme, host and port alone, such as https://example.org:8443"
            )
        return cls(host=parts.netloc, plain=parts.scheme == "http")

    @property
    def url(self) -> str:
        """The place as the REST transport takes it."""
        return f"http{'s' * (not self.plain)}://{self.host}"


@frozen(kw_only=True, repr=False)
class Clients:
    """The SDK, and one client for each of its services.

    Attributes:
        sdk: The module ``google.generativeai``.
        models: Base models and tuned models.
        operations: Running jobs.
        permissions: Who may use a tuned model.
        answers: Asking a model.
        once: Arguments of every call: no retry by the SDK, and how long to wait.
    """

    sdk: Any
    models: Any
    operations: Any
    permissions: Any
    answers: Any
    once: Mapping[str, Any]


def model_name(name: str) -> str:
    """Returns a model's name as the service takes it."""
    return name if "/" in name else f"models/{name}"


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


def _sdk() -> Any:
    """Imports google-generativeai, and with it all that it needs."""
    with warnings.catch_warnings():
        # They announce the end of support, of the SDK itself and of a Python version.
        warnings.simplefilter("ignore", FutureWarning)
        import google.generativeai as sdk
    return sdk


def connect(key: Secret, place: Place, transport: Transport, timeout: float) -> Clients:
    """Imports the SDK and makes the clients; nothing is sent yet."""
    sdk = _sdk()
    import google.ai.generativelanguage as glm

    kinds = (glm.ModelServiceClient, glm.PermissionServiceClient, glm.GenerativeServiceClient)
    make = _plain_grpc(key, place) if place.plain and transport == "grpc" else _usual(key, place, transport)
    models, permissions, answers = map(make, kinds)
    _keep_logs_clean()
    return Clients(
        sdk=sdk,
        models=models,
        operations=models.transport.operations_client,
        permissions=permissions,
        answers=answers,
        once={"retry": None, "timeout": timeout},
    )


def _usual(key: Secret, place: Place, transport: Transport) -> Callable[[Any], Any]:
    from google.api_core.client_options import ClientOptions

    where = place.url if transport == "rest" else place.host

    def make(kind: Any) -> Any:
        return kind(
            transport=transport, client_options=ClientOptions(api_endpoint=where, api_key=key.reveal())
        )

    return make


def _plain_grpc(key: Secret, place: Place) -> Callable[[Any], Any]:
    """Returns a maker of clients for gRPC without TLS, which takes no credentials but a header."""
    import grpc

    class Keyed(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):  # type: ignore[misc]
        def intercept_unary_unary(self, call: Any, details: Any, request: Any) -> Any:
            header = ("x-goog-api-key", key.reveal())
            return call(details._replace(metadata=[*(details.metadata or ()), header]), request)

        intercept_unary_stream = intercept_unary_unary

    channel = grpc.intercept_channel(grpc.insecure_channel(place.host), Keyed())
    return lambda kind: kind(transport=kind.get_transport_class("grpc")(channel=channel))


def _keep_logs_clean() -> None:
    """Has the SDK's loggers leave out what they attach to DEBUG records: headers and bodies.

    The headers hold the key, and the bodies hold what people wrote.
    """
    for name in list(logging.root.manager.loggerDict):
        if name.startswith(("google.ai.generativelanguage", "google.api_core", "google.auth")):
            logging.getLogger(name).addFilter(_without_carriers)


def _without_carriers(record: logging.LogRecord) -> bool:
    for name in _CARRIERS:
        record.__dict__.pop(name, None)
    return True


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
    _sdk()
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
