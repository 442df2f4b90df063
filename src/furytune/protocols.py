"""Every interface of the library. A class that fits one does not need a base class.

Each role has one protocol that a part must fit: `Collector`, `Pairer`, `Curator`, `Splitter`, `Augmenter`, `Embedder`,
`Reranker`, `Exporter`, `Tuner`. If a part can do more, it has an ability: a small protocol of its own, which the
library finds with ``isinstance``. A part works without any ability. The docstring of the ability says what is missing then.
A part can ask a `Model`, and what stores people's words is `Erasable`.

The sentences that a protocol lists are its rules. `furytune.testing.conformance` has a check for each sentence.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

from furytune._network.stop import Stop
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
    Piece,
    Prompt,
    QAPair,
    Split,
    TrainingRow,
    TuningJob,
)
from furytune.report import Tally

__all__ = [
    "Augmenter",
    "BulkAugmenter",
    "BulkCurator",
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
    "Model",
    "Named",
    "Pairer",
    "Pinned",
    "Provenance",
    "Rebuildable",
    "Refreshable",
    "Reranker",
    "Retrieving",
    "Reviewing",
    "Searchable",
    "SetCurator",
    "Splitter",
    "Staging",
    "StatefulCurator",
    "StreamingModel",
    "Tuner",
    "WritesFiles",
]

Kind: TypeAlias = Literal["passage", "question"]
"""The kind of text for an `Embedder`: some models use different prefixes for passages and questions."""


@runtime_checkable
class Collector(Protocol):
    """**Protocol:** reads a source and yields question-answer pairs.

    - Everything that was read comes out: in a pair, or in a `Dropped` with its count.
    - Each call of `collect` starts from the beginning and gives the same stream for the same input.
    - No two pairs have the same id, and no id and no group is empty.
    - No question and no answer is blank.
    - The detail of a drop does not quote a message.
    """

    def collect(self) -> Iterator[QAPair | Dropped]:
        """Yields the pairs, and a `Dropped` for everything that became no pair."""
        ...


@runtime_checkable
class Curator(Protocol):
    """**Protocol:** a curation step; any function that fits is one. The pipeline notes which steps edited a pair.

    - A step keeps a pair, returns it with another answer, or drops it with a reason.
    - A drop counts that one pair: its unit is "pair" and its count is 1.
    """

    def __call__(self, pair: QAPair, /) -> QAPair | Dropped:
        """Returns the pair, the pair with another answer, or a `Dropped` with the reason."""
        ...


@runtime_checkable
class Splitter(Protocol):
    """**Protocol:** decides whether a conversation is for training or for validation.

    - A group is always on the same side, "train" or "validation", no matter which other groups there are.
    """

    def __call__(self, group: str, /) -> Split:
        """Returns the side of a group, such as a thread or a conversation."""
        ...


@runtime_checkable
class Provenance(Protocol):
    """**Protocol:** a collector that knows where its data come from, and who permitted their use.

    - Equal input gives equal provenance, which is a mapping of JSON values.
    """

    @property
    def provenance(self) -> Mapping[str, Json]:
        """What the manifest of a data set says about the source.

        The pipeline reads it when `Collector.collect` is exhausted, because only then the collector knows what it read.
        Do not put the time of the run, names of people or message text here.
        """
        ...


@runtime_checkable
class Augmenter(Protocol):
    """**Protocol:** finds the knowledge that goes into a prompt.

    - The spec is a mapping of JSON values and has a "name".
    - With the same knowledge, equal augmenters have equal specs and snapshots, and find the same passages.
    - An augmenter remembers nothing: the order of questions changes no result.
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
        """Identifies the frozen knowledge; "" without knowledge."""
        ...

    def context(self, question: str, *, at: datetime | None = None) -> tuple[Passage, ...]:
        """Returns the passages for a normalised question, best first.

        Args:
            question: The normalised question.
            at: The moment of the question; a dated passage is visible only if it is older. None means now.
        """
        ...


@runtime_checkable
class BulkAugmenter(Augmenter, Protocol):
    """**Protocol:** an augmenter that answers many questions faster than one by one.

    - Many questions at once find the same passages as each one alone.
    """

    def contexts(
        self, questions: Sequence[str], *, at: Sequence[datetime | None]
    ) -> list[tuple[Passage, ...]]:
        """Returns what `Augmenter.context` returns for each question and its moment."""
        ...


