"""Sets how fast requests are sent, how long to wait for one, and how often to retry it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from itertools import islice

from attrs import field, frozen

from furytune._network.retries import delays

__all__ = ["DISCORD_RATE", "FIRST_TRIES", "InvalidAnswers", "Pace", "Patience"]

# Discord allows 50 requests per second for each bot; the rest is left to other programs with the same token.
DISCORD_RATE = 44.0
FIRST_TRIES = 3
"""Tries of a session's first request if nothing answers: then the network is more likely closed than flaky."""

_INVALID_WINDOW = 600.0


def _at_least_30(seconds: float) -> float:
    return max(30.0, seconds)  # the least that discord.py accepts


@frozen(kw_only=True)
class Patience:
    """Limits of one session.

    Attributes:
        tries: How often to try a request before it fails.
        first: Seconds before the second try. The delay doubles for each further try, minus a random part of up to half.
        most: Most seconds between two tries.
        timeout: Seconds within which a request must be answered completely.
        longest_wait: Most seconds that Discord may ask to wait, at least 30. A longer wait ends the session.
        rate: Requests per second in the long run. None means 44 for Discord: together with ``burst``, that stays under
            the 50 that Discord allows a bot in any second (discord-api-docs, ``topics/rate-limits``, "Global Rate
            Limit") and does not announce in a header. For another endpoint, None means no limit until it announces one.
        burst: Requests that may be sent at once after a pause.
        largest: Most bytes of one answer, unpacked. A page of 100 messages has about 100 kB, and at most about 10 MB. A
            larger answer is refused before it takes more memory than this.
        invalid: How many answers 401, 403 and 429 within ten minutes end the session. Discord bans an address at 10,000
            (same page, "Invalid Request Limit"), and other programs may use the same address.
    """

    tries: int = 7
    first: float = 1.0
    most: float = 30.0
    timeout: float = 60.0
    longest_wait: float = field(default=300.0, converter=_at_least_30)
    rate: float | None = None
    burst: int = 4
    largest: int = 32 << 20
    invalid: int = 1_000

    def delays(self) -> Iterator[float]:
        """Returns the seconds to wait before each further try."""
        return islice(delays(self.first, self.most, jitter=0.5), self.tries - 1)


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
