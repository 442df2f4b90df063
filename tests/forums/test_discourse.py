"""Topics are read from Discourse into a journal: all of them, only what changed, and in spite of every fault."""

from __future__ import annotations

import json
import logging
import os
import tempfile
from datetime import timedelta

import pytest
from forum_help import QUICK, drops_of, kill_at_request, pairs_of, stored
from hypothesis import given, settings
from hypothesis import strategies as st

import furytune as ft
from furytune._forums.discourse import reader
from furytune.errors import ConfigError, ForumError, SourceError
from furytune.pairing import discourse_text
from furytune.records import QAPair
from furytune.testing.conformance import check_collector
from furytune.testing.fake_discourse import FakeDiscourse

KEY = "0123456789abcdef-rehearsal"


@pytest.fixture
def forum():
    with FakeDiscourse(key=KEY) as fake:
        fake.account("maint", moderator=True, group="core")
        yield fake


@pytest.fixture
def make(forum, tmp_path):
    def made(**options) -> ft.DiscourseCollector:
        settings = {
            "permission": "A test",
            "journal": tmp_path / "journal",
            "patience": QUICK,
            "recheck": timedelta(0),
        }
        return ft.DiscourseCollector(forum.url, **(settings | options))

    return made


def answered(forum, number, *, by="maint", **options):
    asked = forum.ask(
        f"user{number}", f"How do I draw shape {number}?", f"I want to draw shape {number}.", **options
    )
    forum.reply(asked, by, f"Call `shape({number})`.", accepted=True)
    return asked


@pytest.mark.parametrize("several", [False, True])
def test_the_accepted_answer_is_certain(forum, make, several) -> None:
    forum.service.several = forum.service.tag_objects = several
    asked = forum.ask("ann", "How do I make it red?", "A sphere, not a cube.", tags=["colors"])
    forum.reply(asked, "bob", "Have you read the manual?")
    said = forum.reply(asked, "maint", "Set `color=(1, 0, 0)`.", accepted=True)
    forum.reply(said, "ann", "Thanks!")
    forum.reply(asked, "system", "This topic was closed.", kind=3)

    collector = make()
    (pair,) = [item for item in collector.collect() if isinstance(item, QAPair)]

    assert pair.question == "How do I make it red?\n\nA sphere, not a cube."
    assert pair.answer == "Set `color=(1, 0, 0)`."
    assert (pair.confidence, pair.solved, pair.method) == (1.0, True, "thread")
    assert pair.evidence == ("thread", "solution_mark")
    assert pair.answerer_roles == ("staff", "moderators", "core")
    assert pair.source.channel_name == "Support"
    assert pair.asked_at is not None
    assert pair.answered_at is not None
    assert pair.asked_at < pair.answered_at
    assert drops_of(collector) == {
        "not_answerable": 1,
        "before_answer": 1,
        "after_answer": 1,
        "system": 1,
    }
    assert collector.provenance["platform"] == "discourse"
    check_collector(lambda: collector, read={"message": 5})


def test_likes_replies_and_edits_are_in_the_messages(forum, make) -> None:
    asked = forum.ask("ann", "How do I draw?", "Please tell me.")
    said = forum.reply(asked, "bob", "Call `draw()`.")
    said.likes = 3
    thanks = forum.reply(said, "ann", "Thanks, that worked!")
    forum.edit(thanks, "Thanks, that worked well!")
    collector = make()
    collector.update()
    _, second, third = collector.messages()
    assert second.reactions == (("upvote", 3),)
    assert third.reply_to == second.id
    assert third.type == "Reply"
    assert third.edited_at is not None
    assert second.edited_at is None
    assert "The real" not in stored(collector)  # no one needs what people are called
    assert collector.update().changed == 0


def test_what_no_one_may_read_is_not_stored_and_counted(forum, make) -> None:
    asked = forum.ask(None, "How do I draw?", "Please tell me how.")
    forum.reply(asked, "spammer", "Buy this.").hidden = True
    forum.reply(asked, "bob", "Something that I take back.").withdrawn = True
    forum.reply(asked, "maint", "Between us: no.", kind=4)
    forum.delete(forum.reply(asked, "bob", "Deleted by the staff."))
    forum.reply(asked, forum.account("helper", number=-2), "Hi! I can help.")
    forum.reply(asked, None, "Call `draw()`.", accepted=True)
    collector = make(key=ft.Secret(KEY))  # an administrator's
    collector.update()
    (pair,) = pairs_of(collector)
    assert pair.asker != pair.answerer  # two accounts that are gone are not one person
    assert "self_answer" not in pair.evidence
    assert drops_of(collector) == {"not_answerable": 1, "hidden": 2, "deleted": 1, "bot": 1}
    for words in ("Buy this", "take back", "Between us", "by the staff"):
        assert words not in stored(collector)


