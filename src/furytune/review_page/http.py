"""Speaks HTTP with the review page: reads requests, checks them, and writes answers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from importlib.resources import files
from typing import Any, Final, TypeVar
from urllib.parse import parse_qs, urlsplit

import msgspec

from furytune.errors import ConfigError, FurytuneError, StaleDecisionError, TextError
from furytune.review_page.desk import Choice, Desk, Filter
from furytune.review_page.guard import Guard, RefusedError

__all__ = ["handler"]

T = TypeVar("T")

_log = logging.getLogger(__name__)
_LARGEST: Final = 4 << 20  # bytes of a request; a text of 256 KiB may be six times as long in JSON
_IDLE: Final = 60.0  # seconds after which a silent connection is closed
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_FILES: Final = {
    "/": ("review.html", "text/html; charset=utf-8"),
    "/review.css": ("review.css", "text/css; charset=utf-8"),
    "/review.js": ("review.js", "text/javascript; charset=utf-8"),
}


class _Token(msgspec.Struct, forbid_unknown_fields=True):
    token: str


class _Id(msgspec.Struct, forbid_unknown_fields=True):
    id: str


class _Since(msgspec.Struct, forbid_unknown_fields=True):
    revision: int


def handler(desk: Desk, guard: Guard) -> type[BaseHTTPRequestHandler]:
    """Returns the class that answers requests.

    Args:
        desk: What is asked.
        guard: Who may ask.
    """
    pages = {
        path: (kind, (files("furytune.review_page") / "page" / name).read_bytes())
        for path, (name, kind) in _FILES.items()
    }

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version = "furytune"
        sys_version = ""
        timeout = _IDLE
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._answer(self._get)

        def do_POST(self) -> None:
            self._answer(self._post)

        def _get(self) -> None:
            guard.check(self.headers, posted=False)
            if "Content-Length" in self.headers or "Transfer-Encoding" in self.headers:
                raise RefusedError(400, "there is nothing to send here")
            parts = urlsplit(self.path)
            if parts.path in pages:
                kind, content = pages[parts.path]
                self._send(200, content, kind)
                return
            asked: dict[str, Callable[[dict[str, str]], Any]] = {
                "/queue": lambda q: desk.queue(_converted(q, Filter)),
                "/pair": lambda q: desk.view(_converted(q, _Id).id),
                "/since": lambda q: desk.since(_converted(q, _Since).revision),
            }
            if parts.path not in asked:
                raise RefusedError(404, "there is nothing here")
            guard.check_session(self.headers)
            query = {
                name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()
            }
            self._json(200, asked[parts.path](query))

        def _post(self) -> None:
            guard.check(self.headers, posted=True)
            path = urlsplit(self.path).path
            if path == "/session":
                cookie, key = guard.exchange(self._body(_Token).token)
                self._json(200, {"key": key}, cookie=cookie)
            elif path == "/decide":
                guard.check_session(self.headers)
                self._json(200, desk.decide(self._body(Choice)))
            else:
                raise RefusedError(404, "there is nothing here")

        def _body(self, kind: type[T]) -> T:
            if self.headers.get_content_type() != "application/json":
                raise RefusedError(415, "send JSON")
            length = self.headers.get("Content-Length", "")
            if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit()):
                raise RefusedError(411, "say how long the request is")
            if len(length) > 12 or int(length) > _LARGEST:
                raise RefusedError(413, "the text is too long")
            body = self.rfile.read(int(length))
            if len(body) < int(length):
                raise RefusedError(400, "the request is cut off")
            try:
                return msgspec.json.decode(body, type=kind)
            except (msgspec.DecodeError, RecursionError, UnicodeError):
                raise RefusedError(400, "the request is not what the page sends; reload the page") from None

        def _answer(self, act: Callable[[], None]) -> None:
            try:
                act()
            except RefusedError as error:
                # The rest of the request was not read, so the connection cannot be used again.
                self.close_connection = True
                self._json(error.status, {"problem": error.problem})
            except StaleDecisionError as error:
                self._json(
                    409, {"problem": "someone else decided about this pair", "revision": error.revision}
                )
            except (ConfigError, TextError) as error:
                self._json(422, {"problem": str(error)})
            except FurytuneError as error:
                self._json(500, {"problem": str(error)})
            except ConnectionError:
                self.close_connection = True  # the browser went away
            except Exception as error:  # noqa: BLE001  (one request must not end the server)
                self.close_connection = True
                # Without its message, which may quote a text.
                _log.error("the review page failed: %s", type(error).__name__)
                self._json(500, {"problem": f"furytune failed ({type(error).__name__}); see the log"})

        def _json(self, status: int, content: Any, *, cookie: str = "") -> None:
            self._send(status, msgspec.json.encode(content), "application/json", cookie=cookie)

        def _send(self, status: int, content: bytes, kind: str, *, cookie: str = "") -> None:
            self.send_response(status)
            for name, value in _HEADERS.items():
                self.send_header(name, value)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            if cookie:
                self.send_header("Set-Cookie", cookie)
            if self.close_connection:
                self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(content)

        def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
            """Answers what is not HTTP, and methods other than GET and POST, as everything else."""
            del message, explain
            self.close_connection = True
            self._json(code, {"problem": "this is not a request of the review page"})

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Writes nothing: addresses contain ids."""

    return Handler


def _converted(query: dict[str, str], kind: type[T]) -> T:
    try:
        return msgspec.convert(query, kind, strict=False)
    except msgspec.ValidationError:
        raise RefusedError(400, "the address is not what the page asks for; reload the page") from None
