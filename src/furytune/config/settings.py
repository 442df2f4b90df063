"""A settings file as a pipeline, its knowledge and its contract."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import tomli_w
from attrs import field, frozen

from furytune._chat_files.collecting import ChatExportCollector
from furytune._privacy.printable import printable
from furytune._storage.manifests import manifest_path
from furytune.augmenters.identity import IdentityAugmenter
from furytune.augmenters.rag import IndexReport, build_index
from furytune.collectors.discord import DiscordCollector, Update
from furytune.collectors.discord_export import DiscordExportCollector
from furytune.collectors.forum import ForumCollector
from furytune.collectors.journal import JournalCollector
from furytune.collectors.live_forum import ForumUpdate, LiveForum
from furytune.config.arguments import arguments
from furytune.config.deployments import check_deployments
from furytune.config.document import Document
from furytune.config.kinds import Part, kinds, make, nearest, read
from furytune.config.tables import NAME, check_names, contract_path
from furytune.config.writing import written
from furytune.curation.confidence import MinConfidence
from furytune.curation.judge import JudgePairs
from furytune.errors import ConfigError, ExportError
from furytune.exporters import load_dataset
from furytune.feedback import FeedbackCollector, FeedbackLog
from furytune.forgetting import Forgotten, forget
from furytune.pipeline import Pipeline, Run
from furytune.protocols import Exporter, WritesFiles
from furytune.records import Dataset, Estimate, TuningJob
from furytune.report import Report
from furytune.report.diffing import DatasetDiff, DatasetOutline, diff_datasets, outline
from furytune.report.html import write_report
from furytune.review.decisions import Decisions
from furytune.review_page import ReviewPage
from furytune.tuners.gemini.tuner import GeminiTuner

__all__ = ["NAME", "Results", "Settings", "load_pipeline", "load_settings", "pipeline_to_toml"]

_LIVE = (DiscordCollector, LiveForum)
_NO_TUNER = '{}: there is no tuner for this; add a [tuner] table, such as type = "gemini" with a model'


@frozen(kw_only=True)
class Settings:
    """What a settings file says.

    Attributes:
        path: The file.
        pipeline: The pipeline.
        contract: Where the contract is written.
        plain: The pipeline of the same pairs without retrieval; None if the file has no ``without_retrieval``.
        report: Where the HTML report is written; None if the file has no ``report``.
        title: The heading of the HTML report.
        sources: The tables of the file that say what the index is made from.
    """

    path: Path
    pipeline: Pipeline
    contract: Path
    plain: Pipeline | None = None
    report: Path | None = None
    title: str = ""
    sources: tuple[Mapping[str, Any], ...] = ()
    _knowledge: Callable[[], tuple[Iterable[Any], ...]] = field(repr=False, eq=False)

    @property
    def has_knowledge(self) -> bool:
        """True if the file says what the index is made from."""
        return bool(self.sources)

    def knowledge(self) -> tuple[Iterable[Any], ...]:
        """Returns fresh streams of passages, for ``furytune.build_index``.

        Raises:
            ConfigError: A source has wrong settings.
            KnowledgeError: A source does not exist.
        """
        return self._knowledge()

    def build_index(self) -> IndexReport:
        """Makes the index of the augmenter from the knowledge of the file.

        Raises:
            ConfigError: The file has no knowledge.
            KnowledgeError: A source does not exist, or the index cannot be written.
            MissingExtraError: A package is not installed.
        """
        if not self.has_knowledge:
            raise ConfigError(
                f"{printable(self.path)}: there is nothing to make an index from; add [[knowledge]] tables, such as "
                'type = "markup" with source = "docs"'
            )
        augmenter: Any = self.pipeline.augmenter
        return build_index(augmenter.path, *self.knowledge(), embedder=getattr(augmenter, "embedder", None))

    def run(self, *, began: Callable[[str], object] = lambda _: None) -> Results:
        """Does the whole way without tuning: index, data set, contract, and the data set without retrieval.

        Args:
            began: Called with the name of each step when it begins.

        Raises:
            FurytuneError: A stage failed; the class of the error says which. No half-written file is left.
        """
        before = self._outline()
        if self.has_knowledge:
            began("index of the documentation")
        index = self.build_index() if self.has_knowledge else None
        began("data set")
        run = self.pipeline.evolve(tuner=None).run()
        run.contract.save(self.contract)
        if self.plain is not None:
            began("data set without retrieval")
        plain = self.plain.run() if self.plain else None
        return Results(index=index, run=run, plain=plain, before=before)

    def write_report(self, results: Results) -> Path | None:
        """Writes the HTML report of a run, and returns its path; None if the file has no ``report``.

        With a tuner, the report says what tuning would cost.

        Args:
            results: What `run` returned.

        Raises:
            ExportError: There is no data set, or the report cannot be written.
            MissingExtraError: Jinja2 is not installed.
        """
        if self.report is None:
            return None
        plain = results.plain.datasets if results.plain is not None else ()
        return write_report(
            self.report,
            results.run,
            title=self.title,
            without_retrieval=plain[0] if plain else None,
            since=results.before,
            estimate=self.estimate() if self.pipeline.tuner is not None else None,
            reviewed=[pair for step in self._decisions for pair in _reviewed(step)],
        )

    def review(self, *, by: str = "", port: int = 0) -> ReviewPage:
        """Opens the review page for the pairs of the file. Of a live server, it shows what is in the journal already.

        Args:
            by: Name of the reviewer: a pseudonym, or any name.
            port: The port; 0 chooses a free one.

        Raises:
            ConfigError: The file does not say where decisions are kept, or the port cannot be used.
            SourceError: The pairs cannot be collected, or the decisions cannot be read.
        """
        if not self._decisions:
            raise ConfigError(
                f"{printable(self.path)}: this does not say where decisions are kept; add a table [[curators]] with "
                'type = "decisions" and path = "review.jsonl" before the other [[curators]]'
            )
        least = [step.least for step in self.pipeline.curators if isinstance(step, MinConfidence)]
        return ReviewPage(_for_review(self.pipeline), by=by, near=least[0] if least else 0.5, port=port)

    @property
    def _decisions(self) -> list[Decisions]:
        return [step for step in self.pipeline.curators if isinstance(step, Decisions)]

    def _outline(self) -> DatasetOutline | None:
        """Returns the outline of the data set that the next run replaces; None if there is none that can be read."""
        try:
            return outline(self.datasets()[0])
        except (ExportError, IndexError):
            return None

    def rehearse(self) -> Report:
        """Counts what `run` would read, keep and drop, and writes nothing.

        Of a live server, only what is in the journal already is counted. Prompts are made without passages, because the index is not built, so a token budget may drop fewer questions.

        Raises:
            FurytuneError: A stage failed.
        """
        offline = _offline(self.pipeline).evolve(augmenter=IdentityAugmenter(), exporter=None, tuner=None)
        return offline.run().report

    def collect(self, *, everything: bool = False) -> list[Update | ForumUpdate]:
        """Reads what is new on Discord, GitHub and Discourse into the journals.

        Args:
            everything: Whether to compare messages of any age, as `DiscordCollector.refresh` does.

        Raises:
            ConfigError: No collector reads a server live.
            DiscordError: Discord refused or did not answer. What was read is saved.
            ForumError: GitHub or a forum refused or did not answer. What was read is saved.
        """
        live = [c for c in self.pipeline.collector if isinstance(c, _LIVE)]
        if not live:
            raise ConfigError(
                f'{printable(self.path)}: no collector reads a server live; give [collector] the type "discord", "discourse" or "github-discussions"'
            )
        return [collector.refresh() if everything else collector.update() for collector in live]

    def estimate(self) -> Estimate:
        """Estimates what tuning on the data set of the last run costs. Sends nothing.

        Raises:
            ConfigError: The file has no tuner.
            ExportError: There is no data set.
        """
        if self.pipeline.tuner is None:
            raise ConfigError(_NO_TUNER.format(printable(self.path)))
        return self.pipeline.tuner.estimate(self.pipeline.training_set(self.datasets()))

    def tune(self) -> TuningJob:
        """Starts the job of the data set of the last run, or finds it.

        Raises:
            ConfigError: The file has no tuner.
            ExportError: There is no data set.
            TuningError: The estimate lists a problem, or the service refused.
        """
        if self.pipeline.tuner is None:
            raise ConfigError(_NO_TUNER.format(printable(self.path)))
        return self.pipeline.tune(self.datasets())

    def jobs(self) -> list[TuningJob]:
        """Returns the jobs in the tuner's ledger, as they were last known.

        Raises:
            ConfigError: The file has no tuner.
            TuningError: A record is damaged.
        """
        return self._tuner.jobs()

    def follow(self, name: str = "") -> TuningJob:
        """Waits until a job has ended.

        Args:
            name: The service's name of the job; "" means the newest one.

        Raises:
            ConfigError: The file has no tuner, or there is no job.
            ServiceError: The service refused or did not answer.
        """
        tuner = self._tuner
        known = [job.name for job in tuner.jobs() if job.name]
        if not name and not known:
            raise ConfigError("no job was started from here; `furytune tune` starts one")
        return tuner.wait(tuner.job(name or known[-1]))

    @property
    def _tuner(self) -> GeminiTuner:
        if not isinstance(self.pipeline.tuner, GeminiTuner):
            raise ConfigError(_NO_TUNER.format(printable(self.path)))
        return self.pipeline.tuner

    def datasets(self) -> list[Dataset]:
        """Returns the data sets that the last run wrote, those with retrieval.

        Raises:
            ExportError: One is missing, or does not fit its manifest.
        """
        return [
            load_dataset(manifest_path(e.targets[0]))
            for e in self.pipeline.exporter
            if isinstance(e, WritesFiles)
        ]

    def forget(self, *, author: str | None = None, message: str | None = None) -> Forgotten:
        """Removes a person's words, or one message, from all places that the file names; see `furytune.forgetting.forget`.

        The HTML report is deleted, because it repeats the data set. The next run writes it again.

        Args:
            author: Discord user id, or the name of an account if the journal is a forum's.
            message: Id of a message or post.

        Raises:
            FurytuneError: As `furytune.forgetting.forget` says.
        """
        heard = [c for c in self.pipeline.collector if isinstance(c, FeedbackCollector)]
        collectors = [*self.pipeline.collector, *(c.chat for c in heard)]
        readers = [c.journal if isinstance(c, _LIVE) else c for c in collectors]
        journals = [
            *dict.fromkeys(
                reader.journal.path
                for reader in readers
                if isinstance(reader, JournalCollector)
                or (isinstance(reader, ForumCollector) and reader.is_journal)
            )
        ]
        if len(journals) > 1:
            raise ConfigError(
                f"{printable(self.path)}: this names several journals; call furytune.forget for each of them"
            )
        index = getattr(self.pipeline.augmenter, "path", None)
        ledger = self.pipeline.tuner.ledger if isinstance(self.pipeline.tuner, GeminiTuner) else None
        done = forget(
            author=author,
            message=message,
            journal=journals[0] if journals else None,
            exports=[
                *dict.fromkeys(
                    c.path for c in collectors if isinstance(c, DiscordExportCollector | ChatExportCollector)
                )
            ],
            datasets=[manifest for manifest in self.manifests if manifest.exists()],
            indexes=[index] if isinstance(index, str) and Path(index).exists() else [],
            jobs=ledger if ledger is not None and ledger.exists() else None,
            places=[
                # A file is created with the first decision.
                *(Decisions(path) for step in self._decisions for path in step.path if path.exists()),
                *(FeedbackLog(c.log.path) for c in heard if c.log.path.exists()),
                *(step.cache for step in self.pipeline.curators if isinstance(step, JudgePairs)),
            ],
        )
        if self.report is not None:
            self.report.unlink(missing_ok=True)
        return done

    @property
    def manifests(self) -> tuple[Path, ...]:
        """The manifests of all data sets that a run writes."""
        exporters = [*self.pipeline.exporter, *(self.plain.exporter if self.plain else ())]
        return tuple(manifest_path(e.targets[0]) for e in exporters if isinstance(e, WritesFiles))


@frozen(kw_only=True)
class Results:
    """What `Settings.run` did.

    Attributes:
        index: How the index was built; None without knowledge in the file.
        run: The run.
        plain: The run without retrieval; None if the file has no ``without_retrieval``.
        before: Outline of the data set that the run replaced; None if there was none.
    """

    index: IndexReport | None
    run: Run
    plain: Run | None
    before: DatasetOutline | None = None

    @property
    def complete(self) -> bool:
        """False if something could not be read that should have been; see `Report.complete`."""
        return self.run.report.complete

    def changes(self) -> DatasetDiff | None:
        """Returns what changed since the last run; None if this one was the first.

        Raises:
            ExportError: The data set of the run cannot be read.
        """
        return diff_datasets(self.before, self.run.datasets[0]) if self.before is not None else None


def load_settings(
    path: str | os.PathLike[str] = NAME,
    *,
    changes: Iterable[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Reads a settings file.

    Args:
        path: The file. Relative paths in it begin at its folder.
        changes: Values that replace those of the file, such as ``augmenter.k=8``.
        environment: Variables that replace values, such as ``FURYTUNE_AUGMENTER__K``; None means those of the process.

    Raises:
        ConfigError: The file does not exist, or a key or a value in it is wrong. The message names file, line and key.
        SourceFormatError: It is not TOML.
    """
    document = Document.read(path)
    document.replace_all(changes, os.environ if environment is None else environment)
    return _settings(document)


