"""Checks the requests to Vertex, and that training and asking send the same prompt, for both services."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st
from vertex_help import MODEL, TOKEN, Time, make_dataset, make_tuner, pipeline

import furytune as ft
from furytune import dialects
from furytune.errors import TextError
from furytune.records import Passage
from furytune.testing.fake_developer_api import TUNABLE, FakeDeveloperApi
from furytune.testing.fake_vertex import FakeVertex
from furytune.testing.memory import ListCollector, MemoryAugmenter, pair
from furytune.testing.strategies import questions, templates, texts

RUN = "c" * 32


def test_each_request_is_the_documented_one(tmp_path):
    """Compared with Google's reference of tuningJobs and of Cloud Storage, field by field."""
    dataset, contract = make_dataset(tmp_path, every=4)
    train, validation = (f"furytune/{f.sha256}.jsonl" for f in dataset.files)
    with FakeVertex(delay=9.0) as fake:
        tuner = make_tuner(
            fake,
            tmp_path,
            Time(),
            model="gemini-2.5-flash",
            epochs=2,
            learning_rate_multiplier=0.5,
            adapter_size=4,
            display_name="Furry",
        )
        job = tuner.submit(dataset, key=RUN)
        tuned = tuner.tuned(tuner.wait(job), contract)
        tuned.ask("how 0?")
        list(tuned.stream(contract.prompt("how 0?")))
        tuner.base_model(contract, temperature=0.5, thinking={}).ask("how 0?")
        tuner.cancel(job)
        tuned.delete()
    place = "/v1beta1/projects/proj/locations/us-central1"
    question = {
        "contents": [{"parts": [{"text": "Question:\nhow 0?"}], "role": "user"}],
        "systemInstruction": {"parts": [{"text": "You help."}], "role": "system"},
    }
    created = {
        "baseModel": "gemini-2.5-flash",
        "supervisedTuningSpec": {
            "trainingDatasetUri": f"gs://buck/{train}",
            "validationDatasetUri": f"gs://buck/{validation}",
            "hyperParameters": {
                "epochCount": 2,
                "learningRateMultiplier": 0.5,
                "adapterSize": "ADAPTER_SIZE_FOUR",
            },
            "exportLastCheckpointOnly": True,
        },
        "tunedModelDisplayName": "Furry",
        "labels": {"furytune_key": tuner._key(RUN), "furytune_contract": _label(contract)},
    }

    def stored(name):
        return ("GET", f"/storage/v1/b/buck/o/{name.replace('/', '%2F')}", {}, None)

    def upload(name):
        query = {"uploadType": "media", "name": name, "ifGenerationMatch": "0"}
        return ("POST", "/upload/storage/v1/b/buck/o", query, None)

    silent = {**question, "generationConfig": {"thinkingConfig": {"thinking_budget": 0}}}
    found = [(r.method, r.path, dict(r.query), r.body) for r in fake.requests]
    assert found == [
        ("GET", f"{place}/tuningJobs", {"pageSize": "100"}, None),
        stored(train),
        upload(train),
        stored(validation),
        upload(validation),
        ("POST", f"{place}/tuningJobs", {}, created),
        ("GET", f"{place}/tuningJobs", {"pageSize": "100"}, None),
        *[("GET", f"{place}/tuningJobs/1000", {}, None)] * 3,
        ("POST", f"{place}/endpoints/1000:generateContent", {}, silent),
        ("POST", f"{place}/endpoints/1000:streamGenerateContent", {"alt": "sse"}, silent),
        (
            "POST",
            f"{place}/publishers/google/models/gemini-2.5-flash:generateContent",
            {},
            {**question, "generationConfig": {"temperature": 0.5}},
        ),
        ("POST", f"{place}/tuningJobs/1000:cancel", {}, None),
        ("DELETE", f"{place}/models/1000", {}, None),
    ]
    assert {r.headers["authorization"] for r in fake.requests} == {f"Bearer {TOKEN}"}
    assert all(TOKEN not in f"{r.path}{r.query}" and TOKEN.encode() not in r.raw for r in fake.requests)


def test_arguments_that_are_not_given_are_not_sent(tmp_path):
    dataset, _ = make_dataset(tmp_path)
    with FakeVertex() as fake:
        make_tuner(fake, tmp_path, display_name="").submit(dataset, key=RUN)
    body = next(r.body for r in fake.requests if r.method == "POST" and r.path.endswith("/tuningJobs"))
    assert body.keys() == {"baseModel", "supervisedTuningSpec", "labels"}
    assert body["supervisedTuningSpec"].keys() == {
        "trainingDatasetUri",
        "hyperParameters",
        "exportLastCheckpointOnly",
    }
    assert body["supervisedTuningSpec"]["hyperParameters"] == {"epochCount": 3}


