"""Messages of people who do not take part reach no journal and no data set, in any order of reading."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from crawl_help import collector, gone, said, talk, words

from furytune import Consent, forget
from furytune.records import Dropped
from furytune.testing.fake_discord import FakeDiscord


class TestConsent:
    @pytest.mark.parametrize("intent", [True, False])
    def test_a_role_decides_with_and_without_the_list_of_members(self, discord, tmp_path, intent):
        discord.members_intent = intent
        quiet = discord.add_role("quiet")
        ann = discord.add_member("ann", roles=[quiet])
        room, _ = talk(discord, who=ann)
        discord.post(room, "bob", "I take part")
        consent = Consent(opt_out_roles="quiet")
        done = collector(discord, tmp_path / "j", consent=consent).update()
        assert (done.new, done.withheld) == (1, 5)
        assert set(gone(tmp_path / "j").values()) == {"opted_out"}

    def test_nothing_is_collected_while_its_author_s_roles_are_requested(self, tmp_path):
        with FakeDiscord(latency=0.03) as service:
            service.members_intent = False
            ann = service.add_member("ann", roles=[service.add_role("quiet")])
            for i in range(6):
                talk(service, f"room{i}", who=ann)
            done = collector(service, tmp_path / "j", consent=Consent(opt_out_roles="quiet")).update()
            assert (done.new, done.withheld) == (0, 30)
            assert b"room" not in b"".join(p.read_bytes() for p in (tmp_path / "j").glob("*.json"))
            assert sum(ann.id in r.path for r in service.requests) == 1

    @pytest.mark.parametrize("intent", [True, False])
    def test_people_opted_out_by_a_role_stay_out_after_leaving(self, discord, tmp_path, intent):
        discord.members_intent = intent
        quiet = discord.add_role("quiet")
        ann = discord.add_member("ann", roles=[quiet])
        talk(discord, who=ann)
        consent = Consent(opt_out_roles="quiet")
        collector(discord, tmp_path / "j", consent=consent).update()
        discord.leave(ann)
        collector(discord, tmp_path / "j", consent=consent).refresh()
        assert said(tmp_path / "j") == {}

    def test_opting_out_later_removes_and_opting_in_again_brings_back(self, discord, tmp_path):
        ann = discord.add_member("ann")
        room, made = talk(discord, who=ann)
        copy = discord.post(room, "bob", forward_of=made[0])
        folder = tmp_path / "j"
        collector(discord, folder, recheck=timedelta(0)).update()
        out = Consent(opt_out=ann.id)
        done = collector(discord, folder, recheck=timedelta(0), consent=out).update()
        assert done.removed == 6
        assert b"talk 0" not in words(folder)
        assert collector(discord, folder, consent=out).update().changed == 0
        collector(discord, folder).refresh()
        assert said(folder).keys() == {*(m.id for m in made), copy.id}

    @pytest.mark.parametrize("rule", ["opt_out", "opt_in"])
    def test_people_in_the_journal_after_a_killed_run_can_opt_out(self, discord, tmp_path, rule):
        ann = discord.add_member("ann")
        room, _ = talk(discord, who=ann)
        discord.post(room, "bob", "I take part")
        folder = tmp_path / "j"
        collector(discord, folder).update()
        (folder / "people.json").unlink()
        about = json.loads((folder / "journal.json").read_text())
        (folder / "journal.json").write_text(json.dumps(about | {"unsettled": True}))
        bob = next(u.id for u in discord.users.values() if u.name == "bob")
        consent = Consent(opt_out=ann.id) if rule == "opt_out" else Consent(opt_in=bob)
        done = collector(discord, folder, recheck=timedelta(0), consent=consent).update()
        assert done.removed == 5
        assert list(said(folder).values()) == ["I take part"]

    def test_bots_need_not_opt_in_even_if_that_is_asked_for_later(self, discord, tmp_path):
        bot = discord.add_member("helper", bot=True)
        talk(discord, who=bot)
        folder = tmp_path / "j"
        collector(discord, folder, recheck=timedelta(0)).update()
        done = collector(discord, folder, recheck=timedelta(0), consent=Consent(opt_in="1")).update()
        assert done.removed == 0
        assert len(said(folder)) == 5

    @pytest.mark.parametrize("first", ["original", "copy"])
    def test_a_forward_of_a_withheld_message_is_withheld_in_any_order(self, discord, tmp_path, first):
        ann = discord.add_member("ann")
        rooms = [discord.add_channel("first"), discord.add_channel("second")]
        if first == "copy":
            rooms.reverse()
        word = discord.post(rooms[0], ann, "the word")
        again = discord.post(rooms[1], "bob", forward_of=word)
        discord.post(rooms[0], "cyd", forward_of=again)
        folder = tmp_path / "j"
        for _ in range(3):
            collector(discord, folder, consent=Consent(opt_out=ann.id)).update()
            assert b"the word" not in words(folder)

    def test_a_forward_made_after_forgetting_its_author_is_not_collected(self, discord, tmp_path):
        ann = discord.add_member("ann")
        room, made = talk(discord, who=ann)
        folder = tmp_path / "j"
        collector(discord, folder).update()
        later = discord.post(room, ann, "said later")
        forget(author=ann.id, journal=folder)
        for message in (made[0], later):
            discord.post(room, "bob", forward_of=message)
        collector(discord, folder).update()
        assert b"talk 0" not in words(folder)
        assert b"said later" not in words(folder)
        assert ann.id.encode() not in words(folder)


class TestChoice:
    def test_channels_that_are_excluded_later_do_not_reach_a_data_set(self, discord, tmp_path):
        forum = discord.add_channel("forum", "forum")
        post = discord.add_thread(forum, "title", content="in the forum", archived=True)
        _, kept = talk(discord)
        out, _ = talk(discord, "out")
        thread = discord.add_thread(out, "thread", content="in the thread")
        folder = tmp_path / "j"
        collector(discord, folder).update()
        chosen = collector(discord, folder, exclude=["out", "forum"])
        drops = [item for item in chosen.collect() if isinstance(item, Dropped) and item.unit == "channel"]
        assert said(folder) == {m.id: m.content for m in kept}
        named = {drop.where.split("(")[-1].strip(")"): drop.reason for drop in drops}
        assert named == dict.fromkeys((out.id, thread.id, forum.id, post.id), "excluded")
        collector(discord, folder).update()
        assert {"in the forum", "in the thread"} <= set(said(folder).values())

    def test_only_included_channels_and_threads_reach_a_data_set(self, discord, tmp_path):
        room, _ = talk(discord)
        thread = discord.add_thread(room, "thread", content="in the thread")
        folder = tmp_path / "j"
        collector(discord, folder).update()
        collector(discord, folder, include=[thread.id]).update()
        assert list(said(folder).values()) == ["in the thread"]
