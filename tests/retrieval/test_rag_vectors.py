"""Vector and hybrid retrieval: what is stored, what is found, and what a contract records."""

from __future__ import annotations

import json
import pickle
import shutil
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import lancedb
import numpy as np
import pytest
from models import Counting, onnx_model, static_model
from scoring import LENGTH

from furytune.augmenters.embedders import OnnxEmbedder, StaticEmbedder
from furytune.augmenters.rag import RagAugmenter, build_index
from furytune.contract import PromptContract
from furytune.errors import ConfigError, ContractMismatchError, KnowledgeError, SnapshotError
from furytune.records import Passage
from furytune.template import PromptTemplate
from furytune.testing.conformance import check_augmenter

DAY = datetime(2024, 1, 1, tzinfo=UTC)
LATER = DAY + timedelta(days=1)
QUESTIONS = ["sphere opacity", "cube", "how to render text", "unknown words only", ""]
TEMPLATE = PromptTemplate("{context}\n\nQuestion:\n{question}")


def passages(**more):
    texts = {
        "a": "sphere actor opacity",
        "b": "cube color texture",
        "c": "render text label layout",
        "d": "volume slice tensor",
        "e": "camera light scene window",
        **more,
    }
    return [Passage(id=i, text=t, title=f"title {i}", source=f"{i}.py:1-2") for i, t in texts.items()]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "corpus.lance"


@pytest.fixture
def model(tmp_path):
    return StaticEmbedder(static_model(tmp_path / "model"))


@pytest.fixture
def built(path, model):
    build_index(path, passages(), embedder=model)
    return path


@pytest.fixture(params=["vector", "hybrid"])
def rag(request, built, model):
    return RagAugmenter(built, k=2, mode=request.param, embedder=model)


def ids(rag, question, at=None):
    return [p.id for p in rag.context(question, at=at)]


class TestStored:
    def test_lancedb_finds_the_same_in_the_column(self, built, model):
        table = lancedb.connect(built.parent).open_table("corpus")
        rag = RagAugmenter(built, k=3, mode="vector", embedder=model)
        question = model.embed(["sphere opacity"], kind="question")[0]
        rows = table.search(question).metric("cosine").select(["id", "_distance"]).limit(3).to_list()

        assert table.schema.names[-1] == "vector"
        assert [r["id"] for r in rows if r["_distance"] < 1] == ids(rag, "sphere opacity")

    def test_stored_vectors_are_the_searched_ones(self, built):
        arrow = lancedb.connect(built.parent).open_table("corpus").to_arrow()
        vectors = np.array(arrow["vector"].to_pylist())

        assert np.array_equal(vectors * LENGTH, np.rint(vectors * LENGTH))
        assert np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < 0.01

    def test_the_copy_and_the_table_are_equal(self, rag):
        found = [ids(rag, q) for q in QUESTIONS]
        snapshot = rag.snapshot
        shutil.rmtree(f"{rag.path}/_furytune")
        again = attrs.evolve(rag)

        assert (snapshot, found) == (again.snapshot, [ids(again, q) for q in QUESTIONS])

    @pytest.mark.parametrize("ending", ["vectors", "postings", "jsonl"])
    def test_a_damaged_copy_is_ignored(self, rag, ending):
        found, snapshot = [ids(rag, q) for q in QUESTIONS], rag.snapshot
        copy = Path(rag.path, "_furytune", f"1.{ending}")
        copy.write_bytes(copy.read_bytes()[:-3] + b"\x07\x07\x07")
        again = attrs.evolve(rag)

        assert (snapshot, found) == (again.snapshot, [ids(again, q) for q in QUESTIONS])

    def test_words_alone_have_an_identity_without_vectors(self, built, path, model):
        lexical = RagAugmenter(built)
        vector = RagAugmenter(built, mode="vector", embedder=model)
        other = path.parent / "plain.lance"
        build_index(other, passages())

        assert lexical.snapshot == RagAugmenter(other).snapshot != vector.snapshot

    def test_equal_passages_and_model_make_no_new_version(self, built, model, tmp_path):
        assert not build_index(built, passages(), embedder=model).written
        assert build_index(built, passages()).written
        assert build_index(built, passages(), embedder=model).written
        other = StaticEmbedder(static_model(tmp_path / "other", seed=9))
        assert build_index(built, passages(), embedder=other).written


