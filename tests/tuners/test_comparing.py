"""Compares two runs side by side, and draws the loss curve."""

from __future__ import annotations

import attrs
import pytest
from vertex_help import make_tuner, pipeline

import furytune as ft
from furytune.errors import ConfigError, TuningError
from furytune.records import JobProgress, Loss, Passage, TuningJob
from furytune.report import compare
from furytune.testing.fake_vertex import FakeVertex
from furytune.testing.memory import ListCollector, MemoryAugmenter, pair
from furytune.tuners.gemini.plotting import losses, plot_losses

TEMPLATE = ft.PromptTemplate("You help.\n\nContext:\n{context}\n\nQuestion:\n{question}")


def columns(table: str, label: str) -> list[str]:
    (line,) = (x for x in table.splitlines() if x.startswith(label))
    return line[len(label) :].split()


def test_compare_shows_both_variants_side_by_side(tmp_path):
    with FakeVertex(stats={"totalBillableTokenCount": "12345"}) as fake:
        (tmp_path / "plain").mkdir()
        tuner = make_tuner(fake, tmp_path)
        rich = pipeline(
            tmp_path,
            template=TEMPLATE,
            augmenter=MemoryAugmenter([Passage(id="p", text="how to do")]),
            splitter=ft.GroupSplitter(),
            tuner=tuner,
        )
        plain = rich.evolve(
            augmenter=ft.IdentityAugmenter(), exporter=ft.JsonlExporter(tmp_path / "plain" / "train.jsonl")
        )
        reports = {}
        for name, parts in (("with", rich), ("without", plain)):
            run = parts.run()
            reports[name] = attrs.evolve(run.report, job=tuner.wait(run.job))
        table = compare(reports)
    assert len(fake.service.jobs) == 2
    assert columns(table, "same pairs") == ["yes", "yes"]
    assert len(set(columns(table, "train rows"))) == 1
    assert len(set(columns(table, "contract"))) == 2
    assert columns(table, "job") == ["succeeded"] * 2
    assert columns(table, "billed tokens") == ["12,345"] * 2
    assert columns(table, "dropped rows") == ["0", "0"]
    assert columns(table, "knowledge")[1] == "-"
    assert len(set(columns(table, "model"))) == 2


def test_compare_says_that_the_pairs_differ(tmp_path):
    one = pipeline(tmp_path).run().report
    (tmp_path / "b").mkdir()
    two = pipeline(tmp_path / "b", collector=ListCollector([pair("x", "y")])).run().report
    assert columns(compare({"a": one, "b": two}), "same pairs") == ["NO", "NO"]
    with pytest.raises(ConfigError, match="two or more reports"):
        compare({"a": one})
    with pytest.raises(ConfigError, match="no data set"):
        compare({"a": one, "b": attrs.evolve(two, datasets=())})
    (tmp_path / "b" / "train.jsonl.manifest.json").unlink()
    with pytest.raises(ConfigError, match="cannot be read"):
        compare({"a": one, "b": two})


def test_losses_are_data_and_a_picture(tmp_path):
    points = [Loss(step=n, epoch=1, loss=1 / n) for n in (2, 1, 3)]
    points.append(Loss(step=3, epoch=1, loss=0.5, split="validation"))
    job = TuningJob(key="", name="tunedModels/x", state="running", progress=JobProgress(losses=tuple(points)))
    assert [(x.step, x.split) for x in losses(job)] == [
        (1, "train"),
        (2, "train"),
        (3, "train"),
        (3, "validation"),
    ]
    path = tmp_path / "loss.svg"
    figure = plot_losses(job, path=path)
    assert [list(line.get_xdata()) for line in figure.axes[0].lines] == [[1, 2, 3], [3]]
    assert path.read_bytes().startswith(b"<?xml")


def test_without_losses_the_error_names_the_experiment():
    job = TuningJob(key="", name="j", state="running", progress=JobProgress(experiment="projects/p/x"))
    with pytest.raises(TuningError, match="under projects/p/x"):
        plot_losses(job)
    with pytest.raises(TuningError, match="poll the job first"):
        plot_losses(TuningJob(key="", name="j", state="running"))
