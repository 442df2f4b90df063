"""The journal of a forum: a folder with one log of all threads, and files about the forum and its people."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

import msgspec
from attrs import frozen

from furytune._forums.participants import Participants, marks
from furytune._forums.shapes import Category, Thread
from furytune._privacy.consent import Consent
from furytune._privacy.forgotten import Forgotten
from furytune._storage.journal import files
from furytune._storage.journal.files import Permission
from furytune._storage.journal.folder import START_OVER, access, folder_of, write_alone
from furytune._storage.journal.lines import GONE, parse_gone
from furytune._storage.journal.log import Log
from furytune.errors import SourceError, SourceFormatError

__all__ = ["FORMAT", "ForumAbout", "ForumJournal", "Lost", "is_forum"]

FORMAT = "furytune-forum/1"
"""Name and version of the journal's format."""

_LOG = "threads.jsonl"
_OWN = {_LOG, ".lock", "forgotten.json"}
_PAGE = 20  # threads; a reader has a page in memory

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Thread).decode


class ForumAbout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a journal says about itself.

    Attributes:
        platform: "github" or "discourse".
        site: The repository, or the address of the forum.
        permissions: Each statement that it was collected under.
        categories: The categories of the forum, with what the last run did with them.
        refreshing: True while every thread is compared.
        checked: Number of the last thread that this comparison has read.
    """

    platform: str = ""
    site: str = ""
    permissions: tuple[Permission, ...] = ()
    categories: tuple[Category, ...] = ()
    refreshing: bool = False
    checked: int = 0
    format: str = FORMAT


@frozen
class Lost:
    """A thread that is gone.

    Attributes:
        id: Its number.
        why: "deleted".
    """

    id: str
    why: str


def is_forum(path: str | os.PathLike[str]) -> bool:
    """Returns True if a folder contains the journal of a forum."""
    try:
        said = msgspec.json.decode((folder_of(path) / "journal.json").read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(said, dict) and said.get("format") == FORMAT


class ForumJournal:
    """The folder with everything that was read from one forum. Only its owner can read the files.

    Args:
        path: The folder, which need not exist yet. A ``~`` at its beginning is the user's home.

    Raises:
        ConfigError: It is not a path.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = folder_of(path)
        self.log = Log(self.path / _LOG, page=_PAGE)

    def __eq__(self, other: object) -> bool:
        return self.path == other.path if isinstance(other, ForumJournal) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.path)

    def __fspath__(self) -> str:
        return os.fspath(self.path)

    def __repr__(self) -> str:
        return f"ForumJournal({os.fspath(self.path)!r})"

    @property
    def there(self) -> bool:
        """True if the folder contains a journal.

        Raises:
            SourceError: It contains a log without ``journal.json``, or this user may not read it.
        """
        about = self.path / "journal.json"
        with access(about):
            if about.is_file():
                return True
            if not self.path.is_dir():
                return False
        # A run writes journal.json before the first thread.
        if self.log.peek().top:
            raise SourceError(
                f"{self.path}: there is a log, but journal.json is missing, which says what it contains; {START_OVER}"
            )
        return False

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Locks the journal against other writers, in this process and others; creates the folder if needed.

        Raises:
            SourceError: Another process is writing, the folder is not a journal, or it cannot be written to.
        """
        with write_alone(self.path, self.path, own=_OWN, there=self.there):
            yield

    def about(self) -> ForumAbout:
        """Returns the journal's description of itself.

        Raises:
            SourceFormatError: It has another format, or is damaged.
        """
        return files.load(self.path / "journal.json", ForumAbout, FORMAT)

    def forgotten(self) -> Forgotten:
        """Returns who and what must never be collected again."""
        return files.load(self.path / "forgotten.json", Forgotten)

    def save(self, value: ForumAbout | Forgotten) -> None:
        """Writes one of the journal's own files atomically.

        Raises:
            OSError: As the system reports it; the old file is unchanged.
        """
        path = self.path / ("journal.json" if isinstance(value, ForumAbout) else "forgotten.json")
        files.save(path, value)

    def threads(self) -> Iterator[Thread | Lost]:
        """Yields all threads in the order of their numbers, one at a time.

        Raises:
            SourceFormatError: The log is damaged.
        """
        for uid, line in self.log.lines():
            yield Lost(str(uid), parse_gone(line)) if line.startswith(GONE) else self._thread(uid, line)

    def _thread(self, uid: int, line: bytes) -> Thread:
        try:
            return _decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise SourceFormatError(
                f"thread {uid} of the journal is damaged ({error})",
                path=str(self.log.path),
                hint="restore the file from a backup, or remove it: the next run reads everything again",
            ) from None

    def change(self, changed: Callable[[Thread], Thread]) -> int:
        """Changes all threads, and returns how many posts are gone now that were not before.

        The caller is `writing`. If nothing changes, no file is written.

        Args:
            changed: Returns the thread as it should be.
        """
        # Reading twice is cheaper than rewriting a log in which nothing changes.
        last = self.log.peek()
        pairs = ((thread, changed(thread)) for thread in self.threads() if isinstance(thread, Thread))
        gone = [_gone(new) - _gone(old) for old, new in pairs if new is not old]
        if gone:
            lines = (
                (uid, line if line.startswith(GONE) else line_of(changed(self._thread(uid, line))))
                for uid, line in self.log.lines()
            )
            self.log.rewrite(lines, last.position, last.channel)
        return sum(gone)

    def messages_by(self, authors: Collection[str], messages: Collection[str] = ()) -> set[str]:
        """Returns the ids of these people's posts, and those given.

        Args:
            authors: Names of accounts, or their numbers.
            messages: Ids of posts, whether they are in the journal or not.
        """
        wanted = frozenset(_mark(author) for author in authors)
        found = set(messages)
        if wanted:
            for thread in self.threads():
                if isinstance(thread, Thread):
                    found.update(e.id for e in thread.posts if not wanted.isdisjoint(marks(e.login, e.user)))
        return found

    def gone(self) -> set[str]:
        """Returns the ids of posts that were removed from the journal, or never stored."""
        threads = (thread for thread in self.threads() if isinstance(thread, Thread))
        return {entry.id for thread in threads for entry in thread.posts if entry.gone}

    def forget(self, authors: Collection[str] = (), messages: Collection[str] = ()) -> int:
        """Removes these people's posts and these posts for good: no later run collects them again.

        In posts of others, the people are called "ghost" from now on.

        Args:
            authors: Names of accounts, or their numbers.
            messages: Ids of posts.

        Returns:
            How many posts were removed.

        Raises:
            SourceError: Another process is writing, or there is no journal.
            SourceFormatError: The journal has another format, or is damaged.
        """
        if not self.there:
            raise SourceError(f"{self.path}: there is no journal here")
        about = self.about()  # raises for another format, before anything is changed
        with self.writing():
            found = self.messages_by(authors, messages)
            known = {_mark(author) for author in authors} | self._other_marks(authors)
            forgotten = self.forgotten().add(known, found)
            # Before anything is removed: if this is killed, no later run collects the posts again.
            self.save(forgotten)
            removed = self.change(Participants(Consent(), forgotten, about.platform).kept)
            with self.log:  # opening it cuts off a torn end
                pass
            self.log.compact()
            return removed

    def _other_marks(self, authors: Collection[str]) -> set[str]:
        """Returns the numbers of the accounts that are named, and the names of those that are numbered."""
        wanted = frozenset(_mark(author) for author in authors)
        found = set[str]()
        for thread in self.threads():
            if isinstance(thread, Thread):
                for entry in thread.posts:
                    known = marks(entry.login, entry.user)
                    if not wanted.isdisjoint(known):
                        found.update(known)
        return found


def line_of(thread: Thread) -> bytes:
    """Returns a thread as a line of the log."""
    return _encode(thread) + b"\n"


def _gone(thread: Thread) -> int:
    return sum(bool(entry.gone) for entry in thread.posts)


def _mark(author: str) -> str:
    """Returns the word under which a person is forgotten."""
    author = author.strip()
    return author if author.isdecimal() else f"@{author.removeprefix('@').casefold()}"
