"""Reads the export of a Slack workspace: a folder for each channel, with a file for each day."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

import msgspec
from attrs import define, field

from furytune._channels.channel import Channel
from furytune._channels.selection import named
from furytune._chat_files.collecting import Opened
from furytune._chat_files.files import ExportFiles, place_of
from furytune._chat_files.rows import Faults, read_object, read_rows
from furytune._chat_files.said import Numbers, Person, Place, Said, Thread, is_solved
from furytune._chat_files.slack.shapes import SlackChannel, SlackMessage, SlackUser
from furytune._chat_files.slack.text import of_attachments, of_blocks, slack_text
from furytune._privacy.ids import number_of
from furytune._privacy.printable import one_line, printable
from furytune.errors import SourceError
from furytune.records import Dropped

__all__ = ["SlackArchive", "open_slack", "roots_of"]

_SAID = frozenset(
    {
        "",
        "bot_message",
        "file_comment",
        "file_mention",
        "file_share",
        "me_message",
        "reply_broadcast",
        "slackbot_response",
        "thread_broadcast",
    }
)
"""Subtypes of messages that someone wrote; https://docs.slack.dev/reference/events/message lists all."""

_GONE = "tombstone"
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\.json")
_TIME = re.compile(r"([0-9]{1,11})(?:\.([0-9]{1,6}))?")
_DIRECT = re.compile(r"D[A-Z0-9]{6,}|mpdm-.+")
_LISTS = ("channels.json", "groups.json", "dms.json", "mpims.json")
_PEOPLE = ("users.json", "org_users.json")
_SLACKBOT = "USLACKBOT"


@define
class _Days:
    """The files of one channel in one export."""

    files: ExportFiles
    names: list[str] = field(factory=list)


def roots_of(names: Collection[str]) -> list[str]:
    """Returns the folders that hold an export, with a slash at the end: those with a list of channels."""
    return sorted(
        {name[: -len(one)] for name in names for one in _LISTS[:2] if f"/{name}".endswith(f"/{one}")}
    )


def open_slack(opened: Opened) -> SlackArchive:
    """Opens exports of one workspace.

    Raises:
        SourceError: There is no list of channels.
        SourceFormatError: A list is damaged.
    """
    archive = SlackArchive(opened)
    found = [(files, root) for files in opened.exports for root in roots_of(files.names)]
    if not found:
        raise SourceError(
            f"{printable(opened.root)}: no channels.json inside, so this is not an export of a Slack workspace; give the zip "
            "file as Slack made it, or the folder that has channels.json and users.json"
        )
    for files, root in found:
        archive.add(files, root)
    return archive


