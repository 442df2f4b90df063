"""The title of a forum post is stored with its opening message, and is part of the question."""

from __future__ import annotations

import json

import pytest
from crawl_help import KEY, collector
from discord_exports import PAIRERS
from test_adopting import exported

import furytune as ft
from furytune import Consent, JournalCollector, forget
from furytune.errors import ConfigError, SourceError
from furytune.records import Dropped, QAPair

TITLE = "How do I colour one vertex?"
BODY = "I use 0.12."


def words(folder):
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def pairs(folder, **settings):
    items = JournalCollector(folder, author_key=KEY, pairers=PAIRERS, **settings).collect()
    return [item for item in items if isinstance(item, QAPair)]


@pytest.fixture
def post(discord):
    forum = discord.add_channel("questions", "forum")
    made = discord.add_thread(forum, TITLE, author="ann", content=BODY)
    discord.post(made, "bob", "Pass an array.")
    return made


@pytest.mark.parametrize("archived", [False, True])
def test_live_the_title_opens_the_question(discord, tmp_path, post, archived):
    discord.archive(post, archived=archived)
    collector(discord, tmp_path / "j").update()
    (pair,) = pairs(tmp_path / "j")
    assert pair.question == f"{TITLE}\n\n{BODY}"
    first, *_ = JournalCollector(tmp_path / "j").messages()
    assert first.content == BODY


def test_a_title_stays_when_an_unlisted_post_is_compared(discord, tmp_path, post):
    collector(discord, tmp_path / "j").update()
    discord.archive(post)
    before = words(tmp_path / "j" / "channels")
    for _ in range(2):
        update = collector(discord, tmp_path / "j").refresh()
        assert (update.new, update.changed, update.deleted) == (0, 0, 0)
    assert pairs(tmp_path / "j")[0].question == f"{TITLE}\n\n{BODY}"
    assert TITLE.encode() in before


def test_a_new_title_arrives_like_an_edit(discord, tmp_path, post):
    collector(discord, tmp_path / "j").update()
    discord.rename(post, "How do I colour a face?")
    assert collector(discord, tmp_path / "j").update().changed == 1
    assert pairs(tmp_path / "j")[0].question == f"How do I colour a face?\n\n{BODY}"
    assert TITLE.encode() not in words(tmp_path / "j")


def test_the_title_of_a_thread_in_a_channel_is_not_kept(discord, tmp_path):
    room = discord.add_channel("help")
    asked = discord.post(room, "ann", "It fails.")
    discord.post(discord.add_thread(room, "a title", author="ann", starter=asked), "bob", "Try a.")
    discord.post(discord.add_thread(room, "a title", author="ann", content="b?"), "bob", "c")
    collector(discord, tmp_path / "j").update()
    assert b"a title" not in words(tmp_path / "j")
    assert {pair.question for pair in pairs(tmp_path / "j")} == {"It fails.", "b?"}


def test_a_title_is_removed_with_its_author_s_messages(discord, tmp_path, post):
    collector(discord, tmp_path / "j").update()
    author = post.messages[0].author.id
    assert TITLE.encode() in words(tmp_path / "j")
    ft.forget(author=author, journal=tmp_path / "j")
    assert TITLE.encode() not in words(tmp_path / "j")
    collector(discord, tmp_path / "j").refresh()
    assert TITLE.encode() not in words(tmp_path / "j")


def test_it_goes_with_a_deleted_opening_message(discord, tmp_path, post):
    collector(discord, tmp_path / "j").update()
    assert TITLE.encode() in words(tmp_path / "j")
    discord.delete(post.messages[0])
    collector(discord, tmp_path / "j").refresh()
    assert TITLE.encode() not in words(tmp_path / "j")


def test_a_title_by_someone_who_opted_out_is_not_collected(discord, tmp_path, post):
    consent = Consent(opt_out=[post.messages[0].author.id])
    collector(discord, tmp_path / "j", consent=consent).update()
    assert TITLE.encode() not in words(tmp_path / "j")