def load_pipeline(path: str | os.PathLike[str] = NAME) -> Pipeline:
    """Reads the pipeline of a settings file; see `load_settings`.

    Args:
        path: The file.

    Raises:
        ConfigError: As in `load_settings`.
        SourceFormatError: It is not TOML.
    """
    return load_settings(path).pipeline


def pipeline_to_toml(pipeline: Pipeline) -> str:
    """Returns a pipeline as the text of a settings file. `load_pipeline` makes an equal pipeline from it.

    Relative paths are written as they are, so save the text in the folder that they begin at.

    Args:
        pipeline: The pipeline. All its parts must be plugins, such as the built-in ones.

    Raises:
        ConfigError: A part or an argument cannot be written, such as a function or a secret itself.
    """
    data = written(pipeline)
    for name in ("collector", "exporter"):
        if len(data.get(name, ())) == 1:
            data[name] = data[name][0]
    # A text of several lines would lose its carriage returns, because readers of TOML take them for line ends.
    return tomli_w.dumps(data, multiline_strings="\\r" not in repr(data))


def _settings(document: Document) -> Settings:
    data = document.data
    known = arguments(Pipeline)
    check_names(document)
    pipeline = make(Pipeline, {k: v for k, v in data.items() if k in known}, document, ())
    check_deployments(document)
    report, title = data.get("report"), data.get("title", "")
    if report is not None and (not isinstance(report, str) or not report):
        document.fail(("report",), "must be the path of a file")
    if not isinstance(title, str):
        document.fail(("title",), "must be a text")
    if report is not None and not any(isinstance(one, WritesFiles) for one in pipeline.exporter):
        document.fail(("report",), "a report needs a data set; add an [exporter]")
    sources = data.get("knowledge", [])
    sources = [sources] if isinstance(sources, dict) else sources
    if not isinstance(sources, list) or not all(isinstance(one, dict) for one in sources):
        document.fail(("knowledge",), 'must be tables with type = "..."')
    if sources and not isinstance(getattr(pipeline.augmenter, "path", None), str):
        document.fail(
            ("knowledge",),
            'knowledge needs an augmenter with an index, such as type = "rag" under [augmenter]',
        )
    kind = Part("corpora")
    single = isinstance(data.get("knowledge"), dict)
    places = [("knowledge",) if single else ("knowledge", i) for i in range(len(sources))]

    def knowledge() -> tuple[Iterable[Any], ...]:
        return tuple(kind.read(one, document, place) for one, place in zip(sources, places, strict=True))

    # Wrong keys should raise now, not after an hour of collecting. Nothing is read from the sources here.
    for one, place in zip(sources, places, strict=True):
        kind.check(one, document, place)
    return Settings(
        path=document.path,
        pipeline=pipeline,
        contract=contract_path(document),
        plain=_plain(document, pipeline),
        report=document.base / report if report is not None else None,
        title=title,
        knowledge=knowledge,
        sources=tuple(sources),
    )


