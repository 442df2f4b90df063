"""Collects the discussions of a GitHub repository, live, with a token."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

import attrs
import msgspec
from attrs import field, frozen

from furytune._discord.api.pacing import Patience
from furytune._discord.selection import channel_names
from furytune._forums.github.client import ENDPOINT, GitHub
from furytune._forums.github.reader import GitHubReader
from furytune._forums.journal import ForumAbout, ForumJournal, Permission
from furytune._forums.participants import Participants
from furytune._forums.shapes import Category
from furytune._forums.sync import ForumReader, bring_up_to_date
from furytune._network.endpoint import checked_endpoint
from furytune._privacy.consent import Consent
from furytune._privacy.secret import Secret
from furytune._storage.system import system_errors_as
from furytune._values.canonical import Json
from furytune._values.checks import duration, of_type
from furytune._values.shown import Shown
from furytune.collectors.forum import ForumCollector, chosen, dropped_category
from furytune.errors import ConfigError, SourceError
from furytune.records import Dropped, Message, QAPair
from furytune.report.progress import meter

__all__ = ["ForumUpdate", "GitHubDiscussionsCollector"]

_PLATFORM = "github"
_REPOSITORY = re.compile(r"[A-Za-z0-9](?:-?[A-Za-z0-9_]){0,60}/[A-Za-z0-9._-]{1,100}")
_ROLES = frozenset(
    {"COLLABORATOR", "CONTRIBUTOR", "FIRST_TIMER", "FIRST_TIME_CONTRIBUTOR", "MANNEQUIN", "MEMBER", "OWNER"}
)
_WAIT = 3_700.0  # seconds; a primary limit ends after an hour


def _as_repository(value: str) -> str:
    """Converts the name of a repository; its address is accepted, too."""
    found = (
        str(value).strip().removeprefix("https://github.com/").removesuffix("/").removesuffix("/discussions")
    )
    if not _REPOSITORY.fullmatch(found):
        raise ConfigError(
            'repository must be the owner and the name of a repository, such as "octo-org/octo-repo"'
        )
    return found


def _as_collector(value: str | os.PathLike[str] | ForumCollector) -> ForumCollector:
    return value if isinstance(value, ForumCollector) else ForumCollector(value)


def _secret(_: object, attribute: attrs.Attribute[Secret], value: object) -> None:
    """Validates the token without ever showing its value."""
    if not isinstance(value, Secret):
        raise ConfigError(
            f'{attribute.name} must be a Secret, such as Secret.env("GITHUB_TOKEN"), not a {type(value).__name__}'
        )


def _statement(_: object, attribute: attrs.Attribute[str], value: object) -> None:
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(
            f"{attribute.name} must say in your words who permitted this collection and what for, such as "
            '"Announced in discussion 12 on 2026-03-01; the maintainers agreed". See the page Policy of the docs'
        )


def _roles(_: object, attribute: attrs.Attribute[Consent], value: Consent) -> None:
    for role in (*value.opt_out_roles, *value.opt_in_roles):
        if role not in _ROLES:
            raise ConfigError(
                f"{attribute.name}: GitHub has no role {role!r}; the roles are {', '.join(sorted(_ROLES))}"
            )


@frozen(kw_only=True, repr=False)
class ForumUpdate(Shown):
    """What one run changed in the journal of a forum.

    Attributes:
        new: Discussions that were not in the journal before.
        changed: Discussions that are different now: new comments, edits, an accepted answer.
        deleted: Discussions that are no longer on the platform, and were removed from the journal too.
        posts: Posts in new and changed discussions.
        withheld: Posts among them that were not collected because their authors do not take part.
        removed: Posts that were removed because their authors no longer take part.
        categories: Categories that were read.
        requests: Requests that were sent.
        points: What they cost; GitHub allows 5,000 points in an hour.
        left_out: Categories that were not read because no one wants them, with the reason.
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

    @property
    def unread(self) -> tuple[Dropped, ...]:
        """Nothing: what is wanted is read, or the run raises an error."""
        return ()

    def __str__(self) -> str:
        lines = [
            f"discussions{self.new:>8,}  new, with {self.posts:,} posts in new and changed ones",
            f"           {self.changed:>8,}  changed",
            f"           {self.deleted:>8,}  deleted",
            f"posts      {self.withheld + self.removed:>8,}  withheld or removed: their authors do not take part",
            f"categories {self.categories:>8,}  read",
            f"requests   {self.requests:>8,}  for {self.points:,} points",
        ]
        lines += [f"left out   {drop.where}: {drop.reason}" for drop in self.left_out]
        return "\n".join(lines)


