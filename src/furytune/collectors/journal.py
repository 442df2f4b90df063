"""Reads a journal, in which live collection keeps what it read, without asking Discord anything."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from attrs import field, frozen

from furytune._canonical import Json
from furytune._checks import at_least, of_type
from furytune._pseudonym import Pseudonyms
from furytune.collectors._adopting import Adopted, adopt
from furytune.collectors._discord_json import Channel, FullMessage
from furytune.collectors._discord_pairs import M, OnDrop, Pairing, as_pairers, bytes_or_none, source_of
from furytune.collectors._discord_view import view
from furytune.collectors._names import one_line, printable
from furytune.errors import SourceError
from furytune.journal._lines import GONE
from furytune.journal.log import Log
from furytune.journal.store import About, Journal, Unread
from furytune.pairing import Pairer
from furytune.records import Dropped, Message, QAPair

__all__ = ["JournalCollector"]

_UNWANTED = {"excluded", "not_included", "private_thread"}
_SHOWN = 5
_NAMED = 20


@frozen
class _Logged:
    """One log as a source of messages."""

    channel: Channel
    log: Log

    @property
    def name(self) -> str:
        return f"channels/{self.channel.id}.jsonl"

    @property
    def starter(self) -> str:
        # In Discord a thread that was opened on a message has the message's id.
        return self.channel.id if self.channel.is_thread else ""

    @property
    def opening_missing(self) -> bool:
        """True if the first message was deleted or is withheld: only its id is in the journal."""
        first = next(iter(self.log.lines()), None)
        return first is not None and first[1].startswith(GONE)

    def messages(self, kind: type[M], on_drop: OnDrop) -> Iterator[tuple[list[M], str]]:
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
        """Returns "": what may not be used is not in the journal."""
        return ""


@frozen
class JournalCollector:
    """Pairs from a journal, offline: one collection serves any number of data sets.

    Channels that the last run was told to leave out are passed over, whatever the journal holds of them.

    Args:
        journal: The folder that `DiscordCollector` writes to.
        pairers: Methods to find pairs with; the first that fits a conversation is used. None is `ThreadPairer` and
            `ReplyPairer`.
        author_key: Key of the pseudonyms. None takes the environment's ``FURYTUNE_AUTHOR_KEY``, or else a key that is
            random in each process, so that pseudonyms of two runs differ.
        window: Messages of a channel that are looked at together, for the default pairers.
        include_bots: Let bots and webhooks speak; by default they are dropped as "bot".
    """

    journal: Journal = field(converter=Journal)
    pairers: tuple[Pairer, ...] | None = field(default=None, kw_only=True, converter=as_pairers)
    author_key: bytes | None = field(default=None, kw_only=True, repr=False, validator=bytes_or_none)
    window: int = field(default=50_000, kw_only=True, validator=at_least(2))
    include_bots: bool = field(default=False, kw_only=True, validator=of_type(bool))

    def collect(self) -> Iterator[QAPair | Dropped]:
        """Yields pairs and drops, channel by channel, threads last; first what the last run could not read.

        Raises:
            SourceError: There is no journal, or one that holds no channel.
            SourceFormatError: A log is damaged.
        """
        channels = self._channels()
        yield from map(as_drop, self.journal.about().unread)
        drops: list[Dropped] = []
        pairing = Pairing(self.pairers, self.author_key, self.window, self.include_bots)
        yield from pairing.pairs(channels, drops, drops.append)

    def messages(self, *, on_drop: Callable[[Dropped], None] | None = None) -> Iterator[Message]:
        """Yields every message, system messages and bots too.

        Args:
            on_drop: Called for what is left out: messages that were deleted, or whose authors do not take part.

        Raises:
            SourceError: There is no journal, or one that holds no channel.
            SourceFormatError: A log is damaged.
        """
        names = Pseudonyms(self.author_key)
        people = self.journal.people()
        for logged in self._channels():
            source = source_of(logged.channel, logged.name)
            for block, _ in logged.messages(FullMessage, on_drop or (lambda _: None)):
                for message in block:
                    held = people.members.get(message.author.id, ())
                    roles = tuple(people.roles[role] for role in held if role in people.roles)
                    yield view(message, logged.channel, source, names, roles)

    def adopt(
        self, path: str | os.PathLike[str], *, on_drop: Callable[[Dropped], None] | None = None
    ) -> Adopted:
        """Takes the messages of DiscordChatExporter files into the journal, so that live collection goes on from there.

        What the journal holds already is left as it is. Adopting twice changes nothing. Print what is returned: it names
        the channels that may have holes.

        Args:
            path: A file, or a folder with all its sub-folders.
            on_drop: Called for malformed messages and repeated ones, which are left out.

        Raises:
            SourceError: There is nothing to read, an export is of another server, or somebody else is writing.
            SourceFormatError: A file is malformed.
        """
        return adopt(self.journal, path, on_drop or (lambda _: None))

    @property
    def provenance(self) -> Mapping[str, Json]:
        """Tells the server, who permitted what, and which channels hold messages that an export brought.

        The manifest of a data set repeats it. What was only adopted was read under no statement, so none is there.
        """
        about = self.journal.about()
        return {
            "collector": "discord",
            "guild": about.guild,
            "permission": [{"statement": p.statement, "since": p.since} for p in about.permissions],
            "adopted": list(about.adopted),
        }

    def _channels(self) -> list[_Logged]:
        place = printable(self.journal.path)
        if not self.journal.there:
            raise SourceError(
                f"{place}: there is no journal here; collect with DiscordCollector, or take an export in with adopt()"
            )
        about = self.journal.about()
        guild = about.guild
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
                found.append(_Logged(channel, log))
        if not found:
            raise SourceError(f"{place}: {_why_empty(about)}")
        return sorted(found, key=lambda logged: (logged.channel.is_thread, int(logged.channel.id)))


def _why_empty(about: About) -> str:
    if not about.unread:
        seen = "the bot sees no channel of the server" if about.name else "let a collection come to its end"
        return f"the journal holds no channel yet; {seen}"
    drops = [as_drop(item) for item in about.unread[:_SHOWN]]
    named = ", ".join(f"{d.where}: {d.reason}{f' ({d.detail})' if d.detail else ''}" for d in drops)
    more = f", and {len(about.unread) - _SHOWN} more" if len(about.unread) > _SHOWN else ""
    return f"no channel is to be read: {named}{more}; see include= and exclude=, and what the bot may read"


def as_drop(unread: Unread) -> Dropped:
    """Returns what a report says of a channel that could not be read."""
    named = f"#{one_line(unread.name)} ({unread.id})" if unread.name else unread.id
    return Dropped(reason=unread.reason, unit="channel", where=named, detail=unread.detail)
