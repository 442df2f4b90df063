"""The queue for reviewers, their agreement, and what their decisions say about the confidence."""

from __future__ import annotations

import random
import tracemalloc

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import furytune as ft
from furytune.errors import ConfigError
from furytune.review.agreement import agreement_of
from furytune.review.decision import Decision
from furytune.review.queue import Queue
from furytune.testing.memory import ListCollector, pair


def made(n: int, confidence: float, channel: str = "1"):
    return pair(
        f"How {n}?",
        "So.",
        id=f"p:{n:06}",
        method="link",
        confidence=confidence,
        source=ft.Source(channel=channel),
    )


@pytest.fixture
def decisions(tmp_path) -> ft.Decisions:
    return ft.Decisions(tmp_path / "review.jsonl")


def test_the_doubtful_ones_come_first_and_decided_ones_not_at_all(decisions) -> None:
    pairs = [made(n, n / 10) for n in range(11)]
    decisions.accept(pairs[5])
    decisions.drop(pairs[4], reason="wrong")
    first = [p.confidence for p in decisions.to_review(pairs, 4)]
    assert first == [0.6, 0.3, 0.7, 0.2]
    assert [p.confidence for p in decisions.to_review(pairs, 2, near=0.8)] == [0.8, 0.7]


def test_a_decision_whose_source_changed_comes_before_all_others(decisions) -> None:
    pairs = [made(n, n / 10) for n in range(11)]
    decisions.accept(pairs[10])
    pairs[10] = attrs.evolve(pairs[10], answer="Another.")
    assert decisions.to_review(pairs, 2) == [pairs[10], pairs[5]]


def test_a_pair_that_was_undone_is_in_the_queue_again(decisions) -> None:
    pairs = [made(1, 0.5)]
    decisions.accept(pairs[0])
    decisions.undo(pairs[0])
    assert decisions.to_review(pairs) == pairs


def test_a_busy_channel_does_not_fill_the_queue(decisions) -> None:
    busy = [made(n, 0.5, "busy") for n in range(100)]
    quiet = [made(100 + n, 0.7, "quiet") for n in range(5)]
    chosen = decisions.to_review([*busy, *quiet], 20)
    assert {p.source.channel for p in chosen} == {"busy", "quiet"}
    assert chosen[0].source.channel == "busy"


items = st.lists(st.tuples(st.floats(0, 1), st.sampled_from("abc"), st.booleans()), max_size=60)


@given(items, st.integers(1, 12), st.randoms(use_true_random=False))
def test_the_order_of_the_pairs_changes_nothing(items, size, dice: random.Random) -> None:
    offered = [(made(n, c, channel), again) for n, (c, channel, again) in enumerate(items)]
    found = []
    for _ in range(2):
        queue = Queue(size, 0.5)
        for one, again in offered:
            queue.add(one, again=again)
        found.append(queue.pairs())
        dice.shuffle(offered)
    assert found[0] == found[1]
    assert len(found[0]) == min(size, len(items))


@settings(max_examples=20)
@given(st.integers(0, 2**32), st.integers(1, 30))
def test_throwing_out_the_rest_early_changes_nothing(seed, size) -> None:
    """A stream that is much longer than the queue, against all of it sorted at once."""
    dice = random.Random(seed)
    pairs = [made(n, dice.random(), dice.choice("abcde")) for n in range(1600)]
    bounded, whole = Queue(size, 0.5), Queue(1600, 0.5)
    for one in pairs:
        bounded.add(one, again=False)
        whole.add(one, again=False)
    assert bounded.pairs() == whole.pairs()[:size]


def test_memory_does_not_grow_with_the_stream(decisions) -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        decisions.to_review((made(n, (n * 7919 % 1000) / 1000, str(n % 50)) for n in range(count)), 20)
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    assert peak(10_000) < 1.5 * peak(3_000)


def verdicts(words: str) -> dict[str, Decision]:
    known = {"a": ("accept", ""), "c": ("accept", "corrected"), "d": ("drop", "")}
    return {
        f"p{n}": Decision(pair=f"p{n}", digest="d", action=known[w][0], answer=known[w][1])
        for n, w in enumerate(words)
    }


