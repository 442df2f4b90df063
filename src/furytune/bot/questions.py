"""Decides which message is a question for the bot."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Literal, TypeAlias

from attrs import field, frozen

from furytune.bot.settings import BotSettings
from furytune.pairing import titled

__all__ = ["Door", "Question", "Seen", "question_in", "raw_text"]

Door: TypeAlias = Literal["mention", "forum", "direct", "command", "menu"]
"""How a question reached the bot."""


@frozen(kw_only=True)
class Seen:
    """A message, as far as the bot cares.

    Attributes:
        id: Its id.
        channel: Id of its channel or thread.
        parent: Id of the channel of its thread, 0 outside of threads.
        server: Id of its server, 0 for a direct message.
        author: Id of its author.
        roles: Ids and names of the author's roles, as far as they are known.
        person: False for bots, webhooks and Discord's own messages.
        content: Its text, as Discord delivers it.
        mentions: Ids of people whom it mentions, and of the person whom it replies to and notifies.
        title: Title of the forum post that it opens, "" otherwise.
        answers: Id of the message that it replies to, 0 for none.
        used: Id of the interaction that it answers, 0 for none.
        edited: When it was last edited, "" if never.
        mark: The mark of the bot's own message, "" without one.
    """

    id: int
    channel: int
    parent: int = 0
    server: int = 0
    author: int
    roles: frozenset[str] = frozenset()
    person: bool = True
    content: str = field(repr=False)
    mentions: AbstractSet[int] = frozenset()
    title: str = field(default="", repr=False)
    answers: int = 0
    used: int = 0
    edited: str = ""
    mark: str = ""


@frozen(kw_only=True)
class Question:
    """A question for the bot.

    Attributes:
        id: Id of the message or interaction that asks.
        source: Id of the message with the text, 0 if it is not in a message.
        door: How it reached the bot.
        channel: Id of the channel or thread.
        server: Id of the server, 0 for a direct message.
        author: Id of the person who asks.
        text: What the contract takes, raw.
        noted: False if nothing may be noted about it.
        threaded: Whether it was asked in a thread.
        answers: Id of the message that it replies to, 0 for none.
        before: Ids of the earlier messages whose texts belong to it.
        edited: When its message was last edited, "" if never.
    """

    id: int
    source: int
    door: Door
    channel: int
    server: int
    author: int
    text: str = field(repr=False)
    noted: bool = True
    threaded: bool = False
    answers: int = 0
    before: tuple[int, ...] = ()
    edited: str = ""


def question_in(message: Seen, me: int, settings: BotSettings) -> Question | None:
    """Returns the question in a message, None if it is not for the bot."""
    if not message.person or message.author == me:
        return None
    if message.server:
        if settings.servers and str(message.server) not in settings.servers:
            return None
        door: Door = "mention"
        opens = str(message.parent) in settings.forums and message.id == message.channel
        if opens:
            door = "forum"
        elif me not in message.mentions or not _allowed(message, settings):
            return None
    elif settings.direct:
        door = "direct"
    else:
        return None
    return Question(
        id=message.id,
        source=message.id,
        door=door,
        channel=message.channel,
        server=message.server,
        author=message.author,
        text=raw_text(message),
        noted=not settings.consent.refusal(str(message.author), message.roles),
        threaded=message.parent > 0,
        answers=message.answers,
        edited=message.edited,
    )


def _allowed(message: Seen, settings: BotSettings) -> bool:
    if not settings.channels:
        return True
    return str(message.channel) in settings.channels or str(message.parent) in settings.channels


def raw_text(message: Seen) -> str:
    """Returns what the contract takes for a message: as collected for training, so a post has its title."""
    return titled(message.title, message.content) if message.title else message.content
