"""Turns exports made by DiscordChatExporter into question-answer pairs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from attrs import define, field, frozen

from furytune._channels.pairing import as_pairers
from furytune._channels.profiles import profiles
from furytune._channels.selection import channel_names, chosen_channels
from furytune._discord.conversations import Pairing, source_of
from furytune._discord.export.files import open_files
from furytune._discord.export.participants import Participating, withholding
from furytune._discord.messages import view
from furytune._discord.shapes import FullMessage
from furytune._privacy.consent import Consent, by_number
from furytune._privacy.printable import printable
from furytune._privacy.pseudonyms import Pseudonyms
from furytune._readers.json_stream import BLOCK, LIMIT
from furytune._readers.limits import MAX_MESSAGE, MAX_MESSAGES, MAX_PAIR, Limits
from furytune._values.checks import at_least, bytes_or_none, of_type, one_of
from furytune.errors import ConfigError, SourceError
from furytune.pairing import Link, Pairer
from furytune.records import Dropped, Message, QAPair, Source
from furytune.report import ChannelProfiles

__all__ = ["DiscordExportCollector"]


def _as_path(path: str | os.PathLike[str]) -> Path:
    """Converts the path of an export."""
    if not isinstance(path, str | os.PathLike):
        raise ConfigError(f"path must be one file or folder, not a {type(path).__name__}")
    return Path(path)


@define
class _Outcome:
    """Counts readable files, so that an export in which nothing is readable raises instead of looking empty.

    Attributes:
        path: What was given to the collector.
        on_drop: Receives every drop.
        files: Number of files that were found.
        read: Number of messages that could be read.
        failed: Files that could not be read.
    """

    path: Path
    on_drop: Callable[[Dropped], None]
    files: int = 0
    read: int = 0
    failed: list[Dropped] = field(factory=list)

    def drop(self, dropped: Dropped) -> None:
        """Passes a drop on, and remembers files that failed."""
        if dropped.unit == "file":
            self.failed.append(dropped)
        self.on_drop(dropped)

    def count(self, messages: int) -> None:
        self.read += messages

    def check(self) -> None:
        """Raises an error if every file failed before its first message.

        Raises:
            SourceError: With the first reasons.
        """
        if self.read or not self.failed or sum(drop.count for drop in self.failed) < self.files:
            return
        reasons = "; ".join(f"{drop.where}: {drop.detail}" for drop in self.failed[:3])
        more = f"; and {len(self.failed) - 3} more" if len(self.failed) > 3 else ""
        raise SourceError(
            f"{printable(self.path)}: no message could be read: no file is a readable export ({reasons}{more}); "
            "export again with `--format Json`"
        )


@frozen
class DiscordExportCollector:
    """Pairs from DiscordChatExporter's JSON.

    Reads any layout of the JSON, plain or gzip, in bounded memory. Every message is in a pair or counted in a
    `Dropped`. A malformed file raises an error with file, line and column.

    Args:
        path: A file, or a folder whose ``*.json`` and ``*.json.gz`` are read, including all sub-folders. Partitions and
            overlapping exports of one channel are merged by message id. If a message has several states, the one with
            the latest edit counts, then the one from the latest export. Other JSON in the folder, such as what the
            exporter saves with ``--media``, is counted as "not_an_export".
        on_error: "raise" stops at the first malformed file or message. "skip" counts it as dropped and keeps the rest,
            but still raises if nothing could be read at all.
        pairers: Methods to find pairs with; the first that fits a conversation is used. None means
            `ChatPairer`.
        consent: Whose messages are used, by the user ids and roles in the export. If several exports disagree about
            someone's roles, the newest counts. Other messages are dropped as "opted_out" or "not_opted_in", or as
            "unknown_author" if they forward a message that is not in the export. With any rule, the files are read
            twice, or three times if they contain forwarded messages.
        author_key: Key of the pseudonyms. None means the environment variable ``FURYTUNE_AUTHOR_KEY`` or, without it, a
            random key in each process, so that the pseudonyms of two runs differ.
        channels: Ids or names of the channels and categories to read, with their threads and posts. Empty means
            everything.
        exclude: Ids or names of channels and categories to leave out; it takes precedence over ``channels``.
        window: How many messages of a channel the default pairers consider together.
        include_bots: Whether bots and webhooks may ask and answer; by default they are dropped as "bot".
        block_size: Bytes decoded at a time.
        max_message_bytes: Most bytes of a single message in the file, all fields included; a larger one is refused.
        max_message: Most bytes of a message's text, as UTF-8; a longer one is dropped as "message_too_long".
        max_pair: Most bytes of question and answer together; a longer pair is dropped as "pair_too_long".
        max_messages: Most messages in a question, and in an answer; a larger pair is dropped as "too_many_messages".
    """

    path: Path = field(converter=_as_path)
    on_error: Literal["raise", "skip"] = field(
        default="raise", kw_only=True, validator=one_of("raise", "skip")
    )
    pairers: tuple[Pairer, ...] | None = field(default=None, kw_only=True, converter=as_pairers)
    consent: Consent = field(default=Consent(), kw_only=True, validator=[of_type(Consent), by_number])
    author_key: bytes | None = field(default=None, kw_only=True, repr=False, validator=bytes_or_none)
    channels: tuple[str, ...] = field(default=(), kw_only=True, converter=channel_names)
    exclude: tuple[str, ...] = field(default=(), kw_only=True, converter=channel_names)
    window: int = field(default=50_000, kw_only=True, validator=at_least(2))
    include_bots: bool = field(default=False, kw_only=True, validator=of_type(bool))
    block_size: int = field(default=BLOCK, kw_only=True, validator=at_least(16))
    max_message_bytes: int = field(default=LIMIT, kw_only=True, validator=at_least(1024))
    max_message: int = field(default=MAX_MESSAGE, kw_only=True, validator=at_least(1))
    max_pair: int = field(default=MAX_PAIR, kw_only=True, validator=at_least(1))
    max_messages: int = field(default=MAX_MESSAGES, kw_only=True, validator=at_least(1))

    def collect(self) -> Iterator[QAPair | Dropped]:
        """Yields pairs and drops, channel by channel, threads last.

        Raises:
            ConfigError: ``consent`` names a role that no author in the export has, or ``channels`` or ``exclude`` names
                a channel that is not in the export.
            SourceError: There is nothing to read, no file could be read, or all messages of people are empty.
            SourceFormatError: A file or message is malformed, and ``on_error`` is "raise".
        """
        out: list[Dropped] = []
        outcome = _Outcome(self.path, out.append)
        channels = self._channels(outcome)
        yield from out
        out.clear()
        yield from self._pairing.pairs(channels, out, outcome.drop, outcome.count)
        outcome.check()

    def profile(self, *, on_drop: Callable[[Dropped], None] | None = None) -> ChannelProfiles:
        """Returns what there is to learn in each channel, the one with the most to learn first. Print it.

        Args:
            on_drop: Called for everything that is in no pair, as `collect` yields it.

        Raises:
            ConfigError: ``consent`` names a role that no author in the export has, or ``channels`` or ``exclude`` names
                a channel that is not in the export.
            SourceError: There is nothing to read, no file could be read, or all messages of people are empty.
            SourceFormatError: A file or message is malformed, and ``on_error`` is "raise".
        """
        tell = on_drop or (lambda _: None)
        outcome = _Outcome(self.path, tell)
        channels = self._channels(outcome)
        found = profiles(self._pairing.by_channel(channels, [], outcome.drop, outcome.count), tell)
        outcome.check()
        return found

    def links(self, *, on_drop: Callable[[Dropped], None] | None = None) -> Iterator[Link]:
        """Yields which message each message answers, channel by channel, threads last.

        A message of a bot, of the system, or of someone who does not take part has a link without a parent.

        Args:
            on_drop: Called for everything that has no link; see `messages`.

        Raises:
            ConfigError: ``consent`` names a role that no author in the export has, or ``channels`` or ``exclude`` names
                a channel that is not in the export.
            SourceError: There is nothing to read, no file could be read, or all messages of people are empty.
            SourceFormatError: A file or message is malformed, and ``on_error`` is "raise".
        """
        outcome = _Outcome(self.path, on_drop or (lambda _: None))
        yield from self._pairing.links(self._channels(outcome), outcome.drop, outcome.count)
        outcome.check()

    def messages(self, *, on_drop: Callable[[Dropped], None] | None = None) -> Iterator[Message]:
        """Yields every message, including those of bots and the system, each id once.

        Args:
            on_drop: Called for everything that is left out: duplicates, other files, channels that were not chosen,
                messages whose authors do not take part, and with ``on_error="skip"`` malformed parts.

        Raises:
            ConfigError: ``consent`` names a role that no author in the export has, or ``channels`` or ``exclude`` names
                a channel that is not in the export.
            SourceError: There is nothing to read, or no file could be read.
            SourceFormatError: A file or message is malformed, and ``on_error`` is "raise".
        """
        names = Pseudonyms(self.author_key)
        outcome = _Outcome(self.path, on_drop or (lambda _: None))
        for channel in self._channels(outcome):
            sources: dict[str, Source] = {}
            for block, name in channel.messages(FullMessage, outcome.drop):
                outcome.read += len(block)
                source = sources.get(name) or sources.setdefault(name, source_of(channel.channel, name))
                for message in block:
                    if why := channel.refusal(message):
                        outcome.drop(Dropped(reason=why, unit="message", ids=(message.id,), where=name))
                        continue
                    roles = tuple(role.name for role in message.author.roles or () if role.name)
                    yield view(message, channel.channel, source, names, roles)
        outcome.check()

    @property
    def _pairing(self) -> Pairing:
        limits = Limits(message=self.max_message, pair=self.max_pair, messages=self.max_messages)
        return Pairing(self.pairers, self.author_key, self.window, self.include_bots, limits)

    def _channels(self, outcome: _Outcome) -> list[Participating]:
        """Returns the channels to read, with the decision about each author."""
        found, outcome.files = open_files(
            self.path,
            outcome.drop,
            skip=self.on_error == "skip",
            block=self.block_size,
            limit=self.max_message_bytes,
        )
        # All channels are searched: an author's newest roles may be in a channel that was not chosen.
        people = withholding(found, self.consent)
        chosen = chosen_channels(found, self.channels, self.exclude, outcome.drop)
        return [Participating(channel, people) for channel in chosen]
