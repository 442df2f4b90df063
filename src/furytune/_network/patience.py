"""Sets how long to wait for an answer, and how often to ask for it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from attrs import field, frozen

from furytune._network.retries import delays

__all__ = ["Patience"]


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
