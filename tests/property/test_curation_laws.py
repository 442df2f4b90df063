"""Laws of curation in a pipeline: each pair comes out once, as a row or as a drop, and steps change only answers."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import furytune as ft
from furytune.errors import ConfigError
from furytune.records import Dropped, QAPair
from furytune.testing import strategies as fs
from furytune.testing.memory import ListCollector

TOKEN = "npm_" + "aB3" * 12
RELEASES = ft.Releases({f"{n}.0": f"{1990 + 5 * n}-01-01" for n in range(9)})
STEPS = {
    "short": ft.AnswerLength(min=6),
    "long": ft.AnswerLength(max=30),
    "same": ft.Deduplicate(),
    "near": ft.NearDuplicates(),
    "secrets": ft.RedactSecrets(),
    "cap": ft.CapPerAuthor(2),
    "fresh": ft.Fresh(RELEASES, decay=0.7, least=0.4),
}
SPHERES = ("how do I draw a sphere?", "How do I draw a sphere")
chosen = st.lists(st.sampled_from(sorted(STEPS)), unique=True).map(lambda names: [STEPS[n] for n in names])


@st.composite
def pairs(draw) -> list[QAPair]:
    """Pairs of a few people, some with equal questions, some with a secret in the answer."""
    found = draw(fs.pairs())
    return [
        attrs.evolve(
            one,
            question=draw(st.sampled_from([one.question, *SPHERES])),
            answer=draw(
                st.sampled_from([one.answer, f"use {TOKEN}", TOKEN, "so", "a very long answer " * 3])
            ),
            answerer=draw(st.sampled_from(["", "ann", "bob"])),
        )
        for one in found
    ]


def curated(items, steps) -> list[QAPair | Dropped]:
    return list(ft.Pipeline(collector=ListCollector(items), curators=steps).pairs())


@given(pairs(), chosen)
def test_every_pair_comes_out_once(items, steps) -> None:
    run = ft.Pipeline(collector=ListCollector(items), curators=steps).run()
    counts = run.report.counts.as_json()

    assert counts["pairs"] == len(items)
    assert counts["rows"] + sum(d["count"] for d in counts["dropped"] if d["unit"] == "pair") == len(items)


@given(pairs(), chosen)
def test_what_is_kept_differs_in_nothing_but_the_answer(items, steps) -> None:
    before = {one.id: one for one in items}
    for kept in curated(items, steps):
        old = before[kept.id]
        assert attrs.evolve(kept, answer=old.answer, edits=old.edits) == old
        assert bool(kept.edits) is (kept.answer != old.answer)


@given(pairs(), chosen)
def test_the_order_of_collection_is_kept(items, steps) -> None:
    order = [one.id for one in items]
    kept = [one.id for one in curated(items, steps)]

    assert kept == [uid for uid in order if uid in set(kept)]


@given(pairs(), chosen)
def test_a_pipeline_that_runs_again_gives_the_same(items, steps) -> None:
    """Steps that count begin anew in each run."""
    made = ft.Pipeline(collector=ListCollector(items), curators=steps)

    assert list(made.pairs()) == list(made.pairs())


@given(pairs(), chosen)
def test_curated_pairs_pass_the_same_steps_unchanged(items, steps) -> None:
    """All but the length after a redaction, which may make an answer too short for an earlier step."""
    steps = [step for step in steps if step not in (STEPS["short"], STEPS["long"])]
    once = curated(items, steps)

    assert curated(once, steps) == once


@given(pairs())
def test_no_secret_is_left_in_any_answer(items) -> None:
    for kept in curated(items, [ft.RedactSecrets()]):
        assert TOKEN not in kept.answer


@given(pairs(), st.integers(1, 4), st.integers(0, 3))
def test_a_higher_cap_keeps_at_least_the_same_pairs(items, most, more) -> None:
    few = {one.id for one in curated(items, [ft.CapPerAuthor(most)])}
    many = {one.id for one in curated(items, [ft.CapPerAuthor(most + more)])}

    assert few <= many


@given(pairs(), st.integers(0, 40), st.integers(0, 40), st.integers(0, 20))
def test_a_wider_range_of_lengths_keeps_at_least_the_same_pairs(items, least, span, wider) -> None:
    narrow = ft.AnswerLength(min=least, max=least + span)
    wide = ft.AnswerLength(min=max(0, least - wider), max=least + span + wider)

    assert {one.id for one in curated(items, [narrow])} <= {one.id for one in curated(items, [wide])}


@given(pairs())
def test_each_question_is_kept_by_deduplication(items) -> None:
    """The first pair of each question stays, whichever its answer."""
    kept = curated(items, [ft.Deduplicate()])
    by_pair = curated(items, [ft.Deduplicate(by="pair")])

    assert {one.id for one in kept} <= {one.id for one in by_pair}
    assert items[:1] == kept[:1]
    assert sum(one.question in SPHERES for one in kept) <= 1


@pytest.mark.parametrize("step", [None, "deduplicate", 7, object()])
def test_what_is_not_a_step_is_refused_by_the_pipeline(step) -> None:
    with pytest.raises(ConfigError):
        ft.Pipeline(collector=ListCollector([]), curators=[step]).run()
