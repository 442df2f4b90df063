"""Facts of live collection that only one line of the code ensures, and no other test checks."""

from __future__ import annotations

import importlib.util
import json
import os
import stat
from datetime import timedelta
from pathlib import Path

import attrs
import journals
import msgspec
import pytest
from crawl_help import KEY, collector, gone, said, talk, words
from session_help import answering

from furytune import Consent, JournalCollector, forget
from furytune.errors import ConfigError, DiscordError, DiscordLoginError, SourceFormatError
from furytune.records import QAPair
from furytune.testing.conformance import check_collector


def stored(service, folder, message, **options):
    """Returns a message as its line in the journal stores it."""
    collector(service, folder, **options).update()
    return json.loads(journals.lines_of(folder)[message.channel.id][int(message.id)])


class TestWhatIsKeptOfAMessage:
    def test_files_links_and_stickers(self, discord, tmp_path):
        room = discord.add_channel("room")
        embed = {
            "title": "Manual",
            "url": "https://example.org/manual",
            "description": "How it works",
            "author": {"name": "a name that is not kept"},
            "fields": [{"name": "version", "value": "2", "inline": True}],
        }
        sent = {"filename": "trace.log", "size": 77, "content_type": "text/x-log"}
        message = discord.post(room, "ann", "see", attachments=[sent], embeds=[embed], stickers=["wave"])
        found = stored(discord, tmp_path / "j", message)
        (file,) = found["attachments"]
        assert {name: file[name] for name in ("fileName", "fileSizeBytes", "contentType")} == {
            "fileName": "trace.log",
            "fileSizeBytes": 77,
            "contentType": "text/x-log",
        }
        assert file["url"].endswith("/trace.log"), "without the signature, which is another in each answer"
        assert found["embeds"] == [
            {
                "title": "Manual",
                "type": "rich",
                "url": "https://example.org/manual",
                "description": "How it works",
                "fields": [{"name": "version", "value": "2"}],
            }
        ]
        assert [sticker["name"] for sticker in found["stickers"]] == ["wave"]
        (view,) = JournalCollector(tmp_path / "j").messages()
        assert [(a.name, a.size) for a in view.attachments] == [("trace.log", 77)]
        assert (view.embeds[0].title, view.stickers) == ("Manual", ("wave",))

    def test_polls_with_their_votes(self, discord, tmp_path):
        room = discord.add_channel("room")
        message = discord.post(room, "ann", poll=("Which?", ["this", "that"]))
        message.extra["poll"]["results"]["answer_counts"] = [{"id": 2, "count": 5, "me_voted": False}]
        collector(discord, tmp_path / "j").update()
        (view,) = JournalCollector(tmp_path / "j").messages()
        assert (view.poll.question, view.poll.answers) == ("Which?", (("this", 0), ("that", 5)))

    def test_reactions_pins_and_edits_are_kept_and_followed(self, discord, tmp_path):
        room = discord.add_channel("room")
        message = discord.post(room, "ann", "once")
        discord.react(message, "a", 2)
        discord.react(message, "b", 3)
        found = stored(discord, tmp_path / "j", message)
        assert [(r["emoji"]["name"], r["count"]) for r in found["reactions"]] == [("a", 2), ("b", 3)]
        assert not {"isPinned", "timestampEdited"} & found.keys(), "defaults are left out"
        discord.pin(message)
        discord.edit(message, "twice")
        discord.react(message, "b", 0)
        found = stored(discord, tmp_path / "j", message)
        assert [(r["emoji"]["name"], r["count"]) for r in found["reactions"]] == [("a", 2)]
        assert (found["isPinned"], found["content"]) == (True, "twice")
        assert found["timestampEdited"] > found["timestamp"]
        view = next(m for m in JournalCollector(tmp_path / "j").messages() if m.id == message.id)
        assert (view.pinned, view.reactions, view.edited_at > view.sent_at) == (True, (("a", 2),), True)

    def test_a_webhook_is_a_bot_and_needs_not_opt_in(self, discord, tmp_path):
        room = discord.add_channel("room")
        message = discord.post(room, "hook", "built", webhook=True)
        found = stored(discord, tmp_path / "j", message, consent=Consent(opt_in="1"))
        assert found["author"]["isBot"] is True

    def test_replies_forwards_and_the_start_of_a_thread_say_what_they_are(self, discord, tmp_path):
        room = discord.add_channel("room")
        first = discord.post(room, "ann", "a question", attachments=["a.txt"])
        reply = discord.post(room, "bob", "an answer", reply_to=first)
        copy = discord.post(room, "cyd", forward_of=first)
        thread = discord.add_thread(room, "title", starter=first, content="more")
        found = stored(discord, tmp_path / "j", reply)
        assert (found["type"], found["reference"]["messageId"]) == ("Reply", first.id)
        assert "forwardedMessage" not in found
        found = stored(discord, tmp_path / "j", copy)
        assert found["forwardedMessage"]["content"] == "a question"
        assert [a["fileName"] for a in found["forwardedMessage"]["attachments"]] == ["a.txt"]
        start = stored(discord, tmp_path / "j", thread.messages[0])
        assert (start["type"], start["content"], start["reference"]["messageId"]) == ("21", "", first.id)

    def test_the_author_has_roles_but_no_name(self, discord, tmp_path):
        room = discord.add_channel("room")
        ann = discord.add_member("a name like no other", roles=[discord.add_role("helper")])
        discord.post(room, ann, "a word")
        collector(discord, tmp_path / "j").update()
        (view,) = JournalCollector(tmp_path / "j").messages()
        assert view.author.roles == ("helper",)
        assert b"a name like no other" not in words(tmp_path / "j")

    def test_the_title_of_a_post_is_kept_with_its_opening_message_only(self, discord, tmp_path):
        forum = discord.add_channel("forum", "forum")
        discord.add_thread(forum, "a title", content="a question")
        closed = discord.add_thread(forum, "a closed title", content="a question")
        discord.fail(f"/channels/{closed.id}/messages", mode="forbid")
        (drop,) = collector(discord, tmp_path / "j").update().unread
        assert drop.where == closed.id
        assert b'"title":"a title"' in words(tmp_path / "j")
        assert b"a closed title" not in words(tmp_path / "j")

    def test_a_channel_that_has_only_the_name_of_hidden_ones_is_not_read(self, discord, tmp_path):
        talk(discord, "___hidden___")
        (drop,) = collector(discord, tmp_path / "j").update().unread
        assert drop.reason == "hidden"
        assert not list((tmp_path / "j" / "channels").iterdir())

    def test_a_channel_without_a_last_message_is_asked_whether_that_is_so(self, discord, tmp_path):
        room = discord.add_channel("room")
        made = discord.post(room, "ann", "a word")
        room.last = None
        collector(discord, tmp_path / "j").update()
        assert said(tmp_path / "j") == {made.id: "a word"}


