"""Waiting for a job: it ends in every final state, and never because of a network fault."""

from __future__ import annotations

import sys

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vertex_help import Time, make_dataset, make_tuner

from furytune._network.retries import delays
from furytune.errors import ServiceError, TuningError
from furytune.records import TuningJob
from furytune.report import progress
from furytune.testing.fake_vertex import FakeVertex
from furytune.tuners._jobs.following import follow
from furytune.tuners._jobs.retries import patiently

RUN = "b" * 32
JOB = TuningJob(key="", name="projects/p/locations/l/tuningJobs/1", state="queued")


@pytest.mark.parametrize(
    ("words", "state"),
    [
        ("JOB_STATE_SUCCEEDED", "succeeded"),
        ("JOB_STATE_PARTIALLY_SUCCEEDED", "succeeded"),
        ("JOB_STATE_FAILED", "failed"),
        ("JOB_STATE_EXPIRED", "failed"),
        ("JOB_STATE_CANCELLED", "cancelled"),
    ],
)
def test_waiting_ends_in_every_final_state(tmp_path, words, state):
    goes_on = [
        "JOB_STATE_UNSPECIFIED",
        "JOB_STATE_QUEUED",
        "JOB_STATE_PENDING",
        "JOB_STATE_RUNNING TUNING_JOB_STATE_WAITING_FOR_QUOTA",
        "JOB_STATE_RUNNING TUNING_JOB_STATE_NEW_WORD",
        "JOB_STATE_PAUSED",
        "JOB_STATE_UPDATING",
        "JOB_STATE_CANCELLING",
        "JOB_STATE_OF_THE_FUTURE",
    ]
    dataset, _ = make_dataset(tmp_path)
    seen = []
    with FakeVertex(states=[*goes_on, words]) as fake:
        tuner = make_tuner(fake, tmp_path)
        job = tuner.wait(tuner.submit(dataset, key=RUN), seen=seen.append)
    assert job.state == state
    assert [j.state for j in seen] == [*["queued"] * 2, *["running"] * 6, state]
    assert seen[2].progress.detail == "RUNNING WAITING_FOR_QUOTA"


def test_waiting_continues_through_network_faults(tmp_path):
    dataset, _ = make_dataset(tmp_path)
    time = Time()
    with FakeVertex() as fake:
        tuner = make_tuner(fake, tmp_path, time)
        job = tuner.submit(dataset, key=RUN)
        for code in (408, 429, 500, 502, 503, 504):
            fake.fail("GET .*tuningJobs/", code, times=3)
        fake.fail("GET .*tuningJobs/", mode="hang up", times=20)
        assert tuner.wait(job).state == "succeeded"
        assert sum("tuningJobs/" in r.path for r in fake.requests) == 18 + 20 + 3
    assert 38 * 60 * 0.7 < time.slept < 38 * 60 + 300


def test_a_garbled_answer_is_requested_again(tmp_path):
    dataset, _ = make_dataset(tmp_path)
    with FakeVertex() as fake:
        tuner = make_tuner(fake, tmp_path)
        job = tuner.submit(dataset, key=RUN)
        fake.service.more = {"createTime": "no time at all"}
        with pytest.raises(ServiceError) as caught:
            tuner.poll(job)
        assert caught.value.transient
        fake.service.more = {}
        assert tuner.wait(job).state == "succeeded"


def test_a_refusal_counts_only_four_times_in_a_row(tmp_path):
    dataset, _ = make_dataset(tmp_path)
    with FakeVertex(states=["JOB_STATE_RUNNING"] * 9 + ["JOB_STATE_SUCCEEDED"]) as fake:
        tuner = make_tuner(fake, tmp_path)
        job = tuner.submit(dataset, key=RUN)
        for passed in range(3):
            fake.fail("GET .*tuningJobs/", 404, times=3, skip=passed)
        assert tuner.wait(job).state == "succeeded"
        fake.fail("GET .*tuningJobs/", 403, times=4)
        with pytest.raises(ServiceError, match="roles/aiplatform.user"):
            tuner.wait(job)


def test_a_timeout_stops_the_waiting_and_not_the_job(tmp_path):
    dataset, _ = make_dataset(tmp_path)
    time = Time()
    with FakeVertex(states=["JOB_STATE_RUNNING"]) as fake:
        tuner = make_tuner(fake, tmp_path, time)
        job = tuner.submit(dataset, key=RUN)
        with pytest.raises(TuningError, match="still running; come back with tuner.wait"):
            tuner.wait(job, every=7, timeout=100)
        assert time.slept == 100
        assert tuner.poll(job).state == "running"


def test_ctrl_c_leaves_the_job_and_says_how_to_come_back(tmp_path, capsys):
    dataset, _ = make_dataset(tmp_path)

    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    with FakeVertex() as fake:
        tuner = make_tuner(fake, tmp_path, clock=attrs.evolve(Time().clock, sleep=interrupt))
        job = tuner.submit(dataset, key=RUN)
        with pytest.raises(KeyboardInterrupt):
            tuner.wait(job)
        assert not any(r.path.endswith(":cancel") for r in fake.requests)
    said = capsys.readouterr().err
    assert f"tuner.wait(tuner.job({job.name!r}))" in said


@given(
    answers=st.lists(st.sampled_from([None, 408, 429, 500, 503, 599, "queued", "running", 404]), max_size=60),
    end=st.sampled_from(["succeeded", "failed", "cancelled"]),
)
def test_waiting_ends_exactly_at_the_first_final_state(answers, end):
    """Any answers may come in between, except four refusals in a row."""
    runs = "".join("x" if a == 404 else "." for a in answers)
    left = iter([*answers, end])
    time = Time()

    def poll(job: TuningJob) -> TuningJob:
        answer = next(left)
        if not isinstance(answer, str):
            raise ServiceError("asking", code=answer)
        return TuningJob(key=job.key, name=job.name, state=answer)

    def run() -> TuningJob:
        return follow(JOB, poll, time.clock, every=30, timeout=None, seen=None)

    if "xxxx" in runs:
        with pytest.raises(ServiceError):
            run()
    else:
        assert run().state == end
        assert next(left, "over") == "over"
    assert time.slept <= 60 * len(answers)


def test_retries_are_bounded():
    time = Time()
    calls = []

    def fails(code):
        calls.append(code)
        raise ServiceError("asking", code=code)

    with pytest.raises(ServiceError):
        patiently(lambda: fails(503), time.clock)
    assert len(calls) == 7
    assert time.slept == 63
    with pytest.raises(ServiceError):
        patiently(lambda: fails(400), time.clock)
    assert len(calls) == 8
    waits = delays(first=3, most=10)
    assert [next(waits) for _ in range(4)] == [3, 6, 10, 10]


def test_only_terminals_get_a_progress_bar(monkeypatch, capsys):
    with progress.meter("tuning") as show:
        show(5.0, "RUNNING")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with progress.meter("tuning") as show:
        show(None, "PENDING")
        show(40.0, "RUNNING")
        show(None, "RUNNING")
    said = capsys.readouterr().err
    assert "PENDING" in said
    assert "40%" in said
