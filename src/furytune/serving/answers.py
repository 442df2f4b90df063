"""A completion: asks the model and sends its answer, whole or as a stream, until the client leaves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing, suppress
from typing import Any

from attrs import define, field
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from furytune.answering import Asked, Status, footnotes
from furytune.errors import AnswerError, FurytuneError
from furytune.feedback import FeedbackLog
from furytune.records import Piece
from furytune.serving import wire
from furytune.serving.door import LOG
from furytune.serving.metrics import Metrics
from furytune.serving.refusals import Refusal, refusal_of
from furytune.serving.settings import Settings

__all__ = ["Completion", "Told"]

_FAREWELL = 1.0  # seconds
_EVENTS = {"content-type": "text/event-stream; charset=utf-8", "x-accel-buffering": "no"}


@define
class Told:
    """Notes the exchange in the feedback log when the answer is complete.

    Attributes:
        log: The log; None if no one is asked.
        question: The raw question.
        texts: The pieces of the answer so far.
    """

    log: FeedbackLog | None
    question: str
    texts: list[str] = field(factory=list)

    async def note(self, asked: Asked) -> None:
        """Writes the line. An answer is not lost because the log cannot be written."""
        if self.log is None:
            return
        contract = asked.served.contract
        try:
            await asyncio.to_thread(
                self.log.exchange,
                asked.entry.id,
                asked.entry.request,
                asked=self.question,
                told="".join(self.texts),
                prompt=asked.entry.prompt,
                fingerprint=contract.fingerprint,
                snapshot=contract.snapshot,
                model=contract.model.name if contract.model else "",
                citations=[passage.citation for passage in asked.prompt.passages],
                at=asked.entry.time,
            )
        except FurytuneError as error:
            LOG.error("%s", error)


class Completion(Response):
    """The answer to a question.

    Args:
        asked: The question with its prompt.
        settings: What the operator decided.
        metrics: Counts answers.
        told: Notes the exchange.
        identity: What it says about itself.
        headers: Headers of an answer.
        stream: Whether pieces are sent as they arrive.
        usage: Whether a stream says at its end what the answer used.
    """

    def __init__(
        self,
        asked: Asked,
        settings: Settings,
        metrics: Metrics,
        told: Told,
        identity: wire.Identity,
        headers: dict[str, str],
        *,
        stream: bool,
        usage: bool,
    ) -> None:
        self._asked, self._settings, self._metrics = asked, settings, metrics
        self._told = told
        self._identity, self._common = identity, headers
        self._stream, self._usage = stream, usage
        self._begun = False
        self._used: Piece | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the answer. If the client leaves, the model is stopped."""
        status: Status = "stopped"
        try:
            status = await _while_listening(receive, self._send(scope, receive, send))
        finally:
            self._metrics.answer(status, self._used.usage if self._used else None)
            try:
                self._asked.note(status)
            except AnswerError as error:
                LOG.error("%s", error)

    async def _send(self, scope: Scope, receive: Receive, send: Send) -> Status:
        try:
            async with asyncio.timeout(self._settings.timeout):
                await (self._events(send) if self._stream else self._whole(scope, receive, send))
        except Refusal as error:
            refusal, status = error, "refused"
        except TimeoutError:
            refusal, status = Refusal(504, "timeout", "the answer took too long; ask for less"), "failed"
        except FurytuneError as error:
            LOG.warning("asking the model: %s: %s", type(error).__name__, error)
            refusal, status = refusal_of(error), "failed"
        except Exception as error:  # noqa: BLE001  (its message may quote the prompt)
            LOG.error("asking the model: %s", type(error).__name__)
            refusal, status = (
                Refusal(500, "internal_error", "the server has a fault; its log says which"),
                "failed",
            )
        else:
            return "answered"
        if self._begun:
            # The status is sent already, so the error is an event, which clients of OpenAI know.
            # A client that does not read would keep the request open; its connection ends without the event.
            with suppress(TimeoutError):
                async with asyncio.timeout(_FAREWELL):
                    await send(
                        {"type": "http.response.body", "body": wire.event(refusal.body), "more_body": False}
                    )
        else:
            response = refusal.response()
            response.headers.update(self._common)
            await response(scope, receive, send)
        return status  # type: ignore[return-value]

    async def _whole(self, scope: Scope, receive: Receive, send: Send) -> None:
        texts, last = [], Piece(finish="stop")
        async with aclosing(self._pieces()) as pieces:
            async for piece in pieces:
                texts.append(piece.text)
                last = piece if piece.finish else last
        found = wire.completion(self._identity, "".join(texts), last.finish or "stop", last.usage)
        await Response(found, 200, self._common, "application/json")(scope, receive, send)

    async def _events(self, send: Send) -> None:
        async def put(data: bytes, *, more: bool = True) -> None:
            await send({"type": "http.response.body", "body": data, "more_body": more})

        async with aclosing(self._pieces()) as pieces:
            async for piece in pieces:
                if not self._begun:
                    # Only now, so that an answer that fails before its first piece has the status of its error.
                    self._begun = True
                    headers = {**self._common, **_EVENTS}
                    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
                    await send({"type": "http.response.start", "status": 200, "headers": raw})
                    await put(wire.chunk(self._identity, {"role": "assistant", "content": ""}))
                if piece.text:
                    await put(wire.chunk(self._identity, {"content": piece.text}))
                if piece.finish:
                    await put(wire.chunk(self._identity, {}, piece.finish))
                    if self._usage and piece.usage:
                        await put(wire.counts(self._identity, piece.usage))
        await put(b"data: [DONE]\n\n", more=False)

    async def _pieces(self) -> AsyncGenerator[Piece, None]:
        """Yields the answer's pieces, then the footnotes, then the end."""
        begun, first = time.perf_counter(), True
        async with aclosing(self._asked.pieces()) as pieces:
            async for piece in pieces:
                if first:
                    self._metrics.first_piece(time.perf_counter() - begun)
                    first = False
                if self._told.log is not None:
                    self._told.texts.append(piece.text)
                if not piece.finish:
                    yield piece
                    continue
                if self._settings.footnotes and (notes := footnotes(self._asked.prompt.passages)):
                    yield Piece(text=notes)
                # Before its end is sent, so that no verdict about it can be earlier in the log.
                await self._told.note(self._asked)
                self._used = piece
                yield piece


async def _while_listening(receive: Receive, work: Coroutine[Any, Any, Status]) -> Status:
    """Returns the result of work, or "stopped" if the client leaves before. Then the work is cancelled."""
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else "stopped"
    finally:
        task.cancel()
        gone.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