def test_private_categories_are_read_only_if_they_are_named(forum, make) -> None:
    forum.add_category("Staff only", private=True)
    answered(forum, 1, category="Staff only")
    answered(forum, 2)
    update = make(key=ft.Secret(KEY)).update()
    assert update.new == 1
    assert {(drop.where, drop.reason) for drop in update.left_out} == {
        ("General", "not_answerable"),
        ("Staff only", "private_channel"),
    }
    assert make(key=ft.Secret(KEY), channels=["Staff only"]).update().new == 1
    with pytest.raises(ConfigError, match="no category is named 'Suport'; there are 'General', 'Support'"):
        make(channels=["Suport"]).update()


@pytest.mark.parametrize("lazy", [False, True])
def test_categories_of_a_forum_without_solved_count_all_and_pages_of_them_too(forum, make, lazy) -> None:
    forum.service.lazy = lazy
    for category in forum.categories:
        category.solved = False
    for number in range(25):
        forum.add_category(f"Part {number}", solved=False)
    forum.add_category("Inner", solved=False, inside="Part 3")
    asked = forum.ask("ann", "How do I draw?", "How do I draw a sphere, please?", category="Inner")
    forum.reply(asked, "maint", "Call `sphere()`, it draws one.")
    update = make().update()
    assert (update.new, update.categories) == (1, 28)


def test_only_topics_with_a_tag(forum, make) -> None:
    forum.service.tag_objects = True
    kept = answered(forum, 1, tags=["vtk", "colors"])
    answered(forum, 2, tags=["news"])
    assert make(tags=["#VTK"]).update().new == 1
    kept.tags = ("news",)
    assert make(tags=["vtk"]).refresh().deleted == 1


def test_the_next_run_reads_only_what_changed(forum, make) -> None:
    topics = [answered(forum, number) for number in range(50)]
    first = make().update()
    assert (first.new, first.posts) == (50, 100)
    assert first.requests == 1 + 2 + 50  # the categories, two pages, each topic

    idle = make().update()
    assert (idle.new, idle.changed, idle.deleted) == (0, 0, 0)
    assert idle.requests <= 3

    forum.reply(topics[7], "bob", "Also try `shapes()`.")
    forum.edit(topics[3].posts[-1], "Call `form(3)`.")
    forum.delete(topics[9])
    answered(forum, 50)
    later = make().update()
    assert (later.new, later.changed, later.deleted) == (1, 2, 1)

    collector = make()
    texts = {pair.question: pair.answer for pair in pairs_of(collector)}
    assert len(texts) == 50
    assert "Call `form(3)`." in texts.values()
    assert not any("shape 9?" in question for question in texts)
    # Nothing of what was replaced or deleted is left in the file.
    assert "shape(3)" not in stored(collector)
    assert "shape 9?" not in stored(collector)


def test_an_answer_that_is_accepted_later_arrives_by_recheck_and_by_refresh(forum, make) -> None:
    old, recent = (forum.ask("ann", f"Question {n}?", "Text.") for n in (1, 2))
    said_old = forum.reply(old, "bob", "An old answer.")
    forum.now += timedelta(days=30)
    said_recent = forum.reply(recent, "bob", "A recent answer.")
    make().update()
    forum.accept(said_old)
    forum.accept(said_recent)
    assert make(recheck=timedelta(days=7)).update().changed == 1
    assert make().refresh().changed == 1
    assert {p.answer for p in pairs_of(make()) if p.solved} == {"An old answer.", "A recent answer."}


def test_a_topic_that_loses_its_newest_post_or_its_place_is_read_again(forum, make) -> None:
    quiet = answered(forum, 1)
    forum.now += timedelta(days=1)
    for number in range(2, 40):
        answered(forum, number)
    late = forum.reply(quiet, "bob", "A late word.")
    make().update()
    forum.delete(late)  # the topic is now at the end of the list, on the second page
    answered(forum, 40)
    assert make(recheck=timedelta(hours=1)).update().changed == 1
    assert "A late word" not in stored(make())


def test_a_moved_topic_leaves_its_category(forum, make) -> None:
    moved = answered(forum, 1)
    answered(forum, 2)
    make().update()
    forum.move(moved, "General")
    make().update()
    assert [pair.question[:23] for pair in pairs_of(make())] == ["How do I draw shape 2?\n"]


