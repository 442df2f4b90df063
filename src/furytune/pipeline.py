"""Connects collector, curators, contract, exporters and tuner. It knows none of them by name."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from hashlib import blake2b
from inspect import getattr_static, isroutine
from itertools import islice
from typing import Any, Self, TypeAlias, TypedDict, Unpack

import attrs
from attrs import field, frozen

from furytune._storage.durable import staged
from furytune._storage.spool import Spool
from furytune._values.canonical import Json, canonical_json, digest, plain
from furytune._values.checks import of_type
from furytune._values.shown import Shown
from furytune.budget import TokenBudget
from furytune.contract import BEFORE_ALL_DATES, Deviation, PromptContract
from furytune.contract.identity import IdentityAugmenter
from furytune.errors import (
    ConfigError,
    CurationError,
    ExportError,
    FurytuneError,
    QuestionTooLongError,
    SourceError,
    TextError,
    TuningError,
)
from furytune.explanation import Explanation
from furytune.normalize import Normalizer
from furytune.pair_explanation import PairExplanation, Watch
from furytune.protocols import (
    Augmenter,
    BulkCurator,
    Collector,
    ContextEdit,
    ContextEditing,
    Curator,
    Exporter,
    Incomplete,
    Named,
    Provenance,
    Retrieving,
    Reviewing,
    SetCurator,
    Splitter,
    Staging,
    StatefulCurator,
    Tuner,
    WritesFiles,
)
from furytune.records import Dataset, Dropped, Prompt, QAPair, TrainingRow, TuningJob
from furytune.report import Report, Tally
from furytune.report.overview import Watcher
from furytune.report.progress import progress
from furytune.splitting import GroupSplitter
from furytune.template import PromptTemplate

__all__ = ["Pipeline", "Run"]

_BATCH = 512  # questions for one bulk search; the pairs of one batch are in memory
_AHEAD = 64  # pairs for one call of a curation step that takes many
_WITHOUT_CONTEXT = PromptTemplate("{question}")
_WITH_CONTEXT = PromptTemplate(
    "Answer the question. Use the context where it helps.\n\nContext:\n{context}\n\nQuestion:\n{question}"
)


@frozen(kw_only=True, repr=False)
class Run(Shown):
    """The result of a run.

    Attributes:
        report: Counts every message and pair; print it.
        contract: What the bot needs; save it.
        datasets: One data set for each exporter.
        job: The tuning job; None without a tuner.
    """

    report: Report
    contract: PromptContract
    datasets: tuple[Dataset, ...] = ()
    job: TuningJob | None = None

    def __str__(self) -> str:
        return str(self.report)

    def _facts(self) -> Iterator[tuple[str, str]]:
        yield "report", repr(self.report)
        yield "contract", repr(self.contract.fingerprint[:12])
        yield "files", str(sum(len(d.files) for d in self.datasets))
        if self.job is not None:
            yield "job", repr(self.job)


_Step: TypeAlias = Curator | StatefulCurator | SetCurator

# Each argument has its own converter, because type checkers read the argument's type from the converter's parameter.


def _collectors(value: Collector | Sequence[Collector]) -> tuple[Collector, ...]:
    return _several(value)


def _curators(value: _Step | Sequence[_Step] | None) -> tuple[_Step, ...]:
    return _several(value)


def _exporters(value: Exporter | Sequence[Exporter] | None) -> tuple[Exporter, ...]:
    return _several(value)


def _several(value: Any) -> tuple[Any, ...]:
    """Returns one part or several as a tuple."""
    if value is None:
        return ()
    return tuple(value) if isinstance(value, list | tuple) else (value,)


class _Parts(TypedDict, total=False):
    """The arguments of `Pipeline`, for `Pipeline.evolve`."""

    collector: Collector | Sequence[Collector]
    curators: _Step | Sequence[_Step] | None
    augmenter: Augmenter
    template: PromptTemplate | None
    exporter: Exporter | Sequence[Exporter] | None
    tuner: Tuner | None
    normalizer: Normalizer
    budget: TokenBudget | None
    splitter: Splitter


_KINDS: dict[str, tuple[type, ...]] = {
    "template": (PromptTemplate, type(None)),
    "normalizer": (Normalizer,),
    "budget": (TokenBudget, type(None)),
}


@frozen(kw_only=True, slots=False)
class Pipeline:
    """From sources to a data set, a prompt contract and, if wanted, a tuned model.

    Args:
        collector: Yields the pairs; one or a list.
        curators: Steps that keep a pair, edit its answer or drop it, in order.
        augmenter: Finds the knowledge for prompts; none by default.
        template: The fixed text around question and passages. If the augmenter does not retrieve, the lines that
            introduce ``{context}`` are left out (see `PromptTemplate.without_context`), so you can use one template
            for both variants. None means a plain built-in template.
        exporter: Writes the rows to files; one, a list, or None.
        tuner: Trains on the first data set in its dialect. None stops after the data sets.
        normalizer: Cleans questions and answers.
        budget: Limits the tokens of a prompt; None means no limit.
        splitter: Returns "train" or "validation" for a conversation.

    Raises:
        ConfigError: The parts do not fit together.
    """

    collector: tuple[Collector, ...] = field(converter=_collectors)
    curators: tuple[_Step, ...] = field(default=(), converter=_curators)
    augmenter: Augmenter = field(factory=IdentityAugmenter)
    template: PromptTemplate | None = None
    exporter: tuple[Exporter, ...] = field(default=(), converter=_exporters)
    tuner: Tuner | None = None
    normalizer: Normalizer = Normalizer()
    budget: TokenBudget | None = None
    splitter: Splitter = GroupSplitter()

    def __attrs_post_init__(self) -> None:
        # Checked here and not by attrs validators, so that `evolve` and the converters' types stay simple.
        for name, kinds in _KINDS.items():
            of_type(*kinds)(self, attrs.fields_dict(type(self))[name], getattr(self, name))
        for parts, kind, role in (
            (self.collector, Collector, "a collector"),
            (self.exporter, Exporter, "an exporter"),
            ((self.tuner,) if self.tuner is not None else (), Tuner, "a tuner"),
        ):
            for part in parts:
                if isinstance(part, type) or not isinstance(part, kind):
                    raise ConfigError(
                        f"{type(part).__name__} is not {role}; see furytune.protocols.{kind.__name__}"
                    )
        if isinstance(self.augmenter, type) or not _is_augmenter(self.augmenter):
            raise ConfigError(
                f"{type(self.augmenter).__name__} is not an augmenter; see furytune.protocols.Augmenter"
            )
        for step in self.curators:
            if isinstance(step, type) or not (
                callable(step) or isinstance(step, StatefulCurator | SetCurator)
            ):
                raise ConfigError(
                    f"{type(step).__name__} is not a curation step: it must be callable with a pair"
                )
        if isinstance(self.splitter, type) or not callable(self.splitter):
            raise ConfigError(
                "splitter must be a function that returns the side of a group, such as GroupSplitter(0.1)"
            )
        if not self.collector:
            raise ConfigError("a pipeline needs a collector, such as DiscordExportCollector('exports/')")
        if self._retrieves and self.template is not None and not self.template.takes_context:
            raise ConfigError(
                "the augmenter finds passages, but the template has no {context}; add it, or use IdentityAugmenter()"
            )
        writing = [e for e in self.exporter if isinstance(e, WritesFiles)]
        # Two names of one file count as the same target.
        targets = [os.path.realpath(t) for e in writing for t in e.targets]
        twice = sorted({t for t in targets if targets.count(t) > 1})
        if twice:
            raise ConfigError(f"two exporters would write {', '.join(twice)}; give each its own path")
        if self.tuner is not None and not self.exporter:
            raise ConfigError(
                "a tuner needs an exporter, because it trains on files; add one, such as JsonlExporter('train.jsonl')"
            )

    @property
    def _retrieves(self) -> bool:
        return not isinstance(self.augmenter, Retrieving) or self.augmenter.retrieves

    @cached_property
    def contract(self) -> PromptContract:
        """The contract that renders every prompt of this pipeline."""
        template = self.template or (_WITH_CONTEXT if self._retrieves else _WITHOUT_CONTEXT)
        return PromptContract(
            template=template if self._retrieves else template.without_context(),
            augmenter=self.augmenter,
            normalizer=self.normalizer,
            budget=self.budget,
            dialects=[e.dialect for e in self.exporter],
            deviations=(Deviation("augmenter", self._edit.deviation),) if self._edit else (),
        )

    @property
    def _edit(self) -> ContextEdit | None:
        return self.augmenter.edit if isinstance(self.augmenter, ContextEditing) else None

    def explain(self, question: str, *, at: datetime | None = None) -> Explanation:
        """Shows how the prompt for a question is made. Same as ``contract.explain``."""
        return self.contract.explain(question, at=at)

    def explain_pair(self, pair: QAPair | str) -> PairExplanation:
        """Shows what each curation step did to a pair, and why one dropped it. Print the result.

        It collects until it knows, and all steps see the pairs before it: a step that remembers pairs decides as in `run`.

        Args:
            pair: The pair or its id, such as one from ``report.counts.dropped[0].examples``.

        Raises:
            ConfigError: The collectors yield no such pair.
        """
        watch = Watch(uid=pair if isinstance(pair, str) else pair.id)
        # Steps that only look are between the steps, so nothing here needs to know how a step is run.
        between = [watch.at(place) for place in range(len(self.curators) + 1)]
        steps = [step for pair in zip(between, self.curators, strict=False) for step in pair]
        watched = self.evolve(curators=[*steps, between[-1]])
        for _ in watched._pairs(watch, len(watched.curators)):  # noqa: SLF001  # of the same class
            if len(self.curators) in watch.entered or watch.reason is not None:
                break
        if not watch.entered and watch.reason is None:
            raise ConfigError(
                "the collectors yield no pair with this id; take one from pipeline.pairs() or from the report's examples"
            )
        told = [
            (_name(step), isinstance(step, StatefulCurator), isinstance(step, SetCurator))
            for step in self.curators
        ]
        return PairExplanation(id=watch.uid, steps=tuple(watch.outcomes(told)))

    def prompt(self, question: str, *, at: datetime | None = None) -> Prompt:
        """Renders the prompt for a question. Same as ``contract.prompt``."""
        return self.contract.prompt(question, at=at)

    def pairs(self) -> Iterator[QAPair]:
        """Yields the pairs that passed all curators. Lazy; each call collects again."""
        return self._pairs(Tally(), len(self.curators))

    def rows(self) -> Iterator[TrainingRow]:
        """Yields the training rows. Lazy; each call collects again."""
        return self._rows(Tally())

    def evolve(self, **changes: Unpack[_Parts]) -> Self:
        """Returns a copy of the pipeline with other parts.

        Args:
            **changes: Any arguments of the class, such as ``augmenter=IdentityAugmenter()``.
        """
        return attrs.evolve(self, **changes)

    def run(self, *, examples: int = 0) -> Run:
        """Runs all stages.

        Args:
            examples: How many dropped pairs the report shows for each reason, shortened and without secrets and personal
                data, as far as furytune recognises them. Only pairs of people who take part are collected, so no one
                else's words are shown.

        Returns:
            Report, contract and data sets. Running again over the same input writes the same bytes.

        Raises:
            FurytuneError: A stage failed; the class of the error says which. No half-written data set is left.
        """
        tally = Tally(watcher=Watcher(examples=examples))
        rows = progress(self._rows(tally), "rows", "row")
        # Without an exporter, a run that only counts may find nothing.
        if self.exporter:
            rows = _not_empty(rows, tally)
        datasets = self._export(rows, tally)
        job = self.tune(datasets) if self.tuner is not None else None
        report = Report(
            counts=tally.counts, datasets=tuple(datasets), job=job, overview=tally.watcher.overview
        )
        return Run(report=report, contract=self.contract, datasets=tuple(datasets), job=job)

    def _export(self, rows: Iterator[TrainingRow], tally: Tally) -> list[Dataset]:
        """Gives the rows to all exporters. The files of those that can stage appear together at the end.

        Raises:
            ExportError: The files cannot be moved into place.
        """
        if not self.exporter:
            # The rows are still made, because the report counts them.
            for _ in rows:
                pass
            return []
        # One exporter reads the stream. Several read it several times, so the rows go to disk first.
        if len(self.exporter) == 1:
            return [self.exporter[0].export(rows, contract=self.contract, tally=tally)]
        with Spool(TrainingRow) as spool, staged() as group:
            spool.fill(rows)
            datasets = [
                e.stage(spool, contract=self.contract, tally=tally, group=group)
                if isinstance(e, Staging)
                else e.export(spool, contract=self.contract, tally=tally)
                for e in self.exporter
            ]
            try:
                group.commit()
            except OSError as error:
                raise ExportError(
                    f"{error.filename or 'the data sets'}: cannot be moved into place: {error.strerror or type(error).__name__}; "
                    "fix the cause and run again; until then `load_dataset` refuses a data set whose manifest does not match its files"
                ) from error
            return datasets

    def _collected(self, tally: Tally) -> Iterator[QAPair]:
        """Yields the pairs of all collectors, each id once, and counts everything.

        Raises:
            SourceError: A collector yielded something else.
        """
        seen: set[bytes] = set()
        for collector in self.collector:
            for item in progress(collector.collect(), "collecting", "item"):
                if not isinstance(item, QAPair | Dropped):
                    raise SourceError(
                        f"{type(collector).__name__}.collect() yielded a {type(item).__name__}; it must yield QAPair or Dropped"
                    )
                if isinstance(item, Dropped):
                    # A dropped pair also came in; without counting it here, the sum would not add up.
                    tally.pairs += item.count if item.unit == "pair" else 0
                    tally.drop(item)
                    continue
                tally.collected(item)
                # A short digest for each id keeps memory small, however long the ids are.
                key = blake2b(item.id.encode("utf-8", "surrogatepass"), digest_size=16).digest()
                if key in seen:
                    tally.drop(Dropped(reason="duplicate_id", ids=(item.id,)), item)
                    continue
                seen.add(key)
                yield item
            if isinstance(collector, Provenance):
                tally.provenance.append(_told(collector))

    def _pairs(self, tally: Tally, steps: int) -> Iterator[QAPair]:
        """Yields the pairs after this many curators."""
        if steps == 0:
            return self._collected(tally)
        step: Any = self.curators[steps - 1]
        name = _name(step)
        before = self._pairs(tally, steps - 1)
        if isinstance(step, SetCurator):
            return _apply_to_all(step, name, before, tally)
        act = step.start() if isinstance(step, StatefulCurator) else step
        return _apply(act, name, before, tally)

    def _rows(self, tally: Tally) -> Iterator[TrainingRow]:
        """Yields the training rows, rendered in batches."""
        pairs = self._pairs(tally, len(self.curators))
        while batch := list(islice(pairs, _BATCH)):
            prompts = self.contract.prompts(
                [p.question for p in batch],
                at=[p.asked_at or BEFORE_ALL_DATES for p in batch],
                edit=self._edit,
            )
            for pair, prompt in zip(batch, prompts, strict=True):
                row = self._row(pair, prompt)
                if isinstance(row, Dropped):
                    tally.drop(row, pair)
                else:
                    tally.row(pair, row)
                    yield row
        tally.check()  # raises before an exporter gets the end of the rows, so nothing is committed yet

    def _row(self, pair: QAPair, prompt: Prompt | FurytuneError) -> TrainingRow | Dropped:
        """Returns the row of a pair, or the drop if question or answer cannot be used."""
        if isinstance(prompt, FurytuneError):
            # Only an error in the question drops its pair. If the index fails, every row would be wrong.
            if not isinstance(prompt, TextError | QuestionTooLongError):
                raise prompt
            reason = "unusable_question" if isinstance(prompt, TextError) else "question_too_long"
            return Dropped(reason=reason, ids=(pair.id,), detail=str(prompt))
        try:
            answer = self.normalizer(pair.answer, after=pair.question)
        except TextError as error:
            return Dropped(reason="unusable_answer", ids=(pair.id,), detail=str(error))
        return TrainingRow(
            id=pair.id,
            group=pair.group,
            split=self.splitter(pair.group),
            prompt=prompt,
            answer=answer,
            at=pair.asked_at or BEFORE_ALL_DATES,
            source=pair.source,
            messages=pair.question_messages + pair.answer_messages,
        )

    def tune(self, datasets: Sequence[Dataset]) -> TuningJob:
        """Starts the job of these data sets, or finds the one that an earlier run started. `run` does the same.

        Args:
            datasets: What a run wrote, such as from `furytune.exporters.load_dataset`. The first one in the tuner's dialect counts, or
                the first of all.

        Raises:
            ConfigError: The pipeline has no tuner, or there is no data set.
            TuningError: The estimate lists a problem.
            ServiceError: The service refused or did not answer.
        """
        if self.tuner is None or not datasets:
            raise ConfigError(
                "tuning needs a tuner and a data set; give the pipeline a tuner and an exporter"
            )
        dataset = self.training_set(datasets)
        problems = self.tuner.estimate(dataset).problems
        if problems:
            raise TuningError(f"the data set was not submitted: {'; '.join(problems)}")
        # The key depends only on the data and the contract, so a second run finds the job instead of paying again.
        key = digest([dataset.fingerprint, dataset.snapshot, *(f.sha256 for f in dataset.files)])[:32]
        return self.tuner.find(key) or self.tuner.submit(dataset, key=key)

    def training_set(self, datasets: Sequence[Dataset]) -> Dataset:
        """Returns the data set that `tune` trains on.

        Args:
            datasets: One or more data sets.
        """
        wanted = self.tuner.dialect if self.tuner is not None else ""
        return next((d for d in datasets if d.dialect == wanted), datasets[0])


def _is_augmenter(part: object) -> bool:
    """Returns True if a part fits the protocol, if possible without opening its index, which may not be built yet.

    Before Python 3.12, `isinstance` evaluates the properties of a protocol, and ``snapshot`` opens the index.
    """
    named = all(getattr_static(part, name, None) is not None for name in ("spec", "snapshot", "context"))
    return named or isinstance(part, Augmenter)


def _name(step: object) -> str:
    """Returns the name of a curation step in reports."""
    if isinstance(step, Named) and step.name:
        return str(step.name)
    return step.__name__ if isroutine(step) else type(step).__name__


def _told(collector: Provenance) -> Mapping[str, Json]:
    """Returns what a collector says about its data. Raises if it is not JSON."""
    told: object = collector.provenance
    try:
        if isinstance(told, Mapping):
            kept = {str(key): plain(value) for key, value in told.items()}
            canonical_json(kept)
            return kept
    except (TypeError, ValueError, RecursionError):
        pass
    raise SourceError(
        f"{type(collector).__name__}.provenance returned a {type(told).__name__} that cannot be written as JSON; "
        "it must return a mapping of JSON values"
    )


def _not_empty(rows: Iterator[TrainingRow], tally: Tally) -> Iterator[TrainingRow]:
    """Passes rows on. Raises if there is not a single one, so that an empty file never replaces a good one."""
    first = next(rows, None)
    if first is None:
        lost = ", ".join(f"{n} {unit} {reason}" for (unit, reason), n in sorted(tally.drops.items()))
        raise ExportError(
            f"there is no row to export, so nothing was written: {tally.pairs} pairs came in; dropped: "
            f"{lost or 'nothing'}; check the input and the curation steps"
        )
    yield first
    yield from rows


def _results(
    act: Callable[[QAPair], QAPair | Dropped], name: str, pairs: Iterator[QAPair]
) -> Iterator[tuple[QAPair, QAPair | Dropped]]:
    """Yields each pair with what a step makes of it."""
    if not isinstance(act, BulkCurator):
        yield from ((pair, act(pair)) for pair in pairs)
        return
    while batch := list(islice(pairs, _AHEAD)):
        results = act.curate(batch)
        if len(results) != len(batch):
            raise CurationError(f"the step {name} returned {len(results)} results for {len(batch)} pairs")
        yield from zip(batch, results, strict=True)


def _unchanged(result: QAPair, pair: QAPair, *, reviewing: bool, group: str) -> QAPair:
    """Returns a step's result with everything taken back that the step may change."""
    result = attrs.evolve(result, answer=pair.answer, edits=pair.edits)
    if result.group == group:
        result = attrs.evolve(result, group=pair.group)
    if not reviewing:
        return result
    return attrs.evolve(result, question=pair.question, confidence=pair.confidence, evidence=pair.evidence)


