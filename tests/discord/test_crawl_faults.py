"""A fault in the middle of collecting must not delete, invent, reveal or lose anything."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta

import journals
import pytest
from crawl_help import collector, is_page, said, talk, words

from furytune import DiscordCollector, Secret
from furytune.collectors import discord as collecting
from furytune.collectors.discord import Patience
from furytune.errors import DiscordError, SourceError, SourceFormatError
from furytune.testing.fake_discord import FakeDiscord


class TestPermissionsThatGo:
    @pytest.mark.parametrize("permission", ["READ_MESSAGE_HISTORY", "VIEW_CHANNEL"])
    @pytest.mark.parametrize("again", ["update", "refresh"])
    def test_nothing_is_deleted_when_a_permission_goes_between_two_pages(
        self, discord, tmp_path, permission, again
    ):
        room, made = talk(discord, number=250)
        collector(discord, tmp_path / "j").update()
        asked = []

        def nemesis(request):
            asked.append(request)
            pages = list(filter(is_page, asked))
            if len(pages) == 2:
                discord.deny(room, permission)

        discord.on_request(nemesis)
        done = getattr(collector(discord, tmp_path / "j"), again)()
        assert done.deleted == 0
        assert [d.reason for d in done.unread] == ["no_permission"]
        assert said(tmp_path / "j") == {m.id: m.content for m in made}

    def test_a_first_read_resumes_when_its_permission_returns(self, discord, tmp_path):
        room, made = talk(discord, number=250)
        pages = []

        def nemesis(request):
            pages.extend([request] if is_page(request) else [])
            if len(pages) == 2 and is_page(request):
                discord.deny(room, "READ_MESSAGE_HISTORY")

        discord.on_request(nemesis)
        done = collector(discord, tmp_path / "j").update()
        assert done.new < 250
        assert len(done.unread) == 1
        discord.allow(room, "READ_MESSAGE_HISTORY")
        collector(discord, tmp_path / "j").update()
        assert said(tmp_path / "j") == {m.id: m.content for m in made}

    def test_threads_stay_when_their_channel_is_hidden(self, discord, tmp_path):
        forum = discord.add_channel("forum", "forum")
        post = discord.add_thread(forum, "title", content="a question")
        discord.add_channel("other")
        collector(discord, tmp_path / "j").update()
        discord.deny(forum, "VIEW_CHANNEL")
        done = collector(discord, tmp_path / "j").refresh()
        assert done.deleted == 0
        assert list(said(tmp_path / "j").values()) == ["a question"]
        assert {post.id, forum.id} & {d.where.split("(")[-1].strip(")") for d in done.unread}

    def test_all_posts_of_a_deleted_forum_are_removed(self, discord, tmp_path):
        forum = discord.add_channel("forum", "forum")
        for i in range(4):
            discord.add_thread(forum, f"title {i}", content="a question", archived=bool(i % 2))
        talk(discord)
        collector(discord, tmp_path / "j", recheck=timedelta(0)).update()
        discord.delete_channel(forum)
        done = collector(discord, tmp_path / "j", recheck=timedelta(0)).update()
        assert done.deleted == 4
        assert "a question" not in said(tmp_path / "j").values()


class TestMessages:
    def test_the_newest_message_may_be_deleted_before_it_is_read(self, discord, tmp_path):
        room, made = talk(discord, number=3)
        discord.delete(made[-1])
        first = collector(discord, tmp_path / "j").update()
        assert first.new == 2
        assert collector(discord, tmp_path / "j", recheck=timedelta(0)).update().channels == 1
        discord.post(room, "ann", "later")
        assert collector(discord, tmp_path / "j").update().new == 1

    def test_a_late_lower_id_is_found_within_the_window(self, discord, tmp_path):
        room, made = talk(discord, number=3)
        late = discord.post(room, "bob", "late")
        made.append(discord.post(room, "ann", "highest"))
        at = room.messages.index(late)
        del room.messages[at], room.numbers[at]
        collector(discord, tmp_path / "j").update()
        room.messages.insert(at, late)
        room.numbers.insert(at, late.number)
        assert collector(discord, tmp_path / "j").update().new == 1
        assert list(said(tmp_path / "j")) == [m.id for m in room.messages]

    def test_a_channel_without_messages_is_known_and_asked_once(self, discord, tmp_path):
        room, _ = talk(discord, number=0)
        collector(discord, tmp_path / "j").update()
        before = len(discord.requests)
        collector(discord, tmp_path / "j").update()
        assert not any(room.id in r.path and "messages" in r.path for r in discord.requests[before:])

    def test_many_edits_leave_one_line_each(self, discord, tmp_path):
        room, made = talk(discord, number=300)
        collector(discord, tmp_path / "j").update()
        for round_ in range(3):
            for message in made:
                discord.edit(message, f"edited {round_}")
            assert collector(discord, tmp_path / "j").update().changed == 300
        lines = journals.log_file(tmp_path / "j", room.id).read_bytes().splitlines()
        assert sum(not line.startswith(b'{"commit"') for line in lines) == 300
        assert set(said(tmp_path / "j").values()) == {"edited 2"}

    def test_a_channel_that_moves_and_a_post_with_other_tags_are_followed(self, discord, tmp_path):
        old, new = discord.add_channel("old", "category"), discord.add_channel("new", "category")
        room = discord.add_channel("room", category=old)
        forum = discord.add_channel("forum", "forum", tags=["open", "solved"])
        post = discord.add_thread(forum, "title", content="a question", tags=["open"])
        collector(discord, tmp_path / "j").update()
        room.parent = new
        discord.retag(post, "solved")
        collector(discord, tmp_path / "j").update()
        states = journals.states(tmp_path / "j")
        assert states[room.id].parent == new.id
        assert states[post.id].tags == ("solved",)

    @pytest.mark.parametrize(
        "part",
        [{"author": None}, {"type": []}, {"content": 5}, {"attachments": [{"id": "1", "size": "big"}]}],
    )
    def test_a_misshapen_message_raises_and_leaves_the_log_sound(self, discord, tmp_path, part):
        room, made = talk(discord, number=150)
        odd = discord.post(room, "ann", "odd")
        odd.extra = part
        with pytest.raises(DiscordError, match="does not have the shape"):
            collector(discord, tmp_path / "j").update()
        assert len(said(tmp_path / "j")) == 100
        odd.extra, odd.core = None, b""
        assert collector(discord, tmp_path / "j").update().new == 51
        assert said(tmp_path / "j") == {m.id: m.content for m in [*made, odd]}


class TestRefresh:
    def test_an_abandoned_comparison_does_not_shorten_a_later_one(self, discord, tmp_path):
        room, made = talk(discord, number=2300)
        folder = tmp_path / "j"
        collector(discord, folder).update()
        pages = []

        def nemesis(request):
            pages.extend([request] if is_page(request) else [])
            if len(pages) == 21 and is_page(request):
                discord.deny(room, "READ_MESSAGE_HISTORY")

        discord.on_request(nemesis)
        assert collector(discord, folder).refresh().unread
        assert journals.position_of(folder, room.id).checked
        discord.allow(room, "READ_MESSAGE_HISTORY")
        discord.edit(made[0], "edited meanwhile")
        assert collector(discord, folder).refresh().changed == 1


class TestJournals:
    def test_a_journal_of_another_server_is_refused(self, discord, tmp_path):
        talk(discord)
        collector(discord, tmp_path / "j").update()
        before = words(tmp_path / "j")
        other = DiscordCollector(
            guild="613425648685547541",
            token=Secret(discord.token),
            permission="a rehearsal",
            journal=tmp_path / "j",
            endpoint=discord.url,
        )
        with pytest.raises(SourceError, match="give each server its own"):
            other.update()
        assert words(tmp_path / "j") == before

    def test_two_writers_at_a_time_are_refused(self, discord, tmp_path):
        pytest.importorskip("fcntl")
        talk(discord)
        collector(discord, tmp_path / "j").update()
        with journals.writing(tmp_path / "j"):
            with pytest.raises(SourceError, match="another process is writing"):
                collector(discord, tmp_path / "j").update()

    def test_a_damaged_journal_file_is_named_and_nothing_is_written(self, discord, tmp_path):
        talk(discord)
        collector(discord, tmp_path / "j").update()
        (tmp_path / "j" / "journal.json").write_bytes(b'{"guild": "1')
        before = words(tmp_path / "j")
        with pytest.raises(SourceFormatError, match="damaged"):
            collector(discord, tmp_path / "j").update()
        assert words(tmp_path / "j") == before

    def test_a_log_that_is_damaged_in_the_middle_is_named_by_file_and_line(self, discord, tmp_path):
        room, _ = talk(discord, number=250)
        collector(discord, tmp_path / "j").update()
        file = tmp_path / "j" / "channels" / f"{room.id}.jsonl"
        data = bytearray(file.read_bytes())
        data[data.index(b"talk 120")] ^= 1
        file.write_bytes(data)
        with pytest.raises(SourceFormatError, match=f"{room.id}.jsonl:102"):
            collector(discord, tmp_path / "j").update()
        file.unlink()
        collector(discord, tmp_path / "j").update()
        assert len(said(tmp_path / "j")) == 250

    def test_a_folder_of_a_run_killed_early_is_not_foreign(self, discord, tmp_path):
        talk(discord)
        folder = tmp_path / "j"
        (folder / "channels").mkdir(parents=True)
        (folder / ".journal.json.0123456789abcdef.furytune-tmp").write_bytes(b"{")
        assert collector(discord, folder).update().new == 5
        (tmp_path / "k").mkdir()
        (tmp_path / "k" / "notes.txt").write_bytes(b"mine")
        with pytest.raises(SourceError, match="contains other files"):
            collector(discord, tmp_path / "k").update()

    def test_forgetting_removes_leftovers_of_a_killed_rewrite(self, discord, tmp_path):
        ann = discord.add_member("ann")
        room, made = talk(discord, who=ann)
        folder = tmp_path / "j"
        collector(discord, folder).update()
        left = folder / "channels" / f".{room.id}.jsonl.0123456789abcdef.furytune-tmp"
        left.write_bytes((folder / "channels" / f"{room.id}.jsonl").read_bytes())
        for message in made:
            discord.delete(message)
        collector(discord, folder).update()
        assert b"talk 0" not in words(folder)

    @pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() == 0, reason="root may write anywhere")
    def test_a_folder_that_cannot_be_written_to_is_named(self, discord, tmp_path):
        (tmp_path / "j").mkdir(mode=0o500)
        with pytest.raises(SourceError, match="check the permissions"):
            collector(discord, tmp_path / "j").update()

    def test_a_file_in_the_place_of_a_journal_is_named(self, discord, tmp_path):
        (tmp_path / "j").write_bytes(b"mine")
        with pytest.raises(SourceError, match="cannot write a journal here"):
            collector(discord, tmp_path / "j").update()


class TestSurroundings:
    def test_it_runs_inside_an_event_loop_that_is_running(self, discord, tmp_path):
        talk(discord)

        async def notebook():
            return collector(discord, tmp_path / "j").update()

        assert asyncio.run(notebook()).new == 5

    def test_a_clock_that_is_wrong_deletes_nothing(self, discord, tmp_path, monkeypatch):
        room, made = talk(discord, number=150)
        folder = tmp_path / "j"
        for year in (1999, 2077, 2024):

            class Clock(datetime):
                @classmethod
                def now(cls, tz=None, year=year):
                    return datetime(year, 1, 3, tzinfo=tz)

            monkeypatch.setattr(collecting, "datetime", Clock)
            made.append(discord.post(room, "ann", f"in {year}"))
            done = collector(discord, folder, recheck=timedelta(days=7)).update()
            assert done.deleted == 0
            assert said(folder) == {m.id: m.content for m in made}

    @pytest.mark.skipif(not hasattr(signal, "SIGINT") or os.name == "nt", reason="needs signals")
    def test_an_interrupt_ends_it_and_what_was_read_stays(self, discord, tmp_path):
        _, made = talk(discord, number=1500)
        folder = tmp_path / "j"
        pages = []
        reached = threading.Event()

        def nemesis(request):
            pages.extend([request] if is_page(request) else [])
            if len(pages) == 6:
                reached.set()
            if len(pages) > 6:
                time.sleep(0.05)

        discord.on_request(nemesis)
        script = (
            "import signal, sys; from furytune import *\n"
            "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a background shell has it ignored
            "c = DiscordCollector(guild=sys.argv[1], token=Secret(sys.argv[2]), permission='p', journal=sys.argv[4],"
            " endpoint=sys.argv[3])\n"
            "try:\n    c.update()\nexcept KeyboardInterrupt:\n    sys.exit(7)\n"
        )
        command = [sys.executable, "-c", script, discord.guild, discord.token, discord.url, str(folder)]
        with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
            assert reached.wait(60)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
        assert process.returncode == 7, errors
        before = len(said(folder))
        assert 400 <= before < 1500
        people = json.loads((folder / "people.json").read_text())
        assert people["members"]
        assert collector(discord, folder).update().new == 1500 - before
        assert said(folder) == {m.id: m.content for m in made}

    def test_asking_for_the_next_page_meanwhile_keeps_all_limits(self, tmp_path):
        with FakeDiscord(limit=3, window=0.2, overall=50) as service:
            rooms = [talk(service, f"room{i}", 420) for i in range(4)]
            done = collector(service, tmp_path / "j", patience=Patience()).update()
            assert done.new == 4 * 420
            assert service.violations == []
            assert not any(asked.status == 429 for asked in service.requests)
            # No page is requested that no one needs.
            assert sum(map(is_page, service.requests)) == 4 * 5
        assert len(said(tmp_path / "j")) == len(rooms) * 420

    def test_a_lost_network_is_one_error_and_the_next_run_resumes(self, discord, tmp_path):
        rooms = [talk(discord, f"room{i}", 150) for i in range(12)]
        discord.fail("/messages", 503, times=1000, skip=9)
        with pytest.raises(DiscordError, match="run again later"):
            collector(discord, tmp_path / "j").update()
        discord.faults.clear()
        collector(discord, tmp_path / "j").update()
        assert said(tmp_path / "j") == {m.id: m.content for _, made in rooms for m in made}
