"""Makes pairs from the posts of a channel."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from math import inf
from typing import Protocol

import attrs

from furytune import pairing
from furytune._channels.channel import Channel
from furytune._channels.selection import home
from furytune._readers.limits import Limits
from furytune._values.copies import Sayings
from furytune.errors import ConfigError, ConservationError
from furytune.pairing import Conversation, Pairer, Post
from furytune.records import Dropped, QAPair

__all__ = ["Bridges", "OnDrop", "Reading", "as_pairers", "conversation", "methods", "paired"]

_BRIDGED = 3  # names of one webhook; a feed such as GitHub's has one, and may be renamed once

OnDrop = Callable[[Dropped], None]


class Reading(Protocol):
    """**Protocol:** the posts of one channel while they are read, as counting and reports need them."""

    @property
    def channel(self) -> Channel:
        """The channel or thread."""
        ...

    @property
    def name(self) -> str:
        """The name that errors use."""
        ...

    @property
    def count(self) -> int:
        """How many messages were read."""
        ...

    @property
    def usable(self) -> int:
        """How many of them may be in a pair."""
        ...

    @property
    def limits(self) -> Limits:
        """Limits of each message and pair."""
        ...

    @property
    def sayings(self) -> Sayings:
        """What bots have said so far."""
        ...

    def __iter__(self) -> Iterator[Post]:
        """Yields the posts, once."""
        ...


def as_pairers(pairers: Iterable[Pairer] | None) -> tuple[Pairer, ...] | None:
    """Converts the argument ``pairers``.

    Raises:
        ConfigError: It is not a list of pairers.
    """
    if pairers is None:
        return None
    if not isinstance(pairers, Iterable):
        raise ConfigError(f"pairers must be a list of pairers, not a {type(pairers).__name__}")
    found = tuple(pairers)
    for pairer in found:
        if not isinstance(pairer, Pairer) or isinstance(pairer, type):
            raise ConfigError(
                "pairers must be a list of objects with the methods fits and pair, such as [ChatPairer()]; "
                f"one of them is of type {type(pairer).__name__}"
            )
    return found


def methods(pairers: tuple[Pairer, ...] | None, window: int) -> tuple[Pairer, ...]:
    """Returns the methods to find pairs with.

    Raises:
        ConfigError: The list is empty.
    """
    if pairers is None:
        # Settings files are read without numpy, which only this pairer needs.
        return (pairing.ChatPairer(window),)
    if not pairers:
        raise ConfigError("pairers is empty; leave it out, or name at least one")
    return pairers


def conversation(
    channel: Channel,
    platform: str = "discord",
    *,
    starters: Collection[str] = frozenset(),
    opening_missing: bool = False,
) -> Conversation:
    """Returns the conversation of a channel or thread.

    Args:
        channel: The channel or thread.
        platform: The prefix of pair ids.
        starters: Ids of messages that threads were opened on.
        opening_missing: True if the first message of a thread is known to be missing.
    """
    thread = channel.is_thread
    return Conversation(
        guild=channel.guild,
        channel=channel.parent if thread else channel.id,
        thread=channel.id if thread else "",
        is_thread=thread,
        platform=platform,
        starters=starters,
        tags=channel.tags,
        opening_missing=thread and opening_missing,
        channel_name=home(channel)[1],
    )


def paired(
    posts: Reading, place: Conversation, pairers: tuple[Pairer, ...], drops: list[Dropped]
) -> Iterator[QAPair | Dropped]:
    """Yields the pairs and drops of one conversation.

    Args:
        posts: Its posts.
        place: Where they were written.
        pairers: Methods to find pairs with; the first that fits is used.
        drops: Drops of the source; they are yielded and removed from the list.

    Raises:
        ConservationError: The pairer lost or invented messages.
    """
    # A drop says where it is from, for the report by channel.
    source = attrs.evolve(place.source, path=posts.name)
    for item in _paired(posts, place, pairers, drops):
        is_message = isinstance(item, Dropped) and item.unit == "message"
        yield attrs.evolve(item, source=source) if is_message else item


def _paired(
    posts: Reading, place: Conversation, pairers: tuple[Pairer, ...], drops: list[Dropped]
) -> Iterator[QAPair | Dropped]:
    pairer = next((p for p in pairers if p.fits(place)), None)
    came_out = 0
    if pairer is None:
        came_out = yield from _unpaired(posts, place)
    else:
        for item in pairer.pair(posts, place):
            if isinstance(item, QAPair):
                came_out += len(item.question_messages) + len(item.answer_messages)
                yield _without_bot_words(posts.limits.bounded(item), posts.sayings)
            else:
                came_out += item.count if item.unit == "message" else 0
                yield item
            # Pass drops on as they come, so that they do not pile up.
            if drops:
                yield from drops
                drops.clear()
    yield from drops
    drops.clear()
    if came_out != posts.count:
        raise ConservationError(
            f"{posts.name}: {posts.count} messages went into {type(pairer).__name__}, {came_out} came out"
        )


def _without_bot_words(item: QAPair | Dropped, sayings: Sayings) -> QAPair | Dropped:
    """Returns a pair, or drops its messages because the answer repeats what a bot said before."""
    if isinstance(item, Dropped) or not len(sayings):
        return item
    until = inf if item.answered_at is None else item.answered_at.timestamp()
    if not sayings.repeated(item.answer, until=until):
        return item
    ids = (*item.question_messages, *item.answer_messages)
    where = item.source.thread or item.source.channel or item.source.path
    return Dropped(
        reason="bot_words", unit="message", count=len(ids), ids=ids[:20], where=where, source=item.source
    )


def _unpaired(posts: Reading, place: Conversation) -> Generator[Dropped, None, int]:
    """Drops the messages of a conversation that no pairer fits; returns how many there are."""
    for _ in posts:
        pass
    if posts.count:
        yield Dropped(
            reason="no_pairer", unit="message", count=posts.count, where=place.thread or place.channel
        )
    return posts.count


class Bridges:
    """Recognises webhooks that speak for people, such as a bridge to Matrix or IRC: they have had several names."""

    def __init__(self) -> None:
        self._voices: dict[str, set[str]] = {}

    def speaks(self, webhook: str, voice: str) -> bool:
        """Notes what stands for a name of a webhook, and returns True if it speaks for people."""
        if not voice:
            return False
        known = self._voices.setdefault(webhook, set())
        if len(known) < _BRIDGED:
            known.add(voice)
        return len(known) >= _BRIDGED
