"""The journal of one server: a folder with one log per channel, and files about the whole server."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from furytune._discord.journal.messages import MessageHeader, masked, original_of
from furytune._discord.journal.state import FORMAT, About, People, Unread
from furytune._discord.journal.withheld import Withheld
from furytune._privacy.forgotten import Forgotten
from furytune._storage.journal import files
from furytune._storage.journal.folder import START_OVER, access, folder_of, write_alone
from furytune._storage.journal.lines import GONE, gone_line
from furytune._storage.journal.log import Log
from furytune.errors import SourceError

__all__ = ["FORMAT", "About", "Journal", "People", "Unread", "Withheld"]

_OWN = {"channels", ".lock", "people.json", "forgotten.json"}


class Journal:
    """The folder with everything that was read from one server. Only its owner can read the files.

    Args:
        path: The folder, which need not exist yet. A ``~`` at its beginning is the user's home.

    Raises:
        ConfigError: It is not a path.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = folder_of(path)

    def __eq__(self, other: object) -> bool:
        return self.path == other.path if isinstance(other, Journal) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.path)

    @property
    def there(self) -> bool:
        """True if the folder contains a journal.

        Raises:
            SourceError: It contains logs without ``journal.json``, or this user may not read it.
        """
        about = self.path / "journal.json"
        with access(about):
            if about.is_file():
                return True
        if self.logs():
            raise SourceError(
                f"{self.path}: there are logs in channels/, but journal.json is missing, which says which server they "
                f"belong to and which channels to leave out; {START_OVER}"
            )
        return False

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Locks the journal against other writers, in this process and others; creates the folder if needed.

        Raises:
            SourceError: Another process is writing, the folder is not a journal, or it cannot be written to.
        """
        with write_alone(self.path, self._channels, own=_OWN, there=self.there):
            yield

    def sync(self) -> None:
        """Flushes the names of new logs to disk, before anything that relies on them is written.

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
        """Returns the log of a channel or thread, which need not exist yet."""
        return Log(self._channels / f"{channel}.jsonl")

    def logs(self) -> dict[str, Log]:
        """Returns all logs by channel id, in the order of the ids."""
        try:
            with access(self._channels):
                # Names that are not ids may be files of the user or leftovers; they are not logs.
                found = [
                    p.stem for p in self._channels.iterdir() if p.suffix == ".jsonl" and p.stem.isdigit()
                ]
        except (FileNotFoundError, NotADirectoryError):
            return {}
        return {uid: self.log(uid) for uid in sorted(found, key=int)}

    def about(self) -> About:
        """Returns the journal's description of itself.

        Raises:
            SourceFormatError: It has another format, or is damaged.
        """
        return files.load(self.path / "journal.json", About, FORMAT)

    def people(self) -> People:
        """Returns the roles of the people in the journal."""
        return files.load(self.path / "people.json", People)

    def forgotten(self) -> Forgotten:
        """Returns who and what must never be collected again."""
        return files.load(self.path / "forgotten.json", Forgotten)

    def save(self, value: About | People | Forgotten) -> None:
        """Writes one of the journal's own files atomically.

        Raises:
            OSError: As the system reports it; the old file is unchanged.
        """
        name = {About: "journal.json", People: "people.json", Forgotten: "forgotten.json"}[type(value)]
        files.save(self.path / name, value)

    def authors(self) -> set[str]:
        """Returns the ids of all people whose messages are in the journal.

        Raises:
            SourceFormatError: A log is damaged.
        """
        logs = self.logs().values()
        return {
            trace.author.id for log in logs for traces, _ in log.blocks(MessageHeader) for trace in traces
        }

    def withheld(self, reasons: Collection[str]) -> Withheld:
        """Returns the ids of the messages that are gone for one of these reasons, with the reason.

        Raises:
            SourceFormatError: A log is damaged.
        """
        gone = (
            item for log in self.logs().values() for _, gone in log.blocks(MessageHeader) for item in gone
        )
        return Withheld((item.id, item.why) for item in gone if item.why in reasons)

    def copies_of(self, withheld: Withheld) -> dict[str, str]:
        """Returns the ids of messages that forward a withheld message, directly or not, with the reason.

        Raises:
            SourceFormatError: A log is damaged.
        """
        quotes: dict[str, list[str]] = {}
        for log in self.logs().values():
            for traces, _ in log.blocks(MessageHeader):
                for trace in traces:
                    if original := original_of(trace):
                        quotes.setdefault(original, []).append(trace.id)
        found: dict[str, str] = {}
        waiting = [(uid, why) for uid in quotes if (why := withheld.get(uid, ""))]
        # Follow forwards of forwards; `pop` visits each original once, so cycles end.
        while waiting:
            uid, why = waiting.pop()
            more = dict.fromkeys(quotes.pop(uid, ()), why)
            found.update(more)
            waiting += more.items()
        return found

    def messages_by(
        self, authors: Collection[str], messages: Collection[str] = (), *, bots: bool = True
    ) -> set[str]:
        """Returns the ids of these people's messages, of these messages, and of all that forward one of them.

        Args:
            authors: Discord user ids.
            messages: Message ids, whether they are in the journal or not.
            bots: Whether to include the messages of authors that are bots.

        Raises:
            SourceFormatError: A log is damaged.
        """
        people = frozenset(authors)
        found = set(messages)
        quotes: dict[str, list[str]] = {}
        for log in self.logs().values():
            for traces, _ in log.blocks(MessageHeader):
                for trace in traces:
                    if trace.author.id in people and (bots or not trace.author.is_bot):
                        found.add(trace.id)
                    elif original := original_of(trace):
                        quotes.setdefault(original, []).append(trace.id)
        waiting = list(found)
        # Follow forwards of forwards, as in `copies_of`.
        while waiting:
            more = [uid for uid in quotes.pop(waiting.pop(), []) if uid not in found]
            found.update(more)
            waiting += more
        return found

    def forget(self, authors: Collection[str] = (), messages: Collection[str] = ()) -> int:
        """Removes these people's messages and these messages for good: no later run collects them again.

        Now and in later runs, 0 replaces the ids of these people in messages of others, and embeds that name one of the
        messages are removed.

        Args:
            authors: Discord user ids.
            messages: Message ids.

        Returns:
            How many messages were removed.

        Raises:
            SourceError: Another process is writing, or there is no journal.
            SourceFormatError: The journal has another format, or is damaged.
        """
        if not self.there:
            raise SourceError(f"{self.path}: there is no journal here")
        self.about()  # raises for another format, before anything is changed
        with self.writing():
            before = self.forgotten()
            # Search for earlier ids too: after a killed call, the originals of some forwarded copies may already be gone.
            found = self.messages_by(authors, before.messages.union(messages))
            forgotten = before.add(authors, found)
            # Before anything is removed: if this is killed, no later run collects the messages again.
            self.save(forgotten)
            removed = self.replace(dict.fromkeys(found, "forgotten"))
            self._mask(forgotten)
            people = self.people()
            for author in authors:
                people.members.pop(author, None)
            self.save(people)
            return removed

    def _mask(self, forgotten: Forgotten) -> None:
        """Rewrites the logs that contain ids of forgotten people, or embeds that name forgotten messages."""
        for log in self.logs().values():
            # Reading twice is cheaper than rewriting a log that mentions none of them.
            if any(_masked(line, forgotten) != line for _, line in log.lines()):
                last = log.peek()
                lines = ((uid, _masked(line, forgotten)) for uid, line in log.lines())
                log.rewrite(lines, last.position, last.channel)

    def replace(self, gone: Mapping[str, str]) -> int:
        """Replaces messages with tombstones, which contain only the id and the reason. The caller is `writing`.

        Args:
            gone: The reason for each message, by its id.

        Returns:
            How many messages were replaced.
        """
        wanted = {int(uid): why for uid, why in gone.items()}
        removed = 0
        for log in self.logs().values():
            # All messages of this log are older than the wanted ones.
            if log.peek().top < min(wanted, default=0):
                continue
            here = {
                uid: gone_line(str(uid), wanted[uid])
                for uid, line in log.lines()
                if uid in wanted and not line.startswith(GONE)
            }
            # Positions stay: tombstones keep the ids, so the next run does not read the messages again.
            last = log.peek()
            if here:
                log.rewrite(
                    ((uid, here.get(uid, line)) for uid, line in log.lines()), last.position, last.channel
                )
                removed += len(here)
        return removed


def _masked(line: bytes, forgotten: Forgotten) -> bytes:
    return line if line.startswith(GONE) else masked(line, forgotten)
