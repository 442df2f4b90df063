"""HTTP on loopback for the fake Discord: it applies limits and faults, and records requests."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Literal

from attrs import define, field

from furytune.errors import MissingExtraError
from furytune.testing._fakes.discord.gateway import Gateway
from furytune.testing._fakes.discord.limits import Limits, Scope
from furytune.testing._fakes.discord.messages import encode
from furytune.testing._fakes.discord.service import Answer, problem
from furytune.testing._fakes.discord.writing import Writing
from furytune.testing._fakes.loopback import Strike

__all__ = ["Asked", "DiscordFault", "Mode", "Server"]

Mode = Literal[
    "status", "local", "global", "shared", "reset", "truncate", "cut", "slow", "html", "hang", "forbid"
]

_SCOPES: dict[str, Scope] = {"local": "user", "global": "global", "shared": "shared"}
_VIA = "1.1 google"
_BASE = "/api/v10"
_GATEWAY = "/gateway"
_UNSIGNED = ("/interactions/", "/webhooks/")  # their paths contain a token of their own
_HTML = b"<!DOCTYPE html><html><head><title>Bad gateway</title></head><body>cloudflare</body></html>"


@define(kw_only=True)
class Asked:
    """A request and how it was answered.

    Attributes:
        time: When it arrived, in seconds of the monotonic clock.
        method: HTTP method, such as "GET".
        path: Path without the base and the query.
        query: The last value of each query parameter.
        status: Status of the answer; 0 before it is answered, or if the connection was dropped.
        bucket: Hash of its rate-limit bucket, "" if it has none.
        scope: Scope of a 429: "user", "global" or "shared".
        body: JSON of the request, None without one.
    """

    time: float
    method: str
    path: str
    query: dict[str, str]
    status: int = 0
    bucket: str = ""
    scope: str = ""
    body: Any = field(default=None, repr=False)

    @property
    def line(self) -> str:
        """Method and path, the text that a fault's ``on`` is searched in."""
        return f"{self.method} {self.path}"


@define(kw_only=True)
class DiscordFault(Strike):
    """A fault that hits the next matching requests; see `FakeDiscord.fail`."""

    mode: Mode = "status"
    wait: float = 0.1


