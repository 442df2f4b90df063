"""The wording of several turns is that of their joined text."""

from __future__ import annotations

from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from furytune.pairing._chat.wording import SIZE, Wording, places

PIECES = ("how", "do", "I", "?", " ", "\n", "`", "```", "http://a.b/c", "<@12>", "İ", "ß", "x" * 900, "怎么")
TEXTS = st.lists(st.sampled_from(PIECES), max_size=6).map("".join) | st.text(max_size=20)


@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_turns_read_one_by_one_have_the_wording_of_their_text(texts):
    read = reduce(Wording.then, map(Wording.of, texts))
    assert sorted(read.places.values()) == sorted(places("\n".join(texts)))


def test_words_and_pairs_of_words_count_once():
    assert len(places("why why why")) == 2
    assert set(places("why not")) > set(places("why"))


def test_code_links_and_mentions_count_as_one_placeholder_each():
    assert (
        places("see `a`") == places("see http://a.b") == places("see <@123>") == places("see ```\nx y\n```")
    )


@given(TEXTS)
def test_every_place_is_in_the_table(text):
    assert all(0 <= place < SIZE for place in places(text))
