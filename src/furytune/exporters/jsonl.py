"""Data sets as JSON lines, the form that tuning services read."""

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
    """Writes one JSON object a line: UTF-8 without a byte order mark, LF, non-ASCII kept as it is.

    Equal rows give equal bytes on any machine. Next to the rows stands a manifest, ``<path>.manifest.json``
    (see `furytune.exporters.load_dataset`).

    Args:
        path: File of the training rows.
        dialect: Wire form, a key of `furytune.dialects.DIALECTS`.
        validation: File of the validation rows. By default ``train.jsonl`` is joined by
            ``train.validation.jsonl``. A run without such rows writes none, and removes that of an
            earlier run.

    Raises:
        ConfigError: There is no such dialect, or nothing can be written to the path.
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
        """The files that an export may write or remove, but for the manifest."""
        return self.path, self.validation

    def export(
        self, rows: Iterable[TrainingRow], *, contract: ContractIdentity, tally: Tally | None = None
    ) -> Dataset:
        """Writes the data files and the manifest: all of them, or none.

        Args:
            rows: Read once, in order; memory does not grow with their number.
            contract: What rendered the prompts; its identities go into the manifest.
            tally: Counts for the manifest, complete once ``rows`` is exhausted.

        Raises:
            ExportError: A prompt or an answer is empty or holds a lone surrogate, two rows have one id, or
                the system refuses to write. Nothing was written, or the message says otherwise.
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
        """Writes the files beside their places; they appear together when the group is committed.

        Raises:
            ExportError: As `export`; nothing appears.
        """
        return self._layout().stage(rows, contract=contract, tally=tally, group=group)

    def _layout(self) -> Layout:
        return Layout(
            train=self.path,
            validation=self.validation,
            dialect=self.dialect,
            encode=json_lines(dialects.get(self.dialect)),
        )
