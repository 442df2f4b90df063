"""A help exchange is a pair in any language, and who is asked back does not become the helper."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from statistics import mean

import pytest
from exchanges import EXCHANGES

from furytune.pairing import ChatPairer, Conversation, Post
from furytune.records import QAPair

BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)
CHANNEL = Conversation(guild="1", channel="77")
THREAD = Conversation(guild="1", channel="77", thread="88", is_thread=True)


def pairs(*lines: tuple[str, str], place: Conversation = CHANNEL, least: float = 0.0) -> list[QAPair]:
    posts = [
        Post(str(i), who, text, sent_at=BEGIN + timedelta(minutes=2 * i), names=(who,))
        for i, (who, text) in enumerate(lines)
    ]
    found = ChatPairer(min_confidence=least).pair(posts, place)
    return [item for item in found if isinstance(item, QAPair)]


def exchange(question: str, answer: str, reply: str) -> list[tuple[str, str]]:
    return [("ann", question), ("bob", answer), *([("ann", reply)] if reply else [])]


def confidences(code: str) -> list[float]:
    found = []
    for lines in EXCHANGES[code]:
        (pair,) = pairs(*exchange(*lines))
        assert (pair.question_messages, pair.answer_messages) == (("0",), ("1",))
        found.append(pair.confidence)
    return found


@pytest.mark.parametrize("code", EXCHANGES)
def test_an_exchange_is_a_pair_in_any_language(code):
    assert min(confidences(code)) > 0.15


@pytest.mark.parametrize("code", EXCHANGES)
def test_no_language_is_rated_far_below_another(code):
    assert mean(confidences(code)) > 0.7 * mean(confidences("en"))


@pytest.mark.parametrize("place", [CHANNEL, THREAD], ids=["channel", "thread"])
@pytest.mark.parametrize(
    ("asked_back", "detail"),
    [
        ("Which do you pass, floats or integers?", "integers"),
        ("Do you pass them as floats or as integers?", "As integers, from 0 to 255."),
        ("Which version of the driver is that?", "535, from the package manager"),
    ],
)
def test_a_detail_that_a_helper_asked_for_is_no_answer(place, asked_back, detail):
    lines = [("ann", "The colors of my spheres are wrong."), ("bob", asked_back), ("ann", detail)]
    assert not any(pair.asker == "bob" and pair.confidence >= 0.3 for pair in pairs(*lines, place=place))
    told = ("bob", "Divide them by 255: colors are floats from 0 to 1.")
    (pair,) = pairs(*lines, told, ("ann", "thanks, that works"), place=place, least=0.2)
    assert (pair.question_messages, pair.answer_messages) == (("0", "2"), ("3",))
