"""What a community may expect of a bot: it stops, forgets, waits its turn, and calls no one."""

from __future__ import annotations

import json
import threading
import time

import pytest
from bots import SOON, World, save, until

import furytune as ft
from furytune.records import Passage


def held(world_answers):
    """A model that waits for its cue after the first piece."""
    begun, enough = threading.Event(), threading.Event()

    def answer(_text):
        yield world_answers[0]
        begun.set()
        enough.wait(SOON)
        yield from world_answers[1:]

    return answer, begun, enough


def test_a_deleted_question_takes_its_answer_with_it(tmp_path):
    with World(tmp_path, lambda _text: "Yes." * 900) as world, world.bot():
        asked = world.ask("why?")
        until(lambda: len(world.said()) > 1 and not world.busy())
        world.discord.delete(asked)
        until(lambda: not world.said())


def test_a_question_that_is_deleted_while_it_is_answered_stops_the_model(tmp_path):
    answer, begun, enough = held(["first", " last"])
    with World(tmp_path, answer) as world, world.bot():
        asked = world.ask("why?")
        assert begun.wait(SOON)
        world.discord.delete(asked)
        until(lambda: not world.said())
        enough.set()


def test_a_question_that_was_deleted_while_the_bot_was_away(tmp_path):
    with World(tmp_path, lambda _text: "Yes.") as world:
        with world.bot():
            asked = world.ask("why?")
            until(lambda: world.said() and not world.busy())
        world.discord.delete(asked)
        with world.bot():
            until(lambda: not world.said())


def test_an_edited_question_is_answered_again_in_the_same_messages(tmp_path):
    with World(tmp_path, lambda text: f"About {text[10:]}") as world, world.bot():
        asked = world.ask("spheres")
        until(lambda: world.said() == ["About spheres"] and not world.busy())
        (before,) = world.posts()
        world.discord.edit(asked, asked.content, silently=True)  # a preview of a link
        world.discord.edit(asked, asked.content.replace("spheres", "boxes"))
        until(lambda: world.said() == ["About boxes"] and not world.busy())
        assert world.posts() == [before]
        assert len(world.prompts) == 2


def test_a_question_that_is_edited_while_it_is_answered(tmp_path):
    begun, enough = threading.Event(), threading.Event()

    def answer(text):
        yield "About"
        begun.set()
        if "spheres" in text:
            enough.wait(SOON)
        yield text[9:]

    with World(tmp_path, answer) as world, world.bot():
        asked = world.ask("spheres")
        assert begun.wait(SOON)
        world.discord.edit(asked, asked.content.replace("spheres", "boxes"))
        until(lambda: world.said() == ["About\nboxes"] and not world.busy())
        enough.set()


def test_only_who_asked_can_stop_an_answer(tmp_path):
    answer, _, enough = held(["First ", "last"])
    with World(tmp_path, answer) as world, world.bot():
        world.ask("why?", who="ann")
        until(lambda: world.said() == ["First"])  # it is shown although the model hesitates
        (post,) = world.posts()
        pressed = world.discord.press(world.discord.add_member("bob"), post, "Stop")
        until(lambda: pressed.answer)
        assert world.busy()
        ann = next(u for u in world.discord.users.values() if u.name == "ann")
        world.discord.press(ann, post, "Stop")
        until(lambda: not world.busy())
        assert world.said() == ["First\n\n-# Stopped."]
        enough.set()


