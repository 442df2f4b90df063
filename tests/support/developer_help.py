"""Data sets and settings for the tests of the Developer API."""

from __future__ import annotations

from pathlib import Path

import furytune as ft
from furytune.records import Dataset
from furytune.testing.fake_developer_api import TUNABLE, FakeDeveloperApi
from furytune.testing.memory import ListCollector, pair
from furytune.tuners import TuningSettings
from furytune.tuners._jobs.service import Uploaded
from furytune.tuners.gemini._developer.backend import DeveloperBackend

KEY = "0123456789abcdef" * 2
NAME = f"tunedModels/furytune{KEY}"
API_KEY = "canary-3f9ab1-key"
NOTHING = Uploaded()
SETTINGS = TuningSettings(model=TUNABLE, epochs=3)


def rows(count: int = 20) -> list[tuple[str, str]]:
    return [(f"how {n}?", f"do {n}") for n in range(count)]


def make_dataset(
    folder: Path,
    pairs: list[tuple[str, str]] | None = None,
    *,
    csv: bool = False,
    dialect: str = "gemini-developer",
    template: ft.PromptTemplate | None = None,
) -> tuple[Dataset, ft.PromptContract]:
    """Exports pairs, every one of them for training, and returns data set and contract."""
    if csv:
        exporter: object = ft.CsvExporter(folder / "train.csv", columns=("text_input", "output"))
    else:
        exporter = ft.JsonlExporter(folder / "train.jsonl", dialect=dialect)
    run = ft.Pipeline(
        collector=ListCollector([pair(q, a) for q, a in (rows() if pairs is None else pairs)]),
        template=template or ft.PromptTemplate("Question:\n{question}", system="You help."),
        exporter=exporter,
        splitter=ft.GroupSplitter(0.0),
    ).run()
    (dataset,) = run.report.datasets
    return dataset, run.contract


def backend(api: FakeDeveloperApi, **options: object) -> DeveloperBackend:
    return google(**{"api_key": API_KEY, "endpoint": api.url, "timeout": 20.0, **options})


def google(**options: object) -> DeveloperBackend:
    """A backend of Google's own service, unless the options name another endpoint."""
    return DeveloperBackend(**options)


def submit(made: DeveloperBackend, dataset: Dataset, *, key: str = KEY) -> str:
    return made.submit(dataset, NOTHING, SETTINGS, key)
