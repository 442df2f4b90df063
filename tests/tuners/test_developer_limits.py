"""The documented limits of the Developer API are checked before anything is sent, and the fake service agrees."""

from __future__ import annotations

import json

import pytest
from attrs import evolve
from developer_help import KEY, SETTINGS, backend, make_dataset, rows, submit

import furytune as ft
from furytune.errors import ServiceError, TuningError
from furytune.testing.fake_developer_api import TUNABLE, FakeDeveloperApi

PLAIN = ft.PromptTemplate("{question}")


@pytest.fixture
def api():
    with FakeDeveloperApi(tunable=(TUNABLE,)) as server:
        yield server


def survey(api, folder, pairs, settings=SETTINGS, **options):
    dataset, _ = make_dataset(folder, pairs, template=PLAIN, **options)
    found = backend(api).survey(dataset, settings)
    assert api.requests == []
    return dataset, [str(p) for p in found.problems]


def refused(api, dataset, settings=SETTINGS):
    """Returns whether the service refuses the same data."""
    made = backend(api)
    try:
        made.submit(dataset, made.upload(dataset), settings, KEY)
    except ServiceError as error:
        return error.code == 400
    return False


@pytest.mark.parametrize("csv", [False, True])
@pytest.mark.parametrize(
    ("pairs", "problem"),
    [
        (rows(20), None),
        (rows(19), "19 training rows, but the service needs at least 20"),
        ([*rows(), ("q" * 40_000, "a" * 5_000)], None),
        ([*rows(), ("q" * 40_001, "a")], "1 row: the prompt has more than 40,000 characters"),
        ([*rows(), ("q", "\U0001f600" * 5_001)], "1 row: the answer has more than 5,000 characters"),
    ],
)
def test_rows(api, tmp_path, pairs, problem, csv):
    dataset, problems = survey(api, tmp_path, pairs, csv=csv)
    assert len(problems) == (problem is not None)
    if problem:
        assert problems[0].startswith(problem)
    assert refused(api, dataset) == bool(problems)


def test_problems_name_the_rows_and_never_their_text(api, tmp_path):
    long = [(f"canary {n} " + "q" * 40_000, "a") for n in range(30)]
    dataset, problems = survey(api, tmp_path, long)
    wanted = [json.loads(line)["id"] for line in _sources(dataset)][:20]
    assert f"({', '.join(wanted)} and 10 more)" in problems[0]
    assert problems[0].startswith("30 rows:")
    assert "canary" not in "".join(problems)


def _sources(dataset):
    with open(dataset.manifest, encoding="utf-8") as file:  # noqa: PTH123
        return [line.rstrip(",\n") for line in file if line.startswith('{"id"')]


@pytest.mark.parametrize("csv", [False, True])
@pytest.mark.parametrize("text", ["x", "\u00e9\n", "\U0001f600"])
def test_the_size_of_the_request_is_known_before_it_is_made(api, tmp_path, text, csv):
    pairs = [(f"{n} {text * 900}", text * 90) for n in range(50)]
    dataset, problems = survey(api, tmp_path, pairs, csv=csv)
    from furytune.tuners.gemini._developer.limits import examples

    estimate = sum(row.size for row in examples(dataset))
    assert problems == []
    submit(backend(api), dataset)
    sent = len(api.requests[-1].raw)
    assert sent - 1_000 < estimate <= sent


@pytest.mark.parametrize(("count", "fits"), [(93, True), (94, False)])
def test_the_size_of_the_request_is_bounded(api, tmp_path, count, fits):
    pairs = [(f"{n:03}" + "x" * 39_997, "y" * 5_000) for n in range(count)]
    dataset, problems = survey(api, tmp_path, pairs)
    assert (problems == []) is fits
    assert refused(api, dataset) is not fits


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"display_name": "n" * 40}, None),
        ({"display_name": "n" * 41}, "the display name has 41 characters"),
        ({"model": "tunedModels/mine"}, "refuses to tune a tuned model"),
        ({"adapter_size": 4}, "only on Vertex"),
        ({"learning_rate_multiplier": 2.0}, "give learning_rate"),
        ({"learning_rate": 0.002, "batch_size": 8}, None),
    ],
)
def test_settings(api, tmp_path, change, problem):
    _, problems = survey(api, tmp_path, rows(), evolve(SETTINGS, **change))
    assert [p for p in problems if problem is None or problem not in p] == []
    assert len(problems) == (problem is not None)


def test_an_id_is_always_one_that_the_service_takes(api, tmp_path):
    dataset, _ = make_dataset(tmp_path)
    for key in ("0" * 32, "f" * 32, "9a" * 16):
        submit(backend(api), dataset, key=key)
        assert len(api.requests[-1].query["tunedModelId"]) == 40
    assert api.jobs == 3


def test_rows_of_another_dialect(api, tmp_path):
    dataset, problems = survey(api, tmp_path, rows(), dialect="gemini")
    assert len(problems) == 1
    assert "dialect='gemini-developer'" in problems[0]
    with pytest.raises(TuningError, match="dialect"):
        submit(backend(api), dataset)
    assert api.requests == []


def test_validation_rows_are_not_sent(api, tmp_path):
    from furytune.testing.memory import ListCollector, pair

    run = ft.Pipeline(
        collector=ListCollector([pair(q, a) for q, a in rows(80)]),
        exporter=ft.JsonlExporter(tmp_path / "t.jsonl", dialect="gemini-developer"),
        splitter=ft.GroupSplitter(0.5),
    ).run()
    (dataset,) = run.report.datasets
    train, validation = dataset.files
    submit(backend(api), dataset)
    sent = api.requests[-1].body["tuningTask"]["trainingData"]["examples"]["examples"]
    assert (len(sent), validation.rows > 0) == (train.rows, True)


@pytest.mark.parametrize(
    "line", [b"[1]\n", b'{"text_input": "x"}\n', b'{"text_input": 1, "output": "y"}\n', b"{\n"]
)
def test_malformed_rows_are_refused(api, tmp_path, line):
    import hashlib
    from pathlib import Path

    dataset, _ = make_dataset(tmp_path)
    (file,) = dataset.files
    Path(file.path).write_bytes(line)
    changed = evolve(dataset, files=(evolve(file, sha256=hashlib.sha256(line).hexdigest()),))
    with pytest.raises(TuningError, match="export the data set again"):
        backend(api).survey(changed, SETTINGS)


def test_a_missing_file_is_refused(api, tmp_path):
    dataset, _ = make_dataset(tmp_path)
    (file,) = dataset.files
    gone = evolve(dataset, files=(evolve(file, path=str(tmp_path / "gone")),))
    with pytest.raises(TuningError, match="cannot be read"):
        backend(api).survey(gone, SETTINGS)
