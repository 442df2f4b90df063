"""If the bot only asks back, what the person said before belongs to the question, as in the training data."""

from __future__ import annotations

import signal
import sys
import threading

import pytest
from bots import SOON, Process, World, until
from hypothesis import given, settings
from hypothesis import strategies as st

from furytune.answering import audit
from furytune.bot import BotSettings, conversations
from furytune.errors import ConfigError
from furytune.pairing import ChatPairer, Conversation, Post, ThreadPairer, last_question, titled
from furytune.pairing.asking import only_asks_back
from furytune.records import QAPair

BOX, BACK, DETAIL = "How do I draw a box?", "Which version?", "0.12"
CLARIFIED = f"Question:\n{BOX}\n\n{DETAIL}"


def answer(text):
    """Asks back until it knows the version."""
    if DETAIL in text:
        return "Use `actor.box`."
    return f"For a cone, {BACK}" if "cone" in text else BACK


@pytest.fixture
def world(tmp_path):
    with World(tmp_path, answer) as made:
        yield made
    assert made.discord.violations == []
    assert made.discord.pings == []


def answered(world, count):
    """Waits until the bot has answered so many questions."""
    until(lambda: len(world.said()) == count and not world.busy())


def asked_in_thread(world, text=BOX, who="ann"):
    """Asks in the channel; returns the question and its thread."""
    number = len(world.said())
    first = world.ask(text, who=who)
    answered(world, number + 1)
    return first, first.thread


def test_in_each_place_the_joined_question_is_the_prompt_and_the_audit_proves_it(world, tmp_path):
    discord = world.discord
    forum = discord.add_channel("questions", "forum")
    ann = discord.add_member("ann")
    direct = discord.add_dm(ann)
    log = tmp_path / "audit.jsonl"
    raw = []
    with world.bot(forums=[forum.id], audit=log):
        # Its own thread.
        first, thread = asked_in_thread(world)
        raw += [first.content, f"{first.content}\n\n{world.ask(DETAIL, channel=thread).content}"]
        answered(world, 2)
        # A post of a forum.
        post = discord.add_thread(forum, "Boxes", author=ann, content=BOX)
        answered(world, 3)
        opening = titled("Boxes", BOX)
        raw += [opening, f"{opening}\n\n{world.ask(DETAIL, channel=post).content}"]
        answered(world, 4)
        # A direct conversation.
        discord.post(direct, ann, BOX)
        answered(world, 5)
        discord.post(direct, ann, DETAIL)
        answered(world, 6)
        raw += [BOX, f"{BOX}\n\n{DETAIL}"]
    with world.bot(open_threads=False, audit=log):
        # A chain of replies.
        first = world.ask(BOX)
        answered(world, 7)
        second = world.ask("on Linux", reply_to=world.posts(world.help)[-1])
        answered(world, 8)
        third = world.ask(DETAIL, reply_to=world.posts(world.help)[-1])
        answered(world, 9)
        raw.append(first.content)
        raw.append(f"{raw[-1]}\n\n{second.content}")
        raw.append(f"{raw[-1]}\n\n{third.content}")
    assert [p.encode() for p in world.prompts] == [bytes(world.contract.prompt(text)) for text in raw]
    assert world.prompts[1] == world.prompts[5] == CLARIFIED
    assert world.prompts[-1] == f"Question:\n{BOX}\n\non Linux\n\n{DETAIL}"
    found = audit(log, world.contract, raw)
    assert (found.proved, found.differing, found.other, found.unknown) == (len(raw), (), 0, 0)
    # The notes say which question continues which, and no text.
    notes = (tmp_path / "bot" / "questions.jsonl").read_text()
    assert not any(text in notes for text in ("box", DETAIL, "version", ann.id))


def test_what_was_answered_before_is_a_question_of_its_own(world):
    with world.bot():
        _, thread = asked_in_thread(world, f"{BOX} {DETAIL}")
        world.ask("And in red?", channel=thread)
        answered(world, 2)
        world.ask(DETAIL, channel=thread)
        answered(world, 3)
    assert world.prompts[1:] == ["Question:\nAnd in red?", f"Question:\nAnd in red?\n\n{DETAIL}"]


def test_with_ignore_each_question_is_on_its_own(world):
    with world.bot(earlier="ignore"):
        _, thread = asked_in_thread(world)
        world.ask(DETAIL, channel=thread)
        answered(world, 2)
    assert world.prompts[1] == f"Question:\n{DETAIL}"