class TestFiles:
    @pytest.mark.skipif(os.name == "nt", reason="modes are POSIX's")
    def test_only_the_owner_may_read_whatever_umask_and_folder_were(self, discord, tmp_path):
        _, made = talk(discord, number=3)
        (tmp_path / "j").mkdir()
        (tmp_path / "j").chmod(0o755)
        before = os.umask(0)
        try:
            collector(discord, tmp_path / "j").update()
            discord.edit(made[0], "another")
            collector(discord, tmp_path / "j").update()
            forget(message=made[1].id, journal=tmp_path / "j")
        finally:
            os.umask(before)
        found = {
            p.name: stat.S_IMODE(p.stat().st_mode) for p in [tmp_path / "j", *(tmp_path / "j").rglob("*")]
        }
        assert {found.pop("j"), found.pop("channels")} == {0o700}
        assert len(found) == 5
        assert set(found.values()) == {0o600}

    @pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs the names of open files")  # noqa: PTH112
    def test_messages_are_on_disk_before_the_cursors_that_skip_them(self, discord, tmp_path, monkeypatch):
        forum = discord.add_channel("forum", "forum")
        for i in range(3):
            discord.add_thread(forum, f"title {i}", content="a question", archived=True)
        folder = tmp_path / "j"
        unsynced, at_the_end = set(), []
        write, sync, replace = os.write, os.fsync, os.replace

        def written(fd, data):
            name = str(Path(f"/proc/self/fd/{fd}").readlink())
            if name.startswith(str(folder / "channels")):
                unsynced.update((name, str(folder / "channels")))
            return write(fd, data)

        def synced(fd):
            unsynced.discard(str(Path(f"/proc/self/fd/{fd}").readlink()))
            sync(fd)

        def replaced(source, target, **options):
            replace(source, target, **options)
            if os.fspath(target).endswith("journal.json"):
                at_the_end.append((journals.unsettled(folder), set(unsynced)))

        monkeypatch.setattr(os, "write", written)
        monkeypatch.setattr(os, "fsync", synced)
        monkeypatch.setattr(os, "replace", replaced)
        collector(discord, folder).update()
        assert at_the_end[-1] == (False, set())
        assert len(list((folder / "channels").iterdir())) == 3

    def test_the_next_run_removes_leftovers_of_killed_writers(self, discord, tmp_path):
        discord.post(discord.add_channel("room"), "ann", "a word")
        folder = tmp_path / "j"
        collector(discord, folder).update()
        for place in (folder / ".people.json", folder / "channels" / ".613425648685547541.jsonl"):
            place.with_name(f"{place.name}.0123456789abcdef.furytune-tmp").write_bytes(b"left over")
        collector(discord, folder).update()
        assert b"left over" not in words(folder)

    def test_a_journal_of_another_form_is_refused_and_left_as_it_is(self, discord, tmp_path):
        discord.post(discord.add_channel("room"), "ann", "a word")
        folder = tmp_path / "j"
        collector(discord, folder).update()
        about = json.loads((folder / "journal.json").read_text())
        (folder / "journal.json").write_text(json.dumps(about | {"format": "furytune-journal/2"}))
        before = words(folder)
        for use in (lambda: collector(discord, folder).update(), lambda: said(folder)):
            with pytest.raises(SourceFormatError, match="furytune-journal/2.*version"):
                use()
        assert words(folder) == before

    def test_a_log_whose_beginning_is_lost_is_read_again(self, discord, tmp_path):
        room, made = talk(discord, number=3)
        collector(discord, tmp_path / "j").update()
        file = tmp_path / "j" / "channels" / f"{room.id}.jsonl"
        file.write_bytes(file.read_bytes()[10:])
        assert journals.lines_of(tmp_path / "j") == {room.id: {}}
        collector(discord, tmp_path / "j").update()
        assert said(tmp_path / "j") == {m.id: m.content for m in made}


