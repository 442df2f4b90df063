"""Opens sessions with the fake Discord."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from furytune import Secret
from furytune._discord.api.session import Session
from furytune.collectors.discord import Patience

T = TypeVar("T")

# As patient as by default, in a thousandth of the time.
QUICK: dict[str, Any] = {"first": 0.001, "most": 0.01, "rate": 1e6}


async def opened(service: Any, token: Secret | None = None, **patience: Any) -> Session:
    """Opens a session, with a quick patience and the service's own token."""
    patience = {**QUICK, **patience}
    return await Session.open(token or Secret(service.token), service.url, patience=Patience(**patience))


def within(service: Any, work: Callable[[Session], Awaitable[T]], **patience: Any) -> T:
    """Runs a function with an open session, and closes it."""

    async def run() -> T:
        async with await opened(service, **patience) as session:
            return await work(session)

    return asyncio.run(run())


async def whole(session: Session, channel: str) -> list[dict[str, Any]]:
    """Reads all messages of a channel."""
    found: list[dict[str, Any]] = []
    while page := await session.messages(channel, after=found[-1]["id"] if found else ""):
        found += page
    return found


def answering(monkeypatch: Any, change: Callable[[list[dict[str, Any]], int], list[dict[str, Any]]]) -> None:
    """Changes pages of messages before a crawl sees them; ``change`` gets the page and its number."""
    real, asked = Session.messages, []

    async def messages(self: Session, channel: str, **options: Any) -> list[dict[str, Any]]:
        asked.append(channel)
        number = len(asked)
        return change(await real(self, channel, **options), number)

    monkeypatch.setattr(Session, "messages", messages)
