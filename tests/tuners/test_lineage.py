"""A run notes which messages its rows were made from, before it sends them."""

from __future__ import annotations

import ledgers
import pytest
from attrs import evolve
from vertex_help import make_tuner, pipeline

import furytune as ft
from furytune.errors import TuningError
from furytune.testing.fake_vertex import FakeVertex
from furytune.testing.memory import ListCollector, pair

FIRST, SECOND = "1235174400000000000", "1235174650000000000"


@pytest.fixture
def fake():
    with FakeVertex() as service:
        yield service


@pytest.fixture
def dataset(tmp_path):
    pairs = [
        pair(
            f"how {n}?",
            f"do {n}",
            question_messages=(f"{int(FIRST) + n}",),
            answer_messages=(SECOND,) * (n == 3),
        )
        for n in range(8)
    ]
    return pipeline(tmp_path, collector=ListCollector(pairs)).run().datasets[0]


def test_rows_with_a_message_are_known_after_the_data_set_is_gone(fake, tmp_path, dataset) -> None:
    tuner = make_tuner(fake, tmp_path)
    tuner.submit(dataset, key="run")
    for path in (dataset.manifest, *(f.path for f in dataset.files)):
        (tmp_path / path).unlink()
    (key,) = {path.stem for path in tuner.ledger.glob("*.json")}
    assert ledgers.rows_that_hold(tuner.ledger, key, {SECOND}) == 1
    assert ledgers.rows_that_hold(tuner.ledger, key, {FIRST, SECOND}) == 2
    assert ledgers.rows_that_hold(tuner.ledger, key, {"1"}) == 0
    assert ledgers.rows_that_hold(tuner.ledger, "other", {"1"}) is None
    (held,) = ft.forget(message=SECOND, jobs=tuner.ledger).jobs
    assert held.job == tuner.find("run").name
    assert held.files[0].startswith("gs://buck/")


def test_nothing_is_sent_if_the_messages_cannot_be_noted(fake, tmp_path, dataset) -> None:
    tuner = make_tuner(fake, tmp_path)
    tuner.ledger.mkdir()
    (tuner.ledger / "x").write_bytes(b"")
    broken = evolve(dataset, manifest=str(tmp_path / "gone.manifest.json"))
    with pytest.raises(TuningError, match="manifest"):
        tuner.submit(broken, key="run")
    assert not [r for r in fake.requests if r.line.startswith("POST")]
