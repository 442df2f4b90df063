"""Pairing a conversation takes work in proportion to its length, whoever wrote it and however it is linked."""

from __future__ import annotations

import pytest
from linear_time import calls

from furytune.pairing import ChatPairer, Conversation, Post

THREAD = Conversation(channel="1", thread="2", is_thread=True)


def question(uid="0"):
    return Post(uid, "ann", "How do I rotate the camera? It does not work here.")


def many_answers(n):
    return [
        question(),
        *(Post(str(i), f"p{i}", "You need to call update() first.", "0") for i in range(1, n)),
    ]


def five_helpers(n):
    says = "Use the new window, and then it works. Did you try that?"
    return [question(), *(Post(str(i), f"helper {i % 5}", says) for i in range(1, n))]


def everyone_asks(n):
    return [Post(str(i), f"p{i % 7}", "Why is it that the camera fails?") for i in range(n)]


def chain_of_replies(n):
    return [
        question(),
        *(Post(str(i), "ab"[i % 2], "Is it? It still fails here.", str(i - 1)) for i in range(1, n)),
    ]


def one_person_replies(n):
    return [question(), *(Post(str(i), "bob", "You need to reset it.", "0") for i in range(1, n))]


def asker_goes_on(n):
    return [*(question(str(i)) for i in range(n - 1)), Post(str(n), "bob", "Reset it.", "0")]


SHAPES = [many_answers, one_person_replies, asker_goes_on, chain_of_replies, everyone_asks, five_helpers]

# What one message is compared with is bounded, by a window and by a number of candidates. Beyond these bounds twice
# the messages are twice the work; quadratic would be four times.
MOST = 3


def growth(act, make, length):
    act(make(10))  # the models are read once
    return calls(lambda: act(make(2 * length))) / calls(lambda: act(make(length)))


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_the_work_is_in_proportion_to_the_length_of_a_conversation(shape):
    def act(posts):
        return list(ChatPairer().pair(posts, THREAD))

    assert growth(act, shape, 160) < MOST


def test_the_work_is_in_proportion_to_the_length_of_a_channel():
    def posts(n):
        return [
            Post(str(i), f"p{i % 9}", "Why is it so?" if i % 3 else "Use it.", str(i - 5)) for i in range(n)
        ]

    def act(given):
        return list(ChatPairer(window=50).pair(given, Conversation(channel="1")))

    assert growth(act, posts, 320) < MOST