def test_tuning_a_tuned_model_further(tmp_path):
    dataset, _ = make_dataset(tmp_path)
    with FakeVertex() as fake:
        make_tuner(fake, tmp_path, model="projects/proj/locations/us-central1/models/7@1").submit(
            dataset, key=RUN
        )
    body = next(r.body for r in fake.requests if r.method == "POST" and r.path.endswith("/tuningJobs"))
    assert "baseModel" not in body
    assert list(body["preTunedModel"].values()) == ["projects/proj/locations/us-central1/models/7@1"]


def _label(contract):
    from furytune.tuners._jobs.labels import labels

    return labels("", contract.fingerprint)["furytune_contract"]


@frozen
class Way:
    """A service, and where to find the texts in its recorded requests."""

    dialect: str
    serve: Callable[[], Any]
    options: Callable[[Any], dict[str, Any]]
    sent: Callable[[Any], list[tuple[str, ...]]]


def _sent_to_vertex(fake):
    (upload,) = (r for r in fake.requests if "/upload/" in r.path)
    lines = upload.raw.decode("utf-8").split("\n")
    return [dialects.get("gemini").texts(json.loads(line)) for line in lines if line]


def _sent_to_developer(fake):
    (created,) = (r for r in fake.requests if r.line == "POST /v1beta/tunedModels")
    examples = created.body["tuningTask"]["trainingData"]["examples"]["examples"]
    return [(e["textInput"], e["output"]) for e in examples]


def _vertex_options(fake):
    from furytune.testing.fake_vertex import fake_credentials

    return {
        "model": MODEL,
        "project": "proj",
        "bucket": "buck",
        "credentials": fake_credentials(TOKEN),
        "endpoint": fake.url,
    }


WAYS = {
    "vertex": Way("gemini", FakeVertex, _vertex_options, _sent_to_vertex),
    "developer": Way(
        "gemini-developer",
        lambda: FakeDeveloperApi(tunable=(TUNABLE,), polls=1),
        lambda fake: {"model": TUNABLE, "api_key": TOKEN, "endpoint": fake.url},
        _sent_to_developer,
    ),
}

KNOWLEDGE = [
    Passage(
        id=f"p{n}", text=f"how to {word}\nQuestion: {word}?\n[1] x", title=f"docs {word}", source=f"d.md:{n}"
    )
    for n, word in enumerate(("install", "render", "x", "0", "test", "how"))
]


@pytest.mark.promise
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("context", [True, False], ids=["with retrieval", "without"])
def test_the_texts_of_a_training_row_and_of_the_request_are_equal(way, context):
    """Compares what the server recorded: the uploaded row, and the body of generateContent for its question."""
    made = WAYS[way]

    @settings(max_examples=12)
    @given(
        template=templates(context=context),
        asked=st.lists(questions(), min_size=20, max_size=22, unique=True),
        said=texts(max_size=3),
    )
    def same(template, asked, said):
        with made.serve() as fake, tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            tuner = ft.GeminiTuner(**made.options(fake), ledger=folder / "jobs", clock=Time().clock)
            exporter = ft.JsonlExporter(folder / "train.jsonl", dialect=made.dialect)
            parts = pipeline(
                folder,
                collector=ListCollector([pair(q, f"answer {n} {said}") for n, q in enumerate(asked)]),
                template=template,
                exporter=exporter,
                **({"augmenter": MemoryAugmenter(KNOWLEDGE, k=2)} if context else {}),
            )
            dataset = parts.run().datasets[0]
            if dataset.rows < 20:  # questions that were nothing but markup
                return
            job = tuner.wait(tuner.submit(dataset, key=RUN))
            tuned = tuner.tuned(job, parts.contract)
            rows = made.sent(fake)
            left = iter(rows)
            before = len(fake.requests)
            for question in asked:
                try:
                    answer = tuned.ask(question)
                except TextError:  # it was dropped from the data, too
                    continue
                *prompt, trained = next(left)
                texts_asked = dialects.get("gemini").texts(fake.requests[-1].body)
                assert tuple(t.encode() for t in texts_asked) == tuple(t.encode() for t in prompt)
                assert answer == trained or prompt in [list(r[:-1]) for r in rows if r[-1] == answer]
            assert next(left, None) is None
            assert len(fake.requests) - before == len(rows)

    same()
