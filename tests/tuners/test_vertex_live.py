"""Against the real Vertex AI: run with `-m live`, a project and a bucket; it costs a few cents and an hour.

FURYTUNE_LIVE_PROJECT=... FURYTUNE_LIVE_BUCKET=... pytest -m live tests/tuners/test_vertex_live.py
"""

from __future__ import annotations

import os

import pytest
from vertex_help import pipeline

import furytune as ft
from furytune.errors import ServiceError
from furytune.testing.memory import ListCollector, pair

pytestmark = pytest.mark.live

RUN = "furytune live test"


@pytest.fixture
def tuner(tmp_path):
    project, bucket = os.environ.get("FURYTUNE_LIVE_PROJECT"), os.environ.get("FURYTUNE_LIVE_BUCKET")
    if not project or not bucket:
        pytest.skip("set FURYTUNE_LIVE_PROJECT and FURYTUNE_LIVE_BUCKET")
    model = os.environ.get("FURYTUNE_LIVE_MODEL", "gemini-3.1-flash-lite")
    return ft.GeminiTuner(
        model, project=project, bucket=bucket, epochs=1, max_cost=1.0, ledger=tmp_path / "jobs"
    )


@pytest.fixture
def run(tmp_path):
    pairs = [
        pair(f"What is the number of item {n}?", f"The number of item {n} is {n * 7}.") for n in range(120)
    ]
    return pipeline(tmp_path, collector=ListCollector(pairs), splitter=ft.GroupSplitter()).run()


def test_a_base_model_answers(tuner, run):
    assert tuner.base_model(run.contract).ask("What is the number of item 3?")


def test_uploads_are_content_addressed(tuner, run):
    first = tuner.service.upload(run.datasets[0])
    assert tuner.service.upload(run.datasets[0]) == first


def test_an_unknown_job_is_not_found(tuner):
    with pytest.raises(ServiceError) as caught:
        tuner.service.snapshot(f"{tuner.service.place}/tuningJobs/1")
    assert caught.value.code in {403, 404}


def test_a_job_runs_is_found_by_its_label_and_answers(tuner, run, tmp_path):
    """The same data and settings give the same key, so a second test run finds the job of the first."""
    dataset = run.datasets[0]
    job = tuner.submit(dataset, key=RUN)
    names = tuner.service.find(tuner._key(RUN))
    assert names == (job.name,)
    job = tuner.wait(job, timeout=4 * 3600)
    assert job.state == "succeeded", job.details
    assert job.fingerprint == run.contract.fingerprint
    assert job.progress.billed_tokens <= tuner.estimate(dataset).tokens
    tuned = tuner.tuned(job, run.contract)
    assert tuned.ask("What is the number of item 3?")
    assert "".join(tuned.stream(run.contract.prompt("What is the number of item 3?")))