def test_kappa_is_that_of_a_table_worked_out_by_hand() -> None:
    """The example of Cohen's kappa in many textbooks: 20 and 15 agree, 5 and 10 do not, so kappa is 0.4."""
    one = verdicts("a" * 25 + "d" * 25)
    other = verdicts("a" * 20 + "d" * 5 + "a" * 10 + "d" * 15)
    found = agreement_of(one, other)
    assert (found.both, found.agreed, found.share) == (50, 35, 0.7)
    assert found.kappa == pytest.approx(0.4)
    assert len(found.conflicts) == 15
    assert "Cohen's kappa       0.40" in str(found)


@given(st.text("acd", max_size=40), st.text("acd", max_size=40))
def test_agreement_has_the_properties_of_agreement(first, second) -> None:
    one, other = verdicts(first), verdicts(second)
    there, back = agreement_of(one, other), agreement_of(other, one)
    assert there.kappa == pytest.approx(back.kappa) if there.kappa is not None else back.kappa is None
    assert there.conflicts == back.conflicts
    assert there.both == min(len(one), len(other)) == sum(there.verdicts.values())
    assert -1 <= (there.kappa or 0) <= 1
    alone = agreement_of(one, one)
    assert alone.kappa in (None, pytest.approx(1)), alone
    assert alone.conflicts == ()


def test_other_words_in_a_correction_are_a_conflict_with_the_same_verdict(tmp_path) -> None:
    anna, ben = (ft.Decisions(tmp_path / f"{name}.jsonl") for name in ("anna", "ben"))
    one, other = made(1, 0.5), made(2, 0.5)
    anna.answer(one, "First.")
    ben.answer(one, "Second.")
    anna.accept(other)
    ben.accept(attrs.evolve(other, answer="Changed."))

    found = ft.Decisions([*anna.path, *ben.path]).agreement()
    assert (found.both, found.agreed, found.conflicts, found.other_source) == (1, 1, (one.id,), 1)
    with pytest.raises(ConfigError, match="compares two files"):
        anna.agreement()


def test_the_confidence_is_compared_with_what_people_decided(decisions) -> None:
    for n in range(10):
        low, high = made(n, 0.25), made(100 + n, 0.95)
        decisions.accept(high) if n else decisions.drop(high, reason="wrong")
        decisions.drop(low, reason="wrong") if n > 2 else decisions.answer(low, "Better.")
    given_as_such = pair("How?", "So.", id="g")
    decisions.accept(given_as_such)
    decisions.merge(made(200, 0.25), into=made(201, 0.3))

    found = decisions.calibration()
    assert [(r.accepted, r.corrected, r.dropped) for r in found.rows] == [(0, 3, 7), (9, 0, 1)]
    assert [r.share for r in found.rows] == [0, 0.9]
    assert found.decided == 20
    assert found.error == pytest.approx((0.25 + 0.05) / 2)
    assert "0.90-1.00" in str(found)


def test_deciding_again_about_a_reviewed_pair_keeps_what_the_model_thought(decisions) -> None:
    one = made(1, 0.3)
    decisions.accept(one)
    (reviewed,) = ft.Pipeline(collector=ListCollector([one]), curators=decisions).pairs()
    assert reviewed.confidence == 1
    assert decisions.drop(reviewed, reason="wrong").confidence == 0.3


def test_results_can_be_printed(tmp_path) -> None:
    nothing = agreement_of({}, {})
    assert (nothing.share, nothing.kappa) == (None, None)
    assert "unknown" in str(nothing)
    assert repr(nothing) == "Agreement(both=0, agreed=0, conflicts=0)"
    one = Decision(pair="p0", digest="another", action="drop")
    assert "the source changed in between" in str(agreement_of(verdicts("a"), {"p0": one}))
    empty = ft.Decisions(tmp_path / "none.jsonl").calibration()
    assert repr(empty) == "Calibration(rows=0, decided=0)"
    assert str(empty).startswith("confidence")


def test_nothing_decided_gives_an_empty_table(decisions) -> None:
    found = decisions.calibration(5)
    assert (found.rows, found.error) == ((), None)
    with pytest.raises(ConfigError):
        decisions.calibration(0)
