"""Opens sessions with the fake Discord."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from furytune import Secret
from furytune._discord.api.pacing import Patience
from furytune._discord.api.session import Session

T = TypeVar("T")

# As patient as by default, in a thousandth of the time.
QUICK: dict[str, Any] = {"first": 0.001, "most": 0.01, "rate": 1e6}


def within(service: Any, work: Callable[[Session], Awaitable[T]], **patience: Any) -> T:
    """Runs a function with an open session, and closes it."""

    async def run() -> T:
        opened = await Session.open(
            Secret(service.token), service.url, patience=Patience(**{**QUICK, **patience})
        )
        async with opened as session:
            return await work(session)

    return asyncio.run(run())


async def whole(session: Session, channel: str) -> list[dict[str, Any]]:
    """Reads all messages of a channel."""
    found: list[dict[str, Any]] = []
    while page := await session.messages(channel, after=found[-1]["id"] if found else ""):
        found += page
    return found
