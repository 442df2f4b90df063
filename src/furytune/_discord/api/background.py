"""Runs a coroutine to its end, whatever event loop its caller has, and says how it goes."""

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
"""Says at INFO which channels were read, and what is waited for; ids and names of channels only."""


def in_thread(make: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Runs a coroutine to its end in a thread of its own, where no other event loop can be in the way.

    An interrupt cancels it, and what was read stays read.
    """
    found: list[T] = []
    failed: list[BaseException] = []
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
        # Interrupted, this may have started the thread or not.
        threading.Thread(target=work, name="furytune-discord").start()
        # An interrupt has Thread.join take a thread that runs for one that has ended (CPython 3.11).
        ended.wait()
    except BaseException as error:
        error.add_note("What was read up to here is in the journal; the same call goes on from there.")
        with turn:
            stopped = True
        for loop, task in begun:
            with suppress(RuntimeError):  # it came to its end meanwhile
                loop.call_soon_threadsafe(task.cancel)
            ended.wait()
        raise
    if failed:
        raise failed[0]
    return found[0]