def test_long_topics_are_read_in_parts(forum, make, monkeypatch) -> None:
    asked = forum.ask("ann", "How do I draw?", "Tell me.")
    said = [forum.reply(asked, f"u{n}", f"Reply number {n}.") for n in range(130)]
    forum.accept(said[120])
    assert make().update().posts == 131
    (pair,) = pairs_of(make())
    assert pair.answer == "Reply number 120."

    monkeypatch.setattr(reader, "MOST_POSTS", 60)
    make().refresh()
    assert drops_of(make())["after_window"] == 71
    forum.service.mega = 100
    make().refresh()
    assert drops_of(make())["after_window"] == 111


def test_limits_are_waited_for(forum, make, slept) -> None:
    answered(forum, 1)
    forum.limit(wait=17)
    assert make().update().new == 1
    assert slept[0] == 17.0
    assert all(span <= 1.0 for span in slept[1:])  # slower from then on
    slept.clear()
    forum.limit(wait=None, times=2)
    make().update()
    assert [span for span in slept if span > 1.0] == [30.0, 60.0]


def test_the_body_may_say_how_long_to_wait(forum, make, slept) -> None:
    answered(forum, 1)
    forum.service.left = 0

    def allow() -> None:
        forum.service.left = None

    forum.service.before[2] = allow
    assert make().update().new == 1
    assert slept[0] == 23.0


def test_too_long_a_wait_ends_the_run_and_says_so(forum, make, slept) -> None:
    forum.limit(wait=90_000)
    with pytest.raises(ForumError, match=r"asks to wait 90,000 seconds"):
        make().update()
    assert slept == []


@pytest.mark.parametrize(
    "fault",
    [{"status": 502}, {"mode": "hang up"}, {"mode": "lose the answer"}, {"status": 200, "body": ["a list"]}],
)
def test_a_passing_fault_changes_nothing(forum, make, fault) -> None:
    for number in range(3):
        answered(forum, number)
    forum.fail(times=2, **fault)
    assert make().update().new == 3


def test_an_outage_ends_the_run_and_the_next_one_resumes(forum, make) -> None:
    for number in range(25):
        answered(forum, number)
    forum.fail(status=503, times=100, skip=2 + 15)
    with pytest.raises(ForumError, match=r"after 7 tries; what was read so far is saved"):
        make().update()
    forum.faults.clear()
    assert make().update().new == 15
    assert len(pairs_of(make())) == 25


def test_a_topic_that_is_deleted_between_list_and_reading_is_skipped(forum, make) -> None:
    first, _ = answered(forum, 1), answered(forum, 2)
    forum.service.before[3] = lambda: forum.delete(first)
    assert make().update().new == 1


def test_a_key_that_is_revoked_or_a_page_of_a_proxy_empties_no_journal(forum, make) -> None:
    forum.service.login_required = True
    for number in range(3):
        answered(forum, number)
    collector = make(key=ft.Secret(KEY))
    collector.update()

    def revoke() -> None:
        forum.service.key = "another"

    forum.service.before[7] = revoke  # after the list of the next run
    with pytest.raises(ForumError, match=r"refused \(403\); it may not be read with this key"):
        collector.refresh()
    forum.service.key = KEY
    forum.fail(on="/t/", status=404, body={"message": "no such route"})
    with pytest.raises(ForumError, match=r"refused \(404\)"):
        collector.refresh()
    assert len(pairs_of(collector)) == 3


def test_a_redirect_is_not_followed(forum, make) -> None:
    forum.fail(status=301, headers={"location": "http://127.0.0.1:9/site.json"})
    with pytest.raises(ForumError, match="it sent a redirect"):
        make(key=ft.Secret(KEY)).update()


def test_a_damaged_post_is_counted_and_its_neighbours_stay(forum, make) -> None:
    asked = answered(forum, 1)
    forum.reply(asked, "bob", "Fine.").likes = "many"
    forum.reply(asked, "bob", "Also fine.")
    make().update()
    assert len(pairs_of(make())) == 1
    assert drops_of(make()) == {"not_answerable": 1, "invalid_message": 1, "after_answer": 1}
    asked.posts[0].number = "x"
    with pytest.raises(ForumError, match=f"reading topic {asked.number}: the answer has another form"):
        make().refresh()


def test_a_forum_that_gives_no_markdown_is_refused(forum, make) -> None:
    answered(forum, 1)
    forum.service.plain = False
    with pytest.raises(ForumError, match="without their Markdown to this reader; give a key="):
        make().update()


