"""Which of several answers is the best."""

from __future__ import annotations

import json
from importlib.resources import files

import linear_time
import pytest
from hypothesis import given
from hypothesis import strategies as st

from furytune.pairing.answers import answer_scores, features
from furytune.pairing.posts import Post

QUESTION = [Post("q", "ann", "My sphere does not show up. How do I add it to the scene?")]
USE_ADD = "You need to call `scene.add(sphere)` before you show the scene. Without that nothing is drawn."
USE_CAMERA = "Try to reset the camera with `scene.reset_camera()`, maybe the sphere is out of its sight."


def said(*lines: str) -> list[list[Post]]:
    """Turns from lines such as "bob: text"."""
    return [
        [Post(str(i), line.split(":", 1)[0], line.split(":", 1)[1].strip())] for i, line in enumerate(lines)
    ]


def best(*lines: str, answered: dict[str, int] | None = None) -> int:
    scores = answer_scores(QUESTION, said(*lines), answered)
    return scores.index(max(scores))


class TestBest:
    def test_the_answer_that_the_asker_thanks_for(self):
        thanks = "ann: That fixed it, thank you!"
        assert best(f"bob: {USE_ADD}", thanks, f"cem: {USE_CAMERA}") == 0
        assert best(f"bob: {USE_CAMERA}", f"cem: {USE_ADD}", thanks) == 1

    def test_not_the_answer_that_did_not_help(self):
        assert (
            best(
                f"bob: {USE_CAMERA}",
                "ann: Still the same error.",
                f"bob: {USE_ADD}",
                "ann: Thanks, works now!",
            )
            == 2
        )

    def test_asking_back_is_not_the_answer(self):
        assert best("bob: Which version are you on?", "ann: 0.12", f"bob: {USE_ADD}", "ann: ok, thanks") == 2

    def test_thanks_are_not_the_answer(self):
        assert best(f"bob: {USE_ADD}", "ann: Thanks!") == 0

    def test_what_the_asker_found_out_can_be_the_answer(self):
        found = "ann: Solved it: it turned out that I had two versions installed. The fix was to remove the old one."
        assert best("bob: Which version are you on?", "ann: 0.12", "bob: I will check.", found) == 3

    def test_same_trouble_is_not_an_answer(self):
        assert best("bob: Same here, did you ever find out?", f"cem: {USE_ADD}") == 1

    def test_an_explanation_beats_a_remark(self):
        assert best("bob: hm", f"cem: {USE_ADD}", "dan: nice") == 1

    def test_someone_who_has_answered_often_has_the_better_chance(self):
        lines = (f"bob: {USE_ADD}", f"cem: {USE_ADD}")
        new, known = (answer_scores(QUESTION, said(*lines), answered) for answered in ({}, {"cem": 50}))
        assert known[1] > new[1]

    def test_a_native_reply_says_which_answer_the_thanks_are_for(self):
        turns = said(f"bob: {USE_ADD}", f"cem: {USE_CAMERA}")
        plain, to_first = (
            answer_scores(QUESTION, [*turns, [Post("9", "ann", "That fixed it, thanks!", target)]])
            for target in (None, "0")
        )
        assert to_first[0] > plain[0]
        assert to_first[1] < plain[1]

    def test_a_turn_may_have_several_posts(self):
        turns = [
            [Post("1", "bob", "Which version?")],
            [Post("2", "cem", USE_ADD), Post("3", "cem", "Then show it.")],
        ]
        scores = answer_scores(QUESTION, turns)
        assert scores[1] > scores[0]


TURNS = st.lists(
    st.tuples(
        st.sampled_from(["ann", "bob", "cem", ""]),
        st.one_of(
            st.sampled_from([USE_ADD, "Thanks!", "why?", "", "still fails, bob"]), st.text(max_size=40)
        ),
    ),
    min_size=1,
    max_size=20,
)


class TestLaws:
    @given(TURNS)
    def test_the_scores_are_shares(self, lines):
        scores = answer_scores(QUESTION, [[Post(str(i), who, text)] for i, (who, text) in enumerate(lines)])
        assert len(scores) == len(lines)
        assert all(0 <= score <= 1 for score in scores)
        assert sum(scores) == pytest.approx(1)

    @given(TURNS)
    def test_names_of_speakers_do_not_count(self, lines):
        """Unless a message mentions them, and none of the texts below can."""
        new = {"ann": "\u0416a1", "bob": "\u0416b2", "cem": "\u0416c3", "": "\u0416d4"}
        turns = [[Post(str(i), who, "Use it.")] for i, (who, _) in enumerate(lines)]
        renamed = [[Post(str(i), new[who], "Use it.")] for i, (who, _) in enumerate(lines)]
        question = [Post("q", "ann", "why?")]
        assert answer_scores(question, turns) == answer_scores([Post("q", new["ann"], "why?")], renamed)

    def test_no_turns_have_no_scores(self):
        assert answer_scores(QUESTION, []) == []


class TestWeights:
    FILE = json.loads(files("furytune.pairing").joinpath("answers.json").read_text("utf-8"))

    def test_every_weight_is_for_a_feature_that_exists(self):
        lines = (
            f"bob: {USE_ADD}",
            "ann: Thanks bob, solved! It was the camera, I had forgotten to reset it in the loop after it had moved.",
            "cem: hm",
            "ann: why?",
            "bob: see https://example.org?",
            "ann: broken, it still fails",
            "dan: +1",
            "ann: it works now, thanks",
            "bob: I'll check",
            "cem: works now",
            "cem: the fix was this, still fails",
            "cem: any idea?",
            "dan: thanks, it is not supported, open an issue",
            "ann: it crashes",
            "bob: can you post your code",
            "ann: solved it",
        )
        talks = (said(*lines), said("bob: hm"), said("ann: anyone?"))
        known = {name for talk in talks for one in features(QUESTION, talk, {"bob": 3}) for name in one}
        assert set(self.FILE["weights"]) <= known

    def test_the_file_says_where_the_weights_come_from(self):
        assert self.FILE["data"]["licence"] == "MIT"
        assert set(self.FILE["scores"]["each forum with weights of the others"]) == {
            "all",
            "docusign",
            "dwolla",
            "scn",
        }


@pytest.mark.parametrize(
    "lines", [("bob: use it", "ann: thanks bob"), ("bob: why?",), ("ann: thanks",), ("cem: a", "bob: b")]
)
def test_the_time_is_in_proportion_to_the_number_of_turns(lines):
    assert not linear_time.grows_too_fast(
        lambda turns: answer_scores(QUESTION, turns), lambda n: said(*lines * (n // len(lines))), (256, 2048)
    )
