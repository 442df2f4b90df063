"""Passages from solved questions in the chat."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from furytune.augmenters.rag import RagAugmenter, build_index
from furytune.corpora.chat import chat
from furytune.errors import ConfigError
from furytune.normalize import Normalizer
from furytune.records import Dropped, Passage, QAPair, Source

ASKED = datetime(2024, 3, 1, 12, tzinfo=UTC)
PAIR = QAPair(
    id="77",
    question="How do I make a sphere transparent?\nIt stays opaque.",
    answer="Give it opacity=0.5.",
    group="thread-5",
    asked_at=ASKED,
    answered_at=ASKED + timedelta(hours=2),
    question_messages=("77", "78"),
    answer_messages=("80", "81"),
    source=Source(path="a.json", guild="1", channel="2", thread="5"),
)


def test_a_pair_is_one_dated_passage_with_its_messages():
    (found,) = chat([PAIR])

    assert found.text == f"Question:\n{PAIR.question}\n\nAnswer:\n{PAIR.answer}"
    assert found.date == PAIR.answered_at
    assert found.id == "chat:77"
    assert found.source == "discord:1/5/77,78,80,81"
    assert found.url == "https://discord.com/channels/1/5/77"


def test_errors_and_reprs_contain_no_message_text():
    (found,) = chat([PAIR])

    assert "sphere" not in repr(found) + found.citation
    assert "opacity" not in repr(found) + found.citation


def test_a_url_needs_all_parts_of_its_pattern():
    flat = attrs.evolve(PAIR, source=Source(guild="1", channel="2"))
    given_ = attrs.evolve(
        PAIR, source=Source(path="pairs.csv", line=3), question_messages=(), answer_messages=()
    )

    assert [p.url for p in chat([flat, given_])] == ["https://discord.com/channels/1/2/77", ""]
    assert [p.url for p in chat([flat], url="https://x.org/{message}?in={channel}")] == [
        "https://x.org/77?in=2"
    ]
    assert next(chat([given_])).source == "pairs.csv:3"
    with pytest.raises(ConfigError, match=r"\{path\}"):
        chat([PAIR], url="x/{path}")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"answered_at": None}, "undated"),
        ({"answered_at": ASKED - timedelta(seconds=1)}, "answered_before_asked"),
        ({"answer": " \n"}, "empty_text"),
    ],
)
def test_pairs_visible_to_their_own_question_are_dropped(changes, reason):
    (found,) = chat([attrs.evolve(PAIR, **changes)])

    assert (found.reason, found.unit, found.ids, found.where) == (
        reason,
        "pair",
        ("77",),
        "discord:1/5/77,78,80,81",
    )


def test_drops_are_passed_on_and_other_items_are_refused():
    drop = Dropped(reason="no_reply", unit="message")

    assert list(chat(iter([drop]))) == [drop]
    for wrong in ("pairs.csv", 3, {"a": 1}):
        with pytest.raises(ConfigError, match="pairs"):
            chat(wrong)
    with pytest.raises(ConfigError, match="Passage"):
        list(chat([Passage(id="a", text="b")]))


@pytest.fixture(scope="module")
def thread(tmp_path_factory):
    """Returns twenty pairs about one subject, asked an hour apart and answered after two and a half hours."""
    pairs = [
        attrs.evolve(
            PAIR,
            id=str(1000 + i),
            answer=f"Answer number{i}: give it opacity.",
            asked_at=ASKED + timedelta(hours=i),
            answered_at=ASKED + timedelta(hours=i + 2.5),
            question_messages=(str(1000 + i),),
            answer_messages=(str(2000 + i),),
        )
        for i in range(20)
    ]
    path = tmp_path_factory.mktemp("chat") / "chat.lance"
    report = build_index(path, chat(pairs))
    assert report.dated == 20
    return pairs, RagAugmenter(path, k=20)


@given(st.integers(0, 19))
def test_an_answer_is_never_in_the_context_of_its_own_question(thread, i):
    """Answers that were given later are not found either, and all earlier ones are."""
    pairs, rag = thread
    seen = {p.id for p in rag.context(pairs[i].question, at=pairs[i].asked_at)}

    assert seen == {f"chat:{p.id}" for p in pairs if p.answered_at < pairs[i].asked_at}
    assert f"chat:{pairs[i].id}" not in seen


def test_an_answer_dated_like_its_question_is_hidden_from_it(tmp_path):
    """Many files have one time for both; the rule is 'dated at or after'."""
    build_index(tmp_path / "c.lance", chat([attrs.evolve(PAIR, answered_at=ASKED)]))

    assert RagAugmenter(tmp_path / "c.lance").context(PAIR.question, at=ASKED) == ()


def test_a_passage_numbers_people_like_its_training_row():
    asked = f"<@{1_000_000_000_000_000_001}> how? <#{1_000_000_000_000_000_002}>"
    told = (
        f"as <@!{1_000_000_000_000_000_001}> and <@{1_000_000_000_000_000_003}> say, token='sk-{'a1' * 12}'"
    )
    (found,) = chat([attrs.evolve(PAIR, question=asked, answer=told)])

    assert found.text == (
        "Question:\n@user1 how? #channel\n\nAnswer:\nas @user1 and @user2 say, token='[secret]'"
    )
    assert "00000" not in found.text


def test_the_normaliser_can_be_chosen():
    (found,) = chat(
        [attrs.evolve(PAIR, question="<@44> how?")], normalizer=Normalizer(bot_ids=["44"], redact=())
    )

    assert found.text.startswith("Question:\nhow?\n")
    with pytest.raises(ConfigError, match="Normalizer"):
        chat([PAIR], normalizer=str)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"question": "<@44>"}, "unusable_question"),
        ({"answer": "so \ud83d"}, "unusable_answer"),
    ],
)
def test_unusable_texts_are_counted(changes, reason):
    (found,) = chat([attrs.evolve(PAIR, **changes)], normalizer=Normalizer(bot_ids=["44"]))

    assert (found.reason, found.unit, found.ids) == (reason, "pair", ("77",))


def test_a_passage_in_a_prompt_shows_no_ids():
    (found,) = chat([PAIR])

    assert found.citation == "Discord"
    assert Passage(id="a", text="b", source="fury/actor.py:1-4").citation == "fury/actor.py:1-4"


def test_answers_of_people_without_a_role_are_marked():
    roles = [("Maintainer", "Member"), ("Member",), (), None]
    pairs = [attrs.evolve(PAIR, id=str(n), answerer_roles=has) for n, has in enumerate(roles)]
    assert [p.citation for p in chat(pairs, trusted=["maintainer"])] == [
        "Discord",
        *["Unverified (Discord)"] * 3,
    ]
    assert [p.title for p in chat(pairs)] == [""] * 4
    for wrong in ("Maintainer", [""], [3]):
        with pytest.raises(ConfigError, match="roles"):
            chat(pairs, trusted=wrong)
