"""What people see during and after a run: the progress, what it waits for, what it could not find out."""

from __future__ import annotations

import json
import logging
import re
import socket
import threading
from datetime import timedelta

import pytest
from attrs import evolve
from crawl_help import QUICK, collector, said, talk, words
from session_help import within

import furytune as ft
from furytune._discord.api.background import in_thread
from furytune.collectors import discord as module
from furytune.errors import ConfigError, DiscordError, DiscordLoginError

TITLE = "a title that somebody wrote"


@pytest.fixture
def told(caplog):
    caplog.set_level(logging.INFO, "furytune.discord")
    return lambda: [r.getMessage() for r in caplog.records if r.name == "furytune.discord"]


@pytest.fixture
def shown(monkeypatch):
    """Returns the texts of the progress line, in order."""
    words = []

    class Meter:
        def __init__(self, _label):
            pass

        def __enter__(self):
            return lambda _percent, word: words.append(word)

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(module, "meter", Meter)
    return words


def test_progress_names_each_stage_and_the_number_of_channels(discord, tmp_path, shown):
    for i in range(3):
        talk(discord, f"room{i}", 2)
    collector(discord, tmp_path / "j").update()

    text = "\n".join(shown)
    stages = ["logging in", "looking for channels", "3 of 3 lists of archived threads", "listing members"]
    assert [text.index(stage) for stage in stages] == sorted(text.index(stage) for stage in stages)
    assert shown[-1].startswith("3 of 3 channels, 6 new")
    assert any(word.startswith("1 of 3 channels") for word in shown)


def test_each_channel_that_was_read_is_logged_and_no_title(discord, tmp_path, told):
    room, _ = talk(discord, "room\nforged", 2)
    forum = discord.add_channel("forum", "forum")
    post = discord.add_thread(forum, TITLE, content="a question")
    collector(discord, tmp_path / "j").update()

    lines = sorted(told())
    assert len(lines) == 2
    assert any(room.id in line and "of 2" in line and "\n" not in line for line in lines)
    assert any(line.startswith(f"read {post.id}, ") for line in lines)
    assert TITLE not in "".join(lines)
    assert "a question" not in "".join(lines)


def test_tries_and_long_waits_are_logged(discord, told):
    room, _ = talk(discord)
    discord.fail(f"/channels/{room.id}/messages", status=502)
    discord.fail("/threads/active", mode="local", wait=0.02)

    async def work(session):
        await session.messages(room.id, after="")
        session._guard._hold("", 6.0)

    within(discord, work)

    lines = told()
    assert any(f"/channels/{room.id}/messages" in line and "502; try 2" in line for line in lines)
    assert lines[-1] == "Discord asks to wait 6 s before the next request"
    assert not any("rehearsal" in line for line in lines)


def test_a_closed_network_raises_after_three_tries(tmp_path):
    with socket.socket() as shut:
        shut.bind(("127.0.0.1", 0))  # and does not listen
        port = shut.getsockname()[1]
        made = ft.DiscordCollector(
            guild="1234567890123456789",
            token=ft.Secret("t"),
            permission="p",
            journal=tmp_path / "j",
            endpoint=f"http://127.0.0.1:{port}/api/v10",
            patience=QUICK,
        )
        with pytest.raises(DiscordError, match="in 3 tries; check the network of this machine"):
            made.update()


def test_a_service_that_answers_but_fails_is_given_all_the_tries(discord):
    discord.fail("/users/@me", status=503, times=5)
    within(discord, lambda session: session.channels(discord.guild))


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("needed", [True, False])
def test_roles_are_unknown_only_if_they_were_not_requested(discord, tmp_path, listed, needed):
    discord.members_intent = listed
    discord.add_role("quiet")
    room, _ = talk(discord)
    discord.post(room, "bob", "hello")
    consent = ft.Consent(opt_out_roles=["quiet"]) if needed else ft.Consent()
    update = collector(discord, tmp_path / "j", consent=consent).update()

    roles = [line for line in str(update).splitlines() if line.startswith("roles")]
    if listed:
        assert roles == []
    elif needed:
        assert re.fullmatch(r"roles +2  asked for one by one.*", *roles)
    else:
        assert "unknown" in roles[0]


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_interrupt_while_the_thread_is_started_leaves_nothing_behind(discord, tmp_path, monkeypatch, when):
    talk(discord)
    made = collector(discord, tmp_path / "j")
    start = threading.Thread.start

    def struck(thread):
        if thread.name != "furytune-discord":
            return start(thread)
        if when == "after":
            start(thread)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", struck)
        with pytest.raises(KeyboardInterrupt) as caught:
            made.update()

    assert "in the journal" in caught.value.__notes__[0]
    for thread in threading.enumerate():
        if thread.name == "furytune-discord":
            thread.join(10)
            assert not thread.is_alive()
    made.update()
    assert len(said(tmp_path / "j")) == 5


