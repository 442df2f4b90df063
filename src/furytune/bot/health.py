"""Says on a port of this machine whether the bot is connected."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from furytune.errors import ConfigError

__all__ = ["health"]


@asynccontextmanager
async def health(port: int | None, connected: Callable[[], bool]) -> AsyncIterator[None]:
    """Serves ``/healthz`` while the block runs: 200 while the bot is connected, 503 otherwise.

    Args:
        port: Port on 127.0.0.1; None for no such port.
        connected: Says whether the bot is connected.

    Raises:
        ConfigError: The port is in use.
    """
    if port is None:
        yield
        return
    from aiohttp import web

    async def answer(_request: Any) -> Any:
        ok = connected()
        return web.Response(status=200 if ok else 503, text="ok\n" if ok else "not connected\n")

    app = web.Application()
    app.router.add_get("/healthz", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
        except OSError as error:
            raise ConfigError(
                f"health: the port {port} cannot be used ({error.strerror}); give another one"
            ) from error
        yield
    finally:
        await runner.cleanup()
