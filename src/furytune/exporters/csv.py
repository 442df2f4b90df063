"""Writes data sets as CSV, to open in a spreadsheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import Factory, field, frozen

from furytune import dialects
from furytune._storage.manifests import escape_formula
from furytune.errors import ConfigError
from furytune.exporters._writing.exporting import DataFilesExporter
from furytune.exporters._writing.shape import text_pairs
from furytune.exporters._writing.writing import Layout, data_path, default_validation

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from furytune.records import TrainingRow

__all__ = ["CsvExporter"]

_DIALECTS = {("input", "output"): "plain", ("text_input", "output"): "gemini-developer"}


def _usual(exporter: CsvExporter) -> str:
    """Returns the dialect that has these columns."""
    known = _DIALECTS.get(exporter.columns)
    if known is None:
        raise ConfigError(f"columns {exporter.columns!r} belong to no known dialect; give `dialect=` as well")
    return known


@frozen
class CsvExporter(DataFilesExporter):
    """Writes RFC 4180 CSV with a header: UTF-8 without a byte order mark, CRLF, every field in quotes.

    A cell that a spreadsheet would run as a formula gets a leading ``'``, and so does a cell that already
    begins with ``'``. `CsvCollector` removes exactly that one again. Equal rows give equal bytes on any
    machine. The exporter also writes a manifest, ``<path>.manifest.json``.

    Args:
        path: File of the training rows.
        columns: The two column names. ("input", "output") is the dialect "plain", ("text_input",
            "output") is "gemini-developer"; other names need ``dialect``.
        dialect: A dialect whose rows are two texts.
        validation: File of the validation rows; by default ``train.validation.csv`` beside ``train.csv``.
        escape_formulas: False writes such cells unchanged. A spreadsheet may then run a formula that a
            stranger wrote.

    Raises:
        ConfigError: The columns have no dialect, the dialect's rows are not two texts, or the path cannot
            be written.
    """

    path: Path = field(converter=data_path)
    columns: tuple[str, str] = field(default=("input", "output"), converter=tuple, kw_only=True)
    dialect: str = field(default=Factory(_usual, takes_self=True), kw_only=True)
    validation: Path = field(
        default=Factory(lambda own: default_validation(own.path), takes_self=True),
        converter=data_path,
        kw_only=True,
    )
    escape_formulas: bool = field(default=True, kw_only=True)

    @columns.validator
    def _two(self, _attribute: object, value: tuple[str, ...]) -> None:
        """Validates the two column names."""
        if len(value) != 2 or not all(isinstance(name, str) and name.strip() for name in value):
            raise ConfigError("columns must be two names, one for the prompt and one for the answer")
        if value[0] == value[1]:
            raise ConfigError(f"both columns are called {value[0]!r}; give two different names")
        # An escaped header would not be found again when the file is read.
        if any(escape_formula(name) != name for name in value):
            raise ConfigError("a column name begins like a formula; give another name")

    @dialect.validator
    def _of_two_texts(self, _attribute: object, value: str) -> None:
        """Validates that rows of the dialect are two texts."""
        if not dialects.get(value).joins_system:
            raise ConfigError(f"rows of the dialect {value!r} are not two texts; use JsonlExporter")

    def _layout(self) -> Layout:
        """The files of this exporter, and how rows become bytes."""
        return Layout(
            train=self.path,
            validation=self.validation,
            dialect=self.dialect,
            encode=_encoder(self.dialect, escape=self.escape_formulas),
            header=",".join(map(_quoted, self.columns)).encode() + b"\r\n",
            escaped_formulas=self.escape_formulas,
        )


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _encoder(name: str, *, escape: bool) -> Callable[[list[TrainingRow]], bytes]:
    """Returns a function that encodes rows as CSV."""
    split = text_pairs(dialects.get(name))

    def encode(rows: list[TrainingRow]) -> bytes:
        pairs = split(rows)
        if escape:
            pairs = [(escape_formula(prompt), escape_formula(answer)) for prompt, answer in pairs]
        # The bytes FE and FF never occur in UTF-8, so they can mark the ends of cells while quotes are doubled.
        pieces = [piece for p, a in pairs for piece in (p.encode(), b"\xfe", a.encode(), b"\xff")]
        cells = b"".join(pieces[:-1]).replace(b'"', b'""')
        return b'"' + cells.replace(b"\xfe", b'","').replace(b"\xff", b'"\r\n"') + b'"\r\n'

    return encode
