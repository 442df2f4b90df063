"""What the collectors of live forums have in common: a run, and everything that is done with the journal."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import attrs
import msgspec
from attrs import frozen

from furytune._forums.journal import ForumAbout, ForumJournal
from furytune._forums.participants import Participants
from furytune._forums.shapes import Category
from furytune._forums.sync import ForumReader, bring_up_to_date
from furytune._privacy.consent import Consent
from furytune._storage.journal.files import Permission
from furytune._storage.system import system_errors_as
from furytune._values.canonical import Json
from furytune._values.shown import Shown
from furytune.collectors.forum import ForumCollector, chosen, dropped_category
from furytune.errors import ConfigError, SourceError
from furytune.records import Dropped, Message, QAPair
from furytune.report.progress import meter

__all__ = ["Connection", "ForumUpdate", "LiveForum", "as_forum", "statement"]


def as_forum(value: str | os.PathLike[str] | ForumCollector) -> ForumCollector:
    """Converts the folder of a journal, or the collector that reads it."""
    return value if isinstance(value, ForumCollector) else ForumCollector(value)


def statement(_: object, attribute: attrs.Attribute[str], value: object) -> None:
    """Validates who permitted a collection."""
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(
            f"{attribute.name} must say in your words who permitted this collection and what for, such as "
            '"Announced in discussion 12 on 2026-03-01; the maintainers agreed". See the page Policy of the docs'
        )


@frozen(kw_only=True, repr=False)
class ForumUpdate(Shown):
    """What one run changed in the journal of a forum.

    Attributes:
        new: Threads that were not in the journal before.
        changed: Threads that are different now: new comments, edits, an accepted answer.
        deleted: Threads that are no longer on the platform, and were removed from the journal too.
        posts: Posts in new and changed threads.
        withheld: Posts among them that were not collected because their authors do not take part.
        removed: Posts that were removed because their authors no longer take part.
        categories: Categories that were read.
        requests: Requests that were sent.
        points: What they cost, if the platform counts that; GitHub allows 5,000 points in an hour.
        left_out: Categories that were not read because no one wants them, with the reason.
        threads: What the platform calls its threads: "discussions" or "topics".
    """

    new: int = 0
    changed: int = 0
    deleted: int = 0
    posts: int = 0
    withheld: int = 0
    removed: int = 0
    categories: int = 0
    requests: int = 0
    points: int = 0
    left_out: tuple[Dropped, ...] = ()
    threads: str = "discussions"

    @property
    def unread(self) -> tuple[Dropped, ...]:
        """Always empty, because what is wanted is read, or the run raises an error."""
        return ()

    def __str__(self) -> str:
        lines = [
            f"{self.threads:<11}{self.new:>8,}  new, with {self.posts:,} posts in new and changed ones",
            f"           {self.changed:>8,}  changed",
            f"           {self.deleted:>8,}  deleted",
            f"posts      {self.withheld + self.removed:>8,}  withheld or removed: their authors do not take part",
            f"categories {self.categories:>8,}  read",
            f"requests   {self.requests:>8,}" + (f"  for {self.points:,} points" if self.points else ""),
        ]
        lines += [f"left out   {drop.where}: {drop.reason}" for drop in self.left_out]
        return "\n".join(lines)


@frozen
class Connection:
    """A connection to a platform, for one run.

    Attributes:
        reader: Reads the forum.
        spent: Returns how many requests were sent, and how many points they cost.
    """

    reader: ForumReader
    spent: Callable[[], tuple[int, int]]


class LiveForum:
    """Reads a forum into a journal, and makes pairs from the journal. A collector adds its platform and its settings."""

    __slots__ = ()

    if TYPE_CHECKING:
        journal: ForumCollector
        permission: str
        channels: tuple[str, ...]
        exclude: tuple[str, ...]
        consent: Consent
        recheck: timedelta

    @property
    def _platform(self) -> str:
        """Name of the platform in journals."""
        raise NotImplementedError

    @property
    def _place(self) -> str:
        """The repository, or the address of the forum."""
        raise NotImplementedError

    @property
    def _threads(self) -> str:
        """What the platform calls its threads."""
        raise NotImplementedError

    def _connected(self) -> Connection:
        """Returns a connection for one run."""
        raise NotImplementedError

    def collect(self) -> Iterator[QAPair | Dropped]:
        """Brings the journal up to date, then yields its pairs and drops, and the categories that were not read.

        Raises:
            ForumError: The platform refused or did not answer. What was read is saved, and the next run resumes.
            SourceError: The journal belongs to another forum, or another process is writing to it.
        """
        self.update()
        yield from self.journal.collect()

    def messages(self, *, on_drop: Callable[[Dropped], None] | None = None) -> Iterator[Message]:
        """Yields the posts that are in the journal now, without asking the platform.

        Args:
            on_drop: Called for everything that is left out.

        Raises:
            SourceError: There is no journal.
        """
        return self.journal.messages(on_drop=on_drop)

    @property
    def provenance(self) -> Mapping[str, Json]:
        """The forum, and who permitted what; the manifest of a data set repeats it."""
        return self.journal.provenance

    def update(self) -> ForumUpdate:
        """Reads what is new, changed or deleted.

        Raises:
            ConfigError: ``channels`` or ``exclude`` names a category that the forum does not have.
            ForumError: See `collect`.
            SourceError: See `collect`.
        """
        return self._go(everything=False)

    def refresh(self) -> ForumUpdate:
        """Reads every thread again, whatever its age. If it is interrupted, the next run resumes it.

        Raises:
            ConfigError: See `update`.
            ForumError: See `collect`.
            SourceError: See `collect`.
        """
        return self._go(everything=True)

    def forget(self, author: str) -> int:
        """Removes a person's posts from the journal for good; no later run collects them again.

        In posts of others, the person is called "ghost". `furytune.forget` does this, and removes the words from data sets and
        indexes as well.

        Args:
            author: Name of the account, or its number.

        Returns:
            How many posts were removed.

        Raises:
            SourceError: There is no journal, or another process is writing to it.
        """
        with system_errors_as(SourceError, self._store.path):
            return self._store.forget([author])

    @property
    def _store(self) -> ForumJournal:
        return self.journal.journal

    def _go(self, *, everything: bool) -> ForumUpdate:
        store = self._store
        with system_errors_as(SourceError, store.path, "what was read so far is saved"), store.writing():
            with meter(f"reading {self._threads}") as show:
                about = self._about(store)
                connection = self._connected()
                show(None, "listing categories")
                categories = self._categories(connection.reader, about)
                counts = bring_up_to_date(
                    store,
                    msgspec.structs.replace(
                        about,
                        categories=categories,
                        refreshing=everything or about.refreshing,
                    ),
                    connection.reader,
                    Participants(self.consent, store.forgotten(), self._platform),
                    recheck=self.recheck,
                    on_step=lambda said: show(None, said),
                )
        requests, points = connection.spent()
        return ForumUpdate(
            new=counts.new,
            changed=counts.changed,
            deleted=counts.deleted,
            posts=counts.posts,
            withheld=counts.withheld,
            removed=counts.removed,
            categories=sum(not category.unread for category in categories),
            requests=requests,
            points=points,
            left_out=tuple(dropped_category(c, c.unread) for c in categories if c.unread),
            threads=self._threads,
        )

    def _about(self, store: ForumJournal) -> ForumAbout:
        """Returns the journal's description of itself, with what this run adds.

        Raises:
            SourceError: The journal belongs to another forum.
        """
        about = store.about()
        if about.site and (about.platform, about.site.casefold()) != (
            self._platform,
            self._place.casefold(),
        ):
            raise SourceError(
                f"{store.path}: this journal belongs to {about.site}, not {self._place}; give each its own"
            )
        permissions = about.permissions
        # A statement stays with its date; a new one is added and never replaces it.
        if not permissions or permissions[-1].statement != self.permission:
            since = datetime.now(UTC).isoformat(timespec="seconds")
            permissions = (*permissions, Permission(self.permission, since))
        return msgspec.structs.replace(
            about, platform=self._platform, site=self._place, permissions=permissions
        )

    def _categories(self, reader: ForumReader, about: ForumAbout) -> tuple[Category, ...]:
        """Returns the categories of the forum, and which of them to read."""
        marks = {category.id: category.mark for category in about.categories}
        return tuple(
            msgspec.structs.replace(category, unread=reason, mark=marks.get(category.id, ""))
            for category, reason in chosen(reader.categories(), self.channels, self.exclude)
        )