class TestFound:
    def test_it_passes_the_conformance_suite(self, rag):
        check_augmenter(lambda: attrs.evolve(rag), QUESTIONS)

    def test_vectors_find_by_closeness(self, built, model):
        rag = RagAugmenter(built, k=5, mode="vector", embedder=model)
        texts = [f"{p.title}\n{p.text}" for p in passages()]
        close = model.embed(["sphere"], kind="question") @ model.embed(texts, kind="passage").T
        close /= np.linalg.norm(model.embed(texts, kind="passage"), axis=1)

        expected = ["abcde"[i] for i in np.argsort(-close[0]) if close[0][i] > 0]
        assert expected == ids(rag, "sphere")

    def test_passages_with_nothing_in_common_are_never_returned(self, rag):
        assert ids(rag, "unknown words only") == ids(rag, "") == []

    def test_each_question_is_embedded_alone(self, path):
        counting = Counting()
        build_index(path, passages(), embedder=counting)
        rag = RagAugmenter(path, mode="vector", embedder=counting)
        counting.calls.clear()
        rag.contexts(["x", "y", "x"], at=[None] * 3)

        assert counting.calls == [("question", ["x"]), ("question", ["y"]), ("question", ["x"])]

    def test_later_passages_have_no_effect(self, path, model):
        dated = [Passage(id=f"f{i}", text="sphere cube", date=LATER + timedelta(i % 2)) for i in range(40)]
        build_index(path, passages(), dated, embedder=model)
        plain = path.parent / "plain.lance"
        build_index(plain, passages(), embedder=model)
        for mode in ("vector", "hybrid"):
            with_later = RagAugmenter(path, k=8, mode=mode, embedder=model)
            without = RagAugmenter(plain, k=8, mode=mode, embedder=model)
            at = [LATER] * len(QUESTIONS)
            assert with_later.contexts(QUESTIONS, at=at) == without.contexts(QUESTIONS, at=at)
            assert "f0" in ids(with_later, "sphere", at=LATER + timedelta(1))

    def test_hybrid_finds_what_either_finds(self, built, model):
        both = RagAugmenter(built, k=9, mode="hybrid", embedder=model)
        for fusion in ("scores", "ranks"):
            found = set(ids(attrs.evolve(both, fusion=fusion), "sphere text"))
            parts = set(ids(RagAugmenter(built, k=9), "sphere text"))
            parts |= set(ids(RagAugmenter(built, k=9, mode="vector", embedder=model), "sphere text"))
            assert found == parts

    def test_ranks_are_fused_reciprocally(self, built, model):
        both = RagAugmenter(built, k=9, mode="hybrid", embedder=model, fusion="ranks")
        question, scores = "sphere opacity text", {}
        for part in (RagAugmenter(built, k=9), RagAugmenter(built, k=9, mode="vector", embedder=model)):
            for rank, id_ in enumerate(ids(part, question), 1):
                scores[id_] = scores.get(id_, 0) + 1 / (60 + rank)

        assert sorted(scores, key=lambda i: (-scores[i], i)) == ids(both, question)

    def test_a_re_ranker_reorders_the_first(self, built):
        class ByName:
            depth = 5
            spec = {"name": "by-name", "depth": 5}

            def score(self, question, passage):
                return ord(passage.id[0])

        plain = RagAugmenter(built, k=5)
        rag = attrs.evolve(plain, k=2, rerank=ByName())
        assert ids(rag, "sphere cube text") == sorted(ids(plain, "sphere cube text"), reverse=True)[:2]
        assert rag.spec["rerank"] == ByName.spec
        with pytest.raises(ConfigError, match="reranker"):
            attrs.evolve(plain, rerank=len)

    def test_a_score_that_is_not_a_number_is_an_error(self, built):
        class Broken:
            depth = 5
            spec = {"name": "broken"}

            def score(self, question, passage):
                return float("nan")

        with pytest.raises(KnowledgeError, match="broken.*not finite"):
            RagAugmenter(built, rerank=Broken()).context("sphere")


