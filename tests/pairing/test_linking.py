"""The linker keeps every post, looks only back, and depends neither on blocks nor on what is missing."""

from __future__ import annotations

import pickle
import sys
from datetime import UTC, datetime, timedelta
from random import Random

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from furytune.pairing.linking import Linker
from furytune.pairing.linking.channel import Channel
from furytune.pairing.linking.lexicon import Lexicon, words_of
from furytune.pairing.linking.model import shipped, sizes
from furytune.pairing.linking.network import EXACT, WEIGHTS, Network
from furytune.pairing.linking.speakers import NO_ONE, Speakers
from furytune.pairing.linking.usage import LENGTH
from furytune.pairing.links import Link
from furytune.pairing.posts import Post

BEGIN = datetime(2024, 5, 1, tzinfo=UTC)
NAMES = {
    "a": ("ann",),
    "b": ("bob", "Bob the Builder"),
    "c": ("c_3po",),
    "d": ("\u05d3\u05d5\u05d3",),
    "e": (),
}
TEXTS = (
    "how do I open a window?",
    "ann: use show()",
    "bob, that fails: ValueError",
    "@Bob the Builder thanks!",
    "\u05d3\u05d5\u05d3: \u05e9\u05dc\u05d5\u05dd",
    "@stranger are you there",
    "<@123456789012345678> look at window.show()",
    "\u5982\u4f55\u6253\u5f00\u7a97\u53e3\uff1f",
    "",
    "   ",
    "yes",
    "```py\nshow()\n```",
    "x" * 5000,
)


def post(number: int, speaker: str = "a", text: str = "hello", **more) -> Post:
    return Post(id=f"m{number}", speaker=speaker, text=text, names=NAMES.get(speaker, ()), **more)


def links(posts, block: int = 512) -> list[Link]:
    return [link for _, link in Linker(block=block).links(posts)]


@st.composite
def chats(draw, most: int = 60):
    posts = []
    minute = 0
    for number in range(draw(st.integers(0, most))):
        minute += draw(st.sampled_from([0, 0, 0, 1, 5, 3000, -700]))
        posts.append(
            post(
                number,
                draw(st.sampled_from(sorted(NAMES))),
                draw(st.sampled_from(TEXTS)),
                sent_at=draw(st.sampled_from([None, BEGIN + timedelta(minutes=minute)])),
                reply_to=draw(st.sampled_from([None, None, None, "m0", f"m{number // 2}", "gone"])),
                drop=draw(st.sampled_from(["", "", "", "", "bot"])),
                mentions=draw(st.sampled_from([(), (), ("b",), ("ann", "stranger")])),
                files=draw(st.integers(0, 1)),
            )
        )
    return posts


@given(chats(), st.sampled_from([1, 2, 3, 7, 50]))
@settings(deadline=None, max_examples=60)
def test_the_links_do_not_depend_on_the_blocks(posts, block) -> None:
    assert links(posts, block) == links(posts)


