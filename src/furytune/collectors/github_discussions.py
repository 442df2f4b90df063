"""Collects the discussions of a GitHub repository, live, with a token."""

from __future__ import annotations

import re
from datetime import timedelta

import attrs
from attrs import field, frozen

from furytune._channels.selection import channel_names
from furytune._forums.github.client import ENDPOINT, GitHub
from furytune._forums.github.reader import GitHubReader
from furytune._network.endpoint import checked_endpoint
from furytune._network.patience import Patience
from furytune._privacy.consent import Consent
from furytune._privacy.secret import Secret
from furytune._values.checks import duration, of_type
from furytune.collectors.forum import ForumCollector
from furytune.collectors.live_forum import Connection, ForumUpdate, LiveForum, as_forum, statement
from furytune.errors import ConfigError

__all__ = ["ForumUpdate", "GitHubDiscussionsCollector"]

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


def _secret(_: object, attribute: attrs.Attribute[Secret], value: object) -> None:
    """Validates the token without ever showing its value."""
    if not isinstance(value, Secret):
        raise ConfigError(
            f'{attribute.name} must be a Secret, such as Secret.env("GITHUB_TOKEN"), not a {type(value).__name__}'
        )


def _roles(_: object, attribute: attrs.Attribute[Consent], value: Consent) -> None:
    for role in (*value.opt_out_roles, *value.opt_in_roles):
        if role not in _ROLES:
            raise ConfigError(
                f"{attribute.name}: GitHub has no role {role!r}; the roles are {', '.join(sorted(_ROLES))}"
            )


@frozen
class GitHubDiscussionsCollector(LiveForum):
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
    permission: str = field(kw_only=True, validator=statement)
    journal: ForumCollector = field(
        factory=lambda: ForumCollector("github-journal"), converter=as_forum, kw_only=True
    )
    channels: tuple[str, ...] = field(default=(), converter=channel_names, kw_only=True)
    exclude: tuple[str, ...] = field(default=(), converter=channel_names, kw_only=True)
    consent: Consent = field(default=Consent(), validator=[of_type(Consent), _roles], kw_only=True)
    recheck: timedelta = field(default=timedelta(days=7), validator=duration, kw_only=True)
    patience: Patience = field(
        default=Patience(longest_wait=_WAIT), validator=of_type(Patience), kw_only=True
    )
    endpoint: str = field(default="", converter=checked_endpoint, kw_only=True)

    @property
    def _platform(self) -> str:
        return "github"

    @property
    def _place(self) -> str:
        return self.repository

    @property
    def _threads(self) -> str:
        return "discussions"

    def _connected(self) -> Connection:
        github = GitHub(self.token, self.endpoint or ENDPOINT, self.patience)
        owner, name = self.repository.split("/")
        return Connection(GitHubReader(github, owner, name), lambda: (github.requests, github.points))
