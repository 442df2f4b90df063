"""Asks any model in one way: piece by piece, from a thread or from an event loop, with an end that reaches the model."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import Executor

from furytune._network.retries import delays
from furytune._network.stop import Stop
from furytune.errors import ServiceError, StoppedError
from furytune.protocols import Model, StreamingModel
from furytune.records import Piece, Prompt

__all__ = ["apieces", "pieces"]

_AHEAD = 64  # pieces that may wait to be read
_PATIENCE = 20.0  # seconds that a service may ask to wait; longer is for the caller to decide


def pieces(
    model: Model, prompt: Prompt | str, *, stop: Stop | None = None, tries: int = 1
) -> Iterator[Piece]:
    """Yields the answer of any model. One that cannot stream gives its whole answer as the first piece.

    Args:
        model: The model.
        prompt: A prompt that is already rendered.
        stop: Ends the answer, and a pause between two tries.
        tries: How often to ask if the service fails in a way that may pass. Once a piece has arrived, it does not ask again.

    Raises:
        NoTextError: The model gave no text.
        ServiceError: The service refused or did not answer.
        StoppedError: ``stop`` was set.
    """
    stop = stop or Stop()
    waits = delays(jitter=0.5)
    for left in range(tries - 1, -1, -1):
        begun = False
        try:
            for piece in _pieces(model, prompt, stop):
                begun = True
                yield piece
        except ServiceError as error:
            if begun or not left or not error.transient or error.wait > _PATIENCE:
                raise
            pause = max(next(waits), error.wait)
        else:
            return
        if stop.wait(pause):
            raise StoppedError("the answer was stopped before its end")


def _pieces(model: Model, prompt: Prompt | str, stop: Stop) -> Iterator[Piece]:
    if isinstance(model, StreamingModel):
        yield from model.pieces(prompt, stop=stop)
        return
    text = model.generate(prompt)
    if stop.is_set:
        raise StoppedError("the answer was stopped before its end")
    yield Piece(text=text)
    yield Piece(finish="stop")


async def apieces(
    model: Model, prompt: Prompt | str, *, pool: Executor | None = None, tries: int = 1
) -> AsyncGenerator[Piece, None]:
    """Does what `pieces` does, without blocking the event loop. Closing or cancelling it ends the answer at the model.

    The model works in a thread until it has noticed the end. A model that cannot be stopped keeps its thread until its
    answer is complete.

    Args:
        model: The model.
        prompt: A prompt that is already rendered.
        pool: Where the model works; None means the event loop's own pool.
        tries: As in `pieces`.

    Raises:
        NoTextError: The model gave no text.
        ServiceError: The service refused or did not answer.
    """
    loop, stop = asyncio.get_running_loop(), Stop()
    arrived: asyncio.Queue[Piece | BaseException | None] = asyncio.Queue()

    def tell(item: Piece | BaseException | None) -> None:
        # Once the answer is stopped, the loop may be closed, and no one listens.
        if not stop.is_set:
            loop.call_soon_threadsafe(arrived.put_nowait, item)

    # A model may be faster than the reader of its answer. It waits then, so that memory has a limit.
    room = threading.Semaphore(_AHEAD)

    def work() -> None:
        try:
            with stop.ends(room.release):
                for piece in pieces(model, prompt, stop=stop, tries=tries):
                    room.acquire()
                    tell(piece)
            tell(None)
        except BaseException as error:  # noqa: BLE001  (raised again where someone waits for it)
            tell(error)

    loop.run_in_executor(pool, work)
    try:
        while (item := await arrived.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
            room.release()
    finally:
        stop.set()
