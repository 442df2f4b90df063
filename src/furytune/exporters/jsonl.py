"""Writes data sets as JSON lines, for tuning services to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import Factory, field, frozen

from furytune import dialects
from furytune.exporters._writing.shape import json_lines
from furytune.exporters._writing.writing import Layout, data_path, default_validation

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from furytune._storage.durable import StagedGroup
    from furytune.protocols import ContractIdentity
    from furytune.records import Dataset, TrainingRow
    from furytune.report import Tally

__all__ = ["JsonlExporter"]


@frozen
class JsonlExporter:
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

    @property
    def targets(self) -> tuple[Path, ...]:
        """The files that an export may write or remove, except the manifest."""
        return self.path, self.validation

    def export(
        self, rows: Iterable[TrainingRow], *, contract: ContractIdentity, tally: Tally | None = None
    ) -> Dataset:
        """Writes the data files and the manifest: all of them, or none.

        Args:
            rows: Read once, in order; memory does not grow with their number.
            contract: The contract that rendered the prompts; the manifest records which one.
            tally: Counts for the manifest, complete once ``rows`` is exhausted.

        Raises:
            ExportError: A prompt or an answer is empty or contains a lone surrogate, two rows have the same id,
                or a file cannot be written. Nothing was written unless the message says otherwise.
        """
        return self._layout().write(rows, contract=contract, tally=tally)

    def stage(
        self,
        rows: Iterable[TrainingRow],
        *,
        contract: ContractIdentity,
        tally: Tally | None,
        group: StagedGroup,
    ) -> Dataset:
        """Writes temporary files; all of them appear together when the group is committed.

        Raises:
            ExportError: As in `export`; no file appears.
        """
        return self._layout().stage(rows, contract=contract, tally=tally, group=group)

    def _layout(self) -> Layout:
        """The files of this exporter, and how rows become bytes."""
        return Layout(
            train=self.path,
            validation=self.validation,
            dialect=self.dialect,
            encode=json_lines(dialects.get(self.dialect)),
        )
