"""Finds the texts of answers and questions: in a chat that is collected, or in the log if it keeps them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Protocol, runtime_checkable

from attrs import frozen

from furytune.pairing.posts import Conversation
from furytune.records import Dropped, Message

__all__ = ["Chat", "Found", "as_chat", "looked_up", "said_by_bots", "tagged_solved"]

_GONE = ("deleted", "opted_out", "not_opted_in", "forgotten")


@runtime_checkable
class Chat(Protocol):
    """**Protocol:** a collector that can yield single messages, such as `JournalCollector` and `DiscordExportCollector`."""

    def messages(self, *, on_drop: Callable[[Dropped], None] | None = None) -> Iterator[Message]:
        """Yields every message, including those of bots.

        Args:
            on_drop: Called for everything that is left out.
        """
        ...


def as_chat(value: object) -> Chat | None:
    """Returns a collector whose single messages can be read; None for any other."""
    return value if isinstance(value, Chat) else None


@frozen
class Found:
    """What a chat has of some messages.

    Attributes:
        messages: The messages by id.
        gone: Why the chat no longer has a message, by id, as far as it says so.
    """

    messages: dict[str, Message]
    gone: dict[str, str]


def looked_up(chat: Chat | None, wanted: Collection[str]) -> Found:
    """Reads a chat once and keeps the wanted messages only."""
    found = Found({}, {})
    if chat is None or not wanted:
        return found

    def dropped(drop: Dropped) -> None:
        if drop.reason in _GONE:
            found.gone.update((uid, drop.reason) for uid in drop.ids if uid in wanted)

    for message in chat.messages(on_drop=dropped):
        if message.id in wanted:
            found.messages[message.id] = message
    return found


def tagged_solved(message: Message) -> bool:
    """Tells whether a tag of the message's thread says that it is solved."""
    return Conversation(tags=message.tags).tagged_solved


def said_by_bots(chat: Chat) -> Iterator[tuple[str, Message]]:
    """Yields what bots said: the text of each message, and that of its embeds."""
    for message in chat.messages():
        if message.author.is_bot:
            yield message.content, message
            for embed in message.embeds:
                yield embed.text, message
