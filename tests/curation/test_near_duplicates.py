"""NearDuplicates: what asks the same, which pair stays, and that the order of the pairs changes nothing."""

from __future__ import annotations

import csv
import itertools
import os
import subprocess
import sys
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from linear_time import grows_too_fast
from models import static_model

import furytune as ft
from furytune.errors import ConfigError
from furytune.records import Dropped, QAPair
from furytune.testing.memory import ListCollector

LABELS = Path(__file__).parents[1] / "fixtures" / "curation"
SAME_WORDS = ("reordered", "typos", "polite", "format", "extended")
START = datetime(2024, 1, 1, tzinfo=UTC)


def pair(number: int | str, question: str, **more) -> QAPair:
    return QAPair(id=str(number), group=f"g{number}", question=question, answer="so", **more)


def asked(*questions: str) -> list[QAPair]:
    return [pair(n, question) for n, question in enumerate(questions)]


def curated(pairs, **options) -> list[QAPair]:
    made = ft.Pipeline(collector=ListCollector(pairs), curators=ft.NearDuplicates(**options))
    return list(made.pairs())


def alike(one: str, other: str, **options) -> bool:
    return len(curated(asked(one, other), **options)) == 1


def labelled(name: str) -> list[tuple[str, str, str]]:
    with (LABELS / name).open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [(kind, one, other) for kind, one, other in itertools.islice(rows, 1, None)]


class TestWhatAsksTheSame:
    @pytest.mark.parametrize(
        ("name", "precision", "recall"),
        [("questions.tsv", 0.95, 0.85), ("unseen_questions.tsv", 0.9, 0.6)],
    )
    def test_the_labelled_pairs(self, name, precision, recall):
        found, count = defaultdict(int), defaultdict(int)
        for kind, one, other in labelled(name):
            found[kind] += alike(one, other)
            count[kind] += 1
        same = sum(found[kind] for kind in SAME_WORDS)
        wrong = sum(found[kind] for kind in found if kind not in (*SAME_WORDS, "other words"))

        assert same / (same + wrong) >= precision, dict(found)
        assert same / sum(count[kind] for kind in SAME_WORDS) >= recall, dict(found)
        for kind in (
            "opposite",
            "without",
            "negated",
            "other name",
            "other error",
            "number",
            "platform",
            "direction",
        ):
            assert found[kind] == 0, kind

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("how do I mount it?", "how do I unmount it?"),
            ("Is `scene.add` slow?", "Is `scene.remove` slow?"),
            ("wie installiere ich das Paket", "wie installiere ich das Paket nicht"),
            ("¿puedo usar el color rojo con luz?", "¿no puedo usar el color rojo con luz?"),
            ("如何启用阴影效果", "如何禁用阴影效果"),
            ("can I draw it with C++?", "can I draw it with C#?"),
            ("in the terminal?", "which terminal?"),
            ("?", "!"),
            ("", "?"),
            ("what is it?", "why is it?"),
            ("see ```a = 1``` please", "see ```b = 1``` please"),
        ],
    )
    def test_a_difference_that_matters(self, one, other):
        assert not alike(one, other)

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("", ""),
            ("?", "?"),
            ("how do I change the colour", "How do I change the color?"),
            ("<@80351110224678912> how do I pin a file?", "how to pin the files"),
            ("如何启用阴影效果？", "如何启用阴影效果"),
            ("how can I use `draw`", "how can I use draw()"),
            ("\ud800 sphere of glass", "\ud800 sphere of glass"),
        ],
    )
    def test_a_difference_that_does_not_matter(self, one, other):
        assert alike(one, other)

    def test_a_long_question_may_have_a_few_more_words(self):
        long = " ".join(f"word{letter}" for letter in "abcdefghijklmnopqrst")
        assert alike(long, f"{long} bump")
        assert not alike(long, f"{long} {long.replace('word', 'other')}")
        assert alike("red green blue", "red green blue black", similar=0.7)
        assert not alike("red green blue", "red green blue black")

    def test_what_comes_after_the_words_that_are_read_counts(self):
        long = "sphere " * 20_000
        assert alike(f"{long} red", f"{long} red")
        assert not alike(f"{long} red", f"{long} blue")

    def test_other_words_are_found_by_an_embedder(self, tmp_path):
        """The words of this model are related if their numbers are."""
        model = ft.StaticEmbedder(static_model(tmp_path))
        same = "how do I draw a sphere"
        assert alike(same, same, embedder=model, meaning=0.5)
        assert not alike(same, "how do I draw something unknown", embedder=model, meaning=0.5)

    def test_an_embedder_that_puts_two_words_together(self):
        class Synonyms:
            spec = {"name": "synonyms"}

            def embed(self, texts, *, kind):
                def vector(text):
                    words = text.replace("remove", "erase").split()
                    return [float(sum(map(ord, w))) % 97 if w in words else 0.0 for w in known]

                return [vector(text) for text in texts]

        known = ["erase", "file", "cone", "sphere", "how"]
        one, other = "how do I erase the file", "how do I remove the file"
        assert not alike(one, other)
        assert alike(one, other, embedder=Synonyms())
        # Nearly the same vectors, but the words that differ have nothing in common.
        assert not alike(
            "how do I erase the cone", "how do I erase the sphere", embedder=Synonyms(), meaning=0.5
        )


