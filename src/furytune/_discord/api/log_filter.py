"""Keeps people's messages out of the logs of discord.py and its HTTP client."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["Quiet"]

# discord.http and discord.gateway log whole bodies at DEBUG; the others are filtered because a later version may do so too.
_LOGGERS = (
    "discord",
    "discord.app_commands.tree",
    "discord.client",
    "discord.gateway",
    "discord.http",
    "discord.interactions",
    "discord.state",
    "discord.ui.view",
    "discord.utils",
    "discord.webhook.async_",
    "aiohttp.client",
    "aiohttp.internal",
)
# They warn that voice is not installed, or that no gateway is used, which does not matter to a crawl.
_CHATTER = {"discord.client", "discord.state"}


class Quiet(logging.Filter):
    """Drops records below INFO of one session; a bot in the same process logs as before."""

    def __init__(self) -> None:
        super().__init__()
        self._ours: ContextVar[bool] = ContextVar("ours", default=False)

    def filter(self, record: logging.LogRecord) -> bool:
        """Returns whether a record may be logged."""
        # A context variable, not a thread or a level, tells whose record it is: a bot in the same process may
        # log at DEBUG on purpose.
        least = logging.ERROR if record.name in _CHATTER else logging.INFO
        return record.levelno >= least or not self._ours.get()

    @contextmanager
    def ours(self) -> Iterator[None]:
        """Marks everything that this task logs inside the block as the session's own."""
        token = self._ours.set(True)
        try:
            yield
        finally:
            self._ours.reset(token)

    def install(self) -> None:
        """Adds the filter to the loggers."""
        for name in _LOGGERS:
            logging.getLogger(name).addFilter(self)

    def remove(self) -> None:
        """Removes the filter from the loggers."""
        for name in _LOGGERS:
            logging.getLogger(name).removeFilter(self)
