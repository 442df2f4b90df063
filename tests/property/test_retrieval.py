"""Laws of retrieval: the result depends only on question, moment and visible passages."""

from __future__ import annotations

import math
import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scoring import LARGE, analyze, lexical, search, words

from furytune.augmenters.rag import RagAugmenter, build_index
from furytune.records import Passage
from furytune.testing.strategies import texts

START = datetime(2024, 1, 1, tzinfo=UTC)
WORD_LIST = (
    "actor set_opacity opacity ShowManager show manager fury.actor.sphere sphere sphere sphere the of how "
    "rotated rotation slice slices 日本語 日本 naïve cafe\u0301 café ß SS \U0001f469 3d 1.5 X x"
)
WORDS = WORD_LIST.split()

phrases = st.lists(st.one_of(st.sampled_from(WORDS), texts(max_size=2)), max_size=8).map(" ".join)
dates = st.integers(0, 4).map(lambda n: START + timedelta(days=n))
undated_or_dated = st.none() | dates


def corpora(date=undated_or_dated):
    one = st.tuples(phrases, phrases.map(lambda t: " ".join(t.split())), date)
    return st.lists(one, min_size=1, max_size=10).map(
        lambda found: [
            Passage(id=f"p{i}", text=text, title=title, date=day)
            for i, (text, title, day) in enumerate(found)
        ]
    )


def index_of(passages, **options):
    ordered = sorted(passages, key=lambda p: p.id)
    return ordered, *lexical(ordered, **options)


def found(passages, question, at, k=3):
    if not passages:
        return []
    ordered, moments, index = index_of(passages)
    return [ordered[i].id for i in index.top([question], [moments.visible(at)], k)[0]]


def scores(passages, question, at):
    """Returns the scores that are not 0, exactly."""
    if not passages:
        return {}
    ordered, moments, index = index_of(passages)
    row = index.scores([question], [moments.visible(at)])[0].tolist()
    return {p.id: s for p, s in zip(ordered, row, strict=False) if s}


class TestAsOf:
    """A question sees older passages as if later ones did not exist."""

    @given(corpora(), phrases, dates, st.integers(1, 11))
    def test_later_passages_change_nothing(self, passages, question, at, k):
        visible = [p for p in passages if p.date is None or p.date < at]

        assert found(visible, question, at, k) == found(passages, question, at, k)
        assert scores(visible, question, at) == scores(passages, question, at)

    @given(corpora(dates), phrases, dates)
    def test_nothing_dated_at_or_after_the_question_is_found(self, passages, question, at):
        date = {p.id: p.date for p in passages}

        assert all(date[i] < at for i in found(passages, question, at, k=99))


class TestOrder:
    """Passages are ordered by score, then id, for any other arguments."""

    @given(corpora(), phrases, dates, st.integers(1, 11))
    def test_fewer_passages_are_the_first_of_more(self, passages, question, at, k):
        assert found(passages, question, at, k) == found(passages, question, at, 99)[:k]

    @given(corpora(), st.lists(st.tuples(phrases, dates), max_size=8), st.data())
    def test_single_questions_and_batches_find_the_same(self, passages, asked, data):
        _, moments, index = index_of(passages)
        seen = [moments.visible(at) for _, at in asked]
        questions = [q for q, _ in asked]
        alone = [index.top([q], [v], 3)[0] for q, v in zip(questions, seen, strict=True)]
        cut = data.draw(st.integers(0, len(asked)))

        assert alone == index.top(questions, seen, 3)
        assert alone == index.top(questions[:cut], seen[:cut], 3) + index.top(questions[cut:], seen[cut:], 3)

    @given(phrases, st.integers(2, 9), st.integers(1, 9))
    def test_equal_passages_are_ordered_by_id(self, text, copies, k):
        passages = [Passage(id=f"p{i}", text=f"sphere {text}") for i in range(copies)]

        assert [f"p{i}" for i in range(copies)][:k] == found(passages, "sphere", START, k)

    @given(corpora(st.none()), phrases)
    def test_scores_are_bm25(self, passages, question):
        """A second implementation in plain floating point gives the same scores, except for rounding."""
        expected = naive_scores(passages, question)
        exact = scores(passages, question, START)

        assert all(s == int(s) for s in exact.values())
        assert {i: exact.get(i, 0) / 2**26 for i in expected} == pytest.approx(expected, rel=0.02, abs=1e-4)


def naive_scores(passages, question):
    """BM25 as its authors write it, one passage at a time."""
    counts, lengths = {}, {}
    for p in passages:
        count: Counter[str] = Counter()
        length = 0
        for text in (p.title, p.title, p.title, p.text):
            for word in words(text):
                parts, compounds = analyze(word)
                count.update(parts + compounds)
                length += len(parts)
        counts[p.id], lengths[p.id] = count, length
    mean = sum(lengths.values()) / len(passages) or 1
    asked = Counter(t for w in words(question) for part in analyze(w) for t in part)
    scores = dict.fromkeys(counts, 0.0)
    for term, times in asked.items():
        df = sum(term in c for c in counts.values())
        idf = math.log(1 + (len(passages) - df + 0.5) / (df + 0.5))
        for i, c in counts.items():
            norm = 1.5 * (0.25 + 0.75 * lengths[i] / mean)
            scores[i] += (
                times * 2.2 / (times + 1.2) * idf * c[term] * 2.5 / (c[term] + norm) if c[term] else 0
            )
    return scores


