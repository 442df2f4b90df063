"""Collects the topics of a Discourse forum, live, with or without a key."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta

import attrs
from attrs import field, frozen

from furytune._channels.selection import channel_names
from furytune._forums.discourse.client import Discourse
from furytune._forums.discourse.reader import DiscourseReader
from furytune._network.endpoint import checked_endpoint
from furytune._network.patience import Patience
from furytune._privacy.consent import Consent
from furytune._privacy.secret import Secret
from furytune._values.checks import duration, of_type
from furytune.collectors.forum import ForumCollector
from furytune.collectors.live_forum import Connection, LiveForum, as_forum, statement
from furytune.errors import ConfigError

__all__ = ["DiscourseCollector"]

_USER = re.compile(r"[\w.-]{0,60}", re.ASCII)
_WAIT = 3_700.0  # seconds; most of Discourse's limits end after a minute, and those of some keys after a day


def _as_site(value: str) -> str:
    """Converts the address of a forum."""
    try:
        found = checked_endpoint(value.strip() if isinstance(value, str) else value)
    except ConfigError as error:
        raise ConfigError(str(error).replace("endpoint", "site", 1)) from None
    if not found:
        raise ConfigError('site must be the address of a forum, such as "https://discuss.example.org"')
    return found


def _as_tags(value: str | Iterable[str]) -> tuple[str, ...]:
    """Converts names of tags; an address of a tag has "#" before it in posts."""
    return tuple(name.removeprefix("#").casefold() for name in channel_names(value))


def _key(_: object, attribute: attrs.Attribute[Secret | None], value: object) -> None:
    """Validates the key without ever showing its value."""
    if value is not None and not isinstance(value, Secret):
        raise ConfigError(
            f'{attribute.name} must be a Secret, such as Secret.env("DISCOURSE_KEY"), or None, not a {type(value).__name__}'
        )


def _user(_: object, attribute: attrs.Attribute[str], value: object) -> None:
    if not isinstance(value, str) or not _USER.fullmatch(value):
        raise ConfigError(f'{attribute.name} must be the name of an account of the forum, or ""')


@frozen
class DiscourseCollector(LiveForum):
    """Reads the topics of a Discourse forum into a journal, and makes pairs from the journal.

    A run reads what is new or changed since the last one, and notices deleted topics. It may be killed at any moment, and the
    next run resumes it. It only reads, waits as the forum asks, and never sends the key elsewhere.

    Args:
        site: Address of the forum, such as "https://discuss.example.org", with its folder if it is in one.
        permission: Who permitted this collection and what for, in your words. It is stored in the journal and copied
            into the manifest of every data set; only you can know whether it is true.
        key: An API key that may read topics, for a forum that is not public; None reads what everyone can read.
        user: Name of the account that a key for all users is used for; "" for a key of a single account.
        tags: Names of tags; only topics with one of them are read. Empty means all topics.
        journal: Folder of the journal, or a `ForumCollector` that says how to read it.
        channels: Names of the categories to read. Empty means those in which an answer can be accepted, or all if the forum
            marks none; categories that not everyone may read are read only if they are named.
        exclude: Names of categories to leave out; it takes precedence over ``channels``.
        consent: Whose posts are collected, by accounts such as "@ann", numbers, and groups: "staff", "admins", "moderators",
            "category_moderators", and the group that posts show beside a name.
        recheck: Topics that changed this long before the newest one are read again by every run, because the forum does not
            count most edits, or an accepted answer, as a change. `refresh` reads all of them again.
        patience: How often and how long a failed request is retried, and how many requests are sent in a second.

    Raises:
        ConfigError: An argument cannot work.
    """

    site: str = field(converter=_as_site)
    permission: str = field(kw_only=True, validator=statement)
    key: Secret | None = field(default=None, kw_only=True, validator=_key)
    user: str = field(default="", kw_only=True, validator=_user)
    tags: tuple[str, ...] = field(default=(), converter=_as_tags, kw_only=True)
    journal: ForumCollector = field(
        factory=lambda: ForumCollector("discourse-journal"), converter=as_forum, kw_only=True
    )
    channels: tuple[str, ...] = field(default=(), converter=channel_names, kw_only=True)
    exclude: tuple[str, ...] = field(default=(), converter=channel_names, kw_only=True)
    consent: Consent = field(default=Consent(), validator=of_type(Consent), kw_only=True)
    recheck: timedelta = field(default=timedelta(days=7), validator=duration, kw_only=True)
    patience: Patience = field(
        default=Patience(longest_wait=_WAIT), validator=of_type(Patience), kw_only=True
    )

    @property
    def _platform(self) -> str:
        return "discourse"

    @property
    def _place(self) -> str:
        return self.site

    @property
    def _threads(self) -> str:
        return "topics"

    def _connected(self) -> Connection:
        discourse = Discourse(self.site, self.key, self.user, self.patience)
        return Connection(DiscourseReader(discourse, frozenset(self.tags)), lambda: (discourse.requests, 0))
