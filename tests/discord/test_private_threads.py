"""Private threads are read only on request."""

from __future__ import annotations

import pytest
from crawl_help import collector, said, talk, words

from furytune import JsonlExporter, Pipeline
from furytune.errors import ConfigError


@pytest.fixture
def room(discord):
    """A channel with messages, and four private threads: open or closed, with the bot in them or not."""
    room, _ = talk(discord, number=2)
    for archived in (False, True):
        for joined in (False, True):
            discord.add_thread(
                room, "secret title", content="a quiet word", private=True, archived=archived, joined=joined
            )
    return room


def reasons(update):
    return sorted((drop.reason, drop.where) for drop in update.unread)


def opened(discord, *, archived=False):
    return sorted(
        c.id for c in discord.channels.values() if c.kind == "private_thread" and c.archived is archived
    )


def test_by_default_private_threads_are_not_read_but_reported(discord, room, tmp_path):
    folder = tmp_path / "j"
    update = collector(discord, folder).update()

    assert sorted(said(folder).values()) == ["talk 0", "talk 1"]
    assert reasons(update) == [("private_thread", number) for number in opened(discord)]
    assert "private_threads=True" in str(update)
    assert "secret title" not in str(update)
    assert b"quiet" not in words(folder)
    assert b"secret title" not in words(folder)
    paths = [asked.path for asked in discord.requests]
    assert not any("archived/private" in path for path in paths)
    private = opened(discord) + opened(discord, archived=True)
    assert not any(number in path for path in paths for number in private)


@pytest.mark.parametrize("may", ["manage", "join"])
def test_requested_private_threads_are_read_where_the_bot_may(discord, room, tmp_path, may):
    if may == "join":
        discord.deny(room, "MANAGE_THREADS")
    update = collector(discord, tmp_path / "j", private_threads=True).update()

    assert update.new == 2 + (4 if may == "manage" else 2)
    assert [drop.reason for drop in update.unread] == (["private_threads"] if may == "join" else [])


@pytest.mark.parametrize("how", ["update", "refresh"])
def test_unwanted_private_threads_in_a_journal_reach_no_data_set(discord, room, tmp_path, how):
    folder = tmp_path / "j"
    assert collector(discord, folder, private_threads=True).update().new == 6
    before = len(discord.requests)

    update = getattr(collector(discord, folder), how)()

    private = sorted(opened(discord) + opened(discord, archived=True))
    assert reasons(update) == [("private_thread", number) for number in private]
    assert sorted(said(folder).values()) == ["talk 0", "talk 1"]
    assert not any(number in asked.path for asked in discord.requests[before:] for number in private)
    collector(discord, folder, private_threads=True).update()
    assert len(said(folder)) == 6


def test_private_threads_stay_out_after_their_channel_is_hidden_or_gone(discord, room, tmp_path):
    folder = tmp_path / "j"
    collector(discord, folder, private_threads=True).update()
    discord.deny(room, "VIEW_CHANNEL")
    collector(discord, folder).update()
    assert "a quiet word" not in said(folder).values()

    discord.delete_channel(room)
    talk(discord, "other", 1)
    collector(discord, folder).update()
    assert list(said(folder).values()) == ["other 0"]
    assert b"quiet" not in words(folder)


def test_naming_one_is_not_asking_for_it(discord, room, tmp_path):
    one, *_ = opened(discord, archived=True)
    update = collector(discord, tmp_path / "j", include=[one]).update()

    assert update.new == 0
    assert ("private_thread", one) in reasons(update)
    both = collector(discord, tmp_path / "k", include=[one], private_threads=True).update()
    assert both.new == 1


def test_reports_count_them(discord, room, tmp_path):
    asked = discord.post(room, "ann", "How do I draw a sphere in red?")
    discord.post(room, "bob", "Use `actor.sphere(centers, colors=(1, 0, 0))`.", reply_to=asked)
    made = collector(discord, tmp_path / "j")
    report = Pipeline(collector=made, exporter=JsonlExporter(tmp_path / "t.jsonl")).run().report

    dropped = {(d.unit, d.reason): d.count for d in report.counts.dropped}
    assert dropped["channel", "private_thread"] == 2
    assert "secret title" not in str(report)
    assert b"quiet" not in (tmp_path / "t.jsonl").read_bytes()


def test_wanting_them_is_yes_or_no(discord, tmp_path):
    with pytest.raises(ConfigError, match="private_threads"):
        collector(discord, tmp_path, private_threads="yes")