class Letters:
    """An embedder whose vectors count letters. Last digits may differ in a batch, so each question is embedded alone."""

    spec = {"name": "letters"}

    def embed(self, texts, *, kind):
        assert kind == "passage" or len(texts) == 1
        return np.array([[t.lower().count(c) + 0.1 * len(texts) ** 0.5 for c in "aeiorst日"] for t in texts])


def searched(passages, fusion):
    return search(sorted(passages, key=lambda p: p.id), Letters(), fusion=fusion)


class TestVectors:
    """The same laws with vectors."""

    @given(corpora(), phrases, dates, st.integers(1, 11), st.sampled_from(["scores", "ranks"]))
    def test_later_passages_change_nothing(self, passages, question, at, k, fusion):
        visible = [p for p in passages if p.date is None or p.date < at]
        found = []
        for some in (visible, passages):
            made = searched(some, fusion) if some else None
            rows = made.top([question], [made.moments.visible(at)], k) if made else [[]]
            found.append([made.passages[i].id for i in rows[0]] if made else [])

        assert found[0] == found[1]

    @given(corpora(st.none()), phrases, st.integers(0, 40))
    def test_scores_are_those_without_later_passages(self, passages, question, later):
        """Exactly equal, although scores are relative to a spread, which later passages must not widen."""
        more = [Passage(id=f"q{i:02}", text=f"sphere cube {i}", date=START) for i in range(later)]
        one, other = (searched(some, "scores") for some in (passages, passages + more))
        seen = len(one.passages)
        rows = [made.scores([question], [seen])[-1][0, :seen].tolist() for made in (one, other)]
        assert rows[0] == rows[1]

    @given(corpora(), st.lists(st.tuples(phrases, dates), max_size=8), st.sampled_from(["scores", "ranks"]))
    def test_single_questions_and_a_batch_find_the_same(self, passages, asked, fusion):
        made = searched(passages, fusion)
        seen = [made.moments.visible(at) for _, at in asked]
        questions = [q for q, _ in asked]

        alone = [made.top([q], [v], 3)[0] for q, v in zip(questions, seen, strict=True)]
        assert alone == made.top(questions, seen, 3)


class TestShortcut:
    """Skipping passages that cannot be among the best changes nothing, not even for ties."""

    @given(st.lists(phrases, min_size=1, max_size=60), phrases, st.integers(1, 12))
    def test_the_best_equal_those_of_a_full_ranking(self, bodies, question, k):
        passages = [Passage(id=f"p{i:02}", text=text) for i, text in enumerate(bodies)]
        _, _, index = index_of(passages)
        _, _, shortcut = index_of(passages, large=0)
        everything = index.top([question], [len(passages)], len(passages))[0]

        assert shortcut.top([question], [len(passages)], k)[0] == everything[:k]

    def test_many_passages_without_a_word_find_nothing(self):
        _, _, index = index_of([Passage(id=f"p{i:05}", text="???") for i in range(LARGE)])
        assert index.top(["sphere", "???"], [LARGE, LARGE], 3) == [[], []]

    def test_many_passages_take_the_shortcut_with_the_same_ranking(self):
        """There are enough passages to take the same path as in real use, with terms of every frequency."""
        rnd = random.Random(5)
        rare = [f"w{int(rnd.paretovariate(0.5)) % 3000}" for _ in range(4000)]
        passages = [Passage(id=f"p{i:05}", text=" ".join(rnd.choices(rare, k=8))) for i in range(LARGE + 100)]
        _, moments, index = index_of(passages)
        _, _, slow = index_of(passages, large=len(passages) + 1)
        visible = moments.visible(START)
        for _ in range(60):
            question = " ".join(rnd.choices(rare, k=rnd.randint(1, 7)))
            assert index.top([question], [visible], 10) == slow.top([question], [visible], 10)
        assert "_many" in vars(index)


class TestTable:
    """The same laws for passages from a table. It has few examples, because each one writes two tables."""

    @settings(max_examples=15)
    @given(
        passages=corpora(), asked=st.lists(st.tuples(phrases, st.none() | dates), max_size=5), data=st.data()
    )
    def test_the_order_of_insertion_changes_nothing(self, tmp_path_factory, passages, asked, data):
        passages = [p for p in passages if p.text.strip()] or [Passage(id="p", text="sphere")]
        shuffled = data.draw(st.permutations(passages))
        cut = data.draw(st.integers(0, len(shuffled)))
        folder = tmp_path_factory.mktemp("order")
        one, other = folder / "one.lance", folder / "other.lance"
        build_index(one, passages)
        build_index(other, shuffled[:cut], shuffled[cut:])
        questions, at = [q for q, _ in asked], [a for _, a in asked]

        assert RagAugmenter(one).contexts(questions, at=at) == RagAugmenter(other).contexts(questions, at=at)
        assert RagAugmenter(one).snapshot == RagAugmenter(other).snapshot

    @settings(max_examples=15)
    @given(passages=corpora())
    def test_a_table_returns_the_stored_passages(self, tmp_path_factory, passages):
        passages = [p for p in passages if p.text.strip()] or [Passage(id="p", text="sphere")]
        path = tmp_path_factory.mktemp("same") / "corpus.lance"
        build_index(path, passages)
        at = START + timedelta(days=9)

        context = RagAugmenter(path, k=99).context(" ".join(WORDS), at=at)
        assert {p.id: p for p in context}.items() <= {p.id: p for p in passages}.items()
