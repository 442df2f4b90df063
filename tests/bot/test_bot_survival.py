"""Whatever dies, each question has exactly one answer, and it is whole."""

from __future__ import annotations

import asyncio
import logging
import re
import signal
import sys
import threading
import time

import pytest
from bots import SOON, Process, World, until
from hypothesis import settings

import furytune as ft
from furytune.bot import DiscordBot
from furytune.bot.ledger import snowflake
from furytune.errors import ConfigError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")

LONG = [f"Line {n} of an answer that does not fit into one message. {'x' * 60}\n" for n in range(60)]


def answers(world, asked):
    """The texts of the bot that answer a question, in its thread."""
    return world.said(asked.thread) if asked.thread else []


def whole(texts):
    return "\n".join(text.rstrip("\n") for text in texts)


MOMENTS = {
    "when the placeholder is posted": (r"POST .*/messages$", 0),
    "when another message is posted": (r"POST .*/messages$", 1),
    "at a later edit": (r"PATCH .*/messages/", 2),
}
if settings.get_current_profile_name() == "nightly":
    MOMENTS |= {
        "when the thread is opened": (r"POST .*/threads$", 0),
        "at the first edit": (r"PATCH .*/messages/", 0),
        "when the last message is posted": (r"POST .*/messages$", 3),
    }


def test_killed_at_any_moment_it_completes_the_answer_at_the_next_start(tmp_path):
    begun, enough = threading.Event(), threading.Event()

    def answer(text):
        if "slowly" in text:
            yield "first"
            begun.set()
            enough.wait(SOON)
            yield " last"
            return
        for line in LONG:
            time.sleep(0.004)
            yield line

    with World(tmp_path, answer) as world:
        aim = []

        def kill(asked):
            if aim and re.search(aim[0], asked.line):
                if aim[1]:
                    aim[1] -= 1
                    return
                aim.clear()
                bot.kill()  # Discord carries the request out, and no one hears of it

        world.discord.on_request(kill)
        bot = Process(world)
        try:
            for moment in MOMENTS.values():
                bot.wait_for("connected as")
                aim[:] = moment
                asked = world.ask("tell me everything")
                assert bot.ended() == -signal.SIGKILL
                bot = Process(world)
                until(lambda: answers(world, asked) and whole(answers(world, asked)) == whole(LONG))  # noqa: B023
                until(lambda: not world.busy())
                assert len(answers(world, asked)) == 4
            # Discord got the answer to a command, but the bot did not note it.
            aim[:] = [r"/callback$", 0]
            used = world.discord.use_command(
                world.discord.add_member("ann"), world.help, "ask", question="why?"
            )
            assert bot.ended() == -signal.SIGKILL
            bot = Process(world)
            until(lambda: used.response and "interrupted" in used.response.content)
            # Told to stop, it finishes the answer under way.
            world.ask("slowly")
            assert begun.wait(SOON)
            bot.send(signal.SIGTERM)
            bot.wait_for("stopping; 1 answers")
            enough.set()
            assert bot.ended() == 0
            assert world.said()[-1] == "first last"
            assert len(world.said()) == 4 * len(MOMENTS) + 2
            assert not world.busy()
            assert world.discord.violations == []
            log = "".join(bot.lines)
            assert not any(word in log for word in ("rehearsal", "first", "slowly"))
        finally:
            bot.kill()
            bot.ended()


def test_what_was_asked_while_it_was_down_is_answered_once(tmp_path):
    with World(tmp_path, lambda text: f"About {text[-2:]}") as world:
        before = world.ask("before it existed?")
        # The fake gives each message a time of its own, so its clock may be some milliseconds ahead.
        until(lambda: snowflake(time.time()) > int(before.id))
        with world.bot():
            world.ask("q1")
            until(lambda: len(world.said()) == 1 and not world.busy())
        world.ask("q2")
        gone = world.ask("q3")
        world.discord.delete(gone)
        with world.bot():
            until(lambda: len(world.said()) == 2 and not world.busy())
        with world.bot():
            world.ask("q4")
            until(lambda: len(world.said()) == 3 and not world.busy())
        assert sorted(world.said()) == ["About q1", "About q2", "About q4"]


