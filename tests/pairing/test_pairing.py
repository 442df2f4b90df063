"""Which messages become questions and answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from discord_exports import snowflake
from hypothesis import given
from hypothesis import strategies as st

from furytune.errors import ConfigError
from furytune.pairing import Conversation, Pairer, Post, ReplyPairer, ThreadPairer, is_question
from furytune.pairing.posts import id_number, parse_time, sent_at, snowflake_at, snowflake_time
from furytune.records import Dropped, QAPair

THREAD = Conversation(guild="1", channel="77", thread="88", is_thread=True)
CHANNEL = Conversation(guild="1", channel="77")


def talk(*lines: str | tuple[str, dict]) -> list[Post]:
    """Posts from lines such as "1 ann: text" or "2 bob >1: text"; ids are small numbers."""
    posts = []
    for line in lines:
        more = {}
        if isinstance(line, tuple):
            line, more = line  # noqa: PLW2901
        head, text = line.split(":", 1)
        uid, who, *target = head.split()
        posts.append(Post(uid, who, text.strip(), target[0][1:] if target else None, **more))
    return posts


def run(
    pairer: Pairer, posts: list[Post], place: Conversation
) -> tuple[list[QAPair], dict[str, tuple[str, ...]]]:
    pairs: list[QAPair] = []
    drops: dict[str, tuple[str, ...]] = {}
    for item in pairer.pair(posts, place):
        if isinstance(item, QAPair):
            pairs.append(item)
        else:
            assert item.unit == "message"
            assert item.reason not in drops
            drops[item.reason] = item.ids
    used = sum(len(p.question_messages) + len(p.answer_messages) for p in pairs)
    total = sum(i.count for i in pairer.pair(posts, place) if isinstance(i, Dropped))
    assert used + total == len(posts)
    return pairs, drops


def in_thread(*lines: str | tuple[str, dict]) -> tuple[list[QAPair], dict[str, tuple[str, ...]]]:
    return run(ThreadPairer(), talk(*lines), THREAD)


def in_channel(
    *lines: str | tuple[str, dict], **settings: object
) -> tuple[list[QAPair], dict[str, tuple[str, ...]]]:
    return run(ReplyPairer(**settings), talk(*lines), CHANNEL)


class TestThreads:
    def test_the_first_turn_by_someone_else_answers_all_turns_before_it(self):
        (pair,), drops = in_thread(
            "1 ann: How?", "2 ann: With code.", "3 bob: Like this.", "4 bob: Or so.", "5 ann: Thanks!"
        )
        assert (pair.question, pair.answer) == ("How?\nWith code.", "Like this.\nOr so.")
        assert (pair.id, pair.group, pair.method) == ("discord:1", "88", "thread")
        assert (pair.question_messages, pair.answer_messages) == (("1", "2"), ("3", "4"))
        assert (pair.asker, pair.answerer) == ("ann", "bob")
        assert (pair.source.guild, pair.source.channel, pair.source.thread) == ("1", "77", "88")
        assert drops == {"after_answer": ("5",)}

    def test_a_question_back_is_skipped_if_the_opener_spoke_again(self):
        (pair,), drops = in_thread(
            "1 ann: It fails.", "2 bob: Which version?", "3 ann: 0.9", "4 bob: Then upgrade."
        )
        assert (pair.question, pair.answer) == ("It fails.\n\n0.9", "Then upgrade.")
        assert drops == {"clarification": ("2",)}

    @pytest.mark.parametrize(
        "reply",
        ["Did you try https://example.org/a?", "Like ```x``` this?", "Did you try it?\n No? Then do."],
    )
    def test_a_turn_with_code_or_a_link_answers_even_with_a_question_mark(self, reply):
        (pair,), _ = in_thread("1 ann: It fails.", f"2 bob: {reply}", "3 ann: ok")
        assert pair.answer == reply

    def test_a_question_back_that_stayed_unanswered_is_the_answer(self):
        (pair,), _ = in_thread("1 ann: It fails.", "2 bob: Did you install it?")
        assert pair.answer == "Did you install it?"

    def test_a_solution_mark_wins_and_ends_the_question(self):
        (pair,), drops = in_thread(
            "1 ann: It fails.",
            "2 bob: Try a.",
            "3 ann: No.",
            ("4 cem: Try b.", {"solved": True}),
            "5 cem: Always.",
            "6 ann: Works",
        )
        assert (pair.question, pair.answer) == ("It fails.\n\nNo.", "Try b.\nAlways.")
        assert drops == {"before_answer": ("2",), "after_answer": ("6",)}

    def test_a_mark_on_the_openers_own_message_means_nothing(self):
        (pair,), _ = in_thread(("1 ann: It fails.", {"solved": True}), "2 bob: Try a.")
        assert pair.answer == "Try a."

    def test_a_thread_that_no_one_else_answered_has_no_pair(self):
        pairs, drops = in_thread("1 ann: How?", "2 ann: Anyone?")
        assert (pairs, drops) == ([], {"no_answer": ("1", "2")})

    def test_empty_and_dropped_messages_are_counted_and_break_no_turn(self):
        (pair,), drops = in_thread("1 ann: a", "2 ann:", ("3 x: hm", {"drop": "bot"}), "4 ann: b", "5 bob: c")
        assert pair.question == "a\nb"
        assert drops == {"empty": ("2",), "bot": ("3",)}

    def test_messages_beyond_the_window_are_counted(self):
        posts = talk("1 ann: a", "2 bob: b", "3 ann: c", "4 bob: d")
        (pair,), drops = run(ThreadPairer(2), posts, THREAD)
        assert pair.answer == "b"
        assert drops == {"after_window": ("3", "4")}

    def test_an_empty_thread_gives_nothing(self):
        assert in_thread() == ([], {})

    def test_a_thread_of_unknown_id_is_grouped_by_its_first_message(self):
        (pair,), _ = run(ThreadPairer(), talk("1 ann: a", "2 bob: b"), Conversation(is_thread=True))
        assert pair.group == "1"


class TestReplies:
    def test_a_reply_answers_its_target_with_the_messages_around_both(self):
        (pair,), drops = in_channel(
            "1 ann: Hello", "2 ann: how do I do x?", "3 cem: lunch", "4 bob >2: Like this.", "5 bob: Or so."
        )
        assert (pair.question, pair.answer) == ("Hello\nhow do I do x?", "Like this.\nOr so.")
        assert (pair.id, pair.group, pair.method) == ("discord:2", "2", "reply")
        assert drops == {"no_reply": ("3",)}

    def test_a_statement_just_before_a_reply_leads_it_in(self):
        (pair,), _ = in_channel("1 ann: how?", "2 bob: Good one.", "3 bob >1: So.")
        assert pair.answer == "Good one.\nSo."

    def test_a_question_just_before_a_reply_stays_its_own(self):
        pairs, _ = in_channel("1 ann: how?", "2 bob: And what about y?", "3 bob >1: So.", "4 cem >2: Y is z.")
        assert [(p.question, p.answer) for p in pairs] == [("how?", "So."), ("And what about y?", "Y is z.")]

    def test_replies_to_replies_belong_to_the_tree_of_the_root(self):
        (pair,), drops = in_channel(
            "1 ann: It fails?",
            "2 bob >1: Which version?",
            "3 dan: noise",
            "4 ann >2: 0.9",
            "5 bob >4: Upgrade.",
            "6 ann >5: Thanks",
        )
        assert (pair.question, pair.answer, pair.group) == ("It fails?\n\n0.9", "Upgrade.", "1")
        assert drops == {"no_reply": ("3",), "clarification": ("2",), "after_answer": ("6",)}

    def test_two_trees_may_interleave(self):
        pairs, drops = in_channel("1 ann: how a?", "2 bob: how b?", "3 cem >2: b!", "4 dan >1: a!")
        assert {(p.question, p.answer) for p in pairs} == {("how a?", "a!"), ("how b?", "b!")}
        assert drops == {}

    def test_talk_that_asks_nothing_is_dropped_unless_wanted(self):
        lines = ("1 ann: Nice weather.", "2 bob >1: Yes.")
        assert in_channel(*lines) == ([], {"not_a_question": ("1", "2")})
        assert len(in_channel(*lines, questions_only=False)[0]) == 1

    def test_a_reply_to_something_unknown_takes_its_tree_with_it(self):
        pairs, drops = in_channel("1 ann >99: why?", "2 bob >1: So.")
        assert (pairs, drops) == ([], {"reply_target_missing": ("1", "2")})

    def test_a_reply_to_a_dropped_message_says_so(self):
        pairs, drops = in_channel(("1 x: hi?", {"drop": "bot"}), "2 bob >1: So.")
        assert (pairs, drops) == ([], {"bot": ("1",), "reply_to_dropped": ("2",)})

    def test_a_reply_to_a_picture_below_the_question_finds_the_question(self):
        (pair,), drops = in_channel("1 ann: what is this?", "2 ann:", "3 bob >2: A cat.")
        assert (pair.question, pair.answer, drops) == ("what is this?", "A cat.", {"empty": ("2",)})

    def test_a_reply_to_a_picture_alone_has_no_question(self):
        pairs, drops = in_channel("1 ann:", "2 bob >1: Nice?", questions_only=False)
        assert (pairs, drops) == ([], {"empty": ("1",), "no_question_text": ("2",)})

    def test_the_opener_s_own_replies_are_not_an_answer(self):
        pairs, drops = in_channel("1 ann: how?", "2 bob: x", "3 ann >1: anyone?")
        assert (pairs, drops) == ([], {"no_answer": ("1", "3"), "no_reply": ("2",)})

    def test_a_long_pause_ends_a_run(self):
        first, second = snowflake(0), snowflake(60)
        posts = [
            Post(first, "ann", "Good night"),
            Post(second, "ann", "how?"),
            Post(snowflake(61), "bob", "so", second),
        ]
        (pair,), drops = run(ReplyPairer(), posts, CHANNEL)
        assert (pair.question, drops) == ("how?", {"no_reply": (first,)})
        (pair,), _ = run(ReplyPairer(pause=timedelta(hours=2)), posts, CHANNEL)
        assert pair.question == "Good night\nhow?"

    def test_a_reply_to_what_left_the_window_is_counted(self):
        pairs, drops = in_channel("1 ann: how?", "2 b: x", "3 c: y", "4 d >1: late", window=2)
        assert pairs == []
        assert drops == {"no_reply": ("1", "2", "3"), "reply_target_missing": ("4",)}

    def test_a_reply_into_a_tree_that_is_closed_is_counted(self):
        (pair,), drops = in_channel("1 ann: how?", "2 bob >1: so", "3 c: y", "4 d >2: late", window=2)
        assert pair.answer == "so"
        assert drops == {"no_reply": ("3",), "after_window": ("4",)}

    def test_a_run_that_outlives_its_tree_starts_a_new_one(self):
        (pair,), drops = in_channel("1 ann: how?", "2 bob >1: so", "3 bob: and", "4 bob: more", window=2)
        assert pair.answer == "so\nand"
        assert drops == {"no_reply": ("4",)}


LINES = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.sampled_from(["how?", "so.", "", "it fails", "and you?", "x"]),
        st.integers(0, 8),
        st.integers(0, 9),
    ),
    max_size=30,
)


def from_lines(lines: list[tuple[str, str, int, int]]) -> list[Post]:
    posts = []
    for i, (who, text, back, luck) in enumerate(lines, start=1):
        target = str(i - back) if back else None
        posts.append(Post(str(i), who, text, target, None, luck == 0, "bot" if luck == 1 else ""))
    return posts


class TestLaws:
    @given(lines=LINES, window=st.integers(2, 40), questions_only=st.booleans())
    def test_every_message_is_used_once_or_counted_once(self, lines, window, questions_only):
        posts = from_lines(lines)
        for pairer, place in (
            (ThreadPairer(window), THREAD),
            (ReplyPairer(window, questions_only=questions_only), CHANNEL),
        ):
            items = list(pairer.pair(posts, place))
            used = [
                m for p in items if isinstance(p, QAPair) for m in p.question_messages + p.answer_messages
            ]
            listed = [m for d in items if isinstance(d, Dropped) for m in d.ids]
            counted = sum(d.count for d in items if isinstance(d, Dropped))
            assert len(used) == len(set(used))
            assert not set(used) & set(listed)
            assert len(used) + counted == len(posts)

    @given(lines=LINES, questions_only=st.booleans())
    def test_later_messages_never_move_an_earlier_pair_to_another_id_or_group(self, lines, questions_only):
        """A pair may disappear when its answer turns out to be a question back, but its id never changes."""

        def named(some) -> dict[str, tuple[str, str]]:
            items = ReplyPairer(questions_only=questions_only).pair(from_lines(some), CHANNEL)
            pairs = [p for p in items if isinstance(p, QAPair)]
            return {m: (p.id, p.group) for p in pairs for m in p.question_messages}

        after = named(lines)
        for cut in range(len(lines)):
            before = named(lines[:cut])
            assert {m: before[m] for m in before.keys() & after} == {
                m: after[m] for m in before.keys() & after
            }

    @given(lines=LINES)
    def test_a_window_larger_than_the_channel_changes_nothing(self, lines):
        posts = from_lines(lines)
        small = list(ReplyPairer(max(2, len(posts))).pair(posts, CHANNEL))
        assert small == list(ReplyPairer().pair(posts, CHANNEL))

    @given(lines=LINES)
    def test_no_one_answers_themselves(self, lines):
        for pairer, place in ((ThreadPairer(), THREAD), (ReplyPairer(questions_only=False), CHANNEL)):
            for item in pairer.pair(from_lines(lines), place):
                assert not isinstance(item, QAPair) or (
                    item.asker != item.answerer and item.question and item.answer
                )


class TestQuestions:
    @pytest.mark.parametrize(
        "text",
        [
            "how do I rotate it",
            "Is it fast？",
            "hey everyone, I'm trying to load a texture",
            "Hi <@123> can somebody look at this",
            "```\nTraceback (most recent call last)\n```",
            "It gives an ImportError",
            "the window does not work",
            "anyone around who knows shaders",
        ],
    )
    def test_these_ask(self, text):
        assert is_question(text)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "Nice!",
            "I wrote a tutorial.",
            "`a ? b : c` is nice",
            "https://example.org/?q=1",
            "```js\nx ? y : z\n```",
            "Thanks all",
            "Island life",
        ],
    )
    def test_these_do_not(self, text):
        assert not is_question(text)


class TestTimes:
    def test_a_snowflake_contains_its_time(self):
        assert snowflake_time("175928847299117063") == datetime(2016, 4, 30, 11, 18, 25, 796000, UTC)

    @pytest.mark.parametrize("text", [None, "", "04 August 2022 11:50", "02/09/2024", "2016-04-30T00:00:00"])
    def test_the_id_tells_the_time_where_the_text_does_not(self, text):
        assert parse_time(text, "175928847299117063") == snowflake_time("175928847299117063")

    @pytest.mark.parametrize("text", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-10:00"])
    def test_a_time_out_of_range_is_replaced_by_that_of_the_id(self, text):
        assert parse_time(text, "175928847299117063") == snowflake_time("175928847299117063")
        assert parse_time(text, "m1") is None

    @pytest.mark.parametrize("uid", ["", "012", "\uff11\uff12", " 12", "1_2", "+1", "7" * 21, "7" * 5000])
    def test_only_a_plain_number_is_a_snowflake(self, uid):
        assert id_number(uid) is None
        assert snowflake_time(uid) is None
        assert id_number("9" * 20) == int("9" * 20)

    def test_a_pair_tells_when_its_answer_was_complete(self):
        first = datetime(2024, 1, 1, tzinfo=UTC)
        posts = [
            Post(str(i), speaker, text, sent_at=first + timedelta(minutes=i))
            for i, (speaker, text) in enumerate(
                [("a", "q?"), ("b", "so"), ("b", "and so"), ("a", "thanks")], 1
            )
        ]
        (pair,) = [
            found
            for found in ThreadPairer().pair(posts, Conversation(thread="9", is_thread=True))
            if isinstance(found, QAPair)
        ]
        assert pair.answered_at == first + timedelta(minutes=3)
        assert pair.asked_at == first + timedelta(minutes=1)

    def test_no_time_is_better_than_a_wrong_one(self):
        assert parse_time("yesterday", "m1") is None
        assert snowflake_time("9" * 30) is None

    def test_zones_become_utc(self):
        post = Post("1", "a", "x", sent_at="2024-01-01T02:00:00+02:00")
        assert sent_at(post) == datetime(2024, 1, 1, tzinfo=UTC)
        moment = datetime(2024, 1, 1, tzinfo=UTC)
        assert sent_at(Post("1", "a", "x", sent_at=moment)) is moment


class TestArguments:
    @pytest.mark.parametrize(
        ("pairer", "settings"),
        [
            (ThreadPairer, {"window": 1}),
            (ReplyPairer, {"window": 2.5}),
            (ReplyPairer, {"pause": 15}),
            (ReplyPairer, {"questions_only": "no"}),
        ],
    )
    def test_invalid_arguments_are_refused_with_a_sentence(self, pairer, settings):
        with pytest.raises(ConfigError, match=rf"^{next(iter(settings))} (?:is|must be) ") as caught:
            pairer(**settings)
        assert "Attribute(" not in str(caught.value)


class TestCompletion:
    SENT = {"sent_at": "2024-01-01T10:00:00+00:00"}

    @pytest.mark.parametrize("edited", ["question", "answer", "both", "neither"])
    @pytest.mark.parametrize("place", [THREAD, CHANNEL])
    def test_a_pair_is_answered_at_its_last_edit(self, edited, place):
        late, later = "2025-01-01T00:00:00+00:00", "2026-08-05T00:00:00+00:00"
        question = {**self.SENT, "edited_at": late} if edited in ("question", "both") else self.SENT
        answer = {**self.SENT, "edited_at": later} if edited in ("answer", "both") else self.SENT
        posts = talk(("1 ann: How do I do it?", question), ("2 bob >1: Like so. EDIT: or so.", answer))
        (pair,), _ = run(ThreadPairer() if place.is_thread else ReplyPairer(), posts, place)
        expected = {"question": late, "answer": later, "both": later, "neither": self.SENT["sent_at"]}
        assert pair.answered_at == datetime.fromisoformat(expected[edited])
        assert pair.asked_at == datetime.fromisoformat(self.SENT["sent_at"])


@given(st.datetimes(datetime(2015, 1, 2), datetime(2080, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_the_lowest_id_of_a_moment_was_made_at_its_millisecond(moment):
    made = snowflake_time(str(snowflake_at(moment)))
    assert timedelta(milliseconds=-1) < made - moment <= timedelta(0)


def test_times_before_discord_have_no_ids():
    assert snowflake_at(datetime(1926, 1, 1, tzinfo=UTC)) == 0