class TestCoverage:
    @pytest.mark.parametrize("private", [False, True])
    def test_a_closed_thread_that_was_refused_is_read_by_the_next_run(self, discord, tmp_path, private):
        room = discord.add_channel("room")
        old = discord.add_thread(room, "old", content="an old question", archived=True, private=private)
        discord.now += 30 * 86_400_000
        discord.add_thread(room, "new", content="a new question", archived=True, private=private)
        discord.fail(f"/channels/{old.id}/messages", mode="forbid")
        done = collector(discord, tmp_path / "j", private_threads=private).update()
        assert [drop.reason for drop in done.unread] == ["no_permission"]
        assert "an old question" not in said(tmp_path / "j").values()
        done = collector(discord, tmp_path / "j", private_threads=private).update()
        assert (done.new, done.unread) == (1, ())
        assert {"an old question", "a new question"} <= set(said(tmp_path / "j").values())

    def test_what_was_deleted_is_not_asked_for_again(self, discord, tmp_path):
        discord.post(discord.add_channel("kept"), "ann", "a word")
        room = discord.add_channel("room")
        discord.post(room, "ann", "a word")
        post = discord.add_thread(discord.add_channel("forum", "forum"), "title", content="a question")
        collector(discord, tmp_path / "j").update()
        discord.delete_channel(room)
        discord.delete_channel(post.parent)
        assert collector(discord, tmp_path / "j").update().deleted == 2
        before = len(discord.requests)
        assert collector(discord, tmp_path / "j").update().deleted == 0
        gone = {room.id, post.id, post.parent.id}
        assert not [r.path for r in discord.requests[before:] if gone & set(r.path.split("/"))]

    def test_a_run_ends_at_the_newest_message_of_its_beginning(self, discord, tmp_path):
        room, made = talk(discord, number=150)

        def nemesis(request):
            if request.path.endswith("/messages"):
                for _ in range(3):
                    discord.post(room, "bob", "meanwhile")

        discord.on_request(nemesis)
        assert collector(discord, tmp_path / "j").update().new == 150
        assert said(tmp_path / "j") == {m.id: m.content for m in made}

    def test_a_closed_thread_that_is_no_longer_listed_is_still_compared(self, discord, tmp_path):
        forum = discord.add_channel("forum", "forum")
        old = discord.add_thread(forum, "old", content="a question", archived=True)
        answer = discord.post(old, "bob", "an answer")
        discord.now += 30 * 86_400_000
        discord.add_thread(forum, "new", content="a new question", archived=True)
        collector(discord, tmp_path / "j").update()
        discord.delete(answer)
        discord.edit(old.messages[0], "an edited question")
        done = collector(discord, tmp_path / "j").update()
        assert (done.deleted, done.changed) == (1, 1)
        assert set(said(tmp_path / "j").values()) == {"an edited question", "a new question"}

    def test_what_was_withheld_and_is_deleted_later_is_not_counted_again(self, discord, tmp_path):
        room = discord.add_channel("room")
        ann = discord.add_member("ann")
        word = discord.post(room, ann, "a word")
        discord.post(room, "bob", "another")
        consent = Consent(opt_out=ann.id)
        folder = tmp_path / "j"
        assert collector(discord, folder, consent=consent).update().withheld == 1
        discord.delete(word)
        before = len(discord.requests)
        assert collector(discord, folder, consent=consent).update().deleted == 0
        assert not any(word.id in r.path for r in discord.requests[before:])
        assert gone(folder) == {word.id: "opted_out"}

    def test_the_next_run_removes_what_an_interrupted_run_replaced(self, discord, tmp_path):
        room = discord.add_channel("room")
        word = discord.post(room, "ann", "the first word")
        folder = tmp_path / "j"
        collector(discord, folder).update()
        journals.replace(folder, room.id, [journals.tombstone(word.id)])
        collector(discord, folder, recheck=timedelta(0)).update()
        assert b"the first word" not in words(folder)

    @pytest.mark.parametrize("again", ["update", "refresh"])
    def test_a_message_missing_from_a_page_is_not_deleted_if_it_exists(
        self, discord, tmp_path, monkeypatch, again
    ):
        _, made = talk(discord, number=120)
        folder = tmp_path / "j"
        collector(discord, folder).update()
        answering(monkeypatch, lambda page, _: [m for m in page if m["id"] != made[50].id])
        done = getattr(collector(discord, folder), again)()
        assert done.deleted == 0
        assert [drop.reason for drop in done.unread] == ["no_permission"]
        assert said(folder) == {m.id: m.content for m in made}

    def test_losing_the_intent_does_not_replace_texts_with_nothing(self, discord, tmp_path):
        _, made = talk(discord, number=250)
        folder = tmp_path / "j"
        collector(discord, folder).update()
        pages = []

        def nemesis(request):
            pages.extend([request] if request.path.endswith("/messages") else [])
            if len(pages) == 2:
                discord.content_intent = False

        discord.on_request(nemesis)
        with pytest.raises(DiscordLoginError, match="Message Content Intent"):
            collector(discord, folder).update()
        assert said(folder) == {m.id: m.content for m in made}

    def test_an_unwritable_text_is_counted_and_its_neighbours_are_kept(self, discord, tmp_path):
        if importlib.util.find_spec("orjson"):
            pytest.skip("with orjson, discord.py refuses the whole page")
        room = discord.add_channel("room")
        kept = [discord.post(room, "ann", "before")]
        broken = discord.post(room, "ann", "half")
        broken.extra = {"content": msgspec.Raw(b'"half \\ud800 of it"')}
        kept.append(discord.post(room, "ann", "after"))
        collector(discord, tmp_path / "j").update()
        drops = []
        found = JournalCollector(tmp_path / "j").messages(on_drop=drops.append)
        assert [m.id for m in found] == [m.id for m in kept]
        assert [(drop.reason, drop.ids) for drop in drops] == [("lone_surrogate", (broken.id,))]

    def test_a_misshapen_message_raises_where_it_is_without_its_text(self, discord, tmp_path):
        room = discord.add_channel("room")
        discord.post(room, "ann", "a private word", reactions=7)
        with pytest.raises(DiscordError, match=f"channel {room.id}.*does not have the shape") as caught:
            collector(discord, tmp_path / "j").update()
        assert "private" not in str(caught.value)

    def test_a_journal_keeps_the_rules_that_collectors_are_held_to(self, discord, tmp_path):
        discord.fill(120, 2)
        folder = tmp_path / "j"
        collector(discord, folder).update()
        items = check_collector(lambda: JournalCollector(folder, author_key=KEY))
        assert {item.method for item in items if isinstance(item, QAPair)} >= {"reply"}
        assert check_collector(lambda: collector(discord, folder)) == items


