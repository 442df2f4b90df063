"""Brings the log of one channel up to date with Discord, page by page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from typing import Any

import msgspec
from attrs import define
from msgspec.structs import replace

from furytune._discord.api.failures import WrongAnswerError
from furytune._discord.api.session import Session
from furytune._discord.crawl.convert import is_bare, kept
from furytune._discord.crawl.participants import Participants
from furytune._discord.journal.messages import Kept, line_of
from furytune._storage.journal.lines import GONE, ChannelState, Position, gone_line, parse_gone
from furytune._storage.journal.log import Log
from furytune.errors import DiscordError, DiscordForbiddenError

__all__ = ["Counts", "Sweep"]

Json = dict[str, Any]

_NOTED = 20
_OUT = "opted_out"
_UNWRITABLE = "lone_surrogate"
# Errors that a message can cause if it does not have the documented shape.
_ODD = (
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    OverflowError,
    RecursionError,
    msgspec.ValidationError,
)

_read_again = msgspec.json.Decoder(Kept).decode


@define
class Counts:
    """How many messages a run changed in the journal, and how many of the places it read.

    Attributes:
        new: Messages that were not in the journal.
        changed: Messages whose line was replaced, because they were edited or got reactions.
        deleted: Messages that Discord no longer has.
        withheld: Messages that became tombstones because of their authors.
        unwritable: Messages whose text UTF-8 cannot encode.
        channels: Channels and threads that were read.
        places: Channels and threads that will be read in this run.
    """

    new: int = 0
    changed: int = 0
    deleted: int = 0
    withheld: int = 0
    unwritable: int = 0
    channels: int = 0
    places: int = 0


class Sweep:
    """Reads and compares one channel or thread, with its log open.

    Args:
        session: An open session.
        participants: Whose messages are collected.
        log: The channel's log, open to append.
        state: What is known about the channel now.
        counts: Counts to add to.
        on_page: Called after each page.
        title: Title of the thread or forum post; "" for a channel, or if it is unknown.
    """

    def __init__(
        self,
        session: Session,
        participants: Participants,
        log: Log,
        state: ChannelState,
        counts: Counts,
        on_page: Callable[[], None],
        title: str = "",
    ) -> None:
        self._session = session
        self._participants = participants
        self._log = log
        self._state = state
        self._counts = counts
        self._on_page = on_page
        self._title = title

    async def forward(self, bound: int) -> None:
        """Reads what is new, after finishing an interrupted read up to its own bound.

        Args:
            bound: Id of the channel's newest message, 0 for none.
        """

        def reading(at: int, until: int) -> Position:
            return replace(self._log.position, read=str(at), until="" if at >= until else str(until))

        # First to the bound of an interrupted read, then to the new one.
        for until in (int(self._log.position.until or 0), bound):
            await self._through(int(self._log.position.read), until, reading, note=1)
        # A channel without new messages may still have a new name or tags.
        if self._log.last.channel != self._state:
            self._log.append(self._log.position, channel=self._state)

    async def compare(self, after: int) -> None:
        """Collects edits and deletions among the messages that were read before.

        Args:
            after: Messages up to this id are not compared.
        """

        def unmoved(_at: int, _until: int) -> Position:
            return self._log.position

        await self._through(after, int(self._log.position.read), unmoved, note=0)

    async def refresh(self, number: int) -> None:
        """Collects edits and deletions among all messages; resumes an interrupted comparison.

        Args:
            number: Number of this comparison of the whole server, from 1.
        """

        def checking(at: int, until: int) -> Position:
            if at >= until:
                done = replace(self._log.position, checked="", check_until="", checking=0)
                return replace(done, refreshed=number)
            return replace(self._log.position, checked=str(at), check_until=str(until), checking=number)

        position = self._log.position
        if position.refreshed < number:
            # A comparison that belongs to an earlier refresh starts over, because edits may have happened
            # since.
            begun = position.checking == number
            until = int(position.check_until if begun else position.read)
            await self._through(int(position.checked) if begun else 0, until, checking, note=_NOTED)

    async def _through(
        self, after: int, until: int, position_at: Callable[[int, int], Position], *, note: int
    ) -> None:
        """Reads all pages between two ids, and appends the differences to the log.

        Args:
            after: The id that all ids are above.
            until: The last id.
            position_at: Returns the position to save, given the id that was reached and the last one.
            note: Number of pages after which to save the position even if nothing changed; 0 for never.
        """
        held = _Held(self._log, after)
        pages = 0
        async with aclosing(self._pages(after, until)) as found:
            async for raw in found:
                if not raw:
                    await self._check_empty(after, until)
                after = min(int(raw[-1]["id"]), until) if raw else until
                # Messages above the bound were posted during this run; the next one reads them.
                page = [message for message in raw if int(message["id"]) <= until]
                fresh, changed = await self._difference(page, held.up_to(after), until if not raw else 0)
                pages += 1
                # Unchanged pages are only noted from time to time: a commit for each would let the log grow
                # with every refresh.
                if fresh or changed or (note and (after >= until or pages % note == 0)):
                    position = position_at(after, until)
                    self._log.append(position, lines=fresh, changed=changed, channel=self._state)
                self._on_page()

    async def _check_empty(self, after: int, until: int) -> None:
        """Checks that there is in fact no message between two ids, as an empty page says.

        Raises:
            WrongAnswerError: There is one.
        """
        newest = int(await self._session.latest(self._state.id) or 0)
        if after < newest <= until:  # a newer one may just have been posted
            raise WrongAnswerError(
                f"channel {self._state.id}: Discord's answer was not used: it says that no messages come after {after}, "
                f"but there is {newest}; run again later to continue"
            )

    async def _pages(self, after: int, until: int) -> AsyncGenerator[list[Json], None]:
        """Yields pages until one is empty or reaches the last id, and already requests the next one meanwhile."""
        ready: list[list[Json]] = []

        async def ask() -> None:
            # Do not return it from the task, because asyncio's debug log would show it.
            ready.append(await self._session.messages(self._state.id, after=str(after)))

        asked = None
        try:
            while after < until:
                await (asked or ask())
                page = ready.pop()
                after = int(page[-1]["id"]) if page else until
                asked = asyncio.create_task(ask()) if after < until else None
                yield page
        finally:
            if asked is not None:
                asked.cancel()
                await asyncio.gather(asked, return_exceptions=True)

    async def _difference(
        self, page: list[Json], held: dict[int, bytes], hidden: int
    ) -> tuple[list[bytes], list[bytes]]:
        """Returns the lines that the log lacks: those above its highest id, and the others.

        A message in the log that Discord no longer returns counts as deleted. Before that is believed, the lowest and
        the highest such id are requested one by one, because a missing permission looks the same.

        Args:
            page: The messages that Discord returned.
            held: The log's lines between the same ids.
            hidden: The last of these ids if the page is empty; otherwise 0.

        Args:
            page: Messages from the API, oldest first.
            held: Lines of the log for the same range of ids; the function takes out those that it compares.
            hidden: An id to ask for if the page is empty, 0 for none.

        Raises:
            DiscordForbiddenError: Discord hides messages that exist.
            DiscordError: A message does not have the documented shape.
        """
        try:
            bare = any(map(is_bare, page))  # messages of bots are shown even without the intent
            # `int` refuses ids that are not numbers, before they are used in a request.
            authors = {str(int(message["author"]["id"])) for message in page}
        except _ODD as error:
            raise self._odd(error) from None
        if bare:
            await self._session.check_text()
        await self._participants.meet(authors)
        fresh: list[bytes] = []
        changed: list[bytes] = []
        for message in page:
            uid = int(message["id"])
            before = held.pop(uid, b"")
            line = self._line(message, before)
            if line == before:
                continue
            # A message above the top keeps the log in order; any other line must be looked up by readers.
            (fresh if uid > self._log.last.top else changed).append(line)
            self._count(before, line)
        missing = {uid: line for uid, line in held.items() if not line.startswith(GONE)}
        # If the history is hidden at one end, the lowest or highest missing message is there; asking for two
        # is enough to notice it.
        for doubtful in sorted({min(missing, default=hidden), max(missing, default=hidden)} - {0}):
            if await self._session.message(self._state.id, str(doubtful)) is not None:
                raise DiscordForbiddenError(
                    f"channel {self._state.id}: Discord leaves out messages that exist; give the bot the "
                    "permission Read Message History",
                )
        self._counts.deleted += len(missing)
        return fresh, changed + [gone_line(str(uid), "deleted") for uid in missing]

    def _line(self, message: Json, before: bytes) -> bytes:
        """Returns the log's line for a message: the message, or a tombstone if it may not be collected.

        Args:
            message: The message from the API.
            before: Its line in the log, b"" without one.

        Raises:
            DiscordError: The message does not have the documented shape.
        """
        try:
            found = kept(message)
            # The post and its first message have the same id. The title is stored in the message, so that
            # both are removed together.
            if found.id == self._state.id:  # it opens a forum post
                found.title = self._title or _title_in(before)
            why = self._participants.refusal(found.author.id, found.id, bot=found.author.is_bot)
            if not why and found.forwarded_message and found.reference:
                why = self._participants.refusal_of_copy(found.reference)
            if not why and self._participants.left(found.author.id) and before == gone_line(found.id, _OUT):
                why = _OUT  # leaving the server ended the role, but not the wish to opt out
            line = gone_line(found.id, why) if why else self._participants.masked(line_of(found))
            if not why:
                _read_again(line)  # a line that cannot be read back would break the log
        except UnicodeEncodeError:
            return gone_line(str(message["id"]), _UNWRITABLE)
        except _ODD as error:
            raise self._odd(error) from None
        return line

    def _odd(self, error: Exception) -> DiscordError:
        """Returns the error for a message that cannot be read; it names the kind of fault, not the text."""
        return DiscordError(
            f"channel {self._state.id}: a message does not have the shape that Discord's reference describes "
            f"({type(error).__name__}); check for a newer furytune"
        )

    def _count(self, before: bytes, line: bytes) -> None:
        """Adds a line that will be written to the counts of the run."""
        if line.startswith(GONE) and parse_gone(line) == _UNWRITABLE:
            self._counts.unwritable += 1
        elif line.startswith(GONE):
            self._counts.withheld += 1
        elif before and not before.startswith(GONE):
            self._counts.changed += 1
        else:
            self._counts.new += 1


def _title_in(before: bytes) -> str:
    """Returns the title in the line of an opening message, for posts that are compared without being listed."""
    return "" if not before or before.startswith(GONE) else _read_again(before).title or ""


class _Held:
    """Reads the lines of a log in the order of ids, alongside the pages."""

    def __init__(self, log: Log, after: int) -> None:
        self._lines: Iterator[tuple[int, bytes]] = log.lines(after) if log.last.top > after else iter(())
        self._after = after
        self._next: tuple[int, bytes] | None = None

    def up_to(self, end: int) -> dict[int, bytes]:
        """Returns the lines up to an id that were not returned yet."""
        found: dict[int, bytes] = {}
        while (item := self._next or next(self._lines, None)) is not None:
            self._next = item
            if item[0] > end:
                break
            self._next = None
            # `forward` appends to the same file that this iterator reads.
            if item[0] > self._after:  # otherwise this sweep wrote it itself
                found[item[0]] = item[1]
        self._after = end
        return found
