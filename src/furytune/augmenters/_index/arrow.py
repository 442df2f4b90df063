"""Converts passages and their vectors to an Arrow table, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from furytune._values.canonical import Json, canonical_json
from furytune.augmenters._index.snapshot import EPOCH, FORMAT, MICROSECOND, Vectors, micros
from furytune.augmenters._search.vectors import LENGTH
from furytune.errors import KnowledgeError
from furytune.records import Passage

__all__ = ["COLUMNS", "KEY", "VECTOR", "embedder_of", "passages_of", "to_arrow", "vectors_of"]

KEY = b"furytune.index"
COLUMNS = ("id", "text", "title", "source", "url", "date")
VECTOR = "vector"
_EMBEDDER = b"furytune.embedder"


def _schema(dimension: int | None = None, embedder: Mapping[str, Json] | None = None) -> Any:
    """Returns the columns of an index, with its format and the embedder of its vectors."""
    import pyarrow as pa

    # Without nulls, an empty text has only one form, and so a snapshot only one digest.
    fields = [pa.field(name, pa.string(), nullable=False) for name in COLUMNS[:-1]]
    fields.append(pa.field("date", pa.timestamp("us", "UTC")))
    metadata: dict[bytes, bytes | str] = {KEY: FORMAT}
    if dimension is not None:
        fields.append(pa.field(VECTOR, pa.list_(pa.float32(), dimension), nullable=False))
        metadata[_EMBEDDER] = canonical_json(dict(embedder or {}))
    return pa.schema(fields, metadata=metadata)


def to_arrow(passages: Sequence[Passage], vectors: Vectors | None) -> Any:
    """Returns one row per passage. Vectors are written as fractions, so that any script can use them."""
    import pyarrow as pa

    schema = _schema()
    columns = [[getattr(p, name) for p in passages] for name in COLUMNS[:-1]]
    dates = [None if p.date is None else micros(p.date) for p in passages]
    arrays = [pa.array(column, type=pa.string()) for column in columns]
    arrays.append(pa.array(dates, type=schema.field("date").type))
    if vectors is not None:
        dimension = vectors.numbers.shape[1]
        schema = _schema(dimension, vectors.embedder)
        # A power of two, so the division loses nothing and the whole numbers come back exactly.
        flat = (vectors.numbers.astype("<f4") / LENGTH).reshape(-1)
        arrays.append(pa.FixedSizeListArray.from_arrays(pa.array(flat), dimension))
    return pa.Table.from_arrays(arrays, schema=schema)


def embedder_of(schema: Any) -> Mapping[str, Json] | None:
    """Returns the identity of the embedder that made the table's vectors; None without vectors."""
    stated = (schema.metadata or {}).get(_EMBEDDER)
    if stated is None or VECTOR not in schema.names:
        return None
    try:
        found = json.loads(stated)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def check_schema(path: str, schema: Any, rebuild: str) -> None:
    """Raises if the columns of a table are not the ones furytune wrote.

    Raises:
        KnowledgeError: The columns differ.
    """
    expected, embedder = _schema(), embedder_of(schema)
    if embedder is not None:
        expected = _schema(getattr(schema.field(VECTOR).type, "list_size", 0), embedder)
    if tuple(schema.names) != tuple(expected.names) or not schema.equals(expected):
        raise KnowledgeError(f"{path}: another program changed the columns; {rebuild} again")


def passages_of(path: str, arrow: Any, rebuild: str) -> tuple[tuple[Passage, ...], list[int]]:
    """Returns the passages in ascending order of id, and the row of each in the table.

    Raises:
        KnowledgeError: The table is empty, or two passages have the same id.
    """
    if arrow.num_rows == 0:
        raise KnowledgeError(f"{path}: the index has no passages; {rebuild} again")
    columns = [arrow.column(name).to_pylist() for name in COLUMNS[:-1]]
    # As integers, because converting to datetime would need a time zone database.
    dates = arrow.column("date").cast("int64").to_pylist()
    found = []
    for id_, text, title, source, url, when in zip(*columns, dates, strict=True):
        date = None if when is None else EPOCH + when * MICROSECOND
        found.append(Passage(id=id_, text=text, title=title, source=source, url=url, date=date))
    # Lance does not promise an order of rows, and the snapshot must not depend on it.
    rows = sorted(range(len(found)), key=lambda i: found[i].id)
    for i, j in pairwise(rows):
        one, other = found[i], found[j]
        if one.id == other.id:
            raise KnowledgeError(
                f"{path}: two passages have the id {one.id!r} ({one.source or 'no source'} and"
                f" {other.source or 'no source'}); {rebuild} again"
            )
    return tuple(found[i] for i in rows), rows


def vectors_of(arrow: Any, rows: list[int], embedder: Mapping[str, Json]) -> Vectors:
    """Returns the vectors in the order of the passages."""
    import numpy as np

    column = arrow.column(VECTOR).combine_chunks()
    dimension = column.type.list_size
    flat = column.flatten().to_numpy(zero_copy_only=False).reshape(-1, dimension)
    return Vectors.of(embedder, np.rint(flat[rows] * LENGTH).astype("<i2"))
