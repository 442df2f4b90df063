"""The parts that other packages test with keep their own promises: strategies, and parts in memory."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from furytune.errors import EmptyTextError
from furytune.normalize import Normalizer
from furytune.records import Dataset, Passage
from furytune.template import PromptTemplate
from furytune.testing import strategies as fs
from furytune.testing.memory import ListCollector, MemoryAugmenter, MemoryTuner, pair

NOW = datetime(2024, 1, 1, tzinfo=UTC)
TEMPLATE = PromptTemplate("Context:\n{context}\n\nQuestion:\n{question}")


def dataset(fingerprint: str = "f") -> Dataset:
    return Dataset(files=(), manifest="m.json", dialect="plain", fingerprint=fingerprint, snapshot="s")


class TestStrategies:
    @given(fs.texts())
    def test_texts_can_be_encoded(self, text):
        assert text.encode().decode() == text

    @given(fs.texts(min_size=2, max_size=3), fs.lines())
    def test_lines_have_no_line_breaks(self, text, line):
        assert not set(line) & {"\n", "\r"}
        assert isinstance(text, str)

    @given(fs.questions())
    def test_questions_are_left_by_the_normaliser(self, question):
        assert "how" in Normalizer()(question)

    @given(fs.moments())
    def test_moments_have_a_time_zone(self, moment):
        assert moment.utcoffset() == timedelta(0)
        assert moment.year >= 2015

    @pytest.mark.parametrize("dated", [True, False])
    def test_passages_are_dated_as_asked(self, dated):
        @given(fs.passages(dated=dated, max_size=4))
        def holds(passages):
            assert len(passages) <= 4
            assert len({p.id for p in passages}) == len(passages)
            assert all((p.date is not None) is dated for p in passages)

        holds()

    @pytest.mark.parametrize("context", [True, False])
    def test_templates_take_context_as_asked(self, context):
        @given(fs.templates(context=context))
        def holds(template):
            assert template.takes_context is context

        holds()

    @given(fs.pairs(max_size=5))
    def test_pairs_have_different_ids_and_shared_groups(self, pairs):
        assert len(pairs) <= 5
        assert len({p.id for p in pairs}) == len(pairs)
        assert {p.group for p in pairs} <= {f"thread-{n}" for n in range(5)}

    @pytest.mark.parametrize("kind", [True, False])
    def test_both_kinds_of_templates_and_dates_come_up(self, kind):
        # That one comes up is all; the smallest one is not wanted.
        calm = settings(max_examples=500, database=None, phases=[Phase.generate])
        assert find(fs.templates(), lambda t: t.takes_context is kind, settings=calm)
        assert find(fs.passages(), lambda ps: any((p.date is None) is kind for p in ps), settings=calm)
        assert find(fs.budgets(), lambda b: (b is None) is kind, settings=calm) or kind

    def test_a_nasty_string_comes_up_whole(self):
        calm = settings(max_examples=2_000, database=None)
        assert find(fs.texts(), lambda t: "\\Question:" in t, settings=calm) == "\\Question:"
        with pytest.raises(NoSuchExample):
            find(fs.texts(), lambda t: "\ud800" in t, settings=settings(max_examples=100, database=None))

    @pytest.mark.parametrize("text", fs.NASTY)
    def test_every_nasty_string_passes_a_template(self, text):
        prompt = TEMPLATE.render(text, [Passage(id="p", text=text)])

        assert TEMPLATE.parse(prompt).question == text
        assert TEMPLATE.parse(prompt).passages == (("p", text),)

    @pytest.mark.parametrize("text", fs.NASTY)
    def test_every_nasty_string_is_normalised_or_refused_as_empty(self, text):
        try:
            once = Normalizer(bot_ids=["1"])(text)
        except EmptyTextError:
            return
        assert Normalizer(bot_ids=["1"])(once) == once


class TestMemoryAugmenter:
    @given(fs.passages(max_size=8), fs.questions(), fs.moments(), st.integers(0, 9))
    def test_a_smaller_k_finds_the_first_of_more(self, passages, question, at, k):
        many = MemoryAugmenter(passages, k=99).context(question, at=at)

        assert MemoryAugmenter(passages, k=k).context(question, at=at) == many[:k]

    @given(fs.passages(max_size=8), fs.questions(), fs.moments())
    def test_what_is_found_shares_a_word_with_the_question(self, passages, question, at):
        asked = set(re.findall(r"\w+", question.casefold()))
        for found in MemoryAugmenter(passages, k=99).context(question, at=at):
            assert asked & set(re.findall(r"\w+", f"{found.title} {found.text}".casefold()))

    def test_most_shared_words_come_first_and_ties_by_id(self):
        made = MemoryAugmenter(
            [
                Passage(id="c", text="draw a sphere"),
                Passage(id="a", text="sphere"),
                Passage(id="b", title="Sphere", text="."),
                Passage(id="d", text="cube"),
            ]
        )

        assert [p.id for p in made.context("Draw a SPHERE!")] == ["c", "a", "b"]

    def test_without_a_moment_a_question_is_asked_now(self):
        past = Passage(id="past", text="sphere", date=NOW)
        future = Passage(id="future", text="sphere", date=datetime.now(UTC) + timedelta(days=999))
        made = MemoryAugmenter([past, future])

        assert [p.id for p in made.context("sphere")] == ["past"]
        assert made.context("sphere", at=NOW) == ()

    @pytest.mark.parametrize("field", ["id", "text", "title", "source", "url"])
    def test_every_field_of_a_passage_is_in_the_snapshot(self, field):
        one = Passage(id="p", text="t")
        other = Passage(**{"id": "p", "text": "t", field: "another"})

        assert MemoryAugmenter([one]).snapshot != MemoryAugmenter([other]).snapshot
        assert MemoryAugmenter([one]).snapshot == MemoryAugmenter([one], k=9).snapshot


class TestMemoryTuner:
    def test_one_key_is_one_job_also_after_a_restart(self):
        jobs = {}
        first = MemoryTuner(jobs).submit(dataset(), key="a")
        again = MemoryTuner(jobs).submit(dataset("other"), key="a")
        second = MemoryTuner(jobs).submit(dataset(), key="b")

        assert first is again
        assert (first.name, second.name) == ("jobs/1", "jobs/2")
        assert MemoryTuner(jobs).find("b") == MemoryTuner(jobs).poll(second) == second
        assert MemoryTuner(jobs).find("c") is None

    def test_tuners_share_no_jobs_unless_told(self):
        MemoryTuner().submit(dataset(), key="a")
        assert MemoryTuner().find("a") is None

    def test_an_empty_data_set_is_a_problem(self):
        assert MemoryTuner().estimate(dataset()).problems == ("there are no rows",)


class TestListCollector:
    def test_each_call_starts_from_the_beginning(self):
        made = ListCollector(pair(f"{n}?", "so") for n in range(3))

        assert list(made.collect()) == list(made.collect())
        assert len(list(made.collect())) == 3

    def test_a_pair_has_an_id_made_from_its_text(self):
        assert pair("a", "b") == pair("a", "b")
        assert len({pair(q, a).id for q, a in (("a", "b"), ("ab", ""), ("b", "a"), ("a", "b "))}) == 4
        assert pair("a", "b", id="mine", group="ours").group == "ours"
