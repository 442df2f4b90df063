"""Neither a token nor what people wrote reaches a log, an error, a repr or the ledger."""

from __future__ import annotations

import copy
import logging
import pickle
import traceback

import pytest
from vertex_help import Time, make_dataset, make_tuner

import furytune as ft
from furytune.errors import ConfigError, FurytuneError
from furytune.testing.fake_vertex import FakeVertex, Fault, fake_credentials

TOKEN = "canary-of-the-token-5b1e"
TEXT = "canary-of-the-text-93d8"
RUN = "d" * 32


class Everything(logging.Handler):
    """Keeps everything in a log record, not only its message."""

    def __init__(self):
        super().__init__(0)
        self.seen = []

    def emit(self, record):
        self.seen.append(f"{record.getMessage()} {record.__dict__}")


@pytest.fixture
def logged():
    handler = Everything()
    names = [name for name in logging.root.manager.loggerDict if name.startswith("google")]
    loggers = [logging.getLogger(name) for name in ("", "google", "google_genai", "furytune", *names)]
    before = [(logger, logger.level, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
        logger.propagate = True
    logging.getLogger().addHandler(handler)
    yield handler.seen
    logging.getLogger().removeHandler(handler)
    for logger, level, propagate in before:
        logger.setLevel(level)
        logger.propagate = propagate


def faults():
    """A service that fails in every way, with messages that echo what it was sent."""
    echo = {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": f"{TOKEN} {TEXT}"}}
    yield None
    yield Fault(mode="hang up", times=99)
    for status in (400, 401, 403, 404, 412, 429, 500, 503):
        yield Fault(status=status, times=99, body=echo)
    yield Fault(status=400, times=99, body={"error": {"code": 400, "status": f"{TOKEN}", "message": TEXT}})
    yield Fault(
        status=200,
        times=99,
        body={"name": [TEXT], "state": {"a": TOKEN}, "candidates": TEXT, "md5Hash": TOKEN},
    )
    yield Fault(status=200, times=99, body=[TEXT])


def acts(tuner, job, tuned, dataset):
    return (
        lambda: tuner.submit(dataset, key=RUN),
        lambda: tuner.find(RUN),
        lambda: tuner.poll(job),
        lambda: tuner.wait(job, timeout=300),
        lambda: tuner.job(job.name),
        lambda: tuner.cancel(job),
        lambda: tuned.ask(f"how {TEXT} 1?"),
        lambda: list(tuned.stream(f"how {TEXT} 1?")),
        lambda: tuner.tuned(job, tuned.contract).generate(f"how {TEXT}"),
        tuned.share,
        tuned.delete,
    )


def everything(fake, folder):
    """Calls everything that a tuner can do, with success and failure; returns all that it shows."""
    pairs = [(f"how {TEXT} {n}?", f"so {TEXT} {n}") for n in range(6)]
    dataset, contract = make_dataset(folder, pairs, every=3)
    shown = []
    calm = make_tuner(fake, folder / "calm", Time(), credentials=fake_credentials(TOKEN), attempt=99)
    job = calm.submit(dataset, key=RUN)
    while not (job := calm.wait(job)).model:
        shown.append(repr(job))
    tuned = calm.tuned(job, contract)
    for number, fault in enumerate(faults()):
        time = Time()
        tuner = make_tuner(
            fake, folder / str(number), time, credentials=fake_credentials(TOKEN), attempt=number + 1
        )
        fake.service.jobs[job.name].forced = ""
        shown += [repr(x) for x in (tuner, tuner.service, job, tuned, tuner.estimate(dataset), dataset)]
        if fault is not None:
            fake.faults.append(fault)
        for act in acts(tuner, job, tuned, dataset):
            try:
                done = act()
            except FurytuneError as error:
                shown += [repr(error), str(error), *traceback.format_exception(error)]
            else:
                if not isinstance(done, str | list):  # an answer is for the one who asked
                    shown.append(repr(done))
        fake.faults.clear()
    shown += [path.read_text() for path in folder.rglob("jobs/*.json")]
    assert len(list(folder.rglob("jobs/*.json"))) > 3
    return shown


def test_no_secret_or_message_text_is_shown(logged, tmp_path):
    error = {"code": 3, "message": f"row 1: {TEXT} {TOKEN}"}
    stats = {
        "totalTruncatedExampleCount": "1",
        "truncatedExampleIndices": ["1"],
        "droppedExampleReasons": [TEXT],
    }
    for states in (("JOB_STATE_SUCCEEDED",), ("JOB_STATE_FAILED",) * 2 + ("JOB_STATE_SUCCEEDED",)):
        with FakeVertex(states=states, error=error, stats=stats) as fake:
            shown = everything(fake, tmp_path / states[0])
            shown += [repr(fake.requests), repr(fake.service), repr(fake.faults)]
            assert any(TEXT.encode() in r.raw for r in fake.requests)
            assert any(TOKEN in r.headers.get("authorization", "") for r in fake.requests)
    assert len(logged) > 100
    for text in (*logged, *shown):
        assert TOKEN not in text, text[:2000]
        assert TEXT not in text, text[:2000]


def test_the_services_words_are_in_error_said(tmp_path):
    with FakeVertex() as fake:
        fake.fail("generateContent", 400)
        with pytest.raises(ft.FurytuneError) as caught:
            make_tuner(fake, tmp_path).base_model().generate("a")
    assert caught.value.said == "a fault was asked for"


class TestSecret:
    def test_shows_nothing(self):
        secret = ft.Secret(TOKEN)
        assert (
            TOKEN
            not in f"{secret} {secret!r} {[secret]} {secret.__dict__ if hasattr(secret, '__dict__') else ''}"
        )
        assert secret.reveal() == TOKEN
        assert secret != ft.Secret(TOKEN)

    @pytest.mark.parametrize("carry", [pickle.dumps, copy.copy, copy.deepcopy])
    def test_refuses_to_be_copied_or_pickled(self, carry):
        for secret in (ft.Secret(TOKEN), ft.Secret.env("X")):
            with pytest.raises(TypeError, match=r"Secret\.env"):
                carry(secret)

    def test_a_variable_is_read_when_it_is_used(self, monkeypatch):
        secret = ft.Secret.env("FURYTUNE_TEST_SECRET")
        monkeypatch.delenv("FURYTUNE_TEST_SECRET", raising=False)
        with pytest.raises(ConfigError, match="FURYTUNE_TEST_SECRET is not set"):
            secret.reveal()
        monkeypatch.setenv("FURYTUNE_TEST_SECRET", TOKEN)
        assert secret.reveal() == TOKEN
        assert repr(secret) == "Secret.env('FURYTUNE_TEST_SECRET')"

    @pytest.mark.parametrize("value", ["", "  ", None, 7])
    def test_an_empty_secret_is_refused(self, value):
        with pytest.raises(ConfigError):
            ft.Secret(value)


def test_logs_still_show_the_requests(logged, tmp_path):
    """Only headers and bodies are removed from records; requests are still logged."""
    with FakeVertex() as fake:
        dataset, _ = make_dataset(tmp_path)
        make_tuner(fake, tmp_path, credentials=fake_credentials(TOKEN)).submit(dataset, key=RUN)
    assert any("POST" in line and "tuningJobs" in line for line in logged)
