"""Checks the requests to the Developer API: they are as documented, and training and asking send the same prompt."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest
from attrs import evolve
from developer_help import API_KEY, KEY, NAME, NOTHING, SETTINGS, backend, make_dataset, rows, submit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from furytune import dialects
from furytune.augmenters.identity import IdentityAugmenter
from furytune.errors import TuningError
from furytune.exporters.csv import CsvExporter
from furytune.exporters.jsonl import JsonlExporter
from furytune.models.service import Call
from furytune.pipeline import Pipeline
from furytune.splitting import GroupSplitter
from furytune.testing.fake_developer_api import TUNABLE, FakeDeveloperApi
from furytune.testing.memory import ListCollector, pair
from furytune.testing.strategies import questions, templates, texts

_MODELS = {"$alt": "json;enum-encoding=int", "pageSize": "50"}
_ALT = {"$alt": "json;enum-encoding=int"}


@pytest.fixture
def api():
    with FakeDeveloperApi(tunable=(TUNABLE,), polls=1) as server:
        yield server


def test_each_request_is_the_documented_one(api, tmp_path):
    dataset, contract = make_dataset(tmp_path)
    asked = evolve(SETTINGS, epochs=2, batch_size=1, learning_rate=0.25, display_name="Furry")
    made = backend(api)
    made.ready(asked)
    made.submit(dataset, NOTHING, asked, KEY)
    made.find(KEY)
    made.snapshot(NAME)
    everyone = made.share(NAME, "everyone", "reader")
    made.share(NAME, "user:a@example.org", "writer")
    made.permissions(NAME)
    prompt = contract.prompt("how 0?")
    call = Call(target=NAME, fields=dialects.get("gemini-developer").request(prompt))
    made.generate(call)
    list(made.stream(call))
    made.revoke(everyone.name)
    with pytest.raises(TuningError):
        made.cancel(NAME)
    made.tuned_models()
    made.transfer(NAME, "b@example.org")
    made.delete(NAME, NAME)

    examples = [
        {"textInput": contract.prompt(q).system + "\n\n" + str(contract.prompt(q)), "output": a}
        for q, a in rows()
    ]
    assert {e["textInput"] for e in examples} == {
        e["textInput"] for e in api.requests[1].body["tuningTask"]["trainingData"]["examples"]["examples"]
    }
    created = {
        "baseModel": "models/gemini-1.5-flash-001-tuning",
        "displayName": "Furry",
        "description": f"made by furytune, contract {dataset.fingerprint}",
        "tuningTask": {
            "trainingData": {"examples": {"examples": examples}},
            "hyperparameters": {"epochCount": 2, "batchSize": 1, "learningRate": 0.25},
        },
    }
    question = {"contents": [{"parts": [{"text": f"You help.\n\n{prompt}"}], "role": "user"}]}
    operations = f"/v1beta/{NAME}/operations"
    found = [(r.method, r.path, dict(r.query), r.body) for r in api.requests]
    assert found == [
        ("GET", "/v1beta/models", _MODELS, None),
        ("POST", "/v1beta/tunedModels", {**_ALT, "tunedModelId": f"furytune{KEY}"}, created),
        ("GET", f"/v1beta/{NAME}", _ALT, None),
        ("GET", operations, {}, None),
        ("POST", f"/v1beta/{NAME}/permissions", _ALT, {"granteeType": 3, "role": 3}),
        (
            "POST",
            f"/v1beta/{NAME}/permissions",
            _ALT,
            {"granteeType": 1, "role": 2, "emailAddress": "a@example.org"},
        ),
        ("GET", f"/v1beta/{NAME}/permissions", _ALT, None),
        ("POST", f"/v1beta/{NAME}:generateContent", _ALT, question),
        ("POST", f"/v1beta/{NAME}:streamGenerateContent", _ALT, question),
        ("DELETE", f"/v1beta/{NAME}/permissions/everyone", _ALT, None),
        ("GET", operations, {}, None),
        ("POST", f"{operations}/furytune-1:cancel", {}, None),
        ("GET", "/v1beta/tunedModels", _MODELS, None),
        ("POST", f"/v1beta/{NAME}:transferOwnership", _ALT, {"emailAddress": "b@example.org"}),
        ("DELETE", f"/v1beta/{NAME}", _ALT, None),
    ]
    assert {r.headers["x-goog-api-key"] for r in api.requests} == {API_KEY}
    assert not any(
        API_KEY in f"{r.path}{r.query}".encode().decode() or API_KEY.encode() in r.raw for r in api.requests
    )
    assert re.fullmatch(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?", api.requests[1].query["tunedModelId"])


def test_arguments_that_are_not_given_are_not_sent(api, tmp_path):
    dataset, _ = make_dataset(tmp_path)
    submit(backend(api), dataset)
    body = api.requests[-1].body
    assert body.keys() == {"baseModel", "description", "tuningTask"}
    assert body["tuningTask"]["hyperparameters"] == {"epochCount": 3}


@pytest.mark.promise
@pytest.mark.parametrize("kind", ["jsonl", "csv"])
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    template=templates(context=False),
    asked=st.lists(questions(), min_size=20, max_size=24, unique=True),
    said=texts(max_size=3),
)
def test_the_row_sent_in_training_is_the_prompt_that_is_asked(api, kind, template, asked, said):
    api.service.tuned.clear()
    api.requests.clear()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        jsonl = JsonlExporter(folder / "t.jsonl", dialect="gemini-developer")
        run = Pipeline(
            collector=ListCollector([pair(q, f"answer {n} {said}") for n, q in enumerate(asked)]),
            template=template,
            augmenter=IdentityAugmenter(),
            exporter=CsvExporter(folder / "t.csv", columns=("text_input", "output"))
            if kind == "csv"
            else jsonl,
            splitter=GroupSplitter(0.0),
        ).run()
        (dataset,) = run.report.datasets
        made = backend(api)
        if dataset.rows < 20:  # a question that was nothing but markup
            return
        submit(made, dataset)
    made.snapshot(NAME)
    sent = [
        e["textInput"] for e in api.requests[0].body["tuningTask"]["trainingData"]["examples"]["examples"]
    ]
    for question, text in zip(asked, sent, strict=True):
        fields = dialects.get("gemini-developer").request(run.contract.prompt(question))
        made.generate(Call(target=NAME, fields=fields))
        (turn,) = api.requests[-1].body["contents"]
        assert "".join(part["text"] for part in turn["parts"]).encode() == text.encode()
        assert api.requests[-1].body.keys() == {"contents"}
