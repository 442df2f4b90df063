"""Mends a journal in which a wrong answer moved a position past everything that was posted later.

furytune 0.1.0 believed each page: one with ids from the future, or above all that fit in 64 bits, left a channel at a position
that no later message could pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from furytune._discord.api.answers import UnsoundError, archive_time
from furytune._discord.api.background import LOG
from furytune._discord.journal.lines import Position
from furytune._discord.journal.log import Log
from furytune._discord.journal.store import Journal

__all__ = ["mend", "sound_cursors", "to_mend"]


def to_mend(journal: Journal, newest: int) -> dict[str, Log]:
    """Returns the logs that cannot be what was read, by channel id.

    Args:
        journal: The journal.
        newest: Id that no id can be above.

    Raises:
        SourceFormatError: A log is damaged.
    """
    return {uid: log for uid, log in journal.logs().items() if _highest(log) > newest}


def mend(uid: str, log: Log, newest: int) -> None:
    """Removes ids that cannot exist from a log, and has its channel read again from the beginning.

    Where the wrong answer came in between is not known, so no part of the channel counts as read.

    Args:
        uid: The channel's id.
        log: The log; this process is the only one that writes to it.
        newest: Id that no id can be above.

    Raises:
        OSError: As the system reports it; the log is unchanged.
    """
    last = log.peek()
    sound = ((number, line) for number, line in log.lines() if number <= newest)
    log.rewrite(sound, Position(refreshed=last.position.refreshed), last.channel)
    LOG.warning(
        "channel %s: its log held ids from the future, from a wrong answer of Discord to an earlier version; they were "
        "removed, and the channel is read again from its beginning",
        uid,
    )


def sound_cursors(cursors: Mapping[str, tuple[str, str]], latest: datetime) -> dict[str, tuple[str, str]]:
    """Returns the archive times up to which threads were listed, without those that lie in the future.

    Args:
        cursors: Of the public and the private threads, by channel id.
        latest: Moment that nothing can be later than.
    """

    def sound(cursor: str) -> str:
        try:
            return cursor if cursor and archive_time(cursor) <= latest else ""
        except UnsoundError:
            return ""

    return {uid: (sound(public), sound(private)) for uid, (public, private) in cursors.items()}


def _highest(log: Log) -> int:
    last = log.peek()
    position = last.position
    marks = (position.read, position.until, position.checked, position.check_until)
    return max(last.top, *(int(mark or 0) for mark in marks))
