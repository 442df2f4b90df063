"""What all exporters of data files do alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from furytune._storage.durable import StagedGroup
    from furytune.exporters._writing.writing import Layout
    from furytune.protocols import ContractIdentity
    from furytune.records import Dataset, TrainingRow
    from furytune.report import Tally

__all__ = ["DataFilesExporter"]


class DataFilesExporter:
    """Writes data files and their manifest. An exporter adds its arguments, and how rows become bytes."""

    __slots__ = ()

    if TYPE_CHECKING:
        path: Path
        validation: Path

    def _layout(self) -> Layout:
        """The files of this exporter, and how rows become bytes."""
        raise NotImplementedError

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