@pytest.mark.parametrize("block", [1, 7, 90])
def test_the_links_do_not_depend_on_how_much_more_a_large_block_holds(block) -> None:
    # Some people wrote last, and some replies go, further back than a small block holds.
    random = Random(0)
    posts = []
    for number in range(400):
        who = random.choice("abcde") if random.random() < 0.6 else f"p{random.randrange(60)}"
        text = random.choice(TEXTS[:6])
        reply = f"m{number // 3}" if number % 17 == 5 else None
        sent_at = BEGIN + timedelta(minutes=number // 2)
        posts.append(post(number, who, text, sent_at=sent_at, reply_to=reply))
    assert links(posts, block) == links(posts)


@given(chats(), st.data())
@settings(deadline=None, max_examples=40)
def test_a_link_depends_only_on_what_came_before(posts, data) -> None:
    cut = data.draw(st.integers(0, len(posts)))
    assert links(posts)[:cut] == links(posts[:cut])


@given(chats())
@settings(deadline=None, max_examples=60)
def test_every_post_comes_once_and_answers_an_earlier_one(posts) -> None:
    found = list(Linker().links(posts))
    assert [p for p, _ in found] == posts
    place = {p.id: i for i, p in enumerate(posts)}
    for i, (p, link) in enumerate(found):
        assert link.message == p.id
        assert 0 <= link.confidence <= 1
        if p.drop:
            assert (link.parent, link.confidence) == ("", 0)
        elif link.parent and not link.native:
            assert place[link.parent] < i
            assert not posts[place[link.parent]].drop


@given(chats())
@settings(deadline=None, max_examples=60)
def test_a_native_reply_wins(posts) -> None:
    seen: set[str] = set()
    for p, link in Linker().links(posts):
        if not p.drop:
            assert link.native == (p.reply_to is not None)
            if p.reply_to is not None:
                assert link.parent == p.reply_to
            if p.reply_to in seen:
                assert link.confidence == 1
        seen.add(p.id)


def test_no_post_has_no_link() -> None:
    assert links([]) == []


def test_the_first_message_starts_a_conversation() -> None:
    assert links([post(0)]) == [Link("m0", "", 1.0)]


def test_a_channel_of_one_person_is_linked() -> None:
    found = links([post(i, sent_at=BEGIN) for i in range(100)])
    assert {link.parent for link in found[1:]} <= {"", *(f"m{i}" for i in range(100))}


def test_the_one_who_is_addressed_by_name_is_answered() -> None:
    posts = [
        post(0, "a", "how do I open a window?", sent_at=BEGIN),
        post(1, "b", "does anyone know why my volume is black?", sent_at=BEGIN),
        post(2, "c", "ann: call show()", sent_at=BEGIN + timedelta(minutes=1)),
        post(3, "d", "bob: set the opacity", sent_at=BEGIN + timedelta(minutes=1)),
        post(4, "a", "c_3po: thanks, that works", sent_at=BEGIN + timedelta(minutes=2)),
    ]
    assert [link.parent for link in links(posts)] == ["", "", "m0", "m1", "m2"]


@pytest.mark.parametrize(
    "text", ["@Bob the Builder call show()", "bob: call show()", "\u05d3\u05d5\u05d3: call show()"]
)
def test_names_with_spaces_and_from_right_to_left_are_known(text) -> None:
    asker = "d" if text[0] == "\u05d3" else "b"
    posts = [
        post(0, asker, "how do I open a window?", sent_at=BEGIN),
        post(1, "a", "does anyone have the same trouble with volumes?", sent_at=BEGIN),
        post(2, "c", text, sent_at=BEGIN + timedelta(minutes=1)),
    ]
    assert links(posts)[2].parent == "m0"


def test_a_mention_counts_as_much_as_a_name() -> None:
    posts = [
        post(0, "b", "how do I open a window?", sent_at=BEGIN),
        post(1, "a", "does anyone have the same trouble with volumes?", sent_at=BEGIN),
        post(2, "c", "call show()", sent_at=BEGIN + timedelta(minutes=1), mentions=("b",)),
    ]
    assert links(posts)[2].parent == "m0"


def test_messages_without_times_are_linked_as_if_all_came_at_once() -> None:
    posts = [post(i, "ab"[i % 2], TEXTS[i % 3]) for i in range(50)]
    assert any(link.parent for link in links(posts))


def test_ids_that_are_small_numbers_are_no_times() -> None:
    posts = [Post(id=str(i), speaker="ab"[i % 2], text=TEXTS[i % 3], names=()) for i in range(50)]
    named = [msgspec.structs.replace(p, id=f"m{p.id}") for p in posts]
    assert [link.parent for link in links(named)] == [
        link.parent and f"m{link.parent}" for link in links(posts)
    ]


def calls(posts) -> int:
    """Counts the calls of functions that linking takes."""
    count = 0

    def note(_frame, event, _value) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        for _ in Linker().links(posts):
            pass
    finally:
        sys.setprofile(None)
    return count


def test_work_grows_in_proportion_even_if_all_is_said_in_one_minute() -> None:
    posts = [post(i, "abcde"[i * i % 5], TEXTS[i % 12], sent_at=BEGIN) for i in range(8192)]
    links(posts[:256])
    assert calls(posts) < 8.5 * calls(posts[:1024])


def test_people_and_messages_without_end_are_forgotten() -> None:
    channel = Channel(shipped())
    sizes_seen = []
    for k in range(4):
        posts = [post(i, f"p{k * 3000 + i}", "hello there", sent_at=BEGIN) for i in range(3000)]
        channel.look(channel.block(posts, [""] * 3000), [NO_ONE] * 3000)
        sizes_seen.append(len(pickle.dumps(vars(channel) | {"_model": None})))
    assert sizes_seen[-1] < 1.1 * sizes_seen[-2]


def test_a_huge_message_is_read_by_its_beginning() -> None:
    start = [post(0, "b", "how do I open a window?", sent_at=BEGIN)]
    short, huge = (
        links([*start, post(1, "a", "bob: " + "call show " * n, sent_at=BEGIN)]) for n in (200, 200_000)
    )
    assert [link.parent for link in short] == [link.parent for link in huge] == ["", "m0"]


def test_posts_come_out_while_others_are_still_read() -> None:
    taken = 0

    def read():
        nonlocal taken
        for i in range(1000):
            taken += 1
            yield post(i)

    next(iter(Linker(block=10).links(read())))
    assert taken <= 10


def test_a_reply_to_a_post_left_out_is_kept() -> None:
    found = links([post(0, drop="bot"), post(1, "b", reply_to="m0")])
    assert found[1] == Link("m1", "m0", 1.0, native=True)


NETWORKS = {"near": ("pair",), "fine": ("pair", "thread")}


def network(name: str) -> tuple[Network, np.ndarray]:
    of_pair = np.concatenate([sizes(part) for part in NETWORKS[name]])
    return getattr(shipped(), name), of_pair


@pytest.mark.parametrize("name", NETWORKS)
def test_no_sum_leaves_what_single_precision_holds_exactly(name) -> None:
    scorer, of_pair = network(name)
    assert scorer.largest(sizes("message"), of_pair) < EXACT


@pytest.mark.parametrize("name", NETWORKS)
@given(seed=st.integers(0, 1 << 30))
@settings(deadline=None, max_examples=10)
def test_the_scores_are_those_of_exact_arithmetic(name, seed) -> None:
    scorer, of_pair = network(name)
    random = np.random.default_rng(seed)
    of_message = sizes("message").astype(int)
    messages = random.integers(0, of_message + 1, (5, len(of_message)))
    earlier = random.integers(0, of_message + 1, (7, len(of_message)))
    pairs = random.integers(
        -of_pair.astype(int)[:, None, None], of_pair.astype(int)[:, None, None] + 1, (len(of_pair), 5, 8)
    )
    whole = {key: getattr(scorer, key).astype(object) for key in WEIGHTS}
    first = np.empty((5, 8, len(scorer.bias)), object)
    for i in range(5):
        for k in range(8):
            other = whole["start"] if k == 0 else earlier[k - 1].astype(object) @ whole["parent"]
            first[i, k] = messages[i].astype(object) @ whole["child"] + whole["bias"] + other
            first[i, k] += whole["pair"] @ pairs[:, i, k].astype(object)
    hidden = np.clip(first // (1 << scorer.shifts[0]), 0, 1023)
    second = np.clip((hidden @ whole["second"].T + whole["second_bias"]) // (1 << scorer.shifts[1]), 0, 1023)
    wanted = second @ whole["last"]
    wanted[:, 0] += scorer.start_bias
    above = np.broadcast_to(scorer.parents(earlier.astype(np.float32))[:, None], (len(scorer.bias), 5, 7))
    found = scorer.scores(messages.astype(np.float32), above, pairs.astype(np.float32))
    assert (found.astype(object) == wanted).all()


def test_who_was_silent_longest_is_forgotten_with_the_names() -> None:
    speakers = Speakers(most=2)
    for key in "abc":
        speakers.wrote(key, (f"name-{key}",))
    assert speakers.find("name-a") == NO_ONE
    assert speakers.find("a") == NO_ONE
    assert speakers.find("name-c") != NO_ONE


def usage(*texts: str) -> np.ndarray:
    lexicon = Lexicon()
    found = [[lexicon[word] for word in words_of(text)] for text in texts]
    entries = np.array([entry for words in found for entry in words], np.int64)
    return shipped().usage.of(entries, np.array([len(words) for words in found], np.int64))


def test_messages_about_the_same_thing_are_alike_without_a_common_word() -> None:
    disk, sound, fstab = usage(
        "my usb disk does not mount at boot", "the sound is gone", "is there an entry in fstab"
    )
    assert fstab @ disk > 2 * abs(fstab @ sound)


@given(
    st.lists(st.lists(st.sampled_from(["mount", "fstab", "alsa", "how", "zzyzx"]), max_size=700), max_size=4)
)
@settings(deadline=None, max_examples=30)
def test_what_a_message_is_about_is_whole_and_depends_on_no_other(messages) -> None:
    texts = [" ".join(words) for words in messages]
    found = usage(*texts)
    assert (found == np.rint(found)).all()
    # So single precision holds the product of any two exactly.
    assert ((found**2).sum(1) <= (LENGTH + found.shape[1] ** 0.5 / 2) ** 2).all()
    for text, row in zip(texts, found, strict=True):
        assert (usage(text)[0] == row).all()
        assert row.any() or not set(text.split()) & {"mount", "fstab", "alsa"}
        assert not usage("zzyzx").any()