def test_an_adopted_post_has_the_title_that_live_reading_gives(discord, tmp_path, post):
    exported(discord, post, tmp_path / "files")
    JournalCollector(tmp_path / "j").adopt(tmp_path / "files")
    collector(discord, tmp_path / "alone").update()
    assert pairs(tmp_path / "j") == pairs(tmp_path / "alone")
    assert collector(discord, tmp_path / "j").refresh().changed == 0


class TestNewerExports:
    """Adopts one export after the other."""

    def adopted(self, folder, day, answer, *, edited=None, reactions=()):
        first = {
            "id": "1191168918421504000",
            "type": "Default",
            "timestamp": "2024-01-01T00:00:00+00:00",
            "content": "How?",
            "author": {"id": "5", "isBot": False},
        }
        second = first | {
            "id": "1191168922615808000",
            "type": "Reply",
            "content": answer,
            "author": {"id": "6", "isBot": False},
            "reference": {"messageId": first["id"]},
            "timestampEdited": edited and f"2024-01-{edited:02}T00:00:00+00:00",
            "reactions": [{"emoji": {"name": r}, "count": 1} for r in reactions],
        }
        root = {
            "guild": {"id": "1"},
            "channel": {"id": "7", "type": "GuildTextChat", "name": "help"},
            "exportedAt": f"2024-01-{day:02}T00:00:00+00:00",
            "messages": [first, second],
            "messageCount": 2,
        }
        (folder / "files").mkdir(parents=True, exist_ok=True)
        (folder / "files" / "x.json").write_text(json.dumps(root), encoding="utf-8")
        return JournalCollector(folder / "j").adopt(folder / "files")

    def state(self, folder):
        (pair,) = pairs(folder / "j")
        return pair.answer, pair.solved

    def test_an_edit_of_the_newer_one_counts_in_either_order(self, tmp_path):
        for name, order in (
            ("up", [(3, "old", None), (5, "new", 4)]),
            ("down", [(5, "new", 4), (3, "old", None)]),
        ):
            found = [self.adopted(tmp_path / name, day, text, edited=edit) for day, text, edit in order]
            assert self.state(tmp_path / name) == ("new", False)
            assert [(a.messages, a.changed) for a in found] == [(2, 0), (0, 1 if name == "up" else 0)]

    def test_reactions_of_the_newer_one_count_in_either_order(self, tmp_path):
        for name, order in (("up", [(3, ()), (5, "\u2705")]), ("down", [(5, "\u2705"), (3, ())])):
            for day, marks in order:
                self.adopted(tmp_path / name, day, "so", reactions=marks)
            assert self.state(tmp_path / name) == ("so", True)

    def test_one_between_two_changes_nothing(self, tmp_path):
        for day, marks in ((3, ()), (6, ()), (5, "\u2705")):
            self.adopted(tmp_path, day, "so", reactions=marks)
        assert self.state(tmp_path) == ("so", False)

    def test_adopting_again_changes_no_byte(self, tmp_path):
        self.adopted(tmp_path, 3, "old")
        self.adopted(tmp_path, 5, "new", edited=4)
        before = words(tmp_path / "j")
        assert self.adopted(tmp_path, 5, "new", edited=4).changed == 0
        assert words(tmp_path / "j") == before

    def test_removed_messages_stay_removed(self, tmp_path):
        self.adopted(tmp_path, 3, "old")
        forget(message="1191168922615808000", journal=tmp_path / "j")
        self.adopted(tmp_path, 5, "new", edited=4)
        assert b"new" not in words(tmp_path / "j")

    def test_what_was_read_live_is_as_new_as_any_export_without_an_edit(self, discord, tmp_path):
        room = discord.add_channel("help")
        asked = discord.post(room, "ann", "How?")
        discord.react(discord.post(room, "bob", "so", reply_to=asked), "\u2705")
        collector(discord, tmp_path / "j").update()
        exported(discord, room, tmp_path / "files")
        assert JournalCollector(tmp_path / "j").adopt(tmp_path / "files").changed == 0
        assert pairs(tmp_path / "j")[0].solved

    def test_media_and_other_files_are_passed_over_and_counted(self, tmp_path):
        (tmp_path / "files" / "x.json_Files").mkdir(parents=True)
        (tmp_path / "files" / "x.json_Files" / "a.json").write_text("{}")
        (tmp_path / "files" / "settings.json").write_text("{}")
        self.adopted(tmp_path, 3, "so")
        drops: list[Dropped] = []
        JournalCollector(tmp_path / "j").adopt(tmp_path / "files", on_drop=drops.append)
        assert [(d.reason, d.where) for d in drops] == [
            ("not_an_export", "x.json_Files"),
            ("not_an_export", "settings.json:1:1"),
        ]

    def test_an_export_without_content_is_refused_before_anything_is_written(self, tmp_path):
        message = {"type": "Default", "content": "", "author": {"id": "5", "isBot": False}}
        root = {
            "guild": {"id": "1"},
            "channel": {"id": "7", "type": "GuildTextChat"},
            "messages": [message | {"id": str(1191168918421504000 + i)} for i in range(10)],
            "messageCount": 10,
        }
        (tmp_path / "x.json").write_text(json.dumps(root), encoding="utf-8")
        with pytest.raises(
            SourceError, match="all 10 messages that people wrote are empty.*Message Content intent"
        ):
            JournalCollector(tmp_path / "j").adopt(tmp_path / "x.json")
        assert not (tmp_path / "j").exists()

    def test_a_folder_without_an_export_is_refused(self, tmp_path):
        (tmp_path / "settings.json").write_text("{}")
        with pytest.raises(SourceError, match="no file is an export"):
            JournalCollector(tmp_path / "j").adopt(tmp_path)


