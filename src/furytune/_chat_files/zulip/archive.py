"""Reads the export of a Zulip organisation: ``realm.json``, and files of messages in the order of their numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator

import msgspec
from attrs import define

from furytune._channels.channel import Channel
from furytune._channels.selection import named
from furytune._chat_files.collecting import Opened
from furytune._chat_files.files import ExportFiles, UnusableError, place_of
from furytune._chat_files.rows import read_object, read_rows, whole
from furytune._chat_files.said import Person, Place, Said, Thread, is_solved
from furytune._chat_files.zulip.shapes import Reactions, Realm, RealmUser, ZulipMessage
from furytune._chat_files.zulip.text import quoted_message, zulip_text
from furytune._privacy.ids import number_of
from furytune._privacy.printable import printable
from furytune.errors import SourceError
from furytune.records import Dropped

__all__ = ["ZulipArchive", "open_zulip", "realms_of"]

_REALM = "realm.json"
_MESSAGES = re.compile(r"messages-[0-9]{1,12}\.json")
_ROLES = {100: "owner", 200: "admin", 300: "moderator", 400: "member", 600: "guest"}
_CHANNEL = 2
_RESOLVED = "\u2714"
_NO_TOPIC = frozenset({"", "(no topic)"})
_FILE = re.compile(r"\[([^\]\n]{0,200})\]\(/user_uploads/")
_LATEST = 10**11  # seconds


@define
class _Topic:
    title: str
    resolved: bool = False


def realms_of(names: Collection[str]) -> list[str]:
    """Returns the folders that hold an export, with a slash at the end: those with messages beside ``realm.json``."""
    found = {name[: -len(_REALM)] for name in names if f"/{name}".endswith(f"/{_REALM}")}
    return sorted(
        root
        for root in found
        if any(name.startswith(root) and _MESSAGES.fullmatch(name[len(root) :]) for name in names)
    )


def open_zulip(opened: Opened) -> ZulipArchive:
    """Opens exports of one organisation.

    Raises:
        SourceError: There is no ``realm.json``.
        SourceFormatError: It is damaged.
    """
    archive = ZulipArchive(opened)
    found = [(files, root) for files in opened.exports for root in realms_of(files.names)]
    if not found:
        raise SourceError(
            f"{printable(opened.root)}: no realm.json with messages-000001.json beside it, so this is not an export of a Zulip "
            "organisation; give the archive as Zulip made it, or the folder that it unpacks to"
        )
    for files, root in found:
        archive.add(files, root)
    archive.sort_channels()
    return archive


class ZulipArchive:
    """One export of an organisation, or several that overlap; see `furytune._chat_files.said.Archive`."""

    platform = "zulip"

    def __init__(self, opened: Opened) -> None:
        self.people: dict[str, Person] = {}
        self.aliases: dict[str, str] = {}
        self.channels: list[Channel] = []
        self._opened = opened
        self._faults = opened.faults
        self._exports: list[tuple[ExportFiles, list[str]]] = []
        self._by_id: dict[str, Channel] = {}
        self._hidden: dict[str, Channel] = {}
        self._recipients: dict[int, str] = {}
        self._reactions: dict[int, Counter[str]] = {}
        self._topics: dict[Place, _Topic] = {}

    # ------------------------------------------------------------------ lists

    def add(self, files: ExportFiles, root: str) -> None:
        """Reads people, channels and reactions of one export."""
        realm = read_object(files, root + _REALM, Realm)
        guild = next((one.string_id or str(one.id) for one in realm.zerver_realm), "")
        for user in (
            *realm.zerver_userprofile,
            *realm.zerver_userprofile_crossrealm,
            *realm.zerver_userprofile_mirrordummy,
        ):
            self._add_person(user)
        for stream in realm.zerver_stream:
            channel = Channel(guild=guild, id=str(stream.id), kind="ZulipChannel", name=stream.name)
            private = bool(stream.invite_only) and not self._opened.private
            (self._hidden if private else self._by_id)[channel.id] = channel
        for recipient in realm.zerver_recipient:
            self._recipients[recipient.id] = str(recipient.type_id) if recipient.type == _CHANNEL else ""
        self._count(Reactions(realm.zerver_reaction))
        names = [
            name for name in files.names if name.startswith(root) and _MESSAGES.fullmatch(name[len(root) :])
        ]
        self._exports.append((files, names))

    def sort_channels(self) -> None:
        """Ends the lists, and reports the channels that are not read."""
        self.channels = list(self._by_id.values())
        for channel in self._hidden.values():
            self._faults.on_drop(Dropped(reason="private_channel", unit="channel", where=named(channel)))

    def _add_person(self, user: RealmUser) -> None:
        number = _person(user.id)
        bot = bool(user.is_bot)
        role = _ROLES.get(user.role or 400, "member")
        name = user.full_name or ""
        self.people[number] = Person(names=(name,) if name else (), bot=bot, roles=() if bot else (role,))
        if name:
            # Two people of one name are mentioned with their numbers, so the first is as good as any.
            self.aliases.setdefault(number_of("zulip", name), number)

    def _count(self, found: Reactions) -> None:
        for one in found.zerver_reaction:
            if one.emoji_name:
                self._reactions.setdefault(one.message, Counter())[one.emoji_name] += 1

    # ------------------------------------------------------------------ messages

    def portions(self, chosen: Collection[str]) -> Iterator[Iterator[tuple[Place, Said]]]:
        """Yields the messages of all chosen channels at once, because the export mixes them."""
        yield self._messages(chosen)

    def _messages(self, chosen: Collection[str]) -> Iterator[tuple[Place, Said]]:
        direct: set[int] = set()
        elsewhere = not self._reactions  # old exports have them beside the messages
        for files, names in self._exports:
            for name in names:
                where = place_of(files, name, self._opened.root)
                if elsewhere:
                    self._count(self._reactions_in(files, name))
                rows = read_rows(files, name, where, ZulipMessage, self._faults, key="zerver_message")
                for block in rows:
                    for message in block:
                        channel = self._recipients.get(message.recipient, "")
                        if not channel:
                            direct.add(message.recipient)
                        elif channel not in chosen:
                            continue
                        elif not 0 <= message.date_sent <= _LATEST:
                            shown = files.shown(name)
                            self._faults.message("invalid_message", "its time is out of range", shown, where)
                        else:
                            yield self._place(channel, message.subject or ""), self._said(message, where)
                self._faults.flush()
        if direct:
            where = printable(self._opened.root.name)
            count = len(direct)
            self._faults.on_drop(Dropped(reason="direct_messages", unit="channel", count=count, where=where))

    def _reactions_in(self, files: ExportFiles, name: str) -> Reactions:
        try:
            return msgspec.json.decode(whole(files, name), type=Reactions)
        except (UnusableError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return Reactions()  # the reader of the messages reports the fault

    def _place(self, channel: str, subject: str) -> Place:
        """Returns the topic of a message. Zulip renames a topic when it is resolved, and ignores case."""
        title = " ".join(subject.split())
        resolved = title.startswith(_RESOLVED)
        title = title.removeprefix(_RESOLVED).strip()
        if title.lower() in _NO_TOPIC:
            return Place(channel)
        place = Place(channel, title.casefold())
        topic = self._topics.setdefault(place, _Topic(title))
        topic.resolved = topic.resolved or resolved
        return place

    def thread(self, place: Place) -> Thread:
        """Returns a topic. Any of its messages can be the first."""
        channel, topic = self._by_id[place.channel], self._topics[place]
        described = Channel(
            guild=channel.guild,
            id=number_of("zulip", f"topic/{place.channel}/{place.thread}"),
            parent=channel.id,
            kind="ZulipThread",
            category=channel.name,
            tags=("resolved",) if topic.resolved else (),
        )
        return Thread(channel=described, title=topic.title)

    def _said(self, message: ZulipMessage, where: str) -> Said:
        author = _person(message.sender)
        person = self.people.get(author)
        reactions = tuple(self._reactions.get(message.id, {}).items())
        content = message.content
        quoted = quoted_message(content)
        files = _FILE.findall(content) if "/user_uploads/" in content else ()
        return Said(
            _message(message.id),
            author,
            zulip_text(content),
            round(message.date_sent * 1_000_000),
            round(min(max(message.last_edit_time or 0, 0), _LATEST) * 1_000_000),
            where,
            "",
            "",
            person is not None and person.bot,
            (),
            "",
            _message(quoted) if quoted else "",
            "",
            tuple(files),
            reactions,
            is_solved(reactions) if reactions else False,
        )


def _person(uid: int) -> str:
    return number_of("zulip", str(uid))


def _message(uid: int | str) -> str:
    return number_of("zulip", f"message/{uid}")
