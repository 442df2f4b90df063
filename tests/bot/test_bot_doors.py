"""People ask a bot through every door, and see its answers."""

from __future__ import annotations

import json
import threading

import pytest
from bots import SOON, World, buttons, save, transcript, until

from furytune.answering import audit
from furytune.errors import DiscordLoginError
from furytune.pairing import titled

QUESTION = "how do I make a sphere transparent?\r\n\n`actor.sphere`  <@720000000000000001>"


@pytest.fixture
def world(tmp_path):
    with World(tmp_path, lambda _text: "Set `opacity` below 1.") as made:
        yield made
    assert made.discord.violations == []
    assert made.discord.pings == []


def test_the_prompts_of_all_doors_are_the_contracts_and_the_audit_proves_it(world, tmp_path):
    discord = world.discord
    forum = discord.add_channel("questions", "forum")
    ann = discord.add_member("ann")
    direct = discord.add_dm(ann)
    log = tmp_path / "audit.jsonl"
    with world.bot(forums=[forum.id], audit=log):
        discord.add_thread(forum, "Spheres", author=ann, content=QUESTION)
        until(lambda: len(world.said()) == 1 and not world.busy())
        asked = world.ask(QUESTION)
        until(lambda: len(world.said()) == 2 and not world.busy())
        discord.use_command(ann, world.help, "ask", question=QUESTION)
        until(lambda: len(world.said()) == 3 and not world.busy())
        pointed = discord.post(world.help, "bob", QUESTION)
        discord.use_menu(ann, pointed, "Answer this message")
        until(lambda: len(world.said()) == 4 and not world.busy())
        discord.post(direct, ann, QUESTION)
        until(lambda: len(world.said()) == 5 and not world.busy())
    raw = [titled("Spheres", QUESTION), asked.content, QUESTION, QUESTION, QUESTION]
    assert [p.encode() for p in world.prompts] == [bytes(world.contract.prompt(text)) for text in raw]
    found = audit(log, world.contract, raw)
    assert (found.proved, found.differing, found.other, found.unknown, found.damaged) == (5, (), 0, 0, 0)
    assert [json.loads(line)["status"] for line in log.read_text().splitlines()] == ["asked", "answered"] * 5


SEEN = """\
# help
ann: <@BOT> how do I make a sphere transparent?
furytune: > And ＠everyone @role?
    Set `opacity` below 1.
ann: <@BOT>
bob: It is too bright
furytune: > It is too bright
    Set `opacity` below 1.
# how do I make a sphere transparent?
furytune: Set `opacity` below 1.
# Question
furytune: What would you like to know?"""


def test_what_people_see(world):
    with world.bot():
        world.ask("how do I make a sphere transparent?")
        until(lambda: len(world.said()) == 1 and not world.busy())
        ann = next(u for u in world.discord.users.values() if u.name == "ann")
        world.discord.use_command(ann, world.help, "ask", question="And @everyone <@&7>?")
        until(lambda: len(world.said()) == 2 and not world.busy())
        world.ask("")
        until(lambda: len(world.said()) == 3 and not world.busy())
        pointed = world.discord.post(world.help, "bob", "It is too bright")
        world.discord.use_menu(ann, pointed, "Answer this message")
        until(lambda: len(world.said()) == 4 and not world.busy())
    assert transcript(world.discord).replace(world.discord.bot.id, "BOT") == SEEN


def test_it_does_not_answer_who_did_not_ask(world):
    discord = world.discord
    me = f"<@{discord.bot.id}>"
    with world.bot(channels=[world.help.id]):
        other = discord.add_channel("off-topic")
        discord.post(world.help, "ann", "@everyone who knows?")
        discord.post(world.help, discord.add_member("other-bot", bot=True), f"{me} hello?")
        discord.post(world.help, "hook", f"{me} hello?", webhook=True)
        discord.post(world.help, "ann", f"{me}", type=6)
        discord.post(other, "ann", f"{me} what about this channel?")
        thread = discord.add_thread(world.help, "a talk", content="people talk")
        discord.post(thread, "bob", "and go on talking")
        world.ask("a real question?")
        until(lambda: len(world.said()) == 1 and not world.busy())
    assert world.prompts == ["Question:\na real question?"]


