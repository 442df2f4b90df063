"""Passages in a LanceDB table: one folder ``NAME.lance``, every state of it a numbered version.

A version is written whole before it becomes visible, so a reader finds the one before or the one after,
whatever happens to the writer. The columns are those of `furytune.records.Passage`; the schema's metadata
names the format, so that a table of something else is never taken for an index, nor overwritten.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC
from pathlib import Path
from typing import Any

from attrs import evolve

from furytune._values.canonical import canonical_json
from furytune.augmenters._index.arrow import (
    COLUMNS,
    KEY,
    check_schema,
    embedder_of,
    passages_of,
    to_arrow,
    vectors_of,
)
from furytune.augmenters._index.snapshot import FORMAT, Loaded, digest_of, keep, recall, recorded
from furytune.errors import ConfigError, ExportError, KnowledgeError, MissingExtraError, SnapshotError
from furytune.records import Passage

__all__ = [
    "check_installed",
    "check_path",
    "find",
    "is_ours",
    "load",
    "newest",
    "newest_state",
    "open_index",
    "pin",
    "store",
    "utc",
]

_NAME = re.compile(r"[A-Za-z0-9_.-]+\.lance")
_REBUILD = "build it with furytune.augmenters.rag.build_index(path, passages)"
_TRIES = 10
_WAITS = 7
_SEARCHED = 100
_TAG = "furytune-"
_INNER = (
    "_furytune",
    "_versions",
    "_transactions",
    "_indices",
    "_refs",
    "_deletions",
    "data",
)  # what a build writes into


class _ForeignError(KnowledgeError):
    """The table was made by something else."""


def check_path(path: str | os.PathLike[str]) -> str:
    """Returns the absolute path if a table can have it.

    Symbolic links stay as they are, so that a link that is moved to another index later keeps its sense.

    Raises:
        ConfigError: It is no path, or its last part is no name that LanceDB takes, with the ending ``.lance``.
    """
    given = path if isinstance(path, str) else os.fspath(path) if isinstance(path, os.PathLike) else None
    if not isinstance(given, str):
        raise ConfigError(f"an index is named by the path of a folder, not by {type(path).__name__}")
    try:
        os.fsencode(given)
    except UnicodeEncodeError as error:
        raise ConfigError(f"{given!r} cannot be an index: no file system can carry the name") from error
    if "\0" in given or not _NAME.fullmatch(os.path.basename(os.path.normpath(given))):  # noqa: PTH119
        raise ConfigError(
            f"{given!r} cannot be an index: the name must end in .lance and otherwise hold only"
            " letters A-Z, digits, hyphens, underscores and periods"
        )
    written = str(Path(given).absolute())
    plain = os.path.normpath(written)
    # Behind a symbolic link ".." leads elsewhere than the text of the path says.
    return plain if os.path.realpath(plain) == os.path.realpath(written) else written


def utc(passage: Passage) -> Passage:
    """Returns a passage with its date in UTC, as it comes back from a table."""
    return evolve(passage, date=passage.date.astimezone(UTC)) if passage.date else passage


def newest(path: str) -> int:
    """Returns the number of the newest version.

    Raises:
        KnowledgeError: There is no such table, or it was made by something else.
    """
    return int(open_index(path).version)


def open_index(path: str) -> Any:
    """Returns the table as LanceDB has it.

    Raises:
        KnowledgeError: There is no such table, or it was made by something else.
    """
    table = _open(path)
    _check_format(path, table)
    return table


def load(path: str, version: int | None, *, vectors: bool = False) -> Loaded:
    """Reads one version of a table.

    Args:
        path: Its folder.
        version: Which; None is the newest.
        vectors: Whether to read the vectors too, if there are any.

    Raises:
        KnowledgeError: The table is absent, damaged, empty or not an index.
        SnapshotError: As above, where a version is asked for; or that version is gone.
    """
    copy = recall(Path(path), version, vectors=vectors)
    if copy is not None:
        return copy
    try:
        return _load(path, version, vectors=vectors)
    except SnapshotError:
        raise
    except KnowledgeError as error:
        if version is None:
            raise
        raise SnapshotError(str(error)) from error


def find(path: str, version: int | None, snapshot: str, *, vectors: bool = False) -> Loaded:
    """Reads the version that holds certain passages, whatever its number is by now.

    Args:
        path: Folder of the table.
        version: Where they were last; None if nobody knows.
        snapshot: Identity of what is read; "" accepts whatever ``version`` holds.
        vectors: Whether the vectors are read too, and are part of the identity.

    Raises:
        KnowledgeError: No snapshot and no version is asked for, and the newest version cannot serve.
        SnapshotError: None of the newest hundred versions holds the passages.
    """
    if not snapshot:
        return load(path, version, vectors=vectors)
    with suppress(KnowledgeError):
        if version is not None and (found := load(path, version, vectors=vectors)).identity == snapshot:
            return found
    for found in _others(path, version, snapshot, vectors=vectors):
        if found.identity == snapshot:
            return found
    which = "no version holds" if version is None else f"neither version {version} nor any other holds"
    what = "passages and vectors" if vectors else "passages"
    raise SnapshotError(
        f"{path}: {which} the {what} {snapshot}; build the index again from the same sources in the same"
        " versions, or restore the folder from a backup"
    )


def _others(path: str, version: int | None, snapshot: str, *, vectors: bool) -> Iterator[Loaded]:
    """Yields versions that may hold the snapshot: first by what their copies state, then by reading them."""
    stated = {n: both[vectors] for n, both in recorded(Path(path), _SEARCHED).items()}
    for number, held in stated.items():
        copy = recall(Path(path), number, vectors=vectors) if held == snapshot else None
        if copy is not None:
            yield copy
    try:
        table = _open(path)
        _check_format(path, table)
        numbers = sorted((int(v["version"]) for v in table.list_versions()), reverse=True)[:_SEARCHED]
    except KnowledgeError as error:
        raise SnapshotError(str(error)) from error
    except (OSError, RuntimeError, ValueError) as error:
        raise SnapshotError(f"{path}: the versions cannot be listed; {_REBUILD} again") from error
    for number in numbers:
        if number != version and stated.get(number, snapshot) == snapshot:
            with suppress(KnowledgeError):
                yield _load(path, number, vectors=vectors)


def store(
    path: str, wanted: Loaded, blobs: Mapping[str, bytes], before: Loaded | None = None
) -> tuple[Loaded, bool]:
    """Makes the passages the newest version of a table.

    Several processes may do so at once: each version is one of theirs, whole, and equal passages make one.

    Args:
        path: Its folder; made if absent.
        wanted: The passages, in ascending order of id, ids unique, dates in UTC; their vectors, if there shall be any.
            The number of its version does not matter.
        blobs: Further files of the copy, by ending.
        before: What `newest_state` returned, to spare reading it again.

    Returns:
        The version that holds them, and whether it had to be written: equal passages make none.

    Raises:
        KnowledgeError: The table is not an index, could not be written, or is written by others all the time.
    """
    _refuse_links(path)
    for attempt in range(_TRIES):
        time.sleep(0.05 * attempt)
        table, present = _present(path, None if attempt else before)
        if present is not None and _equal(present, wanted):
            _keep(path, present, blobs)
            return present, False
        try:
            if table is None and not _claim(path) and attempt < _WAITS:
                continue  # another process is about to write the first version, or was killed
            version = _write(path, wanted, table, sound=present is not None)
        except (OSError, RuntimeError, ValueError) as error:
            with suppress(OSError):
                Path(path).rmdir()  # no more than the folder was made
            if _number(path) == (0 if table is None else int(table.version)):
                raise KnowledgeError(
                    f"{path}: the index could not be written; what it held before still stands{_obstacle(path)}"
                ) from error
            continue  # another process was faster
        state = evolve(wanted, version=version)
        _keep(path, state, blobs)
        return state, True
    raise KnowledgeError(
        f"{path}: another process is building this index, and was faster {_TRIES} times; wait for it, then build again"
    )


def newest_state(path: str) -> Loaded | None:
    """Returns what the newest version holds, vectors too; None where it cannot be read, or there is none."""
    copy = recall(Path(path), None, vectors=True)
    return copy if copy is not None else _present(path)[1]


def pin(path: str, version: int) -> bool:
    """Puts a tag on a version, so that no clean-up of LanceDB takes it away.

    Returns:
        False where the folder cannot be written, or LanceDB is not installed.
    """
    with suppress(KnowledgeError, MissingExtraError, OSError, RuntimeError, ValueError):
        table, name = _open(path), f"{_TAG}{version}"
        if name not in table.tags.list():
            table.tags.create(name, version)
        return True
    return False


def is_ours(tag: str) -> bool:
    """Returns whether a tag is one that `pin` sets."""
    return re.fullmatch(rf"{_TAG}\d+", tag) is not None


def _equal(one: Loaded, other: Loaded) -> bool:
    ours, theirs = one.vectors, other.vectors
    same = (ours and canonical_json(ours.embedder)) == (theirs and canonical_json(theirs.embedder))
    return same and one.identity == other.identity


def _present(path: str, known: Loaded | None = None) -> tuple[Any, Loaded | None]:
    """Returns the newest state of the table, None if there is none; and what it holds, if that can be read."""
    if not os.path.isdir(path) or not _is_table(path):  # noqa: PTH112  (no error for names that are too long)
        return None, None
    try:
        table = _open(path)
        _check_format(path, table)
        if known is not None and known.version == int(table.version):
            return table, known
        return table, _read(path, table, vectors=True)
    except _ForeignError:
        raise
    except KnowledgeError:
        # Of an older format, emptied or damaged: what a rebuild is for.
        return _open(path), None


def _claim(path: str) -> bool:
    """Makes the folder; False if somebody else did. Lance lets two processes make the first version of a table."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    try:
        Path(path).mkdir()
    except FileExistsError:
        return os.path.isfile(path)  # noqa: PTH113  (then writing says what is wrong)
    return True


