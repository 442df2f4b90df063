"""Renders prompts in a few threads, because finding passages reads files and counting tokens takes time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from attrs import frozen

from furytune.contract import PromptContract
from furytune.errors import BusyError, FurytuneError
from furytune.records import Prompt

__all__ = ["Renderer"]

_BATCH = 16


@frozen(eq=False)
class _Waiting:
    contract: PromptContract
    question: str
    at: datetime
    done: asyncio.Future[Prompt]


class Renderer:
    """Renders what waits in batches: the contract renders many questions together faster than one by one.

    A question that comes alone does not wait for others.

    Args:
        threads: Batches at once.
        waiting: Questions that may wait.
    """

    def __init__(self, threads: int, waiting: int) -> None:
        self._pool = ThreadPoolExecutor(threads, "furytune-prompts")
        self._free = threads
        self._most = waiting
        self._queue: deque[_Waiting] = deque()

    @property
    def waiting(self) -> int:
        """How many questions wait."""
        return len(self._queue)

    async def render(self, contract: PromptContract, question: str, at: datetime) -> Prompt:
        """Returns what ``contract.prompt(question, at=at)`` returns.

        Raises:
            FurytuneError: What it raises.
            BusyError: Too many questions wait.
        """
        if len(self._queue) >= self._most:
            raise BusyError("too many prompts wait to be rendered; ask again later")
        item = _Waiting(contract, question, at, asyncio.get_running_loop().create_future())
        self._queue.append(item)
        self._start()
        return await item.done

    def close(self) -> None:
        """Ends the threads, without waiting for them."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _start(self) -> None:
        """Gives batches to the threads that are free."""
        loop = asyncio.get_running_loop()
        while self._free and self._queue:
            batch: list[_Waiting] = []
            # A batch has one contract, so that a switch never mixes two.
            while (
                self._queue
                and len(batch) < _BATCH
                and (not batch or self._queue[0].contract is batch[0].contract)
            ):
                item = self._queue.popleft()
                if not item.done.done():  # no one waits for it any more
                    batch.append(item)
            if not batch:
                return
            self._free -= 1
            work = loop.run_in_executor(self._pool, _render, batch)
            work.add_done_callback(lambda work, batch=batch: self._ended(batch, work))  # type: ignore[misc]

    def _ended(self, batch: list[_Waiting], work: asyncio.Future[list[Prompt | FurytuneError]]) -> None:
        self._free += 1
        if work.cancelled():
            for item in batch:
                item.done.cancel()
            return
        error = work.exception()
        results: Sequence[Prompt | BaseException] = [error] * len(batch) if error else work.result()
        for item, result in zip(batch, results, strict=True):
            if item.done.done():
                continue
            if isinstance(result, BaseException):
                item.done.set_exception(result)
            else:
                item.done.set_result(result)
        self._start()


def _render(batch: Sequence[_Waiting]) -> list[Prompt | FurytuneError]:
    return batch[0].contract.prompts([i.question for i in batch], at=[i.at for i in batch])