@define(eq=False)
class Server:
    """Serves on a free port of 127.0.0.1, in its own thread, until it is closed.

    Attributes:
        service: Answers the requests.
        gateway: Tells what happens.
        limits: Applies the rate limits.
        token: The only token that is accepted.
        latency: Seconds before each answer.
        requests: All requests so far.
        faults: Faults that are still to hit.
        hooks: Called with each request before it is answered.
        errors: Errors of hooks, which `FakeDiscord.close` raises.
        url: Its address.
    """

    service: Writing
    gateway: Gateway
    limits: Limits
    token: str = field(repr=False)
    latency: float = 0.0
    requests: list[Asked] = field(factory=list, repr=False)
    faults: list[DiscordFault] = field(factory=list)
    hooks: list[Callable[[Asked], None]] = field(factory=list)
    errors: list[Exception] = field(factory=list)
    url: str = ""
    _refused: set[str] = field(factory=set, repr=False)
    _loop: asyncio.AbstractEventLoop = field(factory=asyncio.new_event_loop, repr=False)
    _thread: threading.Thread | None = None
    _released: asyncio.Event = field(factory=asyncio.Event, repr=False)

    def open(self) -> None:
        """Starts the server."""
        try:
            import aiohttp  # noqa: F401
        except ImportError as error:
            raise MissingExtraError("FakeDiscord", "discord") from error
        started: Future[str] = Future()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        self.url = started.result()

    def close(self) -> None:
        """Stops the server, and releases requests that hang."""
        if self._thread is not None:
            self._loop.call_soon_threadsafe(self._released.set)
            self._thread.join()
            self._thread = None

    def _run(self, started: Future[str]) -> None:
        """Runs the event loop of the server's own thread."""
        try:
            self._loop.run_until_complete(self._serve(started))
        except BaseException as error:  # noqa: BLE001  (raised again where `open` waits for the start)
            started.set_exception(error)
        finally:
            self._loop.close()

    async def _serve(self, started: Future[str]) -> None:
        """Listens until the server is closed."""
        from aiohttp import web

        runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=0.1)
        await runner.setup()
        listener = socket.create_server(("127.0.0.1", 0))
        site = web.SockSite(runner, listener)
        await site.start()
        where = f"127.0.0.1:{runner.addresses[0][1]}"
        self.gateway.open(f"ws://{where}{_GATEWAY}")
        started.set_result(f"http://{where}{_BASE}")
        await self._released.wait()
        await self.gateway.close()
        # asyncio never closes a connection that it accepted in the round in which its server is closed, so no more are
        # accepted a few rounds before.
        self._loop.remove_reader(listener)
        await _rounds()
        for stop in (site.stop, runner.cleanup):
            await stop()
            await _rounds()

    async def _handle(self, request: Any) -> Any:
        """Answers one request, with the fault that hits it."""
        from aiohttp import web

        if request.path.rstrip("/") == _GATEWAY:
            return await self.gateway.serve(request)
        asked = Asked(
            time=self.limits.clock(),
            method=request.method,
            path=request.path.removeprefix(_BASE),
            query=dict(request.query),
            body=_json(await request.read()),
        )
        # Recorded before the latency, so that a request that is cancelled meanwhile is counted.
        self.requests.append(asked)
        if self.latency:
            await asyncio.sleep(self.latency)
        answer, headers, fault = self._answer(asked, request)
        asked.bucket = headers.get("X-RateLimit-Bucket", "")
        mode = "" if fault is None else fault.mode
        if fault is not None and mode in {"reset", "hang"}:
            await self._drop(request, fault)
            return web.Response(status=500)
        asked.status = answer.status
        body = answer.body
        headers |= {"Via": _VIA}
        if body:
            headers["Content-Type"] = "application/json"
        if mode == "html":
            body, headers["Content-Type"] = _HTML, "text/html; charset=UTF-8"
        if mode == "truncate":
            body = body[: len(body) // 2]
        if fault is not None and mode in {"cut", "slow"}:
            return await self._dribble(request, answer.status, headers, body, fault)
        return web.Response(body=body, status=answer.status, headers=headers)

    def _answer(self, asked: Asked, request: Any) -> tuple[Answer, dict[str, str], DiscordFault | None]:
        """Decides about a request: token, route, limits, faults, in Discord's order."""
        try:
            for hook in list(self.hooks):
                hook(asked)
        except Exception as error:  # noqa: BLE001  (raised again by `FakeDiscord.close`)
            self.errors.append(error)
            return problem(500), {}, None
        signed = not asked.path.startswith(_UNSIGNED)
        given = request.headers.get("Authorization", "")
        # Discord bans addresses that keep using a refused token.
        if signed and given in self._refused:
            self.limits.violations.append(f"{asked.line}: sent with a token that was refused before")
        if signed and given != f"Bot {self.token}":
            self._refused.add(given)
            return problem(401), {}, None
        found = self.service.route(asked.path)
        write = self.service.write(asked.method, asked.path, asked.body)
        if not request.path.startswith(_BASE) or (found is None and write is None):
            return problem(404), {}, None
        if write is None and (found is None or asked.method != "GET"):
            return problem(405), {"Allow": "GET"}, None
        assert write or found
        route, major, answer = write or found  # type: ignore[misc]
        bucket, refusal = self.limits.take(asked.line, route, major, asked.time)
        fault = None
        if refusal is None:
            fault = next((f for f in self.faults if f.strikes(asked.line)), None)
        if fault is not None and fault.mode in _SCOPES:
            refusal = self.limits.stop(bucket, _SCOPES[fault.mode], fault.wait)
        headers = self.limits.headers(bucket)
        if refusal is not None:
            asked.scope = refusal.scope
            # A global refusal says nothing about a bucket.
            told = {} if refusal.scope == "global" else headers
            return Answer(429, encode(refusal.body)), told | refusal.headers, None
        if fault is not None and fault.mode in {"status", "html"}:
            return problem(fault.status), headers, fault
        if fault is not None and fault.mode == "forbid":
            return Answer(403, b'{"message":"Missing Access","code":50001}'), headers, fault
        return answer(asked.query), headers, fault

    async def _drop(self, request: Any, fault: DiscordFault) -> None:
        """Ends a connection without an answer, at once or when the server closes."""
        if fault.mode == "hang":
            await self._released.wait()
        transport = request.transport
        if transport is not None:
            line = transport.get_extra_info("socket")
            # With this option, closing sends a reset instead of the usual end.
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()

    async def _dribble(
        self, request: Any, status: int, headers: dict[str, str], body: bytes, fault: DiscordFault
    ) -> Any:
        """Sends a part of the answer and hangs up, or all of it slowly."""
        from aiohttp import web

        response = web.StreamResponse(status=status, headers=headers)
        response.content_length = len(body)
        await response.prepare(request)
        if fault.mode == "cut":
            await response.write(body[: len(body) // 2])
            request.transport.close()
            return response
        step = max(1, len(body) // 10)
        for at in range(0, len(body), step):
            await response.write(body[at : at + step])
            await asyncio.sleep(fault.wait / 10)
        await response.write_eof()
        return response


async def _rounds() -> None:
    """Lets the loop get to know connections that were just accepted, and let go of those that were just closed."""
    for _ in range(5):
        await asyncio.sleep(0)


def _json(raw: bytes) -> Any:
    """Returns a body as JSON, None if it is empty or is not JSON."""
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return None
