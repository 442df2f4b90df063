"""Lists archived threads back to where the last run ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from attrs import define, field, frozen

from furytune._discord.api.answers import archive_time
from furytune._discord.api.failures import WrongAnswerError
from furytune._discord.api.session import Session
from furytune.errors import DiscordError, DiscordForbiddenError, DiscordGoneError

__all__ = ["Archive", "archived_at", "facts", "list_all"]

Json = dict[str, Any]
Kind = Literal["public", "private", "joined"]

# Many machines archive threads, and Discord does not promise that their clocks agree.
_OVERLAP = timedelta(days=1)
_TICK = timedelta(milliseconds=1)
_FACTS = ("id", "guild_id", "type", "name", "parent_id", "last_message_id", "applied_tags")


def archived_at(thread: Mapping[str, Any]) -> str:
    """Returns when a thread was last archived or opened, as the API writes it, or ""."""
    return str((thread.get("thread_metadata") or {}).get("archive_timestamp") or "")


def facts(thread: Mapping[str, Any]) -> Json:
    """Returns only the fields of a thread that a survey needs, because there may be a hundred thousand threads."""
    state = thread.get("thread_metadata") or {}
    found = {name: thread[name] for name in _FACTS if name in thread}
    return {
        **found,
        "thread_metadata": {"archived": state.get("archived"), "archive_timestamp": archived_at(thread)},
    }


@define
class Archive:
    """One list of archived threads.

    Attributes:
        channel: Id of the channel.
        kind: Which of its threads are listed.
        cursor: Newest archive time that an earlier run saw, or ""; listing updates it.
        threads: The threads that were found, by id.
        failed: Why the list could not be read, or None.
        crowded: A time at which more threads were archived than fit a page, or None; the earliest if there are several.
            Discord offers no way to list the rest.
    """

    channel: str
    kind: Kind
    cursor: str = ""
    threads: dict[str, Json] = field(factory=dict, repr=False)
    failed: DiscordError | None = None
    crowded: datetime | None = None


@frozen
class _Slots:
    """Limits how many lists are read at a time, because each keeps up to a page in memory."""

    session: Session
    free: asyncio.Semaphore

    async def fill(self, archive: Archive) -> None:
        """Reads one list; an error that concerns only this list is stored in it."""
        async with self.free:
            try:
                await _fill(self.session, archive)
            except (DiscordForbiddenError, DiscordGoneError, WrongAnswerError) as error:
                archive.failed = error


async def list_all(
    session: Session,
    archives: list[Archive],
    *,
    width: int = 16,
    on_step: Callable[[str], None] = lambda _: None,
) -> None:
    """Fills several archives at a time with their threads.

    If the bot may not read a list, or Discord answers it wrongly, the archive notes it in ``failed``.

    Args:
        session: The session.
        archives: The lists to read.
        width: How many to read at a time.
        on_step: Called with the progress, in words.

    Raises:
        DiscordError: Discord did not answer, or the token is refused.
    """
    slots = _Slots(session, asyncio.Semaphore(width))
    problem: BaseException | None = None
    done = 0

    async def fill(archive: Archive) -> None:
        nonlocal done
        await slots.fill(archive)
        done += 1
        on_step(f"{done:,} of {len(archives):,} lists of archived threads")

    try:
        async with asyncio.TaskGroup() as group:
            for archive in archives:
                # Tasks return nothing, because asyncio's debug log would show it; the threads stay in the archive.
                group.create_task(fill(archive))
    except BaseExceptionGroup as failures:
        problem = failures.exceptions[0]
    if problem is not None:
        raise problem


async def _fill(session: Session, archive: Archive) -> None:
    """Reads one list page by page, from the newest thread back to where the last run ended.

    Updates the archive's threads and cursor. Sets ``crowded`` if Discord cannot list all threads of one moment.
    """
    since = archive_time(archive.cursor) - _OVERLAP if archive.cursor and archive.kind != "joined" else None
    before = ""
    while True:
        page, more = await session.archived(archive.channel, archive.kind, before)
        # Pages overlap by a moment on purpose, so some threads come twice.
        new = [thread for thread in page if thread["id"] not in archive.threads]
        archive.threads.update((thread["id"], facts(thread)) for thread in new)
        if not (page and more):
            break
        if archive.kind == "joined":
            following = str(min(int(thread["id"]) for thread in page))
        else:
            oldest = min(archive_time(archived_at(thread)) for thread in page)
            if since is not None and oldest < since:
                break
            # Threads can be archived at the same moment, so the next page begins with that moment again.
            following = (oldest + _TICK).isoformat()
            if before and archive_time(following) >= archive_time(before):
                archive.crowded = oldest
                following = oldest.isoformat()
        # Discord would return the same page again, without end.
        if following == before:
            break
        before = following
    if since is not None:
        archive.threads = {
            number: thread
            for number, thread in archive.threads.items()
            if archive_time(archived_at(thread)) >= since
        }
    if archive.kind != "joined":
        times = [archived_at(thread) for thread in archive.threads.values()]
        archive.cursor = max([*times, *filter(None, [archive.cursor])], key=archive_time, default="")
        if archive.crowded is not None:  # so that the next run looks there, and reports it, again
            archive.cursor = archive.crowded.isoformat()