def _apply_to_all(step: SetCurator, name: str, pairs: Iterator[QAPair], tally: Tally) -> Iterator[QAPair]:
    """Applies a step that reads all pairs first. They wait on disk.

    Raises:
        CurationError: The step did not read all of them.
    """
    with Spool(QAPair) as spool:
        reading = spool.passing(pairs)
        act = step.fit(reading)
        if next(reading, None) is not None:
            raise CurationError(f"{name}.fit() stopped before the last pair; read all of them")
        yield from _apply(act, name, iter(spool), tally, may_group=True)


def _apply(
    act: Callable[[QAPair], QAPair | Dropped],
    name: str,
    pairs: Iterator[QAPair],
    tally: Tally,
    *,
    may_group: bool = False,
) -> Iterator[QAPair]:
    """Applies a step to each pair, counts what it does, and checks that it does nothing else.

    Args:
        act: The step.
        name: Its name in reports.
        pairs: What it gets.
        tally: Counts drops and edits.
        may_group: Whether the step may change the group of a pair.

    Raises:
        CurationError: The step did something else.
    """
    for pair, result in _results(act, name, pairs):
        if isinstance(result, Dropped):
            if (result.unit, result.count) != ("pair", 1):
                raise CurationError(
                    f"the step {name} dropped {result.count} of unit {result.unit!r} for pair {pair.id}; "
                    "a curation step drops one pair at a time: leave out unit and count"
                )
            tally.drop(result, pair)
            continue
        if not isinstance(result, QAPair):
            raise CurationError(
                f"the step {name} returned a {type(result).__name__} for pair {pair.id}; return the pair to keep it, "
                "or Dropped(reason=..., ids=(pair.id,)) to drop it"
            )
        if result is pair:  # most pairs; spares the comparison of all fields below
            yield pair
            continue
        reviewing = isinstance(act, Reviewing)
        group = result.group if may_group and isinstance(result.group, str) and result.group else pair.group
        if _unchanged(result, pair, reviewing=reviewing, group=group) != pair:
            raise CurationError(
                f"the step {name} changed more than the answer of pair {pair.id}: a question edited here "
                "would differ from the question that the bot gets; change the Normalizer instead, or correct "
                "single questions with Decisions"
            )
        edits: list[str] = []
        if result.question != pair.question:
            tally.questions[name] = tally.questions.get(name, 0) + 1
            edits.append(f"question:{name}")
        if result.answer != pair.answer:
            tally.edits[name] = tally.edits.get(name, 0) + 1
            edits.append(name)
        if edits:
            yield attrs.evolve(result, edits=(*pair.edits, *edits), unedited=pair.digest)
        else:
            yield attrs.evolve(result, edits=pair.edits) if reviewing or group != pair.group else pair
    missing: Sequence[Dropped] = act.unread if isinstance(act, Incomplete) else ()
    for unread in missing:
        tally.drop(unread)
