"""Finds out which channels a bot can read on a server, and why not the rest, before requesting any message."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, TypeVar

from attrs import define, field, frozen

from furytune._discord.api.failures import WrongAnswerError
from furytune._discord.api.session import Session
from furytune._discord.crawl.archived_threads import Archive, facts, list_all
from furytune._discord.crawl.channels import (
    Place,
    Unread,
    channel_place,
    is_known,
    thread_place,
    unread,
)
from furytune._discord.crawl.permissions import (
    CONNECT,
    MANAGE_THREADS,
    READ_HISTORY,
    VIEW,
    Permissions,
    needed,
)
from furytune._discord.crawl.selection import Choice
from furytune.errors import ConfigError, DiscordForbiddenError, DiscordGoneError, DiscordLoginError

__all__ = ["Place", "Survey", "Unread", "held_back", "survey"]

T = TypeVar("T")
Json = dict[str, Any]
Cursors = Mapping[str, tuple[str, str]]

# discord-api-docs, resources/channel, "Channel Types".
_TEXT, _VOICE, _CATEGORY, _NEWS, _STAGE, _DIRECTORY, _FORUM, _MEDIA = 0, 2, 4, 5, 13, 14, 15, 16
_WITH_THREADS = {_TEXT, _NEWS, _FORUM, _MEDIA}
_CROWDED = (
    "more threads than fit a page were archived at one moment, and Discord lists only the first of them"
)
_HIDDEN_NAME, _HIDDEN_FLAG = "___hidden___", 1 << 17


@frozen(kw_only=True)
class Survey:
    """The channels and threads of a server, each part in the order of ids.

    Attributes:
        guild: The server as the API returns it.
        choice: Which parts of it are wanted.
        roles: Names of roles by their ids.
        places: Channels and threads that contain messages and can be read.
        forums: Forum and media channels that can be read; their posts are among the places.
        unread: Channels and threads that will not be read.
        partial: Channels and forums that are read, but some of whose threads could not be listed.
        cursors: The ``known`` of the next survey, once all places are read; see `held_back`.
    """

    guild: Json = field(repr=False)
    choice: Choice = field(repr=False)
    roles: dict[str, str] = field(repr=False)
    places: tuple[Place, ...]
    forums: tuple[Place, ...]
    unread: tuple[Unread, ...]
    partial: tuple[Unread, ...]
    cursors: dict[str, tuple[str, str]]


async def survey(
    session: Session,
    guild_id: str,
    *,
    known: Cursors | None = None,
    include: Iterable[str] = (),
    exclude: Iterable[str] = (),
    private_threads: bool = False,
    logged: Collection[str] = (),
    on_step: Callable[[str], None] = lambda _: None,
) -> Survey:
    """Returns what the bot can read on a server.

    Threads that were archived more than a day before the newest one of the last run are not listed again. Posting in an
    archived thread opens it, which gives it a new archive time.

    Args:
        session: The session.
        guild_id: The server.
        known: The ``cursors`` of the last completed run.
        include: Ids or names of channels, categories and forums, or ids of threads; empty means all.
        exclude: Ids or names to leave out; they take precedence.
        private_threads: Whether private threads are wanted.
        logged: Ids of channels and threads that were read before.
        on_step: Called with the progress, in words.

    Raises:
        ConfigError: A name or id matches no channel of this server.
        DiscordLoginError: The bot is not on the server, or may not see the content of messages.
        DiscordError: Discord did not answer.
    """
    on_step("looking for channels")
    await session.check_text()
    guild = await session.guild(guild_id)
    member = await session.member(guild_id, session.me["id"])
    if member is None:
        raise DiscordLoginError(f"the bot is not a member of the server {guild_id}; invite it, and run again")
    channels = sorted(await session.channels(guild_id), key=_number)
    choice = Choice.of(channels, include, exclude, private_threads)
    plan = _Plan(guild_id, channels, choice, Permissions.of(guild, member), dict(known or {}))
    plan.sort_channels()
    # List active threads before and after: one that is archived or opened meanwhile is in one of the two lists.
    plan.add_threads(await session.active_threads(guild_id))
    archives = plan.archives()
    await list_all(session, archives, on_step=on_step)
    plan.take_archives(archives)
    plan.add_threads(await session.active_threads(guild_id))
    await plan.look_up(session, logged)
    return plan.survey(guild)


def held_back(cursors: Cursors, unread: Iterable[Place]) -> dict[str, tuple[str, str]]:
    """Returns cursors that do not move past threads that were listed but not read.

    Args:
        cursors: The cursors of a survey.
        unread: Threads of the survey that could not be read after all.
    """
    kept = dict(cursors)
    for place in unread:
        public, private = kept.get(place.parent, ("", ""))
        if place.archived and place.type == "GuildPrivateThread":
            # ISO times of one form and zone sort like text.
            private = min(private, place.archive_timestamp)
        elif place.archived:
            public = min(public, place.archive_timestamp)
        if place.archived:
            kept[place.parent] = (public, private)
    return kept


@define
class _Plan:
    """Decides what happens to each channel and thread.

    Attributes:
        guild_id: Id of the server.
        channels: Its channels, in the order of their ids.
        choice: Which of them are wanted.
        permissions: What the bot may do.
        known: Archive times up to which threads were listed, for each channel: public and private.
        places: Channels and threads to read, by id.
        forums: Forums, which have threads but no messages of their own.
        unread: What will not be read, with the reason.
        partial: Channels whose private threads cannot all be listed.
        unlisted: Channels whose archived threads Discord did not list completely.
        threads: All threads that were listed, in their latest state.
        held: Threads that were listed but cannot be read now; the cursors must not move past them.
    """

    guild_id: str
    channels: list[Json]
    choice: Choice
    permissions: Permissions
    known: dict[str, tuple[str, str]]
    places: dict[str, Place] = field(factory=dict)
    forums: dict[str, Place] = field(factory=dict)
    unread: dict[str, Unread] = field(factory=dict)
    partial: dict[str, Unread] = field(factory=dict)
    unlisted: dict[str, Unread] = field(factory=dict)
    threads: dict[str, Json] = field(factory=dict)
    held: list[Place] = field(factory=list)

    def sort_channels(self) -> None:
        """Separates channels that can be read from those that cannot."""
        names = {channel["id"]: str(channel.get("name") or "") for channel in self.channels}
        for channel in self.channels:
            if channel["type"] == _CATEGORY:
                continue
            number, parent = channel["id"], channel.get("parent_id") or ""
            reason, detail = self._problem(channel)
            if reason:
                name = "" if reason == "hidden" else names[number]
                self.unread[number] = Unread(
                    id=number, name=name, reason=reason, detail=detail, parent=parent
                )
                continue
            place = channel_place(channel, names.get(parent, ""))
            (self.forums if channel["type"] in {_FORUM, _MEDIA} else self.places)[number] = place

    def _problem(self, channel: Json) -> tuple[str, str]:
        """Returns the reason not to read a channel, with a detail; two empty texts if it can be read."""
        kind, name = channel["type"], channel.get("name")
        if reason := self.choice.problem(channel["id"]):
            return reason, ""
        if name == _HIDDEN_NAME or int(channel.get("flags") or 0) & _HIDDEN_FLAG:
            return "hidden", "needs View Channel"
        if kind == _DIRECTORY:
            return "no_messages", "a directory of servers"
        if not is_known(channel):
            return "unknown_type", f"type {kind}; check for a newer furytune"
        # Voice channels have a text chat that Discord only shows to those who may connect.
        wanted = (VIEW, READ_HISTORY, CONNECT) if kind in {_VOICE, _STAGE} else (VIEW, READ_HISTORY)
        missing = needed(self.permissions.within(channel), wanted)
        return ("no_permission", missing) if missing else ("", "")

    def archives(self) -> list[Archive]:
        """Returns the lists of archived threads that must be read."""
        found: list[Archive] = []
        for channel in self.channels:
            number = channel["id"]
            if channel["type"] not in _WITH_THREADS or number in self.unread:
                continue
            public, private = self.known.get(number, ("", ""))
            found.append(Archive(number, "public", public))
            # Only text channels can have private threads.
            if channel["type"] != _TEXT or not self.choice.private_threads:
                continue
            missing = needed(self.permissions.within(channel), (MANAGE_THREADS,))
            found.append(Archive(number, "joined" if missing else "private", private))
            if missing:
                self._partial(number, f"{missing} to list archived private threads that the bot is not in")
        return found

    def take_archives(self, archives: Iterable[Archive]) -> None:
        """Adds the threads of the lists, and notes the lists that could not be read."""
        for archive in archives:
            number = archive.channel
            if number in self.unread:
                continue
            public, private = self.known.get(number, ("", ""))
            if archive.failed is None:
                self.add_threads(archive.threads.values())
                changed = (archive.cursor, private) if archive.kind == "public" else (public, archive.cursor)
                self.known[number] = changed
                if archive.crowded is not None:
                    self._unlisted(number, _CROWDED)
            elif isinstance(archive.failed, WrongAnswerError):
                self._unlisted(number, str(archive.failed))
            # The survey believed that the channel can be read. If Discord now says otherwise, its messages
            # cannot be read either.
            elif archive.kind == "public" or isinstance(archive.failed, DiscordGoneError):
                reason = "gone" if isinstance(archive.failed, DiscordGoneError) else "no_permission"
                place = self.places.pop(number, None) or self.forums.pop(number)
                self.partial.pop(number, None)
                self.unread[number] = unread(place, reason, "changed during the survey")
            else:
                self._partial(number, "archived private threads may not be listed")

    def _unlisted(self, number: str, detail: str) -> None:
        place = self.places.get(number) or self.forums[number]
        self.unlisted[number] = unread(place, "archived_threads", detail)

    def _partial(self, number: str, detail: str) -> None:
        self.partial[number] = unread(self.places[number], "private_threads", detail)

    def add_threads(self, threads: Iterable[Json]) -> None:
        """Adds threads; if one was added before, its later state counts."""
        self.threads.update((thread["id"], facts(thread)) for thread in threads)

    async def look_up(self, session: Session, logged: Collection[str]) -> None:
        """Requests each thread that is included by its id but is not in any list.

        Raises:
            ConfigError: No channel or thread has the id, and none with the id was read before.
        """
        listed = {channel["id"] for channel in self.channels} | self.threads.keys()
        for number in sorted((self.choice.included or frozenset()) - listed, key=int):
            try:
                found = await session.channel(number)
            except DiscordForbiddenError:
                self.unread[number] = Unread(
                    id=number, name="", reason="no_permission", detail="needs View Channel"
                )
                continue
            # An id that the journal knows was right once, so its channel was deleted; any other is a typing
            # error.
            if found is None and number not in logged:
                raise ConfigError(
                    f"include: no channel or thread has the id {number}; check the id (right-click the name, Copy Channel ID)"
                )
            if found is None:
                self.unread[number] = Unread(
                    id=number, name="", reason="gone", detail="no channel has this id"
                )
            elif found.get("guild_id") != self.guild_id:
                raise ConfigError(
                    f"include: the channel {number} does not belong to the server {self.guild_id}"
                )
            else:
                self.add_threads([found])

    def survey(self, guild: Json) -> Survey:
        """Sorts the threads, and returns the survey."""
        parents = {channel["id"]: channel for channel in self.channels}
        for thread in self.threads.values():
            self._sort_thread(thread, parents.get(thread.get("parent_id") or ""))
        return Survey(
            guild=guild,
            choice=self.choice,
            roles={role["id"]: str(role["name"]) for role in sorted(guild.get("roles", ()), key=_number)},
            places=_in_order(self.places),
            forums=_in_order(self.forums),
            unread=_in_order(self.unread),
            partial=(*_in_order(self.partial), *_in_order(self.unlisted)),
            cursors=held_back(dict(sorted(self.known.items())), self.held),
        )

    def _sort_thread(self, thread: Json, channel: Json | None) -> None:
        """Adds a thread to the places, or to what will not be read, with the reason.

        A thread of a channel that is already reported gets no report of its own.
        """
        place = thread_place(thread, channel or {})
        covered = self.unread.get(place.parent)
        reason, detail = self.choice.problem(place.id, place.parent, place.type), ""
        if reason == "private_thread":
            detail = "private_threads=True reads it"
        elif reason:
            if covered is not None:
                return
        elif channel is None or (covered is not None and covered.reason == "hidden"):
            # The bot may lack access to its history, and then it would look like a thread without messages.
            reason, detail = "hidden", "needs View Channel in its channel"
        elif place.type == "":
            reason, detail = "unknown_type", f"type {thread['type']}; check for a newer furytune"
        elif covered is not None and covered.reason != "not_included":
            return
        elif detail := needed(self.permissions.within(channel), (VIEW, READ_HISTORY)):
            reason = "no_permission"
        if reason:
            self.unread[place.id] = unread(place, reason, detail)
            # The cursor must not move past it, or a later run that may read it would not list it.
            self.held.append(place)
        else:
            self.places[place.id] = place


def _number(thing: Mapping[str, Any]) -> int:
    return int(thing["id"])


def _in_order(found: dict[str, T]) -> tuple[T, ...]:
    return tuple(found[number] for number in sorted(found, key=int))
