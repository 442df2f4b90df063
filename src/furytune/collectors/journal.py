"""Reads a journal, where live collection stores what it read, without asking Discord for anything."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from attrs import field, frozen

from furytune._channels.channel import Channel
from furytune._channels.pairing import OnDrop, as_pairers
from furytune._channels.profiles import profiles
from furytune._channels.selection import channel_names, chosen_channels
from furytune._discord.conversations import M, Pairing, source_of
from furytune._discord.export.adopting import Adopted, adopt
from furytune._discord.journal.state import People
from furytune._discord.journal.store import About, Journal, Unread
from furytune._discord.messages import view
from furytune._discord.shapes import FullMessage, ThinMessage
from furytune._privacy.printable import one_line, printable
from furytune._privacy.pseudonyms import Pseudonyms
from furytune._readers.limits import MAX_MESSAGE, MAX_MESSAGES, MAX_PAIR, Limits
from furytune._storage.journal.lines import GONE
from furytune._storage.journal.log import Log
from furytune._storage.system import system_errors_as
from furytune._values.canonical import Json
from furytune._values.checks import at_least, bytes_or_none, of_type
from furytune.errors import SourceError
from furytune.pairing import Link, Pairer
from furytune.records import Dropped, Message, QAPair
from furytune.report import ChannelProfiles

__all__ = ["Adopted", "JournalCollector"]

_UNWANTED = {"excluded", "not_included", "private_thread"}
_SHOWN = 5
_NAMED = 20


@frozen
class _Logged:
    """One log as a source of messages."""

    channel: Channel
    log: Log
    people: People

    @property
    def name(self) -> str:
        return f"channels/{self.channel.id}.jsonl"

    @property
    def starter(self) -> str:
        # In Discord, a thread that was opened on a message has the id of that message.
        return self.channel.id if self.channel.is_thread else ""

    @property
    def opening_missing(self) -> bool:
        """True if the first message was deleted or is withheld: only its id is in the journal."""
        first = next(iter(self.log.lines()), None)
        return first is not None and first[1].startswith(GONE)

    def messages(self, kind: type[M], on_drop: OnDrop) -> Iterator[tuple[list[M], str]]:
        """Yields the log's messages, then one drop for each reason why messages are gone."""
        gone: Counter[str] = Counter()
        ids: dict[str, tuple[str, ...]] = {}
        for block, missing in self.log.blocks(kind):
            for item in missing:
                gone[item.why] += 1
                if gone[item.why] <= _NAMED:
                    ids[item.why] = (*ids.get(item.why, ()), item.id)
            if block:
                yield block, self.name
        for why, count in sorted(gone.items()):
            on_drop(Dropped(reason=why, unit="message", count=count, ids=ids[why], where=self.name))

    def refusal(self, message: object) -> str:  # noqa: ARG002  # the protocol's signature
        """Returns "": messages that may not be used are not in the journal."""
        return ""

    def roles(self, message: FullMessage | ThinMessage) -> tuple[str, ...] | None:
        """Returns the roles that an author had at the last collection, None if no one looked."""
        held = self.people.members.get(message.author.id)
        return None if held is None else tuple(filter(None, map(self.people.roles.get, held)))