@pytest.mark.parametrize("opted_out", [True, False])
def test_nothing_is_noted_about_people_who_opted_out(opted_out, tmp_path):
    log = tmp_path / "audit.jsonl"
    with World(tmp_path, lambda _text: "Yes.") as world:
        role = world.discord.add_role("no-training")
        ann = world.discord.add_member("ann", roles=[role] if opted_out else [])
        consent = ft.Consent(opt_out_roles=["@no-training"])
        with world.bot(consent=consent, audit=log):
            asked = world.ask("why?", who=ann)
            until(lambda: world.said() and not world.busy())
            world.discord.use_command(ann, world.help, "ask", question="why?")
            until(lambda: len(world.said()) == 2 and not world.busy())
            pointed = world.discord.use_menu(world.discord.add_member("bob"), asked, "Answer this message")
            until(lambda: pointed.private or (pointed.response and not world.busy()))
        assert log.exists() != opted_out
        assert bool(pointed.private) == opted_out
        assert len(world.prompts) == (2 if opted_out else 3)
        notes = (tmp_path / "bot" / "questions.jsonl").read_text().splitlines()[1:]
        assert not any(ann.id in line or "why" in line for line in notes)


def test_who_asks_too_fast_is_asked_to_wait(tmp_path):
    with World(tmp_path, lambda _text: "Yes.") as world, world.bot(per_person=2, per_server=3):
        late = [world.ask(f"q{n}") for n in range(3)][-1]
        until(lambda: (late.extra or {}).get("reactions"))
        ann = late.author
        used = world.discord.use_command(ann, world.help, "ask", question="why?")
        until(lambda: used.private)
        assert "wait a minute" in used.private[0]
        world.ask("another person's", who="bob")
        until(lambda: len(world.said()) == 3 and not world.busy())
        last = world.ask("too much for the server", who="eve")
        until(lambda: (last.extra or {}).get("reactions"))
        assert len(world.prompts) == 3


def test_a_hostile_answer_calls_no_one(tmp_path):
    hostile = "@everyone @here <@&1> <@1234567890123456789> ```\nunclosed [x](http://evil.example)"
    with World(tmp_path, lambda _text: hostile) as world, world.bot():
        world.ask("why?")
        ann = world.discord.add_member("ann")
        world.discord.use_command(ann, world.help, "ask", question="@everyone <@1234567890123456789>")
        until(lambda: len(world.said()) == 2 and not world.busy())
        assert world.discord.pings == []


def test_an_answer_without_passages_says_that_it_is_not_sure_and_names_the_helpers(tmp_path):
    ft.build_index(
        tmp_path / "corpus.lance",
        [
            Passage(
                id="a", text="Opacity of a sphere", title="Opacity", url="https://docs.example.org/opacity"
            )
        ],
    )
    augmenter = ft.RagAugmenter(tmp_path / "corpus.lance", k=1)
    with World(tmp_path, lambda _text: "Yes.") as world:
        helpers = world.discord.add_role("helpers")
        template = "{context}\n\nQuestion:\n{question}"
        save(world.path, world.discord, augmenter=augmenter, template=template)
        with world.bot(helpers=helpers.id):
            world.ask("sphere opacity")
            until(lambda: world.said() and not world.busy())
            world.ask("zebra")
            until(lambda: len(world.said()) == 2 and not world.busy())
        assert world.said()[0] == "Yes.\n\n-# Sources: [Opacity](<https://docs.example.org/opacity>)"
        assert world.said()[1].startswith("Yes.\n\n-# I found nothing about this in the documentation")
        assert f"<@&{helpers.id}>" in world.said()[1]
        assert world.discord.pings == []
        with world.bot(helpers=helpers.id, ping_helpers=True, least_score=1000.0):
            world.ask("sphere opacity")
            until(lambda: len(world.said()) == 4 and not world.busy())
        assert world.said()[2] == world.said()[0]
        assert world.said()[3].startswith("-# I found little")
        assert [who for _, who in world.discord.pings] == [helpers.id]


