"""Reads exports made by DiscordChatExporter and makes question-answer pairs of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator
from pathlib import Path
from typing import Literal

import attrs
from attrs import define, evolve, field, frozen

from furytune._checks import at_least, of_type, one_of
from furytune._pseudonym import Pseudonyms
from furytune.collectors._discord_files import (
    ChannelFiles,
    file_drop,
    find_files,
    in_channels,
    open_file,
)
from furytune.collectors._discord_json import Channel, FullMessage, ThinMessage
from furytune.collectors._discord_text import SAID, STARTERS, is_solved, reply_target, text_of
from furytune.collectors._json_stream import BLOCK, LIMIT
from furytune.collectors._names import printable
from furytune.errors import ConfigError, ConservationError, SourceError, SourceFormatError
from furytune.pairing import Conversation, Pairer, Post, ReplyPairer, ThreadPairer
from furytune.pairing.posts import parse_time
from furytune.records import Author, Dropped, Message, QAPair, Source

__all__ = ["DiscordExportCollector"]

Starters = dict[str, Post | None]


def _as_path(path: str | os.PathLike[str]) -> Path:
    if not isinstance(path, str | os.PathLike):
        raise ConfigError(f"path is one file or folder, not a {type(path).__name__}")
    return Path(path)


def _secret(_: object, attribute: attrs.Attribute[bytes | None], value: object) -> None:
    if value is not None and not isinstance(value, bytes):  # never shown, whatever it is
        raise ConfigError(f"{attribute.name} is bytes, such as text.encode(), not a {type(value).__name__}")


def _as_tuple(pairers: Iterable[Pairer] | None) -> tuple[Pairer, ...] | None:
    if pairers is None:
        return None
    if not isinstance(pairers, Iterable):
        raise ConfigError(f"pairers is a list of pairers, not a {type(pairers).__name__}")
    found = tuple(pairers)
    for pairer in found:
        if not isinstance(pairer, Pairer) or isinstance(pairer, type):
            raise ConfigError(
                "pairers is a list of objects with the methods fits and pair, such as [ThreadPairer()]; "
                f"one of them is of type {type(pairer).__name__}"
            )
    return found


@define
class _Outcome:
    """What of a collection could be read, passing drops on: nothing at all must not look like an empty channel."""

    path: Path
    on_drop: Callable[[Dropped], None]
    files: int = 0
    read: int = 0
    failed: list[Dropped] = field(factory=list)

    def drop(self, dropped: Dropped) -> None:
        if dropped.unit == "file":
            self.failed.append(dropped)
        self.on_drop(dropped)

    def check(self) -> None:
        """Raises where every file failed before its first message.

        Raises:
            SourceError: With the first reasons.
        """
        if self.read or not self.failed or len(self.failed) < self.files:
            return
        reasons = "; ".join(f"{drop.where}: {drop.detail}" for drop in self.failed[:3])
        more = f"; and {len(self.failed) - 3} more" if len(self.failed) > 3 else ""
        raise SourceError(
            f"{printable(self.path)}: no message could be read, for no file is a sound export ({reasons}{more}); "
            "export again with `--format Json`"
        )


@frozen
class DiscordExportCollector:
    """Pairs from DiscordChatExporter's JSON.

    Any layout of the JSON is read, plain or gzip, in bounded memory. Every message ends in a pair or in the count of a
    `Dropped`; a file that breaks its format raises, with file, line and column.

    Args:
        path: A file, or a folder whose ``*.json`` and ``*.json.gz`` are read with all sub-folders. Partitions and
            overlapping exports of one channel are merged by message id; of two equal ids the first file's counts.
        on_error: "raise" stops at the first malformed file or message; "skip" counts it as dropped and keeps the rest,
            but raises where nothing at all could be read.
        pairers: Methods to find pairs with; the first that fits a conversation is used. None is `ThreadPairer` and
            `ReplyPairer`.
        author_key: Key of the pseudonyms. None takes the environment's ``FURYTUNE_AUTHOR_KEY``, or else a key that is
            random in each process, so that pseudonyms of two runs differ.
        window: Messages of a channel that are looked at together, for the default pairers.
        include_bots: Let bots and webhooks speak; by default they are dropped as "bot".
        block_size: Bytes decoded at a time.
        max_message_bytes: A single message over this is refused.
    """

    path: Path = field(converter=_as_path)
    on_error: Literal["raise", "skip"] = field(
        default="raise", kw_only=True, validator=one_of("raise", "skip")
    )
    pairers: tuple[Pairer, ...] | None = field(default=None, kw_only=True, converter=_as_tuple)
    author_key: bytes | None = field(default=None, kw_only=True, repr=False, validator=_secret)
    window: int = field(default=50_000, kw_only=True, validator=at_least(2))
    include_bots: bool = field(default=False, kw_only=True, validator=of_type(bool))
    block_size: int = field(default=BLOCK, kw_only=True, validator=at_least(16))
    max_message_bytes: int = field(default=LIMIT, kw_only=True, validator=at_least(1024))

    def collect(self) -> Iterator[QAPair | Dropped]:
        """Yields pairs and drops, channel by channel, threads last.

        Raises:
            SourceError: There is nothing to read, or no file could be read.
            SourceFormatError: A file or message is malformed, and ``on_error`` is "raise".
        """
        pairers = self._pairers()
        names = Pseudonyms(self.author_key)
        out: list[Dropped] = []
        outcome = _Outcome(self.path, out.append)
        channels = self._channels(outcome)
        yield from out
        out.clear()
        starters: Starters = dict.fromkeys(c.starter for c in channels if c.starter)
        for channel in channels:
            yield from self._pair(channel, pairers, names, starters, outcome, out)
        outcome.check()

    def messages(self, *, on_drop: Callable[[Dropped], None] | None = None) -> Iterator[Message]:
        """Yields every message, system messages and bots too, each id once.

        Args:
            on_drop: Called for what is left out: duplicates, and with ``on_error="skip"`` malformed parts.

        Raises:
            SourceError: There is nothing to read, or no file could be read.
            SourceFormatError: A file or message is malformed, and ``on_error`` is "raise".
        """
        names = Pseudonyms(self.author_key)
        outcome = _Outcome(self.path, on_drop or (lambda _: None))
        for channel in self._channels(outcome):
            sources: dict[str, Source] = {}
            for block, name in channel.messages(FullMessage, outcome.drop):
                outcome.read += len(block)
                source = sources.get(name) or sources.setdefault(name, _source(channel.channel, name))
                for message in block:
                    yield _view(message, channel.channel, source, names)
        outcome.check()

    def _pairers(self) -> tuple[Pairer, ...]:
        if self.pairers is None:
            return ThreadPairer(self.window), ReplyPairer(self.window)
        if not self.pairers:
            raise ConfigError("pairers is empty: leave it out, or name at least one")
        return self.pairers

    def _channels(self, outcome: _Outcome) -> list[ChannelFiles]:
        found = []
        skip = self.on_error == "skip"
        for path, name in find_files(self.path):
            outcome.files += 1
            try:
                found.append(
                    open_file(path, name, skip=skip, block=self.block_size, limit=self.max_message_bytes)
                )
            except SourceFormatError as error:
                if not skip:
                    raise
                outcome.drop(file_drop(error, name))
        return in_channels(found)

    def _pair(
        self,
        channel: ChannelFiles,
        pairers: tuple[Pairer, ...],
        names: Pseudonyms,
        starters: Starters,
        outcome: _Outcome,
        drops: list[Dropped],
    ) -> Iterator[QAPair | Dropped]:
        place = evolve(_conversation(channel.channel), starters=starters.keys())
        pairer = next((p for p in pairers if p.fits(place)), None)
        posts = _Posts(channel, names, starters, outcome.drop, include_bots=self.include_bots)
        came_out = 0
        if pairer is None:
            came_out = yield from _unpaired(posts, place)
        else:
            for item in pairer.pair(posts, place):
                if isinstance(item, QAPair):
                    came_out += len(item.question_messages) + len(item.answer_messages)
                elif item.unit == "message":
                    came_out += item.count
                yield item
                while drops:
                    yield drops.pop(0)
        yield from drops
        drops.clear()
        outcome.read += posts.count
        if came_out != posts.count:
            raise ConservationError(
                f"{channel.files[0].name}: {posts.count} messages went into {type(pairer).__name__}, "
                f"{came_out} came out"
            )


def _unpaired(posts: _Posts, place: Conversation) -> Generator[Dropped, None, int]:
    """Counts the messages of a conversation that no pairer fits; returns their number."""
    for _ in posts:
        pass
    if posts.count:
        yield Dropped(
            reason="no_pairer", unit="message", count=posts.count, where=place.thread or place.channel
        )
    return posts.count


class _Posts:
    """The posts of one channel, to be read once; and how many there were."""

    def __init__(
        self,
        channel: ChannelFiles,
        names: Pseudonyms,
        starters: Starters,
        on_drop: Callable[[Dropped], None],
        *,
        include_bots: bool,
    ) -> None:
        self.count = 0
        self._channel = channel
        self._names = names
        self._starters = starters
        self._on_drop = on_drop
        self._include_bots = include_bots

    def __iter__(self) -> Iterator[Post]:
        for block, name in self._channel.messages(ThinMessage, self._on_drop):
            self.count += len(block)
            for message in block:
                yield self._post(message, name)

    def _post(self, message: ThinMessage, name: str) -> Post:
        text = message.content
        if message.mentions or not text:
            text = text_of(message)
        drop = ""
        if message.type not in SAID:
            drop = "system"
            if message.type in STARTERS:
                opening = self._opened_on(message, name)
                if opening is not None:
                    return opening
                drop = "thread_starter_missing"
        elif message.author.is_bot and not self._include_bots:
            drop = "bot"
        post = Post(
            message.id,
            self._names[message.author.id],
            text,
            None if message.reference is None else reply_target(message, self._channel.channel),
            message.timestamp,
            is_solved(message.reactions) if message.reactions else False,
            drop,
            name,
        )
        if message.id in self._starters:
            self._starters[message.id] = post
        return post

    def _opened_on(self, message: ThinMessage, name: str) -> Post | None:
        """The message of the parent channel that a thread was opened on, in the place of its empty stand-in."""
        target = message.reference.message_id if message.reference is not None else None
        found = self._starters.get(target or "")
        if found is None or found.drop or not found.text.strip():
            return None
        return Post(message.id, found.speaker, found.text, None, found.sent_at, path=name)


def _conversation(channel: Channel) -> Conversation:
    thread = channel.is_thread
    return Conversation(
        guild=channel.guild,
        channel=channel.parent if thread else channel.id,
        thread=channel.id if thread else "",
        is_thread=thread,
    )


def _source(channel: Channel, name: str) -> Source:
    place = _conversation(channel)
    return Source(path=name, guild=place.guild, channel=place.channel, thread=place.thread)


def _view(message: FullMessage, channel: Channel, source: Source, names: Pseudonyms) -> Message:
    author = message.author
    return Message(
        id=message.id,
        author=Author(
            pseudonym=names[author.id],
            is_bot=author.is_bot,
            roles=tuple(role.name for role in author.roles or () if role.name),
        ),
        content=text_of(message),
        sent_at=parse_time(message.timestamp, message.id),
        edited_at=parse_time(message.timestamp_edited, "") if message.timestamp_edited else None,
        type=message.type,
        reply_to=reply_target(message, channel) or None,
        channel=channel.id,
        attachments=len(message.attachments or ()),
        reactions=tuple((r.emoji.name or r.emoji.code or "", r.count) for r in message.reactions or ()),
        source=source,
    )