def test_another_persons_words_never_get_into_a_question(world):
    with world.bot():
        _, thread = asked_in_thread(world)
        back = world.posts(thread)[0]
        world.discord.post(thread, "bob", "Try a sphere?")
        world.ask("in a notebook", who="bob", channel=thread, reply_to=back)
        answered(world, 2)
        world.ask(DETAIL, channel=thread)  # the bot asked bob back meanwhile
        answered(world, 3)
        world.ask(DETAIL, who="cleo", channel=thread)
        answered(world, 4)
    assert world.prompts[1:] == ["Question:\nin a notebook", CLARIFIED, f"Question:\n{DETAIL}"]


def test_in_a_channel_only_a_reply_continues_a_question(world):
    with world.bot(open_threads=False):
        world.ask(BOX)
        answered(world, 1)
        world.ask(DETAIL)
        answered(world, 2)
        told = world.discord.post(world.help, "bob", "I have 0.11")
        world.ask(DETAIL, reply_to=told)
        answered(world, 3)
    assert world.prompts[1:] == [f"Question:\n{DETAIL}"] * 2


def test_an_earlier_message_is_read_as_its_author_left_it(world):
    with world.bot():
        first, thread = asked_in_thread(world)
        world.discord.edit(first, first.content.replace("box", "cone"))
        until(lambda: "a cone" in world.said(thread)[0] and not world.busy())
        second = world.ask(DETAIL, channel=thread)
        answered(world, 2)
        # An edited follow-up still continues the same question.
        world.discord.edit(second, second.content.replace(DETAIL, f"{DETAIL}.1"))
        until(lambda: len(world.prompts) == 4 and not world.busy())
    cone = CLARIFIED.replace("box", "cone")
    assert world.prompts[2:] == [cone, f"{cone}.1"]


def test_a_deleted_message_is_not_joined(world):
    with world.bot():
        _, thread = asked_in_thread(world)
        second = world.ask("on Linux", channel=thread)
        answered(world, 2)
        world.discord.delete(second)
        answered(world, 1)
        world.ask(DETAIL, channel=thread)
        answered(world, 2)
        first, thread = asked_in_thread(world)
        world.discord.delete(first)
        until(lambda: not world.said(thread))
        world.ask(DETAIL, channel=thread)
        until(lambda: world.said(thread) and not world.busy())
    # The message before the deleted one is joined; if that is gone, too, nothing is.
    assert world.prompts[2] == CLARIFIED
    assert world.prompts[-1] == f"Question:\n{DETAIL}"


def test_a_mention_alone_does_not_ask_the_old_question_again(world):
    with world.bot():
        _, thread = asked_in_thread(world)
        world.ask("", channel=thread)
        answered(world, 2)
        world.ask(DETAIL, channel=thread)  # what got no answer is not a turn
        answered(world, 3)
    assert world.said(thread)[1] == "What would you like to know?"
    assert world.prompts[1:] == [CLARIFIED]


def test_who_replies_before_the_last_edit_of_the_answer_is_understood(tmp_path):
    enough = threading.Event()

    def slowly(text):
        if DETAIL in text:
            yield "Use `actor.box`."
            return
        yield BACK
        enough.wait(SOON)

    with World(tmp_path, slowly) as world, world.bot():
        first = world.ask(BOX)
        until(lambda: first.thread and world.said(first.thread) and len(world.prompts) == 1)
        world.ask(DETAIL, channel=first.thread, reply_to=world.posts(first.thread)[0])
        until(lambda: len(world.said(first.thread)) == 2)
        enough.set()
        answered(world, 2)
        assert world.prompts == [f"Question:\n{BOX}", CLARIFIED]
        assert world.discord.violations == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_killed_while_it_answers_it_joins_the_same_question_again(tmp_path):
    with World(tmp_path, answer) as world:
        with Process(world) as bot:
            bot.wait_for("connected as")
            _, thread = asked_in_thread(world)
            aim = [2]

            def kill(_asked):
                if aim and len(world.prompts) == aim[0]:
                    aim.clear()
                    bot.kill()  # the model has the question, and no one has the answer

            world.discord.on_request(kill)
            world.ask(DETAIL, channel=thread)
            assert bot.ended() == -signal.SIGKILL
        world.ask(DETAIL, channel=thread)  # missed, after a question whose answer is under way
        with world.bot():
            until(lambda: len(world.said(thread)) == 3 and not world.busy())
        assert world.prompts[1] == CLARIFIED
        assert sorted(world.prompts[2:]) == sorted([CLARIFIED, f"Question:\n{DETAIL}"])
        assert world.discord.violations == []


def test_no_privileged_intent_is_needed(world):
    world.discord.content_intent = world.discord.members_intent = False
    with world.bot():
        _, thread = asked_in_thread(world)
        world.ask(DETAIL, channel=thread)
        answered(world, 2)
    assert world.prompts[1] == CLARIFIED