class TestConsent:
    def test_a_forward_by_someone_who_opted_out_is_withheld(self, discord, tmp_path):
        room = discord.add_channel("room")
        ann = discord.add_member("ann")
        word = discord.post(room, "bob", "a word")
        copy = discord.post(room, ann, forward_of=word)
        collector(discord, tmp_path / "j", consent=Consent(opt_out=ann.id)).update()
        assert list(said(tmp_path / "j")) == [word.id]
        assert stored(discord, tmp_path / "j", copy, consent=Consent(opt_out=ann.id))["why"] == "opted_out"

    def test_of_two_roles_with_one_name_the_id_is_asked_for(self, discord, tmp_path):
        talk(discord)
        for _ in range(2):
            discord.add_role("quiet")
        with pytest.raises(ConfigError, match="2 roles .* give the role's id"):
            collector(discord, tmp_path / "j", consent=Consent(opt_out_roles="quiet")).update()


class TestJournal:
    def test_provenance_lists_every_permission_statement(self, discord, tmp_path):
        talk(discord)
        for statement in ("granted", "granted", "granted again"):
            made = attrs.evolve(collector(discord, tmp_path / "j"), permission=statement)
            made.update()
        told = JournalCollector(tmp_path / "j").provenance
        assert told == made.provenance
        assert told["guild"] == discord.guild
        assert [given["statement"] for given in told["permission"]] == ["granted", "granted again"]

    def test_an_interrupted_refresh_is_resumed_not_restarted(self, discord, tmp_path):
        folder = tmp_path / "j"
        (done, _), (left, _) = talk(discord, "done"), talk(discord, "left")
        made = attrs.evolve(collector(discord, folder), recheck=timedelta(0))
        made.update()
        discord.fail(f"/channels/{left.id}/messages", 503, times=7)
        assert [d.reason for d in made.refresh().unread] == ["failed"]
        assert journals.position_of(folder, done.id).refreshed == 1
        before = len(discord.requests)
        made.refresh()
        paths = [r.path for r in discord.requests[before:]]
        assert f"/channels/{left.id}/messages" in paths
        assert f"/channels/{done.id}/messages" not in paths

    def test_the_title_of_an_adopted_thread_is_not_kept(self, discord, tmp_path):
        room, (first, *_) = talk(discord)
        export = {
            "guild": {"id": discord.guild},
            "channel": {
                "id": first.id,
                "type": "GuildPublicThread",
                "categoryId": room.id,
                "name": "a title",
            },
            "messages": [],
            "messageCount": 0,
        }
        (tmp_path / "thread.json").write_text(json.dumps(export))
        JournalCollector(tmp_path / "j").adopt(tmp_path / "thread.json")
        assert journals.states(tmp_path / "j")[first.id].parent == room.id
        assert b"a title" not in words(tmp_path / "j")


