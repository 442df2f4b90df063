"""The routes of an endpoint."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from os import PathLike
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from furytune.answering import Answerer, ModelSource, Served, citations
from furytune.contract import PromptContract
from furytune.errors import ConfigError, FurytuneError, TextError
from furytune.pairing import last_question
from furytune.serving import wire
from furytune.serving.answers import Completion, Told
from furytune.serving.door import LOG, Door, Doors, Handler, Need, body
from furytune.serving.metrics import TEXT, Metrics
from furytune.serving.refusals import Refusal
from furytune.serving.settings import Settings

__all__ = ["Endpoint"]

_SPEAKERS = frozenset({"user", "assistant"})
_EARLIER = (
    "this server answers one question at a time: send only the user's last message, without earlier turns and without a "
    "system message"
)


class Endpoint:
    """An OpenAI-compatible endpoint whose prompts are the contract's.

    Args:
        contract: A contract, or the path of its file, which can then be loaded again.
        model: Answers; see `furytune.serving.app`.
        settings: What the operator decided.

    Attributes:
        app: The ASGI application.
    """

    def __init__(
        self, contract: PromptContract | str | PathLike[str], model: ModelSource, settings: Settings
    ) -> None:
        self._settings = settings
        self._log = settings.log()
        self._answerer = answerer = Answerer(contract, model, settings)
        self._metrics = Metrics(lambda: answerer.running, lambda: answerer.waiting)
        self._metrics.contract(answerer.current.contract)
        self._started = int(time.time())
        self._ready = False
        doors = Doors(settings, self._metrics)
        routes: list[tuple[str, str, Handler, Need]] = [
            ("POST", "/v1/chat/completions", self._chat, "key"),
            ("GET", "/v1/models", self._models, "key"),
            ("POST", "/prompt", self._prompt, "key"),
            ("POST", "/feedback", self._feedback, "key"),
            ("GET", "/metrics", self._read_metrics, "key"),
            ("POST", "/admin/reload", self._reload, "admin"),
            ("GET", "/healthz", self._alive, "nothing"),
            ("GET", "/readyz", self._is_ready, "nothing"),
        ]
        self.app = Starlette(
            routes=[
                Route(path, Door(doors, path, handler, need), methods=[method])
                for method, path, handler, need in routes
            ],
            lifespan=self._life,
            exception_handlers={HTTPException: _no_route},
        )
        # A redirect would repeat the host that the client claims.
        self.app.router.redirect_slashes = False

    @asynccontextmanager
    async def _life(self, _app: Starlette) -> AsyncIterator[None]:
        self._ready = True
        yield
        self._ready = False
        self._answerer.close()

    async def reload(self) -> Served:
        """Loads the contract file again; answers under way keep the old contract.

        Raises:
            FurytuneError: It cannot be loaded; nothing has changed.
        """
        served = await self._answerer.reload()
        self._metrics.contract(served.contract)
        return served

    async def _chat(self, request: Request) -> Response:
        asked = await body(request, wire.Chat, self._settings)
        question = self._question(asked)
        if self._answerer.current.model is None:
            raise Refusal(503, "no_model", "this server has no model; it only serves /prompt")
        with _in_time():
            found = await self._answerer.ask(question, answer_id=f"chatcmpl-{uuid4().hex}")
        extension = {
            **_identity(found.served.contract),
            "request": found.entry.request,
            "prompt": found.entry.prompt,
            "citations": citations(found.prompt.passages),
        }
        return Completion(
            found,
            self._settings,
            self._metrics,
            Told(self._log, question),
            wire.Identity(
                id=found.entry.id,
                created=int(found.entry.time.timestamp()),
                model=self._settings.name,
                extension=extension,
            ),
            {**_headers(found.served.contract), "x-furytune-request": found.entry.request},
            stream=bool(asked.stream),
            usage=bool(asked.stream_options and asked.stream_options.include_usage),
        )

    def _question(self, asked: wire.Chat) -> str:
        """Returns the last message, which must be the user's.

        Raises:
            Refusal: The request is not one question.
        """
        if asked.model != self._settings.name:
            raise Refusal(
                404, "model_not_found", f"this server's model is called {self._settings.name}", param="model"
            )
        if field := asked.unsupported:
            raise Refusal(400, "unsupported_parameter", f"this server does not support {field}", param=field)
        if not asked.messages or asked.messages[-1].role != "user":
            raise Refusal(
                400, "no_question", "the last message must be the user's question", param="messages"
            )
        if len(asked.messages) > 1 and self._settings.earlier == "refuse":
            raise Refusal(400, "earlier_messages", _EARLIER, param="messages")
        question = asked.messages[-1].text
        if question is None:
            raise Refusal(
                400, "not_text", "a question must be a text, without pictures or files", param="messages"
            )
        if self._settings.earlier != "join":
            return question
        turns: list[tuple[str, bool]] = []
        for message in reversed(asked.messages):
            if message.role not in _SPEAKERS:
                continue
            if (text := message.text) is None:  # what a picture shows would be missing
                break
            turns.insert(0, (text, message.role == "user"))
        return last_question(turns)

    async def _prompt(self, request: Request) -> Response:
        asked = await body(request, wire.Question, self._settings)
        if asked.at is not None and asked.at.utcoffset() is None:
            raise Refusal(
                400, "invalid_request", "the moment needs a time zone, such as 2026-01-31T12:00:00Z"
            )
        with _in_time():
            found = await self._answerer.render(asked.question, at=asked.at)
        return _json(
            {
                "system": found.prompt.system,
                "text": found.prompt.text,
                "prompt": found.entry.prompt,
                "request": found.entry.request,
                "at": found.entry.time,
                "left_out": len(found.prompt.left_out),
                "citations": citations(found.prompt.passages),
                **_identity(found.served.contract),
            },
            headers=_headers(found.served.contract),
        )

    async def _feedback(self, request: Request) -> Response:
        if self._log is None:
            raise Refusal(404, "no_feedback", "this server takes no feedback")
        said = await body(request, wire.Feedback, self._settings)
        if len(said.request) != 64 or not set(said.request) <= set("0123456789abcdef"):
            raise Refusal(
                400, "invalid_request", "request must be the digest in the answer's field furytune.request"
            )
        try:
            # In a thread, because another program may hold the file. A client's users are members, whatever it says.
            await asyncio.to_thread(
                self._log.note,
                said.answer or said.request,
                said.request,
                said.verdict,
                said.text or None,
                by=said.by,
                source="endpoint",
            )
        except (ConfigError, TextError):
            raise Refusal(
                400,
                "invalid_request",
                "text must be a text that is not blank, and answer and by ids of at most 300 characters",
            ) from None
        return _json({"status": "noted"}, 201)

    async def _reload(self, _request: Request) -> Response:
        try:
            served = await self.reload()
        except FurytuneError as error:
            # An administrator may read what is wrong. These messages quote no text.
            LOG.error("the contract was not loaded: %s", error)
            raise Refusal(409, "not_reloaded", str(error)) from None
        return _json({"status": "reloaded", **_identity(served.contract)})

    async def _models(self, _request: Request) -> Response:
        model = {
            "id": self._settings.name,
            "object": "model",
            "created": self._started,
            "owned_by": "furytune",
            "furytune": _identity(self._answerer.current.contract),
        }
        return _json({"object": "list", "data": [model]})

    async def _read_metrics(self, _request: Request) -> Response:
        return Response(self._metrics.text(), headers={"content-type": TEXT})

    async def _alive(self, _request: Request) -> Response:
        return _json({"status": "alive"})

    async def _is_ready(self, _request: Request) -> Response:
        if not self._ready:
            raise Refusal(503, "not_ready", "the server starts or stops", wait=1)
        return _json({"status": "ready", **_identity(self._answerer.current.contract)})


@contextmanager
def _in_time() -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise Refusal(504, "timeout", "the prompt took too long; ask again later") from None


def _identity(contract: PromptContract) -> dict[str, str]:
    return {"fingerprint": contract.fingerprint, "snapshot": contract.snapshot}


def _headers(contract: PromptContract) -> dict[str, str]:
    # A plugin's snapshot may contain characters that a header cannot have.
    safe = {name: quote(value, safe=":;,/+=@ ") for name, value in _identity(contract).items()}
    return {f"x-furytune-{name}": value for name, value in safe.items()}


def _json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(wire.encode(value), status, headers, "application/json")


async def _no_route(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    known = {404: "this server has no such route", 405: "this route has another method"}
    code = {404: "not_found", 405: "method_not_allowed"}.get(status, "invalid_request")
    return Refusal(status, code, known.get(status, "the request cannot be answered")).response()
