"""An endpoint under uvicorn on loopback, and a client that shows raw answers."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from contextlib import closing, contextmanager

import uvicorn

import furytune as ft
from furytune.contract import PromptContract
from furytune.serving import Settings, app
from furytune.testing.memory import MemoryAugmenter

SOON = 10.0  # seconds; what is waited for takes milliseconds

PASSAGES = (
    ft.Passage(
        id="box", text="A box is drawn with actor.box.", title="Boxes", source="box.md:1", url="https://x/box"
    ),
    ft.Passage(
        id="bad", text="A box has a bad link.", title="Bad", source="bad.md:1", url="javascript:alert(1)"
    ),
    ft.Passage(id="cone", text="A cone is drawn with actor.cone.", title="Cones", source="cone.md:1"),
)


def contract(passages=PASSAGES, **parts):
    template = ft.PromptTemplate("Context:\n{context}\n\nQuestion:\n{question}", system="You help.")
    return PromptContract(
        template=template, augmenter=MemoryAugmenter(passages), dialects=("openai",), **parts
    )


@contextmanager
def serving(served=None, *, model=None, **settings):
    """Serves a contract; yields the port."""
    settings = Settings(**{"per_minute": 0, **settings})
    application = app(served or contract(), model=model, settings=settings)
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(application, log_config=None, timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        until(lambda: server.started)
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(SOON)


def until(holds):
    end = time.monotonic() + SOON
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.raw = response.read()

    @property
    def json(self):
        return json.loads(self.raw)

    @property
    def code(self):
        """The code of an error that has OpenAI's shape."""
        error = self.json["error"]
        assert error.keys() == {"message", "type", "param", "code"}
        return error["code"]

    @property
    def events(self):
        return [line.removeprefix(b"data: ") for line in self.raw.split(b"\n\n") if line]


def ask(port, method, path, body=None, *, key="", **headers):
    """Sends a request; a body that is not bytes is sent as JSON."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=SOON)) as connection:
        return asked(connection, method, path, body, key=key, **headers)


def asked(connection, method, path, body=None, *, key="", **headers):
    sent = {"content-type": "application/json"} | ({"authorization": f"Bearer {key}"} if key else {})
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    connection.request(method, path, data, sent)
    return Answer(connection.getresponse())


def chat(port, question="How do I draw a box?", **fields):
    key = fields.pop("key", "")
    body = {"model": "furytune", "messages": [{"role": "user", "content": question}], **fields}
    return ask(port, "POST", "/v1/chat/completions", body, key=key)