@runtime_checkable
class Rebuildable(Protocol):
    """**Protocol:** an augmenter that `PromptContract.load` can build from the contract file.

    Without this ability, the bot must pass the augmenter: ``PromptContract.load(path, augmenter=...)``.

    - An augmenter built from spec and location has the same spec and snapshot, and finds the same passages.
    """

    @classmethod
    def from_spec(cls, spec: Mapping[str, Json], *, location: Mapping[str, Json], base: Path) -> Augmenter:
        """Builds the augmenter of a contract.

        Args:
            spec: What `Augmenter.spec` returned when the contract was made.
            location: What `Located.location` returned; empty for an augmenter without this ability.
            base: Folder of the contract file; a path in ``location`` may be relative to it.

        Raises:
            ContractMismatchError: This version would not find the same passages.
            SnapshotError: The knowledge is missing or has changed.
        """
        ...


@runtime_checkable
class Located(Protocol):
    """**Protocol:** a part that stores its data somewhere and can say where.

    - The location is a mapping of JSON values.
    """

    @property
    def location(self) -> Mapping[str, Json]:
        """Where the data are, as JSON. A "path" is absolute, with forward slashes; the contract makes it relative."""
        ...


@runtime_checkable
class Pinned(Protocol):
    """**Protocol:** an augmenter whose knowledge has versions, and that can protect one of them from clean-up.

    - `pin` returns whether it worked, and changes neither spec nor snapshot.
    """

    def pin(self) -> bool:
        """Protects the version in use. Returns False if that is not possible, for example in a read-only folder."""
        ...


@runtime_checkable
class Refreshable(Protocol):
    """**Protocol:** an augmenter that can move to newer knowledge.

    Without this ability, `PromptContract.refresh` raises.

    - The newest state has the same spec and can answer questions.
    """

    def latest(self) -> Augmenter:
        """Returns the same augmenter on the newest state of its knowledge. Its ``spec`` does not change."""
        ...


@runtime_checkable
class Retrieving(Protocol):
    """**Protocol:** an augmenter that knows whether it can find anything at all.

    Without this ability, the pipeline assumes that it finds passages, so the template needs a ``{context}``.

    - If `retrieves` is False, no question finds a passage.
    """

    @property
    def retrieves(self) -> bool:
        """False if `Augmenter.context` never returns a passage."""
        ...


@runtime_checkable
class Searchable(Augmenter, Protocol):
    """**Protocol:** an augmenter that can list its passages, and rank more of them than a prompt needs.

    A `ContextEdit` may need this to choose its own passages.

    - The passages visible at a moment are undated or older, and each is listed once.
    - The nearest passages are all visible, and there are no more than ``count``.
    """

    def visible_passages(self, at: datetime | None) -> Sequence[Passage]:
        """Returns the passages that a question at this moment may see, in order of their date."""
        ...

    def nearest(self, question: str, *, at: datetime | None, count: int) -> Sequence[Passage]:
        """Returns up to ``count`` passages for a normalised question, best first."""
        ...


@runtime_checkable
class ContextEdit(Protocol):
    """**Protocol:** changes the passages in training rows, but not in the bot.

    It breaks the promise on purpose, so the contract names it: the spec goes into the form, and the deviation into
    ``PromptContract.deviations``.

    - Equal questions with equal passages get the same edit.
    - The edit is declared: its spec is JSON, and its deviation is a sentence.
    """

    @property
    def spec(self) -> Mapping[str, Json]:
        """Each parameter that can change a byte of a training row."""
        ...

    @property
    def deviation(self) -> str:
        """One sentence that says how training differs from the bot."""
        ...

    def apply(
        self, question: str, passages: tuple[Passage, ...], *, at: datetime | None, augmenter: Augmenter
    ) -> tuple[Passage, ...]:
        """Returns the passages for a training row.

        Args:
            question: The normalised question.
            passages: The passages that the augmenter found.
            at: The moment of the question.
            augmenter: The augmenter that found them.

        Raises:
            ConfigError: The augmenter lacks an ability that the edit needs.
        """
        ...


@runtime_checkable
class ContextEditing(Protocol):
    """**Protocol:** an augmenter that comes with a `ContextEdit` for training rows."""

    @property
    def edit(self) -> ContextEdit | None:
        """The edit; None leaves training rows unchanged."""
        ...


