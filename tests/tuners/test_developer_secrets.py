"""Neither the key nor what people wrote reaches a log, an error or a repr of the Developer API backend."""

from __future__ import annotations

import copy
import logging
import pickle
import traceback

import pytest
from developer_help import SETTINGS, backend, google, make_dataset, submit

from furytune import Secret, dialects
from furytune.errors import ConfigError, TuningError
from furytune.models.service import Call
from furytune.testing.fake_developer_api import TUNABLE, FakeDeveloperApi

CANARY = "canary-of-the-key-71c2"
TEXT = "canary-of-the-text-93d8"


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
    names = ["", "google", "urllib3", "requests", "grpc"]
    loggers = [logging.getLogger(name) for name in names]
    before = [(logger.level, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    yield handler.seen
    for logger, (level, propagate) in zip(loggers, before, strict=True):
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate


def everything(made, dataset, contract, api):
    """Makes each request once, with success and failure; returns all errors as they would be printed."""
    call = Call(
        target="m", fields=dialects.get("gemini-developer").request(contract.prompt(f"how {TEXT} 3?"))
    )
    shown = [repr(made), repr(call), repr(made.survey(dataset, SETTINGS))]
    acts = [
        lambda: made.ready(SETTINGS),
        lambda: submit(made, dataset),
        lambda: made.find("0" * 32),
        lambda: made.snapshot("tunedModels/x"),
        lambda: made.generate(call),
        lambda: list(made.stream(call)),
        lambda: made.generate(Call(target="m", fields={"contents": TEXT})),
        lambda: made.generate(Call(target="m", fields={TEXT: TEXT})),
        lambda: made.share("tunedModels/x", "everyone", "reader"),
        lambda: made.cancel("tunedModels/x"),
    ]
    echo = {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": f"{CANARY} {TEXT}"}}
    strange = {"unknown": CANARY, "name": [TEXT]}
    for fault in (None, {"mode": "hang up"}, {"status": 400, "body": echo}, {"status": 200, "body": strange}):
        for act in acts:
            if fault:
                api.fail("", **fault, times=2)
            try:
                shown.append(repr(act()))
            except TuningError as error:
                shown += [repr(error), *traceback.format_exception(error)]
            api.faults.clear()
    return shown


def test_no_secret_or_message_text_is_shown(logged, tmp_path):
    pairs = [(f"how {TEXT} {n}?", f"so {TEXT} {n}") for n in range(20)]
    dataset, contract = make_dataset(tmp_path, pairs)
    with FakeDeveloperApi(tunable=(TUNABLE,)) as api:
        shown = everything(backend(api, api_key=CANARY), dataset, contract, api)
        shown += [repr(api.requests), repr(api.service), repr(api.faults)]
        assert sum(TEXT.encode() in r.raw for r in api.requests) > 5
        assert any(r.headers["x-goog-api-key"] == CANARY for r in api.requests)
    assert len(logged) > 20
    for text in (*logged, *shown):
        assert CANARY not in text
        assert TEXT not in text


def test_a_key_from_the_environment_is_read_when_it_is_used(monkeypatch):
    monkeypatch.delenv("FURYTUNE_TEST_KEY", raising=False)
    with FakeDeveloperApi() as api:
        made = backend(api, api_key=Secret.env("FURYTUNE_TEST_KEY"))
        assert "FURYTUNE_TEST_KEY" in repr(made)
        with pytest.raises(ConfigError, match="FURYTUNE_TEST_KEY is not set"):
            made.tuned_models()
        monkeypatch.setenv("FURYTUNE_TEST_KEY", CANARY)
        made.tuned_models()
        assert api.requests[-1].headers["x-goog-api-key"] == CANARY
        assert CANARY not in repr(made)


@pytest.mark.parametrize("carry", [copy.deepcopy, pickle.dumps])
def test_a_backend_cannot_be_pickled_with_its_key(carry):
    with pytest.raises(TypeError, match="secret"):
        carry(google(api_key=CANARY))


def test_no_key_is_taken_from_the_environment_by_itself(monkeypatch, tmp_path):
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY"):
        monkeypatch.setenv(name, "the-wrong-key")
    with FakeDeveloperApi() as api:
        backend(api).tuned_models()
        assert "the-wrong-key" not in {r.headers["x-goog-api-key"] for r in api.requests}
