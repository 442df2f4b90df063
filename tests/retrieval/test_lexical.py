"""The terms, weights and ranks of the lexical scorer."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import pytest
from scoring import lexical, terms, words

from furytune.records import Passage

NOW = datetime(2024, 1, 1, tzinfo=UTC)


def ranked(texts, question, k=10, titles=None):
    passages = [Passage(id=f"p{i:03}", text=t, title=(titles or {}).get(i, "")) for i, t in enumerate(texts)]
    moments, index = lexical(passages)
    return index.top([question], [moments.visible(NOW)], k)[0]


class TestTerms:
    @pytest.mark.parametrize(
        ("text", "whole", "parts"),
        [
            ("set_opacity", "set_opacity", {"set", "opaciti"}),
            ("ShowManager", "showmanager", {"show", "manager"}),
            ("fury.actor.sphere", "fury.actor.sphere", {"furi", "actor", "spher"}),
            ("HTTPServer", "httpserver", {"http", "server"}),
            ("__init__.py", "__init__.py", {"init", "py"}),
        ],
    )
    def test_names_of_code_are_found_whole_and_by_parts(self, text, whole, parts):
        assert {whole, *parts} <= set(terms(text))

    @pytest.mark.parametrize(
        "forms",
        [
            ("rotate", "rotates", "rotated", "rotating", "rotation", "rotations"),
            ("slice", "slices", "sliced", "slicing"),
            ("plot", "plots", "plotted", "plotting"),
            ("query", "queries"),
            ("class", "classes"),
            ("box", "boxes"),
            ("quick", "quickly"),
        ],
    )
    def test_forms_of_a_word_match(self, forms):
        assert len({tuple(terms(f)) for f in forms}) == 1

    @pytest.mark.parametrize("word", ["is", "this", "bus", "red", "ring", "fly", "x", "3ds", "thing"])
    def test_lookalikes_of_endings_are_kept(self, word):
        assert all(len(t) >= min(len(word), 3) for t in terms(word))

    def test_case_and_composition_of_characters_do_not_matter(self):
        assert terms("CAFÉ") == terms("cafe\u0301") == terms("café")
        assert terms("STRASSE") == terms("straße")

    def test_words_of_scripts_with_marks_stay_whole(self):
        assert len(words("हिन्दी शब्द")) == 2

    def test_scripts_without_spaces_are_found_by_pairs(self):
        assert set(terms("日本語")) == {"日本", "本語"}
        assert ranked(["日本語のテキスト", "other"], "日本") == [0]

    def test_stop_words_are_not_terms(self):
        assert terms("How do I, please, ... it?") == []
        assert terms("don't you've we'll") == []

    def test_symbols_and_emoji_are_not_terms(self):
        assert terms("\U0001f469\u200d\U0001f680 => ??? \0") == []

    def test_lone_surrogates_do_no_harm(self):
        assert terms("actor \ud800 sphere") == terms("actor sphere")


class TestRanks:
    def test_a_rarer_word_weighs_more(self):
        assert ranked(["actor", "actor", "sphere"], "actor sphere")[0] == 2

    def test_a_shorter_passage_comes_first(self):
        assert ranked(["sphere and cube cone line dot", "sphere"], "sphere") == [1, 0]

    def test_a_title_weighs_more_than_text(self):
        assert ranked(["sphere cube", "cube line"], "sphere", titles={1: "sphere"}) == [1, 0]

    def test_passages_without_a_shared_word_are_never_returned(self):
        assert ranked(["actor", "sphere"], "cube") == []
        assert ranked(["actor", "sphere"], "") == []

    def test_ties_at_the_limit_are_ordered_by_id(self):
        assert ranked(["sphere"] * 500, "sphere", k=3) == [0, 1, 2]

    def test_the_shortcut_to_the_best_gives_the_same_ranking(self):
        """Hundreds of passages, so that the shortcut to the best ones is used."""
        texts = [f"sphere {'cube ' * (i % 7)}{'cone ' * (i * i % 11)}line{i % 50}" for i in range(700)]
        for question in (
            "sphere",
            "cube cone",
            "line7 cube",
            "line3",
            "cone line9 line40",
            "sphere sphere cube",
        ):
            everything = ranked(texts, question, k=700)
            assert [everything[:k] for k in (1, 2, 5, 40, 60)] == [
                ranked(texts, question, k=k) for k in (1, 2, 5, 40, 60)
            ]

    def test_a_better_passage_beats_ties_before_it(self):
        assert ranked([*["sphere cube"] * 50, "sphere"], "sphere", k=2) == [50, 0]

    def test_a_repeated_word_in_the_question_counts_more(self):
        texts = ["sphere cube", "cone line"]
        assert ranked(texts, "sphere cone cone") == [1, 0]

    def test_passages_without_terms_are_allowed(self):
        assert ranked(["???", "..."], "sphere ???") == []

    def test_a_question_longer_than_any_passage_is_answered(self):
        text = " ".join(f"word{i}" for i in range(20_000))
        assert ranked(["word7", "word7 word8"], text) == [1, 0]


class TestMoments:
    def test_a_passage_is_visible_only_to_later_questions(self):
        passages = [Passage(id="a", text="sphere", date=NOW), Passage(id="b", text="sphere")]
        moments, index = lexical(passages)

        assert moments.visible(NOW) == 1
        assert moments.visible(NOW.replace(microsecond=1)) == 2
        assert index.top(["sphere", "sphere"], [1, 2], 5) == [[1], [0, 1]]


def test_numpy_is_not_needed_to_import_the_scorer(monkeypatch):
    monkeypatch.setitem(sys.modules, "numpy", None)
    from furytune.errors import MissingExtraError

    with pytest.raises(MissingExtraError, match=r"furytune\[rag\]"):
        lexical([Passage(id="a", text="x")])