@runtime_checkable
class Embedder(Protocol):
    """**Protocol:** a model that turns a text into a vector.

    Passages are embedded as a list. A question is always embedded alone, even if there are many.

    - Each text gets a vector of finite numbers, and all vectors have the same length.
    - The vector of a text does not depend on what else is embedded.
    - An embedder's spec is a mapping of JSON values and has a "name".
    """

    @property
    def spec(self) -> Mapping[str, Json]:
        """Its "name", digests of its files, and each setting that can change a vector; part of the contract."""
        ...

    def embed(self, texts: Sequence[str], *, kind: Kind) -> Any:
        """Returns an array of floats with one row for each text. Vectors need not have unit length."""
        ...


@runtime_checkable
class Reranker(Protocol):
    """**Protocol:** a model that reads question and passage together, such as a cross-encoder.

    - A score is a finite number, and the same in each call.
    - A re-ranker's spec is a mapping of JSON values and has a "name", and its depth is at least 1.
    """

    @property
    def spec(self) -> Mapping[str, Json]:
        """Its "name", "depth", digests of its files, and each setting that can change a score."""
        ...

    @property
    def depth(self) -> int:
        """How many passages it scores for a question."""
        ...

    def score(self, question: str, passage: Passage) -> float:
        """Returns how well a passage fits a question; higher is better."""
        ...


@runtime_checkable
class Named(Protocol):
    """**Protocol:** a curation step with its own name in reports. Without it, reports use the class or function name."""

    @property
    def name(self) -> str:
        """The name. It is the same in every run."""
        ...


@runtime_checkable
class StatefulCurator(Protocol):
    """**Protocol:** a curation step that remembers earlier pairs, and gives each pass a fresh step.

    - Two passes over the same pairs give the same results.
    """

    def start(self) -> Curator:
        """Returns a fresh step for one pass."""
        ...


@runtime_checkable
class SetCurator(Protocol):
    """**Protocol:** a curation step that reads all pairs before it decides about the first.

    The pipeline stores the pairs on disk meanwhile, so the step should remember only what it needs. The step that `fit`
    returns may also give a pair another group, to keep pairs of different conversations on one side of the split.

    - Fitting reads all pairs.
    - Two passes over the same pairs give the same results.
    """

    def fit(self, pairs: Iterable[QAPair], /) -> Curator:
        """Reads all pairs of a pass; returns the step that then gets the same pairs in the same order.

        Args:
            pairs: Read once, to the end. The ids are unique.
        """
        ...


@runtime_checkable
class BulkCurator(Curator, Protocol):
    """**Protocol:** a curation step that handles many pairs faster than one by one.

    - Many pairs at once give the same results as one by one.
    """

    def curate(self, pairs: Sequence[QAPair], /) -> Sequence[QAPair | Dropped]:
        """Returns what `Curator.__call__` returns for each pair, in order."""
        ...


@runtime_checkable
class Reviewing(Protocol):
    """**Protocol:** a curation step that applies what people decided about single pairs.

    Only such a step may replace a question, and set a confidence with the evidence "reviewed". The pair then has that question
    wherever it goes: with and without retrieval, and in the bot, where people ask in that form too. A rule or a model must
    not rewrite questions: the bot applies no steps, so training would see questions that no one asks. The report and the
    manifest count the replaced questions.

    A `StatefulCurator` has this ability on the step that `StatefulCurator.start` returns.

    - A pair changes in nothing but question, answer, confidence and evidence.
    """

    @property
    def decided(self) -> int:
        """For how many pairs it has a decision of a person."""
        ...


@runtime_checkable
class Incomplete(Protocol):
    """**Protocol:** a curation step that could not get everything it needs to judge pairs.

    A `StatefulCurator` has this ability on the step that `StatefulCurator.start` returns.
    """

    @property
    def unread(self) -> Sequence[Dropped]:
        """What it could not get. The pipeline counts it at the end of each pass."""
        ...


@runtime_checkable
class ContractIdentity(Protocol):
    """**Protocol:** what an exporter records about the contract that rendered its rows."""

    @property
    def form(self) -> Mapping[str, Json]:
        """Everything that shapes a prompt, except the knowledge."""
        ...

    @property
    def fingerprint(self) -> str:
        """Identifies the form."""
        ...

    @property
    def snapshot(self) -> str:
        """Identifies the knowledge."""
        ...


