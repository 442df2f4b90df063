"""A single wrong answer of Discord, or of a proxy, must not delete, empty or duplicate messages."""

from __future__ import annotations

from datetime import timedelta

import pytest
from session_help import answering

from furytune import Consent, DiscordCollector, JournalCollector, Secret
from furytune.collectors.discord import Patience
from furytune.errors import DiscordError, DiscordGoneError, DiscordLoginError

ALWAYS = timedelta(days=30_000)


def collector(discord, folder, **options):
    return DiscordCollector(
        guild=discord.guild,
        token=Secret(discord.token),
        permission="a test",
        journal=folder / "journal",
        patience=Patience(first=0.001, most=0.002, tries=2),
        endpoint=discord.url,
        **{"recheck": ALWAYS, **options},
    )


def said(folder):
    return {m.id: m.content for m in JournalCollector(folder / "journal").messages()}


def talk(discord, name="talk", count=5):
    where = discord.add_channel(name)
    return where, [discord.post(where, "ann", f"{name} {n}") for n in range(count)]


def test_an_empty_page_deletes_nothing_even_if_one_message_was_deleted(discord, tmp_path, monkeypatch):
    _, messages = talk(discord, count=450)
    collector(discord, tmp_path).update()
    discord.delete(messages[100])
    answering(monkeypatch, lambda page, number: [] if number == 2 else page)
    with pytest.raises(DiscordError, match="says that no messages come after"):
        collector(discord, tmp_path).refresh()
    assert len(said(tmp_path)) == 450
    monkeypatch.undo()
    assert collector(discord, tmp_path).refresh().deleted == 1


def test_a_hole_in_a_page_deletes_nothing(discord, tmp_path, monkeypatch):
    _, messages = talk(discord, count=80)
    collector(discord, tmp_path).update()
    discord.delete(messages[10])
    answering(monkeypatch, lambda page, _: page[:8] + page[40:])
    assert collector(discord, tmp_path).refresh().deleted == 0


def test_a_channel_reported_gone_is_requested_before_it_is_believed(discord, tmp_path, monkeypatch):
    talk(discord, count=30)
    talk(discord, "other")
    collector(discord, tmp_path).update()

    def gone(page, number):
        if number == 1:
            raise DiscordGoneError("not there", status=404)
        return page

    answering(monkeypatch, gone)
    update = collector(discord, tmp_path).update()
    assert update.deleted == 0
    assert len(update.unread) == 1
    assert len(said(tmp_path)) == 35


def test_a_channel_that_returns_gets_its_messages_back(discord, tmp_path):
    where, messages = talk(discord, count=30)
    talk(discord, "other")
    collector(discord, tmp_path).update()
    hidden = discord.channels.pop(where.number)
    assert collector(discord, tmp_path, recheck=timedelta(0)).update().deleted == 30
    discord.channels[where.number] = hidden
    assert collector(discord, tmp_path, recheck=timedelta(0)).update().new == 30
    assert {m.id for m in messages} < set(said(tmp_path))


def test_texts_are_not_emptied_when_the_intent_goes_in_the_middle(discord, tmp_path):
    where, _ = talk(discord, count=99)
    discord.post(where, discord.add_member("helper", bot=True), "I am a bot")
    collector(discord, tmp_path).update()
    before = said(tmp_path)

    def revoke(asked):
        discord.content_intent = discord.content_intent and not asked.path.endswith("/messages")

    discord.on_request(revoke)
    with pytest.raises(DiscordLoginError, match="Message Content Intent"):
        collector(discord, tmp_path).refresh()
    assert said(tmp_path) == before


@pytest.mark.parametrize("status", [400, 500])
def test_one_failing_channel_does_not_stop_the_others(discord, tmp_path, status):
    poisoned, _ = talk(discord, "poisoned")
    talk(discord, "sound", 7)
    discord.fail(f"/channels/{poisoned.id}/messages", status, times=1000)
    update = collector(discord, tmp_path).update()
    assert len(said(tmp_path)) == 7
    ((reason, detail),) = [(d.reason, d.detail) for d in update.unread]
    assert reason == "failed"
    assert str(status) in detail
    discord.faults.clear()
    assert collector(discord, tmp_path).update().new == 5


def test_a_service_that_fails_everywhere_is_an_error(discord, tmp_path):
    for name in "abcdefgh":
        talk(discord, name)
    discord.fail("/messages", 500, times=1000)
    with pytest.raises(DiscordError, match="500"):
        collector(discord, tmp_path).update()
    discord.faults.clear()
    assert collector(discord, tmp_path).update().new == 40


def test_a_refresh_resumes_with_the_channels_that_failed(discord, tmp_path):
    poisoned, messages = talk(discord, "poisoned")
    talk(discord, "sound")
    old = collector(discord, tmp_path, recheck=timedelta(0))
    old.update()
    discord.edit(messages[0], "edited")
    discord.fail(f"/channels/{poisoned.id}/messages", 500, times=2)
    assert old.refresh().changed == 0
    assert old.update().changed == 1  # the update resumes the refresh
    discord.edit(messages[1], "edited")
    assert old.update().changed == 0  # and then it is done


def test_an_update_that_resumes_a_refresh_follows_recent_edits(discord, tmp_path):
    poisoned, _ = talk(discord, "poisoned")
    _, others = talk(discord, "sound")
    collector(discord, tmp_path).update()
    discord.fail(f"/channels/{poisoned.id}/messages", 500, times=2)
    collector(discord, tmp_path).refresh()
    discord.edit(others[0], "edited")
    assert collector(discord, tmp_path).update().changed == 1


@pytest.mark.parametrize("uid", ["abc", None])
def test_an_author_without_a_number_spoils_nothing(discord, tmp_path, monkeypatch, uid):
    talk(discord, count=3)
    answering(monkeypatch, lambda page, _: [{**m, "author": {**m["author"], "id": uid}} for m in page])
    with pytest.raises(DiscordError, match="does not have the shape"):
        collector(discord, tmp_path).update()
    monkeypatch.undo()
    assert collector(discord, tmp_path).update().new == 3


@pytest.mark.parametrize("rule", ["opt_out", "opt_in"])
def test_copies_by_unknown_authors_are_not_collected_with_consent_rules(discord, tmp_path, rule):
    ann, bob = discord.add_member("ann"), discord.add_member("bob")
    closed, where = discord.add_channel("closed"), discord.add_channel("talk")
    discord.deny(closed, "VIEW_CHANNEL")
    words = discord.post(closed, ann, "canary words")
    discord.post(where, bob, forward_of=words)
    discord.post(where, bob, forward_of=discord.post(where, bob, "own words"))
    consent = Consent(opt_out=[ann.id]) if rule == "opt_out" else Consent(opt_in=[bob.id])
    collector(discord, tmp_path, consent=consent).update()
    assert sorted(said(tmp_path).values()) == ["own words", "own words"]
    assert not any(b"canary" in p.read_bytes() for p in tmp_path.rglob("*.jsonl"))
