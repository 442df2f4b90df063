"""Collects from a Discord server, live, with a bot's token."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

import attrs
import msgspec
from attrs import field, frozen

from furytune._discord.api.background import in_thread
from furytune._discord.api.clock import Clock
from furytune._discord.api.session import Session
from furytune._discord.crawl.channel_sync import Counts
from furytune._discord.crawl.crawl import Crawl
from furytune._discord.crawl.participants import Participants
from furytune._discord.crawl.repair import mend, sound_cursors, to_mend
from furytune._discord.crawl.survey import Survey, held_back, survey
from furytune._discord.journal.store import About, Journal, Unread
from furytune._network.endpoint import checked_endpoint
from furytune._network.patience import Patience
from furytune._privacy.consent import Consent, by_number
from furytune._privacy.ids import is_digits, snowflake_at
from furytune._privacy.secret import Secret
from furytune._storage.journal.files import Permission
from furytune._storage.system import system_errors_as
from furytune._values.canonical import Json
from furytune._values.checks import duration, of_type
from furytune._values.shown import Shown
from furytune.collectors.journal import JournalCollector, as_drop
from furytune.errors import ConfigError, SourceError
from furytune.records import Dropped, Message, QAPair
from furytune.report.progress import meter

__all__ = ["DiscordCollector", "Patience", "Update"]

# Reasons to withhold a message that come from its author's decision.
_SILENT = "not_opted_in"
_UNWILLING = ("forgotten", "opted_out", _SILENT)


def _id(value: str | int) -> str:
    """Converts the id of a server."""
    found = str(value).strip()
    if isinstance(value, bool) or not is_digits(found):
        raise ConfigError(
            "guild must be the server's id, a number such as '613425648685547541': in Discord, switch on Developer Mode, "
            "then right-click the server's name"
        )
    return found


def _secret(_: object, attribute: attrs.Attribute[Secret], value: object) -> None:
    """Validates the token without ever showing its value."""
    if not isinstance(value, Secret):  # its value is never shown
        raise ConfigError(
            f'{attribute.name} must be a Secret, such as Secret.env("DISCORD_TOKEN"), not a {type(value).__name__}'
        )


def _statement(_: object, attribute: attrs.Attribute[str], value: object) -> None:
    """Validates that someone says who permitted the collection."""
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(
            f"{attribute.name} must say in your words who permitted this collection and what for, such as "
            '"Discord granted us ... on 2026-03-01; announced to the members in #rules". Discord\'s developer policy '
            "forbids training models on message content without its permission; see the page Policy of the docs"
        )


def _names(value: str | int | Iterable[str | int]) -> tuple[str, ...]:
    """Converts names or ids of channels."""
    if not isinstance(value, str | Iterable | int) or isinstance(value, bytes | bytearray):
        raise ConfigError('include and exclude must be lists of channel ids or names, such as ["help"]')
    return (str(value),) if isinstance(value, str | int) else tuple(map(str, value))


def _as_collector(value: str | os.PathLike[str] | JournalCollector) -> JournalCollector:
    return value if isinstance(value, JournalCollector) else JournalCollector(value)


@frozen(kw_only=True, repr=False)
class Update(Shown):
    """What one run changed in the journal.

    Attributes:
        new: Messages that were not in the journal before.
        changed: Messages that were edited, reacted to, or otherwise changed.
        deleted: Messages that were deleted in Discord, and are now removed from the journal too.
        withheld: Messages that were not collected because their authors do not take part.
        unwritable: Messages that were not collected because their text contains a lone surrogate.
        removed: Messages that were removed because their authors no longer take part.
        channels: Channels and threads that were read.
        requests: Requests sent to Discord.
        roles_known: Whether the roles of all members could be listed.
        roles_asked: Authors whose roles were requested one by one, because members could not be listed.
        repaired: Channels whose log contained ids from the future, which an earlier version took from a wrong answer of
            Discord. The ids were removed, and the channels were read again from the beginning.
        unread: Channels that were not read, with the reason.
    """

    new: int = 0
    changed: int = 0
    deleted: int = 0
    withheld: int = 0
    unwritable: int = 0
    removed: int = 0
    channels: int = 0
    requests: int = 0
    roles_known: bool = False
    roles_asked: int = 0
    repaired: int = 0
    unread: tuple[Dropped, ...] = ()

    def __str__(self) -> str:
        lines = [
            f"messages  {self.new:>9,}  new",
            f"          {self.changed:>9,}  changed",
            f"          {self.deleted:>9,}  deleted",
            f"          {self.withheld + self.removed:>9,}  withheld or removed: their authors do not take part",
            f"channels  {self.channels:>9,}  read, threads included",
            f"requests  {self.requests:>9,}",
        ]
        if self.unwritable:
            lines.insert(
                4,
                f"          {self.unwritable:>9,}  not collected: their text contains a lone surrogate (lone_surrogate)",
            )
        if self.repaired:
            lines.append(
                f"repaired  {self.repaired:>9,}  channels whose log held impossible ids: read again from the beginning"
            )
        lines += [
            f"not read  {d.where}: {d.reason}{f' ({d.detail})' if d.detail else ''}" for d in self.unread
        ]
        if self.roles_asked:
            lines.append(
                f"roles     {self.roles_asked:>9,}  asked for one by one: faster with the Server Members Intent"
            )
        elif not self.roles_known:
            lines.append("roles     unknown: switch on the Server Members Intent if you want them")
        return "\n".join(lines)


@frozen(kw_only=True)
class DiscordCollector:
    """Reads a Discord server live into a journal, with a bot's token, and makes pairs from the journal.

    Reads all channels that the bot may read: text, announcement, voice and stage text, forum and media posts, and
    threads, including archived ones. A run reads what is new since the last one. It may be killed at any moment, and
    the next run resumes it. It only sends requests to read.

    Args:
        guild: Id of the server.
        token: The bot's token. A person's token is refused.
        permission: Who permitted this collection and what for, in your words. It is stored in the journal and copied
            into the manifest of every data set; only you can know whether it is true.
        journal: Folder of the journal, or a `JournalCollector` that says how to read it.
        include: Ids or names of the channels, categories or forums to read. Empty means everything.
        exclude: Ids or names of those not to read; messages of theirs that are already in the journal are ignored.
        private_threads: Whether to read private threads too: those that someone added the bot to, or all of them if the
            bot has Manage Threads. If False, messages of theirs that are already in the journal are ignored.
        consent: Whose messages are collected.
        recheck: Age up to which every run compares messages with Discord, so that edits and deletions arrive. `refresh`
            compares older ones.
        patience: How often and how long a failed request is retried.
        endpoint: Address of another server that speaks Discord's API, for rehearsals; "" is Discord.

    Raises:
        ConfigError: An argument cannot work.
    """

    guild: str = field(converter=_id)
    token: Secret = field(validator=_secret)
    permission: str = field(validator=_statement)
    journal: JournalCollector = field(
        factory=lambda: JournalCollector("discord-journal"), converter=_as_collector
    )
    include: tuple[str, ...] = field(default=(), converter=_names)
    exclude: tuple[str, ...] = field(default=(), converter=_names)
    private_threads: bool = field(default=False, validator=of_type(bool))
    consent: Consent = field(default=Consent(), validator=[of_type(Consent), by_number])
    recheck: timedelta = field(default=timedelta(days=7), validator=duration)
    patience: Patience = field(default=Patience(), validator=of_type(Patience))
    endpoint: str = field(default="", converter=checked_endpoint)

    def collect(self) -> Iterator[QAPair | Dropped]:
        """Brings the journal up to date, then yields its pairs and drops, including channels that were not read.

        Raises:
            DiscordError: Discord refused or did not answer. What was read is saved, and the next run resumes.
            SourceError: The journal belongs to another server, or another process is writing to it.
        """
        self.update()
        yield from self.journal.collect()

    def messages(self, *, on_drop: Callable[[Dropped], None] | None = None) -> Iterator[Message]:
        """Yields the messages that are in the journal now, without asking Discord.

        Args:
            on_drop: Called for everything that is left out.

        Raises:
            SourceError: The journal is empty.
        """
        return self.journal.messages(on_drop=on_drop)

    @property
    def provenance(self) -> Mapping[str, Json]:
        """The server, and who permitted what; the manifest of a data set repeats it."""
        return self.journal.provenance

    def update(self) -> Update:
        """Reads what is new, and what was recently edited or deleted.

        Raises:
            DiscordError: See `collect`.
            SourceError: See `collect`.
        """
        return self._go(everything=False)

    def refresh(self) -> Update:
        """Compares every message of the journal with Discord, whatever its age.

        This takes a request for each 100 messages, and at least one for each channel and thread. If it is interrupted,
        the next `update` or `refresh` resumes it.

        Raises:
            DiscordError: See `collect`.
            SourceError: See `collect`.
        """
        return self._go(everything=True)

    def _go(self, *, everything: bool) -> Update:
        with system_errors_as(SourceError, self.journal.journal.path, "what was read so far is saved"):
            return in_thread(lambda: self._run(everything=everything))

    async def _run(self, *, everything: bool) -> Update:
        """Reads a server once: survey, members, people who left, channels.

        The order protects people: people who opted out are removed before anything new is read, and the
        mark ``unsettled`` stays
        until everything about people is on disk.
        """
        journal = self.journal.journal
        with journal.writing(), meter("reading Discord") as show:
            show(None, "logging in")
            about = self._about(journal, everything=everything)
            interrupted = about.unsettled
            async with await Session.open(self.token, self.endpoint, patience=self.patience) as session:
                about, repaired = _repaired(journal, about, session.clock)
                # Nothing is read before it is known what the bot may read: a wrong choice of channels costs
                # no message.
                found = await survey(
                    session,
                    self.guild,
                    # A refresh lists all archived threads again, because older ones may have changed.
                    known={} if about.refreshing else about.cursors,
                    include=self.include,
                    exclude=self.exclude,
                    private_threads=self.private_threads,
                    logged=journal.logs(),
                    on_step=lambda word: show(None, word),
                )
                people = Participants(
                    session, self.guild, found.roles, self.consent.resolved(found.roles), journal.forgotten()
                )
                show(None, "listing members")
                await people.load()
                # Only of these channels are the authors of all messages known, and forwarded messages may
                # quote any.
                people.read({place.id for place in found.places} | journal.logs().keys())
                # From here to the end, a killed run leaves the mark that people.json may be incomplete.
                journal.save(msgspec.structs.replace(about, unsettled=True))
                # Before anything new is read: people who opted out must not wait for the end of a long crawl.
                removed = await _remove_leaving(journal, people, interrupted=interrupted)
                crawl = Crawl(
                    session=session,
                    journal=journal,
                    survey=found,
                    participants=people,
                    after=self._window(),
                    refresh=about.refresh if about.refreshing else 0,
                    on_page=lambda counts: show(None, _said(counts)),
                )
                try:
                    await crawl.run()
                finally:
                    # Even after a failure: people whose messages were collected must be listed, so that they can opt out.
                    journal.save(people.as_people(journal.people()))
                if people.copies and people.restricted:
                    removed += _remove_copies(journal)
                unread = _unread(found, crawl.unread, journal)
                # Messages must be on disk before the cursors move past them.
                journal.sync()
                journal.save(
                    msgspec.structs.replace(
                        about,
                        name=str(found.guild.get("name") or ""),
                        unread=unread,
                        refreshing=about.refreshing and bool(crawl.failures),
                        cursors=held_back(found.cursors, crawl.left),
                        unsettled=False,
                    )
                )
                counts = attrs.asdict(crawl.counts, filter=attrs.filters.exclude("places"))
                return Update(
                    **counts,
                    removed=removed,
                    requests=session.requests,
                    roles_known=people.listed,
                    roles_asked=people.asked,
                    repaired=repaired,
                    unread=tuple(map(as_drop, unread)),
                )

    def _about(self, journal: Journal, *, everything: bool) -> About:
        """Returns the journal's description of itself, with what this run adds.

        Raises:
            SourceError: The journal belongs to another server.
        """
        about = journal.about()
        if about.guild and about.guild != self.guild:
            raise SourceError(
                f"{journal.path}: this journal belongs to the server {about.guild}, not {self.guild}; give each server its own"
            )
        permissions = about.permissions
        # A statement stays with its date; a new one is added and never replaces it.
        if not permissions or permissions[-1].statement != self.permission:
            since = datetime.now(UTC).isoformat(timespec="seconds")
            permissions = (*permissions, Permission(self.permission, since))
        return msgspec.structs.replace(
            about,
            guild=self.guild,
            permissions=permissions,
            # An unfinished comparison is resumed under its own number.
            refresh=about.refresh + (everything and not about.refreshing),
            refreshing=everything or about.refreshing,
        )

    def _window(self) -> int:
        """Returns the id above which messages are recent enough to be compared in every run."""
        # Larger spans would leave the calendar.
        start = datetime.now(UTC) - min(self.recheck, timedelta(days=36_500))
        return snowflake_at(start)


def _repaired(journal: Journal, about: About, clock: Clock) -> tuple[About, int]:
    """Repairs what an earlier version took from a wrong answer.

    Threads are then listed from the first one again; otherwise a thread whose log was repaired might not be listed.

    Returns:
        The journal's description after that, and how many logs were repaired.
    """
    broken = to_mend(journal, clock.newest())
    cursors = {} if broken else sound_cursors(about.cursors, clock.latest())
    if cursors != about.cursors:
        about = msgspec.structs.replace(about, cursors=cursors)
        journal.save(about)
    for uid, log in broken.items():
        mend(uid, log, clock.newest())
    return about, len(broken)


async def _remove_leaving(journal: Journal, people: Participants, *, interrupted: bool) -> int:
    """Removes the messages of people who no longer take part; returns how many.

    Args:
        journal: Being written to.
        people: With their lists loaded.
        interrupted: Whether the journal may contain messages of people whom it does not list.
    """
    known = journal.people().members.keys()
    # After an interrupted run, people.json may lack authors of messages that were stored, so the logs are
    # searched.
    leaving = await people.leaving(known | journal.authors() if interrupted or not known else known)
    gone: dict[str, str] = {}
    for why in sorted(set(leaving.values())):
        authors = [author for author, reason in leaving.items() if reason == why]
        gone.update(dict.fromkeys(journal.messages_by(authors, bots=why != _SILENT), why))
    removed = journal.replace(gone) if gone else 0
    if people.restricted:
        if interrupted:
            removed += _remove_copies(journal)
        people.withhold(journal.withheld(_UNWILLING))
    return removed


def _remove_copies(journal: Journal) -> int:
    """Removes the messages that forward a withheld one; returns how many."""
    gone = journal.copies_of(journal.withheld(_UNWILLING))
    return journal.replace(gone) if gone else 0


def _unread(found: Survey, late: Iterable[Unread], journal: Journal) -> tuple[Unread, ...]:
    """Returns what was not read, and the channels in the journal that are no longer wanted."""
    listed = [Unread(u.id, u.name, u.reason, u.detail) for u in (*found.unread, *found.partial)]
    listed += sorted(late, key=lambda u: int(u.id))
    known = {item.id for item in listed}
    for uid, log in journal.logs().items():
        state = log.peek().channel
        if state is not None and uid not in known:
            parent = state.parent if found.choice.parents.get(uid) is None else ""
            reason = found.choice.problem(uid, parent, state.type)
            listed += [Unread(uid, state.name, reason)] if reason else []
    return tuple(listed)


def _said(counts: Counts) -> str:
    """Returns what the progress bar shows."""
    return (
        f"{counts.channels:,} of {counts.places:,} channels, {counts.new:,} new, {counts.changed:,} changed"
    )
