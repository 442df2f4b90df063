"""Sends a request over HTTP with the standard library, for services whose own client would be heavier than one request.

Redirects are not followed, because they could lead the key to another host.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, ProxyHandler, Request, UnknownHandler

from furytune._network.bodies import ACCEPTED, Body, BodyError
from furytune._network.stop import Stop

__all__ = ["Answer", "UnansweredError", "get", "post"]

_PIECE = 1 << 16


class UnansweredError(Exception):
    """There was no complete answer. The caller turns this into its own error.

    Args:
        problem: A word for what happened, such as "TimeoutError". It quotes nothing that was sent or received.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


class Answer:
    """The answer to a request, whose body is still to be read.

    Attributes:
        status: HTTP status.
    """

    def __init__(self, response: HTTPResponse, timeout: float) -> None:
        self.status = response.status
        self._response = response
        self._timeout = timeout

    def header(self, name: str) -> str:
        """Returns a header; "" if the answer does not have it."""
        return self._response.headers.get(name, "")

    def whole(self, limit: int) -> bytes:
        """Returns the body, unpacked.

        Args:
            limit: The most bytes after unpacking.

        Raises:
            UnansweredError: It is too large, damaged, or not complete in time.
        """
        # Each read has a timeout of its own. A server that sends a byte now and then would never exceed it.
        until = time.monotonic() + self._timeout
        with _plainly():
            body = Body(self.header("content-encoding"), limit)
            while piece := self._response.read1(_PIECE):
                body.feed(piece)
                if time.monotonic() > until:
                    raise TimeoutError
            # read1 ends without an error if the connection ends early.
            if self._response.length:
                raise BodyError("the answer was cut off")
            return body.whole()

    def lines(self, limit: int) -> Iterator[bytes]:
        """Yields the lines of the body as they arrive, for an answer that is a stream.

        Args:
            limit: The most bytes of a line.

        Raises:
            UnansweredError: A line is too long, or the connection failed.
        """
        if self.header("content-encoding").strip().lower() not in {"", "identity"}:
            raise UnansweredError("a stream cannot be unpacked")
        while line := self._line(limit):
            yield line.rstrip(b"\r\n")

    def _line(self, limit: int) -> bytes:
        with _plainly():
            line = self._response.readline(limit + 1)
        if len(line) > limit:
            raise UnansweredError(f"a line is longer than {limit:,} bytes")
        return line


@contextmanager
def post(
    url: str,
    data: bytes,
    *,
    headers: Mapping[str, str],
    timeout: float,
    stream: bool = False,
    stop: Stop | None = None,
) -> Iterator[Answer]:
    """Posts a body, and closes the connection at the end of the block.

    Args:
        url: An address that `furytune._network.endpoint.checked_endpoint` accepts, and a path.
        data: The body.
        headers: Headers; their values are printable ASCII.
        timeout: Seconds to wait for the answer to begin, for each of its pieces, and for all of it unless it is a stream.
        stream: Whether the answer is read with `Answer.lines`.
        stop: Ends the connection when it is set, so that the server notices at once, and so does a read that waits.

    Raises:
        UnansweredError: There was no complete answer, or it was stopped.
    """
    accepted = "identity" if stream else ACCEPTED
    with _sent(_request("POST", url, data, accepted, headers), timeout, stop or Stop()) as answer:
        yield answer


@contextmanager
def get(url: str, *, headers: Mapping[str, str], timeout: float) -> Iterator[Answer]:
    """Gets what is at an address, and closes the connection at the end of the block.

    Args:
        url: An address that `furytune._network.endpoint.checked_endpoint` accepts, a path, and a query.
        headers: Headers; their values are printable ASCII.
        timeout: Seconds to wait for the answer to begin, for each of its pieces, and for all of it.

    Raises:
        UnansweredError: There was no complete answer.
    """
    with _sent(_request("GET", url, None, ACCEPTED, headers), timeout, Stop()) as answer:
        yield answer


def _request(method: str, url: str, data: bytes | None, accepted: str, headers: Mapping[str, str]) -> Request:
    return Request(  # noqa: S310  (the scheme was checked)
        url, data, {"user-agent": "furytune", "accept-encoding": accepted, **headers}, method=method
    )


@contextmanager
def _sent(request: Request, timeout: float, stop: Stop) -> Iterator[Answer]:
    wire = _Wire(stop)
    opener = OpenerDirector()
    # Plain http stays on this machine, so it must not go through a proxy.
    proxies = ProxyHandler({}) if request.full_url.startswith("http:") else ProxyHandler()
    for handler in (proxies, _Plain(wire), _Encrypted(wire), UnknownHandler()):
        opener.add_handler(handler)
    opener.addheaders = []
    with stop.ends(wire.cut):
        with _plainly():
            response = opener.open(request, timeout=timeout)
        assert response is not None
        with response:
            yield Answer(response, timeout)


class _Wire:
    """The connection of a request, which another thread may cut.

    Args:
        stop: Whether it was already cut before there was a connection.
    """

    def __init__(self, stop: Stop) -> None:
        self._stop = stop
        self._socket: socket.socket | None = None

    def opened(self, sock: socket.socket) -> None:
        self._socket = sock
        if self._stop.is_set:
            self.cut()

    def cut(self) -> None:
        """Ends both directions; a read that waits returns."""
        if self._socket is not None:
            with suppress(OSError):
                # The method of the base class: that of an encrypted socket would first change what the reader uses.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class _NotedConnection(HTTPConnection):
    def __init__(self, *args: Any, opened: Callable[[socket.socket], None], **options: Any) -> None:
        super().__init__(*args, **options)
        self._opened = opened

    def connect(self) -> None:
        super().connect()
        self._opened(self.sock)


class _NotedSecureConnection(HTTPSConnection):
    def __init__(self, *args: Any, opened: Callable[[socket.socket], None], **options: Any) -> None:
        super().__init__(*args, **options)
        self._opened = opened

    def connect(self) -> None:
        super().connect()
        self._opened(self.sock)


class _Plain(HTTPHandler):
    def __init__(self, wire: _Wire) -> None:
        super().__init__()
        self._wire = wire

    def http_open(self, req: Request) -> HTTPResponse:
        return self.do_open(partial(_NotedConnection, opened=self._wire.opened), req)


class _Encrypted(HTTPSHandler):
    def __init__(self, wire: _Wire) -> None:
        super().__init__()
        self._wire = wire

    def https_open(self, req: Request) -> HTTPResponse:
        return self.do_open(partial(_NotedSecureConnection, opened=self._wire.opened), req)


@contextmanager
def _plainly() -> Iterator[None]:
    """Raises `UnansweredError` for everything that the network and the standard library can raise."""
    try:
        yield
    except BodyError as error:
        problem = str(error)
    except (OSError, HTTPException, ValueError) as error:
        # A host or path that cannot be encoded is a ValueError. urllib wraps what happened while it sent the request.
        cause = getattr(error, "reason", error)
        problem = type(cause if isinstance(cause, Exception) else error).__name__
    else:
        return
    raise UnansweredError(problem)
