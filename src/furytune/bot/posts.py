"""What the bot does on Discord: posts, edits and deletes messages, and reads them. Each call survives a network cut."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import aiohttp
from attrs import frozen

from furytune._network.retries import delays
from furytune.bot.questions import Seen
from furytune.bot.vendor import discord

__all__ = [
    "LOG",
    "Button",
    "GoneError",
    "Posts",
    "RefusedError",
    "UnreachableError",
    "mark_of",
    "roles_of",
    "seen",
    "stop_button",
    "stopped_by",
    "view_of",
]

T = TypeVar("T")

LOG = logging.getLogger("furytune.bot")
"""Gets ids, statuses and kinds of errors. Never a text, and never a token."""

_THREAD_EXISTS = 160_004
_TRIES = 8
_REQUEST = 60.0  # seconds, waiting for limits included
_NAME = 100
_STOP = "furytune:stop:"
_TRANSIENT = (OSError, aiohttp.ClientError, TimeoutError, discord.DiscordServerError, discord.RateLimited)


class GoneError(Exception):
    """The place or the message no longer exists."""


class RefusedError(Exception):
    """Discord refuses, for example because a permission is missing."""

    def __init__(self, status: int, code: int) -> None:
        super().__init__(f"Discord refused ({status}, code {code})")
        self.status, self.code = status, code


class UnreachableError(Exception):
    """Discord did not answer, however often it was asked."""


@frozen
class Button:
    """A button under a message.

    Attributes:
        id: What Discord says when it is pressed.
        label: What people read.
    """

    id: str
    label: str


class Posts:
    """Talks to Discord for the bot.

    Args:
        client: discord.py's client.
    """

    def __init__(self, client: discord.Client) -> None:
        self._client = client

    @property
    def me(self) -> int:
        """The bot's id, 0 before the login."""
        return self._client.user.id if self._client.user else 0

    async def send(
        self,
        channel: int,
        text: str,
        *,
        nonce: str,
        reply_to: int = 0,
        buttons: Sequence[Button] = (),
        ping_role: int = 0,
    ) -> Seen:
        """Posts a message. A repetition with the same nonce finds the first one, for a few minutes.

        Returns:
            The message as it is on Discord, which may be one that another process posted.
        """
        place = self._client.get_partial_messageable(channel)
        more: dict[str, Any] = {}
        if reply_to:
            more["reference"] = discord.MessageReference(
                message_id=reply_to, channel_id=channel, fail_if_not_exists=False
            )
        allowed = discord.AllowedMentions.none()
        if ping_role:
            allowed = discord.AllowedMentions(
                everyone=False, users=False, replied_user=False, roles=[discord.Object(ping_role)]
            )
        found = await self._patiently(
            lambda: place.send(
                text,
                nonce=nonce,
                view=view_of(buttons),  # type: ignore[arg-type]
                allowed_mentions=allowed,
                suppress_embeds=True,
                **more,
            )
        )
        return seen(found)

    async def edit(self, channel: int, message: int, text: str, buttons: Sequence[Button] = ()) -> None:
        """Replaces the text and the buttons of one of the bot's messages."""
        place = self._client.get_partial_messageable(channel).get_partial_message(message)
        await self._patiently(
            lambda: place.edit(
                content=text, view=view_of(buttons), allowed_mentions=discord.AllowedMentions.none()
            )
        )

    async def delete(self, channel: int, message: int) -> None:
        """Deletes one of the bot's messages, if it is still there."""
        place = self._client.get_partial_messageable(channel).get_partial_message(message)
        with suppress(GoneError):
            await self._patiently(place.delete)

    async def open_thread(self, channel: int, message: int, name: str) -> bool:
        """Opens the thread of a message, which gets the message's id. Returns False if there was one already."""
        http = self._client.http
        try:
            await self._patiently(
                lambda: http.start_thread_with_message(
                    channel, message, name=name[:_NAME], auto_archive_duration=1440
                )
            )
        except RefusedError as refused:
            if refused.code == _THREAD_EXISTS:
                return False
            raise
        return True

    async def read(self, channel: int, message: int) -> Seen | None:
        """Returns a message, None if it no longer exists."""
        place = self._place(channel)
        try:
            return seen(await self._patiently(lambda: place.fetch_message(message)))
        except GoneError:
            return None

    async def after(self, channel: int, message: int, most: int) -> list[Seen]:
        """Returns the first messages after an id, oldest first; none if the place no longer exists."""
        place = self._place(channel)

        async def page() -> list[discord.Message]:
            return [
                m async for m in place.history(limit=most, after=discord.Object(message), oldest_first=True)
            ]

        try:
            return [seen(one) for one in await self._patiently(page)]
        except GoneError:
            return []

    async def roles(self, server: int, person: int) -> frozenset[str]:
        """Returns the ids and names of a person's roles.

        Raises:
            RefusedError: They cannot be read.
        """
        guild = self._client.get_guild(server)
        if guild is None:
            raise RefusedError(404, 0)
        try:
            member = await self._patiently(lambda: guild.fetch_member(person))
        except GoneError:
            return frozenset()
        return roles_of(member)

    def _place(self, channel: int) -> Any:
        # Only a place that is known tells a message of a server from a direct one.
        return self._client.get_channel(channel) or self._client.get_partial_messageable(channel)

    async def typing(self, channel: int) -> None:
        """Shows that the bot is typing, for ten seconds. Failing does not matter."""
        with suppress(Exception):
            await self._client.http.send_typing(channel)

    async def react(self, channel: int, message: int, emoji: str) -> None:
        """Reacts to a message. Failing does not matter."""
        place = self._client.get_partial_messageable(channel).get_partial_message(message)
        with suppress(GoneError, RefusedError, UnreachableError):
            await self._patiently(lambda: place.add_reaction(emoji))

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        """Repeats a request until it is answered or given up.

        Raises:
            GoneError: There is no such place or message.
            RefusedError: Discord refused.
            UnreachableError: Discord did not answer.
        """
        pauses = delays(0.5, jitter=0.5)
        problem = ""
        for left in range(_TRIES - 1, -1, -1):
            try:
                async with asyncio.timeout(_REQUEST):
                    return await call()
            except discord.NotFound:
                raise GoneError from None
            except _TRANSIENT as error:
                problem = type(error).__name__
            except discord.HTTPException as error:
                # Its text and its frames may contain a message or the token.
                raise RefusedError(error.status, error.code) from None
            if left:
                pause = next(pauses)
                LOG.warning("Discord did not answer (%s); the next try is in %.0f s", problem, pause)
                await asyncio.sleep(pause)
        raise UnreachableError(problem)


