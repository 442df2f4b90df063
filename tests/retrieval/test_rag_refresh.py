"""Building an index again: unchanged parts are reused, and a killed build leaves the last version."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import attrs
import lancedb
import pytest
from builders import kill, rounds_with_vectors, vector_round
from hypothesis import given, settings
from hypothesis import strategies as st
from models import WORDS, Counting
from scoring import analyze, postings_of, read_postings

from furytune.augmenters.rag import RagAugmenter, build_index
from furytune.records import Passage

DAY = datetime(2024, 1, 1, tzinfo=UTC)


def passages(count, salt="", dated=0):
    rnd = random.Random(f"{salt}{count}")
    return [
        Passage(
            id=f"p{i:04}",
            text=" ".join([f"n{i}", *rnd.choices(WORDS, k=12)]),
            title=rnd.choice(WORDS),
            source=f"{i}.py:1",
            date=DAY + timedelta(days=rnd.randrange(9)) if rnd.random() < dated else None,
        )
        for i in range(count)
    ]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "corpus.lance"


def versions(path):
    return len(lancedb.connect(path.parent).open_table("corpus").list_versions())


class TestRefresh:
    def test_only_changes_are_embedded(self, path):
        first, counting = passages(50), Counting()
        build_index(path, first, embedder=counting)
        assert len(counting.passages) == 50
        counting.calls.clear()
        second = [attrs.evolve(first[3], text="other"), *first[5:], Passage(id="q", text="new")]
        report = build_index(path, second, embedder=counting)

        assert sorted(counting.passages) == sorted(["new", f"{first[3].title}\nother"])
        assert (report.embedded, report.unchanged, report.removed, report.passages) == (2, 45, 4, 47)
        assert versions(path) == 2

    def test_only_changes_are_analysed(self, path, monkeypatch):
        first, seen = passages(50), []
        build_index(path, first)
        monkeypatch.setattr(
            "furytune.augmenters._search.postings.analyze", lambda w: seen.append(w) or analyze(w)
        )
        build_index(path, [*first[1:], Passage(id="q", text="brand new words")])

        assert seen == ["brand", "new", "words"]

    def test_the_same_text_elsewhere_is_not_embedded_again(self, path):
        first, counting = passages(20), Counting()
        build_index(path, first, embedder=counting)
        counting.calls.clear()
        moved = [attrs.evolve(p, id=f"x{p.id}", source="moved.py:9", date=DAY) for p in first]
        build_index(path, moved, embedder=counting)

        assert counting.passages == []

    def test_equal_texts_are_embedded_once(self, path):
        counting = Counting()
        build_index(path, [Passage(id=f"{i}", text="same") for i in range(9)], embedder=counting)
        assert counting.passages == ["same"]

    def test_another_model_embeds_everything(self, path):
        build_index(path, passages(20), embedder=Counting())
        other = Counting("other")
        build_index(path, passages(20), embedder=other)

        assert len(other.passages) == 20

    def test_reused_parts_equal_a_build_from_the_beginning(self, path):
        """After ten changes, the files of an index equal those of a new index from the last sources."""
        rnd, held = random.Random(4), passages(60, dated=0.5)
        for n in range(10):
            held = [p for p in held if rnd.random() > 0.2]
            held += [attrs.evolve(p, id=f"r{n}-{p.id}") for p in passages(15, salt=n, dated=0.5)]
            held = [attrs.evolve(p, text=p.text + " mesh") if rnd.random() < 0.1 else p for p in held]
            last = build_index(path, rnd.sample(held, len(held)), embedder=Counting())
        assert last.version == 10
        fresh = path.parent / "fresh.lance"
        build_index(fresh, held, embedder=Counting())

        for ending in ("postings", "vectors"):
            ours = path / "_furytune" / f"{last.version}.{ending}"
            assert ours.read_bytes() == (fresh / "_furytune" / f"1.{ending}").read_bytes()

    def test_no_index_and_no_old_row_is_left(self, path):
        build_index(path, passages(30), embedder=Counting())
        build_index(path, passages(10), embedder=Counting())
        table = lancedb.connect(path.parent).open_table("corpus")

        assert table.count_rows() == 10
        assert list(table.list_indices()) == []

    def test_another_tokenizer_version_analyses_everything_again(self, path, monkeypatch):
        first = passages(5)
        build_index(path, first)
        copy = path / "_furytune" / "1.postings"
        stale = copy.read_bytes()
        monkeypatch.setattr("furytune.augmenters._search.postings.TOKENIZER_VERSION", 99)

        assert read_postings(stale, RagAugmenter(path).snapshot) is None
        build_index(path, [*first, Passage(id="z", text="x")])
        newest = (path / "_furytune" / "2.postings").read_bytes()
        assert read_postings(newest, RagAugmenter(path).snapshot) is not None

    @settings(max_examples=50)
    @given(st.lists(st.text(alphabet="ab _.A日\n", max_size=9), min_size=1, max_size=8), st.data())
    def test_postings_come_back_and_are_reused_exactly(self, texts, data):
        made = [Passage(id=f"{i}", text=t) for i, t in enumerate(texts)]
        some = data.draw(st.lists(st.sampled_from(made), unique_by=lambda p: p.id))
        some.sort(key=lambda p: p.id)
        whole = postings_of(made)
        raw = whole.to_bytes("s")

        assert read_postings(raw, "s").to_bytes("s") == raw
        assert read_postings(raw, "other") is None
        assert read_postings(raw[:-1], "s") is None
        anew = postings_of(some).to_bytes("s")
        assert anew == postings_of(some, before=(made, whole)).to_bytes("s")


class TestKilled:
    def test_a_killed_build_keeps_the_last_complete_version(self, path):
        """A build is killed at random moments; the newest version always has its passages, vectors and postings."""
        build_index(path, vector_round(-1), embedder=Counting())
        rnd = random.Random(6)
        for n in range(8):
            kill(rounds_with_vectors, path, n * 1000, after=rnd.uniform(0.0, 0.6))
            found = RagAugmenter(path, k=400, mode="hybrid", embedder=Counting()).context("sphere")
            rounds = {p.text.split()[1] for p in found}
            assert (len(found), len(rounds)) == (400, 1)
        assert build_index(path, passages(3), embedder=Counting()).passages == 3