def test_a_list_that_never_ends_is_refused(forum, make) -> None:
    answered(forum, 1)
    forum.service.endless = True
    with pytest.raises(ForumError, match="gave pages without an end"):
        make().update()


def test_pages_of_unlisted_topics_are_passed(forum, make) -> None:
    answered(forum, 1)
    for number in range(2, 100):
        answered(forum, number).visible = False
    assert make(key=ft.Secret(KEY)).update().new == 1


def test_people_who_do_not_take_part_are_not_stored(forum, make) -> None:
    asked = forum.ask("ann", "How do I draw?", "Tell me, I am Ann the secret person.")
    quote = f'[quote="ann, post:1, topic:{asked.number}"]\nI am Ann the secret person.\n[/quote]'
    forum.reply(asked, "maint", f"{quote}\n\nCall `draw()`.", accepted=True)
    answered(forum, 2)
    assert make(consent=ft.Consent(opt_out=["@Ann"])).update().withheld == 1
    assert "secret person" not in stored(make())
    assert "How do I draw?" not in stored(make())  # the title is theirs, too
    assert drops_of(make())["opted_out"] == 1

    # Someone opts out later, and by number.
    number = forum.account("user2").number
    later = make(consent=ft.Consent(opt_out=["@ann", str(number)])).update()
    assert later.removed == 1
    assert "shape 2." not in stored(make())


def test_a_wiki_counts_as_written_by_anyone(forum, make) -> None:
    asked = forum.ask("ann", "How do I draw?", "Tell me.")
    forum.reply(asked, "maint", "Call `draw()`.", accepted=True).wiki = True
    make().update()
    assert len(pairs_of(make())) == 1
    make(consent=ft.Consent(opt_in=["@ann", "@maint"])).update()
    assert pairs_of(make()) == []
    assert drops_of(make())["not_opted_in"] == 1


def test_forgotten_people_never_come_back(forum, make, tmp_path) -> None:
    asked = forum.ask("ann", "How do I draw?", "Tell me.")
    quote = '[quote="Ann Smith, post:1, topic:3, username:ann"]\nTell me.\n[/quote]'
    forum.reply(asked, "bob", f"{quote}\n@ann call `draw()`, as {forum.url}/u/ann does.", accepted=True)
    collector = make()
    pipeline = ft.Pipeline(
        collector=collector,
        exporter=ft.JsonlExporter(tmp_path / "train.jsonl"),
        splitter=ft.GroupSplitter(validation=0),
    )
    assert pipeline.run().datasets[0].rows == 1

    done = ft.forget(
        author="Ann", journal=collector.journal.source, datasets=[tmp_path / "train.jsonl.manifest.json"]
    )
    assert [(place.kind, place.removed) for place in done.places] == [("journal", 1), ("data set", 1)]
    assert ft.load_dataset(tmp_path / "train.jsonl.manifest.json").rows == 0

    forum.account("ann").username = "re.named"  # the number stays
    forum.edit(asked.opening, "Tell me more.")
    collector.refresh()
    text = stored(collector)
    assert "Tell me" not in text
    assert "Smith" not in text
    assert "@ghost call `draw()`, as" in text
    assert "/u/ghost does" in text
    assert drops_of(collector)["forgotten"] == 1


def test_the_bot_gets_the_bytes_of_the_training_row(forum, make, tmp_path) -> None:
    body = (
        'Hi @maint and @ann,\r\n[quote="bob, post:7, topic:2"]\r\nUse `@cache`.\r\n[/quote]\r\n'
        "<!-- version? -->\r\nwhy does `@cache` fail? ![x|690x388](upload://b.png)\r\n[code]\r\n[b]x[/b]\r\n[/code]"
    )
    asked = forum.ask("ann", "Why does it fail?", body)
    forum.reply(asked, "maint", "@ann, `@cache` needs Python 3.9.", accepted=True)
    run = ft.Pipeline(
        collector=make(),
        exporter=ft.JsonlExporter(tmp_path / "train.jsonl"),
        splitter=ft.GroupSplitter(validation=0),  # the address of the forum is another one each time
    ).run()
    row = json.loads((tmp_path / "train.jsonl").read_text(encoding="utf-8"))
    request = run.contract.request(discourse_text(asked.opening.raw, asked.title))
    assert row["contents"][0] == request["contents"][0]
    text = row["contents"][0]["parts"][0]["text"]
    assert "Hi @user1 and @user2,\n> Use `@cache`.\nwhy does `@cache` fail?" in text
    assert "```\n[b]x[/b]\n```" in text
    assert row["contents"][1]["parts"][0]["text"].startswith("@user2, `@cache` needs")