class TestForgetting:
    def test_a_message_that_was_forgotten_unread_is_neither_adopted_nor_read(self, discord, tmp_path):
        other, room = discord.add_channel("other"), discord.add_channel("room")
        discord.post(other, "ann", "elsewhere")
        word = discord.post(room, "ann", "the word")
        folder = tmp_path / "j"
        collector(discord, folder, exclude=["room"]).update()
        forget(message=word.id, journal=folder)
        export = {
            "guild": {"id": discord.guild},
            "channel": {"id": room.id, "type": "GuildTextChat", "name": "room"},
            "messages": [
                {
                    "id": word.id,
                    "type": "Default",
                    "timestamp": "2024-01-01T00:00:00+00:00",
                    "content": "the word",
                    "author": {"id": word.author.id, "name": "ann", "isBot": False},
                }
            ],
            "messageCount": 1,
        }
        (tmp_path / "room.json").write_text(json.dumps(export))
        drops = []
        adopted = JournalCollector(folder).adopt(tmp_path / "room.json", on_drop=drops.append)
        assert adopted.messages == 0
        assert [(drop.reason, drop.ids) for drop in drops] == [("forgotten", (word.id,))]
        collector(discord, folder).update()
        assert b"the word" not in words(folder)
        assert gone(folder) == {word.id: "forgotten"}

    def test_a_forward_of_a_forward_goes_with_the_words_in_one_call(self, discord, tmp_path):
        room = discord.add_channel("room")
        word = discord.post(room, "ann", "the word")
        again = discord.post(room, "bob", forward_of=word)
        discord.post(room, "cyd", forward_of=again)
        collector(discord, tmp_path / "j").update()
        third = journals.lines_of(tmp_path / "j")[room.id][int(room.messages[2].id)]
        assert json.loads(third)["reference"]["messageId"] == again.id
        assert forget(author=word.author.id, journal=tmp_path / "j").messages == 3
        assert said(tmp_path / "j") == {}

    def test_a_copy_of_a_message_that_was_forgotten_unread_is_withheld(self, discord, tmp_path):
        other, room = discord.add_channel("other"), discord.add_channel("room")
        word = discord.post(other, "ann", "the word")
        folder = tmp_path / "j"
        discord.post(room, "bob", "hello")
        collector(discord, folder, exclude=["other"]).update()
        forget(message=word.id, journal=folder)
        discord.post(room, "bob", forward_of=word)
        assert collector(discord, folder, exclude=["other"]).update().withheld == 1
        assert b"the word" not in words(folder)

    def test_forgetting_removes_what_an_interrupted_run_replaced(self, discord, tmp_path):
        room, (word, *_) = talk(discord)
        other, (named, *_) = talk(discord, "other")
        folder = tmp_path / "j"
        collector(discord, folder).update()
        journals.replace(folder, room.id, [journals.tombstone(word.id)])
        forget(message=named.id, journal=folder)
        assert b"talk 0" not in words(folder)
        assert other.id in journals.lines_of(folder)
