"""A question that took several messages has the same text in the data set and in a conversation with the bot."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furytune.pairing import Conversation, Post, ThreadPairer, last_question
from furytune.records import QAPair

THREAD = Conversation(guild="1", channel="77", thread="88", is_thread=True)
DETAILS = st.sampled_from(
    ["How do I draw a box?", "0.12", "on Linux\nwith a GPU", "```py\nbox()\n```", "\U0001f4e6"]
)
ASKING_BACK = st.sampled_from(
    ["Which version?", "Can you show your code?", "\u3069\u306e\u30d0\u30fc\u30b8\u30e7\u30f3\uff1f"]
)
ANSWERS = st.sampled_from(["Use actor.box.", "```\nbox()\n```\nDoes that help?", "See https://x/box?"])


@st.composite
def clarified(draw):
    """Messages of a conversation in which the helper only asks back, and which ends with the asker."""
    found = [(text, True) for text in draw(st.lists(DETAILS, min_size=1, max_size=3))]
    for _ in range(draw(st.integers(0, 3))):
        found += [(text, False) for text in draw(st.lists(ASKING_BACK, min_size=1, max_size=2))]
        found += [(text, True) for text in draw(st.lists(DETAILS, min_size=1, max_size=2))]
    return found


@given(clarified(), ANSWERS)
def test_the_bot_asks_what_the_data_set_has(messages, answer):
    said = [*messages, (answer, False)]
    posts = [Post(str(n), "ann" if asks else "bob", text) for n, (text, asks) in enumerate(said, 1)]
    (pair,) = (item for item in ThreadPairer().pair(posts, THREAD) if isinstance(item, QAPair))
    assert last_question(messages) == pair.question


@given(clarified(), ANSWERS, clarified())
def test_what_was_answered_before_is_left_out(before, answer, messages):
    assert last_question([*before, (answer, False), *messages]) == last_question(messages)


@pytest.mark.parametrize(
    ("messages", "question"),
    [
        (
            [("How do I draw a box?", True), ("Which version?", False), ("0.12", True)],
            "How do I draw a box?\n\n0.12",
        ),
        ([("How do I draw a box?", True), ("Use box().", False), ("And in red?", True)], "And in red?"),
        ([("Which one?", False), ("0.12", True)], "0.12"),
        ([(" ", True)], ""),
    ],
)
def test_examples(messages, question):
    assert last_question(messages) == question
