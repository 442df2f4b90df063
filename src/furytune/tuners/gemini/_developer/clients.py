"""Connects google-generativeai to a Developer API, without its process-wide configuration.

``google.generativeai.configure`` sets one key and one endpoint for the whole process, so two tuners would
disturb each other. The SDK's functions also accept a client, so this module makes one set of clients for each
backend.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, Literal
from urllib.parse import urlsplit

from attrs import frozen

from furytune._network.endpoint import checked_endpoint
from furytune._privacy.secret import Secret
from furytune.errors import ConfigError
from furytune.tuners.gemini._developer.sdk import load_sdk

__all__ = ["GOOGLE", "Clients", "Place", "connect", "model_name"]

GOOGLE = "https://generativelanguage.googleapis.com"
"""Google's own service."""

Transport = Literal["rest", "grpc"]

_CARRIERS = ("httpRequest", "httpResponse", "request", "response", "metadata")


@frozen(kw_only=True)
class Place:
    """The address of a Developer API.

    Attributes:
        host: Host, and port if there is one.
        plain: Whether to connect without TLS; only on loopback.
    """

    host: str
    plain: bool = False

    @classmethod
    def of(cls, endpoint: str) -> Place:
        """Reads an endpoint such as ``https://host`` or ``http://127.0.0.1:8080``.

        Raises:
            ConfigError: It is not the address of a host, or the key would cross a network without encryption.
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
        """The address in the form that the REST transport takes."""
        return f"http{'s' * (not self.plain)}://{self.host}"


@frozen(kw_only=True, repr=False)
class Clients:
    """The SDK, and one client for each of its services.

    Attributes:
        sdk: The module ``google.generativeai``.
        models: Base models and tuned models.
        operations: Running jobs.
        permissions: Permissions of tuned models.
        answers: Asks models.
        once: Arguments of every call: no retry by the SDK, and the timeout.
    """

    sdk: Any
    models: Any
    operations: Any
    permissions: Any
    answers: Any
    once: Mapping[str, Any]


def model_name(name: str) -> str:
    """Returns a model's name in the form that the service takes."""
    return name if "/" in name else f"models/{name}"


def connect(key: Secret, place: Place, transport: Transport, timeout: float) -> Clients:
    """Imports the SDK and makes the clients; sends nothing.

    Args:
        key: The API key.
        place: The service's address.
        transport: "rest" or "grpc".
        timeout: Seconds for each request.
    """
    sdk = load_sdk()
    import google.ai.generativelanguage as glm

    kinds = (glm.ModelServiceClient, glm.PermissionServiceClient, glm.GenerativeServiceClient)
    make = _plain_grpc(key, place) if place.plain and transport == "grpc" else _usual(key, place, transport)
    models, permissions, answers = map(make, kinds)
    _keep_logs_clean()
    clients = Clients(
        sdk=sdk,
        models=models,
        operations=models.transport.operations_client,
        permissions=permissions,
        answers=answers,
        once={"retry": None, "timeout": timeout},
    )
    # The SDK's clients hold sockets and threads until they are closed.
    weakref.finalize(clients, _close, (models, permissions, answers, clients.operations))
    return clients


def _close(clients: Iterable[Any]) -> None:
    """Closes the connections of clients that are no longer used."""
    for client in clients:
        with suppress(Exception):
            client.transport.close()


def _usual(key: Secret, place: Place, transport: Transport) -> Callable[[Any], Any]:
    """Returns a factory of clients for REST, or for gRPC with TLS."""
    from google.api_core.client_options import ClientOptions

    where = place.url if transport == "rest" else place.host

    def make(kind: Any) -> Any:
        return kind(
            transport=transport, client_options=ClientOptions(api_endpoint=where, api_key=key.reveal())
        )

    return make


def _plain_grpc(key: Secret, place: Place) -> Callable[[Any], Any]:
    """Returns a factory of clients for gRPC without TLS, where the key can only be sent as a header."""
    import grpc

    class Keyed(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor):  # type: ignore[misc]
        def intercept_unary_unary(self, call: Any, details: Any, request: Any) -> Any:
            header = ("x-goog-api-key", key.reveal())
            return call(details._replace(metadata=[*(details.metadata or ()), header]), request)

        intercept_unary_stream = intercept_unary_unary

    channel = grpc.intercept_channel(grpc.insecure_channel(place.host), Keyed())
    return lambda kind: kind(transport=kind.get_transport_class("grpc")(channel=channel))


def _keep_logs_clean() -> None:
    """Makes the SDK's loggers drop the headers and bodies that they attach to DEBUG records.

    The headers contain the key, and the bodies contain people's messages.
    """
    for name in list(logging.root.manager.loggerDict):
        if name.startswith(("google.ai.generativelanguage", "google.api_core", "google.auth")):
            logging.getLogger(name).addFilter(_without_carriers)


def _without_carriers(record: logging.LogRecord) -> bool:
    """Removes what the SDK attaches to a log record; keeps the record."""
    for name in _CARRIERS:
        record.__dict__.pop(name, None)
    return True
