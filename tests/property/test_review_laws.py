"""Laws of decisions: the file against a list, any order of steps, and what each decision may change."""

from __future__ import annotations

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

import furytune as ft
from furytune.records import Dropped
from furytune.testing import strategies as fs
from furytune.testing.memory import ListCollector, pair

TOKEN = "npm_" + "aB3" * 12
WORDS = st.sampled_from(["Why?", "Call `cube`.", f"Use {TOKEN}.", "a\nb", "“ﬁ”", "=1"])
REVIEWERS = st.sampled_from(["", "anna", "ben"])
acts = st.lists(
    st.tuples(
        st.sampled_from(["accept", "drop", "question", "answer", "merge", "undo"]),
        st.integers(0, 3),
        WORDS,
        REVIEWERS,
    ),
    max_size=12,
)
ITEMS = [
    pair(f"How {n}?", f"So {n}, with {TOKEN}.", id=f"p:{n}", method="link", confidence=0.4) for n in range(4)
]


def perform(decisions, act, n, text, by):
    one = ITEMS[n]
    if act == "drop":
        return decisions.drop(one, reason="wrong", by=by)
    if act == "merge":
        return decisions.merge(one, into=ITEMS[(n + 1) % 4], by=by)
    if act in ("question", "answer"):
        return getattr(decisions, act)(one, text, by=by)
    return getattr(decisions, act)(one, by=by)


def curated(items, *steps):
    return list(ft.Pipeline(collector=ListCollector(items), curators=list(steps)).pairs())


@settings(max_examples=40)
@given(acts)
def test_the_file_holds_what_a_list_would_hold(tmp_path_factory, done) -> None:
    """Two objects on one file, as two processes have, against a plain dictionary."""
    path = tmp_path_factory.mktemp("laws") / "review.jsonl"
    writers = [ft.Decisions(path), ft.Decisions(path)]
    model: dict[str, tuple[str, str, str]] = {}
    revision = 0
    for turn, (act, n, text, by) in enumerate(done):
        before = model.get(ITEMS[n].id)
        perform(writers[turn % 2], act, n, text, by)
        question, answer = before[1:] if before and before[0] == "accept" else ("", "")
        model[ITEMS[n].id] = {
            "question": ("accept", text, answer),
            "answer": ("accept", question, text),
        }.get(act, (act, "", ""))
        if act == "undo":
            del model[ITEMS[n].id]
        assert revision <= writers[1 - turn % 2].revision <= revision + 1
        revision = writers[1 - turn % 2].revision
    for decisions in (*writers, ft.Decisions(path)):
        for one in ITEMS:
            found = decisions.of(one)
            assert (found and (found.action, found.question, found.answer)) == model.get(one.id)


@settings(max_examples=40)
@given(acts)
def test_each_pair_comes_out_once_whatever_people_decide(tmp_path_factory, done) -> None:
    decisions = ft.Decisions(tmp_path_factory.mktemp("laws") / "review.jsonl")
    for act in done:
        perform(decisions, *act)
    counts = ft.Pipeline(collector=ListCollector(ITEMS), curators=decisions).run().report.counts
    assert counts.rows + sum(d.count for d in counts.dropped if d.unit == "pair") == len(ITEMS)


@settings(max_examples=40)
@given(acts)
def test_decisions_mean_the_same_before_and_after_a_redaction(tmp_path_factory, done) -> None:
    """They are bound to the pair as it was collected, wherever the step stands, and no secret comes back in."""
    decisions = ft.Decisions(tmp_path_factory.mktemp("laws") / "review.jsonl")
    for act in done:
        perform(decisions, *act)
    first = curated(ITEMS, decisions, ft.RedactSecrets())
    both = curated(ITEMS, ft.RedactSecrets(), decisions, ft.RedactSecrets())
    assert [(p.id, p.question, p.answer) for p in first] == [(p.id, p.question, p.answer) for p in both]
    assert not any(TOKEN in p.answer for p in first)


@settings(max_examples=40)
@given(acts)
def test_applying_decisions_twice_is_applying_them_once(tmp_path_factory, done) -> None:
    decisions = ft.Decisions(tmp_path_factory.mktemp("laws") / "review.jsonl")
    for act in done:
        perform(decisions, *act)
    assert curated(ITEMS, decisions) == curated(ITEMS, decisions, decisions)
    step, again = decisions.start(), decisions.start()
    for one in ITEMS:
        once = step(one)
        assert isinstance(once, Dropped) or again(once) == once


@settings(max_examples=60)
@given(fs.pairs(), st.sets(st.integers(0, 7)))
def test_other_pairs_are_not_touched(tmp_path_factory, items, chosen) -> None:
    decisions = ft.Decisions(tmp_path_factory.mktemp("laws") / "review.jsonl")
    for n in chosen:
        if n < len(items):
            decisions.drop(items[n], reason="wrong")
    assert curated(items, decisions) == [one for n, one in enumerate(items) if n not in chosen]


@settings(max_examples=60)
@given(fs.pairs(), fs.texts(min_size=1, max_size=3))
def test_any_change_of_a_text_voids_the_decision(tmp_path_factory, items, addition) -> None:
    decisions = ft.Decisions(tmp_path_factory.mktemp("laws") / "review.jsonl")
    for one in items:
        decisions.drop(one, reason="wrong")
    changed = [attrs.evolve(one, answer=one.answer + addition) for one in items]
    left = curated(changed, decisions)
    assert left == (changed if addition else [])
