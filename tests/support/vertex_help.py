"""Data sets, tuners and a clock for the tests against Vertex on loopback."""

from __future__ import annotations

from pathlib import Path

from attrs import define

import furytune as ft
from furytune.records import Dataset
from furytune.testing.fake_vertex import FakeVertex, fake_credentials
from furytune.testing.memory import ListCollector, pair
from furytune.tuners._jobs.retries import Clock
from furytune.tuners.gemini._vertex.backend import VertexBackend
from furytune.tuners.gemini.tuner import GeminiTuner

MODEL = "gemini-3.1-flash-lite"
TOKEN = "canary-token-71c2"


@define
class Time:
    """A clock that moves only when somebody sleeps."""

    now: float = 1_790_000_000.0
    slept: float = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.now, self.sleep)


@define
class Split:
    """A splitter that sends every so many-th conversation to validation."""

    every: int = 0
    seen: int = 0

    def __call__(self, _group: str) -> str:
        self.seen += 1
        return "validation" if self.every and self.seen % self.every == 0 else "train"


def rows(count: int = 8) -> list[tuple[str, str]]:
    return [(f"how {n}?", f"do {n}") for n in range(count)]


def pipeline(
    folder: Path, pairs: list[tuple[str, str]] | None = None, *, every: int = 0, **parts
) -> ft.Pipeline:
    return ft.Pipeline(
        **{
            "collector": ListCollector([pair(q, a) for q, a in (rows() if pairs is None else pairs)]),
            "template": ft.PromptTemplate("Question:\n{question}", system="You help."),
            "exporter": ft.JsonlExporter(folder / "train.jsonl"),
            "splitter": Split(every),
            **parts,
        }
    )


def make_dataset(folder: Path, pairs=None, *, every: int = 0) -> tuple[Dataset, ft.PromptContract]:
    """Exports pairs and returns data set and contract."""
    folder.mkdir(parents=True, exist_ok=True)
    run = pipeline(folder, pairs, every=every).run()
    return run.datasets[0], run.contract


def make_tuner(fake: FakeVertex, folder: Path, time: Time | None = None, **options) -> GeminiTuner:
    return GeminiTuner(
        options.pop("model", MODEL),
        **{
            "project": "proj",
            "bucket": "buck",
            "credentials": fake_credentials(TOKEN),
            "endpoint": fake.url,
            "ledger": folder / "jobs",
            "clock": (time or Time()).clock,
            **options,
        },
    )


def make_backend(fake: FakeVertex, **options) -> VertexBackend:
    return VertexBackend(
        **{
            "project": "proj",
            "location": "us-central1",
            "bucket": "buck",
            "credentials": fake_credentials(TOKEN),
            "endpoint": fake.url,
            **options,
        }
    )


def lines(fake: FakeVertex, word: str = "") -> list[str]:
    """Returns the requests so far, as method and path."""
    return [r.line for r in fake.requests if word in r.line]
