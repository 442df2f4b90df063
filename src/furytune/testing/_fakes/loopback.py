"""A small HTTP server on loopback that records its requests and can be made to fail."""

from __future__ import annotations

import json
import re
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import parse_qsl, urlsplit

from attrs import define, field, frozen

__all__ = ["Fault", "Loopback", "Mode", "Recorded", "Rehearsal", "Reply", "Strike"]

_JSON = "application/json; charset=UTF-8"

Mode = Literal["status", "hang up", "lose the answer", "hang"]


@frozen(kw_only=True)
class Recorded:
    """A recorded request.

    Attributes:
        method: HTTP method, such as "POST".
        path: Path without the query.
        query: The last value of each query parameter.
        parameters: All query parameters in order.
        headers: Headers, with names in lower case.
        raw: The bytes of the body.
        body: The body as JSON, None if it is not JSON.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str] = field(repr=False)
    raw: bytes = field(repr=False)
    body: Any = field(repr=False)
    parameters: tuple[tuple[str, str], ...] = ()

    @property
    def line(self) -> str:
        """Method and path, the text that a fault's ``on`` is searched in."""
        return f"{self.method} {self.path}"


@frozen
class Reply:
    """The answer of a service.

    Attributes:
        status: HTTP status.
        body: JSON of the answer.
        parts: If given, sent one by one instead of ``body``.
        headers: Further headers.
    """

    status: int
    body: Any = field(repr=False)
    parts: Iterable[bytes] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(factory=dict)


@define(kw_only=True)
class Strike:
    """Chooses the requests that a fault hits.

    Attributes:
        on: Regular expression that is searched in "METHOD /path".
        status: HTTP status of a refusal.
        times: How many requests fail.
        skip: How many matching requests succeed first.
    """

    on: str = ""
    status: int = 503
    times: int = 1
    skip: int = 0

    def strikes(self, line: str) -> bool:
        """Returns True if the fault hits this request, and counts the request."""
        if self.times < 1 or not re.search(self.on, line):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return True


@define(kw_only=True)
class Fault(Strike):
    """A fault that hits the next matching requests.

    Attributes:
        on: Regular expression that is searched in "METHOD /path".
        mode: "status" refuses; "hang up" drops the connection before the request is carried out, "lose the
            answer" after it; "hang" never answers.
        status: HTTP status of a refusal.
        times: How many requests fail.
        skip: How many matching requests succeed first.
        body: JSON of a refusal.
        headers: Further headers of a refusal.
    """

    mode: Mode = "status"
    body: Any = None
    headers: Mapping[str, str] = field(factory=dict)


@define(eq=False)
class Loopback:
    """Serves a function over HTTP on a free port of 127.0.0.1, with one thread per connection.

    Args:
        service: Answers one request; called by only one thread at a time.
    """

    service: Callable[[Recorded], Reply] = field(repr=False)
    requests: list[Recorded] = field(factory=list, init=False, repr=False)
    faults: list[Fault] = field(factory=list, init=False)
    _lock: threading.RLock = field(factory=threading.RLock, init=False, repr=False)
    _released: threading.Event = field(factory=threading.Event, init=False, repr=False)
    _server: ThreadingHTTPServer = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """Stops the server, and releases requests that hang."""
        self._released.set()
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _take(self, request: Recorded) -> tuple[Reply | None, Fault | None]:
        """Records a request; returns its answer, or the fault that keeps it from getting one."""
        with self._lock:
            self.requests.append(request)
            fault = next((f for f in self.faults if f.strikes(request.line)), None)
            if fault is None:
                return self.service(request), None
            # The work is done, and the client cannot know it.
            if fault.mode == "lose the answer":
                self.service(request)
            if fault.mode == "status":
                body = fault.body or {"error": {"code": fault.status, "message": "a fault was asked for"}}
                return Reply(fault.status, body, headers=fault.headers), None
            return None, fault

    def _wait(self) -> None:
        self._released.wait()


class Rehearsal:
    """What the fakes of HTTP services have in common.

    Args:
        service: Answers one request.

    Attributes:
        requests: All requests, in order. Their bodies contain training data; their repr does not.
        faults: Faults to come, used up in order; see `fail`.
    """

    def __init__(self, service: Callable[[Recorded], Reply]) -> None:
        self._loopback = Loopback(service)
        self.requests = self._loopback.requests
        self.faults = self._loopback.faults

    @property
    def url(self) -> str:
        """The address to pass as the endpoint, such as ``http://127.0.0.1:40000``."""
        return self._loopback.url

    def fail(
        self,
        on: str = "",
        status: int = 503,
        *,
        mode: Mode = "status",
        times: int = 1,
        skip: int = 0,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Makes the next matching requests fail.

        Args:
            on: Regular expression that is searched in "METHOD /path".
            status: HTTP status of the answer.
            mode: "status" refuses; "hang up" drops the connection before the request is carried out, "lose the
                answer" after it; "hang" never answers.
            times: How many requests fail.
            skip: How many matching requests succeed first.
            body: JSON of the answer instead of a plain error.
            headers: Further headers of the answer, such as ``{"retry-after": "7"}``.
        """
        self.faults.append(
            Fault(
                on=on,
                mode=mode,
                status=status,
                times=times,
                skip=skip,
                body=body,
                headers=dict(headers or {}),
            )
        )

    def close(self) -> None:
        """Stops the server."""
        self._loopback.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    """The standard library's server, which does not report clients that disconnect."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignores clients that disconnect; reports every other error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _handler(loopback: Loopback) -> type[BaseHTTPRequestHandler]:
    """Returns the class that handles the connections of a server."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Without a buffer, each header would be a packet of its own.
        wbufsize = -1
        disable_nagle_algorithm = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

        def do_GET(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
            parts = urlsplit(self.path)
            request = Recorded(
                method=self.command,
                path=parts.path,
                query=dict(parse_qsl(parts.query)),
                parameters=tuple(parse_qsl(parts.query)),
                headers={name.lower(): value for name, value in self.headers.items()},
                raw=raw,
                body=_json(raw),
            )
            reply, fault = loopback._take(request)  # noqa: SLF001
            if reply is not None:
                self._send(reply)
                return
            if fault is not None and fault.mode == "hang":
                loopback._wait()  # noqa: SLF001
            self.close_connection = True
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)

        do_POST = do_PATCH = do_DELETE = do_PUT = do_GET  # noqa: N815

        def _send(self, reply: Reply) -> None:
            with suppress(ConnectionError):
                self.send_response(reply.status)
                for name, value in {"content-type": _JSON, **reply.headers}.items():
                    self.send_header(name, value)
                if reply.parts is None:
                    data = json.dumps(reply.body).encode()
                    self.send_header("content-length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)
                    return
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                for part in reply.parts:
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                    self.wfile.flush()
                self.wfile.write(b"0\r\n\r\n")

    return Handler


def _json(raw: bytes) -> Any:
    """Returns a body as JSON, None if it is empty or is not JSON."""
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return None
