"""Removes a person's words from everything that was made from them.

The journal, or the files of an export, say which messages are theirs. The journal is changed last, so if the work is
interrupted, the same call finds the messages again and continues. Every other place can be erased twice.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from attrs import frozen

from furytune._chat_files.searching import search_chat
from furytune._discord.export.participants import search
from furytune._discord.journal.erasing import JournalPlace
from furytune._discord.journal.store import Journal
from furytune._forums.erasing import ForumPlace
from furytune._forums.journal import ForumJournal, is_forum
from furytune._privacy.ids import as_id, is_full_id
from furytune._privacy.searched import Searched
from furytune._storage.system import system_errors_as
from furytune._values.shown import Shown
from furytune.augmenters._index.erasing import IndexPlace
from furytune.errors import ConfigError, SourceError
from furytune.exporters._writing.erasing import DatasetPlace
from furytune.protocols import Erasable
from furytune.records import Erased
from furytune.tuners._jobs.holders import Held, jobs_that_hold

__all__ = ["Erased", "Forgotten", "Held", "HeldExport", "forget"]

_Path: TypeAlias = "str | os.PathLike[str]"

_ACCOUNT = re.compile(r"@?[\w.-]{1,100}")


@frozen(kw_only=True)
class HeldExport:
    """A file of an export that still contains the person. It is your own file, so it is not changed.

    Attributes:
        path: The file.
        messages: How many of the messages that were searched for it contains, copies included.
        problem: Why it could not be read to its end; "" if it was. The unread part may contain more.
    """

    path: str
    messages: int
    problem: str = ""

    def __str__(self) -> str:
        found = f"{self.messages} of the messages" if self.messages else "only the id"
        if self.problem and not self.messages:
            found = "may contain the messages"
        return f"{self.path}: {found}" + (f"; not read to its end: {self.problem}" if self.problem else "")


@frozen(kw_only=True, repr=False)
class Forgotten(Shown):
    """What `forget` did, and what is left for you to do; print it.

    Attributes:
        messages: How many messages were searched for: those of the person, or the named one, and those that forward
            one of them.
        deleted: How many more were searched for because they were deleted on Discord or withheld after they were
            collected, so that it is no longer known who wrote them.
        places: What was removed from journal, data sets and indexes.
        jobs: Tuning jobs that were given the words, or for which this is not known.
        exports: Files of exports that still contain the person; None if no export was named.
        person: True if a whole person was forgotten, not one message.
        searched_jobs: True if the records of tuning jobs were searched.
    """

    messages: int
    deleted: int
    places: tuple[Erased, ...]
    jobs: tuple[Held, ...]
    exports: tuple[HeldExport, ...] | None = None
    person: bool = True
    searched_jobs: bool = True

    @property
    def models(self) -> tuple[str, ...]:
        """The tuned models that were trained on the words. A job that has no model yet may still make one."""
        return tuple(held.model for held in self.jobs if held.model and held.rows)

    def __str__(self) -> str:
        lines = [f"messages  {self.messages:>9}"]
        if not self.messages:
            lines.append(
                "            no message with this id was found; check the id, unless it was forgotten before"
            )
        if self.deleted:
            lines.append(f"deleted   {self.deleted:>9}  before, by anyone")
        lines += map(str, self.places)
        lines += [f"trained   {held}" for held in self.jobs]
        lines += [f"export    {held}" for held in self.exports or ()]
        return "\n".join([*lines, "still to do by hand", *(f"  - {step}" for step in self._steps())])

    def _steps(self) -> Iterator[str]:
        """Yields what is left to do by hand, in the order in which it matters."""
        for held in self.jobs:
            if not held.rows:
                yield f"decide about {held.model or held.job or held.key}: it is not known whether it was trained on their words"
                continue
            for uri in held.files:
                yield f"delete {uri}"
            if held.endpoint:
                yield f"undeploy {held.endpoint}"
            if held.model:
                yield f"delete the model {held.model}, and tune again without these rows"
            elif held.job:
                yield f"check the job {held.job}; cancel it, or delete its model"
        for place in self.places:
            if place.kind == "data set" and place.removed:
                yield f"ask everyone who has a copy of the data set {place.path} to delete it"
                yield (
                    f"write {place.path} again if you need more rows: some were removed only because their prompts quoted the words"
                )
            if place.kind == "index" and place.removed:
                yield f"refresh and save the contracts that use {place.path}: contract.refresh().save(...)"
        yield from self._unnamed()
        for export in self.exports or ():
            yield f"delete {export.path}, or export it again without them"
        if self.exports and self.person:
            yield (
                "add the person's id to the collector, as consent=Consent(opt_out=[...]): the files are not changed, and "
                "nothing else remembers the wish when you collect them again"
            )
        copies = (
            "backups" if self.exports is not None else "chat exports, files downloaded with them, backups"
        )
        yield f"delete {copies} and other copies: furytune does not search them"
        yield "search for names and words that others typed, such as quotes by hand: furytune does not find them"
        yield "tell the person what was removed, and what was not"

    def _unnamed(self) -> Iterator[str]:
        """Yields what to do about the kinds of places that were not named."""
        kinds = {place.kind for place in self.places}
        if "index" not in kinds:
            yield "call this again with indexes=[...] as well if an index contains solved questions from the chat, or build it again"
        if "data set" not in kinds:
            yield "call this again with datasets=[...] as well, or write each data set again"
        if not self.searched_jobs:
            yield "call this again with jobs=... as well if you tuned a model: it is not known which models were trained on the words"


def forget(
    *,
    author: str | None = None,
    message: str | None = None,
    journal: _Path | None = None,
    exports: Sequence[_Path] = (),
    datasets: Sequence[_Path] = (),
    indexes: Sequence[_Path] = (),
    jobs: _Path | None = None,
    places: Sequence[Erasable] = (),
) -> Forgotten:
    """Removes a person's words, or one message, from a journal and from what was made from it.

    - Messages that forward one of them are removed too.
    - A row of a data set is removed if it contains one of the messages: as question, as answer or in a passage of its
      prompt. The other rows keep their bytes and their order.
    - An index that had such a passage keeps only its newest version.
    - The journal stores a keyed hash of the person and never collects their messages again.
    - With ``author``, rows and passages that contain the id are removed too. In the journal, 0 replaces the id in other
      people's messages. Messages that were deleted after they were collected are removed from data sets and indexes,
      because it is no longer known who wrote them.
    - Export files are searched but not changed. The result names each file that still contains the person.

    All places are checked before anything is changed. After a crash or an error, call it again with the same
    arguments. No other process may write to these places at the same time.

    It does not find words that someone else copied by hand, nor rows of pairs without message ids, such as those of an
    exported data set that was collected again.

    Args:
        author: Discord user id. All deleted accounts share one id, so name their messages one by one with ``message``.
            Ids of other platforms have its name before them: "slack:U012AB3CD", "mattermost:ann", "zulip:17".
        message: Discord message id, or the number that a message has in pairs and manifests. A message of Slack can be named by
            channel and time, "slack:C012AB3CD/1714550400.000100", and one of Zulip by its number, "zulip:message/123".
        journal: Folder of the journal. With ``author``, this or ``exports`` is needed, to know who wrote a message.
        exports: JSON files of DiscordChatExporter, and folders of them; exports of Slack, Mattermost and Zulip.
        datasets: Manifests, such as ``train.jsonl.manifest.json``.
        indexes: Folders that `furytune.augmenters.rag.build_index` wrote.
        jobs: Folder of a tuner's records, such as ``tuning-jobs``.
        places: Other places that store people's words, such as those of a plugin.

    Returns:
        Counts for each place, the tuning jobs that were given the words, and what is left to do by hand.

    Raises:
        ConfigError: The arguments do not fit together, or a folder does not exist. Nothing was changed.
        SourceError: The journal is missing, damaged, or another process is writing to it; or an export is missing.
        ExportError: A data set is incomplete, or cannot be written.
        KnowledgeError: An index cannot be read or written.
        TuningError: A record of a tuning job is damaged.
    """
    author, message = (as_id(one) if isinstance(one, str) else one for one in (author, message))
    copies = [Path(p) for p in _several(exports)]
    forum = journal is not None and is_forum(journal)
    _check_ids(author, message, searchable=journal is not None or bool(copies), accounts=forum)
    manifests = [Path(p) for p in _several(datasets)]
    tables = [os.fspath(p) for p in _several(indexes)]
    if journal is None and jobs is None and not manifests and not tables and not copies and not places:
        raise ConfigError(
            "name at least one place: journal=, exports=, datasets=, indexes=, jobs= or places="
        )
    for place in places:
        if not isinstance(place, Erasable):
            raise ConfigError(
                f"{type(place).__name__} is not a place that can be erased; see furytune.protocols.Erasable"
            )
    with system_errors_as(
        SourceError, journal or "the places", "call this again with the same arguments to continue"
    ):
        return _forget(
            author=author,
            message=message,
            last=None if journal is None else ForumPlace(journal) if forum else JournalPlace(journal),
            copies=copies,
            manifests=manifests,
            first=[*map(DatasetPlace, manifests), *map(IndexPlace, tables), *places],
            jobs=None if jobs is None else Path(jobs),
        )


def _forget(
    *,
    author: str | None,
    message: str | None,
    last: JournalPlace | ForumPlace | None,
    copies: list[Path],
    manifests: list[Path],
    first: list[Erasable],
    jobs: Path | None,
) -> Forgotten:
    """Checks all places, finds the messages, and then erases them in all places, the journal last.

    Args:
        author: The person, None for a single message.
        message: The message, None for a person.
        last: The journal, which is erased last.
        copies: Exports to search.
        manifests: Manifests of data sets.
        first: All other places.
        jobs: Folder with the records of tuning jobs.
    """
    # All places are checked before any is changed: a wrong path must not leave the work half done.
    if last is not None:
        last.check()
    if jobs is not None and not jobs.is_dir():
        raise ConfigError(f"{jobs}: this folder of tuning jobs does not exist; nothing was changed")
    for place in first:
        place.check()
    authors = [author] if author is not None else []
    named = [message] if message is not None else []
    ids = [author for author in authors if is_full_id(author)]
    files = [found for path in copies for found in _searched(path, ids, named)] if ids or named else []
    store = last.store if last is not None else None
    theirs = _messages(store, files, authors, named)
    deleted = last.gone() - theirs if last is not None and authors else set()
    messages = theirs | deleted
    # Before anything is erased, because older records of jobs name messages only through the rows of a data set.
    # Only ids of Discord can be in other places; a forum's people have no number there.
    numbers = authors if not isinstance(last, ForumPlace) else []
    held = jobs_that_hold(jobs, manifests, theirs, deleted, numbers) if jobs is not None else ()
    erased = [place.erase(messages, numbers) for place in first]
    # After all others, because only the journal can find the messages again if a place fails.
    if last is not None:
        erased.insert(0, last.erase(theirs, authors))
    return Forgotten(
        messages=len(theirs),
        deleted=len(deleted),
        places=tuple(erased),
        jobs=held,
        exports=_held_exports(files, theirs) if copies else None,
        person=author is not None,
        searched_jobs=jobs is not None,
    )


def _searched(path: Path, authors: list[str], named: list[str]) -> list[Searched]:
    """Searches an export of any platform."""
    found = search_chat(path, authors, named)
    return search(path, authors, named) if found is None else found


def _messages(
    store: Journal | ForumJournal | None, files: list[Searched], authors: list[str], named: list[str]
) -> set[str]:
    """Returns the ids of the people's messages, of the named messages, and of all copies of one of them.

    Args:
        store: The journal.
        files: What was found in exports.
        authors: Ids of people.
        named: Ids of messages.
    """
    found = set(named).union(*(file.theirs for file in files))
    copies: dict[str, list[str]] = {}
    for file in files:
        for copy, original in file.originals.items():
            copies.setdefault(original, []).append(copy)
    # An export may name a copy of a message in the journal, and the other way round, so both repeat until nothing is new.
    while True:
        before = len(found)
        if store is not None:
            found |= store.messages_by(authors, found)
        waiting = list(found)
        while waiting:
            more = [copy for copy in copies.get(waiting.pop(), ()) if copy not in found]
            found.update(more)
            waiting += more
        if store is None or len(found) == before:
            return found


def _held_exports(files: list[Searched], theirs: set[str]) -> tuple[HeldExport, ...]:
    """Returns the export files that still contain something of the person."""
    found = []
    for file in files:
        # A copy is someone else's message, but contains the person's words.
        held = len(file.theirs) + len(theirs & file.originals.keys())
        if held or file.named or file.problem:
            found.append(HeldExport(path=str(file.path), messages=held, problem=file.problem))
    return tuple(found)


def _check_ids(author: object, message: object, *, searchable: bool, accounts: bool) -> None:
    """Raises ConfigError unless there is exactly one id, of the right form, that can be searched for.

    Args:
        author: Id of a person.
        message: Id of a message.
        searchable: Whether something says who wrote a message.
        accounts: Whether a person may be the name of an account in a forum.
    """
    if (author is None) == (message is None):
        raise ConfigError("pass either author= or message=, with a Discord id")
    for name, value in (("author", author), ("message", message)):
        if accounts and name == "author" and isinstance(value, str) and _ACCOUNT.fullmatch(value):
            continue
        if value is not None and not is_full_id(value):
            raise ConfigError(
                f"{name} must be a Discord id, 15 to 20 digits in quotes; in Discord, turn on developer mode and "
                f"choose Copy {'User' if name == 'author' else 'Message'} ID"
                + ("; for other platforms, as in 'slack:U012AB3CD'" if name == "author" else "")
            )
    if author is not None and not searchable:
        raise ConfigError(
            "only a journal or an export says who wrote a message; pass journal= or exports=, or pass each message with "
            "message="
        )


def _several(paths: object) -> list[_Path]:
    """Returns one path or several as a list, each once."""
    if isinstance(paths, (str, os.PathLike)):
        return [paths]
    if not isinstance(paths, Iterable):
        raise ConfigError(
            f"exports, datasets and indexes must be lists of paths, not a {type(paths).__name__}"
        )
    return list(dict.fromkeys(paths))