def ranked(pairs: list[QAPair]) -> QAPair:
    return min(
        pairs,
        key=lambda one: (
            -one.confidence,
            not one.solved,
            -(one.answered_at or datetime.min.replace(tzinfo=UTC)).timestamp()
            if one.answered_at
            else float("inf"),
            one.id,
        ),
    )


@st.composite
def repeated(draw) -> list[QAPair]:
    """Pairs that ask a few things in several ways."""
    ways = ("how do I draw a {} sphere", "Hi, how can I draw a {} sphere please?", "draw {} spheres, how to?")
    things = ("red", "green", "glowing", "hollow")
    return [
        pair(
            f"{number}",
            draw(st.sampled_from(ways)).format(draw(st.sampled_from(things))),
            confidence=draw(st.sampled_from([0.2, 0.9])),
            solved=draw(st.booleans()),
            answered_at=draw(st.none() | st.integers(0, 3).map(lambda day: START + timedelta(days=day))),
        )
        for number in range(draw(st.integers(0, 14)))
    ]


class TestWhichPairStays:
    @given(repeated())
    def test_the_best_of_each_question(self, pairs):
        questions = defaultdict(list)
        for one in pairs:
            questions[next(t for t in ("red", "green", "glowing", "hollow") if t in one.question)].append(one)

        assert {one.id for one in curated(pairs)} == {ranked(many).id for many in questions.values()}

    @given(repeated(), st.randoms(use_true_random=False), st.sampled_from(["drop", "group"]))
    def test_the_order_of_the_pairs_changes_nothing(self, pairs, random, action):
        mixed = random.sample(pairs, len(pairs))
        first, second = ({one.id: one for one in curated(many, action=action)} for many in (pairs, mixed))

        assert first == second

    @given(repeated(), st.sampled_from(["drop", "group"]))
    def test_what_is_left_passes_unchanged(self, pairs, action):
        once = curated(pairs, action=action)

        assert curated(once, action=action) == once

    @given(repeated())
    def test_each_drop_names_a_pair_that_is_kept_and_at_least_as_good(self, pairs):
        step = ft.NearDuplicates().fit(pairs)
        results = {one.id: step(one) for one in pairs}
        by_id = {one.id: one for one in pairs}
        for uid, result in results.items():
            if isinstance(result, Dropped):
                kept = result.detail.removeprefix("same as ")
                assert isinstance(results[kept], QAPair)
                assert ranked([by_id[kept], by_id[uid]]).id == kept

    @given(
        st.lists(
            st.text(max_size=30) | st.sampled_from(["a b?", "A  b", "a: b", "`a` b", "'a' b!"]), max_size=8
        )
    )
    def test_whatever_deduplicate_drops_is_dropped(self, questions):
        pairs = asked(*questions)
        exact = ft.Pipeline(collector=ListCollector(pairs), curators=ft.Deduplicate())

        assert len(curated(pairs)) <= len(list(exact.pairs()))

    def test_another_process_with_other_hashes_keeps_the_same(self):
        code = (
            "import sys, furytune as ft\n"
            "from test_near_duplicates import asked, curated, labelled\n"
            "questions = [q for _, *both in labelled('questions.tsv') for q in both]\n"
            "print([[p.id, p.group] for a in ('drop', 'group') for p in curated(asked(*questions), action=a)])"
        )
        path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
        printed = {
            subprocess.run(
                [sys.executable, "-c", code],
                env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path},
                capture_output=True,
                check=True,
            ).stdout
            for seed in ("1", "2")
        }
        assert len(printed) == 1

    def test_chains_do_not_drop_what_is_not_like_a_kept_pair(self):
        """The middle one is like both ends, which are not like each other."""
        words = [f"zz{letter}" for letter in "abcdefghijklmnop"]
        left, middle, right = " ".join(words[:-4]), " ".join(words[:-2]), " ".join(words)
        kept = curated(
            [pair(0, left, confidence=0.5), pair(1, middle, confidence=0.1), pair(2, right, confidence=0.4)]
        )
        assert [one.id for one in kept] == ["0", "2"]

        best = curated(
            [pair(0, left, confidence=0.5), pair(1, middle, confidence=0.9), pair(2, right, confidence=0.4)]
        )
        assert [one.id for one in best] == ["1"]


