"""A journal: a folder with one log a channel, and what is known of the server as a whole."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from furytune._discord.journal.folder import ANEW, HINTS, access, folder_of
from furytune._discord.journal.lines import GONE, gone_line
from furytune._discord.journal.log import Log
from furytune._discord.journal.state import FORMAT, About, Forgotten, People, Permission, Unread, decoded
from furytune._discord.journal.withheld import Withheld
from furytune._storage.durable import NO_FOLLOW, is_leftover, make_folder, sweep, write_file
from furytune._storage.locks import hold
from furytune.errors import SourceError, SourceFormatError

__all__ = ["FORMAT", "About", "Forgotten", "Journal", "People", "Permission", "Unread", "Withheld"]

T = TypeVar("T")

_OWN = {"channels", ".lock", "people.json", "forgotten.json"}


class _Writer(msgspec.Struct, rename="camel"):
    id: str
    is_bot: bool = False


class _Target(msgspec.Struct, rename="camel"):
    message_id: str | None = None


class _Copy(msgspec.Struct):
    """That there is a copy of another message; what it says does not matter here."""


class _Trace(msgspec.Struct, rename="camel"):
    """What erasure looks at."""

    id: str
    author: _Writer
    reference: _Target | None = None
    forwarded_message: _Copy | None = None

    @property
    def quoted(self) -> str:
        """Id of the message that it forwards, "" for none."""
        found = self.reference.message_id if self.forwarded_message and self.reference else None
        return found or ""


class Journal:
    """A folder that holds what was read of one server.

    Files are readable by their owner only.

    Args:
        path: The folder; it need not be there yet. A ``~`` at its beginning is the user's home.

    Raises:
        ConfigError: It is no path.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = folder_of(path)

    @property
    def there(self) -> bool:
        """True if the folder holds a journal.

        Raises:
            SourceError: It holds logs without ``journal.json``, or may not be looked into.
        """
        about = self.path / "journal.json"
        with access(about):
            if about.is_file():
                return True
        if self.logs():
            raise SourceError(
                f"{self.path}: there are logs in channels/, but journal.json is missing, which says whose they are and "
                f"what was not to be read; {ANEW}"
            )
        return False

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Keeps other writers out, in this process and others; the folder is made where it is not there.

        Raises:
            SourceError: Somebody else is writing, the folder is something else, or it cannot be written to.
        """
        if not self.there and self.path.is_dir():
            # A run that was killed at its beginning leaves these.
            held = {entry.name for entry in self.path.iterdir()} - _OWN
            if any(not is_leftover(name) for name in held):
                raise SourceError(
                    f"{self.path}: this folder holds other files and no journal; name one that is empty or not there yet"
                )
        if os.path.islink(self._channels):  # noqa: PTH114  (no error where the folder may not be looked into)
            raise SourceError(f"{self._channels}: a symbolic link; put the folder itself there")
        try:
            make_folder(self._channels, mode=0o700)
            with suppress(OSError):
                self.path.chmod(0o700)
            fd = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT | NO_FOLLOW, 0o600)
        except OSError as error:
            raise SourceError(
                f"{self.path}: a journal cannot be written here ({error.strerror}); see the permissions and the free "
                "space, or name another folder"
            ) from error
        try:
            with ExitStack() as stack:
                try:
                    stack.enter_context(hold(fd))
                except BlockingIOError:
                    raise SourceError(
                        f"{self.path}: another process is writing to this journal; wait until it has ended"
                    ) from None
                # What a killed process was about to put in place may hold what is to be forgotten.
                for folder in (self.path, self._channels):
                    sweep(folder)
                yield
        finally:
            os.close(fd)

    def sync(self) -> None:
        """Brings the names of new logs to disk, before anything is written that relies on them.

        Raises:
            OSError: As the system reports it.
        """
        if os.name == "posix":
            fd = os.open(self._channels, os.O_RDONLY)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)

    @property
    def _channels(self) -> Path:
        return self.path / "channels"

    def log(self, channel: str) -> Log:
        """Returns the log of a channel or thread, which need not be there yet."""
        return Log(self._channels / f"{channel}.jsonl")

    def logs(self) -> dict[str, Log]:
        """Returns all logs by channel id, in the order of the ids."""
        try:
            with access(self._channels):
                found = [
                    p.stem for p in self._channels.iterdir() if p.suffix == ".jsonl" and p.stem.isdigit()
                ]
        except (FileNotFoundError, NotADirectoryError):
            return {}
        return {uid: self.log(uid) for uid in sorted(found, key=int)}

    def about(self) -> About:
        """Returns what the journal says of itself.

        Raises:
            SourceFormatError: It is of another form, or damaged.
        """
        return self._read("journal.json", About)

    def people(self) -> People:
        """Returns the roles of the people in it."""
        return self._read("people.json", People)

    def forgotten(self) -> Forgotten:
        """Returns who and what is never to be collected again."""
        return self._read("forgotten.json", Forgotten)

    def save(self, value: About | People | Forgotten) -> None:
        """Writes one of these, whole or not at all.

        Raises:
            OSError: As the system reports it; the old one stands.
        """
        name = {About: "journal.json", People: "people.json", Forgotten: "forgotten.json"}[type(value)]
        data = msgspec.json.encode(value, order="deterministic")
        path = self.path / name
        if not path.is_file() or path.read_bytes() != data:
            write_file(path, data)
            path.chmod(0o600)

    def _read(self, name: str, kind: type[T]) -> T:
        path = self.path / name
        try:
            with access(path):
                data = path.read_bytes()
        except FileNotFoundError:
            return kind()
        try:
            return decoded(data, kind, str(path))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise SourceFormatError(
                f"this file of the journal is damaged ({error})",
                path=str(path),
                hint=HINTS[name],
            ) from None

    def authors(self) -> set[str]:
        """Returns the ids of all whose messages are in the journal.

        Raises:
            SourceFormatError: A log is damaged.
        """
        logs = self.logs().values()
        return {trace.author.id for log in logs for traces, _ in log.blocks(_Trace) for trace in traces}

    def withheld(self, reasons: Collection[str]) -> Withheld:
        """Returns the ids of messages that are gone for one of these reasons, and for which.

        Raises:
            SourceFormatError: A log is damaged.
        """
        gone = (item for log in self.logs().values() for _, gone in log.blocks(_Trace) for item in gone)
        return Withheld((item.id, item.why) for item in gone if item.why in reasons)

    def copies_of(self, withheld: Withheld) -> dict[str, str]:
        """Returns the ids of whatever forwards a message that is withheld, and why that is.

        Raises:
            SourceFormatError: A log is damaged.
        """
        quotes: dict[str, list[str]] = {}
        for log in self.logs().values():
            for traces, _ in log.blocks(_Trace):
                for trace in traces:
                    if trace.quoted:
                        quotes.setdefault(trace.quoted, []).append(trace.id)
        found: dict[str, str] = {}
        waiting = [(uid, why) for uid in quotes if (why := withheld.get(uid, ""))]
        while waiting:
            uid, why = waiting.pop()
            more = dict.fromkeys(quotes.pop(uid, ()), why)
            found.update(more)
            waiting += more.items()
        return found

    def messages_by(
        self, authors: Collection[str], messages: Collection[str] = (), *, bots: bool = True
    ) -> set[str]:
        """Returns the ids of what these people said, of these messages, and of whatever forwards one of them.

        Args:
            authors: Discord user ids.
            messages: Message ids, whether they are in the journal or not.
            bots: Whether it counts if one of the authors is a bot.

        Raises:
            SourceFormatError: A log is damaged.
        """
        people = frozenset(authors)
        found = set(messages)
        quotes: dict[str, list[str]] = {}
        for log in self.logs().values():
            for traces, _ in log.blocks(_Trace):
                for trace in traces:
                    if trace.author.id in people and (bots or not trace.author.is_bot):
                        found.add(trace.id)
                    elif trace.quoted:
                        quotes.setdefault(trace.quoted, []).append(trace.id)
        waiting = list(found)
        while waiting:
            more = [uid for uid in quotes.pop(waiting.pop(), []) if uid not in found]
            found.update(more)
            waiting += more
        return found

    def forget(self, authors: Collection[str] = (), messages: Collection[str] = ()) -> int:
        """Removes these people's words and these messages, for good: no later run collects them again.

        In messages of others, 0 replaces the ids of these people, and embeds that name one of the messages are removed,
        now and in later runs.

        Args:
            authors: Discord user ids.
            messages: Message ids.

        Returns:
            How many messages were removed.

        Raises:
            SourceError: Somebody else is writing, or there is no journal.
            SourceFormatError: The journal is of another form, or damaged.
        """
        if not self.there:
            raise SourceError(f"{self.path}: there is no journal here")
        self.about()  # of another form it is left alone
        with self.writing():
            before = self.forgotten()
            # With those of before: had a call been killed, nobody could tell any more what some forwards forward.
            found = self.messages_by(authors, before.messages.union(messages))
            forgotten = before.add(authors, found)
            self.save(forgotten)
            removed = self.replace(dict.fromkeys(found, "forgotten"))
            self._mask(forgotten)
            people = self.people()
            for author in authors:
                people.members.pop(author, None)
            self.save(people)
            return removed

    def _mask(self, forgotten: Forgotten) -> None:
        for log in self.logs().values():
            if any(_masked(line, forgotten) != line for _, line in log.lines()):
                last = log.peek()
                lines = ((uid, _masked(line, forgotten)) for uid, line in log.lines())
                log.rewrite(lines, last.position, last.channel)

    def replace(self, gone: Mapping[str, str]) -> int:
        """Has ids stand where messages stood. The caller is `writing`.

        Args:
            gone: Why each message goes, by its id.

        Returns:
            How many messages went.
        """
        wanted = {int(uid): why for uid, why in gone.items()}
        removed = 0
        for log in self.logs().values():
            if log.peek().top < min(wanted, default=0):
                continue
            here = {
                uid: gone_line(str(uid), wanted[uid])
                for uid, line in log.lines()
                if uid in wanted and not line.startswith(GONE)
            }
            last = log.peek()
            if here:
                log.rewrite(
                    ((uid, here.get(uid, line)) for uid, line in log.lines()), last.position, last.channel
                )
                removed += len(here)
        return removed


def _masked(line: bytes, forgotten: Forgotten) -> bytes:
    return line if line.startswith(GONE) else forgotten.masked(line)
