"""Every curation step that comes with furytune, found by entry point, in any order: no error, idempotent, accounted for."""

from __future__ import annotations

from importlib.metadata import entry_points

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import furytune as ft
from furytune.curation.people import AnsweredBy
from furytune.records import Dropped, QAPair, Source
from furytune.testing import strategies as fs
from furytune.testing.conformance import check_curator
from furytune.testing.memory import ListCollector

TOKEN = "npm_" + "aB3" * 12
MADE = {
    "answer-length": ft.AnswerLength(min=4, max=4000),
    "answered-by": AnsweredBy({"Helper"}, on_unknown="keep"),
    "cap-per-author": ft.CapPerAuthor(3, share=0.5, per_asker=3, per_two=2),
    "cap-per-link": ft.CapPerLink(2),
    "check-code": ft.CheckCode("json"),
    "deduplicate": ft.Deduplicate(),
    "fresh": ft.Fresh(ft.Releases({"1.0": "2024-01-01", "2.0": "2025-01-01"}, package="lib"), since="2.0"),
    "languages": ft.Languages(("en", "de")),
    "lint-answers": ft.LintAnswers(on=["moving_link", "time_bound"]),
    "min-confidence": ft.MinConfidence(0.5),
    "near-duplicates": ft.NearDuplicates(),
    "redact-secrets": ft.RedactSecrets(),
}
ASKS_A_MODEL = {"judge-pairs"}
"""It is checked with a server in tests/curation/test_judge.py."""
ELSEWHERE = {"bot-words", "decisions", "run-code"}
"""The first two read a file of what bots or people said, and the third runs code; all have tests of their own."""
EXAMPLES = [
    f"Use {TOKEN} and then restart it.\nHope this helps!",
    "see screenshot",
    "As I said above",
    "Use https://a.example/x as it is",
    "```python\nimport json\njson.loadz('1')\n```",
    "```python\n    import json\n    json.loads('1')",
    "Es ist nicht möglich, weil die Kugel noch nicht in der Szene ist.",
    "No es posible porque la esfera todavía no está en la escena.",
    "zero\u200bwidth in the answer",
    "so",
]
orders = st.permutations(sorted(MADE)).flatmap(
    lambda names: st.integers(0, len(names)).map(lambda n: names[:n])
)


def registered() -> set[str]:
    return {
        point.name
        for point in entry_points(group="furytune.curators")
        if point.module.startswith("furytune.")
    }


@st.composite
def pairs(draw) -> list[QAPair]:
    """Pairs that every step has something to say about."""
    return [
        attrs.evolve(
            one,
            question=draw(st.sampled_from([one.question, "How do I draw a sphere?"])),
            answer=draw(st.sampled_from([one.answer, *EXAMPLES])),
            asker=draw(st.sampled_from(["", "ann", "bob"])),
            answerer=draw(st.sampled_from(["", "ann", "bob"])),
            answerer_roles=draw(st.sampled_from([None, (), ("Helper",)])),
            confidence=draw(st.sampled_from([0.2, 0.9])),
            source=Source(channel_name=draw(st.sampled_from(["", "help"]))),
        )
        for one in draw(fs.pairs(max_size=10))
    ]


def curated(items: list[QAPair], names: list[str]) -> list[QAPair]:
    return list(ft.Pipeline(collector=ListCollector(items), curators=[MADE[n] for n in names]).pairs())


def test_every_registered_step_is_checked_here() -> None:
    declared = registered() - ASKS_A_MODEL - ELSEWHERE
    # A package that was installed before a step was added does not register it yet.
    assert declared <= set(MADE)


@given(pairs(), orders)
def test_every_pair_comes_out_once_in_any_order(items, names) -> None:
    run = ft.Pipeline(collector=ListCollector(items), curators=[MADE[n] for n in names]).run()
    counts = run.report.counts

    assert counts.pairs == len(items)
    assert counts.rows + sum(d.count for d in counts.dropped if d.unit == "pair") == len(items)
    edited = sum(len(one.edits) for one in curated(items, names))
    assert sum(counts.edited_answers.values()) >= edited


@given(pairs(), orders)
def test_the_kept_pairs_are_the_collected_ones_in_order_with_other_answers_at_most(items, names) -> None:
    before = {one.id: one for one in items}
    kept = curated(items, names)

    assert [one.id for one in kept] == [one.id for one in items if one.id in {k.id for k in kept}]
    for one in kept:
        was = before[one.id]
        assert attrs.evolve(one, answer=was.answer, edits=(), group=was.group) == was
        assert one.answerer_roles == before[one.id].answerer_roles


@pytest.mark.parametrize("name", sorted(MADE))
def test_each_step_fits_the_protocol(name) -> None:
    items = [
        QAPair(id=str(n), group="g", question="How do I draw it?", answer=a, asker="a", answerer="b")
        for n, a in enumerate([*EXAMPLES, *EXAMPLES])
    ]
    assert len(check_curator(MADE[name], items)) == len(items)


@given(pairs())
def test_each_step_leaves_what_it_kept_as_it_is(items) -> None:
    for name in MADE:  # Making the pairs takes longest, so all steps get the same.
        once = curated(items, [name])
        assert curated(once, [name]) == once, name


@given(pairs(), st.permutations(sorted(set(MADE) - {"answer-length"})))
def test_all_steps_together_reach_an_end_in_any_order(items, names) -> None:
    """An edit may give an earlier step something to drop, such as an answer that is now equal to another: never to edit."""
    once = curated(items, names)
    twice = curated(once, names)

    assert len(twice) <= len(once)
    answers = {one.id: one.answer for one in once}
    for one in twice:
        assert one.answer == answers[one.id]


@given(pairs(), st.sampled_from(sorted(MADE)))
def test_a_step_quotes_no_answer_in_a_drop(items, name) -> None:
    step = MADE[name]
    act = step.fit(iter(items)) if hasattr(step, "fit") else step.start() if hasattr(step, "start") else step
    for one in items:
        result = act(one)
        if isinstance(result, Dropped) and len(one.answer) > 12:
            assert one.answer not in result.detail