def _write(path: str, state: Loaded, table: Any, *, sound: bool) -> int:
    arrow = to_arrow(state.passages, state.vectors)
    if sound:
        # Unlike the other way this fails if anything was written since the table was opened.
        table.add(arrow, mode="overwrite")
        return int(table.version)
    mode = "create" if table is None else "overwrite"
    return int(_connect(path).create_table(Path(path).stem, arrow, mode=mode).version)


def _number(path: str) -> int:
    """Returns the number of the newest version, 0 if there is none."""
    with suppress(KnowledgeError):
        return int(_open(path).version)
    return 0


def _refuse_links(path: str) -> None:
    """Raises KnowledgeError where a link would have a build write anywhere but into the folder that was named."""
    if os.path.islink(path) and not os.path.isdir(path):  # noqa: PTH112, PTH114  (no error for names that are too long)
        raise KnowledgeError(
            f"{path}: a symbolic link that leads to no folder; remove it, or give the path of the index itself"
        )
    for inner in (os.path.join(path, name) for name in _INNER):  # noqa: PTH118
        if os.path.islink(inner):  # noqa: PTH114
            raise KnowledgeError(
                f"{inner}: a symbolic link inside the index; put the folder itself there, or delete the index and "
                "build it again"
            )


def _obstacle(path: str) -> str:
    for place in (Path(path), *Path(path).parents):
        if os.path.isfile(place):  # noqa: PTH113  (no error for names that are too long)
            return f"; {place} is a file, where a folder has to be"
    return "; see that the folder may be written to, and that the disk has room"