class TestHeld:
    """The contract records the model, and another model is refused."""

    def save(self, rag, folder):
        contract = PromptContract(template=TEMPLATE, augmenter=rag)
        contract.save(folder / "c.json")
        return contract

    def test_the_bot_renders_the_same_from_the_file_alone(self, rag, tmp_path):
        contract = self.save(rag, tmp_path)
        again = PromptContract.load(tmp_path / "c.json")

        assert again.fingerprint == contract.fingerprint
        assert [again.prompt(q).text for q in QUESTIONS[:3]] == [
            contract.prompt(q).text for q in QUESTIONS[:3]
        ]

    def test_an_onnx_model_works_too(self, path, tmp_path):
        model = OnnxEmbedder(onnx_model(tmp_path / "onnx"), max_tokens=7, question_prefix="how ")
        build_index(path, passages(), embedder=model)
        rag = RagAugmenter(path, mode="hybrid", embedder=model)
        contract = self.save(rag, tmp_path)

        assert PromptContract.load(tmp_path / "c.json").augmenter.embedder == model
        assert PromptContract.load(tmp_path / "c.json").snapshot == contract.snapshot

    def test_folders_may_move_together(self, rag, tmp_path):
        contract = self.save(rag, tmp_path)
        moved = shutil.copytree(tmp_path, tmp_path.parent / f"{tmp_path.name}-moved")
        shutil.rmtree(rag.path)

        again = PromptContract.load(moved / "c.json")
        assert again.prompt("sphere").text == contract.prompt("sphere").text
        assert str(moved) in str(again.augmenter.embedder.path)

    def test_other_model_files_are_refused(self, rag, tmp_path):
        self.save(rag, tmp_path)
        static_model(tmp_path / "model", seed=5)
        with pytest.raises(ContractMismatchError, match=r"differs in embedder.*model files"):
            PromptContract.load(tmp_path / "c.json")

    def test_missing_model_files_are_an_error(self, rag, tmp_path):
        self.save(rag, tmp_path)
        (tmp_path / "model" / "model.safetensors").unlink()
        with pytest.raises(ContractMismatchError, match="this file is missing"):
            PromptContract.load(tmp_path / "c.json")

    def test_a_custom_embedder_is_passed_explicitly(self, path, tmp_path):
        build_index(path, passages(), embedder=Counting())
        rag = RagAugmenter(path, mode="vector", embedder=Counting())
        contract = self.save(rag, tmp_path)
        with pytest.raises(ContractMismatchError, match="not built in.*augmenter="):
            PromptContract.load(tmp_path / "c.json")

        mine = RagAugmenter(path, mode="vector", embedder=Counting())
        assert PromptContract.load(tmp_path / "c.json", augmenter=mine).snapshot == contract.snapshot
        other = path.parent / "other.lance"
        build_index(other, passages(), embedder=Counting("another"))
        with pytest.raises(ContractMismatchError, match="augmenter"):
            PromptContract.load(
                tmp_path / "c.json",
                augmenter=RagAugmenter(other, mode="vector", embedder=Counting("another")),
            )

    def test_different_vectors_give_another_snapshot(self, rag, tmp_path):
        self.save(rag, tmp_path)
        shutil.rmtree(rag.path)
        build_index(rag.path, passages(), embedder=rag.embedder)
        assert PromptContract.load(tmp_path / "c.json").snapshot == rag.snapshot
        shutil.rmtree(rag.path)
        build_index(rag.path, passages())

        with pytest.raises(ContractMismatchError, match=r"passages and vectors.*build the index again"):
            PromptContract.load(tmp_path / "c.json")

    def test_every_setting_is_in_the_spec(self, rag, model, built):
        others = [
            attrs.evolve(rag, k=3),
            RagAugmenter(built, k=2),
            RagAugmenter(built, k=2, mode="vector" if rag.mode == "hybrid" else "hybrid", embedder=model),
        ]
        if rag.mode == "hybrid":
            others.append(attrs.evolve(rag, fusion="ranks"))
        specs = [json.dumps(r.spec, sort_keys=True) for r in [rag, *others]]

        assert len(set(specs)) == len(specs)
        assert json.loads(specs[0]) == rag.spec

    def test_a_copy_in_another_process_keeps_the_pin(self, rag):
        before = rag.snapshot
        build_index(rag.path, passages(z="sphere"), embedder=rag.embedder)

        assert pickle.loads(pickle.dumps(rag)).snapshot == before
        assert rag.latest().snapshot != before


