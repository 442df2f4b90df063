"""Passages with the same text take one place in the prompt, in every search mode."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scoring import LARGE, search
from sealing import digest, encoded, seal

from furytune.augmenters.rag import Distractors, RagAugmenter, build_index
from furytune.contract import PromptContract
from furytune.errors import ContractMismatchError
from furytune.exporters.jsonl import JsonlExporter
from furytune.pipeline import Pipeline
from furytune.records import Passage, QAPair
from furytune.template import PromptTemplate
from furytune.testing.memory import ListCollector

DAY = datetime(2024, 1, 1, tzinfo=UTC)
NEVER = DAY + timedelta(days=999)
TEMPLATE = PromptTemplate("Context:\n{context}\n\nQuestion:\n{question}")
WAYS = ["lexical", "vector", "scores", "ranks"]


class Letters:
    """An embedder whose vectors are counts of letters."""

    spec = {"name": "letters"}

    def embed(self, texts, *, kind):
        return np.array([[t.lower().count(c) + 0.25 for c in "aeiocrstup"] for t in texts])


class Shortest:
    """A re-ranker that puts short texts first and records the texts it sees."""

    depth = 3
    spec = {"name": "shortest", "depth": 3}

    def __init__(self):
        self.shown = []

    def score(self, question, passage):
        self.shown.append(passage.id)
        return -len(passage.text)


def augmenter(path, way, k=3, **more):
    if way == "lexical":
        return RagAugmenter(path, k=k, **more)
    mode, fusion = ("vector", "scores") if way == "vector" else ("hybrid", way)
    return RagAugmenter(path, k=k, mode=mode, fusion=fusion, embedder=Letters(), **more)


def ids(passages):
    return [p.id for p in passages]


@pytest.fixture
def path(tmp_path):
    made = [
        Passage(id="a", text="opacity alpha", title="t", source="a.py:1"),
        Passage(id="b", text="opacity alpha", title="t", source="b.py:1"),
        Passage(id="c", text="opacity alpha", title="t", source="c.py:1", date=DAY),
        Passage(id="d", text="opacity of volumes and of many other things", title="t"),
        Passage(id="e", text="opacity alpha", title="another title"),
    ]
    build_index(tmp_path / "c.lance", made, embedder=Letters())
    return tmp_path / "c.lance"


class TestOnePlace:
    @pytest.mark.parametrize("way", WAYS)
    def test_the_next_passage_moves_up(self, path, way):
        found = ids(augmenter(path, way).context("opacity alpha", at=NEVER))

        assert sorted(found) == ["a", "d", "e"]
        assert found == ids(augmenter(path, way).contexts(["x", "opacity alpha"], at=[DAY, NEVER])[1])

    @pytest.mark.parametrize("way", WAYS)
    def test_the_result_is_the_same_without_the_copy(self, path, way):
        before = augmenter(path, way).context("opacity alpha", at=NEVER)
        shutil.rmtree(path / "_furytune")

        assert augmenter(path, way).context("opacity alpha", at=NEVER) == before

    def test_equal_text_under_another_title_is_another_passage(self, path):
        assert {"a", "e"} <= set(ids(RagAugmenter(path).context("opacity alpha", at=NEVER)))

    def test_a_re_ranker_sees_no_passage_twice(self, path):
        model = Shortest()
        found = RagAugmenter(path, k=2, rerank=model).context("opacity alpha", at=NEVER)

        assert sorted(model.shown) == ["a", "d", "e"]
        assert ids(found)[0] == "a"

    def test_a_large_index_takes_the_shortcut_with_the_same_result(self):
        """From `LARGE` passages on, most are skipped; copies must not come back in that way."""
        made = [Passage(id=f"p{i:05}", text=f"cube w{i % 997} v{i % 89}") for i in range(LARGE + 20)]
        copied = [attrs.evolve(p, id=f"z{p.id}") for p in made[::7]]
        one, two = (search(some) for some in (tuple(made), tuple(made + copied)))
        asked = [f"cube w{i} v{i % 89}" for i in range(0, 997, 31)]
        everything = [len(made)] * len(asked)

        assert two.passages == one.passages == tuple(made)
        assert two.top(asked, everything, 9) == one.top(asked, everything, 9)
        assert "_many" in vars(two._lexical)


class TestWhichStays:
    @pytest.mark.parametrize("way", WAYS)
    def test_a_later_copy_does_not_hide_an_earlier_one(self, tmp_path, way):
        old, new = (Passage(id=i, text="opacity", date=DAY + timedelta(n)) for i, n in (("z", 0), ("a", 5)))
        build_index(tmp_path / "c.lance", [old, new], embedder=Letters())
        rag = augmenter(tmp_path / "c.lance", way)

        for day, seen in ((0, []), (1, ["z"]), (5, ["z"]), (9, ["z"])):
            assert ids(rag.context("opacity", at=DAY + timedelta(day))) == seen

    def test_the_oldest_is_kept_then_the_first_by_id(self, tmp_path):
        dates = {"a": DAY + timedelta(1), "b": DAY, "c": DAY}
        made = [Passage(id=i, text="opacity", date=date) for i, date in dates.items()]
        build_index(tmp_path / "c.lance", made)
        assert ids(RagAugmenter(tmp_path / "c.lance").context("opacity")) == ["b"]

        build_index(tmp_path / "c.lance", made, [Passage(id="z", text="opacity")])
        assert ids(RagAugmenter(tmp_path / "c.lance").context("opacity")) == ["z"]


words = st.lists(
    st.sampled_from(["opacity", "actor", "sphere", "cube", "rotate", "scene"]), min_size=1, max_size=4
)
whens = st.none() | st.integers(0, 4).map(lambda n: DAY + timedelta(days=n))
knowledge = st.lists(st.tuples(words, st.sampled_from(["", "t"]), whens), min_size=1, max_size=8)


class TestLaws:
    @settings(max_examples=25)
    @given(knowledge, st.data(), words, st.sampled_from(WAYS), st.integers(1, 4))
    def test_copies_that_are_not_older_change_nothing(self, tmp_path_factory, made, data, question, way, k):
        """The passages and their order stay the same at any moment, one by one or in a batch."""
        folder = tmp_path_factory.mktemp("law")
        passages = [
            Passage(id=f"p{i}", text=" ".join(text), title=title, date=date)
            for i, (text, title, date) in enumerate(made)
        ]
        copies = [
            attrs.evolve(p, id=f"q{i}", source="elsewhere", date=data.draw(st.sampled_from([p.date, NEVER])))
            for i, p in enumerate(data.draw(st.lists(st.sampled_from(passages), min_size=1, max_size=5)))
        ]
        build_index(folder / "one.lance", passages, embedder=Letters())
        build_index(folder / "two.lance", passages, copies, embedder=Letters())
        moments = [DAY + timedelta(days=n) for n in range(6)] + [NEVER + timedelta(1)]
        questions = [" ".join(question)] * len(moments)
        one, two = (augmenter(folder / name, way, k) for name in ("one.lance", "two.lance"))
        expected = one.contexts(questions, at=moments)

        assert two.contexts(questions, at=moments) == expected
        assert [two.context(questions[0], at=at) for at in moments] == expected
        assert all(len({(p.title, p.text) for p in found}) == len(found) for found in expected)


class TestPromptsAndContracts:
    def test_training_rows_are_the_bots_prompts_byte_for_byte(self, path, tmp_path):
        pairs = [
            QAPair(id=f"{n}", question=f"opacity alpha {n}", answer="so", group=f"g{n}", asked_at=at)
            for n, at in enumerate([DAY - timedelta(1), DAY + timedelta(1), None])
        ]
        pipeline = Pipeline(
            collector=ListCollector(pairs),
            augmenter=RagAugmenter(path, k=2),
            template=TEMPLATE,
            exporter=JsonlExporter(tmp_path / "t.jsonl"),
        )
        for row in pipeline.rows():
            bot = pipeline.contract.prompt(f"opacity alpha {row.id}", at=row.at)
            assert row.prompt.text.encode() == bot.text.encode()
            assert len({(p.title, p.text) for p in row.prompt.passages}) == 2

    def test_a_distractor_never_repeats_the_prompt(self, tmp_path):
        made = [Passage(id=f"p{i:03}", text=f"word{i % 4} is this") for i in range(200)]
        build_index(tmp_path / "c.lance", made)
        rag = RagAugmenter(tmp_path / "c.lance", k=1)
        edit = Distractors(1.0, count=3)

        for n in range(4):
            question = f"word{n} is this"
            found = edit.apply(question, rag.context(question), at=None, augmenter=rag)
            assert len({p.text for p in found}) == len(found) <= 4

    def test_explain_names_the_passage_with_the_same_text(self, path):
        contract = PromptContract(template=TEMPLATE, augmenter=RagAugmenter(path, k=2))
        told = contract.explain("opacity alpha", at=NEVER)
        copies = {f.passage.id: f for f in told.findings if f.fate == "same_text"}

        assert {i: f.same_as for i, f in copies.items()} == {"b": "a", "c": "a"}
        (kept,) = (f for f in told.findings if f.passage.id == "a")
        assert [(f.scores, f.ranks) for f in copies.values()] == [(kept.scores, {})] * 2
        assert "same text as a" in str(told)
        assert "same text as a" in told._repr_html_()

    def test_an_older_contract_is_refused_with_a_hint(self, path, tmp_path):
        """The contract is saved as an older furytune would save it: without the version of the rules."""
        file = tmp_path / "c.json"
        PromptContract(template=TEMPLATE, augmenter=RagAugmenter(path)).save(file)
        content = json.loads(file.read_text())
        del content["form"]["augmenter"]["version"]
        content["parts"]["augmenter"] = digest(content["form"]["augmenter"])
        seal(content)
        file.write_bytes(encoded(content))

        with pytest.raises(
            ContractMismatchError, match="rules of version 1, but this furytune has version 2.*new contract"
        ):
            PromptContract.load(file)