class SlackArchive:
    """One export of a workspace, or several that overlap; see `furytune._chat_files.said.Archive`."""

    platform = "slack"

    def __init__(self, opened: Opened) -> None:
        self.people: dict[str, Person] = {}
        self.aliases: dict[str, str] = {}
        self.channels: list[Channel] = []
        self._opened = opened
        self._faults: Faults = opened.faults
        self._team = ""
        self._days: dict[str, list[_Days]] = {}
        self._by_id: dict[str, Channel] = {}
        self._numbers = Numbers("slack")
        # An app can post as several people, so the list of people decides who is a bot.
        self._bots: set[str] = {self._numbers[_SLACKBOT]}

    # ------------------------------------------------------------------ lists

    def add(self, files: ExportFiles, root: str) -> None:
        """Reads the lists of one export, and finds the files of its channels."""
        for name in _PEOPLE:
            if root + name in files.names:
                for user in read_object(files, root + name, list[SlackUser]):
                    self._add_person(user)
        public, private, direct = (
            self._listed(files, root, name) for name in ("channels.json", "groups.json", "dms.json")
        )
        direct |= self._listed(files, root, "mpims.json")
        folders: dict[str, list[str]] = {}
        for name in files.names:
            folder, slash, last = name.removeprefix(root).partition("/")
            if name.startswith(root) and slash:
                folders.setdefault(folder, []).append(last)
        hidden = 0
        for folder, inside in folders.items():
            channel = public.get(folder) or private.get(folder)
            if (
                folder in direct
                or _DIRECT.fullmatch(folder)
                or (channel and (channel.is_im or channel.is_mpim))
            ):
                hidden += any(map(_DAY.fullmatch, inside))
            elif channel is not None:
                closed = bool(channel.is_private) or folder not in public
                if closed and not self._opened.private:
                    self._drop_channel("private_channel", named(self._channel(channel)))
                else:
                    self._add_channel(channel, files, root, folder, inside)
            elif any(map(_DAY.fullmatch, inside)):
                self._drop_channel("unknown_type", one_line(folder), "no list of channels names it")
        if hidden:
            where = place_of(files, root, self._opened.root) or printable(files.path.name)
            self._drop_channel("direct_messages", where, count=hidden)

    def _drop_channel(self, reason: str, where: str, detail: str = "", count: int = 1) -> None:
        self._faults.on_drop(Dropped(reason=reason, unit="channel", where=where, detail=detail, count=count))

    def _listed(self, files: ExportFiles, root: str, name: str) -> dict[str, SlackChannel]:
        """Returns the channels of a list, by the names that their folders can have."""
        if root + name not in files.names:
            return {}
        found = read_object(files, root + name, list[SlackChannel])
        return {one.id: one for one in found} | {one.name: one for one in found if one.name}

    def _add_person(self, user: SlackUser) -> None:
        profile = user.profile
        names = (
            profile.display_name if profile else None,
            profile.real_name if profile else None,
            user.real_name,
            user.name,
        )
        number = self._numbers[user.id]
        bot = bool(user.is_bot) or user.id == _SLACKBOT
        if bot:
            self._bots.add(number)
        self._team = self._team or user.team_id or ""
        roles = (
            *(("owner",) if user.is_owner or user.is_primary_owner else ()),
            *(("admin",) if user.is_admin else ()),
            *(("guest",) if user.is_restricted or user.is_ultra_restricted else ()),
        )
        self.people[number] = Person(
            names=tuple(dict.fromkeys(filter(None, names))),
            bot=bot,
            roles=() if bot else roles or ("member",),
        )

    def _channel(self, channel: SlackChannel) -> Channel:
        return Channel(guild=self._team, id=channel.id, kind="SlackChannel", name=channel.name or channel.id)

    def _add_channel(
        self, listed: SlackChannel, files: ExportFiles, root: str, folder: str, inside: list[str]
    ) -> None:
        days = _Days(files)
        for last in sorted(inside):
            name = f"{root}{folder}/{last}"
            if _DAY.fullmatch(last):
                days.names.append(name)
            elif "/" not in last:
                where = place_of(files, name, self._opened.root)
                detail = "it is not a day of messages"
                self._faults.on_drop(Dropped(reason="not_an_export", unit="file", where=where, detail=detail))
        channel = self._channel(listed)
        if channel.id not in self._by_id:
            self.channels.append(channel)
        else:
            # Channels can be renamed; the last export has the current name.
            self.channels[:] = [channel if one.id == channel.id else one for one in self.channels]
        self._by_id[channel.id] = channel
        self._days.setdefault(channel.id, []).append(days)

    # ------------------------------------------------------------------ messages

    def portions(self, chosen: Collection[str]) -> Iterator[Iterator[tuple[Place, Said]]]:
        """Yields the messages of each chosen channel."""
        for channel in self.channels:
            if channel.id in chosen:
                yield self._messages(channel.id)

    def _messages(self, channel: str) -> Iterator[tuple[Place, Said]]:
        outside = Place(channel)
        for days in self._days[channel]:
            for name in days.names:
                where = place_of(days.files, name, self._opened.root)
                for block in read_rows(days.files, name, where, SlackMessage, self._faults):
                    for message in block:
                        at = _micros(message.ts)
                        if at is None:
                            shown = days.files.shown(name)
                            self._faults.message("invalid_message", "its time is not a number", shown, where)
                            continue
                        thread = message.thread_ts
                        place = Place(channel, thread) if thread and _micros(thread) is not None else outside
                        yield place, self._said(message, at, channel, where)
                self._faults.flush()

    def thread(self, place: Place) -> Thread:
        """Returns a thread, which has the id of its first message."""
        channel = self._by_id[place.channel]
        opener = _message_id(place.channel, place.thread)
        described = Channel(
            guild=channel.guild,
            id=opener,
            parent=channel.id,
            kind="SlackThread",
            category=channel.name,
        )
        return Thread(channel=described, opener=opener)

    def _said(self, message: SlackMessage, at: int, channel: str, where: str) -> Said:
        kind = message.subtype or ""
        user, text = message.user, message.text or ""
        if message.comment is not None and kind == "file_comment":
            user, text = message.comment.user or user, message.comment.comment or text
        author = self._numbers[user or message.bot_id or message.username or "unknown"]
        listed = author in self.people
        bot = kind == "bot_message" or author in self._bots or (bool(message.bot_id) and not listed)
        drop = "" if kind in _SAID and message.type in ("message", None) else "system"
        if kind == _GONE and message.thread_ts == message.ts:
            drop = "thread_starter_missing"
        words_of = ""
        if drop:
            text = ""
        elif text.strip():
            text = slack_text(text)
        else:
            text, words_of = self._shown_below(message)
        reactions = tuple((one.name, one.count or 0) for one in message.reactions or ())
        profile, app = message.user_profile, message.bot_profile
        names: tuple[str, ...] = ()
        if not listed and profile is not None:
            names = tuple(
                dict.fromkeys(filter(None, (profile.display_name, profile.real_name, profile.name)))
            )
        voice = (message.username or (app.name if app else "") or "") if bot else ""
        edited = message.edited.ts if message.edited else None
        return Said(
            _message_id(channel, message.ts),
            author,
            text,
            at,
            (_micros(edited) or 0) if edited else 0,
            where,
            kind,
            drop,
            bot,
            names,
            voice,
            "",
            words_of,
            tuple(map(_file_name, message.files or ([message.file] if message.file else ()))),
            reactions,
            is_solved(reactions) if reactions else False,
            bool(message.pinned_to),
        )

    def _shown_below(self, message: SlackMessage) -> tuple[str, str]:
        """Returns the words of blocks or attachments, and who wrote them if it is someone else."""
        if text := of_blocks(_decoded(message.blocks)):
            return text, ""
        attachments = _decoded(message.attachments)
        text = of_attachments(attachments)
        shared = ""
        for one in attachments if isinstance(attachments, list) and text else ():
            if isinstance(one, dict) and isinstance(writer := one.get("author_id"), str):
                shared = self._numbers[writer]
        return text, shared


def _message_id(channel: str, ts: str) -> str:
    """Returns the number of a message. Times are unique only in a channel."""
    return number_of("slack", f"{channel}/{ts}")


def _micros(ts: str) -> int | None:
    found = _TIME.fullmatch(ts)
    if found is None:
        return None
    return int(found[1]) * 1_000_000 + int((found[2] or "").ljust(6, "0"))


def _decoded(raw: msgspec.Raw) -> Any:
    try:
        return msgspec.json.decode(raw) if bytes(raw) else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _file_name(file: object) -> str:
    name = file.get("name") if isinstance(file, dict) else None
    return name if isinstance(name, str) else ""
