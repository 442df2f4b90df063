"""AnswerLength and CapPerAuthor: what they drop, at the limits and beyond."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furytune.curation.caps import CapPerAuthor
from furytune.curation.length import AnswerLength
from furytune.errors import ConfigError
from furytune.records import Dropped, QAPair


def pair(number: int = 1, *, answer: str = "so", answerer: str = "") -> QAPair:
    return QAPair(id=f"p{number}", question="how?", answer=answer, answerer=answerer, group="g")


class TestAnswerLength:
    @pytest.mark.parametrize("answer", ["abc", "abcde", "  abcde \n", "\U0001f600" * 5])
    def test_both_limits_are_inclusive(self, answer):
        given_pair = pair(answer=answer)
        assert AnswerLength(min=3, max=5)(given_pair) is given_pair

    @pytest.mark.parametrize(
        ("answer", "reason", "detail"),
        [
            ("ab", "answer_short", "2 characters"),
            (" ab   ", "answer_short", "2 characters"),
            ("", "answer_short", "0 characters"),
            ("abcdef", "answer_long", "6 characters"),
        ],
    )
    def test_a_drop_says_which_limit_and_how_long(self, answer, reason, detail):
        dropped = AnswerLength(min=3, max=5)(pair(answer=answer))
        assert dropped == Dropped(reason=reason, ids=("p1",), detail=detail)

    def test_the_default_drops_only_empty_answers(self):
        long = pair(answer="x" * 100_000)
        assert AnswerLength()(long) is long
        assert isinstance(AnswerLength()(pair(answer=" \n")), Dropped)

    @pytest.mark.parametrize(("low", "high"), [(-1, None), (5, 4)])
    def test_impossible_limits_are_refused(self, low, high):
        with pytest.raises(ConfigError, match="0 <= min <= max"):
            AnswerLength(min=low, max=high)


class TestCapPerAuthor:
    @given(st.lists(st.sampled_from(["", "ann", "bob"]), max_size=30), st.integers(1, 5))
    def test_the_first_answers_of_each_person_are_kept(self, answerers, most):
        """Pairs without an answerer have no limit, and a second pass gives the same result."""
        cap = CapPerAuthor(most)
        pairs = [pair(i, answerer=a) for i, a in enumerate(answerers)]
        for _ in range(2):
            step = cap.start()
            kept = [p for p in pairs if step(p) is p]
            counts = Counter(p.answerer for p in kept)
            for answerer, total in Counter(answerers).items():
                assert counts[answerer] == (total if not answerer else min(total, most))
                first = [p for p in pairs if p.answerer == answerer][: counts[answerer]]
                assert [p for p in kept if p.answerer == answerer] == first

    def test_a_drop_names_the_pair_and_not_the_person(self):
        step = CapPerAuthor(1).start()
        step(pair(1, answerer="ann"))
        assert step(pair(2, answerer="ann")) == Dropped(reason="author_cap", ids=("p2",), detail="most=1")

    def test_a_cap_of_zero_is_refused(self):
        with pytest.raises(ConfigError, match="at least 1"):
            CapPerAuthor(0)
