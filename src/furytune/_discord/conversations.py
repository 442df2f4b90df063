"""Makes pairs from the channels of a Discord server, read from an export or a journal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import inf
from typing import Any, Protocol, TypeVar

import attrs
from attrs import frozen

from furytune import pairing
from furytune._channels.channel import Channel
from furytune._channels.pairing import Bridges, OnDrop, conversation, methods, paired
from furytune._channels.selection import named
from furytune._discord.journal.messages import voice_of
from furytune._discord.shapes import ThinMessage
from furytune._discord.text import (
    SAID,
    STARTERS,
    embedded,
    is_bare,
    is_solved,
    mentioned,
    question_text,
    reply_target,
    said,
)
from furytune._privacy.pseudonyms import Pseudonyms
from furytune._readers.limits import Limits, over
from furytune._values.copies import Sayings
from furytune.errors import SourceError
from furytune.pairing import Conversation, Link, Pairer, Post
from furytune.pairing.posts import parse_time
from furytune.records import Dropped, QAPair, Source
from furytune.report.progress import progress

__all__ = [
    "ChannelSource",
    "Pairing",
    "Posts",
    "check_content",
    "source_of",
]

M = TypeVar("M")

_ENOUGH = 10  # fewer empty messages may be a coincidence
_INTENT = (
    "this is what a bot reads without the Message Content intent: switch it on in Discord's developer portal "
    "(Bot > Privileged Gateway Intents) and export again"
)

Starters = dict[str, Post | None]


class ChannelSource(Protocol):
    """**Protocol:** one channel or thread that can be read."""

    @property
    def channel(self) -> Channel:
        """The channel or thread."""
        ...

    @property
    def name(self) -> str:
        """The name that errors use."""
        ...

    @property
    def starter(self) -> str:
        """The id of the parent channel's message that the thread was opened on, or ""."""
        ...

    @property
    def opening_missing(self) -> bool:
        """True if the first message is known to be missing from the messages."""
        ...

    def messages(self, kind: type[Any], on_drop: OnDrop) -> Iterator[tuple[list[Any], str]]:
        """Yields lists of messages with the name of their file, in order of time, each id once."""
        ...

    def refusal(self, message: Any) -> str:
        """Returns why one of its messages must not be used, such as "opted_out"; "" if it may be used."""
        ...

    def roles(self, message: Any) -> tuple[str, ...] | None:
        """Returns the names of the roles of who wrote a message; None if they are not known."""
        ...


@frozen
class Pairing:
    """Settings that say how messages become pairs.

    Args:
        pairers: Methods to find pairs with; None means `ChatPairer`.
        author_key: Key of the pseudonyms.
        window: How many messages the default pairers consider together.
        include_bots: Whether bots and webhooks may ask and answer.
        limits: Limits of each message and pair.
        sayings: What bots have said so far.
    """

    pairers: tuple[Pairer, ...] | None
    author_key: bytes | None
    window: int
    include_bots: bool
    limits: Limits = Limits()

    def pairs(
        self,
        channels: Sequence[ChannelSource],
        drops: list[Dropped],
        on_drop: OnDrop,
        on_read: Callable[[int], None] = lambda _: None,
    ) -> Iterator[QAPair | Dropped]:
        """Yields pairs and drops, channel by channel.

        Args:
            channels: Parents before their threads.
            drops: Drops of the sources; they are yielded and removed from the list.
            on_drop: Called by the sources; adds a drop to that list.
            on_read: Called with the number of messages of each channel.

        Raises:
            ConservationError: A pairer lost or invented messages.
            SourceError: All messages of people are empty.
        """
        for _, items in self.by_channel(channels, drops, on_drop, on_read):
            yield from items

    def by_channel(
        self,
        channels: Sequence[ChannelSource],
        drops: list[Dropped],
        on_drop: OnDrop,
        on_read: Callable[[int], None] = lambda _: None,
    ) -> Iterator[tuple[Posts, Iterator[QAPair | Dropped]]]:
        """Yields each channel with its pairs and drops. Take these before the next channel. See `pairs`."""
        pairers = methods(self.pairers, self.window)
        for posts, place in self._read(channels, on_drop, on_read):
            yield posts, _items(posts, place, pairers, drops)

    def links(
        self,
        channels: Sequence[ChannelSource],
        on_drop: OnDrop,
        on_read: Callable[[int], None] = lambda _: None,
    ) -> Iterator[Link]:
        """Yields which message each message answers, channel by channel. See `pairs`."""
        for posts, _ in self._read(channels, on_drop, on_read):
            yield from (link for _, link in pairing.Linker().links(posts))

    def _read(
        self, channels: Sequence[ChannelSource], on_drop: OnDrop, on_read: Callable[[int], None]
    ) -> Iterator[tuple[Posts, Conversation]]:
        """Yields the posts of each channel; they must be read before the next channel.

        Raises:
            SourceError: All messages of people are empty.
        """
        names = Pseudonyms(self.author_key)
        said_by_people = bare = 0
        # Parents come before their threads, so each thread finds the message that it was opened on.
        starters: Starters = dict.fromkeys(c.starter for c in channels if c.starter)
        sayings = Sayings()
        for channel in progress(channels, "channels", "channel"):
            place = conversation(
                channel.channel, starters=starters.keys(), opening_missing=channel.opening_missing
            )
            posts = Posts(
                channel,
                names,
                starters,
                on_drop,
                self.limits,
                include_bots=self.include_bots,
                sayings=sayings,
            )
            yield posts, place
            on_read(posts.count)
            said_by_people += posts.by_people
            bare += posts.bare
        check_content(said_by_people, bare)


