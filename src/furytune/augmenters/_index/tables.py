"""Stores passages in a LanceDB table: one folder ``NAME.lance`` with numbered versions.

A version is complete before it becomes visible, so a reader finds the previous one or the new one, even if the writer is
killed. The columns are the fields of `furytune.records.Passage`. The schema's metadata names the format, so another
program's table is never mistaken for an index and never overwritten.
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
    """The table was not made by furytune."""


def check_path(path: str | os.PathLike[str]) -> str:
    """Returns the absolute path of a table, after checking that it can be one.

    Symbolic links are not resolved, so you can point a link to another index later.

    Raises:
        ConfigError: The value is not a path, or its last part is not a name that LanceDB accepts, with the suffix
            ``.lance``.
    """
    given = path if isinstance(path, str) else os.fspath(path) if isinstance(path, os.PathLike) else None
    if not isinstance(given, str):
        raise ConfigError(f"the path of an index must be a string or a path, not {type(path).__name__}")
    try:
        os.fsencode(given)
    except UnicodeEncodeError as error:
        raise ConfigError(
            f"{given!r} cannot be an index: no file system can store this name; choose another name"
        ) from error
    if "\0" in given or not _NAME.fullmatch(os.path.basename(os.path.normpath(given))):  # noqa: PTH119
        raise ConfigError(
            f"{given!r} cannot be an index: the name must end in .lance and may otherwise contain only"
            " letters A-Z, digits, hyphens, underscores and periods"
        )
    written = str(Path(given).absolute())
    plain = os.path.normpath(written)
    # After a symbolic link, ".." leads to the parent of the link's target, so it must not be removed from the text.
    return plain if os.path.realpath(plain) == os.path.realpath(written) else written


def utc(passage: Passage) -> Passage:
    """Returns a passage with its date in UTC, as a table returns it."""
    return evolve(passage, date=passage.date.astimezone(UTC)) if passage.date else passage


def newest(path: str) -> int:
    """Returns the number of the newest version.

    Raises:
        KnowledgeError: The table is missing, or was not made by furytune.
    """
    return int(open_index(path).version)


def open_index(path: str) -> Any:
    """Returns the LanceDB table of an index.

    Raises:
        KnowledgeError: The table is missing, or was not made by furytune.
    """
    table = _open(path)
    _check_format(path, table)
    return table


def load(path: str, version: int | None, *, vectors: bool = False) -> Loaded:
    """Reads one version of a table.

    Args:
        path: Folder of the table.
        version: Number of the version; None means the newest.
        vectors: Whether to read the vectors too, if there are any.

    Raises:
        KnowledgeError: The table is missing, damaged, empty or not an index.
        SnapshotError: The same for a given version, or that version is missing.
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
    """Reads the version that contains certain passages, even if its number has changed.

    Args:
        path: Folder of the table.
        version: Where the passages were last; None if that is not known.
        snapshot: Identity of the passages; "" accepts any content of ``version``.
        vectors: Whether to read the vectors too, which makes them part of the identity.

    Raises:
        KnowledgeError: Neither snapshot nor version is given, and the newest version cannot be used.
        SnapshotError: None of the newest hundred versions contains the passages.
    """
    if not snapshot:
        return load(path, version, vectors=vectors)
    # The number is only a hint: a restored or rebuilt folder may have the same passages under another one.
    with suppress(KnowledgeError):
        if version is not None and (found := load(path, version, vectors=vectors)).identity == snapshot:
            return found
    for found in _others(path, version, snapshot, vectors=vectors):
        if found.identity == snapshot:
            return found
    which = "no version has" if version is None else f"neither version {version} nor any other has"
    what = "passages and vectors" if vectors else "passages"
    raise SnapshotError(
        f"{path}: {which} the {what} {snapshot}; build the index again from the same sources in the same"
        " versions, or restore the folder from a backup"
    )


def _others(path: str, version: int | None, snapshot: str, *, vectors: bool) -> Iterator[Loaded]:
    """Yields versions that may have the snapshot: first those whose copies say so, then those without a copy.

    Args:
        path: The table.
        version: The version that was read already.
        snapshot: The identity that is searched for.
        vectors: Whether it covers vectors too.

    Raises:
        SnapshotError: The versions cannot be listed.
    """
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
        raise SnapshotError(f"{path}: cannot list the versions of the index; {_REBUILD} again") from error
    for number in numbers:
        # Versions whose copy states something else need not be read.
        if number != version and stated.get(number, snapshot) == snapshot:
            with suppress(KnowledgeError):
                yield _load(path, number, vectors=vectors)


