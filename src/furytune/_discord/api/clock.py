"""What time it is at Discord, which is what the ids and archive times in its answers are made from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from attrs import frozen

from furytune.pairing.posts import snowflake_at

__all__ = ["MOST_AHEAD", "Clock"]

MOST_AHEAD = timedelta(days=1)
"""A clock that Discord's is further ahead of is wrong: what is new would be taken for impossible."""

# Discord's own machines differ by less than a second; this allows for time between reading a clock and being answered.
_MARGIN = timedelta(minutes=5)


@frozen
class Clock:
    """This machine's clock, corrected where it is behind Discord's.

    One that is ahead is not corrected: it refuses too little, never too much.

    Args:
        ahead: Seconds by which Discord's clock is ahead; negative where it is behind.
    """

    ahead: float = 0.0

    def latest(self) -> datetime:
        """Returns a moment that nothing in an answer can be later than."""
        return datetime.now(UTC) + timedelta(seconds=max(0.0, self.ahead)) + _MARGIN

    def newest(self) -> int:
        """Returns an id that no id in an answer can be above."""
        return snowflake_at(self.latest())

    def past(self) -> int:
        """Returns an id that is not above any that Discord makes from now on."""
        return snowflake_at(datetime.now(UTC) + timedelta(seconds=min(0.0, self.ahead)))
