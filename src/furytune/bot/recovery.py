"""What the bot does after an interruption: it completes what it began, and answers what it missed, once each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from attrs import evolve, frozen
from msgspec.structs import replace

from furytune.bot import words
from furytune.bot.ledger import Entry, Ledger, snowflake
from furytune.bot.posts import LOG, Posts, RefusedError, UnreachableError
from furytune.bot.questions import Door, Question, Seen, question_in, raw_text
from furytune.bot.runs import Runs
from furytune.bot.settings import BotSettings
from furytune.bot.sheet import Sheet

__all__ = ["Place", "Recovery"]

_TRIES = 3
_PLACES = 100
_PAGE = 500
_RECENT = 50


@frozen
class Place:
    """A channel or thread that the bot reads.

    Attributes:
        id: Its id.
        last: Id of its newest message.
    """

    id: int
    last: int


class Recovery:
    """Completes and catches up.

    Args:
        runs: Answers questions.
        ledger: What was taken.
        posts: Talks to Discord.
        settings: What the operator decided.
    """

    def __init__(self, runs: Runs, ledger: Ledger, posts: Posts, settings: BotSettings) -> None:
        self._runs, self._ledger, self._posts, self._settings = runs, ledger, posts, settings
        self._tries: dict[int, int] = {}
        self._turn = asyncio.Lock()

    async def recover(self, places: Iterable[Place]) -> None:
        """Completes what an earlier process left, then answers what was missed, and deletes answers whose question is gone."""
        async with self._turn:
            await self.complete()
            await self._deleted()
            await self._missed(places)

    async def complete(self) -> None:
        """Resumes all answers that are not complete and not under way."""
        for entry in self._ledger.open():
            if not self._runs.under_way(entry.id):
                try:
                    await self._complete(entry)
                except (RefusedError, UnreachableError) as error:
                    LOG.warning("question %d: not completed: %s", entry.id, type(error).__name__)

    async def _complete(self, entry: Entry) -> None:
        self._tries[entry.id] = tries = self._tries.get(entry.id, 0) + 1
        message = await self._posts.read(entry.channel, entry.source) if entry.source else None
        entry = entry if entry.posts else await self._located(entry)
        if entry.source and message is None:
            await Sheet(self._posts, self._ledger, entry).clear()
            self._ledger.note(replace(entry, state="done", how="deleted"))
            return
        text = raw_text(message) if message is not None else ""
        if message is None or not text or tries > _TRIES:
            # The text of a command cannot be read again, and some texts only with an intent.
            if entry.posts:
                said = words.INTERRUPTED if tries <= _TRIES else words.FAILED
                await Sheet(self._posts, self._ledger, entry).show([said])
            self._ledger.note(replace(entry, state="done", how="interrupted"))
            return
        question = Question(
            id=entry.id,
            source=entry.source,
            door=_door(entry.door),
            channel=entry.channel,
            server=message.server,
            author=message.author,
            text=text,
            threaded=message.parent > 0,
            answers=message.answers,
            noted=await self._noted(message),
            edited=message.edited,
        )
        LOG.info("question %d: completing its answer", entry.id)
        self._runs.go_on(question, entry)

    async def _located(self, entry: Entry) -> Entry:
        """Finds the first message of an answer to a command, which was posted but not noted."""
        if entry.door not in {"command", "menu"}:
            return entry
        for one in await self._posts.after(entry.channel, entry.id, _PAGE):
            if one.used == entry.id:
                return self._ledger.note(replace(entry, place=entry.channel, posts=(one.id,)))
        return entry

    async def _noted(self, message: Seen) -> bool:
        """Returns whether the author of a message takes part. REST says nothing about roles, so it asks for them."""
        consent = self._settings.consent
        roles = message.roles
        if consent.needs_roles and not roles and message.server:
            try:
                roles = await self._posts.roles(message.server, message.author)
            except (RefusedError, UnreachableError):
                return False
        return not consent.refusal(str(message.author), roles)

    async def _deleted(self) -> None:
        """Deletes recent answers whose question was deleted meanwhile."""
        recent = [
            e for e in self._ledger.since_id(self._cutoff()) if e.state == "done" and e.posts and e.source
        ]
        for entry in sorted(recent, key=lambda e: -e.id)[:_RECENT]:
            try:
                if entry.how != "deleted" and await self._posts.read(entry.channel, entry.source) is None:
                    await self._runs.deleted(entry.source)
            except (RefusedError, UnreachableError):
                continue

    def _cutoff(self) -> int:
        return max(self._ledger.since, snowflake(time.time() - self._settings.missed))

    async def _missed(self, places: Iterable[Place]) -> None:
        """Answers the questions of the last minutes that were not taken."""
        cutoff = self._cutoff()
        new = sorted((p for p in places if p.last > cutoff), key=lambda p: -p.last)[:_PLACES]
        direct = {e.channel for e in self._ledger.since_id(0) if e.door == "direct"}
        for place in [p.id for p in new] + sorted(direct - {p.id for p in new}):
            try:
                page = await self._posts.after(place, cutoff, _PAGE)
            except (RefusedError, UnreachableError):
                continue
            answered = {one.answers for one in page if one.author == self._posts.me}
            for message in page:
                question = question_in(message, self._posts.me, self._settings)
                if question is None or question.id in answered or not self._runs.fresh(question):
                    continue
                LOG.info("question %d: was missed", question.id)
                question = evolve(question, noted=await self._noted(message))
                await self._runs.take(question, look=True)


def _door(text: str) -> Door:
    return text if text in {"mention", "forum", "direct", "command", "menu"} else "mention"  # type: ignore[return-value]
