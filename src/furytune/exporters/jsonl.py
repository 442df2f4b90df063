"""Writes data sets as JSON lines, for tuning services to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import Factory, field, frozen

from furytune import dialects
from furytune.exporters._writing.exporting import DataFilesExporter
from furytune.exporters._writing.shape import json_lines
from furytune.exporters._writing.writing import Layout, data_path, default_validation

if TYPE_CHECKING:
    from pathlib import Path


__all__ = ["JsonlExporter"]


@frozen
class JsonlExporter(DataFilesExporter):
    """Writes one JSON object per line: UTF-8 without a byte order mark, LF, non-ASCII characters unescaped.

    Equal rows give equal bytes on any machine. The exporter also writes a manifest, ``<path>.manifest.json``
    (see `furytune.exporters.load_dataset`).

    Args:
        path: File of the training rows.
        dialect: Form of the rows, a key of `furytune.dialects.DIALECTS`.
        validation: File of the validation rows; by default ``train.validation.jsonl`` beside ``train.jsonl``.
            A run without validation rows writes no such file, and removes that of an earlier run.

    Raises:
        ConfigError: The dialect does not exist, or the path cannot be written.
    """

    path: Path = field(converter=data_path)
    dialect: str = field(default="gemini", kw_only=True)
    validation: Path = field(
        default=Factory(lambda own: default_validation(own.path), takes_self=True),
        converter=data_path,
        kw_only=True,
    )

    @dialect.validator
    def _known(self, _attribute: object, value: str) -> None:
        dialects.get(value)

    def _layout(self) -> Layout:
        """The files of this exporter, and how rows become bytes."""
        return Layout(
            train=self.path,
            validation=self.validation,
            dialect=self.dialect,
            encode=json_lines(dialects.get(self.dialect)),
        )
