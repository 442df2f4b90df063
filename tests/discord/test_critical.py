"""What a journal must not lose, keep in memory or reveal, at the edges of a collection."""

from __future__ import annotations

import importlib.util
import json
import tracemalloc

import journals
import msgspec
import pytest
from crawl_help import collector, gone, said, talk, words
from hypothesis import given
from hypothesis import strategies as st

import furytune as ft
from furytune import Consent, JournalCollector
from furytune._discord.crawl.member_roles import Roster
from furytune._discord.journal.withheld import Withheld
from furytune.errors import SourceFormatError

FIRST = 10**18


def withheld_journal(folder, number):
    """A journal of one channel in which no one takes part."""
    journals.begin(folder)
    for start in range(FIRST, FIRST + number, 100):
        lines = [journals.tombstone(str(uid), "not_opted_in") for uid in range(start, start + 100)]
        journals.append(folder, "9", lines, read=str(start + 99))


def most_memory(work):
    tracemalloc.start()
    try:
        found = work()
        return found, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


class TestMemory:
    NUMBER = 30_000

    def test_a_drop_of_many_messages_is_their_number_and_a_few_ids(self, tmp_path):
        withheld_journal(tmp_path / "j", self.NUMBER)
        drops = []
        _, most = most_memory(lambda: list(JournalCollector(tmp_path / "j").messages(on_drop=drops.append)))
        (drop,) = drops
        assert (drop.reason, drop.count) == ("not_opted_in", self.NUMBER)
        assert drop.ids == tuple(str(FIRST + i) for i in range(20))
        assert most < 80 * self.NUMBER  # with an object for each it was four times as much

    def test_of_each_withheld_message_a_number_is_held(self, tmp_path):
        withheld_journal(tmp_path / "j", self.NUMBER)
        journal = JournalCollector(tmp_path / "j").journal
        found, most = most_memory(lambda: journal.withheld({"not_opted_in"}))
        assert found.get(str(FIRST + 7), "") == "not_opted_in"
        assert found.get(str(FIRST + self.NUMBER), "") == ""
        assert most < 80 * self.NUMBER

    @given(st.dictionaries(st.integers(0, 300).map(str), st.sampled_from(["opted_out", "forgotten"])))
    def test_withheld_messages_are_found_as_in_a_dictionary(self, drawn):
        withheld = Withheld(drawn.items())
        for uid in range(301):
            assert withheld.get(str(uid), "") == drawn.get(str(uid), "")

    @given(
        st.lists(
            st.tuples(st.integers(1, 60).map(str), st.sets(st.sampled_from("abc")).map(tuple)),
            unique_by=lambda m: m[0],
        )
    )
    def test_a_roster_behaves_like_a_dictionary_in_any_order(self, members):
        roster, oracle = Roster(), dict(members)
        roster.extend(members)
        assert len(roster) == len(oracle)
        for uid in map(str, range(62)):
            assert (uid in roster, roster.get(uid)) == (uid in oracle, oracle.get(uid, ()))

    def test_members_take_little_memory(self):
        number = 20_000

        def fill():
            roster = Roster()
            roster.extend((str(FIRST + i), (str(i % 3), "2")) for i in range(number))
            return roster

        roster, most = most_memory(fill)
        assert roster.get(str(FIRST + 5)) == ("2", "2")
        assert most < 40 * number

    def test_forwards_of_forwards_of_what_is_withheld_go_too(self, discord, tmp_path):
        ann = discord.add_member("ann")
        room = discord.add_channel("help")
        word = discord.post(room, ann, "the word")
        first = discord.post(room, "bob", forward_of=word)
        second = discord.post(room, "cleo", forward_of=first)
        collector(discord, tmp_path / "j", consent=Consent(opt_out=ann.id)).update()
        assert (
            dict.fromkeys((word.id, first.id, second.id), "opted_out").items() <= gone(tmp_path / "j").items()
        )
        assert b"the word" not in words(tmp_path / "j")


