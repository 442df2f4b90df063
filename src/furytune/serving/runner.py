"""Runs an endpoint under uvicorn, with the signals of an operating system."""

from __future__ import annotations

import asyncio
import math
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn

from furytune.answering import ModelSource
from furytune.contract import PromptContract
from furytune.errors import ConfigError, FurytuneError
from furytune.serving.door import LOG
from furytune.serving.endpoint import Endpoint
from furytune.serving.settings import LOOPBACK, Settings

__all__ = ["run"]


def run(
    contract: PromptContract | str | os.PathLike[str],
    model: ModelSource,
    settings: Settings,
    host: str,
    port: int,
) -> None:
    """Serves until a signal; see `furytune.serving.serve`."""
    if host not in LOOPBACK and not settings.keys:
        raise ConfigError(
            f"without keys, everyone who reaches {host} could ask the model; give --keys, keys_file under [serve], or "
            "Settings(keys=[HASH]), where `furytune serve --new-key` makes key and hash, or listen on 127.0.0.1"
        )
    endpoint = Endpoint(contract, model, settings)
    config = uvicorn.Config(
        endpoint.app,
        host=host,
        port=port,
        # The paths are known, and everything else in a line of an access log is about people.
        access_log=False,
        server_header=False,
        # A client must not choose the address under which its requests are counted.
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=math.ceil(settings.grace),
    )
    server = uvicorn.Server(config)
    with _signals(server), asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(_serve(server, endpoint))


@contextmanager
def _signals(server: uvicorn.Server) -> Iterator[None]:
    """Lets the caller go on after a signal. uvicorn raises it again at its end, which would end the process there."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


async def _serve(server: uvicorn.Server, endpoint: Endpoint) -> None:
    tasks: set[asyncio.Task[None]] = set()

    def reload() -> None:
        task = asyncio.ensure_future(_reload(endpoint))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    # Only the main thread of a process gets its signals, and Windows has no such signal.
    if hasattr(signal, "SIGHUP") and threading.current_thread() is threading.main_thread():
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reload)
    await server.serve()


async def _reload(endpoint: Endpoint) -> None:
    try:
        await endpoint.reload()
    except FurytuneError as error:
        LOG.error("the contract was not loaded, and the old one stays: %s", error)
