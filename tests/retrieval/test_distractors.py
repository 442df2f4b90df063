"""Distractors: unhelpful passages for a share of the training rows."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import attrs
import pytest
from attrs import frozen

from furytune.augmenters.rag import Distractors, RagAugmenter, build_index
from furytune.contract import Deviation, PromptContract
from furytune.errors import ConfigError, ContractMismatchError
from furytune.exporters.jsonl import JsonlExporter
from furytune.pipeline import Pipeline
from furytune.records import Passage, QAPair
from furytune.template import PromptTemplate
from furytune.testing.memory import ListCollector, pair

DAY = datetime(2024, 1, 1, tzinfo=UTC)
TEMPLATE = PromptTemplate("{context}\n\nQuestion:\n{question}")
PAIRS = [
    QAPair(id=f"{i:03}", question=f"how does word{i} work?", answer="so", group=f"g{i}", asked_at=DAY)
    for i in range(300)
]


@pytest.fixture
def path(tmp_path):
    made = [Passage(id=f"p{i:03}", text=f"word{i} is this") for i in range(300)]
    made += [Passage(id=f"later{i}", text=f"after word{i}", date=DAY + timedelta(1)) for i in range(50)]
    build_index(tmp_path / "c.lance", made)
    return tmp_path / "c.lance"


def pipeline(path, pairs=PAIRS, **more):
    return Pipeline(
        collector=ListCollector(pairs),
        augmenter=RagAugmenter(path, k=2, **more),
        template=TEMPLATE,
        exporter=JsonlExporter(path.parent / "train.jsonl"),
    )


def test_only_a_share_of_the_training_rows_has_distractors(path):
    made = pipeline(path, distractors=Distractors(0.25, count=2, seed=3))
    more = 0
    for row in made.rows():
        bot = made.contract.prompt(f"how does word{int(row.id)} work?", at=row.at)
        if row.prompt != bot:
            more += 1
            ids = [p.id for p in row.prompt.passages]
            assert [i for i in ids if i in {p.id for p in bot.passages}] == [p.id for p in bot.passages]
            assert len(ids) == len(bot.passages) + 2 == len(set(ids))
            assert not any(i.startswith("later") for i in ids)
    assert 45 <= more <= 105


def test_without_distractors_every_row_is_what_the_bot_sends(path):
    made = pipeline(path)
    for row in made.rows():
        assert row.prompt == made.contract.prompt(f"how does word{int(row.id)} work?", at=row.at)
    assert made.contract.deviations == ()


def test_the_question_alone_decides_the_distractors(path):
    made = pipeline(path, distractors=Distractors(0.5))
    alone = {row.id: row.prompt for row in made.rows()}
    back = pipeline(path, PAIRS[::-3], distractors=Distractors(0.5))
    assert all(alone[row.id] == row.prompt for row in back.rows())

    other = {r.id: r.prompt for r in pipeline(path, distractors=Distractors(0.5, seed=1)).rows()}
    assert other.keys() == alone.keys()
    assert other != alone


def test_distractors_can_be_at_any_position(path):
    made = pipeline(path, distractors=Distractors(1.0))
    places = set()
    for row in made.rows():
        first = made.contract.prompt(f"how does word{int(row.id)} work?", at=row.at).passages[0].id
        places.add([p.id for p in row.prompt.passages].index(first))
    assert places == {0, 1}


def test_later_passages_change_nothing(path, tmp_path):
    other = tmp_path / "more.lance"
    kept = list(RagAugmenter(path).searched.passages)
    build_index(other, kept, [Passage(id=f"z{i}", text=f"word{i}", date=DAY) for i in range(99)])
    one = [r.prompt for r in pipeline(path, distractors=Distractors(1.0)).rows()]
    assert one == [r.prompt for r in pipeline(other, distractors=Distractors(1.0)).rows()]


def test_the_contract_and_the_manifest_list_the_deviation(path, tmp_path):
    run = pipeline(path, distractors=Distractors(0.2, seed=9)).run()
    run.contract.save(tmp_path / "c.json")
    again = PromptContract.load(tmp_path / "c.json")

    assert (again.fingerprint, again.deviations) == (run.contract.fingerprint, run.contract.deviations)
    (deviation,) = again.deviations
    assert deviation.part == "augmenter"
    assert "0.2 of the training prompts" in deviation.reason
    assert "seed 9" in deviation.reason
    manifest = json.loads((tmp_path / "train.jsonl.manifest.json").read_text())
    assert '"distractors"' in json.dumps(manifest)
    plain = RagAugmenter(path, k=2)
    assert again.fingerprint != attrs.evolve(run.contract, augmenter=plain).fingerprint
    with pytest.raises(ContractMismatchError, match="augmenter"):
        PromptContract.load(tmp_path / "c.json", augmenter=plain)


def test_a_small_index_has_no_distractors(tmp_path):
    build_index(tmp_path / "s.lance", [Passage(id="a", text="word1"), Passage(id="b", text="word1 word2")])
    rag = RagAugmenter(tmp_path / "s.lance")
    found = rag.context("word1")
    assert Distractors(1.0).apply("word1", found, at=None, augmenter=rag) == found


@frozen
class Listed:
    """An augmenter from another package that can list its passages."""

    passages: tuple[Passage, ...]
    edit: Distractors | None = None
    snapshot = "1"

    @property
    def spec(self):
        return {"name": "listed", "distractors": self.edit.spec if self.edit else None}

    def context(self, question, *, at=None):
        return self.passages[:1]

    def visible_passages(self, at):
        return self.passages

    def nearest(self, question, *, at, count):
        return self.passages[:2]


def test_any_augmenter_that_lists_passages_can_have_distractors():
    passages = tuple(Passage(id=f"p{i}", text=f"word{i}") for i in range(9))
    pipeline = Pipeline(
        collector=ListCollector([pair(f"word{i}?", "yes") for i in range(30)]),
        augmenter=Listed(passages, edit=Distractors(1.0, count=2)),
    )
    rows = list(pipeline.rows())

    assert {len(row.prompt.passages) for row in rows} == {3}
    assert not any(p.id == "p1" for row in rows for p in row.prompt.passages)
    assert {len(pipeline.prompt(f"word{i}?").passages) for i in range(30)} == {1}
    assert pipeline.contract.deviations == (Deviation("augmenter", Distractors(1.0, count=2).deviation),)


def test_the_error_says_what_the_augmenter_is_missing():
    @frozen
    class Plain:
        edit = Distractors(1.0)
        snapshot = "1"
        spec: ClassVar = {"name": "plain"}

        def context(self, question, *, at=None):
            return ()

    pipeline = Pipeline(collector=ListCollector([pair("a?", "b")]), augmenter=Plain())
    with pytest.raises(ConfigError, match="Plain cannot list its passages"):
        list(pipeline.rows())


@pytest.mark.parametrize("wrong", [{"share": 2}, {"share": "x"}, {"count": 0}, {"seed": -1}])
def test_arguments_that_cannot_work_are_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Distractors(**wrong)
    with pytest.raises(ConfigError, match="distractors"):
        RagAugmenter("c.lance", distractors=wrong)
