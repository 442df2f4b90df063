"""Estimates Discord's own time, which the ids and archive times in its answers are made from."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from attrs import frozen

from furytune._privacy.ids import snowflake_at

__all__ = ["MOST_AHEAD", "Clock"]

MOST_AHEAD = timedelta(days=1)
"""If Discord's clock is further ahead than this, this machine's is wrong: new ids would look impossible."""

# Discord's own machines differ by less than a second; the rest allows for the time until an answer arrives.
_MARGIN = timedelta(minutes=5)


@frozen
class Clock:
    """This machine's clock, corrected if it is behind Discord's.

    A clock that is ahead is not corrected: with it, checks refuse too little, but never too much.

    Args:
        ahead: Seconds by which Discord's clock is ahead; negative if it is behind.
    """

    ahead: float = 0.0

    def latest(self) -> datetime:
        """Returns the latest time that an answer can contain."""
        # Only a clock that is behind is corrected: trusting a wrong header must not make the bound stricter.
        return datetime.now(UTC) + timedelta(seconds=max(0.0, self.ahead)) + _MARGIN

    def newest(self) -> int:
        """Returns the highest id that an answer can contain."""
        return snowflake_at(self.latest())

    def past(self) -> int:
        """Returns an id that is not above any id that Discord creates from now on."""
        return snowflake_at(datetime.now(UTC) + timedelta(seconds=min(0.0, self.ahead)))