def test_a_follow_up_is_a_question_of_its_own(world):
    with world.bot():
        first = world.ask("first?")
        until(lambda: first.thread and world.said(first.thread) and not world.busy())
        answer = world.posts(first.thread)[0]
        world.discord.post(first.thread, "bob", "I had that too")
        world.ask("second?", channel=first.thread, reply_to=answer)
        until(lambda: len(world.said(first.thread)) == 2 and not world.busy())
    assert world.prompts == ["Question:\nfirst?", "Question:\nsecond?"]
    assert world.posts(first.thread)[1].reply_to.content.endswith("second?")


def test_without_the_right_to_open_threads_the_answer_is_a_reply(world):
    world.discord.deny(world.help, "CREATE_PUBLIC_THREADS")
    with world.bot():
        asked = world.ask("why?")
        until(lambda: world.said() and not world.busy())
    (answer,) = world.posts()
    assert (answer.channel, answer.reply_to) == (world.help, asked)


def test_no_privileged_intent_is_needed_without_forums(world):
    world.discord.content_intent = world.discord.members_intent = False
    with world.bot():
        world.ask("why?")
        until(lambda: world.said() and not world.busy())
        pointed = world.discord.post(world.help, "bob", "how?")
        world.discord.use_menu(world.discord.add_member("ann"), pointed, "Answer this message")
        until(lambda: len(world.said()) == 2 and not world.busy())
    assert world.prompts == ["Question:\nwhy?", "Question:\nhow?"]


def test_a_forum_without_its_intent_is_an_error_that_says_what_to_do(world):
    world.discord.content_intent = False
    with pytest.raises(DiscordLoginError, match="Message Content Intent"):
        with world.bot(forums=[world.discord.add_channel("questions", "forum").id]):
            pass


def test_a_wrong_token_is_an_error_without_the_token(world, monkeypatch):
    world.discord.token = "another"
    world.discord._server.token = "another"
    with pytest.raises(DiscordLoginError, match="does not accept the token") as caught:
        with world.bot():
            pass
    assert "rehearsal" not in str(caught.value)


def test_a_slow_model_does_not_delay_the_first_answer_to_a_command(tmp_path):
    enough = threading.Event()

    def answer(_text):
        enough.wait(SOON)
        yield "Late."

    with World(tmp_path, answer) as world, world.bot():
        used = world.discord.use_command(world.discord.add_member("ann"), world.help, "ask", question="why?")
        until(lambda: used.response is not None)
        assert used.response.content == "> why?\n-# Looking that up …"
        assert [b["label"] for b in buttons(used.response)] == ["Stop"]
        enough.set()
        until(lambda: used.response.content == "> why?\nLate.")
        assert world.discord.violations == []


def test_in_a_channel_that_it_may_not_use_a_command_gets_a_private_answer(world):
    world.discord.deny(world.help, "SEND_MESSAGES")
    with world.bot():
        used = world.discord.use_command(world.discord.add_member("ann"), world.help, "ask", question="why?")
        until(lambda: used.private)
    assert "may not write" in used.private[0]
    assert world.prompts == []


def test_the_contract_is_loaded_again_while_it_runs(world, tmp_path):
    import asyncio

    with world.bot() as bot:
        save(world.path, world.discord, template="Other form.\n{question}")
        asyncio.run_coroutine_threadsafe(bot.reload(), bot._running._loop).result(SOON)
        world.ask("why?")
        until(lambda: world.said() and not world.busy())
    # A model keeps the form of prompts that it was tuned on.
    assert world.prompts == ["Question:\nwhy?"]
