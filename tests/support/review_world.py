"""Pipelines, pages and requests for the tests of the review page."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import furytune as ft
from furytune.testing.memory import ListCollector, pair

EXPORTS = Path(__file__).parents[2] / "examples" / "exports"


def pairs(n: int = 6, **fields: Any) -> list[ft.QAPair]:
    """Returns pairs from two channels, the most doubtful first."""
    return [
        pair(
            f"How do I draw shape number {k}?",
            f"Call `draw({k})`.",
            id=f"discord:{1000 + k}",
            question_messages=(f"{1000 + k}",),
            confidence=round(0.5 + 0.03 * (k % 16), 2),
            source=ft.Source(channel=str(k % 2), channel_name=("help", "chat")[k % 2]),
            **fields,
        )
        for k in range(n)
    ]


def pipeline(folder: Path, items: list[ft.QAPair] | None = None, **parts: Any) -> ft.Pipeline:
    """Returns a pipeline over some pairs, or over the exports of the examples."""
    return ft.Pipeline(
        **{
            "collector": ft.DiscordExportCollector(EXPORTS) if items is None else ListCollector(items),
            "curators": [ft.Decisions(folder / "review.jsonl"), ft.MinConfidence(0.5), ft.RedactSecrets()],
            **parts,
        }
    )


class Client:
    """Speaks HTTP with a page as its own script does, or as someone else would."""

    def __init__(self, page: ft.ReviewPage) -> None:
        parts = urlsplit(page.url)
        self.port = parts.port
        self.host = parts.netloc
        self.origin = f"http://{self.host}"
        self.token = parts.fragment
        self.cookie = self.key = ""

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Sends a request with exactly these headers; "_" in a name stands for "-"."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            found = {"Host": self.host, "Cookie": self.cookie, "X-Furytune-Key": self.key}
            if body is not None:
                found |= {
                    "Origin": self.origin,
                    "Content-Type": "application/json",
                    "Content-Length": str(len(body)),
                }
            found |= {name.replace("_", "-"): value for name, value in headers.items()}
            for name, value in found.items():
                if value:
                    connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            return response.status, dict(response.headers), response.read()
        finally:
            connection.close()

    def open(self) -> Client:
        """Exchanges the token for a session."""
        status, headers, content = self.ask("POST", "/session", json.dumps({"token": self.token}).encode())
        assert status == 200
        self.key = json.loads(content)["key"]
        self.cookie = headers["Set-Cookie"].partition(";")[0]
        return self

    def get(self, path: str, **query: Any) -> Any:
        status, _, content = self.ask("GET", f"{path}?{urlencode(query)}")
        assert status == 200, content
        return json.loads(content)

    def decide(self, uid: str, action: str, **more: Any) -> tuple[int, dict[str, Any]]:
        body = {"id": uid, "action": action, "revision": 0, **more}
        status, _, content = self.ask("POST", "/decide", json.dumps(body).encode())
        return status, json.loads(content)

    def raw(self, data: bytes) -> bytes:
        """Sends bytes, and returns all that comes back until the server closes the connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as sock:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: sock.recv(65536), b""))


@contextmanager
def reviewed(
    folder: Path, items: list[ft.QAPair] | None = None, **parts: Any
) -> Iterator[tuple[ft.ReviewPage, Client]]:
    """Serves the page, with a client that has a session."""
    with ft.ReviewPage(pipeline(folder, items, **parts), by="anna") as page:
        page.settle()
        yield page, Client(page).open()