@runtime_checkable
class Exporter(Protocol):
    """**Protocol:** writes training rows to files.

    - Every row is written, and equal rows give equal bytes.
    - The data set lists each file with its size and sha256, and ``furytune.load_dataset`` reads its manifest.
    - A row that cannot be written raises an error with its id, and is not altered.
    - A failed export leaves the earlier files unchanged.
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
    """**Protocol:** an exporter that can say in advance which files it will write.

    A pipeline refuses two exporters that would write the same file. Without this ability, it cannot notice.

    - Every data file that it writes is among the targets.
    """

    @property
    def targets(self) -> Sequence[Path]:
        """The data files that an export may write or remove."""
        ...


@runtime_checkable
class Staging(Protocol):
    """**Protocol:** an exporter whose files appear together with those of the run's other exporters.

    Without this ability, an exporter commits its own files in `Exporter.export`.

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
        """Writes the files under temporary names beside their final places.

        Args:
            rows: Read once, in order.
            contract: What rendered the prompts; its identities go into the manifest.
            tally: Counts of drops, complete once ``rows`` is exhausted; goes into the manifest.
            group: Opens the files, data before manifests. They appear when the run commits the group.

        Raises:
            ExportError: No file will appear.
        """
        ...


@runtime_checkable
class Tuner(Protocol):
    """**Protocol:** trains a model on a data set.

    - One key, one job: submitting again with the same key starts no second job, not even after a restart.
    - After a restart, `find` returns the job for its key, and None for another key.
    - `poll` keeps the key and name of the job.
    """

    @property
    def dialect(self) -> str:
        """Name of the wire form that it trains on, a key of `furytune.dialects.DIALECTS`; "" for any."""
        ...

    def estimate(self, dataset: Dataset) -> Estimate:
        """Returns cost and problems. It makes no request that costs money."""
        ...

    def submit(self, dataset: Dataset, *, key: str) -> TuningJob:
        """Starts a job under an idempotency key, or returns the one that the key already has."""
        ...

    def find(self, key: str) -> TuningJob | None:
        """Returns the job that an earlier run submitted under this key; None if it finds nothing."""
        ...

    def poll(self, job: TuningJob) -> TuningJob:
        """Asks once for the job's state, without waiting."""
        ...


@runtime_checkable
class Model(Protocol):
    """**Protocol:** a model that answers a prompt.

    - A model's spec is a mapping of JSON values and has a "name".
    - An answer is a text that is not blank.
    """

    @property
    def spec(self) -> Mapping[str, Json]:
        """Its "name" and each setting that can change an answer."""
        ...

    def generate(self, prompt: Prompt | str) -> str:
        """Returns the answer to a prompt that is already rendered. Many threads may call it at once.

        Args:
            prompt: A prompt, or a plain text without a system instruction.

        Raises:
            NoTextError: The model gave no text.
            ServiceError: The service refused or did not answer.
        """
        ...


@runtime_checkable
class StreamingModel(Model, Protocol):
    """**Protocol:** a model that gives its answer in pieces, says why it ended, and can be stopped.

    - The pieces make a text that is not blank.
    - The last piece says why the answer ended, and no other does.
    - An answer that is stopped raises `StoppedError` and has no further piece.
    """

    def pieces(self, prompt: Prompt | str, *, stop: Stop | None = None) -> Iterator[Piece]:
        """Yields the answer to a prompt that is already rendered, as it arrives. Many threads may call it at once.

        Args:
            prompt: A prompt, or a plain text without a system instruction.
            stop: Ends the answer when another thread sets it: at once if the model's service allows it, otherwise before
                the next piece.

        Raises:
            NoTextError: The model gave no text.
            ServiceError: The service refused or did not answer, perhaps after some pieces.
            StoppedError: ``stop`` was set.
        """
        ...


@runtime_checkable
class Erasable(Protocol):
    """**Protocol:** a place that stores people's words and can remove them.

    ``furytune.forget`` checks every place before it changes the first one.

    - Checking changes nothing.
    - After `erase`, the place contains none of the messages, and it says how many items it removed.
    - Erasing again removes nothing more.
    """

    def check(self) -> None:
        """Raises if the place cannot be read or changed. Changes nothing."""
        ...

    def erase(self, messages: Collection[str], people: Collection[str]) -> Erased:
        """Removes every item that contains one of the messages or names one of the people, and all that is left of it.

        After an error or a crash, a second call finishes the work.

        Args:
            messages: Ids of chat messages.
            people: Ids of people.
        """
        ...