def test_the_key_is_never_shown_and_goes_nowhere_else(forum, make, caplog, slept) -> None:
    caplog.set_level(logging.DEBUG)
    answered(forum, 1)
    wrong = make(key=ft.Secret("wrong-" + KEY))
    with pytest.raises(ForumError, match=r"may not be read with this key") as failed:
        wrong.update()
    forum.limit(wait=3)
    collector = make(key=ft.Secret(KEY), user="maint")
    collector.update()
    shown = [repr(collector), repr(wrong), str(failed.value), caplog.text]
    shown += [p.read_text(encoding="utf-8") for p in collector.journal.source.iterdir()]
    assert not any(KEY in text for text in shown)
    assert {r.headers["api-key"] for r in forum.requests[1:]} == {KEY}
    assert {r.headers["api-username"] for r in forum.requests[1:]} == {"maint"}
    assert {r.method for r in forum.requests} == {"GET"}
    with pytest.raises(ConfigError, match="must be a Secret") as refused:
        make(key=KEY)
    assert KEY not in str(refused.value)
    for site in ("http://discuss.example.org", "discuss.example.org", "https://a:b@example.org", ""):
        with pytest.raises(ConfigError, match="^site must"):
            ft.DiscourseCollector(site, permission="x")


def test_each_forum_has_a_journal_and_ids_of_its_own(forum, make, tmp_path) -> None:
    answered(forum, 1)
    make().update()
    with FakeDiscourse() as second:
        answered(second, 1)
        with pytest.raises(SourceError, match=f"belongs to {forum.url}, not {second.url}"):
            ft.DiscourseCollector(second.url, permission="x", journal=tmp_path / "journal").update()
        other = ft.DiscourseCollector(second.url, permission="x", journal=tmp_path / "other")
        other.update()
        ids = [{message.id for message in one.messages()} for one in (make(), other)]
        assert ids[0].isdisjoint(ids[1])


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "reply", "edit", "hide", "drop", "delete", "move", "accept", "run"]),
        st.integers(0, 30),
    ),
    max_size=14,
)


def step(forum, word, number) -> None:
    topics = [t for t in forum.topics.values() if not t.pinned]
    if word == "ask" or not topics:
        answered(forum, number, category=("Support", "General")[number % 2])
        return
    topic = topics[number % len(topics)]
    last = [post for post in topic.posts if not post.deleted][-1]
    {
        "reply": lambda: forum.reply(topic, "bob", f"Reply {number}."),
        "edit": lambda: forum.edit(topic.posts[number % len(topic.posts)], f"Edit {number}."),
        "hide": lambda: setattr(last, "hidden", True),
        "drop": lambda: forum.delete(last) if last is not topic.opening else None,
        "delete": lambda: forum.delete(topic),
        "move": lambda: forum.move(topic, ("Support", "General")[number % 2]),
        "accept": lambda: forum.accept(last),
    }[word]()


@settings(max_examples=15)
@given(STEPS)
def test_many_runs_find_what_one_run_finds(steps) -> None:
    with FakeDiscourse() as forum, tempfile.TemporaryDirectory() as folder:

        def run(name: str) -> list[tuple[str, str]]:
            collector = ft.DiscourseCollector(
                forum.url, permission="A test", journal=f"{folder}/{name}", patience=QUICK
            )
            collector.update()
            wanted = {"Support"}
            return sorted(
                (m.id, m.content)
                for m in collector.messages()
                if m.source is not None and m.source.channel_name in wanted
            )

        for word, number in [("ask", 0), ("ask", 2), *steps]:
            if word == "run":
                run("often")
            else:
                step(forum, word, number)
        assert run("often") == run("once")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_run_that_is_killed_anywhere_resumes_to_the_same_journal(forum, make, tmp_path) -> None:
    for number in range(25):
        answered(forum, number)
    whole = make(journal=tmp_path / "whole")
    whole.update()
    for at in (2, 13, 24):  # after the list, and between the groups that are committed
        path = tmp_path / f"killed{at}"
        kill_at_request(forum, at, make(journal=path).update)
        resumed = make(journal=path)
        resumed.update()
        assert stored(resumed).count('"title"') == 25
        assert [p.question for p in pairs_of(resumed)] == [p.question for p in pairs_of(whole)]
