"""Runs a coroutine to its end, whether or not its caller has an event loop, and logs its progress."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

__all__ = ["LOG", "in_thread"]

T = TypeVar("T")

LOG = logging.getLogger("furytune.discord")
"""Logs at INFO which channels were read and what it waits for, with nothing but ids and names of channels."""


def in_thread(make: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Runs a coroutine to its end in its own thread, where no other event loop can interfere.

    An interrupt cancels it; what was read until then is kept.
    """
    found: list[T] = []
    failed: list[BaseException] = []
    # `turn` decides who comes first: the start of the coroutine, or an interrupt. Without it, an interrupt
    # between starting the thread and registering its task would leave a crawl that no one can stop.
    ended = threading.Event()
    turn = threading.Lock()
    stopped = False
    begun: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[T]]] = []

    async def main() -> T:
        task = asyncio.current_task()
        assert task is not None
        with turn:
            if stopped:
                raise asyncio.CancelledError
            begun.append((asyncio.get_running_loop(), task))
        return await make()

    def work() -> None:
        try:
            found.append(asyncio.run(main()))
        except BaseException as error:  # noqa: BLE001  (raised again below, in the caller's thread)
            failed.append(error)
        finally:
            ended.set()

    try:
        # If this is interrupted, the thread may or may not have started.
        threading.Thread(target=work, name="furytune-discord").start()
        # Not Thread.join: after an interrupt, it may take a running thread for one that has ended (CPython 3.11).
        ended.wait()
    except BaseException as error:
        error.add_note("What was read up to here is in the journal; the same call resumes from there.")
        with turn:
            stopped = True
        # Wait until the cancelled task has closed its logs; the journal's lock is held until then.
        for loop, task in begun:
            with suppress(RuntimeError):  # it ended in the meantime
                loop.call_soon_threadsafe(task.cancel)
            ended.wait()
        raise
    if failed:
        raise failed[0]
    return found[0]
