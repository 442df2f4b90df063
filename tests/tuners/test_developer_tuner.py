"""GeminiTuner on the Developer API, from data set to answers, through faults, kills and restarts."""

from __future__ import annotations

import asyncio
import os
import random
import shutil

import ledgers
import pytest
from attrs import define
from developer_help import API_KEY, SETTINGS, backend, make_dataset, rows
from vertex_help import Time

import furytune as ft
from furytune.errors import ContractMismatchError, TuningError, TuningUnavailableError
from furytune.records import JobFailure
from furytune.testing.conformance import check_tuner
from furytune.testing.fake_developer_api import TUNABLE, FakeDeveloperApi
from furytune.testing.memory import ListCollector, pair

RUN = "a" * 32
CRASHES = int(os.environ.get("FURYTUNE_CRASHES", "300"))


@pytest.fixture
def api():
    with FakeDeveloperApi(tunable=(TUNABLE,)) as server:
        yield server


def make_tuner(api, folder, **options):
    known = {"api_key": API_KEY, "endpoint": api.url, "ledger": folder / "jobs", "clock": Time().clock}
    return ft.GeminiTuner(TUNABLE, **{**known, **options})


def pipeline(folder, tuner):
    return ft.Pipeline(
        collector=ListCollector([pair(q, a) for q, a in rows()]),
        exporter=ft.JsonlExporter(folder / "train.jsonl", dialect="gemini-developer"),
        template=ft.PromptTemplate("Question: {question}", system="You help."),
        splitter=ft.GroupSplitter(0.0),
        tuner=tuner,
    )


def test_from_pairs_to_answers_over_every_fault(api, tmp_path):
    tuner = make_tuner(api, tmp_path)
    api.fail("GET .*/models$", 503)
    api.fail("POST .*/tunedModels$", 503)
    api.fail("POST .*/tunedModels$", mode="lose the answer")
    api.fail("GET .*/tunedModels/", 429, skip=1)
    run = pipeline(tmp_path, tuner).run()
    for fault in (408, 429, 500, 502, 503, 504):
        api.fail("/operations", fault)
    api.fail("/operations", mode="hang up", times=3)
    seen = []
    job = tuner.wait(run.report.job, seen=seen.append)
    assert (job.state, api.jobs, api.faults[-1].times) == ("succeeded", 1, 0)
    assert [j.progress.percent for j in seen] == [50, 75, 100]
    assert [point.step for point in job.progress.losses] == [3, 7, 11, 15]
    model = tuner.tuned(job, run.contract)
    assert model.ask("how 3?") == asyncio.run(model.aask("how 3?")) == "do 3"
    assert "".join(model.stream(run.contract.prompt("how 3?"))) == "do 3"
    assert tuner.base_model(run.contract, model="gemini-3.1-flash-lite").ask("how 3?") != "do 3"


def test_todays_service_gives_a_clear_error_and_gets_no_data(tmp_path):
    with FakeDeveloperApi() as today:
        with pytest.raises(TuningUnavailableError, match="May 2025"):
            pipeline(tmp_path, make_tuner(today, tmp_path)).run()
        assert {r.method for r in today.requests} == {"GET"}


def test_a_restart_finds_the_job_with_and_without_the_ledger(api, tmp_path):
    run = pipeline(tmp_path, make_tuner(api, tmp_path)).run()
    again = pipeline(tmp_path, make_tuner(api, tmp_path)).run()
    shutil.rmtree(tmp_path / "jobs")
    bare = pipeline(tmp_path, make_tuner(api, tmp_path))
    adopted = bare.run()
    assert run.report.job.name == again.report.job.name == adopted.report.job.name
    assert api.jobs == 1
    job = bare.tuner.wait(adopted.report.job)
    assert job.fingerprint == run.contract.fingerprint
    assert bare.tuner.tuned(job, run.contract).ask("how 1?") == "do 1"


def test_another_contract_is_refused(api, tmp_path):
    tuner = make_tuner(api, tmp_path)
    run = pipeline(tmp_path, tuner).run()
    job = tuner.wait(run.report.job)
    other = ft.PromptContract(
        template=ft.PromptTemplate("Q: {question}"),
        augmenter=ft.IdentityAugmenter(),
        dialects=["gemini-developer"],
    )
    with pytest.raises(ContractMismatchError):
        tuner.tuned(job, other)


def test_problems_stop_a_run_before_a_request(api, tmp_path):
    dataset, _ = make_dataset(tmp_path, rows(19))
    tuner = make_tuner(api, tmp_path)
    with pytest.raises(TuningError, match="19 training rows"):
        tuner.submit(dataset, key=RUN)
    assert api.requests == []


def test_the_estimate_has_no_cost_and_no_tokens(api, tmp_path):
    dataset, _ = make_dataset(tmp_path)
    found = make_tuner(api, tmp_path).estimate(dataset)
    assert (found.problems, found.tokens) == ((), None)
    assert api.requests == []


def test_a_failed_job_says_why(tmp_path):
    with FakeDeveloperApi(tunable=(TUNABLE,), polls=1, failure="the data is of no use") as api:
        tuner = make_tuner(api, tmp_path)
        job = tuner.wait(pipeline(tmp_path, tuner).run().report.job)
        assert job.state == "failed"
        assert job.failure == JobFailure(code=3, message="the data is of no use")


def test_the_tuner_keeps_the_rules_of_its_protocol(api, tmp_path):
    dataset, _ = make_dataset(tmp_path)
    check_tuner(lambda: make_tuner(api, tmp_path), dataset)


class Crash(BaseException):
    """Raised where the process dies."""


@define
class Mortal:
    """Wraps an object, and dies before or after a call with a given probability."""

    inner: object
    chance: float
    random: random.Random

    def __getattr__(self, name):
        value = getattr(self.inner, name)
        if name not in {"find", "ready", "upload", "submit", "write"}:
            return value

        def act(*args):
            if self.random.random() < self.chance:
                raise Crash
            result = value(*args)
            if self.random.random() < self.chance:
                raise Crash
            return result

        return act


def test_crashes_and_lost_answers_leave_one_job_each(tmp_path):
    dataset, _ = make_dataset(tmp_path)
    chance = random.Random(11)
    crashes = runs = 0
    with FakeDeveloperApi(tunable=(TUNABLE,)) as api:
        made = backend(api)
        while crashes < CRASHES:
            key = f"{runs:032x}"
            runs += 1
            api.faults.clear()
            api.service.hidden = chance.choice([0, 0, 1, 3])
            entry = None
            while entry is None:
                if chance.random() < 0.4:
                    mode = chance.choice(["lose the answer", "hang up", "status"])
                    api.fail(chance.choice(["POST", "GET"]), 503, mode=mode)
                submission = ledgers.submission(
                    backend=Mortal(made, 0.2, chance),
                    ledger=Mortal(ledgers.ledger(tmp_path / "jobs"), 0.1, chance),
                    clock=Time().clock,
                    key=key,
                )
                try:
                    entry = submission.submit(dataset, SETTINGS, RUN)
                except Crash:
                    crashes += 1
            assert entry.name == f"tunedModels/furytune{key}"
            assert api.jobs == runs