def check_content(by_people: int, bare: int) -> None:
    """Raises an error if all messages of people are empty.

    Args:
        by_people: How many messages people wrote.
        bare: How many of them have no content of any kind.

    Raises:
        SourceError: All are empty, and there are too many of them for a coincidence.
    """
    if bare >= _ENOUGH and bare == by_people:
        raise SourceError(f"all {bare:,} messages that people wrote are empty; {_INTENT}")


def _items(
    posts: Posts, place: Conversation, pairers: tuple[Pairer, ...], drops: list[Dropped]
) -> Iterator[QAPair | Dropped]:
    yield from paired(posts, place, pairers, drops)
    if posts.by_people >= _ENOUGH and posts.bare * 2 > posts.by_people:
        yield _without_content(posts.channel, posts)


def _without_content(channel: Channel, posts: Posts) -> Dropped:
    return Dropped(
        reason="no_content",
        unit="channel",
        where=named(channel),
        detail=f"{posts.bare:,} of {posts.by_people:,} messages that people wrote are empty; {_INTENT}",
    )


class Posts:
    """The posts of one channel; can be read once.

    Attributes:
        channel: The channel.
        name: The name that errors use.
        count: How many messages were read.
        usable: How many of them are not left out, so that they may be in a pair.
        by_people: How many of them people wrote.
        bare: How many of those have no content of any kind.
        limits: Limits of each message and pair.
    """

    def __init__(
        self,
        source: ChannelSource,
        names: Pseudonyms,
        starters: Starters,
        on_drop: OnDrop,
        limits: Limits,
        *,
        include_bots: bool,
        sayings: Sayings,
    ) -> None:
        self.channel = source.channel
        self.name = source.name
        self.count = 0
        self.usable = 0
        self.by_people = 0
        self.bare = 0
        self.limits = limits
        self._source = source
        self._names = names
        self._starters = starters
        self._on_drop = on_drop
        self._include_bots = include_bots
        self._bridges = Bridges()
        self._roles: dict[tuple[str, ...] | None, tuple[str, ...] | None] = {}
        self._thread = source.channel.id if source.channel.is_thread else ""
        self.sayings = sayings

    def __iter__(self) -> Iterator[Post]:
        for block, name in self._source.messages(ThinMessage, self._on_drop):
            self.count += len(block)
            for message in block:
                post = self._post(message, name)
                self.usable += not post.drop
                yield post

    def _post(self, message: ThinMessage, path: str) -> Post:
        text = message.content
        drop = self._source.refusal(message)
        if drop:
            text = ""
        elif not text and message.embeds:
            text = question_text(message, self._source.channel, embedded(message.embeds))
            drop = "message_too_long" if over(self.limits.message, text) else ""
            text = "" if drop else text
        elif over(self.limits.message, text or said(message)):
            text, drop = "", "message_too_long"
        elif message.mentions or not text or message.id == self._thread or message.title:
            text = question_text(message, self._source.channel)
        if not message.author.is_bot and message.type in SAID:
            self.by_people += 1
            self.bare += not message.content and is_bare(message)
        if drop:
            pass
        elif message.type not in SAID:
            drop = "system"
            if message.type in STARTERS:
                opening = self._opened_on(message, path)
                if opening is not None:
                    return opening
                drop = "thread_starter_missing"
        author = message.author
        speaker = author.id
        voice = ""
        if author.is_bot:  # A journal has the voice, an export the name.
            voice = author.voice or voice_of(author.id, author.nickname or author.name, author.discriminator)
        if voice and self._bridges.speaks(author.id, voice):
            speaker = f"{author.id}/{voice}"
        elif author.is_bot and not self._include_bots and not drop:
            drop = "bot"
            said_at = parse_time(message.timestamp, message.id)
            for words in (text, embedded(message.embeds) if message.content and message.embeds else ""):
                self.sayings.add(words, -inf if said_at is None else said_at.timestamp())
        post = Post(
            message.id,
            self._names[speaker],
            text,
            None if message.reference is None else reply_target(message, self._source.channel),
            message.timestamp,
            is_solved(message.reactions) if message.reactions else False,
            drop,
            path,
            message.timestamp_edited,
            tuple(filter(None, (author.nickname, author.name))),
            tuple(dict.fromkeys(mentioned(text, message.mentions or (), self._names))) if not drop else (),
            len(message.attachments or ()) + len(message.stickers or ()),
            self._roles_of(message),
        )
        # A later thread was opened on this message.
        if message.id in self._starters:
            self._starters[message.id] = post
        return post

    def _roles_of(self, message: ThinMessage) -> tuple[str, ...] | None:
        """Returns the roles of an author. Equal roles are one object, because every post has some."""
        found = self._source.roles(message)
        return self._roles.setdefault(found, found)

    def _opened_on(self, message: ThinMessage, name: str) -> Post | None:
        """Returns the parent channel's message that a thread was opened on, to replace its empty placeholder."""
        target = message.reference.message_id if message.reference is not None else None
        found = self._starters.get(target or "")
        if found is None or found.drop or not found.text.strip():
            return None
        return Post(
            message.id,
            found.speaker,
            found.text,
            None,
            found.sent_at,
            path=name,
            edited_at=found.edited_at,
            roles=found.roles,
        )


def source_of(channel: Channel, name: str) -> Source:
    """Returns the source of the messages in a channel's file."""
    place = conversation(channel)
    return attrs.evolve(place.source, path=name)