def _plain(document: Document, pipeline: Pipeline) -> Pipeline | None:
    """Returns the pipeline without retrieval.

    Raises:
        ConfigError: Its table is wrong.
    """
    if "without_retrieval" not in document.data:
        return None
    key = ("without_retrieval",)
    table = document.data["without_retrieval"]
    if not isinstance(table, dict) or not table.get("exporter"):
        document.fail(key, "needs an exporter, such as [without_retrieval.exporter]")
    for name in table:
        if name != "exporter":
            document.fail((*key, name), f"there is no such key; {nearest(name, ['exporter'])}")
    exporter = read(table["exporter"], kinds(arguments(Pipeline)["exporter"]), document, (*key, "exporter"))
    exporters: tuple[Exporter, ...] = exporter if isinstance(exporter, tuple) else (exporter,)
    try:
        pipeline.evolve(exporter=(*pipeline.exporter, *exporters), tuner=None)  # raises if they share a file
        # A second look at a live server might find more pairs than the first.
        return _offline(pipeline).evolve(augmenter=IdentityAugmenter(), exporter=exporters, tuner=None)
    except ConfigError as error:
        document.fail(key, str(error))


def _offline(pipeline: Pipeline) -> Pipeline:
    """Returns the pipeline with the journals of live collectors in their place, which ask no one."""
    return pipeline.evolve(collector=[c.journal if isinstance(c, _LIVE) else c for c in pipeline.collector])


def _for_review(pipeline: Pipeline) -> Pipeline:
    """Returns the pipeline with what a person should decide about, and without asking a service."""
    offline = _offline(pipeline)
    return offline.evolve(
        collector=[c.for_review() if isinstance(c, FeedbackCollector) else c for c in offline.collector]
    )


def _reviewed(decisions: Decisions) -> Iterator[tuple[float, bool]]:
    """Yields the confidence of each pair that people decided about, and whether they accepted it as it was."""
    for path in decisions.path:
        last = {one.pair: one for one in Decisions(path).since(0)}
        for one in last.values():
            if one.confidence is not None and one.action != "undo":
                yield one.confidence, one.verdict == "accept"