class TestChoosing:
    @pytest.fixture
    def journal(self, discord, tmp_path, post):
        for name in ("help", "Off-Topic"):
            room = discord.add_channel(name)
            asked = discord.post(room, "ann", f"How {name}?")
            discord.post(room, "bob", "so", reply_to=asked)
        collector(discord, tmp_path / "j").update()
        return tmp_path / "j"

    def test_channels_of_a_journal_are_chosen_by_name_or_id(self, journal, post):
        assert {p.question for p in pairs(journal, channels=["#HELP"])} == {"How help?"}
        assert {p.question for p in pairs(journal, exclude=["help", "off-topic"])} == {f"{TITLE}\n\n{BODY}"}
        assert len(pairs(journal, channels=[post.id])) == len(pairs(journal, channels=[post.parent.id])) == 1
        drops = [i for i in JournalCollector(journal, channels=["help"]).collect() if isinstance(i, Dropped)]
        left = {(d.reason, d.where.partition(" ")[0]) for d in drops if d.unit == "channel"}
        assert left == {("not_included", "#Off-Topic"), ("not_included", post.id)}

    def test_an_unknown_name_is_an_error_that_lists_what_is_there(self, journal):
        with pytest.raises(
            ConfigError, match=r"exclude: no channel is named 'helo'; there are .*'Off-Topic'"
        ) as caught:
            pairs(journal, exclude=["helo"])
        assert TITLE not in str(caught.value)

    def test_limits_apply_to_a_journal_too(self, journal):
        drops = JournalCollector(journal, max_message=5, channels=["help"]).collect()
        assert {d.reason for d in drops if d.unit == "message"} == {"message_too_long", "reply_to_dropped"}
        drops = JournalCollector(journal, max_pair=5, channels=["help"], pairers=PAIRERS).collect()
        assert [(d.reason, d.count) for d in drops if d.unit == "message"] == [("pair_too_long", 2)]
        drops = JournalCollector(journal, max_messages=1, channels=["help"], pairers=PAIRERS).collect()
        assert [d for d in drops if isinstance(d, Dropped) and d.unit == "message"] == []
