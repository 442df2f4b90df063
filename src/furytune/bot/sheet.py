"""The messages of one answer: filled while it is written, and never posted twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from furytune.bot.ledger import Entry, Ledger
from furytune.bot.posts import Button, GoneError, Posts

__all__ = ["Growing", "Sheet"]


class Sheet:
    """The messages of one answer.

    Args:
        posts: Talks to Discord.
        ledger: Notes the messages.
        entry: What is known about the question; it has a place and at least one message.
    """

    def __init__(self, posts: Posts, ledger: Ledger, entry: Entry) -> None:
        self._posts, self._ledger = posts, ledger
        self.entry = entry
        self._shown: dict[int, tuple[str, tuple[Button, ...]]] = {}

    async def show(
        self,
        pieces: Sequence[str],
        buttons: Sequence[Button] = (),
        *,
        growing: bool = False,
        ping_role: int = 0,
    ) -> None:
        """Makes the messages say these texts; the buttons are under the last one.

        What already says its text is left alone. Missing messages are posted.

        Args:
            pieces: The texts.
            buttons: The buttons.
            growing: Whether more text may follow. If not, messages that are not needed are deleted.
            ping_role: Id of a role that a message may notify if it mentions it and is new.

        Raises:
            GoneError: Someone deleted a message of the answer, or its place.
            RefusedError: Discord refused.
            UnreachableError: Discord did not answer.
        """
        for n, piece in enumerate(pieces):
            under = tuple(buttons) if n == len(pieces) - 1 else ()
            if n < len(self.entry.posts):
                message = self.entry.posts[n]
                if self._shown.get(message) != (piece, under):
                    await self._posts.edit(self.entry.place, message, piece, under)
                    self._shown[message] = (piece, under)
            else:
                await self._add(piece, under, ping_role)
        if growing:
            return
        for message in self.entry.posts[len(pieces) :]:
            await self._posts.delete(self.entry.place, message)
        if len(self.entry.posts) > len(pieces):
            self._note(posts=self.entry.posts[: len(pieces)])

    async def _add(self, piece: str, under: tuple[Button, ...], ping_role: int) -> None:
        if self.entry.more:  # an earlier process may have posted it, without noting its id
            await self._find_lost()
            if self.entry.posts and self.entry.posts[-1] not in self._shown:
                message = self.entry.posts[-1]
                await self._posts.edit(self.entry.place, message, piece, under)
                self._shown[message] = (piece, under)
                return
        self._note(more=True)
        nonce = f"{self.entry.id}-{len(self.entry.posts)}"
        made = await self._posts.send(
            self.entry.place, piece, nonce=nonce, buttons=under, ping_role=ping_role
        )
        if made.content.strip() != piece.strip():  # a message that was posted before, with this nonce
            await self._posts.edit(self.entry.place, made.id, piece, under)
        self._shown[made.id] = (piece, under)
        self._note(posts=(*self.entry.posts, made.id), more=False)

    async def _find_lost(self) -> None:
        """Looks for a message that was posted and not noted, after those that are known."""
        known = {*self._ledger.known_posts()}
        for one in await self._posts.after(self.entry.place, self.entry.posts[-1], 20):
            if one.author == self._posts.me and one.id not in known and one.mark in {"", self.entry.mark}:
                self._note(posts=(*self.entry.posts, one.id), more=False)
                return
        self._note(more=False)

    def _note(self, **changes: object) -> None:
        self.entry = self._ledger.note(msgspec.structs.replace(self.entry, **changes))

    async def clear(self) -> None:
        """Deletes all messages of the answer."""
        if self.entry.more and self.entry.posts:
            await self._find_lost()
        for message in self.entry.posts:
            try:
                await self._posts.delete(self.entry.place, message)
            except GoneError:
                continue


class Growing:
    """Shows a text while it grows, with a pause between two edits.

    Args:
        sheet: The messages.
        pace: Seconds between two edits.
        pages: Returns the messages of a text.
        buttons: The buttons under the last message.

    Attributes:
        text: The text so far.
    """

    def __init__(
        self, sheet: Sheet, pace: float, pages: Callable[[str], Sequence[str]], buttons: Sequence[Button]
    ) -> None:
        self._sheet, self._pace, self._pages, self._buttons = sheet, pace, pages, buttons
        self._showing: asyncio.Task[None] | None = None
        self._seen, self._due = "", time.monotonic()
        self.text = ""

    async def wait(self, other: asyncio.Future[Any]) -> None:
        """Waits until something else is done, or until it is time to show more.

        Raises:
            GoneError: As `Sheet.show`, about what was shown before; the same for its other errors.
        """
        now, pause = time.monotonic(), None
        if self._showing is None and self.text.strip() and self.text != self._seen:
            if now >= self._due:
                self._seen, self._due = self.text, now + self._pace
                pages = self._pages(self.text)
                self._showing = asyncio.ensure_future(self._sheet.show(pages, self._buttons, growing=True))
            else:
                pause = self._due - now
        waiting = {other} if self._showing is None else {other, self._showing}
        await asyncio.wait(waiting, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
        if self._showing is not None and self._showing.done():
            await self.close()

    async def close(self) -> None:
        """Waits for an edit under way. It is never cut off, because its result would not be known."""
        showing, self._showing = self._showing, None
        if showing is not None:
            await showing
