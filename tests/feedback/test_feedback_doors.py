"""Feedback through a server, the command line and a settings file, with the log that all of them share."""

from __future__ import annotations

import json

import discord_exports as exports
import pytest
from commands import command
from endpoints import ask, chat, serving

import furytune as ft
from furytune.config import load_settings, pipeline_to_toml
from furytune.config.settings import _for_review
from furytune.feedback import FeedbackLog
from furytune.serving import new_key
from furytune.testing.fake_chat import FakeChat

ANN = "111111111111111111"
TOLD = "Pass `size` to actor.box, or scale the actor when it is already in the scene."


@pytest.mark.parametrize("stream", [True, False])
def test_what_a_server_answered_is_corrected_and_confirmed_through_it(tmp_path, stream):
    path = tmp_path / "feedback.jsonl"
    with FakeChat(lambda _: TOLD) as server:
        model = ft.ChatService(server.url).model("fake")
        with serving(model=model, feedback=path, keep_texts=True, footnotes=True) as port:
            chat(port, "How do I draw a box?", stream=stream)
            [exchange] = FeedbackLog(path).lines()
            said = {"request": exchange.question, "verdict": "helped", "by": "u1"}
            assert ask(port, "POST", "/feedback", said).status == 201
            said |= {"answer": exchange.answer, "verdict": "corrected", "text": "Use `cube`.", "by": "u2"}
            assert ask(port, "POST", "/feedback", said).status == 201
            for wrong in ({"text": " \n"}, {"answer": "x" * 301}, {"role": "helper"}):
                assert ask(port, "POST", "/feedback", said | wrong).code == "invalid_request"
    assert (exchange.asked, exchange.told) == ("How do I draw a box?", TOLD)
    assert len(exchange.prompt) == len(exchange.fingerprint) == 64
    # A server knows no helpers, so a correction through it is for a reviewer.
    collector = ft.FeedbackCollector(path, confirmed_by=["member"])
    assert [item.reason for item in collector.collect()] == ["contradicted"]
    [found] = collector.to_review()
    assert found.answer == "Use `cube`."
    FeedbackLog(path).note(
        exchange.answer, exchange.question, "corrected", "Use `cube`.", by="u3", role="helper"
    )
    [found] = collector.collect()
    assert (found.question, found.answer, found.method) == (
        "How do I draw a box?",
        "Use `cube`.",
        "corrected",
    )


@pytest.mark.parametrize("keys", [True, False])
def test_only_a_client_with_a_key_says_who_asks(tmp_path, keys):
    path, (key, hashed) = tmp_path / "feedback.jsonl", new_key()
    with FakeChat(lambda _: TOLD) as server:
        model = ft.ChatService(server.url).model("fake")
        with serving(model=model, feedback=path, keep_texts=True, keys=[hashed] if keys else []) as port:
            for user in ("u1", 7, "u\n"):
                assert chat(port, "How do I draw a box?", user=user, key=key).status == 200
            answers = [line.answer for line in FeedbackLog(path).lines()]
            for answer in answers:
                said = {"request": "0" * 64, "answer": answer, "verdict": "helped", "by": "u1"}
                assert ask(port, "POST", "/feedback", said, key=key).status == 201
    found = [
        item.method if isinstance(item, ft.QAPair) else item.reason
        for item in ft.FeedbackCollector(path).collect()
    ]
    assert found == ["confirmed" if keys else "not_confirmed", "not_confirmed", "not_confirmed"]


def test_without_keep_texts_a_server_stores_none(tmp_path):
    path = tmp_path / "feedback.jsonl"
    with FakeChat(lambda _: f"canary {TOLD}") as server:
        with serving(model=ft.ChatService(server.url).model("fake"), feedback=path) as port:
            chat(port, "canary: how do I draw a box?")
    assert b"canary" not in path.read_bytes()
    table = [ft.QAPair(id="a", group="a", question="How?", answer=f"Canary: {TOLD}")]
    [drop] = map(ft.BotWords(path).start(), table)
    assert drop.reason == "bot_words"


def test_the_command_counts_and_prunes(tmp_path):
    log = FeedbackLog(tmp_path / "log")
    for n in range(4):
        log.exchange(str(n), "q", asker=ANN, citations=["Boxes (docs/box.md)"])
        log.note(str(n), "q", "helped" if n else "did_not_help", by=ANN)
    done = command(tmp_path, "feedback", "log")
    assert done.returncode == 0, done.stderr
    assert "75%  of 4 with a verdict" in done.stdout
    assert "Boxes (docs/box.md)" in done.stdout
    with log.path.open("ab") as file:
        file.write(b"{}\n")
    done = command(tmp_path, "feedback", "log", "--json")
    assert (done.returncode, json.loads(done.stdout)["helped"]) == (3, {"helped": 3, "said": 4})
    assert command(tmp_path, "feedback", "log", "--prune", "0").returncode == 0
    assert log.path.read_bytes() == b""


def test_settings_name_the_log_the_chat_and_the_step_and_forget_erases_them(tmp_path):
    asked = exports.message(0, "ann", "How do I draw a box, please?")
    told = exports.message(1, "furybot", TOLD, reply=asked["id"])
    (tmp_path / "help.json").write_text(json.dumps(exports.export([asked, told])))
    log = FeedbackLog(tmp_path / "log.jsonl")
    log.exchange(told["id"], asked["id"], asker=ANN, told=TOLD)
    log.note(told["id"], asked["id"], "corrected", "Use `cube`.", by=ANN)
    export = ft.DiscordExportCollector(tmp_path / "help.json")
    pipeline = ft.Pipeline(
        collector=[export, ft.FeedbackCollector(log.path, chat=export, decisions=tmp_path / "review.jsonl")],
        curators=[ft.Decisions(tmp_path / "review.jsonl"), ft.BotWords(log.path, chat=export)],
        exporter=ft.JsonlExporter(tmp_path / "train.jsonl"),
    )
    (tmp_path / "furytune.toml").write_text(pipeline_to_toml(pipeline))
    settings = load_settings(tmp_path / "furytune.toml")
    assert settings.pipeline.collector == pipeline.collector
    [waiting] = _for_review(settings.pipeline).pairs()
    ft.Decisions(tmp_path / "review.jsonl").accept(waiting)
    assert [pair.answer for pair in settings.pipeline.pairs()] == ["Use `cube`."]
    done = settings.forget(message=told["id"])
    assert [(p.kind, p.removed) for p in done.places if p.kind == "feedback"] == [("feedback", 2)]
    assert told["id"] not in log.path.read_text()
