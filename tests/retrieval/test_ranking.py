"""Faults in retrieval and corpora that no other test would notice."""

from __future__ import annotations

import pickle
import random
import shutil
import sys
import unicodedata
from datetime import UTC, datetime, timedelta
from functools import partial

import attrs
import numpy as np
import pytest
from models import onnx_model, static_model
from scoring import MaxScore, lexical, postings_of, read_postings, whole

from furytune._python_source.files import Unique
from furytune.augmenters._search.rerank import reordered
from furytune.augmenters.embedders import OnnxEmbedder, StaticEmbedder
from furytune.augmenters.rag import Distractors, RagAugmenter, build_index
from furytune.corpora.markup import markup
from furytune.corpora.python_package import python_package
from furytune.errors import KnowledgeError, MissingExtraError, SnapshotError
from furytune.records import Passage

START = datetime(2024, 1, 1, tzinfo=UTC)


def passages(count=9):
    return [Passage(id=f"p{i}", text=f"sphere actor {i}", source=f"{i}.py:1") for i in range(count)]


class TestManyPassages:
    """Compares the shortcut that skips most passages with scoring all of them."""

    @pytest.mark.parametrize(
        ("often", "scatter", "rows"),
        [(32, 16, 16_000_000), (0, 0, 0), (0, 10**9, 0), (10**9, 0, 10**9), (10**9, 0, 700)],
    )
    def test_every_lookup_of_a_weight_gives_the_same(self, often, scatter, rows):
        """A dense row, a scattered list and a binary search give the same weight; so do all three when rows are few."""
        rnd = random.Random(8)
        names = [f"w{int(rnd.paretovariate(0.7)) % 60}" for _ in range(500)]
        ordered = [Passage(id=f"p{i:03}", text=" ".join(rnd.choices(names, k=6))) for i in range(300)]
        shortcut = partial(MaxScore, often=often, scatter=scatter, numbers=rows, tried=20)
        _, index = lexical(ordered, large=0, shortcut=shortcut)
        _, whole_index = lexical(ordered)
        for _ in range(150):
            question = " ".join(rnd.choices(names, k=rnd.randint(1, 6)))
            everything = whole_index.top([question], [300], 300)[0]

            assert index.top([question], [300], 5) == [everything[:5]]

    def test_passages_that_just_reach_the_bound_are_compared(self):
        """Two words of equal weight, where the rarer one comes last: all passages tie, and the smallest ids win."""
        ordered = [Passage(id=f"p{i}", text="cube" if i < 4 else "sphere") for i in range(8)]
        shortcut = MaxScore(postings_of(ordered), np.full(8, 1000.0), np.arange(8))

        assert shortcut.top([{0: 64.0, 1: 64.0}], 3) == [[0, 1, 2]]
        assert shortcut.top([{0: 32.0, 1: 64.0}], 5) == [[4, 5, 6, 7, 0]]

    def test_one_early_question_among_many_late_ones_sees_no_later_passage(self):
        dated = [
            Passage(id=f"p{i}", text=f"sphere actor {i}", date=START + timedelta(days=i)) for i in range(9)
        ]
        moments, index = lexical(dated, large=5)
        seen = [moments.visible(START + timedelta(days=days)) for days in (2, 99)]

        assert [sorted(row) for row in index.top(["sphere"] * 2, seen, 9)] == [[0, 1], [*range(9)]]


class TestNumbers:
    def test_passages_of_only_compounds_are_found(self, tmp_path):
        build_index(
            tmp_path / "corpus.lance", [Passage(id="a", text="is_in"), Passage(id="b", text="on_off")]
        )
        found = RagAugmenter(tmp_path / "corpus.lance").context("how do I call is_in")

        assert [p.id for p in found] == ["a"]

    def test_an_opposite_vector_does_not_lower_the_words(self, tmp_path):
        class Signed:
            spec = {"name": "signed"}

            def embed(self, texts, *, kind):
                return np.array([[-1.0 if "away" in t or kind == "question" else 1.0, 0.5] for t in texts])

        texts = {"a": "cube", "b": "cube sphere away", "c": "text away", "d": "sphere"}
        build_index(
            tmp_path / "corpus.lance", [Passage(id=i, text=t) for i, t in texts.items()], embedder=Signed()
        )
        rag = RagAugmenter(tmp_path / "corpus.lance", mode="hybrid", embedder=Signed())
        by_words, by_vectors, _ = rag.searched.scores(["sphere"], [4])

        assert by_words[0, 3] > 0
        assert by_vectors.min() == 0
        assert {p.id for p in rag.context("sphere")} == {"b", "c", "d"}

    def test_rows_without_numbers_are_refused(self):
        with pytest.raises(KnowledgeError, match=r"shape \(2, 0\)"):
            whole(np.zeros((2, 0)), 2, "empty")

    def test_hidden_passages_do_not_affect_the_fusion(self, tmp_path):
        """Not only the order: the sums of scores are equal to the last bit."""

        class Lengths:
            spec = {"name": "lengths"}

            def embed(self, texts, *, kind):
                return np.array([[1.0, len(t) % 5 - 2.0] for t in texts])

        older = [Passage(id=f"a{i}", text="sphere " * (i + 1)) for i in range(9)]
        newer = [Passage(id=f"b{i}", text=f"sphere cube {i}", date=START) for i in range(40)]
        sums = []
        for name, made in (("few", older), ("many", older + newer)):
            build_index(tmp_path / f"{name}.lance", made, embedder=Lengths())
            rag = RagAugmenter(tmp_path / f"{name}.lance", mode="hybrid", embedder=Lengths())
            sums.append(rag.searched.scores(["sphere cube"], rag.visible([START]))[-1][0, :9])
        assert sums[0].tobytes() == sums[1].tobytes()


