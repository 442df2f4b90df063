"""Sets how fast requests are sent, and counts the answers that make Discord ban an address."""

from __future__ import annotations

import asyncio
from collections import deque

__all__ = ["DISCORD_RATE", "FIRST_TRIES", "InvalidAnswers", "Pace"]

# Discord allows 50 requests per second for each bot; the rest is left to other programs with the same token.
DISCORD_RATE = 44.0
FIRST_TRIES = 3
"""Tries of a session's first request if nothing answers: then the network is more likely closed than flaky."""

_INVALID_WINDOW = 600.0


class Pace:
    """Spaces requests out, and holds them back while Discord asks to wait.

    Args:
        rate: Requests per second; None for no limit.
        burst: Requests that may be sent at once after a pause.
    """

    def __init__(self, rate: float | None, burst: int) -> None:
        self._step = 1.0 / rate if rate else 0.0
        self._burst = burst
        self._next = 0.0
        self._held: dict[str, float] = {}

    async def wait(self, bucket: str) -> None:
        """Waits until the next request of a bucket may be sent."""
        now = asyncio.get_running_loop().time()
        # Take the turn before waiting for it, so that no two requests get the same one.
        # Unused turns add up to a burst at most, so a pause does not lead to a flood.
        turn = max(self._next, now - self._step * (self._burst - 1))
        self._next = turn + self._step
        await asyncio.sleep(max(0.0, turn - now))
        quiet = max(self._held.get(name, 0.0) for name in ("", bucket)) - asyncio.get_running_loop().time()
        if quiet > 0:
            await asyncio.sleep(quiet)
            # Others may have taken the turn meanwhile, so take a new one.
            await self.wait(bucket)

    def slow(self) -> None:
        """Applies Discord's rate from now on, if there was no limit before."""
        self._step = self._step or 1.0 / DISCORD_RATE

    def hold(self, bucket: str, seconds: float) -> None:
        """Holds back the requests of a bucket for some seconds; the bucket "" means all requests."""
        now = asyncio.get_running_loop().time()
        self._held = {name: until for name, until in self._held.items() if until > now}
        self._held[bucket] = max(self._held.get(bucket, 0.0), now + seconds)


class InvalidAnswers:
    """Counts the answers that make Discord ban an address.

    Args:
        limit: The count within ten minutes that is too high.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._times: deque[float] = deque()

    def add(self, now: float) -> bool:
        """Counts one answer; returns whether the limit is reached.

        Args:
            now: Seconds of a monotonic clock.
        """
        self._times.append(now)
        while self._times[0] <= now - _INVALID_WINDOW:
            self._times.popleft()
        return len(self._times) >= self._limit
