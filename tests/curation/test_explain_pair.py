"""Pipeline.explain_pair: what each step did to one pair, as text and as HTML."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import furytune as ft
from furytune.errors import ConfigError
from furytune.records import Dropped, QAPair
from furytune.testing import strategies as fs
from furytune.testing.fake_chat import FakeChat
from furytune.testing.memory import ListCollector, pair

TOKEN = "npm_" + "aB3" * 12
PAIRS = [
    pair("How do I draw a sphere?", "Call `actor.sphere`, then add it.", id="one"),
    pair("How do I log in?", f"Log in with\ntoken {TOKEN}\nand retry. Hope this helps!", id="two"),
    pair("how do I draw a sphere", "Call something else.", id="three"),
    pair("What does <b>this</b> mean?", "see screenshot", id="four"),
]
STEPS = [ft.RedactSecrets(), ft.LintAnswers(), ft.Deduplicate(), ft.CapPerAuthor(5)]


def pipeline(items=PAIRS, steps=STEPS) -> ft.Pipeline:
    return ft.Pipeline(collector=ListCollector(items), curators=steps)


def test_a_pair_that_is_kept_passes_every_step() -> None:
    told = pipeline().explain_pair("one")

    assert [(s.step, s.fate) for s in told.steps] == [
        ("collecting", "kept"),
        ("redact_secrets", "kept"),
        ("lint_answers", "kept"),
        ("deduplicate", "kept"),
        ("cap_per_author", "kept"),
    ]
    assert told.pair == PAIRS[0]


def test_an_edit_shows_the_lines_before_and_after() -> None:
    told = pipeline().explain_pair(PAIRS[1])
    edited = [s for s in told.steps if s.fate == "edited"]

    assert [s.step for s in edited] == ["redact_secrets", "lint_answers"]
    assert f"-token {TOKEN}" in edited[0].changes
    assert "+token [secret]" in edited[0].changes
    assert "+and retry." in edited[1].changes
    assert told.pair is not None
    assert told.pair.edits == ("redact_secrets", "lint_answers")


def test_a_drop_ends_the_story_with_reason_and_advice() -> None:
    told = pipeline().explain_pair("four")

    assert [s.step for s in told.steps] == ["collecting", "redact_secrets", "lint_answers"]
    assert told.steps[-1].dropped is not None
    assert told.steps[-1].dropped.reason == "lost_file"
    assert "Write what the file shows" in str(told)
    assert told.pair is None


def test_a_step_that_remembers_says_how_many_pairs_it_had_seen() -> None:
    told = pipeline().explain_pair("three")

    assert told.steps[-1].step == "deduplicate"
    assert told.steps[-1].earlier == 2
    assert "dropped as duplicate: same as one (after 2 pairs before it" in str(told)


def test_a_step_that_reads_all_pairs_first_says_so() -> None:
    told = pipeline(steps=[ft.NearDuplicates()]).explain_pair("one")
    assert told.steps[-1].said == "kept (after it had read all pairs)"


def test_what_the_collector_dropped_is_told_too(tmp_path) -> None:
    items = [*PAIRS, Dropped(reason="low_confidence", ids=("five",)), PAIRS[0]]

    told = pipeline(items).explain_pair("five")
    assert [(s.step, s.fate) for s in told.steps] == [("collecting", "dropped")]
    assert "low_confidence" in str(told)
    # The first pair with an id is the one that counts, also for a step that looks ahead.
    with FakeChat(lambda _: '{"grade": "good"}') as server:
        judge = ft.JudgePairs(ft.ChatService(server.url).model("fake"), cache=tmp_path / "grades")
        assert pipeline(items, [judge]).explain_pair("one").pair is not None


def test_everything_in_the_html_is_escaped() -> None:
    html = pipeline().explain_pair("four")._repr_html_()

    assert "&lt;b&gt;this&lt;/b&gt;" in html
    assert "<b>" not in html


def test_a_function_and_a_step_without_ids_are_told_as_far_as_known() -> None:
    def silent(one: QAPair) -> Dropped:
        return Dropped(reason="own:silent")

    told = pipeline(steps=[silent]).explain_pair("one")
    assert told.steps[-1].said == "dropped, without its id"


def test_a_judge_is_asked_about_the_pairs_that_it_is_given_in_a_run(tmp_path) -> None:
    with FakeChat(lambda text: '{"grade": "poor"}' if "log in" in text else '{"grade": "good"}') as server:
        model = ft.ChatService(server.url).model("fake", temperature=0.0)
        told = pipeline(steps=[ft.JudgePairs(model, cache=tmp_path / "grades")]).explain_pair("two")
    assert told.steps[-1].dropped is not None
    assert told.steps[-1].dropped.reason == "judged_poor"


@pytest.mark.parametrize("uid", ["nope", pair("Other?", "So.")])
def test_an_unknown_pair_is_refused(uid) -> None:
    with pytest.raises(ConfigError, match="no pair with this id"):
        pipeline().explain_pair(uid)


@given(fs.pairs(max_size=6), st.permutations(STEPS), st.data())
def test_the_explanation_agrees_with_the_pipeline(items, steps, data) -> None:
    if not items:
        return
    asked = data.draw(st.sampled_from(items))
    made = pipeline(items, steps)
    kept = {one.id: one for one in made.pairs()}
    told = made.explain_pair(asked.id)

    assert told.pair == kept.get(asked.id)
    for outcome in told.steps[1:]:
        assert outcome.before is not None
        if outcome.after is not None:
            assert (outcome.fate == "edited") is (outcome.after.answer != outcome.before.answer)
            assert attrs.evolve(outcome.after, answer="", edits=()) == attrs.evolve(
                outcome.before, answer="", edits=()
            )
    assert str(told)
    assert told._repr_html_()