@frozen
class JournalCollector:
    """Pairs from a journal, offline: collect once, make any number of data sets.

    Skips channels that the last run was told to leave out, even if the journal contains messages of theirs.

    Args:
        journal: The folder that `DiscordCollector` writes to.
        pairers: Methods to find pairs with; the first that fits a conversation is used. None means
            `ChatPairer`.
        author_key: Key of the pseudonyms. None means the environment variable ``FURYTUNE_AUTHOR_KEY`` or, without it, a
            random key in each process, so that the pseudonyms of two runs differ.
        channels: Ids or names of the channels to read, with their threads. Give forums and categories by id, because a
            journal does not store their names. Empty means everything.
        exclude: Ids or names of channels to leave out; it takes precedence over ``channels``.
        window: How many messages of a channel the default pairers consider together.
        include_bots: Whether bots and webhooks may ask and answer; by default they are dropped as "bot".
        max_message: Most bytes of a message's text, as UTF-8; a longer one is dropped as "message_too_long".
        max_pair: Most bytes of question and answer together; a longer pair is dropped as "pair_too_long".
        max_messages: Most messages in a question, and in an answer; a larger pair is dropped as "too_many_messages".
    """

    journal: Journal = field(converter=Journal)
    pairers: tuple[Pairer, ...] | None = field(default=None, kw_only=True, converter=as_pairers)
    author_key: bytes | None = field(default=None, kw_only=True, repr=False, validator=bytes_or_none)
    channels: tuple[str, ...] = field(default=(), kw_only=True, converter=channel_names)
    exclude: tuple[str, ...] = field(default=(), kw_only=True, converter=channel_names)
    window: int = field(default=50_000, kw_only=True, validator=at_least(2))
    include_bots: bool = field(default=False, kw_only=True, validator=of_type(bool))
    max_message: int = field(default=MAX_MESSAGE, kw_only=True, validator=at_least(1))
    max_pair: int = field(default=MAX_PAIR, kw_only=True, validator=at_least(1))
    max_messages: int = field(default=MAX_MESSAGES, kw_only=True, validator=at_least(1))

    def collect(self) -> Iterator[QAPair | Dropped]:
        """Yields the channels that the last run could not read, then pairs and drops by channel, threads last.

        Raises:
            ConfigError: ``channels`` or ``exclude`` names a channel that is not in the journal.
            SourceError: There is no journal, it contains no channel, or all messages of people are empty.
            SourceFormatError: A log is damaged.
        """
        with system_errors_as(SourceError, self.journal.path):
            drops: list[Dropped] = []
            channels = self._channels(drops.append)
            yield from map(as_drop, self.journal.about().unread)
            yield from drops
            drops.clear()
            yield from self._pairing.pairs(channels, drops, drops.append)

    def profile(self, *, on_drop: Callable[[Dropped], None] | None = None) -> ChannelProfiles:
        """Returns what there is to learn in each channel, the one with the most to learn first. Print it.

        Args:
            on_drop: Called for everything that is in no pair, as `collect` yields it.

        Raises:
            ConfigError: ``channels`` or ``exclude`` names a channel that is not in the journal.
            SourceError: There is no journal, it contains no channel, or all messages of people are empty.
            SourceFormatError: A log is damaged.
        """
        tell = on_drop or (lambda _: None)
        with system_errors_as(SourceError, self.journal.path):
            channels = self._channels(tell)
            for unread in self.journal.about().unread:
                tell(as_drop(unread))
            return profiles(self._pairing.by_channel(channels, [], tell), tell)

    def links(self, *, on_drop: Callable[[Dropped], None] | None = None) -> Iterator[Link]:
        """Yields which message each message answers, channel by channel, threads last.

        A message of a bot or of the system has a link without a parent.

        Args:
            on_drop: Called for everything that has no link; see `messages`.

        Raises:
            ConfigError: ``channels`` or ``exclude`` names a channel that is not in the journal.
            SourceError: There is no journal, it contains no channel, or all messages of people are empty.
            SourceFormatError: A log is damaged.
        """
        tell = on_drop or (lambda _: None)
        with system_errors_as(SourceError, self.journal.path):
            yield from self._pairing.links(self._channels(tell), tell)

    def messages(self, *, on_drop: Callable[[Dropped], None] | None = None) -> Iterator[Message]:
        """Yields every message, including those of bots and the system.

        Args:
            on_drop: Called for everything that is left out: messages that were deleted or whose authors do not take
                part, and channels that were not chosen.

        Raises:
            ConfigError: ``channels`` or ``exclude`` names a channel that is not in the journal.
            SourceError: There is no journal, or it contains no channel.
            SourceFormatError: A log is damaged.
        """
        names = Pseudonyms(self.author_key)
        tell = on_drop or (lambda _: None)
        with system_errors_as(SourceError, self.journal.path):
            for logged in self._channels(tell):
                source = source_of(logged.channel, logged.name)
                for block, _ in logged.messages(FullMessage, tell):
                    for message in block:
                        yield view(message, logged.channel, source, names, logged.roles(message) or ())

    def adopt(
        self, path: str | os.PathLike[str], *, on_drop: Callable[[Dropped], None] | None = None
    ) -> Adopted:
        """Adds the messages of DiscordChatExporter files to the journal, so that live collection continues from there.

        If the journal already contains a message, the state with the later edit stays; if the edits are equal and the
        journal was never read live, the later export wins. Messages that were removed from the journal stay removed.
        Adopting twice changes nothing. Print the result: it lists the channels that may have holes.

        Args:
            path: A file, or a folder with all its sub-folders.
            on_drop: Called for what is left out: malformed and repeated messages, and files that are not exports.

        Raises:
            SourceError: There is nothing to read, all messages of people are empty, an export is of another server, or
                another process is writing to the journal.
            SourceFormatError: A file is malformed.
        """
        with system_errors_as(SourceError, self.journal.path, "what was adopted so far is saved"):
            return adopt(self.journal, path, on_drop or (lambda _: None))

    @property
    def provenance(self) -> Mapping[str, Json]:
        """The server, who permitted what, and which channels contain messages from an export.

        The manifest of a data set repeats it. A journal that was only adopted has no permission, because nothing was
        read under one.
        """
        with system_errors_as(SourceError, self.journal.path):
            about = self.journal.about()
        return {
            "collector": "discord",
            "guild": about.guild,
            "permission": [{"statement": p.statement, "since": p.since} for p in about.permissions],
            "adopted": list(about.adopted),
        }

    @property
    def _pairing(self) -> Pairing:
        limits = Limits(message=self.max_message, pair=self.max_pair, messages=self.max_messages)
        return Pairing(self.pairers, self.author_key, self.window, self.include_bots, limits)

    def _channels(self, on_drop: OnDrop) -> list[_Logged]:
        """Returns the logs to read, channels before threads.

        Raises:
            SourceError: There is no journal, or nothing is left to read.
        """
        place = printable(self.journal.path)
        if not self.journal.there:
            raise SourceError(
                f"{place}: there is no journal here; collect with DiscordCollector, or add an export with adopt()"
            )
        about = self.journal.about()
        guild = about.guild
        people = self.journal.people()
        # If no one has a role, no one looked: the bot could not list the members, and no rule needed their roles.
        people = people if any(people.members.values()) else People()
        # The last run decided what is wanted; older messages may still be in the journal.
        unwanted = {item.id for item in about.unread if item.reason in _UNWANTED}
        found = []
        for uid, log in self.journal.logs().items():
            state = log.peek().channel
            if state is not None and uid not in unwanted:
                channel = Channel(
                    guild=guild,
                    id=state.id,
                    parent=state.parent,
                    kind=state.type,
                    name=state.name,
                    tags=state.tags,
                )
                found.append(_Logged(channel, log, people))
        if not found:
            raise SourceError(f"{place}: {_why_empty(about)}")
        # Channels come before threads, because a thread can begin with a message of its channel.
        found.sort(key=lambda logged: (logged.channel.is_thread, int(logged.channel.id)))
        return chosen_channels(found, self.channels, self.exclude, on_drop)


def _why_empty(about: About) -> str:
    """Returns why no channel is left, with the first channels and their reasons."""
    if not about.unread:
        seen = "the bot sees no channel of the server" if about.name else "let a collection run to its end"
        return f"the journal contains no channel yet; {seen}"
    drops = [as_drop(item) for item in about.unread[:_SHOWN]]
    named = ", ".join(f"{d.where}: {d.reason}{f' ({d.detail})' if d.detail else ''}" for d in drops)
    more = f", and {len(about.unread) - _SHOWN} more" if len(about.unread) > _SHOWN else ""
    return (
        f"no channel is left to read: {named}{more}; check include= and exclude=, and what the bot may read"
    )


def as_drop(unread: Unread) -> Dropped:
    """Returns the drop that reports a channel that could not be read."""
    named = f"#{one_line(unread.name)} ({unread.id})" if unread.name else unread.id
    return Dropped(reason=unread.reason, unit="channel", where=named, detail=unread.detail)