class TestGroups:
    def test_pairs_that_ask_the_same_get_the_oldest_group(self):
        questions = (
            "how do I draw a red line",
            "why is it so slow today",
            "Hi, how to draw red lines?",
            "what is a mesh?",
        )
        pairs = [
            attrs.evolve(one, group=group, asked_at=START + timedelta(days=day))
            for one, group, day in zip(asked(*questions), ("b", "a", "a", "c"), (0, 1, 2, 3), strict=True)
        ]
        kept = curated(pairs, action="group")

        assert [one.group for one in kept] == ["b", "b", "b", "c"]
        assert [attrs.evolve(one, group="") for one in kept] == [attrs.evolve(one, group="") for one in pairs]

    @given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4)), max_size=15), st.text(max_size=3))
    def test_neither_a_question_nor_a_conversation_is_on_both_sides(self, places, salt):
        things = ("red", "green", "glowing", "hollow", "square")
        pairs = [
            attrs.evolve(pair(n, f"how do I draw a {things[thing]} sphere{'?' * (n % 3)}"), group=f"g{group}")
            for n, (group, thing) in enumerate(places)
        ]
        splitter = ft.GroupSplitter(0.5, salt=salt)
        questions, groups = defaultdict(set), defaultdict(set)
        for before, after in zip(pairs, curated(pairs, action="group"), strict=True):
            questions[before.question.strip("?")].add(splitter(after.group))
            groups[before.group].add(splitter(after.group))

        assert all(len(sides) == 1 for sides in (*questions.values(), *groups.values()))

    def test_later_pairs_do_not_move_older_ones(self):
        old = [pair(n, f"how do I draw {t} lines", asked_at=START) for n, t in enumerate(("red", "green"))]
        new = [
            pair(f"new{n}", f"Hello! How do I draw {t} lines?", asked_at=START + timedelta(days=9))
            for n, t in enumerate(("red", "green", "green"))
        ]

        assert [one.group for one in curated(new + old, action="group")] == ["g0", "g1", "g1", "g0", "g1"]


def same_bucket(n: int) -> list[QAPair]:
    """Different questions that all have a key in common."""
    return asked(
        *(f"how do I draw the sphere s{'abcdefghij'[i % 10]}{chr(0x4E00 + i)}s" for i in range(n // 40))
    )


class TestHostileInput:
    @pytest.mark.parametrize(
        "make",
        [
            lambda n: asked(*["How do I draw a sphere?"] * (n // 20)),
            lambda n: asked(*[""] * (n // 20)),
            same_bucket,
            lambda n: asked("draw spheres " * (n // 10), "draw cubes " * (n // 10)),
            lambda n: asked(" ".join(f"w{i}" for i in range(n)), " ".join(f"v{i}" for i in range(n))),
            lambda n: asked(
                *(" ".join(f"w{chr(97 + (i + j) % 26)}{j}x" for j in range(60)) for i in range(n // 400))
            ),
            lambda n: asked("a1" * n, "'" * n, "`" * n, "the " * n, "error: " * n, "<@" * n, "i can't " * n),
        ],
        ids=["equal", "empty", "one bucket", "long", "many words", "many long", "markup"],
    )
    def test_the_time_is_linear(self, make):
        slow = grows_too_fast(curated, make, (1_000, 40_000))
        assert not slow, slow

    def test_of_equal_questions_one_is_left(self):
        assert [one.id for one in curated(asked(*["How do I draw a sphere?"] * 5_000))] == ["0"]

    @settings(max_examples=50)
    @given(st.lists(st.text(), max_size=10), st.sampled_from(["drop", "group"]))
    def test_any_text_is_accepted(self, questions, action):
        pairs = asked(*questions)
        assert {one.id for one in curated(pairs, action=action)} <= {one.id for one in pairs}


@pytest.mark.parametrize(
    "wrong",
    [
        {"similar": 0.2},
        {"similar": 1.1},
        {"similar": True},
        {"similar": "0.9"},
        {"meaning": 0},
        {"action": "keep"},
        {"embedder": "static"},
        {"embedder": ft.StaticEmbedder},
    ],
)
def test_an_argument_that_is_not_valid_is_refused(wrong):
    with pytest.raises(ConfigError):
        ft.NearDuplicates(**wrong)