@pytest.mark.parametrize("fault", ["drop", "ask_to_reconnect", "forget"])
def test_a_broken_connection_loses_no_question_and_doubles_none(fault, tmp_path):
    with World(tmp_path, lambda text: f"About {text[-2:]}") as world:
        with world.bot():
            world.ask("q1")
            until(lambda: len(world.said()) == 1)
            getattr(world.discord.connections, fault)()
            world.ask("q2")  # no one may be listening now
            until(lambda: len(world.said()) == 2)
            world.ask("q3")
            until(lambda: len(world.said()) == 3 and not world.busy())
        assert sorted(world.said()) == ["About q1", "About q2", "About q3"]
        again = fault in {"invalidate", "forget"}
        assert (world.discord.connections.identified > 1) == again
        assert world.discord.violations == []


def test_requests_that_fail_are_sent_again_and_nothing_is_posted_twice(tmp_path):
    with World(tmp_path, lambda text: f"About {text[-2:]}") as world:
        with world.bot():
            for on in (r"POST .*/threads$", r"POST .*/messages$", r"PATCH"):
                world.discord.fail(on, mode="cut")  # carried out, but the answer is lost
            world.ask("q1")
            until(lambda: world.said() == ["About q1"] and not world.busy())
            for on in (r"POST .*/threads$", r"POST .*/messages$", r"PATCH"):
                world.discord.fail(on, mode="reset")
            world.ask("q2")
            until(lambda: len(world.said()) == 2 and not world.busy())
        assert world.said() == ["About q1", "About q2"]


def test_two_bots_with_their_own_folders_give_one_answer(tmp_path):
    with World(tmp_path, lambda text: f"About {text[-2:]}") as world:
        held = threading.Event()

        def together(asked):
            # Both have heard of the question when the first one opens its thread.
            if asked.line.endswith("/threads") and not held.is_set():
                held.set()
                threading.Event().wait(0.3)

        world.discord.on_request(together)
        with world.bot(), world.bot(folder=tmp_path / "other"):
            ann = world.discord.add_member("ann")
            for n in range(1, 4):
                world.ask(f"q{n}", who="ann")
                used = world.discord.use_command(ann, world.help, "ask", question=f"c{n}")
                until(lambda n=n: len(world.said()) == 2 * n and not world.busy())
                assert used.response.content == f"> c{n}\nAbout c{n}"
        assert sorted(text[-2:] for text in world.said()) == ["c1", "c2", "c3", "q1", "q2", "q3"]


def test_two_bots_that_reply_without_threads_give_one_answer(tmp_path):
    with World(tmp_path, lambda text: f"About {text[-2:]}") as world:
        with world.bot(open_threads=False), world.bot(folder=tmp_path / "other", open_threads=False):
            for n in range(1, 4):
                world.ask(f"q{n}")
                until(lambda n=n: len(world.said()) == n and not world.busy())
        assert world.said() == ["About q1", "About q2", "About q3"]


def test_a_second_process_is_kept_out_and_a_standby_takes_over(tmp_path, caplog):
    caplog.set_level(logging.INFO, "furytune.bot")
    with World(tmp_path, lambda text: f"About {text[-2:]}") as world, Process(world) as first:
        first.wait_for("connected as")
        with (
            pytest.raises(ConfigError, match="another bot works with this folder .held by process"),
            world.bot(),
        ):
            pass
        standby = DiscordBot(
            world.path,
            model=ft.ChatService(world.chat.url).model("fake"),
            token=ft.Secret("rehearsal"),
            settings=world.settings(standby=True),
        )
        thread = threading.Thread(target=lambda: asyncio.run(standby.arun()))
        thread.start()
        try:
            until(lambda: "waiting as a standby" in caplog.text)
            world.ask("q1")
            until(lambda: len(world.said()) == 1 and not world.busy())
            first.kill()
            world.ask("q2")
            until(lambda: len(world.said()) == 2 and not world.busy())
        finally:
            standby.stop()
            thread.join(SOON)
        assert sorted(world.said()) == ["About q1", "About q2"]
