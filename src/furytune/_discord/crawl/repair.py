"""Repairs journals in which a wrong answer moved a position past all later messages.

furytune 0.1.0 trusted every page. A page with ids from the future, or ids that do not fit in 64 bits, left a channel at a
position that no later message could pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from furytune._discord.api.answers import UnsoundError, archive_time
from furytune._discord.api.background import LOG
from furytune._discord.journal.store import Journal
from furytune._storage.journal.lines import Position
from furytune._storage.journal.log import Log

__all__ = ["mend", "sound_cursors", "to_mend"]


def to_mend(journal: Journal, newest: int) -> dict[str, Log]:
    """Returns the logs with impossible ids, by channel id.

    Args:
        journal: The journal.
        newest: The highest id that can exist.

    Raises:
        SourceFormatError: A log is damaged.
    """
    return {uid: log for uid, log in journal.logs().items() if _highest(log) > newest}


def mend(uid: str, log: Log, newest: int) -> None:
    """Removes impossible ids from a log, and resets it so that its channel is read again from the beginning.

    No part of the channel counts as read, because no one knows when the wrong answer came.

    Args:
        uid: The channel's id.
        log: The log, to which only this process writes.
        newest: The highest id that can exist.

    Raises:
        OSError: As the system reports it; the log is unchanged.
    """
    last = log.peek()
    sound = ((number, line) for number, line in log.lines() if number <= newest)
    # Where the impossible ids came from is unknown, so no part of the position can be trusted.
    log.rewrite(sound, Position(refreshed=last.position.refreshed), last.channel)
    LOG.warning(
        "channel %s: its log contained ids from the future, from a wrong answer of Discord to an earlier version; they "
        "were removed, and the channel is read again from the beginning",
        uid,
    )


def sound_cursors(cursors: Mapping[str, tuple[str, str]], latest: datetime) -> dict[str, tuple[str, str]]:
    """Returns the archive times up to which threads were listed, without times in the future.

    Args:
        cursors: The times for public and for private threads, by channel id.
        latest: The latest possible time.
    """

    def sound(cursor: str) -> str:
        try:
            return cursor if cursor and archive_time(cursor) <= latest else ""
        except UnsoundError:
            return ""

    return {uid: (sound(public), sound(private)) for uid, (public, private) in cursors.items()}


def _highest(log: Log) -> int:
    """Returns the highest id that a log contains or points to."""
    last = log.peek()
    position = last.position
    # Positions count too: a wrong page may have moved one without leaving a line.
    marks = (position.read, position.until, position.checked, position.check_until)
    return max(last.top, *(int(mark or 0) for mark in marks))