class TestKept:
    def test_equal_vectors_of_another_model_make_a_version(self, tmp_path):
        class Model:
            def __init__(self, version):
                self.spec = {"name": "model", "version": version}

            def embed(self, texts, *, kind):
                return np.ones((len(texts), 2))

        path = tmp_path / "corpus.lance"
        build_index(path, passages(), embedder=Model(1))
        assert not build_index(path, passages(), embedder=Model(1)).written
        assert build_index(path, passages(), embedder=Model(2)).written
        assert len(RagAugmenter(path, mode="vector", embedder=Model(2)).context("x")) == 4
        assert len(RagAugmenter(path, mode="vector", embedder=Model(1), version=1).context("x")) == 4

    def test_words_counted_by_another_unicode_are_counted_again(self, monkeypatch):
        made = postings_of(passages())
        raw = made.to_bytes("sha256:0")
        assert read_postings(raw, "sha256:0") is not None
        assert read_postings(raw, "sha256:1") is None
        monkeypatch.setattr(unicodedata, "unidata_version", "0.0.0")
        assert read_postings(raw, "sha256:0") is None


class TestBesideTheBest:
    def test_a_distractor_is_never_among_the_hundred_best(self, tmp_path):
        """Twenty of the 120 passages are not among the hundred best, and each question gets three of them."""
        texts = [f"sphere {'cube ' * (i + 1)}" for i in range(120)]
        build_index(tmp_path / "corpus.lance", [Passage(id=f"p{i:03}", text=t) for i, t in enumerate(texts)])
        far = {p.id for p in RagAugmenter(tmp_path / "corpus.lance", k=120).context("sphere")[100:]}
        rag = RagAugmenter(tmp_path / "corpus.lance", k=2)
        best = {p.id for p in rag.context("sphere")}
        seen = set()
        for seed in range(20):
            edit = Distractors(1.0, count=3, seed=seed)
            mixed = {p.id for p in edit.apply("sphere", rag.context("sphere"), at=None, augmenter=rag)} - best
            assert len(mixed) == 3
            seen |= mixed
        assert seen <= far

    def test_noise_in_re_ranker_scores_keeps_the_order(self):
        class Noisy:
            depth = 3
            spec = {"name": "noisy"}

            def score(self, question, passage):
                return {"p0": 0.5, "p1": 0.5 + 1e-9, "p2": 0.6}[passage.id]

        assert reordered(Noisy(), "", [0, 1, 2], passages(3)) == [2, 0, 1]

    def test_a_re_ranker_sees_its_depth_and_the_others_follow(self, tmp_path):
        class Backwards:
            depth = 3
            spec = {"name": "backwards"}

            def score(self, question, passage):
                assert passage.id in ("p0", "p1", "p2")
                return int(passage.id[1:])

        build_index(
            tmp_path / "corpus.lance", [Passage(id=f"p{i}", text="sphere" + "!" * i) for i in range(9)]
        )
        rag = RagAugmenter(tmp_path / "corpus.lance", k=5, rerank=Backwards())
        assert [p.id for p in rag.context("sphere")] == ["p2", "p1", "p0", "p3", "p4"]
        assert [p.id for p in attrs.evolve(rag, k=2).context("sphere")] == ["p2", "p1"]

    def test_explain_orders_ties_by_id_and_skips_later_passages(self, tmp_path):
        made = [
            Passage(id=f"p{i}", text="sphere" + "!" * i, date=START + timedelta(days=i) if i > 3 else None)
            for i in range(9)
        ]
        build_index(tmp_path / "corpus.lance", made)
        rag = RagAugmenter(tmp_path / "corpus.lance", k=2)
        found = rag.explain("sphere", at=START)

        assert [(f.passage.id, f.fate, f.ranks["words"]) for f in found] == [
            ("p0", "found", 1),
            ("p1", "found", 2),
            ("p2", "beyond_k", 3),
            ("p3", "beyond_k", 4),
        ]
        later = attrs.evolve(rag, k=6).explain("sphere", at=START)
        assert [(f.passage.id, f.fate) for f in later[4:]] == [("p4", "later"), ("p5", "later")]