@frozen
class GitHubDiscussionsCollector:
    """Reads the discussions of a GitHub repository into a journal, and makes pairs from the journal.

    A run reads what is new or changed since the last one, and notices deleted discussions. It may be killed at any moment, and
    the next run resumes it. It only sends queries, waits as GitHub asks, and never sends the token elsewhere.

    Args:
        repository: Owner and name, such as "octo-org/octo-repo".
        token: A token that may read discussions: a fine-grained one with read access to Discussions, or a classic one without
            any scope for public repositories.
        permission: Who permitted this collection and what for, in your words. It is stored in the journal and copied
            into the manifest of every data set; only you can know whether it is true.
        journal: Folder of the journal, or a `ForumCollector` that says how to read it.
        channels: Names of the categories to read. Empty means those in which an answer can be accepted, so Announcements,
            Polls and Show and tell are not read.
        exclude: Names of categories to leave out; it takes precedence over ``channels``.
        consent: Whose posts are collected, by accounts such as "@octocat", numbers, and roles such as "MEMBER".
        recheck: Discussions that changed this long before the newest one are read again by every run, because GitHub may not
            count the edit of a comment as a change. `refresh` reads all of them again.
        patience: How often and how long a failed request is retried.
        endpoint: Address of another GraphQL API, such as "https://github.example.com/api/graphql"; "" is GitHub.

    Raises:
        ConfigError: An argument cannot work.
    """

    repository: str = field(converter=_as_repository)
    token: Secret = field(kw_only=True, validator=_secret)
    permission: str = field(kw_only=True, validator=_statement)
    journal: ForumCollector = field(
        factory=lambda: ForumCollector("github-journal"), converter=_as_collector, kw_only=True
    )
    channels: tuple[str, ...] = field(default=(), converter=channel_names, kw_only=True)
    exclude: tuple[str, ...] = field(default=(), converter=channel_names, kw_only=True)
    consent: Consent = field(default=Consent(), validator=[of_type(Consent), _roles], kw_only=True)
    recheck: timedelta = field(default=timedelta(days=7), validator=duration, kw_only=True)
    patience: Patience = field(
        default=Patience(longest_wait=_WAIT), validator=of_type(Patience), kw_only=True
    )
    endpoint: str = field(default="", converter=checked_endpoint, kw_only=True)

    def collect(self) -> Iterator[QAPair | Dropped]:
        """Brings the journal up to date, then yields its pairs and drops, and the categories that were not read.

        Raises:
            ForumError: GitHub refused or did not answer. What was read is saved, and the next run resumes.
            SourceError: The journal belongs to another repository, or another process is writing to it.
        """
        self.update()
        yield from self.journal.collect()

    def messages(self, *, on_drop: Callable[[Dropped], None] | None = None) -> Iterator[Message]:
        """Yields the posts that are in the journal now, without asking GitHub.

        Args:
            on_drop: Called for everything that is left out.

        Raises:
            SourceError: There is no journal.
        """
        return self.journal.messages(on_drop=on_drop)

    @property
    def provenance(self) -> Mapping[str, Json]:
        """The repository, and who permitted what; the manifest of a data set repeats it."""
        return self.journal.provenance

    def update(self) -> ForumUpdate:
        """Reads what is new, changed or deleted.

        Raises:
            ConfigError: ``channels`` or ``exclude`` names a category that the repository does not have.
            ForumError: See `collect`.
            SourceError: See `collect`.
        """
        return self._go(everything=False)

    def refresh(self) -> ForumUpdate:
        """Reads every discussion again, whatever its age. If it is interrupted, the next run resumes it.

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
        owner, name = self.repository.split("/")
        with system_errors_as(SourceError, store.path, "what was read so far is saved"), store.writing():
            with meter("reading GitHub") as show:
                about = self._about(store)
                github = GitHub(self.token, self.endpoint or ENDPOINT, self.patience)
                reader: ForumReader = GitHubReader(github, owner, name)
                show(None, "listing categories")
                categories = self._categories(reader, about)
                counts = bring_up_to_date(
                    store,
                    msgspec.structs.replace(
                        about,
                        categories=categories,
                        refreshing=everything or about.refreshing,
                    ),
                    reader,
                    Participants(self.consent, store.forgotten()),
                    recheck=self.recheck,
                    on_step=lambda said: show(None, said),
                )
        return ForumUpdate(
            new=counts.new,
            changed=counts.changed,
            deleted=counts.deleted,
            posts=counts.posts,
            withheld=counts.withheld,
            removed=counts.removed,
            categories=sum(not category.unread for category in categories),
            requests=github.requests,
            points=github.points,
            left_out=tuple(dropped_category(c, c.unread) for c in categories if c.unread),
        )

    def _about(self, store: ForumJournal) -> ForumAbout:
        """Returns the journal's description of itself, with what this run adds.

        Raises:
            SourceError: The journal belongs to another repository.
        """
        about = store.about()
        if about.site and (about.platform, about.site.casefold()) != (_PLATFORM, self.repository.casefold()):
            raise SourceError(
                f"{store.path}: this journal belongs to {about.site}, not {self.repository}; give each its own"
            )
        permissions = about.permissions
        # A statement stays with its date; a new one is added and never replaces it.
        if not permissions or permissions[-1].statement != self.permission:
            since = datetime.now(UTC).isoformat(timespec="seconds")
            permissions = (*permissions, Permission(self.permission, since))
        return msgspec.structs.replace(
            about, platform=_PLATFORM, site=self.repository, permissions=permissions
        )

    def _categories(self, reader: ForumReader, about: ForumAbout) -> tuple[Category, ...]:
        """Returns the categories of the repository, and which of them to read."""
        marks = {category.id: category.mark for category in about.categories}
        return tuple(
            msgspec.structs.replace(category, unread=reason, mark=marks.get(category.id, ""))
            for category, reason in chosen(reader.categories(), self.channels, self.exclude)
        )
