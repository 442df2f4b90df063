"""The four interfaces, and the shapes of the smaller steps. A class that fits needs no base class."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeAlias, runtime_checkable

from furytune._storage.durable import StagedGroup
from furytune._values.canonical import Json
from furytune.records import (
    Dataset,
    Dropped,
    Estimate,
    Passage,
    QAPair,
    TrainingRow,
    TuningJob,
)
from furytune.report import Tally

__all__ = [
    "Augmenter",
    "BulkAugmenter",
    "Collector",
    "ContractIdentity",
    "Curator",
    "Exporter",
    "Incomplete",
    "Provenance",
    "Staging",
    "Starting",
    "Tuner",
]

Curator: TypeAlias = Callable[[QAPair], QAPair | Dropped]
"""A curation step keeps a pair, returns it with another answer, or drops it with a reason. The pipeline notes who edited."""


@runtime_checkable
class Collector(Protocol):
    """**Protocol:** where pairs come from.

    Everything that was read comes out: in a pair, or in a `Dropped` with its count.
    """

    def collect(self) -> Iterator[QAPair | Dropped]:
        """Yields pairs and drops. Each call starts anew and gives the same stream for the same input."""
        ...


@runtime_checkable
class Provenance(Protocol):
    """**Protocol:** a collector that knows where its data come from, and by whose leave."""

    @property
    def provenance(self) -> Mapping[str, Json]:
        """What the manifest of a data set shall say of it.

        It is read when `Collector.collect` is exhausted, for what was read is known only then. Equal input
        gives equal values, so there is no moment of the run in it; names of people and message text do
        not belong here.
        """
        ...


@runtime_checkable
class Augmenter(Protocol):
    """**Protocol:** what knowledge goes into a prompt."""

    @property
    def spec(self) -> Mapping[str, Json]:
        """Its "name" (an entry point of ``furytune.augmenters``) and each parameter that can change a byte."""
        ...

    @property
    def snapshot(self) -> str:
        """Identity of the frozen knowledge; "" where there is none."""
        ...

    def context(self, question: str, *, at: datetime | None = None) -> tuple[Passage, ...]:
        """Returns the passages for a normalised question, best first.

        Args:
            question: The normalised question.
            at: The moment it is asked; a dated passage is visible only if it is older. None is now.
        """
        ...


@runtime_checkable
class BulkAugmenter(Augmenter, Protocol):
    """**Protocol:** an augmenter that answers many questions faster than one by one, with equal results."""

    def contexts(
        self, questions: Sequence[str], *, at: Sequence[datetime | None]
    ) -> list[tuple[Passage, ...]]:
        """Returns what `Augmenter.context` returns for each question and its moment."""
        ...


@runtime_checkable
class Starting(Protocol):
    """**Protocol:** a curation step that remembers what it saw, and begins anew for each pass."""

    def start(self) -> Curator:
        """Returns the step for one pass."""
        ...


@runtime_checkable
class Incomplete(Protocol):
    """**Protocol:** a curation step that could not read all of what it judges by."""

    @property
    def unread(self) -> Sequence[Dropped]:
        """What it did not read. Each pass of a pipeline counts it."""
        ...


@runtime_checkable
class ContractIdentity(Protocol):
    """**Protocol:** what an exporter writes down of the contract that rendered its rows."""

    @property
    def form(self) -> Mapping[str, Json]:
        """Everything but the knowledge that shapes a prompt."""
        ...

    @property
    def fingerprint(self) -> str:
        """Identity of the form."""
        ...

    @property
    def snapshot(self) -> str:
        """Identity of the knowledge."""
        ...


@runtime_checkable
class Exporter(Protocol):
    """**Protocol:** how rows become files. All or nothing."""

    @property
    def dialect(self) -> str:
        """Name of the wire form, a key of `furytune.dialects.DIALECTS`."""
        ...

    def export(
        self,
        rows: Iterable[TrainingRow],
        *,
        contract: ContractIdentity,
        tally: Tally | None = None,
    ) -> Dataset:
        """Writes the data files and the manifest.

        Args:
            rows: Read once, in order.
            contract: What rendered the prompts; its identities go into the manifest.
            tally: Counts of drops, complete once ``rows`` is exhausted; goes into the manifest.

        Raises:
            ExportError: Nothing was written.
        """
        ...


@runtime_checkable
class Staging(Protocol):
    """**Protocol:** an exporter whose files can appear together with those of the run's other exporters.

    An exporter without this ability commits its files by itself, in `Exporter.export`.
    """

    def stage(
        self,
        rows: Iterable[TrainingRow],
        *,
        contract: ContractIdentity,
        tally: Tally | None,
        group: StagedGroup,
    ) -> Dataset:
        """Writes the files beside their places.

        Args:
            rows: Read once, in order.
            contract: What rendered the prompts; its identities go into the manifest.
            tally: Counts of drops, complete once ``rows`` is exhausted; goes into the manifest.
            group: Opens the files, data before manifests, and has them appear when the run commits it.

        Raises:
            ExportError: Nothing will appear.
        """
        ...


@runtime_checkable
class Tuner(Protocol):
    """**Protocol:** who trains a model on a data set."""

    def estimate(self, dataset: Dataset) -> Estimate:
        """Returns cost and problems without a request that costs anything."""
        ...

    def submit(self, dataset: Dataset, *, key: str) -> TuningJob:
        """Starts the job under an idempotency key."""
        ...

    def find(self, key: str) -> TuningJob | None:
        """Returns the job that an earlier run submitted under this key."""
        ...

    def poll(self, job: TuningJob) -> TuningJob:
        """Asks once for the job's state; never sleeps."""
        ...