class TestNames:
    def test_a_third_passage_keeps_its_id_without_the_second(self):
        one, other = Unique(), Unique()
        with_all = {text: one("m.f", text) for text in ("x", "y", "z")}
        without = {text: other("m.f", text) for text in ("x", "z")}

        assert without == {text: with_all[text] for text in ("x", "z")}
        assert len(set(with_all.values())) == 3


class TestHeadings:
    def test_the_id_of_a_heading_is_not_in_its_title(self, tmp_path):
        """Pandoc, MkDocs and MyST remove it, so no reader of the page sees it."""
        (tmp_path / "a.md").write_text(
            "# Use it { #use .wide }\n\nText.\n\n## A `dict` {a}\n\nMore.\n\n```\n# x {#y}\n```\n"
        )
        first, second = (p for p in markup(tmp_path / "a.md") if isinstance(p, Passage))

        assert (first.title, first.text) == ("Use it", "# Use it\n\nText.")
        assert second.title == "Use it > A `dict` {a}"
        assert "# x {#y}" in second.text

    def test_a_page_cannot_forge_anchor_marks(self, tmp_path):
        pytest.importorskip("markdownify")
        (tmp_path / "a.html").write_text(
            "<main><h1 id=real>One \ue000forged\ue001</h1><p>Text.</p></main>", encoding="utf-8"
        )
        (found,) = (p for p in markup(tmp_path, suffixes=(".html",)) if isinstance(p, Passage))

        assert (found.title, found.source) == ("One forged", f"{tmp_path.name}/a.html#real")

    def test_a_similar_package_name_gives_no_shorter_name(self, tmp_path):
        for name, text in {
            "ab/__init__.py": "from abc_.m import f\nfrom ab.m import g\n",
            "ab/m.py": "def g(): pass\n",
            "abc_/__init__.py": "",
            "abc_/m.py": "def f(): pass\n",
        }.items():
            (tmp_path / "all" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "all" / name).write_text(text)
        found = {p.id: p.text for p in python_package(tmp_path / "all") if isinstance(p, Passage)}

        assert found == {"ab.m.g": "# ab.g\ndef g()", "abc_.m.f": "def f()"}


class TestFaultsOfOthers:
    def test_rows_of_different_lengths_are_refused(self, tmp_path):
        class Ragged:
            spec = {"name": "ragged"}

            def embed(self, texts, *, kind):
                return [[1.0] * (1 + i % 2) for i in range(len(texts))]

        with pytest.raises(KnowledgeError, match="ragged gave rows of different lengths for 9 texts"):
            build_index(tmp_path / "corpus.lance", passages(), embedder=Ragged())

    def test_a_build_without_lancedb_fails_at_once(self, tmp_path, monkeypatch):
        monkeypatch.setitem(sys.modules, "lancedb", None)
        monkeypatch.setitem(sys.modules, "pyarrow", None)

        def source():
            raise AssertionError("read")
            yield

        with pytest.raises(MissingExtraError):
            build_index(tmp_path / "corpus.lance", source())
        with pytest.raises(MissingExtraError):
            build_index(tmp_path / "corpus.lance", passages())
        assert not list(tmp_path.iterdir())

    def test_a_manifest_that_makes_lance_panic_raises_our_error(self, tmp_path):
        path = tmp_path / "corpus.lance"
        build_index(path, passages())
        shutil.rmtree(path / "_furytune")
        (manifest,) = (path / "_versions").glob("*.manifest")
        raw = bytearray(manifest.read_bytes())
        raw[:4] = (1 << 28).to_bytes(4, "little")  # the length of what follows
        manifest.write_bytes(raw)

        with pytest.raises(SnapshotError):
            RagAugmenter(path, version=1).context("sphere")
        with pytest.raises(KnowledgeError, match="no complete index"):
            RagAugmenter(path).context("sphere")
        with pytest.raises(KnowledgeError, match="cannot be opened"):
            build_index(path, passages())


class TestModelFiles:
    @pytest.fixture(params=["static", "onnx"])
    def model(self, tmp_path, request):
        if request.param == "static":
            return StaticEmbedder(static_model(tmp_path / "model"))
        return OnnxEmbedder(onnx_model(tmp_path / "model"))

    @pytest.mark.parametrize("part", ["model", "tokenizer"])
    def test_a_file_changed_after_its_digest_is_refused(self, model, part):
        """Otherwise the contract would name a model that was never used."""
        assert model.spec
        path = model._model if part == "model" else model.tokenizer
        raw = path.read_bytes()
        path.write_bytes(raw + b"\n" if part == "tokenizer" else raw[:-1] + bytes([raw[-1] ^ 1]))

        for one in (model, pickle.loads(pickle.dumps(model))):
            with pytest.raises(KnowledgeError):
                one.embed(["sphere"], kind="question")
        path.write_bytes(raw)
        assert len(pickle.loads(pickle.dumps(model)).embed(["sphere"], kind="question")) == 1
