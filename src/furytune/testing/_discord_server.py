"""HTTP on loopback for the fake Discord: limits, the record of requests, and what shall go wrong."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from typing import Any, Literal

from attrs import define, field, frozen

from furytune.errors import MissingExtraError
from furytune.testing._discord_limits import Limits
from furytune.testing._discord_service import Answer, Service, encode, problem

__all__ = ["Asked", "DiscordFault", "Mode", "Server"]

Mode = Literal[
    "status", "local", "global", "shared", "reset", "truncate", "cut", "slow", "html", "hang", "forbid"
]

_BASE = "/api/v10"
_HTML = b"<!DOCTYPE html><html><head><title>Bad gateway</title></head><body>cloudflare</body></html>"


@frozen(kw_only=True)
class Asked:
    """One request and how it was answered.

    Attributes:
        time: Seconds of the monotonic clock.
        method: Such as "GET".
        path: Without the base and the query.
        query: The last value of each name.
        status: What was answered; 0 where nothing was.
        bucket: Hash of its rate-limit bucket, "" where it has none.
    """

    time: float
    method: str
    path: str
    query: dict[str, str]
    status: int
    bucket: str


@define(kw_only=True)
class DiscordFault:
    """What goes wrong with the next matching requests; see `FakeDiscord.fail`."""

    on: str = ""
    mode: Mode = "status"
    status: int = 503
    times: int = 1
    skip: int = 0
    wait: float = 0.1

    def strikes(self, line: str) -> bool:
        """Tells whether it strikes a request, and counts it."""
        if self.times < 1 or not re.search(self.on, line):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return True


@define(eq=False)
class Server:
    """Serves on a free port of 127.0.0.1 in a thread of its own, until it is closed."""

    service: Service
    limits: Limits
    token: str = field(repr=False)
    latency: float = 0.0
    requests: list[Asked] = field(factory=list, repr=False)
    faults: list[DiscordFault] = field(factory=list)
    hooks: list[Callable[[Asked], None]] = field(factory=list)
    violations: list[str] = field(factory=list)
    url: str = ""
    _refused: set[str] = field(factory=set, repr=False)
    _loop: asyncio.AbstractEventLoop = field(factory=asyncio.new_event_loop, repr=False)
    _thread: threading.Thread | None = None
    _released: asyncio.Event = field(factory=asyncio.Event, repr=False)

    def open(self) -> None:
        """Starts to serve."""
        try:
            import aiohttp  # noqa: F401
        except ImportError as error:
            raise MissingExtraError(
                "the fake Discord needs aiohttp: pip install 'furytune[discord]'"
            ) from error
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self._thread.start()
        started.wait()

    def close(self) -> None:
        """Stops, and lets go of requests that hang."""
        if self._thread is not None:
            self._loop.call_soon_threadsafe(self._released.set)
            self._thread.join()
            self._thread = None

    def _run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve(started))
        finally:
            self._loop.close()

    async def _serve(self, started: threading.Event) -> None:
        from aiohttp import web

        runner = web.ServerRunner(web.Server(self._handle, access_log=None))
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, shutdown_timeout=0.1)
        await site.start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}{_BASE}"
        started.set()
        await self._released.wait()
        await runner.cleanup()

    async def _handle(self, request: Any) -> Any:
        from aiohttp import web

        if self.latency:
            await asyncio.sleep(self.latency)
        path = request.path.removeprefix(_BASE)
        asked = Asked(
            time=time.monotonic(),
            method=request.method,
            path=path,
            query=dict(request.query),
            status=0,
            bucket="",
        )
        answer, headers, fault = self._answer(asked, request)
        bucket = headers.get("X-RateLimit-Bucket", "")
        if fault is not None and fault.mode in {"reset", "hang"}:
            self._record(asked, 0, bucket)
            await self._drop(request, fault)
            raise asyncio.CancelledError
        self._record(asked, answer.status, bucket)
        kind = "application/json"
        body = answer.body
        if fault is not None and fault.mode == "html":
            kind, body = "text/html", _HTML
        if fault is not None and fault.mode == "truncate":
            body = body[: max(1, len(body) // 2)]
        headers["Content-Type"] = kind
        if fault is not None and fault.mode in {"cut", "slow"}:
            return await self._dribble(request, answer.status, headers, body, fault)
        return web.Response(body=body, status=answer.status, headers=headers)

    def _record(self, asked: Asked, status: int, bucket: str) -> None:
        self.requests.append(
            Asked(
                time=asked.time,
                method=asked.method,
                path=asked.path,
                query=asked.query,
                status=status,
                bucket=bucket,
            )
        )

    def _answer(self, asked: Asked, request: Any) -> tuple[Answer, dict[str, str], DiscordFault | None]:
        line = f"{asked.method} {asked.path}"
        for hook in list(self.hooks):
            hook(asked)
        given = request.headers.get("Authorization", "")
        if given in self._refused:
            self.violations.append(f"{line}: sent with a token that was refused before")
        if given != f"Bot {self.token}":
            self._refused.add(given)
            return problem(401), {}, None
        found = self.service.route(asked.path)
        if not request.path.startswith(_BASE) or found is None:
            return problem(404), {}, None
        if asked.method != "GET":
            return problem(405), {"Allow": "GET"}, None
        route, major, answer = found
        bucket, refusal = self.limits.take(asked.method, route, major)
        fault = None
        if refusal is None:
            fault = next((f for f in self.faults if f.strikes(line)), None)
        if fault is not None and fault.mode in {"local", "global", "shared"}:
            scope = "user" if fault.mode == "local" else fault.mode
            refusal = self.limits.exhaust(bucket, scope, fault.wait)
        if refusal is not None:
            return Answer(429, encode(refusal.body)), self.limits.headers(bucket) | refusal.headers(), None
        headers = self.limits.headers(bucket)
        if fault is not None and fault.mode == "status":
            return problem(fault.status), headers, fault
        if fault is not None and fault.mode == "forbid":
            return Answer(403, b'{"message": "Missing Access", "code": 50001}'), headers, fault
        made = answer(asked.query)
        if fault is not None and fault.mode == "html":
            made = Answer(fault.status, made.body)
        return made, headers, fault

    async def _drop(self, request: Any, fault: DiscordFault) -> None:
        if fault.mode == "hang":
            await self._released.wait()
        transport = request.transport
        if transport is not None:
            line = transport.get_extra_info("socket")
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()

    async def _dribble(
        self, request: Any, status: int, headers: dict[str, str], body: bytes, fault: DiscordFault
    ) -> Any:
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
