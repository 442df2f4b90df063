"""Removes what a person said from everything that was made of it.

The journal tells which messages are theirs, so it comes last: if the work is cut short before that, the same call
finds them again and goes on. Every other place can be asked twice without harm.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from attrs import frozen

from furytune._durable import sweep
from furytune._lineage import is_message_id
from furytune._own_files import read_head
from furytune.augmenters import _erasing as passages
from furytune.errors import ConfigError, SourceError
from furytune.exporters import _erasing as data
from furytune.journal._lines import GONE
from furytune.journal.store import Journal
from furytune.records import Dataset
from furytune.tuners.gemini import _lineage as lineage
from furytune.tuners.gemini._ledger import Entry, Ledger

__all__ = ["Erased", "Forgotten", "Held", "forget"]

_Path: TypeAlias = "str | os.PathLike[str]"
Kind: TypeAlias = Literal["journal", "data set", "index"]

_UNITS = {"journal": "messages", "data set": "rows", "index": "passages"}


@frozen(kw_only=True)
class Erased:
    """What went from one place.

    Attributes:
        kind: "journal", "data set" or "index".
        path: The place, as it was given.
        removed: How many messages, rows or passages went.
        left: How many rows or passages are left; None for a journal.
    """

    kind: Kind
    path: str
    removed: int
    left: int | None = None

    def __str__(self) -> str:
        total = "" if self.left is None else f"of {self.removed + self.left} "
        return f"{self.kind:<10}{self.removed:>9}  {total}{_UNITS[self.kind]} of {self.path}"


@frozen(kw_only=True)
class Held:
    """A tuning job that was given the words. No model can be made to forget; it can be deleted.

    Attributes:
        key: Name of its record in the ledger.
        job: The service's name for it, "" if none was started.
        backend: "vertex" or "developer".
        state: Its last known state.
        model: The tuned model, "" where none is known yet.
        endpoint: Where the model is called, or "".
        files: URIs of the uploaded rows.
        rows: How many rows held the words; None if it is not known which messages the job was given.
        unsure: How many more rows held messages that are deleted by now, perhaps theirs.
    """

    key: str
    job: str
    backend: str
    state: str
    model: str
    endpoint: str
    files: tuple[str, ...]
    rows: int | None
    unsure: int = 0

    def __str__(self) -> str:
        name = self.job or f"the run {self.key}, which has no job yet"
        known = "it is not known which messages it was given"
        if self.rows is not None:
            known = f"{self.rows} of its rows held them"
        if self.unsure:
            known += f", {self.unsure} held messages that are deleted by now"
        return f"{name} ({self.state or 'not started'}): {known}"


@frozen(kw_only=True)
class Forgotten:
    """What `forget` did, and what is left for a person to do; print it.

    Attributes:
        messages: How many messages were looked for: those of the person, or the one that was named, and those that
            forward one of them.
        deleted: How many more were looked for because they were deleted on Discord or withheld since they were
            collected, so that nobody knows any more whose they were.
        places: What went from journal, data sets and indexes.
        jobs: Tuning jobs that were given the words, or of which that is not known.
    """

    messages: int
    deleted: int
    places: tuple[Erased, ...]
    jobs: tuple[Held, ...]

    @property
    def models(self) -> tuple[str, ...]:
        """The tuned models that hold the words; a job that has none yet may still make one."""
        return tuple(held.model for held in self.jobs if held.model and held.rows)

    def __str__(self) -> str:
        lines = [f"messages  {self.messages:>9}"]
        if not self.messages:
            lines.append(
                "            no message of this id is in the journal; see the id, unless it was forgotten before"
            )
        if self.deleted:
            lines.append(f"deleted   {self.deleted:>9}  earlier, by whomever")
        lines += map(str, self.places)
        lines += [f"trained   {held}" for held in self.jobs]
        return "\n".join([*lines, "still to be done by hand", *(f"  - {step}" for step in self._steps())])

    def _steps(self) -> Iterator[str]:
        for held in self.jobs:
            if not held.rows:
                yield f"decide about {held.model or held.job or held.key}: nobody knows whether it holds their words"
                continue
            for uri in held.files:
                yield f"delete {uri}"
            if held.endpoint:
                yield f"undeploy {held.endpoint}"
            if held.model:
                yield f"delete the model {held.model}, and tune again without these rows"
            elif held.job:
                yield f"see what became of {held.job}; cancel it, or delete its model"
        changed = [place for place in self.places if place.removed]
        if any(place.kind == "data set" for place in changed):
            yield "ask whoever was given a copy of the data sets to delete it"
        for place in changed:
            if place.kind == "index":
                yield f"refresh and save the contracts that use {place.path}: contract.refresh().save(...)"
        yield "delete chat exports, backups and other copies: they are not looked into"
        yield "tell the person what was removed, and what was not"


def forget(
    *,
    author: str | None = None,
    message: str | None = None,
    journal: _Path | None = None,
    datasets: Sequence[_Path] = (),
    indexes: Sequence[_Path] = (),
    jobs: _Path | None = None,
) -> Forgotten:
    """Removes a person's words, or one message, from a journal and from what was made of it.

    Whatever forwards a message goes with it. A row of a data set goes as a whole if any message in it goes, be it
    question, answer or a passage of its prompt; the others keep their bytes and their order. Of an index that holds such
    a passage only the newest version is left. The journal keeps the person as a keyed hash and takes nothing of
    theirs down again. With ``author``, the id 0 stands where others mention the person in the
    journal, and messages that were deleted since they were collected go too, for nobody knows any more whose they were.

    All places are looked at before anything is changed. After a crash or an error, call it again with the same
    arguments. No other process may write to these places meanwhile.

    Not found are words that somebody else copied by hand, and rows that were made from pairs without message ids, such
    as an exported data set that was collected again.

    Args:
        author: Discord user id. All deleted accounts share one id, so their words are found by message only.
        message: Discord message id.
        journal: Folder of the journal; needed with ``author``.
        datasets: Manifests, such as ``train.jsonl.manifest.json``.
        indexes: Folders that `furytune.augmenters.rag.build_index` wrote.
        jobs: Folder of a tuner's records, such as ``tuning-jobs``.

    Returns:
        Counts for each place, the tuning jobs that were given the words, and what is left to do by hand.

    Raises:
        ConfigError: The arguments do not go together, or a folder is not there. Nothing was changed.
        SourceError: There is no journal, it is damaged, or another process is writing to it.
        ExportError: A data set is not whole, or cannot be written.
        KnowledgeError: An index cannot be read or written.
        TuningError: A record of a tuning job is damaged.
    """
    _check_ids(author, message, journal)
    manifests = [Path(p) for p in _several(datasets)]
    tables = [os.fspath(p) for p in _several(indexes)]
    if journal is None and jobs is None and not manifests and not tables:
        raise ConfigError("name at least one place: journal=, datasets=, indexes= or jobs=")
    store = None if journal is None else Journal(journal)
    if store is not None and not store.there:
        raise SourceError(f"{store.path}: there is no journal here; nothing was changed; name its folder")
    if store is not None:
        store.about()  # of another form it is left alone, and so is everything else
    if jobs is not None and not Path(jobs).is_dir():
        raise ConfigError(f"{jobs}: there is no folder of tuning jobs here; nothing was changed")
    for manifest in manifests:
        data.check(manifest)
    for table in tables:
        passages.check(table)
    authors = [author] if author is not None else []
    named = [message] if message is not None else []
    theirs = store.messages_by(authors, named) if store is not None else set(named)
    deleted = _gone(store) - theirs if store is not None and authors else set()
    messages = theirs | deleted
    held = _held(Path(jobs), manifests, theirs, deleted) if jobs is not None else ()
    places = [_from_dataset(manifest, messages) for manifest in manifests]
    for table in tables:
        removed, left = passages.erase(table, messages)
        places.append(Erased(kind="index", path=table, removed=removed, left=left))
    if store is not None:
        removed = store.forget(authors, theirs)
        _settle(store)
        places.insert(0, Erased(kind="journal", path=str(store.path), removed=removed))
    return Forgotten(messages=len(theirs), deleted=len(deleted), places=tuple(places), jobs=held)


def _check_ids(author: object, message: object, journal: object) -> None:
    if (author is None) == (message is None):
        raise ConfigError("name either author= or message=, by its Discord id")
    for name, value in (("author", author), ("message", message)):
        if value is not None and not is_message_id(value):
            raise ConfigError(
                f"{name} is a Discord id, 15 to 20 digits in quotes; in Discord, switch on the developer mode and "
                f"choose Copy {'User' if name == 'author' else 'Message'} ID"
            )
    if author is not None and journal is None:
        raise ConfigError(
            "only a journal tells which messages are a person's; name journal=, or each message by message="
        )


def _several(paths: object) -> list[_Path]:
    if isinstance(paths, (str, os.PathLike)):
        return [paths]
    if not isinstance(paths, Iterable):
        raise ConfigError(f"datasets and indexes are lists of paths, not a {type(paths).__name__}")
    return list(dict.fromkeys(paths))


def _gone(store: Journal) -> set[str]:
    """Returns the ids of messages that the journal holds no more, or never did."""
    return {str(uid) for log in store.logs().values() for uid, line in log.lines() if line.startswith(GONE)}


def _from_dataset(manifest: Path, messages: set[str]) -> Erased:
    removed, left = data.erase(manifest, messages)
    for folder in {manifest.parent, *_folders(manifest)}:
        sweep(folder)
    return Erased(kind="data set", path=str(manifest), removed=removed, left=left)


def _folders(manifest: Path) -> Iterator[Path]:
    for file in read_head(manifest)["files"]:
        yield (manifest.parent / str(file["name"])).resolve().parent


def _settle(store: Journal) -> None:
    """Removes what no reader sees any more but what still lies in the files: replaced lines, torn ends, leftovers."""
    with store.writing():
        for log in store.logs().values():
            with log:
                pass
            log.compact()
        sweep(store.path)
        sweep(store.path / "channels")


def _held(folder: Path, manifests: list[Path], theirs: set[str], deleted: set[str]) -> tuple[Held, ...]:
    """Returns the jobs that were given the messages, or of which that is not known.

    A record of an older version does not say which messages a job was given. Where its data set is at hand, that is
    noted now, before rows are taken out of it.
    """
    shas = {tuple(str(f["sha256"]) for f in read_head(m)["files"]): m for m in manifests}
    found = []
    for entry in Ledger(folder).entries():
        manifest = shas.get(entry.files)
        if manifest is not None:
            dataset = Dataset(
                files=(), manifest=str(manifest), dialect="", fingerprint=entry.fingerprint, snapshot=""
            )
            lineage.note(folder, entry.key, dataset)
        rows = lineage.rows_that_hold(folder, entry.key, theirs)
        either = lineage.rows_that_hold(folder, entry.key, theirs | deleted) if deleted else rows
        if either != 0:
            found.append(_job(entry, rows, (either or 0) - (rows or 0)))
    return tuple(found)


def _job(entry: Entry, rows: int | None, unsure: int) -> Held:
    return Held(
        key=entry.key,
        job=entry.name,
        backend=entry.backend,
        state=entry.state or (entry.step.lower() if entry.name else ""),
        model=entry.model,
        endpoint=entry.endpoint,
        files=tuple(uri for uri in (entry.train, entry.validation) if uri),
        rows=rows,
        unsure=unsure,
    )
