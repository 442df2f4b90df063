"""Keeps what discord.py and its HTTP client log of this crawl free of what people wrote."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["Quiet"]

# discord.http writes whole bodies at DEBUG; the others are closed for what a later version may write.
_LOGGERS = (
    "discord",
    "discord.client",
    "discord.http",
    "discord.state",
    "discord.utils",
    "aiohttp.client",
    "aiohttp.internal",
)
# They say that voice is not installed, or that no gateway is used: nothing that matters to a crawl.
_CHATTER = {"discord.client", "discord.state"}


class Quiet(logging.Filter):
    """Drops records below INFO that are made on behalf of one session; a bot in the same process logs on."""

    def __init__(self) -> None:
        super().__init__()
        self._ours: ContextVar[bool] = ContextVar("ours", default=False)

    def filter(self, record: logging.LogRecord) -> bool:
        """Returns whether a record may pass."""
        least = logging.ERROR if record.name in _CHATTER else logging.INFO
        return record.levelno >= least or not self._ours.get()

    @contextmanager
    def ours(self) -> Iterator[None]:
        """Marks what this task does inside as the session's own."""
        token = self._ours.set(True)
        try:
            yield
        finally:
            self._ours.reset(token)

    def install(self) -> None:
        """Begins to listen."""
        for name in _LOGGERS:
            logging.getLogger(name).addFilter(self)

    def remove(self) -> None:
        """Leaves the loggers as they were."""
        for name in _LOGGERS:
            logging.getLogger(name).removeFilter(self)
