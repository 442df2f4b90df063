"""Every interface of the library. A class that fits one needs no base class.

Each role has one protocol that a part must fit: `Collector`, `Pairer`, `Curator`, `Splitter`, `Augmenter`, `Embedder`,
`Reranker`, `Exporter`, `Tuner`. What a part can do beyond that is an ability: a small protocol of its own, which the
library finds with ``isinstance``. A part without an ability works; the docstring of the ability says what is then missing.

The listed sentences of each protocol are its rules. `furytune.testing.conformance` holds a part to them, one check for
each sentence.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

from furytune._storage.durable import StagedGroup
from furytune._values.canonical import Json
from furytune.explanation import Explaining
from furytune.pairing.posts import Pairer
from furytune.records import (
    Dataset,
    Dropped,
    Erased,
    Estimate,
    Passage,
    QAPair,
    Split,
    TrainingRow,
    TuningJob,
)
from furytune.report import Tally

__all__ = [
    "Augmenter",
    "BulkAugmenter",
    "Collector",
    "ContextEdit",
    "ContextEditing",
    "ContractIdentity",
    "Curator",
    "Embedder",
    "Erasable",
    "Explaining",
    "Exporter",
    "Incomplete",
    "Kind",
    "Located",
    "Named",
    "Pairer",
    "Pinned",
    "Provenance",
    "Rebuildable",
    "Refreshable",
    "Reranker",
    "Retrieving",
    "Searchable",
    "Splitter",
    "Staging",
    "StatefulCurator",
    "Tuner",
    "WritesFiles",
]

Kind: TypeAlias = Literal["passage", "question"]
"""What an `Embedder` is given: some models prefix the two differently."""


@runtime_checkable
class Collector(Protocol):
    """**Protocol:** where pairs come from.

    - Everything that was read comes out: in a pair, or in a `Dropped` with its count.
    - Each call of `collect` starts from the beginning and gives the same stream for the same input.
    - No two pairs have the same id, and no id and no group is empty.
    - No question and no answer is blank.
    - The detail of a drop does not quote a message.
    """

    def collect(self) -> Iterator[QAPair | Dropped]:
        """Yields pairs and drops."""
        ...


@runtime_checkable
class Curator(Protocol):
    """**Protocol:** a curation step; any function that fits is one. The pipeline notes which steps edited a pair.

    - A step keeps a pair, returns it with another answer, or drops it with a reason.
    - A drop stands for that one pair: its unit is "pair" and its count is 1.
    """

    def __call__(self, pair: QAPair, /) -> QAPair | Dropped:
        """Returns the pair, the pair with another answer, or why it is dropped."""
        ...


@runtime_checkable
class Splitter(Protocol):
    """**Protocol:** decides whether a conversation is for training or for validation.

    - A group is on one side, "train" or "validation", whatever other groups there are.
    """

    def __call__(self, group: str, /) -> Split:
        """Returns the side of a group, which is a thread or a conversation."""
        ...


@runtime_checkable
class Provenance(Protocol):
    """**Protocol:** a collector that knows where its data come from, and who permitted their use.

    - Equal input gives equal provenance, which is a mapping of JSON values.
    """

    @property
    def provenance(self) -> Mapping[str, Json]:
        """What the manifest of a data set says about it.

        It is read when `Collector.collect` is exhausted, because only then is it known what was read. The time of
        the run, names of people and message text do not belong here.
        """
        ...


@runtime_checkable
class Augmenter(Protocol):
    """**Protocol:** what knowledge goes into a prompt.

    - The spec is a mapping of JSON values and has a "name".
    - Over the same knowledge, equal augmenters have equal specs, equal snapshots and find the same.
    - Asking has no memory: the order of questions changes nothing.
    - A passage with a date is older than the question.
    - No passage is found twice for a question.
    - A contract with the augmenter can be saved, and loaded with ``augmenter=``, and renders the same prompts.
    """

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
    """**Protocol:** an augmenter that answers many questions faster than one by one.

    - Many questions at once find what each finds alone.
    """

    def contexts(
        self, questions: Sequence[str], *, at: Sequence[datetime | None]
    ) -> list[tuple[Passage, ...]]:
        """Returns what `Augmenter.context` returns for each question and its moment."""
        ...


@runtime_checkable
class Rebuildable(Protocol):
    """**Protocol:** an augmenter that `PromptContract.load` can build from the contract file.

    Without this ability the bot passes the augmenter itself: ``PromptContract.load(path, augmenter=...)``.

    - What is built from spec and location has the same spec and snapshot, and finds the same.
    """

    @classmethod
    def from_spec(cls, spec: Mapping[str, Json], *, location: Mapping[str, Json], base: Path) -> Augmenter:
        """Builds the augmenter that a contract names.

        Args:
            spec: What `Augmenter.spec` returned when the contract was made.
            location: What `Located.location` returned; empty for an augmenter that has none.
            base: Folder of the contract file; a path in ``location`` may be relative to it.

        Raises:
            ContractMismatchError: This version would not find the same passages.
            SnapshotError: The knowledge is gone or has changed.
        """
        ...


@runtime_checkable
class Located(Protocol):
    """**Protocol:** a part that keeps its data somewhere, and can say where.

    - The location is a mapping of JSON values.
    """

    @property
    def location(self) -> Mapping[str, Json]:
        """Where the data are, as JSON. A "path" is absolute, with forward slashes; the contract makes it relative."""
        ...


@runtime_checkable
class Pinned(Protocol):
    """**Protocol:** an augmenter whose knowledge has versions, of which one can be kept from being cleaned up.

    - Pinning says whether it worked, and changes neither spec nor snapshot.
    """

    def pin(self) -> bool:
        """Keeps the version in use. Returns False where that is not possible, such as in a read-only folder."""
        ...


@runtime_checkable
class Refreshable(Protocol):
    """**Protocol:** an augmenter that can move on to newer knowledge.

    Without this ability `PromptContract.refresh` raises.

    - The newest state has the same spec, and can be asked.
    """

    def latest(self) -> Augmenter:
        """Returns the same augmenter on the newest state of its knowledge; its ``spec`` stays the same."""
        ...


@runtime_checkable
class Retrieving(Protocol):
    """**Protocol:** an augmenter that knows whether it can find anything at all.

    An augmenter without this ability is taken to find passages, so its template needs a ``{context}``.

    - An augmenter that does not retrieve finds nothing for any question.
    """

    @property
    def retrieves(self) -> bool:
        """False if `Augmenter.context` never returns a passage."""
        ...


@runtime_checkable
class Searchable(Augmenter, Protocol):
    """**Protocol:** an augmenter whose passages can be listed, and ranked further down than a prompt needs.

    A `ContextEdit` may need this to choose passages by itself.

    - What can be listed at a moment is undated or older than it, each passage once.
    - The nearest passages can all be listed, and there are no more of them than asked for.
    """

    def visible_passages(self, at: datetime | None) -> Sequence[Passage]:
        """Returns the passages that a question asked at this moment may see, in the order of time."""
        ...

    def nearest(self, question: str, *, at: datetime | None, count: int) -> Sequence[Passage]:
        """Returns up to ``count`` passages for a normalised question, best first."""
        ...


@runtime_checkable
class ContextEdit(Protocol):
    """**Protocol:** a change of the passages that training sees and the bot does not.

    It breaks the promise on purpose, so the contract names it: the spec goes into the form, the deviation into
    ``PromptContract.deviations``.

    - Equal questions with equal passages are edited alike.
    - The edit is declared: its spec is JSON, and its deviation is a sentence.
    """

    @property
    def spec(self) -> Mapping[str, Json]:
        """Each parameter that can change a byte of a training row."""
        ...

    @property
    def deviation(self) -> str:
        """One sentence that says how training and asking differ."""
        ...

    def apply(
        self, question: str, passages: tuple[Passage, ...], *, at: datetime | None, augmenter: Augmenter
    ) -> tuple[Passage, ...]:
        """Returns the passages for a training row.

        Args:
            question: The normalised question.
            passages: What the augmenter found.
            at: The moment of the question.
            augmenter: What found them.

        Raises:
            ConfigError: The augmenter lacks an ability that the edit needs.
        """
        ...


@runtime_checkable
class ContextEditing(Protocol):
    """**Protocol:** an augmenter that comes with a `ContextEdit` for training rows."""

    @property
    def edit(self) -> ContextEdit | None:
        """The edit; None for none."""
        ...


@runtime_checkable
class Embedder(Protocol):
    """**Protocol:** a model that gives a vector for a text.

    Passages are embedded by the list, and a question always alone, in bulk too.

    - Each text has a vector, of finite numbers, all of one length.
    - The vector of a text does not depend on what else is embedded.
    - An embedder's spec is a mapping of JSON values and has a "name".
    """

    @property
    def spec(self) -> Mapping[str, Json]:
        """Its "name", digests of its files, and each setting that can change a vector; part of the contract."""
        ...

    def embed(self, texts: Sequence[str], *, kind: Kind) -> Any:
        """Returns an array of floats with one row for each text; the length of a row does not matter."""
        ...


@runtime_checkable
class Reranker(Protocol):
    """**Protocol:** a model that reads question and passage together, such as a cross-encoder.

    - A score is a finite number, the same at each call.
    - A re-ranker's spec is a mapping of JSON values and has a "name", and its depth is at least 1.
    """

    @property
    def spec(self) -> Mapping[str, Json]:
        """Its "name", "depth", digests of its files, and each setting that can change a score."""
        ...

    @property
    def depth(self) -> int:
        """How many passages it is shown."""
        ...

    def score(self, question: str, passage: Passage) -> float:
        """Returns how well a passage goes with a question; higher is better."""
        ...


@runtime_checkable
class Named(Protocol):
    """**Protocol:** a curation step that chooses its own name for reports; else its class or function names it."""

    @property
    def name(self) -> str:
        """The name, which is the same in every run."""
        ...


@runtime_checkable
class StatefulCurator(Protocol):
    """**Protocol:** a curation step that remembers what it saw, and starts afresh for each pass.

    - Two passes over the same pairs give the same results.
    """

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
    """**Protocol:** how rows become files.

    - Every row is written, and equal rows give equal bytes.
    - The data set lists each file with its size and sha256, and `furytune.exporters.load_dataset` reads its manifest.
    - A row that cannot be written is refused by its id, not altered.
    - A refused export leaves the earlier files as they were.
    """

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
class WritesFiles(Protocol):
    """**Protocol:** an exporter that can say beforehand which files it will write.

    A pipeline refuses two exporters that would write the same file. Without this ability it cannot know.

    - Each data file that is written is among the targets.
    """

    @property
    def targets(self) -> Sequence[Path]:
        """The data files that an export may write or remove."""
        ...


@runtime_checkable
class Staging(Protocol):
    """**Protocol:** an exporter whose files can appear together with those of the run's other exporters.

    An exporter without this ability commits its files by itself, in `Exporter.export`.

    - Staged files appear when the group is committed, and not before.
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
    """**Protocol:** who trains a model on a data set.

    - One key, one job: submitting again under it starts nothing, not even after a restart.
    - A restart finds the job by its key, and finds nothing under another key.
    - Polling keeps key and name of the job.
    """

    @property
    def dialect(self) -> str:
        """The wire form that it trains on, a key of `furytune.dialects.DIALECTS`; "" takes any."""
        ...

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


@runtime_checkable
class Erasable(Protocol):
    """**Protocol:** a place that holds people's words, and can remove them.

    `furytune.forgetting.forget` checks every place before it changes the first one.

    - Checking changes nothing.
    - After an erasure the place holds none of the messages, and says how many items it removed.
    - Erasing again removes nothing more.
    """

    def check(self) -> None:
        """Raises if the place cannot be read or changed. It changes nothing."""
        ...

    def erase(self, messages: Collection[str], people: Collection[str]) -> Erased:
        """Removes what holds one of the messages or names one of the people, and every leftover of it.

        After an error or a crash, calling it again finishes the work.

        Args:
            messages: Ids of chat messages.
            people: Ids of people.
        """
        ...