def test_what_was_stopped_before_it_began_never_begins(monkeypatch):
    begun, threads = [], []

    async def work():
        begun.append(True)

    def late(thread):
        threads.append(thread)
        raise KeyboardInterrupt

    start = threading.Thread.start
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", late)
        with pytest.raises(KeyboardInterrupt):
            in_thread(work)
    start(threads[0])
    threads[0].join(10)

    assert not begun


def test_notices_keep_nothing_of_what_they_name(discord, tmp_path):
    room, (first, *_) = talk(discord, number=2)
    discord.add_thread(room, TITLE, content="a question")
    discord.post(room, "ann", "the new name of a channel", type=4)
    discord.post(room, discord.bot, "a result", command="ask")
    discord.post(room, "bob", "an answer", reply_to=first)
    collector(discord, tmp_path / "j").update()

    found = sorted(text for text in said(tmp_path / "j").values() if text)
    assert found == ["a question", "a result", "an answer", "talk 0", "talk 1"]
    assert TITLE.encode() not in words(tmp_path / "j")
    assert b"the new name" not in words(tmp_path / "j")


def test_a_channel_hidden_later_is_reported_in_the_same_words(discord, tmp_path):
    room, _ = talk(discord)
    talk(discord, "other")
    made = collector(discord, tmp_path / "j", recheck=timedelta(0))
    made.update()
    discord.deny(room, "VIEW_CHANNEL")

    (drop,) = made.update().unread
    assert drop.detail == "needs View Channel"


@pytest.mark.parametrize("quoted", ['"{}"', "'{}'", "\u201c{}\u201d", '{}"'])
def test_a_token_in_quotes_is_called_that_before_anything_is_sent(discord, tmp_path, quoted):
    made = evolve(collector(discord, tmp_path / "j"), token=ft.Secret(quoted.format(discord.token)))
    with pytest.raises(DiscordLoginError, match="in quotes") as caught:
        made.update()
    assert discord.token not in str(caught.value)
    assert discord.requests == []


def test_a_token_that_is_not_set_is_asked_for_as_a_token(discord, tmp_path, monkeypatch):
    monkeypatch.delenv("DISCORD_TOKEN", raising=False)
    with pytest.raises(ConfigError, match="DISCORD_TOKEN is not set; set it to the token"):
        evolve(collector(discord, tmp_path / "j"), token=ft.Secret.env("DISCORD_TOKEN")).update()


@pytest.mark.parametrize("given", [None, b"http://127.0.0.1", 7])
def test_an_endpoint_is_a_text(discord, tmp_path, given):
    with pytest.raises(ConfigError, match="endpoint must be a string"):
        evolve(collector(discord, tmp_path), endpoint=given)


def test_forgetting_an_id_without_messages_says_so(discord, tmp_path):
    _, posts = talk(discord)
    folder = tmp_path / "j"
    collector(discord, folder).update()

    assert "no message with this id was found" in str(ft.forget(author="1" * 18, journal=folder))
    assert "no message with this id" not in str(ft.forget(author=posts[0].author.id, journal=folder))


@pytest.mark.parametrize("kind", ["ThreadCreated", "18", "ChannelNameChange", "4"])
def test_adopted_notices_keep_nothing_of_what_they_name(tmp_path, kind):
    def message(number, kind, text):
        author = {"id": "1191168943587328000", "name": "ann", "isBot": False}
        time = "2024-01-01T00:00:00+00:00"
        return {"id": number, "type": kind, "timestamp": time, "content": text, "author": author}

    export = {
        "guild": {"id": "1191168918421504000"},
        "channel": {"id": "1191168935198720000", "type": "GuildTextChat", "name": "help"},
        "messages": [
            message("1191168951975936000", kind, TITLE),
            message("1191168951975936001", "20", "a result"),
        ],
        "messageCount": 2,
    }
    (tmp_path / "export.json").write_text(json.dumps(export), encoding="utf-8")
    ft.JournalCollector(tmp_path / "j").adopt(tmp_path / "export.json")

    assert list(said(tmp_path / "j").values()) == ["", "a result"]
    assert TITLE.encode() not in words(tmp_path / "j")