def test_after_a_day_a_question_stands_on_its_own(world, monkeypatch):
    monkeypatch.setattr(conversations, "_AGE", 0.0)
    with world.bot():
        _, thread = asked_in_thread(world)
        world.ask(DETAIL, channel=thread)
        answered(world, 2)
    assert world.prompts[1] == f"Question:\n{DETAIL}"


def test_of_many_questions_the_last_ten_are_joined(world):
    with world.bot(per_person=0, per_server=0):
        _, thread = asked_in_thread(world)
        for number in range(12):
            world.ask(f"detail {number}", channel=thread)
            answered(world, number + 2)
    assert world.prompts[-1] == "Question:\n" + "\n\n".join(f"detail {n}" for n in range(1, 12))


def test_a_command_in_between_may_be_anyones(world):
    with world.bot():
        _, thread = asked_in_thread(world)
        back = world.posts(thread)[0]
        world.discord.use_command(world.discord.add_member("bob"), thread, "ask", question="why?")
        answered(world, 2)
        world.ask(DETAIL, channel=thread)
        answered(world, 3)
        world.ask(DETAIL, channel=thread, reply_to=back)
        answered(world, 4)
    assert world.prompts[2:] == [f"Question:\n{DETAIL}", CLARIFIED]


def test_an_endpoints_word_that_a_bot_does_not_know_is_an_error():
    with pytest.raises(ConfigError, match="earlier must be one of ignore, join"):
        BotSettings(earlier="refuse")


DETAILS = st.sampled_from(["on Linux\nwith a GPU", "```py\nbox()\n```", "in vedo", "\U0001f4e6", "12?"])
ASKING_BACK = st.sampled_from(["Which version?", "Can you show\n\nyour code?", "どのバージョン？"])
ANSWERS = st.sampled_from(
    ["Use actor.box.", "```\nbox()\n```\nDoes that help?", "See <https://x/box> for more"]
)


@pytest.fixture(scope="module")
def scripted(tmp_path_factory):
    """A bot whose model says what a test tells it to."""
    script = []
    with World(tmp_path_factory.mktemp("scripted"), lambda _text: script.pop(0)) as world:
        with world.bot(per_person=0, per_server=0):
            yield world, script


@settings(max_examples=200 if settings.get_current_profile_name() == "nightly" else 8)
@given(st.lists(st.tuples(DETAILS, ASKING_BACK | ANSWERS), max_size=3), DETAILS, ANSWERS)
def test_the_bot_asks_what_the_data_set_has(scripted, before, last, solution):
    world, script = scripted
    said = [
        (text, asks)
        for pair in [(BOX, BACK), *before]
        for text, asks in zip(pair, (True, False), strict=True)
    ]
    said.append((last, True))
    script[:] = [text for text, asks in said if not asks] + [solution]
    direct = world.discord.add_dm(world.discord.add_member("ann"))
    for number, text in enumerate((text for text, asks in said if asks), 1):
        world.discord.post(direct, direct.owner, text)
        until(lambda number=number: len(world.said(direct)) == number and not world.busy())
    asked = last_question(said)
    assert world.prompts[-1].encode() == bytes(world.contract.prompt(asked))
    # What the data set makes of the exchange, after the last message that answered something.
    ends = [n for n, (text, asks) in enumerate(said) if not asks and not only_asks_back([text])]
    start = max(ends, default=-1) + 1
    posts = [
        Post(str(n), "ann" if asks else "bot", text, solved=not asks and n == len(said))
        for n, (text, asks) in enumerate([*said, (solution, False)])
        if n >= start
    ]
    place = Conversation(guild="1", channel="77", thread="88", is_thread=True)
    (pair,) = (one for one in ThreadPairer().pair(posts, place) if isinstance(one, QAPair))
    assert (pair.question, pair.answer) == (asked, solution)
    # A model decides which messages of a chat are one question; of the same ones, it makes the same text.
    own = tuple(post.id for post in posts if post.speaker == "ann")
    for one in ChatPairer(min_confidence=0.0).pair(posts, place):
        if isinstance(one, QAPair) and one.question_messages == own:
            assert one.question == asked


@pytest.mark.parametrize("details", [[DETAIL], ["on Linux\nwith a GPU", DETAIL], ["```py\nbox()\n```"]])
def test_a_chat_is_paired_with_the_question_that_the_bot_asks(details):
    said = [(BOX, True)]
    for text in details:
        said += [(BACK, False), (text, True)]
    posts = [
        Post(str(n), "ann" if asks else "bot", text, solved=n == len(said))
        for n, (text, asks) in enumerate([*said, ("Use actor.box.", False)])
    ]
    place = Conversation(guild="1", channel="77", thread="88", is_thread=True)
    (pair,) = (one for one in ChatPairer(min_confidence=0.0).pair(posts, place) if isinstance(one, QAPair))
    assert pair.question == last_question(said)
