"""Passages in a LanceDB table: one folder ``NAME.lance``, every state of it a numbered version.

A version is written whole before it becomes visible, so a reader finds the one before or the one after,
whatever happens to the writer. The columns are those of `furytune.records.Passage`; the schema's metadata
names the format, so that a table of something else is never taken for an index, nor overwritten.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC
from itertools import pairwise
from pathlib import Path
from typing import Any

from attrs import evolve

from furytune.augmenters._snapshot import EPOCH, FORMAT, MICROSECOND, Loaded, digest_of, keep, micros, recall
from furytune.errors import ConfigError, ExportError, KnowledgeError, MissingExtraError, SnapshotError
from furytune.records import Passage

__all__ = ["check_path", "load", "newest", "store"]

_KEY = b"furytune.index"
_COLUMNS = ("id", "text", "title", "source", "url", "date")
_NAME = re.compile(r"[A-Za-z0-9_.-]+\.lance")
_REBUILD = "build it with furytune.augmenters.rag.build_index(path, passages)"


class _ForeignError(KnowledgeError):
    """The table was made by something else."""


def check_path(path: str) -> str:
    """Returns the path if a table can have it.

    Raises:
        ConfigError: Its last part is no name that LanceDB takes, with the ending ``.lance``.
    """
    name = os.path.basename(path)  # noqa: PTH119  (as the caller wrote it, forward or backward slashes)
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{path!r} cannot be an index: the name must end in .lance and otherwise hold only"
            " letters A-Z, digits, hyphens, underscores and periods"
        )
    return path


def newest(path: str) -> int:
    """Returns the number of the newest version.

    Raises:
        KnowledgeError: There is no such table, or it was made by something else.
    """
    table = _open(path)
    _check_format(path, table)
    return int(table.version)


def load(path: str, version: int | None) -> Loaded:
    """Reads one version of a table.

    Args:
        path: Its folder.
        version: Which; None is the newest.

    Raises:
        KnowledgeError: The table is absent, damaged, empty or not an index.
        SnapshotError: As above, where a version is asked for; or that version is gone.
    """
    copy = recall(Path(path), version)
    if copy is not None:
        return copy
    try:
        return _load(path, version)
    except SnapshotError:
        raise
    except KnowledgeError as error:
        if version is None:
            raise
        raise SnapshotError(str(error)) from error


def store(path: str, passages: Sequence[Passage]) -> tuple[Loaded, bool]:
    """Makes the passages the newest version of a table.

    Args:
        path: Its folder; made if absent.
        passages: In ascending order of id, ids unique.

    Returns:
        The newest version, and whether it had to be written: equal passages make none.

    Raises:
        KnowledgeError: The table is not an index, or could not be written.
    """
    passages = tuple(evolve(p, date=p.date.astimezone(UTC)) if p.date else p for p in passages)
    snapshot = digest_of(passages)
    exists = Path(path).is_dir() and _is_table(path)
    if exists:
        try:
            present = _load(path, None)
        except _ForeignError:
            raise
        except KnowledgeError:
            pass  # of an older format, emptied or damaged: what a rebuild is for
        else:
            if present.snapshot == snapshot:
                _keep(path, present)
                return present, False
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        table = _connect(path).create_table(
            Path(path).stem, _arrow(passages), mode="overwrite" if exists else "create"
        )
    except (OSError, RuntimeError, ValueError) as error:
        raise KnowledgeError(
            f"{path}: the index could not be written; what it held before still stands"
        ) from error
    state = Loaded(version=int(table.version), passages=passages, snapshot=snapshot)
    _keep(path, state)
    return state, True


def _keep(path: str, state: Loaded) -> None:
    # The table is complete; without the copy it only opens more slowly.
    with suppress(OSError, ExportError):
        keep(Path(path), state)


def _connect(path: str) -> Any:
    try:
        import lancedb
    except ImportError as error:
        raise MissingExtraError("an index of passages", "rag") from error
    return lancedb.connect(str(Path(path).resolve().parent))


def _is_table(path: str) -> bool:
    """True unless LanceDB finds no version there at all, as after the first build of a table was killed."""
    try:
        _connect(path).open_table(Path(path).stem)
    except ValueError:
        return False
    except (OSError, RuntimeError) as error:
        # It may be anybody's, so nothing is written over it.
        raise KnowledgeError(
            f"{path}: the table here cannot be opened; if it is an index, delete the folder and build it again"
        ) from error
    return True


def _open(path: str) -> Any:
    # Asked first, for LanceDB would make the folder that it looks into.
    if not Path(path).is_dir():
        raise KnowledgeError(f"{path}: there is no index here; {_REBUILD}")
    try:
        return _connect(path).open_table(Path(path).stem)
    except (OSError, RuntimeError, ValueError) as error:
        raise KnowledgeError(f"{path}: this folder holds no complete index; {_REBUILD}") from error


def _check_format(path: str, table: Any) -> None:
    found = (table.schema.metadata or {}).get(_KEY)
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


def _load(path: str, version: int | None) -> Loaded:
    table = _open(path)
    _check_format(path, table)
    if version is not None:
        try:
            table.checkout(version)
        except (OSError, RuntimeError, ValueError) as error:
            raise SnapshotError(
                f"{path}: version {version} is gone (the newest is {table.version}); build the index again"
                " from the same passages and refresh the contract, or restore the folder from a backup"
            ) from error
        _check_format(path, table)
    try:
        arrow = table.to_arrow()
        passages = _passages(path, arrow)
    except (OSError, RuntimeError, ValueError) as error:
        raise KnowledgeError(f"{path}: version {table.version} cannot be read; {_REBUILD} again") from error
    return Loaded(version=int(table.version), passages=passages, snapshot=digest_of(passages))


def _schema() -> Any:
    import pyarrow as pa

    text = [pa.field(name, pa.string(), nullable=False) for name in _COLUMNS[:-1]]
    date = pa.field("date", pa.timestamp("us", "UTC"))
    return pa.schema([*text, date], metadata={_KEY: FORMAT})


def _arrow(passages: Sequence[Passage]) -> Any:
    import pyarrow as pa

    schema = _schema()
    columns = [[getattr(p, name) for p in passages] for name in _COLUMNS[:-1]]
    dates = [None if p.date is None else micros(p.date) for p in passages]
    arrays = [pa.array(column, type=pa.string()) for column in columns]
    return pa.Table.from_arrays([*arrays, pa.array(dates, type=schema.field("date").type)], schema=schema)


def _passages(path: str, arrow: Any) -> tuple[Passage, ...]:
    if tuple(arrow.schema.names) != _COLUMNS or not arrow.schema.equals(_schema()):
        raise KnowledgeError(f"{path}: the columns were changed by something else; {_REBUILD} again")
    if arrow.num_rows == 0:
        raise KnowledgeError(f"{path}: the index holds no passages; {_REBUILD} again")
    columns = [arrow.column(name).to_pylist() for name in _COLUMNS[:-1]]
    # As integers, so that no time zone database is asked.
    dates = arrow.column("date").cast("int64").to_pylist()
    found = []
    for id_, text, title, source, url, when in zip(*columns, dates, strict=True):
        date = None if when is None else EPOCH + when * MICROSECOND
        found.append(Passage(id=id_, text=text, title=title, source=source, url=url, date=date))
    found.sort(key=lambda p: p.id)
    for one, other in pairwise(found):
        if one.id == other.id:
            raise KnowledgeError(
                f"{path}: two passages have the id {one.id!r} ({one.source or 'no source'} and"
                f" {other.source or 'no source'}); {_REBUILD} again"
            )
    return tuple(found)