def _keep(path: str, state: Loaded, blobs: Mapping[str, bytes]) -> None:
    # The table is complete; without the copy it only opens more slowly.
    with suppress(OSError, ExportError):
        keep(Path(path), state, blobs)


def check_installed() -> Any:
    """Returns LanceDB.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        import lancedb
    except ImportError as error:
        raise MissingExtraError("an index of passages", "rag") from error
    return lancedb


def _connect(path: str) -> Any:
    return check_installed().connect(str(Path(path).parent))


def _is_table(path: str) -> bool:
    """True unless LanceDB finds no version there at all, as after the first build of a table was killed."""
    lancedb = check_installed()
    try:
        lancedb.connect(str(Path(path).parent)).open_table(Path(path).stem)
    except ValueError:
        return False
    except Exception as error:  # a damaged manifest makes Lance panic, with a class of its own
        # It may be anybody's, so nothing is written over it.
        raise KnowledgeError(
            f"{path}: the table here cannot be opened; if it is an index, delete the folder and build it again"
        ) from error
    return True


def _open(path: str) -> Any:
    # Asked first, for LanceDB would make the folder that it looks into.
    if not os.path.isdir(path):  # noqa: PTH112
        raise KnowledgeError(f"{path}: there is no index here; {_REBUILD}")
    lancedb = check_installed()
    try:
        return lancedb.connect(str(Path(path).parent)).open_table(Path(path).stem)
    except Exception as error:  # as in _is_table
        raise KnowledgeError(f"{path}: this folder holds no complete index; {_REBUILD}") from error


def _check_format(path: str, table: Any) -> None:
    found = (table.schema.metadata or {}).get(KEY)
    if found is None:
        raise _ForeignError(
            f"{path}: this table was not made by furytune; choose another path,"
            " or delete the folder if nothing needs it"
        )
    if found != FORMAT.encode():
        raise KnowledgeError(
            f"{path}: the index has format {found.decode(errors='replace')}, this furytune reads {FORMAT};"
            f" {_REBUILD} to bring it to this format"
        )


def _load(path: str, version: int | None, *, vectors: bool) -> Loaded:
    table = _open(path)
    _check_format(path, table)
    if version is not None:
        try:
            table.checkout(version)
        except Exception as error:  # as in _is_table
            raise SnapshotError(
                f"{path}: version {version} is gone (the newest is {table.version}); build the index again"
                " from the same passages and refresh the contract, or restore the folder from a backup"
            ) from error
        _check_format(path, table)
    return _read(path, table, vectors=vectors)


def _read(path: str, table: Any, *, vectors: bool) -> Loaded:
    try:
        check_schema(path, table.schema, _REBUILD)
        embedder = embedder_of(table.schema) if vectors else None
        # What is not needed is not read: the vectors may be larger than all the text.
        arrow = table.to_arrow() if vectors else table.search().select(list(COLUMNS)).to_arrow()
        passages, rows = passages_of(path, arrow, _REBUILD)
        held = None if embedder is None else vectors_of(arrow, rows, embedder)
    except KnowledgeError:
        raise
    except Exception as error:  # as in _is_table
        raise KnowledgeError(f"{path}: version {table.version} cannot be read; {_REBUILD} again") from error
    return Loaded(version=int(table.version), passages=passages, snapshot=digest_of(passages), vectors=held)
