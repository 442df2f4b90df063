"""Deduplicate and RedactSecrets: what they drop, what they edit, and that passes are independent."""

from __future__ import annotations

import tracemalloc

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from furytune.curation.dedup import Deduplicate
from furytune.curation.secrets import RedactSecrets
from furytune.errors import ConfigError
from furytune.records import Dropped, QAPair, Source

TOKEN = "npm_" + "aB3" * 12


def pair(number: int, question: str = "how?", answer: str = "so") -> QAPair:
    source = Source(path=f"{number}.json")
    return QAPair(id=f"p{number}", question=question, answer=answer, group="g", source=source)


def dropped(step: Deduplicate, pairs: list[QAPair]) -> list[str]:
    """Returns the ids that one pass drops; all other pairs must be unchanged."""
    once = step.start()
    gone = []
    for item in pairs:
        result = once(item)
        if isinstance(result, Dropped):
            assert result.reason == "duplicate"
            gone += result.ids
        else:
            assert result is item
    return gone


class TestDeduplicate:
    @pytest.mark.parametrize(
        "variant",
        [
            "How do I add a sphere?",
            "how do i ADD a sphere",
            "  how do I\n\nadd   a\tsphere ?!  ",
            "<@123456789012345678> how do I add a sphere?",
            "<@!123> <@&456> how do I <#789> add a sphere…",
            "how do I add a \ufb01rst sphere?".replace("\ufb01rst ", ""),
            "\uff48ow do I add a sphere\uff1f",
        ],
    )
    def test_questions_are_compared_by_the_documented_key(self, variant):
        assert dropped(Deduplicate(), [pair(1, "How do I add a sphere?"), pair(2, variant)]) == ["p2"]

    @pytest.mark.parametrize("other", ["How do I add 2 spheres?", "How do I add asphere?", "", "?"])
    def test_different_questions_are_kept(self, other):
        assert dropped(Deduplicate(), [pair(1, "How do I add a sphere?"), pair(2, other)]) == []

    def test_an_empty_key_falls_back_to_the_question(self):
        pairs = [pair(1, "<@1>"), pair(2, "<@2>"), pair(3, "?"), pair(4, "<@1>")]
        assert dropped(Deduplicate(), pairs) == ["p4"]

    def test_by_pair_compares_the_answer_too(self):
        pairs = [
            pair(1, "a", "x"),
            pair(2, "a", "y"),
            pair(3, "A", "X!"),
            pair(4, "ax", ""),
            pair(5, "", "ax"),
        ]
        assert dropped(Deduplicate(by="pair"), pairs) == ["p3"]
        assert dropped(Deduplicate(by="question"), pairs) == ["p2", "p3"]

    def test_a_drop_names_the_kept_pair(self):
        step = Deduplicate().start()
        step(pair(1))
        step(pair(2))
        assert step(pair(3)) == Dropped(reason="duplicate", ids=("p3",), where="3.json", detail="same as p1")

    def test_a_repeated_pair_with_the_same_id_is_a_duplicate(self):
        same = pair(1)
        assert dropped(Deduplicate(), [same, same]) == ["p1"]

    def test_passes_share_nothing(self):
        """A second pass sees every pair as new, even one that runs at the same time as the first."""
        step = Deduplicate()
        one, two = step.start(), step.start()
        for item in (pair(1, "a"), pair(2, "b")):
            assert one(item) is item
            assert two(item) is item
        assert step == Deduplicate()

    @given(st.lists(st.tuples(st.text(max_size=3), st.text(max_size=2)), max_size=20))
    def test_only_the_first_of_each_is_kept(self, texts):
        """The kept pairs have no duplicates, and each drop names a kept pair."""
        once = Deduplicate().start()
        results = [once(pair(i, q, a)) for i, (q, a) in enumerate(texts)]
        kept = [r for r in results if isinstance(r, QAPair)]
        gone = [r for r in results if isinstance(r, Dropped)]
        assert dropped(Deduplicate(), kept) == []
        assert {r.detail.removeprefix("same as ") for r in gone} <= {r.id for r in kept}

    def test_memory_does_not_grow_with_the_length_of_questions(self):
        once = Deduplicate().start()
        tracemalloc.start()
        for number in range(100):
            once(pair(number, f"{number} " + "long question " * 10_000))
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert held < 100_000

    def test_a_lone_surrogate_does_not_crash(self):
        assert dropped(Deduplicate(), [pair(1, "\ud800"), pair(2, "\ud800")]) == ["p2"]

    def test_an_unknown_key_is_refused(self):
        with pytest.raises(ConfigError, match="'question' or 'pair'"):
            Deduplicate(by="answer")  # type: ignore[arg-type]


class TestRedactSecrets:
    def test_only_the_answer_is_edited(self):
        given_pair = pair(1, answer=f"use {TOKEN}, ask joe@posteo.de")
        result = RedactSecrets()(given_pair)
        assert result == attrs.evolve(given_pair, answer="use [secret], ask [e-mail]")

    def test_a_clean_answer_returns_the_same_pair(self):
        clean = pair(1, answer="use actor.sphere() of fury 0.12.0")
        assert RedactSecrets()(clean) is clean

    def test_the_question_is_left_to_the_normaliser(self):
        asked = pair(1, question=TOKEN)
        assert RedactSecrets()(asked) is asked

    @pytest.mark.parametrize("answer", [TOKEN, f"`{TOKEN}`\n", f"{TOKEN}, joe@posteo.de!"])
    def test_an_answer_of_only_secrets_is_dropped(self, answer):
        assert RedactSecrets()(pair(1, answer=answer)) == Dropped(
            reason="only_secrets", ids=("p1",), where="1.json"
        )

    def test_only_the_chosen_kinds_are_replaced(self):
        result = RedactSecrets(kinds=("ips",))(pair(1, answer=f"{TOKEN} 91.112.7.88"))
        assert isinstance(result, QAPair)
        assert result.answer == f"{TOKEN} [ip]"

    def test_the_order_of_kinds_makes_no_difference(self):
        assert RedactSecrets(("emails", "secrets")) == RedactSecrets(["secrets", "emails"])

    def test_all_stands_for_every_kind(self):
        answer = f"{TOKEN} 91.112.7.88 joe@posteo.de +49 170 1234567"
        result = RedactSecrets("all")(pair(1, answer=f"see {answer}"))
        assert isinstance(result, QAPair)
        assert result.answer == "see [secret] [ip] [e-mail] [phone]"

    def test_what_may_be_another_number_is_kept_by_default(self):
        unsure = pair(1, answer="91.112.7.88, +49 170 1234567")
        assert RedactSecrets()(unsure) is unsure

    @pytest.mark.parametrize("kinds", [(), ("nicknames",), "name"])
    def test_unknown_or_missing_kinds_are_refused(self, kinds):
        with pytest.raises(ConfigError, match="choose from secrets, emails, ips, phones"):
            RedactSecrets(kinds)

    @given(st.text(), st.text())
    def test_a_redacted_answer_has_nothing_left_to_redact(self, before, after):
        result = RedactSecrets()(pair(1, answer=f"{before} {TOKEN} {after}"))
        if isinstance(result, QAPair):
            assert RedactSecrets()(result) is result
            assert result.question == "how?"
            assert TOKEN not in result.answer
