"""Makes pairs from discussions that are stored already: in a forum's journal, or in files. It asks no one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

from attrs import field, frozen

from furytune._channels.pairing import as_pairers
from furytune._channels.selection import channel_names
from furytune._forums.conversations import Forum, ForumPairing
from furytune._forums.files import ForumFile, forum_files
from furytune._forums.github.queries import FILE
from furytune._forums.journal import ForumJournal
from furytune._forums.participants import Participants
from furytune._forums.shapes import Category, Thread
from furytune._privacy.consent import Consent
from furytune._privacy.forgotten import Forgotten
from furytune._privacy.printable import one_line, printable
from furytune._readers.limits import MAX_MESSAGE, MAX_MESSAGES, MAX_PAIR, Limits
from furytune._storage.system import system_errors_as
from furytune._values.canonical import Json
from furytune._values.checks import at_least, bytes_or_none, of_type, one_of
from furytune.errors import ConfigError, SourceError
from furytune.pairing import Pairer
from furytune.records import Dropped, Message, QAPair

__all__ = ["QUERY", "ForumCollector", "chosen", "dropped_category"]

QUERY = FILE
"""The query with which ``gh api graphql --paginate`` saves discussions."""

_GITHUB = "github"
_Threads = Iterator[tuple[Thread, str]]


def _as_path(path: str | os.PathLike[str]) -> Path:
    """Converts the path of a journal or file."""
    if not isinstance(path, str | os.PathLike):
        raise ConfigError(f"source must be one journal, file or folder, not a {type(path).__name__}")
    return Path(path)


@frozen
class ForumCollector:
    """Pairs from discussions, offline: from a journal, or from JSON files that ``gh api graphql --paginate`` wrote.

    The question is the title and the opening post. The accepted answer is certain: the pair has the confidence 1. In a
    discussion without an accepted answer, the pairers choose. Categories in which no one can accept an answer, such as
    Announcements, Polls or Show and tell, are left out unless ``channels`` names them.

    Args:
        source: The folder that `GitHubDiscussionsCollector` or `DiscourseCollector` writes to, a JSON file, or a folder of JSON
            files.
        pairers: Methods to find pairs with; the first that fits is used, also where an answer was accepted. None means
            the accepted answer, and `ChatPairer` without one.
        consent: Whose posts are used, by accounts such as "@octocat", numbers, and roles such as "MEMBER".
        author_key: Key of the pseudonyms. None means the environment variable ``FURYTUNE_AUTHOR_KEY`` or, without it, a
            random key in each process, so that the pseudonyms of two runs differ.
        channels: Names of the categories to read. Empty means those in which an answer can be accepted.
        exclude: Names of categories to leave out; it takes precedence over ``channels``.
        include_bots: Whether bots may ask and answer; by default they are dropped as "bot".
        on_error: "raise" stops at the first malformed file or discussion. "skip" counts it as dropped and keeps the rest.
        max_message: Most bytes of a post, as UTF-8; a longer one is dropped as "message_too_long".
        max_pair: Most bytes of question and answer together; a longer pair is dropped as "pair_too_long".
        max_messages: Most posts in a question, and in an answer; a larger pair is dropped as "too_many_messages".
    """

    source: Path = field(converter=_as_path)
    pairers: tuple[Pairer, ...] | None = field(default=None, kw_only=True, converter=as_pairers)
    consent: Consent = field(default=Consent(), kw_only=True, validator=of_type(Consent))
    author_key: bytes | None = field(default=None, kw_only=True, repr=False, validator=bytes_or_none)
    channels: tuple[str, ...] = field(default=(), kw_only=True, converter=channel_names)
    exclude: tuple[str, ...] = field(default=(), kw_only=True, converter=channel_names)
    include_bots: bool = field(default=False, kw_only=True, validator=of_type(bool))
    on_error: Literal["raise", "skip"] = field(
        default="raise", kw_only=True, validator=one_of("raise", "skip")
    )
    max_message: int = field(default=MAX_MESSAGE, kw_only=True, validator=at_least(1))
    max_pair: int = field(default=MAX_PAIR, kw_only=True, validator=at_least(1))
    max_messages: int = field(default=MAX_MESSAGES, kw_only=True, validator=at_least(1))

    def collect(self) -> Iterator[QAPair | Dropped]:
        """Yields the categories that are left out, then pairs and drops, discussion by discussion.

        Raises:
            ConfigError: ``channels`` or ``exclude`` names a category that is not there.
            SourceError: There is nothing to read.
            SourceFormatError: A file or the journal is damaged, and ``on_error`` is "raise".
        """
        drops: list[Dropped] = []
        with system_errors_as(SourceError, self.source):
            threads, forum = self._opened(drops.append)
            yield from drops
            drops.clear()
            for item in self._pairing.pairs(threads, forum):
                yield from drops
                drops.clear()
                yield item
            yield from drops

    def messages(self, *, on_drop: Callable[[Dropped], None] | None = None) -> Iterator[Message]:
        """Yields every post that is there, without those of people who do not take part.

        Args:
            on_drop: Called for categories and files that are left out.

        Raises:
            ConfigError: ``channels`` or ``exclude`` names a category that is not there.
            SourceError: There is nothing to read.
            SourceFormatError: A file or the journal is damaged, and ``on_error`` is "raise".
        """
        with system_errors_as(SourceError, self.source):
            threads, forum = self._opened(on_drop or (lambda _: None))
            yield from self._pairing.messages(threads, forum)

    @property
    def provenance(self) -> Mapping[str, Json]:
        """The forum, and who permitted what; the manifest of a data set repeats it."""
        if not self.is_journal:
            return {"collector": "forum", "platform": _GITHUB, "permission": []}
        with system_errors_as(SourceError, self.source):
            about = self.journal.about()
        return {
            "collector": "forum",
            "platform": about.platform,
            "site": about.site,
            "permission": [{"statement": p.statement, "since": p.since} for p in about.permissions],
        }

    @property
    def journal(self) -> ForumJournal:
        """The journal, whether it exists or not."""
        return ForumJournal(self.source)

    @property
    def is_journal(self) -> bool:
        """True if the source is a journal, not files."""
        return self.journal.there

    @property
    def _pairing(self) -> ForumPairing:
        limits = Limits(message=self.max_message, pair=self.max_pair, messages=self.max_messages)
        return ForumPairing(self.pairers, self.author_key, self.include_bots, limits)

    def _opened(self, on_drop: Callable[[Dropped], None]) -> tuple[_Threads, Forum]:
        """Returns the threads of the chosen categories, with the names of their files, and the forum."""
        if self.is_journal:
            about = self.journal.about()
            # The last run decided what is wanted; older discussions may still be in the journal.
            read = [category for category in about.categories if not category.unread]
            for category in about.categories:
                if category.unread:
                    on_drop(dropped_category(category, category.unread))
            # A category that is named here was named for the run, too.
            categories = _chosen_of(read, self.channels, self.exclude, on_drop, named=True)
            return self._stored(categories, about.platform), Forum(about.platform, about.site, categories)
        files = forum_files(self.source, on_drop)
        found: dict[str, Category] = {}
        sites: dict[str, None] = {}
        # All categories must be known before the first pair: a misspelled `exclude` must not let one in.
        for file in files:
            for saved in file.saved(lambda _: None, skip=True):
                found.setdefault(saved.thread.category, saved.category)
                sites[saved.site] = None
        categories = _chosen_of(list(found.values()), self.channels, self.exclude, on_drop, named=False)
        site = next(iter(sites)) if len(sites) == 1 else ""
        return self._saved(files, categories, on_drop), Forum(_GITHUB, site, categories)

    def _stored(self, categories: Mapping[str, Category], platform: str) -> _Threads:
        people = Participants(self.consent, Forgotten(), platform)
        name = self.journal.log.path.name
        for thread in self.journal.threads():
            if isinstance(thread, Thread) and thread.category in categories:
                yield people.kept(thread), name

    def _saved(
        self,
        files: Iterable[ForumFile],
        categories: Mapping[str, Category],
        on_drop: Callable[[Dropped], None],
    ) -> _Threads:
        people = Participants(self.consent, Forgotten())
        seen = set[tuple[str, str]]()
        read = False
        for file in files:
            for saved in file.saved(on_drop, skip=self.on_error == "skip"):
                read = True
                thread = saved.thread
                if thread.category not in categories:
                    continue
                if (saved.site, thread.id) in seen:
                    on_drop(
                        Dropped(reason="duplicate", unit="message", count=len(thread.posts), where=file.name)
                    )
                    continue
                seen.add((saved.site, thread.id))
                yield people.kept(thread), file.name
        if not read:
            raise SourceError(f"{printable(self.source)}: there is no discussion that can be read")


def chosen(
    categories: Iterable[Category],
    channels: tuple[str, ...],
    exclude: tuple[str, ...],
    *,
    named: bool = False,
) -> list[tuple[Category, str]]:
    """Returns each category with the reason why it is left out, "" if it is read.

    Args:
        categories: All categories.
        channels: Names of those to read; empty means those in which an answer can be accepted.
        exclude: Names of those to leave out.
        named: Whether all of them were chosen by name before.

    Raises:
        ConfigError: A name fits no category.
    """
    known = list(categories)
    names = [{_plain(c.id), _plain(c.name), _plain(c.slug)} - {""} for c in known]
    every = frozenset[str]().union(*names)
    for argument, words in (("channels", channels), ("exclude", exclude)):
        for word in words:
            if _plain(word) not in every:
                there = ", ".join(sorted(repr(one_line(c.name)) for c in known)[:40]) or "none"
                raise ConfigError(f"{argument}: no category is named {word!r}; there are {there}")
    inside, outside = set(map(_plain, channels)), set(map(_plain, exclude))
    found = []
    for category, own in zip(known, names, strict=True):
        if own & outside:
            reason = "excluded"
        elif channels:
            reason = "" if own & inside else "not_included"
        else:
            reason = "" if named or category.answerable else "not_answerable"
            if category.private and not named:
                reason = "private_channel"
        found.append((category, reason))
    return found


def _chosen_of(
    categories: list[Category],
    channels: tuple[str, ...],
    exclude: tuple[str, ...],
    on_drop: Callable[[Dropped], None],
    *,
    named: bool,
) -> dict[str, Category]:
    found = {}
    for category, reason in chosen(categories, channels, exclude, named=named):
        if reason:
            on_drop(dropped_category(category, reason))
        else:
            found[category.id] = category
    return found


def dropped_category(category: Category, reason: str) -> Dropped:
    """Returns the drop that reports a category that is left out."""
    return Dropped(reason=reason, unit="channel", where=one_line(category.name or category.id))


def _plain(name: str) -> str:
    return name.strip().casefold()
