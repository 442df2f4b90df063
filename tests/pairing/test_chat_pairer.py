"""Any conversation gives pairs that add up, and clear help conversations give the pairs that a reader would see."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import msgspec
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from furytune.errors import ConfigError
from furytune.pairing import ChatPairer, Conversation, Pairer, Post
from furytune.pairing._chat.conversations import Conversations
from furytune.pairing.links import Link
from furytune.pairing.posts import LOST
from furytune.pairing.signals import Signals
from furytune.records import Dropped, Evidence, QAPair

CHANNEL = Conversation(guild="1", channel="77")
THREAD = Conversation(guild="1", channel="77", thread="88", is_thread=True)
BEGIN = datetime(2024, 3, 1, 12, tzinfo=UTC)
EVIDENCE = get_args(Evidence)

NAMES = {
    "ann": ("ann", "Ann Lee"),
    "bob": ("bob", "Bob the Builder"),
    "cy": ("c_3po",),
    "dov": ("\u05d3\u05d5\u05d3",),
    "hook": (),
}
TEXTS = (
    "How do I set the opacity of an actor?",
    "My window stays black, any idea?",
    "which version do you use?",
    "Use `actor.opacity = 0.5` for that.",
    "ann: you need to call show() first",
    "<@123456789012345678> try 0.12",
    "Solved it: the file had to be flipped before loading.",
    "thanks, that works!",
    "still the same error: ValueError",
    "should we release on Friday?",
    "\u600e\u4e48\u5b89\u88c5\uff1f",
    "\u05d3\u05d5\u05d3: \u05e9\u05dc\u05d5\u05dd",
    "```py\nshow()\n```",
    "lol",
    "",
    "  \n",
    "x" * 3000,
)


@st.composite
def streams(draw, most: int = 40) -> list[Post]:
    """Posts of one channel with everything that real ones have, and worse."""
    speakers = draw(st.sampled_from([tuple(NAMES), ("ann", "bob"), ("ann",), ("hook",)]))
    minute = 0
    posts = []
    for number in range(draw(st.integers(0, most))):
        minute += draw(st.sampled_from([0, 0, 1, 1, 5, 90, 5000, -700]))
        speaker = draw(st.sampled_from(speakers))
        posts.append(
            Post(
                id=f"m{number}",
                speaker=speaker,
                text=draw(st.sampled_from(TEXTS)),
                reply_to=draw(
                    st.sampled_from(
                        [None, None, None, f"m{number - 1}", f"m{number // 2}", f"m{number}", "m0", "gone"]
                    )
                ),
                sent_at=draw(st.sampled_from([None, *[BEGIN + timedelta(minutes=minute)] * 5])),
                solved=draw(st.sampled_from([False] * 6 + [True])),
                drop=draw(st.sampled_from([""] * 8 + ["bot", "system", "opted_out"])),
                names=NAMES[speaker],
                mentions=draw(st.sampled_from([(), (), (), ("bob",), ("ann", "stranger")])),
                files=draw(st.sampled_from([0, 0, 0, 1])),
            )
        )
    return posts


PLACES = st.sampled_from(
    [
        CHANNEL,
        THREAD,
        Conversation(is_thread=True),
        evolve(CHANNEL, starters={"m0", "m3"}),
        evolve(THREAD, tags=("Solved",)),
        evolve(THREAD, opening_missing=True),
    ]
)


def run(
    posts: list[Post], place: Conversation = CHANNEL, **more: Any
) -> tuple[list[QAPair], Counter[str], list[Dropped]]:
    items = list(ChatPairer(**more).pair(posts, place))
    drops = [item for item in items if isinstance(item, Dropped)]
    counts: Counter[str] = Counter()
    for drop in drops:
        assert drop.unit == "message"
        counts[drop.reason] += drop.count
    return [item for item in items if isinstance(item, QAPair)], counts, drops


def messages(pairs: list[QAPair]) -> list[str]:
    return [uid for pair in pairs for uid in (*pair.question_messages, *pair.answer_messages)]


def talk(*lines: str, **more: Any) -> list[Post]:
    """Posts a minute apart, from lines such as "1 ann: text" or "2 bob >1: text".

    A text that ends with a check mark has a solution mark, and one that begins with "@ann" mentions her.
    """
    posts = []
    for minute, line in enumerate(lines):
        head, text = line.split(":", 1)
        uid, who, *target = head.split()
        text = text.strip()
        mentioned = [text[1:].split()[0]] if text.startswith("@") else []
        posts.append(
            Post(
                id=uid,
                speaker=who,
                text=text.removesuffix("\u2705").rstrip(),
                reply_to=target[0][1:] if target else None,
                sent_at=BEGIN + timedelta(minutes=minute),
                solved=text.endswith("\u2705"),
                names=(who,),
                mentions=tuple(mentioned),
                **more,
            )
        )
    return posts


IN_OTHER_LANGUAGES = (
    (
        "ann: メッシュを読み込むとエラーが出ます。どうすればいいですか。",
        'bob: `load_mesh` に `format="obj"` を渡してください。',
        "ann: できました、ありがとうございます！",
    ),
    ("ann: 请问怎么把球体变成半透明的", "bob: 把 opacity 设成小于 1 的值就行", "ann: 谢谢，可以了"),
    (
        "ann: 구의 색상을 어떻게 바꾸나요",
        "bob: colors 인자에 (1,0,0) 을 넘기면 됩니다",
        "ann: 감사합니다 잘 되네요",
    ),
    (
        "ann: не могу понять как сохранить сцену в png",
        "bob: используй window.record(scene)",
        "ann: спасибо, работает",
    ),
    (
        "ann: hola, alguien sabe como guardar la escena como imagen",
        "bob: usa window.record(scene)",
        "ann: gracias, ya funciona",
    ),
    (
        "ann: Hallo, ich bekomme die Szene nicht als Bild gespeichert",
        "bob: Dafür gibt es window.record(scene)",
        "ann: super, danke, klappt",
    ),
    (
        "ann: merhaba sahneyi resim olarak nasıl kaydederim",
        "bob: window.record(scene) kullan",
        "ann: teşekkürler çalıştı",
    ),
    ("ann: كيف يمكنني حفظ المشهد كصورة", "bob: استخدم window.record(scene)", "ann: شكرا، نجح الأمر"),
)
"""Someone asks without a question mark, someone answers, and it works."""


class TestLaws:
    @given(posts=streams(), place=PLACES, window=st.sampled_from([2, 5, 50_000]))
    @settings(max_examples=60)
    def test_every_post_is_in_one_pair_or_counted_once(self, posts, place, window) -> None:
        pairs, counts, drops = run(posts, place, window=window, min_confidence=0)
        used = messages(pairs)
        listed = [uid for drop in drops for uid in drop.ids]
        assert len(used) == len(set(used))
        assert not set(used) & set(listed)
        assert len(used) + sum(counts.values()) == len(posts)
        left_out = Counter(post.drop for post in posts if post.drop)
        assert {reason: counts[reason] for reason in left_out} == left_out

    @given(posts=streams(), place=PLACES)
    @settings(max_examples=60)
    def test_a_pair_is_well_formed(self, posts, place) -> None:
        at = {post.id: number for number, post in enumerate(posts)}
        pairs, _, _ = run(posts, place, min_confidence=0)
        assert len({pair.id for pair in pairs}) == len(pairs)
        for pair in pairs:
            asked = [posts[at[uid]] for uid in pair.question_messages]
            told = [posts[at[uid]] for uid in pair.answer_messages]
            assert max(at[post.id] for post in asked) < min(at[post.id] for post in told)
            assert {post.speaker for post in asked} == {pair.asker}
            assert told[0].speaker == pair.answerer
            assert all(post.text.strip() and not post.drop for post in (*asked, *told))
            assert pair.id.removeprefix("discord:") in pair.question_messages
            assert pair.method in {"thread", "reply", "link"}
            assert 0 <= pair.confidence <= 1

    @given(posts=streams(), place=PLACES)
    @settings(max_examples=60)
    def test_the_evidence_is_from_the_closed_list_and_true(self, posts, place) -> None:
        by_id = {post.id: post for post in posts}
        for pair in run(posts, place, min_confidence=0)[0]:
            told = [by_id[uid] for uid in pair.answer_messages]
            assert list(pair.evidence) == [name for name in EVIDENCE if name in pair.evidence]
            assert ("thread" in pair.evidence) == place.is_thread == (pair.method == "thread")
            assert ("self_answer" in pair.evidence) == (pair.asker == pair.answerer)
            assert ("solution_mark" in pair.evidence) == any(post.solved for post in told)
            assert ("solved_tag" in pair.evidence) == place.tagged_solved
            replied = any(post.reply_to in pair.question_messages for post in told)
            assert ("native_reply" in pair.evidence) == replied
            assert bool({"thread", "native_reply", "linked"} & set(pair.evidence))

    @given(posts=streams(), place=PLACES)
    @settings(max_examples=20)
    def test_the_same_posts_give_the_same_pairs(self, posts, place) -> None:
        assert list(ChatPairer().pair(posts, place)) == list(ChatPairer().pair(iter(posts), place))

    @given(posts=streams(), place=PLACES, least=st.floats(0, 1))
    @settings(max_examples=40)
    def test_a_limit_only_removes_the_pairs_below_it(self, posts, place, least) -> None:
        every, _, _ = run(posts, place, min_confidence=0)
        kept, counts, _ = run(posts, place, min_confidence=least)
        assert kept == [pair for pair in every if pair.confidence >= least]
        assert counts["low_confidence"] == len(messages(every)) - len(messages(kept))

    @given(posts=streams(), data=st.data())
    @settings(max_examples=40)
    def test_later_messages_move_no_question_of_a_channel_to_another_group(self, posts, data) -> None:
        """The split goes by group, so a longer export must not move a question from training to validation."""
        cut = data.draw(st.integers(0, len(posts)))
        groups = [
            {uid: pair.group for pair in run(some, min_confidence=0)[0] for uid in pair.question_messages}
            for some in (posts[:cut], posts)
        ]
        both = groups[0].keys() & groups[1].keys()
        assert {uid: groups[0][uid] for uid in both} == {uid: groups[1][uid] for uid in both}

    @given(posts=streams(), place=PLACES)
    @settings(max_examples=30)
    def test_pairs_of_one_thread_are_one_group(self, posts, place) -> None:
        pairs, _, _ = run(posts, place, min_confidence=0)
        if place.thread:
            assert {pair.group for pair in pairs} <= {"88"}
        elif place.is_thread:
            assert len({pair.group for pair in pairs}) <= 1

    @given(
        speakers=st.lists(st.sampled_from("abcdefghij"), min_size=1, max_size=30),
        texts=st.data(),
        replies=st.booleans(),
    )
    @settings(max_examples=40)
    def test_a_solution_mark_always_makes_an_answer(self, speakers, texts, replies) -> None:
        """Whoever wrote it, after however many others, and whatever it says."""
        marked = texts.draw(st.integers(1, len(speakers)))
        posts = [Post("0", "ann", TEXTS[0], sent_at=BEGIN)]
        for number, speaker in enumerate(speakers, start=1):
            text = texts.draw(st.sampled_from([text for text in TEXTS if text.strip()]))
            target = "0" if replies else None
            posts.append(Post(str(number), speaker, text, target, BEGIN, solved=number == marked))
        pairs, _, _ = run(posts, CHANNEL if replies else THREAD)
        (pair,) = [pair for pair in pairs if str(marked) in pair.answer_messages]
        assert pair.solved
        assert "solution_mark" in pair.evidence
        assert pair.confidence >= 0.5

    @pytest.mark.parametrize("place", [CHANNEL, THREAD])
    def test_nothing_and_one_message_give_no_pair(self, place) -> None:
        assert run([], place) == ([], Counter(), [])
        pairs, counts, _ = run(talk("1 ann: How do I set the opacity?"), place)
        assert pairs == []
        assert counts == {"no_answer" if place.is_thread else "no_reply": 1}

    def test_it_is_a_pairer_for_any_conversation(self) -> None:
        assert isinstance(ChatPairer(), Pairer)
        assert ChatPairer().fits(CHANNEL)
        assert ChatPairer().fits(THREAD)

    @pytest.mark.parametrize(
        "settings",
        [
            {"window": 1},
            {"window": 2.5},
            {"min_confidence": -0.1},
            {"min_confidence": 1.1},
            {"min_confidence": True},
            {"min_confidence": "0.5"},
            {"min_confidence": float("nan")},
        ],
    )
    def test_impossible_settings_are_refused(self, settings) -> None:
        with pytest.raises(ConfigError, match=next(iter(settings))):
            ChatPairer(**settings)


class TestMemory:
    @given(
        answers=st.lists(st.integers(0, 12), max_size=80),
        window=st.integers(2, 10),
        longest=st.integers(2, 9),
    )
    def test_conversations_close_when_silent_or_long(self, answers, window, longest) -> None:
        """A conversation is open only if one of the last posts is in it, so few are open at any time."""
        open_talks = Conversations(window, longest)
        given_back: list[str] = []
        for number, back in enumerate(answers):
            post = Post(str(number), "ann", "a")
            closed = list(
                open_talks.add(post, Link(post.id, str(number - back) if back else "", 1.0), Signals())
            )
            given_back += [linked.post.id for one in closed for linked in one]
            assert all(len(one) <= longest for one in closed)
            # The last posts of those that closed are old, or they were long.
            assert all(len(one) == longest or int(one[-1].post.id) <= number - window for one in closed)
        rest = list(open_talks.rest())
        last = {one[-1].post.id for one in rest}
        assert all(int(uid) > len(answers) - 1 - window for uid in last)
        assert len(rest) <= window
        given_back += [linked.post.id for one in rest for linked in one]
        assert sorted(given_back, key=int) == [str(number) for number in range(len(answers))]

    @given(answers=st.lists(st.integers(0, 12), max_size=60))
    def test_a_post_answers_an_earlier_one_of_its_conversation(self, answers) -> None:
        open_talks = Conversations(5, 7)
        closed = []
        for number, back in enumerate(answers):
            post = Post(str(number), "ann", "a")
            closed += open_talks.add(post, Link(post.id, str(number - back) if back else "", 1.0), Signals())
        for one in (*closed, *open_talks.rest()):
            ids = [int(linked.post.id) for linked in one]
            assert ids == sorted(ids)
            assert one[0].parent == -1
            for place, linked in enumerate(one[1:], start=1):
                assert 0 <= linked.parent < place
                assert ids[linked.parent] == int(linked.post.id) - answers[int(linked.post.id)]

    def test_a_pair_comes_out_before_the_channel_ends(self) -> None:
        """The channel does not end at all, so nothing may wait for its end."""
        read = 0

        def endless() -> Iterator[Post]:
            nonlocal read
            question = talk(
                "a ann: How can I rotate an actor around its own axis?",
                "b bob >a: Call `actor.rotate(axis, angle)` before you show the scene.",
            )
            for post in question:
                read += 1
                yield post
            while True:
                read += 1
                yield Post(f"c{read}", "cy", "lol", sent_at=BEGIN + timedelta(days=read))

        first = next(iter(ChatPairer(window=100).pair(endless(), CHANNEL)))
        assert isinstance(first, QAPair)
        assert read < 1000

    @pytest.mark.parametrize("place", [CHANNEL, THREAD])
    @pytest.mark.parametrize("people", [1, 7])
    def test_the_work_for_a_busy_minute_grows_with_its_messages(self, place, people) -> None:
        """Everything is written in one minute, and nothing separates one conversation from the next."""

        def minute(size: int) -> list[Post]:
            says = ("How do I set {}?", "use actor.opacity = {}", "lol {}", "it is {}", "so", "hm {}")
            return [
                Post(
                    str(n),
                    f"p{n % people}",
                    says[n % 6].format(n),
                    reply_to=str(n - 1) if n % 8 == 5 else None,
                    sent_at=BEGIN,
                    names=(f"p{n % people}",),
                )
                for n in range(size)
            ]

        run(minute(50), place)  # reads the models
        small, large = (calls(lambda n=n: run(minute(n), place)) for n in (200, 800))
        assert large < 6 * small

    def test_a_minute_of_thousands_of_messages_is_counted_to_the_last(self) -> None:
        posts = [Post(str(n), f"p{n % 40}", f"line {n}", sent_at=BEGIN) for n in range(5000)]
        pairs, counts, _ = run(posts)
        assert len(messages(pairs)) + sum(counts.values()) == 5000


def calls(act: Callable[[], Any]) -> int:
    """How many calls of functions it takes, which is the same on every machine."""
    count = 0

    def seen(_: Any, event: str, __: Any) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(seen)
    try:
        act()
    finally:
        sys.setprofile(None)
    return count


CHATTER = (
    "90 cy: morning everyone",
    "91 dan: morning",
    "92 eve: I am on holiday next week",
    "93 dan: enjoy!",
)
QUESTION = "How can I rotate an actor around its own axis?"
ANSWER = "You have to call `actor.rotate(axis, angle)` before you show the scene."
IN_LANGUAGES = [
    (QUESTION, ANSWER),
    (
        "\u00bfC\u00f3mo puedo girar un actor sobre su propio eje?",
        "Tienes que llamar a `actor.rotate(axis, angle)` antes de mostrar la escena.",
    ),
    (
        "Comment puis-je faire tourner un acteur autour de son axe ?",
        "Il faut appeler `actor.rotate(axis, angle)` avant d'afficher la sc\u00e8ne.",
    ),
    (
        "Wie kann ich einen Actor um seine eigene Achse drehen?",
        "Du musst `actor.rotate(axis, angle)` aufrufen, bevor du die Szene zeigst.",
    ),
    (
        "\u600e\u4e48\u8ba9\u4e00\u4e2a actor \u7ed5\u81ea\u5df1\u7684\u8f74\u65cb\u8f6c\uff1f",
        "\u663e\u793a\u573a\u666f\u4e4b\u524d\u5148\u8c03\u7528 `actor.rotate(axis, angle)` \u5c31\u53ef\u4ee5\u4e86\u3002",
    ),
    (
        (
            "\u041a\u0430\u043a \u043f\u043e\u0432\u0435\u0440\u043d\u0443\u0442\u044c \u0430\u043a\u0442\u0451\u0440\u0430 "
            "\u0432\u043e\u043a\u0440\u0443\u0433 \u0441\u0432\u043e\u0435\u0439 \u043e\u0441\u0438?"
        ),
        (
            "\u041d\u0443\u0436\u043d\u043e \u0432\u044b\u0437\u0432\u0430\u0442\u044c `actor.rotate(axis, angle)` "
            "\u043f\u0435\u0440\u0435\u0434 \u043f\u043e\u043a\u0430\u0437\u043e\u043c \u0441\u0446\u0435\u043d\u044b."
        ),
    ),
]


class TestClearConversations:
    """What no reader would doubt. Confidences move with the models, so only clear limits are asserted."""

    @pytest.mark.parametrize(("question", "answer"), IN_LANGUAGES)
    def test_a_native_reply_answers_a_question(self, question, answer) -> None:
        ((pair,), _, _) = run(talk(*CHATTER, f"1 ann: {question}", f"2 bob >1: {answer}"))
        assert (pair.question, pair.answer, pair.id) == (question, answer, "discord:1")
        assert (pair.method, pair.asker, pair.answerer) == ("reply", "ann", "bob")
        assert "native_reply" in pair.evidence

    @pytest.mark.parametrize(("question", "answer"), IN_LANGUAGES)
    def test_a_thread_answers_what_it_was_opened_for(self, question, answer) -> None:
        ((pair,), counts, _) = run(talk(f"1 ann: {question}", f"2 bob: {answer}"), THREAD)
        assert (pair.question, pair.answer, pair.method, pair.group) == (question, answer, "thread", "88")
        assert not counts

    @pytest.mark.parametrize(("question", "answer"), [IN_LANGUAGES[0], IN_LANGUAGES[3]])
    @pytest.mark.parametrize("address", ["@ann", "ann:"])
    def test_an_answer_far_below_names_who_asked(self, question, answer, address) -> None:
        lines = (
            f"1 ann: {question}",
            "2 cy: did you see the game last night",
            "3 dan: yes! what a match",
            "4 cy: unbelievable",
            f"5 bob: {address} {answer}",
        )
        pairs, _, _ = run(talk(*CHATTER, *lines))
        assert [(pair.id, pair.answer) for pair in pairs] == [("discord:1", f"{address} {answer}")]
        assert {"addressed", "linked"} <= set(pairs[0].evidence)
        assert pairs[0].method == "link"

    @pytest.mark.parametrize("before", [(), CHATTER])
    def test_an_answer_right_below_needs_no_reply(self, before) -> None:
        lines = (f"1 ann: {QUESTION}", "2 bob: use actor.rotate(axis, angle)", "3 ann: thanks, works!")
        ((pair,), _, _) = run(talk(*before, *lines))
        assert (pair.question, pair.answer) == (QUESTION, "use actor.rotate(axis, angle)")
        assert pair.evidence == ("linked", "works_now", "thanked")
        assert pair.confidence > 0.5

    def test_thanks_raise_the_confidence(self) -> None:
        lines = [f"1 ann: {QUESTION}", f"2 bob >1: {ANSWER}", "3 ann >2: thanks, that works!"]
        ((plain,), _, _) = run(talk(*lines[:2]))
        ((thanked,), _, _) = run(talk(*lines))
        assert thanked.confidence >= plain.confidence
        assert {"works_now", "thanked"} <= set(thanked.evidence)

    @pytest.mark.parametrize(
        "solution",
        [
            "Solved it: the file has to be flipped with `image[::-1]` before it is given to the actor.",
            "Turns out the file has to be flipped with `image[::-1]` before it is given to the actor.",
        ],
    )
    @pytest.mark.parametrize("between", [(), ("2 cy: no idea, sorry",)])
    def test_who_asked_may_find_the_answer(self, solution, between) -> None:
        question = "My texture is upside down after I load a png file, any idea why?"
        ((pair,), _, _) = run(talk(f"1 ann: {question}", *between, f"3 ann: {solution}"), THREAD)
        assert (pair.question, pair.answer) == (question, solution)
        assert pair.asker == pair.answerer == "ann"
        assert "self_answer" in pair.evidence

    def test_more_of_a_question_is_not_its_answer(self) -> None:
        posts = talk("1 ann: My texture is upside down, any idea why?", "2 ann: I load it from a png file.")
        assert run(posts, THREAD)[0] == []

    @pytest.mark.parametrize(
        "lines",
        [
            (
                "1 ann: Should we release 2.0 on Friday?",
                "2 bob: I would wait until the docs are merged",
                "3 ann: ok, can you review my PR then?",
                "4 bob >3: sure, will do after lunch",
                "5 cy: standup in five minutes",
                "6 ann: on my way",
            ),
            ("1 ann: Can you review my PR?", "2 bob >1: done", "3 ann >2: thanks!"),
            (
                "1 ann: Meeting tomorrow at 10?",
                "2 bob >1: works for me",
                "3 cy >1: I can't, 11 would be better",
            ),
        ],
    )
    def test_talk_of_a_team_is_not_worth_much(self, lines) -> None:
        pairs, _, _ = run(talk(*lines), min_confidence=0)
        assert all(pair.confidence <= 0.5 for pair in pairs)

    @pytest.mark.parametrize("place", [CHANNEL, THREAD])
    def test_asking_back_is_not_the_answer(self, place) -> None:
        back = "" if place.is_thread else " >1"
        lines = (
            "1 ann: The window stays black when I call show, what can I do?",
            f"2 bob{back}: Which version do you use?",
            f"3 ann{back and ' >2'}: 0.9",
            f"4 bob{back and ' >3'}: That is a known bug. Update to 0.10 with `pip install -U fury`.",
            f"5 ann{back and ' >4'}: thanks, that fixed it",
        )
        ((pair,), counts, _) = run(talk(*lines), place)
        assert pair.answer.startswith("That is a known bug.")
        assert pair.question_messages == ("1", "3")
        assert "clarified" in pair.evidence
        assert counts == {"chatter": 2}
        early, _, _ = run(talk(*lines[:3]), place, min_confidence=0)
        assert all(pair.confidence <= 0.5 for pair in early)

    @pytest.mark.parametrize("lines", IN_OTHER_LANGUAGES, ids=lambda lines: lines[0][:30])
    def test_the_first_messages_of_a_channel_are_a_pair_in_any_language(self, lines) -> None:
        pairs, counts, _ = run(talk(*(f"{n} {line}" for n, line in enumerate(lines))))
        assert [(p.question_messages, p.answer_messages) for p in pairs] == [(("0",), ("1",))]
        assert "thanked" in pairs[0].evidence
        assert counts == {"chatter": 1}

    @pytest.mark.parametrize(
        "opener", ["my sphere does not show up", "Hi, I get a black window in the first tutorial"]
    )
    def test_who_is_asked_back_asked(self, opener) -> None:
        pairs, _, _ = run(
            talk(
                f"1 ann: {opener}",
                "2 bob: which version do you have, and are you on wayland?",
                "3 ann: 0.10, and yes",
                "4 bob: set QT_QPA_PLATFORM=xcb before you start it",
                "5 ann: that fixed it, thank you!",
            )
        )
        assert [(p.question_messages, p.answer_messages) for p in pairs] == [(("1", "3"), ("4",))]
        assert set(pairs[0].evidence) == {"linked", "works_now", "thanked", "clarified"}

    def test_a_check_mark_beats_the_first_and_the_longest_answer(self) -> None:
        lines = (
            "1 ann: My viewer closes at once when I call show.",
            "2 bob: You could use a while loop around show, or call input() so that the script waits at its end.",
            "3 cy: Pass interactive=True to show(). \u2705",
        )
        ((pair,), counts, _) = run(talk(*lines), THREAD)
        assert (pair.answer, pair.solved) == ("Pass interactive=True to show().", True)
        assert "solution_mark" in pair.evidence
        assert counts == {"chatter": 1}

    def test_a_mark_on_one_answer_leaves_the_other_question_its_own(self) -> None:
        lines = (
            f"1 ann: {QUESTION}",
            f"2 bob >1: {ANSWER}",
            "3 dan >2: And how can I save the scene as a png file?",
            "4 bob >3: Call `window.record(scene, out_path='x.png')`. \u2705",
        )
        pairs, _, _ = run(talk(*lines))
        assert {(pair.asker, pair.answer_messages) for pair in pairs} == {("ann", ("2",)), ("dan", ("4",))}

    @pytest.mark.parametrize("linked_to", [1, 2])
    def test_what_answers_someone_else_is_no_second_half(self, linked_to) -> None:
        lines = (
            "1 ann: how do I change the background colour of a scene?",
            "2 bob >1: Set `scene.background = (1, 1, 1)`, see above.",
            f"3 cy >{linked_to}: how do I show the axes in the corner?",
            "4 dan >3: Call the method on the show manager before you start it: `show.show_axes_gizmo()`",
        )
        pairs, _, _ = run(talk(*lines))
        assert {(pair.asker, pair.answer_messages) for pair in pairs} == {("ann", ("2",)), ("cy", ("4",))}

    def test_a_greeting_before_the_question_moves_neither_id_nor_group(self) -> None:
        lines = [f"2 ann: {QUESTION}", f"3 bob >2: {ANSWER}"]
        ((short,), _, _) = run(talk(*lines))
        for more in ("1 ann: hi all", "1 ann >0: hi all"):
            ((longer,), _, _) = run(talk(more, *lines))
            assert (longer.id, longer.group) == (short.id, short.group) == ("discord:2", "2")

    def test_a_greeting_in_one_turn_with_the_question_moves_nothing(self) -> None:
        """The second post replies to the first, so both are in one turn whatever the linker says."""
        lines = [f"2 ann >1: {QUESTION}", f"3 bob >2: {ANSWER}"]
        ((pair,), _, _) = run(talk("1 ann: hi all", *lines))
        assert (pair.id, pair.group) == ("discord:2", "2")
        assert pair.question == f"hi all\n{QUESTION}"

    def test_a_thread_opened_on_the_question_is_the_group(self) -> None:
        posts = talk(f"1 ann: {QUESTION}", f"2 bob >1: {ANSWER}")
        ((pair,), _, _) = run(posts, evolve(CHANNEL, starters={"1"}))
        assert pair.group == "1"

    def test_a_title_is_what_a_post_asks(self) -> None:
        """Collectors join title and body, see `titled`."""
        posts = talk(
            "1 ann: How do I draw a sphere?\n\nI use 0.12 on Linux.", "2 bob: Call `actor.sphere()`."
        )
        ((pair,), _, _) = run(posts, THREAD)
        assert pair.question == "How do I draw a sphere?\n\nI use 0.12 on Linux."


class TestLostQuestions:
    ANSWERED = ("2 bob: Set the opacity of the actor below 1.", "3 ann: Thanks, works!")

    def test_without_its_opening_message_a_thread_has_no_question(self) -> None:
        pairs, counts, _ = run(talk(*self.ANSWERED), evolve(THREAD, opening_missing=True), min_confidence=0)
        assert (pairs, counts) == ([], {"no_question_text": 2})

    @pytest.mark.parametrize("reason", sorted(LOST))
    def test_nor_if_the_opening_message_is_withheld(self, reason) -> None:
        posts = talk(f"1 ann: {QUESTION}", *self.ANSWERED)
        posts[0] = msgspec.structs.replace(posts[0], drop=reason, text="")
        pairs, counts, _ = run(posts, THREAD, min_confidence=0)
        assert (pairs, counts) == ([], {reason: 1, "no_question_text": 2})

    def test_a_bot_before_the_opening_message_changes_nothing(self) -> None:
        posts = talk("0 robot: welcome", f"1 ann: {QUESTION}", f"2 bob: {ANSWER}")
        posts[0] = msgspec.structs.replace(posts[0], drop="bot")
        ((pair,), counts, _) = run(posts, THREAD)
        assert pair.question == QUESTION
        assert counts == {"bot": 1}

    def test_an_answer_to_a_picture_without_words_is_no_question(self) -> None:
        posts = talk("1 ann: ", *self.ANSWERED)
        pairs, counts, _ = run(posts, THREAD, min_confidence=0)
        assert pairs == []
        assert (counts["empty"], counts["no_question_text"]) == (1, 1)

    def test_words_below_the_picture_are_the_question(self) -> None:
        ((pair,), counts, _) = run(talk("1 ann: ", f"2 ann: {QUESTION}", f"3 bob: {ANSWER}"), THREAD)
        assert pair.question == QUESTION
        assert counts == {"empty": 1}

    @pytest.mark.parametrize("reason", ["reply_target_missing", "reply_to_dropped"])
    def test_a_reply_to_something_missing_says_why_it_is_left(self, reason) -> None:
        posts = talk("1 robot: Build 7 failed.", "2 bob >1: lol")
        posts[0] = msgspec.structs.replace(posts[0], drop="bot")
        if reason == "reply_target_missing":
            del posts[0]
        assert run(posts)[1][reason] == 1