def store(
    path: str, wanted: Loaded, blobs: Mapping[str, bytes], before: Loaded | None = None
) -> tuple[Loaded, bool]:
    """Makes the passages the newest version of a table.

    Several processes may do this at the same time: each writes a complete version, and equal passages make only one.

    Args:
        path: Folder of the table; made if missing.
        wanted: The passages in ascending order of id, with unique ids and dates in UTC, and their vectors, if any.
            Its version number is ignored.
        blobs: Additional files for the copy, by suffix.
        before: What `newest_state` returned, to avoid reading it again.

    Returns:
        The version that contains the passages, and whether it was written now; equal passages make no new version.

    Raises:
        KnowledgeError: The table is not an index, it cannot be written, or other processes keep writing to it.
    """
    _refuse_links(path)
    # Lance refuses a write if another process was faster; then the newest version is compared again.
    for attempt in range(_TRIES):
        # Longer each time, so that several builders do not keep in step.
        time.sleep(0.05 * attempt)
        table, present = _present(path, None if attempt else before)
        # An equal state is not written again, so a build that changes nothing makes no new version.
        if present is not None and _equal(present, wanted):
            _keep(path, present, blobs)
            return present, False
        try:
            if table is None and not _claim(path) and attempt < _WAITS:
                continue  # another process is about to write the first version, or was killed
            version = _write(path, wanted, table, sound=present is not None)
        except (OSError, RuntimeError, ValueError) as error:
            with suppress(OSError):
                Path(path).rmdir()  # works only if nothing but the folder was made
            # No one wrote in between, so the error is not about another process.
            if _number(path) == (0 if table is None else int(table.version)):
                raise KnowledgeError(
                    f"{path}: cannot write the index; the existing index is unchanged{_obstacle(path)}"
                ) from error
            continue  # another process was faster
        state = evolve(wanted, version=version)
        _keep(path, state, blobs)
        return state, True
    raise KnowledgeError(
        f"{path}: another process is building this index and was faster {_TRIES} times; wait until it ends, then build again"
    )


def newest_state(path: str) -> Loaded | None:
    """Returns the content of the newest version, with vectors; None if it is missing or cannot be read."""
    copy = recall(Path(path), None, vectors=True)
    return copy if copy is not None else _present(path)[1]


def pin(path: str, version: int) -> bool:
    """Adds a tag to a version, so that no clean-up by LanceDB removes it.

    Returns:
        False if the folder cannot be written to, or LanceDB is not installed.
    """
    # A contract can be saved without a tag, for example in a read-only folder; the caller decides.
    with suppress(KnowledgeError, MissingExtraError, OSError, RuntimeError, ValueError):
        table, name = _open(path), f"{_TAG}{version}"
        if name not in table.tags.list():
            table.tags.create(name, version)
        return True
    return False


def is_ours(tag: str) -> bool:
    """Returns whether `pin` set this tag."""
    return re.fullmatch(rf"{_TAG}\d+", tag) is not None


def _equal(one: Loaded, other: Loaded) -> bool:
    """Returns whether two states have the same passages, vectors and embedder."""
    ours, theirs = one.vectors, other.vectors
    same = (ours and canonical_json(ours.embedder)) == (theirs and canonical_json(theirs.embedder))
    return same and one.identity == other.identity


def _present(path: str, known: Loaded | None = None) -> tuple[Any, Loaded | None]:
    """Returns the table at its newest version, or None, and its content if that can be read."""
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
        # An old format, no passages or damage: a build replaces them all.
        return _open(path), None


