"""What every request passes: who asks, how often, how much, and what it hears if something fails."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, Literal, TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from furytune.answering import Rate
from furytune.errors import FurytuneError
from furytune.serving.metrics import Metrics
from furytune.serving.refusals import Refusal, refusal_of
from furytune.serving.settings import Settings

__all__ = ["LOG", "Door", "Doors", "Handler", "Need", "body"]

LOG = logging.getLogger("furytune.serving")
"""Gets the route, status and time of each request, and the kinds of errors. Never a text or a key."""

Need = Literal["nothing", "key", "admin"]
Handler = Callable[[Request], Awaitable[Response]]
T = TypeVar("T")

_SAFE = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]


class Doors:
    """What the doors of an endpoint share.

    Args:
        settings: What the operator decided.
        metrics: Counts requests.
    """

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._settings, self.metrics = settings, metrics
        self._rate = Rate(settings.per_minute)

    def admit(self, request: Request, need: Need) -> None:
        """Checks key, host and rate.

        Raises:
            Refusal: The request may not enter.
        """
        if need == "nothing":
            return
        settings = self._settings
        if need == "admin" or settings.keys:
            digest = _key_digest(request)
            allowed = settings.admin_keys if need == "admin" else settings.keys
            # Every key is compared, and in constant time, so the time of an answer says nothing about a key.
            if not sum(hmac.compare_digest(digest, key) for key in allowed):
                raise Refusal(401, "invalid_api_key", "the API key is missing or not valid", close=True)
            client = digest
        else:
            self._check_host(request)
            client = request.client.host if request.client else ""
        if need == "key" and (wait := self._rate.take(client)):
            raise Refusal(
                429,
                "rate_limit_exceeded",
                f"this client may ask {settings.per_minute} times a minute; wait for the seconds of Retry-After and ask again",
                wait=wait,
            )

    def _check_host(self, request: Request) -> None:
        # request.url would parse more than the name, and can raise.
        host = request.headers.get("host", "")
        name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
        if name.lower() not in self._settings.hosts:
            raise Refusal(
                403,
                "unknown_host",
                "without keys, this server answers only under the host names that its settings list",
                close=True,
            )


def _key_digest(request: Request) -> str:
    kind, _, key = request.headers.get("authorization", "").partition(" ")
    return hashlib.sha256(key.strip().encode() if kind.lower() == "bearer" else b"").hexdigest()


class Door:
    """A route.

    Args:
        doors: What all share.
        route: Its path, for metrics.
        handler: Answers a request.
        need: What a request must have.
    """

    def __init__(self, doors: Doors, route: str, handler: Handler, need: Need = "key") -> None:
        self._doors, self._route, self._handler, self._need = doors, route, handler, need

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request, and counts it."""
        begun, status = time.perf_counter(), 499  # as nginx counts a client that left

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *_SAFE]
            await send(message)

        try:
            response = await self._response(Request(scope, receive))
            await response(scope, receive, noted)
        except ClientDisconnect:
            pass
        finally:
            seconds = time.perf_counter() - begun
            self._doors.metrics.request(self._route, status, seconds)
            LOG.debug("%s %d %.1f ms", self._route, status, seconds * 1000)

    async def _response(self, request: Request) -> Response:
        try:
            self._doors.admit(request, self._need)
            return await self._handler(request)
        except Refusal as refusal:
            return refusal.response()
        except FurytuneError as error:
            # Errors of this library quote no text. What a client did wrong is not worth a line in the log.
            found = refusal_of(error)
            if found.status >= 500:
                LOG.error("%s: %s: %s", self._route, type(error).__name__, error)  # noqa: TRY400
            return found.response()
        except (ClientDisconnect, asyncio.CancelledError):
            raise
        except Exception as error:  # noqa: BLE001  (its message may quote the question)
            LOG.error("%s: %s", self._route, type(error).__name__)  # noqa: TRY400
            return Refusal(500, "internal_error", "the server has a fault; its log says which").response()


async def body(request: Request, kind: type[T], settings: Settings) -> T:
    """Reads the JSON of a request.

    Raises:
        Refusal: It is too large, too slow, or not what the route takes.
    """
    # A web page of someone else can post other types without asking the browser for permission.
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refusal(
            415, "unsupported_media_type", "send JSON with the content type application/json", close=True
        )
    try:
        async with asyncio.timeout(settings.body_timeout):
            raw = await _raw(request, settings.max_body)
    except TimeoutError:
        raise Refusal(408, "request_timeout", "the request did not arrive in time", close=True) from None
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        # msgspec names types and the place, as in "Expected `str`, got `int` - at `$.model`".
        raise Refusal(400, "invalid_request", _plain(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refusal(400, "invalid_json", "the request is not valid JSON") from None


async def _raw(request: Request, most: int) -> bytes:
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > most:
            raise Refusal(413, "request_too_large", f"a request may have {most:,} bytes", close=True)
        pieces.append(piece)
    return b"".join(pieces)


def _plain(error: Any) -> str:
    """Returns where a request is wrong. A name or word of the request in the message is left out."""
    said = str(error)
    if said.startswith(("Expected", "Object missing required field")):
        return said
    return "the request has a field or a word that this route does not know"
