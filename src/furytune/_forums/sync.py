"""Brings the journal of a forum up to date: lists what changed, and reads that thread by thread.

A run lists the numbers of threads and when they changed, newest first, and stops where the last run began. Then it reads the
threads that are new or changed, and commits them in small groups. An interrupted run lists again, which is cheap, and reads only
what is still missing. No cursor of the platform outlives a run.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

import msgspec
from attrs import define, field, frozen

from furytune._forums.journal import ForumAbout, ForumJournal, Lost, line_of
from furytune._forums.participants import Participants
from furytune._forums.shapes import Category, Thread
from furytune._storage.journal.lines import gone_line

__all__ = ["Counts", "ForumReader", "Listing", "bring_up_to_date"]


@frozen
class Listing:
    """The threads of a category, or the newest of them.

    Attributes:
        updated: When each thread changed, by its number.
        total: How many threads the platform says the category has.
        complete: True if they are all listed.
    """

    updated: Mapping[int, str]
    total: int
    complete: bool


class ForumReader(Protocol):
    """**Protocol:** reads a forum. Every method may raise `ForumError`."""

    def categories(self) -> list[Category]:
        """Returns the categories of the forum."""
        ...

    def listing(self, category: Category, until: str) -> Listing:
        """Lists the threads of a category, the last changed first, down to a time; "" lists all."""
        ...

    def threads(self, numbers: Sequence[int]) -> Iterator[list[Thread | Lost]]:
        """Yields groups of threads, in the order of the numbers. A thread that is not there is `Lost`."""
        ...


@define
class Counts:
    """What a run did.

    Attributes:
        new: Threads that were not in the journal.
        changed: Threads that were, and are different now.
        deleted: Threads that were, and are no longer on the platform.
        posts: Posts in new and changed threads.
        withheld: Posts among them that are not stored, because their authors do not take part.
        removed: Posts that were removed, because their authors no longer take part.
    """

    new: int = 0
    changed: int = 0
    deleted: int = 0
    posts: int = 0
    withheld: int = 0
    removed: int = 0


@frozen
class _Known:
    updated: str
    category: str
    sum: int


@define
class _Run:
    """The state of one run.

    Attributes:
        known: What the journal contains, by number.
        wanted: Numbers of the threads to read.
        marks: Time of the newest change, by category.
    """

    journal: ForumJournal
    reader: ForumReader
    people: Participants
    recheck: timedelta
    on_step: Callable[[str], None]
    counts: Counts = field(factory=Counts)
    known: dict[int, _Known] = field(factory=dict)
    wanted: set[int] = field(factory=set)
    marks: dict[str, str] = field(factory=dict)

    def survey(self, about: ForumAbout) -> None:
        """Finds out what to read: everything new or changed, and what seems to be deleted."""
        for thread in self.journal.threads():
            if isinstance(thread, Thread):
                self.known[int(thread.id)] = _known(thread, line_of(thread))
        for category in about.categories:
            if not category.unread:
                self.on_step("listing discussions")
                self._list(category, about)

    def _list(self, category: Category, about: ForumAbout) -> None:
        everything = about.refreshing
        until = "" if everything else _before(category.mark, self.recheck)
        found = self.reader.listing(category, until)
        held = {number for number, known in self.known.items() if known.category == category.id}
        if not found.complete and len(held | found.updated.keys()) > found.total:
            # The journal has more threads than the platform, so some were deleted or moved.
            found = self.reader.listing(category, "")
        missing = held - found.updated.keys()
        if found.complete:
            self.wanted |= missing
        else:
            # What changed so lately must be listed, unless it was deleted or moved, or has lost its newest post.
            self.wanted |= {number for number in missing if self.known[number].updated >= until}
        for number, updated in found.updated.items():
            known = self.known.get(number)
            # A comparison that was interrupted has compared the lower numbers already.
            again = (everything and number > about.checked) or (until and updated >= until)
            if again or known is None or (known.updated, known.category) != (updated, category.id):
                self.wanted.add(number)
        self.marks[category.id] = max([category.mark, *found.updated.values()])

    def read(self, about: ForumAbout) -> None:
        """Reads what is wanted, and commits it group by group."""
        # In the order of numbers, so that a first run only appends to the log.
        numbers = sorted(self.wanted)
        done = 0
        with self.journal.log as log:
            for group in self.reader.threads(numbers):
                fresh, changed = dict[int, bytes](), dict[int, bytes]()
                for found in group:
                    number, line = int(found.id), self._line(found)
                    if line:
                        (fresh if number > log.last.top else changed)[number] = line
                if fresh or changed:
                    log.append(
                        log.position,
                        lines=[fresh[number] for number in sorted(fresh)],
                        changed=list(changed.values()),
                    )
                if about.refreshing and group:
                    checked = max(about.checked, int(group[-1].id))
                    self.journal.save(msgspec.structs.replace(about, checked=checked))
                done += len(group)
                self.on_step(f"{done:,} of {len(numbers):,} discussions")

    def _line(self, found: Thread | Lost) -> bytes:
        """Returns the line that a thread adds to the log; nothing if the log has it already."""
        number = int(found.id)
        known = self.known.get(number)
        if isinstance(found, Lost):
            if known is None:
                return b""
            self.counts.deleted += 1
            return gone_line(found.id, found.why)
        thread = self.people.kept(found)
        line = line_of(thread)
        if known is not None and known == _known(thread, line):
            return b""
        self.counts.new += known is None
        self.counts.changed += known is not None
        self.counts.posts += len(thread.posts)
        self.counts.withheld += sum(bool(entry.gone) and entry.gone != "deleted" for entry in thread.posts)
        return line


def bring_up_to_date(
    journal: ForumJournal,
    about: ForumAbout,
    reader: ForumReader,
    people: Participants,
    *,
    recheck: timedelta,
    on_step: Callable[[str], None] = lambda _: None,
) -> Counts:
    """Reads what is new, changed or deleted. The caller is `ForumJournal.writing`.

    Args:
        journal: The journal.
        about: Its description, with the categories to read. It is saved before anything is read.
        reader: Talks to the platform.
        people: Whose posts are stored. Posts of others are removed first.
        recheck: How long before the newest known change threads are read again.
        on_step: Called with what is being done.
    """
    journal.save(about)
    run = _Run(journal=journal, reader=reader, people=people, recheck=recheck, on_step=on_step)
    # People who opted out must not wait for the end of a long run.
    run.counts.removed = journal.change(people.kept)
    run.survey(about)
    run.read(about)
    # Deleted and replaced words must not stay in the file.
    journal.log.compact()
    categories = tuple(
        msgspec.structs.replace(category, mark=run.marks.get(category.id, category.mark))
        for category in about.categories
    )
    journal.save(msgspec.structs.replace(about, categories=categories, refreshing=False, checked=0))
    return run.counts


def _known(thread: Thread, line: bytes) -> _Known:
    return _Known(thread.updated, thread.category, zlib.crc32(line))


def _before(mark: str, span: timedelta) -> str:
    """Returns a time some span before another, in the same form; "" if there is none."""
    try:
        moment = datetime.fromisoformat(mark) - span
        return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if mark else ""
    except (ValueError, OverflowError):
        return ""
