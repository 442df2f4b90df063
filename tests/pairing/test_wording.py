"""The wording of several turns is that of their joined text."""

from __future__ import annotations

from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from furytune.pairing._chat.wording import Wording, words

PIECES = ("how", "do", "I", "?", " ", "\n", "`", "```", "http://a.b/c", "<@12>", "İ", "ß", "x" * 900, "怎么")
TEXTS = st.lists(st.sampled_from(PIECES), max_size=6).map("".join) | st.text(max_size=20)


@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_turns_read_one_by_one_have_the_wording_of_their_text(texts):
    read = reduce(Wording.then, map(Wording.of, texts))
    assert read.keys.keys() == Wording.of("\n".join(texts)).keys.keys()


@given(st.text(st.characters(max_codepoint=127, exclude_characters="`")))
def test_words_in_ascii_are_found_like_those_in_any_script(text):
    # The last character is the only one that is not ASCII.
    assert [*words(text), "é"] == words(f"{text} é")


def test_a_word_counts_once():
    assert len(Wording.of("why Why WHY").keys) == 1
    assert set(Wording.of("why not").keys) > set(Wording.of("why").keys)


def test_code_links_and_mentions_count_as_one_placeholder_each():
    assert (
        words("see `a`")
        == words("see http://a.b")
        == words("see <@123>")
        == words("see ```\nx y\n```")
        == ["see", "x"]
    )
