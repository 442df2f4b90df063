"""Reads a bulk export of Mattermost: JSON lines with teams, channels, people and posts, in this order."""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import TypeVar

import msgspec
from attrs import define

from furytune._channels.channel import Channel
from furytune._channels.selection import named
from furytune._chat_files.collecting import Opened
from furytune._chat_files.files import ExportFiles, UnusableError, place_of
from furytune._chat_files.mattermost.shapes import Line, Post, Reply, User
from furytune._chat_files.mattermost.text import mattermost_text
from furytune._chat_files.said import Numbers, Person, Place, Said, Thread, is_solved
from furytune._privacy.ids import number_of
from furytune._privacy.printable import printable
from furytune._readers.files import Flaw
from furytune._readers.json_lines import split_lines
from furytune.errors import SourceError
from furytune.records import Dropped

__all__ = ["MattermostArchive", "is_mattermost", "open_mattermost"]

T = TypeVar("T")

_SAID = frozenset({"", "me", "slack_attachment"})
_ROLES = {"system_admin": "admin", "team_admin": "team_admin", "system_guest": "guest"}
_EVERYONE = frozenset({"system_user", "team_user", "team_guest"})
_LISTS = frozenset({"version", "info", "role", "scheme", "emoji", "team", "channel", "user", "bot"})
_DIRECT = re.compile(rb'\s{0,100}\{\s{0,100}"type"\s{0,100}:\s{0,100}"direct_(channel|post)"')
_TRUE = (True, "true")
_LATEST = 10**14  # milliseconds; the year 5138


@define
class _File:
    """A bulk export; posts begin at the line ``posts``, and a broken one has been reported."""

    files: ExportFiles
    name: str
    where: str
    posts: int = 1
    broken: bool = False