def test_a_long_answer_is_edited_while_it_is_written_within_the_limits_of_discord(tmp_path):
    text = "".join(f"```python\nprint({n})  # {'x' * 90}\n```\nAnd then {n}.\n" for n in range(40))
    pieces = [text[n : n + 40] for n in range(0, len(text), 40)]

    def answer(_text):
        for piece in pieces:
            time.sleep(0.008)
            yield piece

    # The real limits of Discord, in a tenth of the time.
    routes = {
        "POST /channels/{channel}/messages": (5, 0.5),
        "PATCH /channels/{channel}/messages/{message}": (5, 0.5),
    }
    with World(tmp_path, answer, routes=routes) as world, world.bot(pace=0.15):
        world.ask("why?")
        expected = "".join(text.split())
        until(lambda: "".join("".join(world.said()).split()) == expected and not world.busy())
        edits = [r for r in world.discord.requests if r.method == "PATCH"]
        assert len(edits) > 3
        assert world.discord.violations == []
        assert all(
            r.status == 200
            for r in world.discord.requests
            if r.method in {"PATCH", "POST"} and "typing" not in r.path
        )
        assert all(len(m) <= 2000 and m.count("```") % 2 == 0 for m in world.said())


@pytest.mark.parametrize("text", ["", " \n\u200b"])
def test_a_model_that_fails_or_says_nothing_is_not_an_answer(text, tmp_path):
    with World(tmp_path, lambda _text: text) as world, world.bot():
        world.ask("why?")
        until(lambda: world.said() == ["I could not answer just now. Please ask again later."])
        world.chat.fail(status=400)
        world.ask("why?")
        until(lambda: world.said() == ["I could not answer just now. Please ask again later."] * 2)


def test_health_says_whether_it_is_connected(tmp_path):
    import socket
    import urllib.error
    import urllib.request

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    def status():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except OSError:
            return 0

    with World(tmp_path, lambda _text: "Yes.") as world, world.bot(health=port):
        until(lambda: status() == 200)
        world.discord.connections.closed = True
        world.discord.connections.drop()
        until(lambda: status() == 503)
        world.ask("in the dark?")
        world.discord.connections.closed = False
        until(lambda: status() == 200)
        until(lambda: world.said() == ["Yes."])


def test_people_say_whether_an_answer_helped(tmp_path):
    log = tmp_path / "feedback.jsonl"
    with World(tmp_path, lambda _text: "Yes.") as world:
        helpers, silent = world.discord.add_role("helpers"), world.discord.add_role("silent")
        ann, bob = world.discord.add_member("ann"), world.discord.add_member("bob", roles=[helpers])
        eve = world.discord.add_member("eve", roles=[silent])
        options = {"feedback": log, "helpers": helpers.id, "consent": ft.Consent(opt_out_roles=["silent"])}
        with world.bot(**options):
            asked = world.ask("why?", who=ann)
            until(lambda: world.said() and not world.busy())
        (post,) = world.posts()
        with world.bot(**options):  # the buttons outlive the process
            pressed = world.discord.press(ann, post, "Helped")
            until(lambda: pressed.private)
            form = world.discord.press(bob, post, "Correct it")
            until(lambda: form.form)
            sent = world.discord.fill_in(bob, form, "No, set `opacity`.")
            until(lambda: sent.private)
            refused = world.discord.press(eve, post, "Did not help")
            until(lambda: refused.private)
            world.discord.react_as(post, eve, "👎")
            world.discord.react_as(post, ann, "👎")
            until(lambda: log.read_text().count("did_not_help"))
        assert pressed.private[0].startswith("Thank you")
        assert "do not take part" in refused.private[0]
        found = [json.loads(line) for line in log.read_text().splitlines()]
        assert len(found) == 4
        assert found[0]["asker"] == ann.id
        said = [
            (f["verdict"], f["by"], f.get("role", "member"), f.get("text", ""), f["source"])
            for f in found[1:]
        ]
        assert said == [
            ("helped", ann.id, "member", "", "button"),
            ("corrected", bob.id, "helper", "No, set `opacity`.", "form"),
            ("did_not_help", ann.id, "member", "", "reaction"),
        ]
        assert {f["answer"] for f in found} == {post.id}
        assert {f["question"] for f in found} == {asked.id}
