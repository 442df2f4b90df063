"""Stands between a collector and the fake Discord, and changes answers as a broken service would."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import urlsplit

from attrs import define, field

HOP = {"transfer-encoding", "content-length", "content-encoding", "connection", "server"}


@define
class Answer:
    """What goes out: headers may be added to, and the body replaced."""

    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)


class Proxy:
    """Forwards to a service; ``change(path, answer)`` may change what it said."""

    def __init__(self, service, change: Callable[[str, Answer], None]) -> None:
        target = urlsplit(service.url)
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                headers = {
                    k: v for k, v in self.headers.items() if k.lower() not in {"host", "accept-encoding"}
                }
                asked = urllib.request.Request(
                    f"http://{target.netloc}{self.path}", headers=headers, method=self.command
                )
                try:
                    with urllib.request.urlopen(asked) as said:
                        status, given, body = said.status, said.headers, said.read()
                except urllib.error.HTTPError as error:
                    status, given, body = error.code, error.headers, error.read()
                answer = Answer(status, {k: v for k, v in given.items() if k.lower() not in HOP}, body)
                proxy.change(self.path, answer)
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *_: object) -> None:
                pass

        self.change = change
        self.guild, self.token = service.guild, service.token
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}{target.path}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