class TestForms:
    def change(self, folder, name="journal.json", **fields):
        path = folder / name
        found = json.loads(path.read_bytes())
        found |= fields
        path.write_text(json.dumps({k: v for k, v in found.items() if v is not None}))
        return path

    def test_a_journal_of_another_form_is_not_forgotten_in(self, discord, tmp_path):
        _, posted = talk(discord)
        collector(discord, tmp_path / "j").update()
        self.change(tmp_path / "j", format="furytune-journal/2")
        before = words(tmp_path / "j")
        with pytest.raises(SourceFormatError, match="furytune-journal/2"):
            ft.forget(author=posted[0].author.id, journal=tmp_path / "j")
        assert words(tmp_path / "j") == before

    def test_a_head_without_a_form_is_refused(self, discord, tmp_path):
        talk(discord)
        collector(discord, tmp_path / "j").update()
        self.change(tmp_path / "j", format=None)
        with pytest.raises(SourceFormatError, match="the journal has no format"):
            list(JournalCollector(tmp_path / "j").collect())

    @pytest.mark.parametrize("name", ["journal.json", "people.json"])
    def test_fields_of_a_newer_version_are_not_lost(self, discord, tmp_path, name):
        talk(discord)
        collector(discord, tmp_path / "j").update()
        path = self.change(tmp_path / "j", name, retention="30 days")
        before = path.read_bytes()
        with pytest.raises(SourceFormatError, match="more than this version knows") as caught:
            collector(discord, tmp_path / "j").update()
        assert "newer" in str(caught.value)
        assert path.read_bytes() == before


class TestMentions:
    def test_forgotten_people_are_not_mentioned_then_or_later(self, discord, tmp_path):
        ann = discord.add_member("ann")
        room = discord.add_channel("help")
        discord.post(room, ann, "hello")
        thanks = discord.post(room, "bob", f"thanks <@{ann.id}> and <@!{ann.id}>, not <@123456789012345678>")
        collector(discord, tmp_path / "j").update()
        assert ft.forget(author=ann.id, journal=tmp_path / "j").places[0].removed == 1
        masked = "thanks <@0> and <@0>, not <@123456789012345678>"
        assert said(tmp_path / "j") == {thanks.id: masked}
        later = discord.post(room, "cleo", f"where is <@{ann.id}>?")
        done = collector(discord, tmp_path / "j").refresh()
        assert (done.new, done.changed) == (1, 0)
        assert said(tmp_path / "j") == {thanks.id: masked, later.id: "where is <@0>?"}
        assert ann.id.encode() not in words(tmp_path / "j")


@pytest.mark.skipif(
    importlib.util.find_spec("orjson") is not None, reason="with orjson, discord.py refuses the whole page"
)
def test_a_text_with_half_a_character_is_counted_as_what_it_is(discord, tmp_path):
    room, _ = talk(discord, number=2)
    broken = discord.post(room, "ann", "half of it")
    broken.extra = {"content": msgspec.Raw(b'"half \\ud800 of it"')}
    done = collector(discord, tmp_path / "j").update()
    assert (done.new, done.withheld, done.unwritable) == (2, 0, 1)
    assert "1  not collected" in str(done)


class TestArchives:
    def test_more_threads_at_one_moment_than_a_page_are_reported(self, discord, tmp_path):
        forum = discord.add_channel("questions", "forum")
        posts = [discord.add_thread(forum, f"post {i}", content=f"how {i}?") for i in range(130)]
        for post in posts:
            discord.archive(post)
        for post in posts[:110]:
            post.archived_at = posts[0].archived_at
        for _ in range(2):
            done = collector(discord, tmp_path / "j").update()
            (drop,) = done.unread
            assert (drop.reason, drop.where) == ("archived_threads", f"#questions ({forum.id})")
        assert len(said(tmp_path / "j")) == 120
        for i, post in enumerate(posts):
            post.archived_at += i
        done = collector(discord, tmp_path / "j").update()
        assert (done.new, done.unread) == (10, ())

    def test_threads_of_one_moment_that_fit_a_page_are_all_read(self, discord, tmp_path):
        forum = discord.add_channel("questions", "forum")
        posts = [discord.add_thread(forum, f"post {i}", content=f"how {i}?") for i in range(130)]
        for post in posts:
            discord.archive(post)
        for post in posts[50:110]:
            post.archived_at = posts[80].archived_at
        done = collector(discord, tmp_path / "j").update()
        assert (done.new, done.unread) == (130, ())


class TestComponents:
    def test_the_texts_of_a_message_without_content_are_its_content(self, discord, tmp_path):
        room = discord.add_channel("help")
        helper = discord.add_member("helper", bot=True)
        answer = discord.post(room, helper, "")
        answer.extra = {
            "flags": 1 << 15,
            "components": [
                {"type": 10, "content": "So:"},
                {
                    "type": 17,
                    "components": [
                        {
                            "type": 9,
                            "components": [{"type": 10, "content": "first"}],
                            "accessory": {"type": 11},
                        },
                        {"type": 14},
                        {"type": 10, "content": "then"},
                    ],
                },
                {"type": 1, "components": [{"type": 2, "label": "a button"}]},
            ],
        }
        collector(discord, tmp_path / "j").update()
        assert said(tmp_path / "j") == {answer.id: "So:\nfirst\nthen"}