def is_mattermost(files: ExportFiles, name: str) -> bool:
    """Returns True for a file whose first line is that of a bulk export."""
    if not name.lower().endswith((".jsonl", ".json")):
        return False
    try:
        first = next(files.blocks(name), b"")[:4096].removeprefix(BOM_UTF8).partition(b"\n")[0]
        found = msgspec.json.decode(first)
    except (UnusableError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return (
        isinstance(found, dict) and found.get("type") == "version" and isinstance(found.get("version"), int)
    )


def open_mattermost(opened: Opened) -> MattermostArchive:
    """Opens bulk exports of one server.

    Raises:
        SourceError: No file is a bulk export.
        SourceFormatError: A line is damaged, and damaged parts are not skipped.
    """
    found = [
        _File(files, name, place_of(files, name, opened.root))
        for files in opened.exports
        for name in files.names
        if name.count("/") < 2 and is_mattermost(files, name)
    ]
    if not found:
        raise SourceError(
            f'{printable(opened.root)}: no file begins with the line {{"type":"version",...}}, so this is not a bulk export '
            "of Mattermost; make one with `mmctl export create`"
        )
    archive = MattermostArchive(opened, found)
    for file in found:
        archive.read_lists(file)
    archive.sort_channels()
    return archive


class MattermostArchive:
    """One bulk export, or several that overlap; see `furytune._chat_files.said.Archive`."""

    platform = "mattermost"

    def __init__(self, opened: Opened, found: Sequence[_File]) -> None:
        self.people: dict[str, Person] = {}
        self.aliases: dict[str, str] = {}
        self.channels: list[Channel] = []
        self._opened = opened
        self._faults = opened.faults
        self._found = found
        self._teams: dict[str, str] = {}
        self._by_id: dict[str, Channel] = {}
        self._hidden: dict[str, Channel] = {}
        self._unlisted: set[str] = set()
        self._numbers = Numbers("mattermost")
        self._bots: set[str] = set()

    # ------------------------------------------------------------------ lists

    def read_lists(self, file: _File) -> None:
        """Reads teams, channels and people, which come before the first post."""
        for number, text in self._lines(file):
            file.posts = number + 1
            line = self._decoded(text, Line, file, number)
            if line is None:
                continue
            if line.type not in _LISTS:
                file.posts = number
                break
            if line.team is not None:
                self._teams[line.team.name] = line.team.display_name or line.team.name
            if line.channel is not None:
                one = line.channel
                channel = Channel(
                    guild=one.team,
                    id=_channel_id(one.team, one.name),
                    parent=one.team,
                    kind="MattermostChannel",
                    name=one.name,
                    category=self._teams.get(one.team, one.team),
                )
                kept = self._by_id if one.type != "P" or self._opened.private else self._hidden
                kept[channel.id] = channel
            if line.user is not None:
                self._add_person(line.user)
            if line.bot is not None:
                bot = self._numbers[line.bot.username]
                self._bots.add(bot)
                names = tuple(filter(None, (line.bot.display_name, line.bot.username)))
                self.people[bot] = Person(names=names, bot=True)
        self._faults.flush()

    def sort_channels(self) -> None:
        """Ends the lists, and reports the channels that are not read."""
        self.channels = list(self._by_id.values())
        for channel in self._hidden.values():
            self._faults.on_drop(Dropped(reason="private_channel", unit="channel", where=named(channel)))

    def _add_person(self, user: User) -> None:
        full = " ".join(filter(None, (user.first_name, user.last_name)))
        names = tuple(dict.fromkeys(filter(None, (user.nickname, full, user.username))))
        given = [user.roles or "", *(team.roles or "" for team in user.teams or ())]
        words = dict.fromkeys(word for text in given for word in text.split() if word not in _EVERYONE)
        roles = tuple(_ROLES.get(word, word) for word in words) or ("member",)
        number = self._numbers[user.username]
        if number not in self._bots:
            self.people[number] = Person(names=names, roles=roles)

    # ------------------------------------------------------------------ messages

    def portions(self, chosen: Collection[str]) -> Iterator[Iterator[tuple[Place, Said]]]:
        """Yields the messages of all chosen channels at once, because the export mixes them."""
        yield self._messages(chosen)

    def _messages(self, chosen: Collection[str]) -> Iterator[tuple[Place, Said]]:
        for file in self._found:
            direct = 0
            for number, text in self._lines(file):
                if number < file.posts:
                    continue
                if isinstance(text, bytes) and (between := _DIRECT.match(text)):
                    direct += between[1] == b"channel"
                    continue
                line = self._decoded(text, Line, file, number)
                if line is None or line.post is None:
                    continue
                post = line.post
                channel = _channel_id(post.team, post.channel)
                if channel in chosen:
                    yield from self._posts(post, channel, file, number)
                elif channel not in self._by_id and channel not in self._hidden:
                    self._unknown(channel)
            self._faults.flush()
            if direct:
                where = printable(file.where)
                self._faults.on_drop(
                    Dropped(reason="direct_messages", unit="channel", count=direct, where=where)
                )

    def _unknown(self, channel: str) -> None:
        if channel not in self._unlisted and len(self._unlisted) < 1_000:
            self._unlisted.add(channel)
            detail = "no line of the export describes it"
            self._faults.on_drop(Dropped(reason="unknown_type", unit="channel", where=channel, detail=detail))

    def _posts(self, post: Post, channel: str, file: _File, number: int) -> Iterator[tuple[Place, Said]]:
        if not 0 <= post.create_at <= _LATEST:
            self._invalid("its time is out of range", file, number)
            return
        root = f"{channel}/{post.create_at}/{post.user}"
        place = Place(channel, root) if post.replies else Place(channel)
        yield place, self._said(post, root, file.where)
        for text in post.replies or ():
            reply = self._decoded(bytes(text), Reply, file, number)
            if reply is None:
                continue
            if not 0 <= reply.create_at <= _LATEST:
                self._invalid("its time is out of range", file, number)
                continue
            key = f"{root}/{reply.create_at}/{reply.user}"
            yield place, self._said(reply, key, file.where)

    def thread(self, place: Place) -> Thread:
        """Returns a thread, which has the id of its first message."""
        channel = self._by_id[place.channel]
        opener = number_of("mattermost", place.thread)
        described = Channel(
            guild=channel.guild,
            id=opener,
            parent=channel.id,
            kind="MattermostThread",
            category=channel.name,
        )
        return Thread(channel=described, opener=opener)

    def _said(self, post: Reply, key: str, where: str) -> Said:
        kind, props = post.type or "", post.props or {}
        author = self._numbers[post.user]
        hook = props.get("from_webhook") in _TRUE
        bot = hook or props.get("from_bot") in _TRUE or author in self._bots
        drop = "" if kind in _SAID else "system"
        voice = props.get("override_username") or props.get("webhook_display_name") if hook else ""
        reactions = tuple(Counter(one.emoji_name for one in post.reactions or () if one.emoji_name).items())
        paths = [one.get("path") for one in post.attachments or () if isinstance(one, dict)]
        return Said(
            number_of("mattermost", key),
            author,
            "" if drop else mattermost_text({"message": post.message, "props": props}),
            post.create_at * 1000,
            min(max(post.edit_at or 0, 0), _LATEST) * 1000,
            where,
            kind,
            drop,
            bot,
            () if author in self.people else (post.user,),
            voice if isinstance(voice, str) else "",
            "",
            "",
            tuple(str(path).rpartition("/")[2] for path in paths),
            reactions,
            is_solved(reactions) if reactions else False,
            bool(post.is_pinned),
        )

    # ------------------------------------------------------------------ lines

    def _lines(self, file: _File) -> Iterator[tuple[int, bytes | Flaw]]:
        """Yields the lines of a file with their numbers. A line that is too long is a flaw."""
        limit = self._faults.limit
        try:
            for part in split_lines(file.files.blocks(file.name), limit=limit):
                if isinstance(part, Flaw):
                    yield part.line, part
                    continue
                for number, text in enumerate(part[1], part[0]):
                    if number == 1:
                        text = text.removeprefix(BOM_UTF8)  # noqa: PLW2901
                    if len(text) > limit:
                        problem = f"the line is longer than {limit} bytes"
                        yield number, Flaw(reason="too_long", problem=problem, line=number)
                    elif text.strip():
                        yield number, text
        except UnusableError as error:
            if not file.broken:
                file.broken = True
                self._faults.file(error.reason, error.problem, file.files.shown(file.name), file.where)

    def _decoded(self, text: bytes | Flaw, kind: type[T], file: _File, number: int) -> T | None:
        """Returns a line or reply; None if it cannot be used, which is counted."""
        if isinstance(text, Flaw):
            shown = file.files.shown(file.name)
            self._faults.message("message_too_long", text.problem, shown, file.where, number)
            return None
        try:
            return msgspec.json.decode(text, type=kind)
        except RecursionError:
            reason, problem = "malformed_json", "nested too deeply"
        except UnicodeDecodeError:
            reason, problem = "invalid_utf8", "bytes that are not UTF-8"
        except msgspec.ValidationError as error:
            reason, problem = "invalid_message", str(error)
        except msgspec.DecodeError as error:
            reason, problem = _fault(text, str(error))
        self._faults.message(reason, problem, file.files.shown(file.name), file.where, number)
        return None

    def _invalid(self, problem: str, file: _File, number: int) -> None:
        self._faults.message("invalid_message", problem, file.files.shown(file.name), file.where, number)


def _channel_id(team: str, channel: str) -> str:
    return f"{team}:{channel}"


def _fault(text: bytes, problem: str) -> tuple[str, str]:
    """Returns the reason and description of a line that is not JSON for msgspec."""
    try:
        json.dumps(json.loads(text), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return "lone_surrogate", "half of a surrogate pair: not a character"
    except UnicodeDecodeError:
        return "invalid_utf8", "bytes that are not UTF-8"
    except (ValueError, RecursionError):
        pass
    return "malformed_json", problem