class TestRefused:
    @pytest.mark.parametrize("mode", ["vector", "hybrid"])
    def test_vectors_need_an_embedder(self, built, mode, model):
        with pytest.raises(ConfigError, match="needs an embedder"):
            RagAugmenter(built, mode=mode)
        with pytest.raises(ConfigError, match="takes no embedder"):
            RagAugmenter(built, embedder=model)

    def test_other_names_are_refused(self, built, model):
        with pytest.raises(ConfigError, match="mode"):
            RagAugmenter(built, mode="fuzzy", embedder=model)
        with pytest.raises(ConfigError, match="fusion"):
            RagAugmenter(built, mode="hybrid", embedder=model, fusion="max")
        with pytest.raises(ConfigError, match="embedder"):
            RagAugmenter(built, mode="vector", embedder=StaticEmbedder)
        with pytest.raises(ConfigError, match="embedder"):
            build_index(built, passages(), embedder="minilm")

    def test_an_index_without_vectors_says_how_to_get_them(self, path, model):
        build_index(path, passages())
        with pytest.raises(KnowledgeError, match=r"no vectors.*build_index.*embedder="):
            RagAugmenter(path, mode="vector", embedder=model).context("sphere")

    def test_vectors_of_another_model_are_an_error(self, built, tmp_path):
        other = StaticEmbedder(static_model(tmp_path / "other", seed=7))
        with pytest.raises(KnowledgeError, match="another embedder"):
            RagAugmenter(built, mode="vector", embedder=other).context("sphere")

    def test_a_question_vector_of_another_length_is_an_error(self, path):
        build_index(path, passages(), embedder=Counting())
        odd = Counting()
        rag = RagAugmenter(path, mode="vector", embedder=odd)
        odd.embed = lambda texts, kind: np.ones((len(texts), 3), dtype=np.float32)
        with pytest.raises(KnowledgeError, match="gives 3 numbers.*have 8"):
            rag.context("x")

    def test_a_failing_embedder_changes_nothing(self, built, model):
        class Failing(Counting):
            def embed(self, texts, *, kind):
                raise RuntimeError("no more")

        with pytest.raises(RuntimeError, match="no more"):
            build_index(built, passages(z="new"), embedder=Failing())
        assert RagAugmenter(built).latest().location["version"] == 1

    def test_a_contract_is_saved_without_lancedb_too(self, built, tmp_path, monkeypatch):
        contract = PromptContract(template=TEMPLATE, augmenter=RagAugmenter(built))
        assert contract.augmenter.pin()
        monkeypatch.setitem(sys.modules, "lancedb", None)
        assert not contract.augmenter.pin()
        contract.save(tmp_path / "c.json")
        assert PromptContract.load(tmp_path / "c.json").snapshot == contract.snapshot

    def test_a_version_is_removed_only_with_its_tag(self, built, tmp_path, model):
        rag = RagAugmenter(built, mode="vector", embedder=model)
        PromptContract(template=TEMPLATE, augmenter=rag).save(tmp_path / "c.json")
        build_index(built, passages(z="sphere"), embedder=model)
        table = lancedb.connect(built.parent).open_table("corpus")
        with pytest.raises(RuntimeError, match="furytune-1"), pytest.warns(UserWarning, match="cleanup"):
            table.optimize(cleanup_older_than=timedelta(0))
        assert PromptContract.load(tmp_path / "c.json").snapshot == rag.snapshot

        table.tags.delete("furytune-1")
        with pytest.warns(UserWarning, match="cleanup"):
            table.optimize(cleanup_older_than=timedelta(0))
        with pytest.raises(SnapshotError, match="version 1 is missing"):
            RagAugmenter(built, version=1).context("sphere")
        with pytest.raises(ContractMismatchError, match=r"neither version 1.*build the index again"):
            PromptContract.load(tmp_path / "c.json")