def _claim(path: str) -> bool:
    """Makes the folder; False if another process did. Lance itself lets two processes make the first version."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    try:
        Path(path).mkdir()
    except FileExistsError:
        return os.path.isfile(path)  # noqa: PTH113  (a file here makes the write raise a clear error)
    return True


def _write(path: str, state: Loaded, table: Any, *, sound: bool) -> int:
    """Writes a state as the newest version; returns its number.

    Args:
        path: The table.
        state: What to write.
        table: The opened table; None if there is none yet.
        sound: Whether the table can be read, so that its columns are kept.
    """
    arrow = to_arrow(state.passages, state.vectors)
    if sound:
        # Unlike create_table, this fails if another process wrote since the table was opened.
        table.add(arrow, mode="overwrite")
        return int(table.version)
    mode = "create" if table is None else "overwrite"
    return int(_connect(path).create_table(Path(path).stem, arrow, mode=mode).version)


def _number(path: str) -> int:
    """Returns the number of the newest version, 0 without any version."""
    with suppress(KnowledgeError):
        return int(_open(path).version)
    return 0


def _refuse_links(path: str) -> None:
    """Raises KnowledgeError if a link would make a build write outside the given folder."""
    if os.path.islink(path) and not os.path.isdir(path):  # noqa: PTH112, PTH114  (no error for names that are too long)
        raise KnowledgeError(
            f"{path}: this symbolic link does not lead to a folder; remove it, or give the path of the index itself"
        )
    for inner in (os.path.join(path, name) for name in _INNER):  # noqa: PTH118
        if os.path.islink(inner):  # noqa: PTH114
            raise KnowledgeError(
                f"{inner}: the index contains a symbolic link; replace it with the folder it leads to, or delete the index"
                " and build it again"
            )


def _obstacle(path: str) -> str:
    """Returns what probably kept a write from working."""
    for place in (Path(path), *Path(path).parents):
        if os.path.isfile(place):  # noqa: PTH113  (no error for names that are too long)
            return f"; {place} is a file, but must be a folder"
    return "; check the permissions of the folder and the free disk space"


def _keep(path: str, state: Loaded, blobs: Mapping[str, bytes]) -> None:
    """Writes the copy of a version, if that is possible."""
    # The table is already complete; without the copy it only opens more slowly.
    with suppress(OSError, ExportError):
        keep(Path(path), state, blobs)


def check_installed() -> Any:
    """Returns LanceDB.

    Raises:
        MissingExtraError: LanceDB is not installed.
    """
    try:
        import lancedb
    except ImportError as error:
        raise MissingExtraError("an index of passages", "rag") from error
    return lancedb


def _connect(path: str) -> Any:
    return check_installed().connect(str(Path(path).parent))


def _is_table(path: str) -> bool:
    """Returns False if LanceDB finds no version, as after the first build of a table was killed.

    Raises:
        KnowledgeError: There is a table, but it cannot be opened.
    """
    lancedb = check_installed()
    try:
        lancedb.connect(str(Path(path).parent)).open_table(Path(path).stem)
    except ValueError:
        return False
    except Exception as error:  # a damaged manifest makes Lance panic, with a class of its own
        # The table may belong to another program, so it is not overwritten.
        raise KnowledgeError(
            f"{path}: the table in this folder cannot be opened; if it is an index, delete the folder and build it again"
        ) from error
    return True


def _open(path: str) -> Any:
    """Opens the table at its newest version.

    Raises:
        KnowledgeError: There is no complete table.
        MissingExtraError: LanceDB is not installed.
    """
    # Checked first, because LanceDB makes a folder that is missing.
    if not os.path.isdir(path):  # noqa: PTH112
        raise KnowledgeError(f"{path}: found no index here; {_REBUILD}")
    lancedb = check_installed()
    try:
        return lancedb.connect(str(Path(path).parent)).open_table(Path(path).stem)
    except Exception as error:  # as in _is_table
        raise KnowledgeError(f"{path}: this folder has no complete index; {_REBUILD}") from error


def _check_format(path: str, table: Any) -> None:
    """Raises KnowledgeError for a table of another program or another format."""
    found = (table.schema.metadata or {}).get(KEY)
    if found is None:
        raise _ForeignError(
            f"{path}: this table was not made by furytune; choose another path,"
            " or delete the folder if nothing needs it"
        )
    if found != FORMAT.encode():
        raise KnowledgeError(
            f"{path}: the index has format {found.decode(errors='replace')}, but this furytune reads {FORMAT};"
            f" {_REBUILD} to convert it"
        )


def _load(path: str, version: int | None, *, vectors: bool) -> Loaded:
    """Reads a version with LanceDB.

    Raises:
        SnapshotError: The version is missing.
        KnowledgeError: It cannot be read.
    """
    table = _open(path)
    _check_format(path, table)
    if version is not None:
        try:
            table.checkout(version)
        except Exception as error:  # as in _is_table
            raise SnapshotError(
                f"{path}: version {version} is missing (the newest is {table.version}); build the index again"
                " from the same passages and refresh the contract, or restore the folder from a backup"
            ) from error
        _check_format(path, table)
    return _read(path, table, vectors=vectors)


def _read(path: str, table: Any, *, vectors: bool) -> Loaded:
    """Reads the passages of an opened table, with their vectors if they are wanted."""
    try:
        # Before any row is read: another program's columns may have the same names and mean something else.
        check_schema(path, table.schema, _REBUILD)
        embedder = embedder_of(table.schema) if vectors else None
        # Vectors may be larger than all the text, so they are read only if needed.
        arrow = table.to_arrow() if vectors else table.search().select(list(COLUMNS)).to_arrow()
        passages, rows = passages_of(path, arrow, _REBUILD)
        held = None if embedder is None else vectors_of(arrow, rows, embedder)
    except KnowledgeError:
        raise
    except Exception as error:  # as in _is_table
        raise KnowledgeError(f"{path}: version {table.version} cannot be read; {_REBUILD} again") from error
    return Loaded(version=int(table.version), passages=passages, snapshot=digest_of(passages), vectors=held)
