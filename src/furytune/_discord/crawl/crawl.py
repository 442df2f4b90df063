"""Brings a journal up to date with a server, several channels at a time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from attrs import field, frozen
from msgspec.structs import replace

from furytune._discord.api.background import LOG
from furytune._discord.api.session import Session
from furytune._discord.crawl.channel_sync import Counts, Sweep
from furytune._discord.crawl.participants import Participants
from furytune._discord.crawl.survey import Place, Survey
from furytune._discord.journal.store import Journal, Unread
from furytune._privacy.ids import id_number
from furytune._privacy.printable import one_line
from furytune._storage.journal.lines import GONE, ChannelState, Commit, gone_line
from furytune.errors import DiscordError, DiscordForbiddenError, DiscordGoneError, DiscordLoginError

__all__ = ["Crawl"]

# More tasks would only wait for the rate limit, and each keeps two pages in memory.
_AT_ONCE = 8
# One channel may be broken; several in a row mean that the service or the network is.
_IN_A_ROW = 3


@frozen
class Crawl:
    """One pass over a server.

    Args:
        session: An open session.
        journal: The journal, locked by this process.
        survey: What can be read.
        participants: Whose messages are collected.
        after: Messages above this id are compared with Discord.
        refresh: Number of the full comparison that is due; 0 for none.
        on_page: Called after each page and each channel.

    Attributes:
        counts: What changed.
        unread: Channels that turned out to be unreadable.
        left: The places among them that the survey had listed.
        failures: Why channels could not be read this time.
    """

    session: Session
    journal: Journal
    survey: Survey
    participants: Participants
    after: int
    refresh: int
    on_page: Callable[[Counts], None] = lambda _: None
    counts: Counts = field(factory=Counts, init=False)
    unread: list[Unread] = field(factory=list, init=False)
    left: list[Place] = field(factory=list, init=False)
    failures: list[DiscordError] = field(factory=list, init=False)
    _in_a_row: list[DiscordError] = field(factory=list, init=False)

    async def run(self) -> None:
        """Reads everything that is due.

        Raises:
            DiscordError: More than single channels could not be read. What was read is in the journal.
        """
        places = deque([*self.survey.places, *await self._unlisted()])
        self.counts.places = len(places)

        async def work() -> None:
            while places:
                await self._read(places.popleft())
                self.on_page(self.counts)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(_AT_ONCE, len(places))):
                    group.create_task(work())
        except BaseExceptionGroup as errors:
            # The other tasks were cancelled because of this one.
            raise errors.exceptions[0] from None
        # Nothing could be read at all, so the run must not look like one without news.
        if self.failures and not self.counts.channels:
            raise self.failures[0]

    async def _read(self, place: Place) -> None:
        """Reads one channel, and notes why if it cannot be read."""
        try:
            await self._sweep(place)
        except DiscordForbiddenError as error:
            self.left.append(place)
            self.unread.append(Unread(place.id, place.public_name, "no_permission", str(error)))
        except DiscordGoneError:
            # A 404 for its messages may also come from a lost permission, so ask for the channel itself
            # before all its messages are marked as deleted.
            data, closed = await self._ask(place.id, place.public_name)
            if data is None and closed is None:
                self.counts.deleted += self._gone(place.id)
            else:
                self.left.append(place)
                self.unread.append(closed or _hidden(place.id, place.public_name))
        except DiscordError as error:
            self._pass_over(place, error)
        else:
            self.counts.channels += 1
            self._in_a_row.clear()

    def _pass_over(self, place: Place, error: DiscordError) -> None:
        """Leaves a channel for the next run, unless the problem is not the channel's own."""
        self._in_a_row.append(error)
        if isinstance(error, DiscordLoginError) or self.session.stopped or len(self._in_a_row) == _IN_A_ROW:
            raise error
        self.failures.append(error)
        self.left.append(place)
        self.unread.append(Unread(place.id, place.public_name, "failed", str(error)))

    async def _sweep(self, place: Place) -> None:
        """Compares and reads one channel, unless its log is already up to date."""
        log = self.journal.log(place.id)
        last = log.peek()
        state = ChannelState(
            id=place.id, type=place.type, name=place.public_name, parent=place.parent, tags=place.tags
        )
        bound = await self._bound(place, last)
        # Most channels of a large server are unchanged; they cost no request.
        if last.channel == state and not self._due(last, bound):
            return
        with log:
            title = place.name if place.type.endswith("Thread") else ""
            sweep = Sweep(
                self.session,
                self.participants,
                log,
                state,
                self.counts,
                lambda: self.on_page(self.counts),
                title,
            )
            if last.position.refreshed < self.refresh:
                await sweep.refresh(self.refresh)
            elif last.channel is not None and last.channel.gone:  # it exists again
                await sweep.compare(0)
            elif int(last.position.read) > self.after:
                await sweep.compare(self.after)
            await sweep.forward(bound)
        # After closing: a log can only be rewritten while no one appends to it.
        log.compact()
        name = f"#{one_line(place.public_name)} ({place.id})" if place.public_name else place.id
        LOG.info("read %s, %d of %d", name, self.counts.channels + 1, self.counts.places)

    async def _bound(self, place: Place, last: Commit) -> int:
        """Returns the id of a channel's newest message, 0 for none.

        The position moves up to this id, so a wrong one would hide later messages. The id in the list of channels is used
        only if it is certainly in the past. Otherwise the channel's newest message is requested.
        """
        # Discord lists no last message for an empty channel.
        if not place.last_message_id and last.channel is not None:
            return 0
        listed = id_number(place.last_message_id) if place.last_message_id else None
        # The listed id may belong to a deleted message, which does no harm as a bound. An id from the future
        # would.
        if listed is not None and listed <= self.session.clock.past():
            return listed
        if place.last_message_id and (listed is None or listed > self.session.clock.newest()):
            LOG.warning(
                "channel %s: the id that Discord lists for its newest message is impossible; asking for the message itself",
                place.id,
            )
        return int(await self.session.latest(place.id) or 0)

    def _due(self, last: Commit, bound: int) -> bool:
        """Returns True if a log may differ from its channel."""
        position = last.position
        compare = position.refreshed < self.refresh or int(position.read) > self.after
        return compare or bool(position.until) or bound > int(position.read) or last.dead > 0

    async def _unlisted(self) -> list[Place]:
        """Returns threads that the survey did not list but that are due for comparison.

        Also handles channels that are gone.
        """
        found: list[Place] = []
        orphans: dict[str, list[str]] = {}
        named = {place.id for place in (*self.survey.places, *self.survey.forums)}
        unread = {item.id for item in self.survey.unread}
        for uid, last in self._known():
            state = last.channel
            if state is None or state.gone or uid in named or {uid, state.parent} & unread:
                continue
            thread = "Thread" in state.type
            if thread and state.parent and state.parent not in named:
                orphans.setdefault(state.parent, []).append(uid)
                continue
            if thread:
                if self._due(last, 0) and not self.survey.choice.problem(uid, state.parent, state.type):
                    found.append(_place(state))
                continue
            data, closed = await self._ask(uid, state.name)
            if closed:
                self.unread.append(closed)
            elif data is None:
                self.counts.deleted += self._gone(uid)
            else:
                self.unread.append(_hidden(uid, state.name))
        for parent in orphans.keys() - {item.id for item in self.unread}:
            data, closed = await self._ask(parent, "")
            if closed or data:
                self.unread.append(closed or _hidden(parent, ""))
            else:  # Discord deletes a channel's threads with it
                self.counts.deleted += sum(map(self._gone, orphans[parent]))
        return found

    async def _ask(self, uid: str, name: str) -> tuple[dict[str, Any] | None, Unread | None]:
        """Returns a channel, or None if it is gone; and the reason if the bot may not see it."""
        try:
            return await self.session.channel(uid), None
        except DiscordForbiddenError:
            return None, Unread(uid, name, "no_permission", "needs View Channel")

    def _known(self) -> Iterator[tuple[str, Commit]]:
        return ((uid, log.peek()) for uid, log in self.journal.logs().items())

    def _gone(self, uid: str) -> int:
        """Replaces all messages of a deleted channel with tombstones; returns how many there were."""
        log = self.journal.log(uid)
        last = log.peek()
        if last.channel is None:
            return 0
        said = sum(not line.startswith(GONE) for _, line in log.lines())
        lines = (
            (number, line if line.startswith(GONE) else gone_line(str(number), "deleted"))
            for number, line in log.lines()
        )
        position = replace(last.position, until="", checked="", check_until="", checking=0)
        log.rewrite(lines, position, replace(last.channel, gone=True))
        return said


def _hidden(uid: str, name: str) -> Unread:
    return Unread(uid, name, "hidden", "needs View Channel")


def _place(state: ChannelState) -> Place:
    # Posting in an archived thread opens it, and then it is listed.
    return Place(id=state.id, name=state.name, type=state.type, parent=state.parent, tags=state.tags)
