"""How fast requests may be made, how long one is waited for, and how often it is made again."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from itertools import islice

from attrs import field, frozen

from furytune._network.retries import delays

__all__ = ["DISCORD_RATE", "FIRST_TRIES", "InvalidAnswers", "Pace", "Patience"]

DISCORD_RATE = 44.0
FIRST_TRIES = 3
"""How often a session's first request is made while nothing answers at all: rather a network that is shut than one that fails."""

_INVALID_WINDOW = 600.0


def _at_least_30(seconds: float) -> float:
    return max(30.0, seconds)  # the least that discord.py takes


@frozen(kw_only=True)
class Patience:
    """Limits of one session.

    Attributes:
        tries: How often a request is made before its failure is believed.
        first: Seconds before the second try; doubled for each further one, less up to a half by chance.
        most: Most seconds between two tries.
        timeout: Seconds within which one request is answered in full.
        longest_wait: Most seconds that Discord may ask to wait; it is at least 30. A longer wait ends the session.
        rate: Requests a second in the long run. None is 44 at Discord, which together with ``burst`` stays under the
            50 that it allows a bot in any second (discord-api-docs, ``topics/rate-limits``, "Global Rate Limit") and
            tells in no header; at another endpoint it is no limit, until that one says that there is one.
        burst: Requests that may go out at once after a pause.
        largest: Most bytes of one answer, unpacked. A page of 100 messages has about 100 kB, and at most some 10 MB; a
            larger answer is refused before it takes more memory than this.
        invalid: Answers 401, 403 and 429 within ten minutes after which the session ends. Discord bans an address
            at 10,000 (the same page, "Invalid Request Limit"), and the address may serve other programs too.
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
    """Lets requests go out one by one, and none while Discord wants quiet.

    Args:
        rate: Requests a second; None for any number.
        burst: Requests that may go out at once after a pause.
    """

    def __init__(self, rate: float | None, burst: int) -> None:
        self._step = 1.0 / rate if rate else 0.0
        self._burst = burst
        self._next = 0.0
        self._held: dict[str, float] = {}

    async def wait(self, bucket: str) -> None:
        """Returns when the next request of a bucket may go out."""
        now = asyncio.get_running_loop().time()
        # The turn is taken before waiting for it, so that no two requests get the same one.
        turn = max(self._next, now - self._step * (self._burst - 1))
        self._next = turn + self._step
        await asyncio.sleep(max(0.0, turn - now))
        quiet = max(self._held.get(name, 0.0) for name in ("", bucket)) - asyncio.get_running_loop().time()
        if quiet > 0:
            await asyncio.sleep(quiet)
            await self.wait(bucket)

    def slow(self) -> None:
        """Keeps to Discord's rate from now on, if there was none to keep to."""
        self._step = self._step or 1.0 / DISCORD_RATE

    def hold(self, bucket: str, seconds: float) -> None:
        """Keeps a bucket quiet for a time; the bucket "" is all of them."""
        now = asyncio.get_running_loop().time()
        self._held = {name: until for name, until in self._held.items() if until > now}
        self._held[bucket] = max(self._held.get(bucket, 0.0), now + seconds)


class InvalidAnswers:
    """Counts answers that Discord holds against an address.

    Args:
        limit: Count within ten minutes at which it is full.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._times: deque[float] = deque()

    def add(self, now: float) -> bool:
        """Counts one; returns whether the count is full.

        Args:
            now: Seconds of a steady clock.
        """
        self._times.append(now)
        while self._times[0] <= now - _INVALID_WINDOW:
            self._times.popleft()
        return len(self._times) >= self._limit
