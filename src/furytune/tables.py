"""Gives a written data set to pandas, polars and Arrow as a table, with the same columns whatever its dialect.

These are functions because `furytune.records.Dataset` is a value that knows no file formats: reading one needs dialects,
templates and manifests, which are built on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from itertools import islice
from typing import TYPE_CHECKING, Any

from furytune.dataset_rows import read_rows
from furytune.errors import MissingExtraError

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from furytune.records import Dataset, TrainingRow

__all__ = ["to_arrow", "to_pandas", "to_polars"]

_ROWS = 4096
_EXTRA = "tables"


def to_arrow(dataset: Dataset) -> pa.Table:
    """Returns the rows of a data set as an Arrow table: the training rows first, each split in the order of export.

    All dialects and both file formats give the same table. Its columns are ``id``, ``split``, ``prompt``, ``system``,
    ``answer``, ``group``, ``at`` (the moment of the question, in UTC), ``path``, ``line``, ``guild``, ``channel``, ``thread``
    and ``messages`` (ids). Unknown values are null. The quote that keeps spreadsheets from running a cell is removed.

    The table is held in memory. `furytune.dataset_rows.read_rows` yields one row at a time.

    Args:
        dataset: For one on disk, see `furytune.exporters.load_dataset`, which also checks that its files are unchanged.

    Raises:
        ExportError: A file cannot be read, or does not have the rows that the manifest lists.
        MissingExtraError: pyarrow is not installed.
    """
    try:
        import pyarrow as pa
    except ImportError as error:
        raise MissingExtraError("a table", _EXTRA) from error
    text = pa.string()
    schema = pa.schema(
        [
            pa.field("id", text, nullable=False),
            pa.field("split", text, nullable=False),
            pa.field("prompt", text, nullable=False),
            pa.field("system", text),
            pa.field("answer", text, nullable=False),
            pa.field("group", text),
            ("at", pa.timestamp("us", tz="UTC")),
            ("path", text),
            ("line", pa.int64()),
            ("guild", text),
            ("channel", text),
            ("thread", text),
            ("messages", pa.list_(text)),
        ]
    )
    return pa.Table.from_batches(
        (pa.RecordBatch.from_pylist(list(map(_cells, part)), schema) for part in _parts(dataset)), schema
    )


def to_pandas(dataset: Dataset) -> pd.DataFrame:
    """Returns the rows of a data set as a pandas data frame; see `to_arrow` for its columns.

    ``line`` is a nullable integer, ``Int64``.

    Args:
        dataset: See `to_arrow`.

    Raises:
        ExportError: See `to_arrow`.
        MissingExtraError: pandas or pyarrow is not installed.
    """
    try:
        import pandas as pd
        import pyarrow as pa
    except ImportError as error:
        raise MissingExtraError("a pandas data frame", _EXTRA) from error
    # Without its own type, a column of integers with nulls would become one of floats.
    frame: pd.DataFrame = to_arrow(dataset).to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    return frame


def to_polars(dataset: Dataset) -> pl.DataFrame:
    """Returns the rows of a data set as a polars data frame; see `to_arrow` for its columns.

    Args:
        dataset: See `to_arrow`.

    Raises:
        ExportError: See `to_arrow`.
        MissingExtraError: polars or pyarrow is not installed.
    """
    try:
        import polars as pl
    except ImportError as error:
        raise MissingExtraError("a polars data frame", _EXTRA) from error
    return pl.DataFrame(to_arrow(dataset))


def _parts(dataset: Dataset) -> Iterator[list[TrainingRow]]:
    rows = read_rows(dataset)
    while part := list(islice(rows, _ROWS)):
        yield part


def _cells(row: TrainingRow) -> dict[str, Any]:
    source = row.source
    return {
        "id": row.id,
        "split": row.split,
        "prompt": row.prompt.text,
        "system": row.prompt.system or None,
        "answer": row.answer,
        "group": row.group or None,
        # Prompts of pairs without a date are made for the beginning of 1970.
        "at": row.at.astimezone(UTC) if row.at and row.at.timestamp() > 0 else None,
        "path": source.path or None,
        "line": source.line,
        "guild": source.guild or None,
        "channel": source.channel or None,
        "thread": source.thread or None,
        "messages": list(row.messages),
    }