def view_of(buttons: Sequence[Button]) -> discord.ui.View | None:
    """Returns the buttons as discord.py wants them, None for none."""
    if not buttons:
        return None
    view = discord.ui.View(timeout=None)
    for button in buttons:
        view.add_item(
            discord.ui.Button(style=discord.ButtonStyle.secondary, label=button.label, custom_id=button.id)
        )
    # discord.py would remember it for as long as the bot runs; presses are told apart by their ids.
    view.stop()
    return view


def stop_button(question: int, mark: str) -> Button:
    """Returns the button that stops an answer. Its id contains the mark of the process that writes it."""
    return Button(f"{_STOP}{question}:{mark}", "Stop")


def stopped_by(custom_id: str) -> int:
    """Returns the question of a stop button, 0 for another button."""
    number = custom_id.removeprefix(_STOP).partition(":")[0] if custom_id.startswith(_STOP) else ""
    return int(number) if number.isdigit() else 0


def mark_of(message: discord.Message) -> str:
    """Returns the mark of a placeholder, "" for another message."""
    for row in message.components:
        for item in getattr(row, "children", ()):
            found = getattr(item, "custom_id", None) or ""
            if found.startswith(_STOP):
                return str(found.rpartition(":")[2])
    return ""


def roles_of(person: object) -> frozenset[str]:
    """Returns the ids and names of a person's roles, as `furytune.collectors.consent.Consent` may name them."""
    roles = person.roles if isinstance(person, discord.Member) else []
    return frozenset(text for role in roles for text in (str(role.id), role.name, f"@{role.name}"))


def seen(message: discord.Message) -> Seen:
    """Returns a message as the bot's rules see it."""
    channel, author = message.channel, message.author
    thread = channel if isinstance(channel, discord.Thread) else None
    opens = thread is not None and message.id == thread.id and isinstance(thread.parent, discord.ForumChannel)
    used = message.interaction_metadata
    person = message.type in {discord.MessageType.default, discord.MessageType.reply}
    reference = message.reference
    return Seen(
        id=message.id,
        channel=channel.id,
        parent=thread.parent_id if thread else 0,
        server=message.guild.id if message.guild else 0,
        author=author.id,
        roles=roles_of(author),
        person=person and not author.bot and message.webhook_id is None,
        content=message.content,
        mentions=frozenset(who.id for who in message.mentions),
        title=thread.name if opens and thread else "",
        answers=(reference.message_id or 0) if reference and message.type is discord.MessageType.reply else 0,
        used=used.id if used else 0,
        edited=message.edited_at.isoformat() if message.edited_at else "",
        mark=mark_of(message),
    )
