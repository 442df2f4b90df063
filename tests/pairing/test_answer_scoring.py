"""What a candidate is chosen by is what the training sees of it, although candidates share the parts that they have in common."""

from __future__ import annotations

from importlib.resources import files
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from furytune.pairing import Post
from furytune.pairing._chat.candidates import questions
from furytune.pairing._chat.conversations import Linked
from furytune.pairing._chat.features import FEATURES
from furytune.pairing._chat.people import People
from furytune.pairing._chat.scene import Scene
from furytune.pairing._chat.turns import turns_of
from furytune.pairing._chat.worth import FEW_WORDS, shipped
from furytune.pairing.signals import signals

TEXTS = (
    "How do I rotate the camera?",
    "It fails with `ValueError: no mesh` on Windows.",
    "Bob: which version do you use?",
    "Use `actor.rotate()`, then call update() again.",
    "```\nopen fence",
    "https://a.b/c",
    "thanks, that works now!",
    "Turns out I had two versions of it installed.",
    "怎么安装?",
    "yes",
    "why " * 600,
)
POSTS = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(TEXTS), st.integers(1, 4), st.booleans()),
    min_size=2,
    max_size=14,
)


def scene_of(posts, vocabulary, *, is_thread):
    people = People()
    talk = []
    for i, (speaker, text, back, marked) in enumerate(posts):
        said = signals(text)
        people.heard(speaker, said)
        post = Post(str(i), speaker, text, names=(f"{speaker}ob",), solved=marked)
        talk.append(Linked(post, i - back if i >= back else -1, 0.25 * back, False, "", said))
    return Scene(turns_of(talk), people, is_thread, vocabulary)


@pytest.fixture(scope="module")
def stored():
    data = (files("furytune.pairing._chat") / "worth.npz").read_bytes()
    with np.load(BytesIO(data), allow_pickle=False) as arrays:
        return dict(arrays)


def plainly(candidate, stored):
    """The score of a candidate, from the file of weights and nothing that is kept between candidates."""
    weights = dict(zip(stored["features"].tolist(), stored["choice_weights"].tolist(), strict=True))
    score = float(stored["choice_bias"]) + sum(
        weights[name] * value for name, value in zip(FEATURES, candidate.features, strict=True)
    )
    for part in candidate.parts:
        if part.wording is not None:
            known = dict(zip(stored["words"].tolist(), stored[f"choice_{part.group}"].tolist(), strict=True))
            keys = part.wording.keys
            score += sum(known.get(key, 0.0) for key in keys) / (len(keys) + FEW_WORDS)
    return score


@settings(deadline=None, max_examples=40)
@given(posts=POSTS, is_thread=st.booleans())
def test_options_are_scored_by_what_the_training_sees(posts, is_thread, stored):
    model = shipped()
    together = scene_of(posts, model.vocabulary, is_thread=is_thread)
    rankings = [model.ranking(question) for question in questions(together)]
    # Without weights, as in training.
    alone = [
        [question.candidate(option) for option in question.options]
        for question in questions(scene_of(posts, type(model.vocabulary)({}, ()), is_thread=is_thread))
    ]
    assert [len(ranking.options) for ranking in rankings] == [len(candidates) for candidates in alone]
    for ranking, candidates in zip(rankings, alone, strict=True):
        scores = [plainly(candidate, stored) for candidate in candidates]
        assert ranking.scores == pytest.approx(scores, abs=1e-9)
        best = model.judgement(ranking).candidate
        assert scores[ranking.options.index(best.places[-len(best.told) :])] == pytest.approx(
            max(scores), abs=1e-6
        )
