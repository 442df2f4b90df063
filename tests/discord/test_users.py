"""Mistakes that first-time users make, and the errors that help them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from session_help import QUICK

import furytune as ft
from furytune.collectors.discord import Patience
from furytune.errors import ConfigError, ExportError, SourceError

KEYS = ["MTAx.canary-7Qx.abc", "canary7QxAbcDefGhiJklMnoPqrStu", "", "NOT A NAME", 7]


def collector(service, folder, **options):
    chosen = {
        "guild": service.guild,
        "token": ft.Secret(service.token),
        "permission": "a rehearsal",
        "journal": folder / "journal",
        "endpoint": service.url,
        "patience": Patience(**QUICK),
    }
    return ft.DiscordCollector(**(chosen | options))


def pipeline(service, folder, **options):
    return ft.Pipeline(
        collector=collector(service, folder, **options), exporter=ft.JsonlExporter(folder / "t.jsonl")
    )


def refused(action, kind=ConfigError):
    with pytest.raises(kind) as caught:
        action()
    return str(caught.value)


@pytest.mark.parametrize("given", KEYS)
def test_a_secret_instead_of_its_variable_is_refused_and_not_shown(given):
    said = refused(lambda: ft.Secret.env(given))

    assert "canary" not in said
    assert "name of an environment variable" in said


def test_names_of_variables_are_taken():
    for name in ("DISCORD_TOKEN", "discord_token", "_T", "THE_TOKEN_OF_THE_BOT_OF_THE_WORKSHOP_2026"):
        assert repr(ft.Secret.env(name)) == f"Secret.env({name!r})"


@pytest.mark.parametrize("given", [None, b"help", 1.5])
@pytest.mark.parametrize("argument", ["include", "exclude"])
def test_channels_are_given_as_lists_or_texts(discord, tmp_path, argument, given):
    assert "include and exclude" in refused(lambda: collector(discord, tmp_path, **{argument: given}))


@pytest.mark.parametrize("given", [None, b"123", 1.5])
@pytest.mark.parametrize("argument", ["opt_out", "opt_in", "opt_out_roles", "opt_in_roles"])
def test_people_and_roles_are_given_as_lists_or_texts(argument, given):
    assert type(given).__name__ in refused(lambda: ft.Consent(**{argument: given}))


def test_a_missing_role_lists_the_existing_ones(discord, tmp_path):
    discord.add_channel("help")
    discord.add_role("no-training")
    mistyped = ft.Consent(opt_out_roles=["no-trainning"])

    said = refused(collector(discord, tmp_path, consent=mistyped).update)

    assert "'no-trainning'" in said
    assert "'no-training'" in said


def test_a_role_may_be_written_as_people_write_it(discord, tmp_path):
    role = discord.add_role("no-training")
    where = discord.add_channel("help")
    discord.post(where, discord.add_member("carol", roles=[role]), "not for you")
    discord.post(where, "ann", "for all")

    made = collector(discord, tmp_path, consent=ft.Consent(opt_out_roles=["@no-training"])).update()

    assert (made.new, made.withheld) == (1, 1)


def test_two_roles_of_one_name_are_told_apart_by_id(discord, tmp_path):
    one, _ = discord.add_role("quiet"), discord.add_role("quiet")

    assert "2 roles" in refused(
        collector(discord, tmp_path, consent=ft.Consent(opt_out_roles=["quiet"])).update
    )
    collector(discord, tmp_path, consent=ft.Consent(opt_out_roles=[one.id])).update()


def test_where_nothing_may_be_read_the_run_says_which_channels_and_why(discord, tmp_path):
    for i in range(7):
        discord.deny(discord.add_channel(f"room-{i}"), "READ_MESSAGE_HISTORY")

    said = refused(pipeline(discord, tmp_path).run, SourceError)

    assert "#room-0" in said
    assert "needs Read Message History" in said
    assert "and 2 more" in said


def test_where_nothing_is_chosen_the_run_says_so(discord, tmp_path):
    discord.post(discord.add_channel("help"), "ann", "hello")

    said = refused(pipeline(discord, tmp_path, exclude=["help"]).run, SourceError)

    assert "#help" in said
    assert "excluded" in said
    assert not (tmp_path / "t.jsonl").exists()


def test_a_server_without_a_channel_is_called_that(discord, tmp_path):
    assert "sees no channel" in refused(pipeline(discord, tmp_path).run, SourceError)


def test_the_name_of_a_channel_neither_begins_a_line_nor_steers_a_terminal(discord, tmp_path):
    family = "\N{MAN}\N{ZERO WIDTH JOINER}\N{WOMAN}"
    for name in ("red\x1b[31m\nnot read  #forged\u202e", family):
        discord.deny(discord.add_channel(name, "voice"), "CONNECT")

    said = str(collector(discord, tmp_path).update())

    assert sum(line.startswith("not read") for line in said.split("\n")) == 2
    assert not {"\x1b", "\u202e"} & set(said)
    assert family in said


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs a user who may not do everything")
def test_a_journal_of_another_user_is_named(discord, tmp_path):
    discord.add_channel("help")
    theirs = collector(discord, tmp_path)
    theirs.update()
    (tmp_path / "journal" / "journal.json").chmod(0)

    assert "journal.json: Permission denied" in refused(theirs.update, SourceError)


def test_a_full_disk_raises_with_its_place_and_what_to_do(discord, tmp_path, monkeypatch):
    discord.post(discord.add_channel("help"), "ann", "canary words")

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        said = refused(collector(discord, tmp_path).update, SourceError)

    assert "No space left on device" in said
    assert str(tmp_path / "journal") in said
    assert "run again" in said
    assert collector(discord, tmp_path).update().new == 1


@pytest.mark.skipif(os.name != "posix", reason="interrupts are sent otherwise there")
def test_an_interrupt_tells_what_becomes_of_what_was_read(discord, tmp_path):
    # A shell that starts tests in the background has them ignore interrupts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    discord.fill(300)
    struck = []

    def strike(asked):
        if asked.query.get("after", "0") != "0" and "messages" in asked.path and not struck:
            struck.append(asked)
            os.kill(os.getpid(), signal.SIGINT)

    discord.on_request(strike)
    try:
        with pytest.raises(KeyboardInterrupt) as caught:
            collector(discord, tmp_path).update()
    finally:
        signal.signal(signal.SIGINT, before)

    assert "in the journal" in caught.value.__notes__[0]
    assert struck
    collector(discord, tmp_path).update()
    assert len(list(collector(discord, tmp_path).messages())) == 300


def test_a_fork_of_discord_py_is_refused(tmp_path):
    (tmp_path / "discord.py").write_text("__title__ = 'pycord'\n", encoding="utf-8")
    code = (
        "import furytune as ft\n"
        "made = ft.DiscordCollector(guild='1234567890123456', token=ft.Secret('t'), permission='p', "
        "journal='j', endpoint='http://127.0.0.1:9/api/v10')\n"
        "try:\n    made.update()\nexcept ft.FurytuneError as error:\n    print(type(error).__name__, error)\n"
    )
    source = Path(ft.__file__).parents[1]
    found = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(source)])},
        capture_output=True,
        text=True,
        check=True,
    )

    assert found.stdout.startswith("ConfigError the installed package discord is not discord.py")
    assert "virtual environment" in found.stdout


def test_naming_the_data_instead_of_the_manifest_raises(discord, tmp_path):
    asked = discord.post(discord.add_channel("help"), "ann", "How do I draw a sphere?")
    discord.post(asked.channel, "bob", "Call `sphere` and add it.", reply_to=asked)
    pipeline(discord, tmp_path).run()

    said = refused(
        lambda: ft.forget(
            author=asked.author.id, journal=tmp_path / "journal", datasets=[tmp_path / "t.jsonl"]
        ),
        ExportError,
    )

    assert ".manifest.json" in said
    assert "nothing was changed" in said


def test_a_forward_shows_the_files_that_came_with_what_it_forwards(discord, tmp_path):
    where = discord.add_channel("help")
    original = discord.post(where, "ann", attachments=["crash.log"], embeds=["preview"], stickers=["wave"])
    copy = discord.post(where, "bob", forward_of=original)
    made = collector(discord, tmp_path)
    made.update()

    first, second = made.messages()

    assert second.forwarded
    assert second.id == copy.id
    assert [a.name for a in second.attachments] == ["crash.log"]
    assert (second.attachments, second.embeds, second.stickers) == (
        first.attachments,
        first.embeds,
        first.stickers,
    )


def test_an_adopted_forward_keeps_the_files_of_its_original(tmp_path):
    parts = {
        "attachments": [
            {"id": "5", "url": "https://x.org/a.log?ex=1", "fileName": "a.log", "fileSizeBytes": 7}
        ],
        "embeds": [{"title": "t", "url": "https://x.org", "description": "d", "fields": []}],
        "stickers": [{"id": "6", "name": "wave"}],
    }
    time = "2024-01-01T00:00:00+00:00"
    message = {
        "id": "1191168951975936000",
        "type": "Default",
        "timestamp": time,
        "content": "",
        "author": {"id": "1191168943587328000", "name": "ann", "isBot": False},
        "reference": {"messageId": "1191168947781632000", "channelId": "1191168935198720000"},
        "forwardedMessage": {"content": "", "timestamp": time, **parts},
    }
    export = {
        "guild": {"id": "1191168918421504000"},
        "channel": {"id": "1191168935198720000", "type": "GuildTextChat", "name": "help"},
        "messages": [message],
        "messageCount": 1,
    }
    (tmp_path / "export.json").write_text(json.dumps(export), encoding="utf-8")
    journal = ft.JournalCollector(tmp_path / "journal")
    journal.adopt(tmp_path / "export.json")

    (adopted,) = journal.messages()
    (read,) = ft.DiscordExportCollector(tmp_path / "export.json").messages()

    assert [(a.name, a.url, a.size) for a in adopted.attachments] == [("a.log", "https://x.org/a.log", 7)]
    assert [a.name for a in read.attachments] == ["a.log"]
    assert (adopted.embeds, adopted.stickers) == (read.embeds, read.stickers)
    assert adopted.stickers == ("wave",)
    assert adopted.embeds[0].title == "t"
