"""Discussions are read from GitHub into a journal: all of them, only what changed, and in spite of every fault."""

from __future__ import annotations

import json
import logging
import os
import time
from datetime import timedelta

import pytest
from forum_help import QUICK, drops_of, kill_at_request, pairs_of, stored

import furytune as ft
from furytune._forums.github import client, reader
from furytune._forums.github.queries import CATEGORIES, COMMENTS, FILE, LISTING, REPLIES
from furytune.errors import ConfigError, ForumError, SourceError, SourceFormatError
from furytune.records import Dropped, QAPair
from furytune.testing.fake_github import FakeGitHub

TOKEN = "github_pat_rehearsal0000"


@pytest.fixture
def github():
    with FakeGitHub(token=TOKEN) as fake:
        fake.account("maint", association="MEMBER")
        yield fake


@pytest.fixture
def make(github, tmp_path):
    def made(**options) -> ft.GitHubDiscussionsCollector:
        settings = {
            "token": ft.Secret(TOKEN),
            "permission": "A test",
            "journal": tmp_path / "journal",
            "endpoint": github.endpoint,
            "patience": QUICK,
            "recheck": timedelta(0),
        }
        return ft.GitHubDiscussionsCollector(github.repository, **(settings | options))

    return made


def answered(github, number, *, by="maint"):
    asked = github.ask(f"user{number}", f"How do I draw shape {number}?", f"I want to draw shape {number}.")
    github.comment(asked, by, f"Call `shape({number})`.", accepted=True)
    return asked


def test_the_accepted_answer_is_certain(github, make) -> None:
    asked = github.ask("ann", "How do I make it red?", "A sphere, not a cube.")
    github.comment(asked, "bob", "Have you read the manual?")
    said = github.comment(asked, "maint", "Set `color=(1, 0, 0)`.", accepted=True)
    github.comment(said, "ann", "Thanks!")

    collector = make()
    (pair,) = [item for item in collector.collect() if isinstance(item, QAPair)]

    assert pair.question == "How do I make it red?\n\nA sphere, not a cube."
    assert pair.answer == "Set `color=(1, 0, 0)`."
    assert (pair.confidence, pair.solved, pair.method) == (1.0, True, "thread")
    assert pair.evidence == ("thread", "solution_mark")
    assert pair.answerer_roles == ("MEMBER",)
    assert pair.source.channel_name == "Q&A"
    assert pair.asked_at is not None
    assert pair.answered_at is not None
    assert pair.asked_at < pair.answered_at
    assert drops_of(collector) == {"not_answerable": 4, "before_answer": 1, "after_answer": 1}


def test_without_an_accepted_answer_the_pairer_chooses(github, make) -> None:
    asked = github.ask("bob", "Why does the install fail?", "pip install fails with an error, what can I do?")
    said = github.comment(asked, "maint", "Upgrade pip first with `pip install -U pip`, then it works.")
    github.comment(said, "bob", "Thanks, that worked!")
    collector = make()
    collector.update()
    (pair,) = pairs_of(collector)
    assert pair.answer.startswith("Upgrade pip")
    assert 0 < pair.confidence < 1
    assert not pair.solved


def test_no_other_comment_takes_the_place_of_an_accepted_answer_that_cannot_be_used(github, make) -> None:
    asked = github.ask("ann", "How do I draw?", "Please tell me how to draw it.")
    github.comment(asked, "bob", "Call `draw()` and it works.")
    github.comment(asked, github.account("helper", kind="Bot"), "Call `draw`.", accepted=True)
    collector = make()
    collector.update()
    assert pairs_of(collector) == []
    assert drops_of(collector) == {"not_answerable": 4, "bot": 1, "no_answer": 2}


def test_hidden_and_deleted_comments_and_deleted_accounts(github, make) -> None:
    asked = github.ask(None, "How do I draw?", "Please tell me how.")
    spam = github.comment(asked, "spammer", "Buy this.")
    spam.hidden = "spam"
    gone = github.comment(asked, "bob", "Something that I take back.")
    github.comment(gone, "ann", "Why?")
    github.delete(gone)
    github.comment(asked, None, "Call `draw()`.", accepted=True)
    collector = make()
    collector.update()
    (pair,) = pairs_of(collector)
    assert pair.asker != pair.answerer  # two accounts that are gone are not one person
    assert "self_answer" not in pair.evidence
    assert drops_of(collector) == {"not_answerable": 4, "hidden": 1, "deleted": 1, "before_answer": 1}


def test_a_category_without_answers_is_read_if_it_is_named(github, make) -> None:
    asked = github.ask("ann", "How do I draw?", "How do I draw a sphere, please?", category="General")
    github.comment(asked, "maint", "Call `sphere()`, it draws one.")
    update = make(channels=["general"]).update()
    assert (update.new, update.categories) == (1, 1)
    assert {drop.reason for drop in update.left_out} == {"not_included"}
    with pytest.raises(ConfigError, match="no category is named 'Genral'; there are 'Announcements'"):
        make(channels=["Genral"]).update()


def test_the_next_run_reads_only_what_changed(github, make) -> None:
    discussions = [answered(github, number) for number in range(50)]
    first = make().update()
    assert (first.new, first.posts) == (50, 100)
    assert first.requests == 1 + 1 + 3

    idle = make().update()
    assert (idle.new, idle.changed, idle.deleted) == (0, 0, 0)
    assert idle.requests == 3  # the newest one is as new as the mark, so it is read again

    github.comment(discussions[7], "bob", "Also try `shapes()`.")
    github.edit(discussions[3].comments[0], "Call `form(3)`.")
    github.delete(discussions[9])
    answered(github, 50)
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


def test_an_edit_that_github_does_not_count_arrives_by_recheck_and_by_refresh(github, make) -> None:
    old = answered(github, 1)
    github.now += timedelta(days=30)
    recent = answered(github, 2)
    make().update()
    github.edit(old.comments[0], "Old, but edited.", counted=False)
    github.edit(recent.comments[0], "Recent and edited.", counted=False)
    assert make(recheck=timedelta(days=7)).update().changed == 1
    assert make().refresh().changed == 1
    assert {pair.answer for pair in pairs_of(make())} == {"Old, but edited.", "Recent and edited."}


def test_an_interrupted_refresh_misses_nothing(github, make) -> None:
    discussions = [answered(github, number) for number in range(45)]
    make().update()
    for discussion in discussions:
        github.edit(discussion.comments[0], "Edited, and not counted.", counted=False)
    github.fail(status=503, times=100, skip=3)
    with pytest.raises(ForumError):
        make().refresh()
    github.faults.clear()
    github.edit(discussions[0].comments[0], "Edited once more.")  # it was compared before
    later = make().update()  # goes on with the comparison
    assert later.changed == 45 - 20 + 1
    answers = [pair.answer for pair in pairs_of(make())]
    assert sorted(answers) == sorted(["Edited once more."] + ["Edited, and not counted."] * 44)


def test_a_moved_discussion_leaves_its_category(github, make) -> None:
    moved = answered(github, 1)
    answered(github, 2)
    make().update()
    github.move(moved, "General")
    make().update()
    assert [pair.question[:24] for pair in pairs_of(make())] == ["How do I draw shape 2?\n\n"]


def test_long_discussions_are_read_page_by_page(github, make) -> None:
    asked = github.ask("ann", "How do I draw?", "Tell me.")
    said = [github.comment(asked, f"u{n}", f"Comment number {n}.") for n in range(130)]
    for n in range(25):
        github.comment(said[3], "ann", f"Reply number {n}.")
    github.accept(said[120])
    update = make().update()
    assert update.posts == 1 + 130 + 25
    (pair,) = pairs_of(make())
    assert pair.answer == "Comment number 120."


def test_more_comments_than_are_read_are_counted(github, make, monkeypatch) -> None:
    monkeypatch.setattr(reader, "MOST_POSTS", 60)
    asked = github.ask("ann", "How do I draw?", "Tell me.")
    for n in range(130):
        github.comment(asked, f"u{n}", f"Comment number {n}.")
    make().update()
    left_out = [i for i in make().journal.collect() if isinstance(i, Dropped) and i.reason == "after_window"]
    assert [drop.count for drop in left_out] == [130 - 75]


@pytest.mark.parametrize("status", [200, 403, 429])
def test_a_secondary_limit_is_waited_for(github, make, slept, status) -> None:
    answered(github, 1)
    github.limit(status=status, wait=17)
    assert make().update().new == 1
    assert slept == [17.0]


def test_a_secondary_limit_that_does_not_say_how_long_doubles(github, make, slept) -> None:
    answered(github, 1)
    github.limit(wait=None, times=2)
    assert make().update().new == 1
    assert slept == [60.0, 120.0]


def test_the_primary_limit_ends_when_github_says(github, make, slept) -> None:
    answered(github, 1)
    github.service.points, github.service.reset = 0, time.time() + 900

    def new_hour() -> None:
        github.service.reset = 0.0

    github.service.before[2] = new_hour
    assert make().update().new == 1
    assert len(slept) == 1
    assert 890 < slept[0] < 910


def test_the_last_point_is_not_overdrawn(github, make, slept) -> None:
    answered(github, 1)
    github.service.points, github.service.reset = 1, time.time() + 300

    def new_hour() -> None:
        github.service.reset = 0.0

    github.service.before[2] = new_hour
    make().update()
    assert 290 < slept[0] < 310  # before the second request, not after its refusal
    assert all(request.body for request in github.requests)


def test_too_long_a_wait_ends_the_run_and_says_so(github, make, slept) -> None:
    answered(github, 1)
    github.limit(wait=9_000)
    with pytest.raises(ForumError, match=r"asks to wait 9,000 seconds"):
        make().update()
    assert slept == []


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 502},
        {"status": 503},
        {"mode": "hang up"},
        {"mode": "lose the answer"},
        {"status": 200, "body": ["not an object"]},
    ],
)
def test_a_passing_fault_changes_nothing(github, make, fault) -> None:
    for number in range(3):
        answered(github, number)
    github.fail(times=2, **fault)
    assert make().update().new == 3


def test_a_body_that_is_cut_off_is_asked_for_again(github, make) -> None:
    answered(github, 1)
    github.service.cut = 2
    assert make().update().new == 1


def test_a_query_that_is_too_much_is_made_smaller(github, make) -> None:
    for number in range(30):
        answered(github, number)
    github.service.unbearable = 4
    assert make().update().new == 30


def test_an_outage_ends_the_run_and_the_next_one_resumes(github, make) -> None:
    for number in range(45):
        answered(github, number)
    github.fail(status=503, times=100, skip=3)
    with pytest.raises(ForumError, match=r"after 7 tries; what was read so far is saved"):
        make().update()
    github.faults.clear()
    assert make().update().new == 25
    assert len(pairs_of(make())) == 45


def test_an_invalid_cursor_begins_the_list_again(github, make) -> None:
    for number in range(120):
        github.ask("ann", f"Question {number}?", "Text.")
    github.service.stale = 1
    assert make().update().new == 120


def test_a_discussion_that_is_deleted_between_list_and_reading_is_skipped(github, make) -> None:
    first, _ = answered(github, 1), answered(github, 2)
    github.service.before[3] = lambda: github.delete(first)
    assert make().update().new == 1


def test_a_discussion_that_is_deleted_between_its_pages_is_skipped(github, make) -> None:
    asked = answered(github, 1)
    for n in range(40):
        github.comment(asked, "bob", f"Comment {n}.")
    answered(github, 2)
    github.service.before[4] = lambda: github.delete(asked)
    assert make().update().new == 1


def test_people_who_do_not_take_part_are_not_stored(github, make) -> None:
    asked = github.ask("ann", "How do I draw?", "Tell me, I am Ann the secret person.")
    github.comment(asked, "maint", "Call `draw()`.", accepted=True)
    answered(github, 2)
    first = make(consent=ft.Consent(opt_out=["@Ann"])).update()
    assert first.withheld == 1
    kept = stored(make())
    assert "secret person" not in kept
    assert "How do I draw?" not in kept  # the title is theirs, too
    assert drops_of(make())["opted_out"] == 1

    # Someone opts out later, and by number.
    number = github.account("user2").number
    later = make(consent=ft.Consent(opt_out=["@ann", str(number)])).update()
    assert later.removed == 1
    assert "shape 2." not in stored(make())
    with pytest.raises(ConfigError, match="GitHub has no role 'Helper'"):
        make(consent=ft.Consent(opt_in_roles=["Helper"]))
    with pytest.raises(ConfigError, match="Discord knows people by id"):
        ft.DiscordExportCollector("exports", consent=ft.Consent(opt_out=["@ann"]))


def test_forgotten_people_never_come_back(github, make, tmp_path) -> None:
    asked = github.ask("ann", "How do I draw?", "Tell me.")
    github.comment(asked, "bob", "@ann call `draw()`, as https://github.com/ann does.", accepted=True)
    collector = make()
    pipeline = ft.Pipeline(collector=collector, exporter=ft.JsonlExporter(tmp_path / "train.jsonl"))
    assert pipeline.run().datasets[0].rows == 1

    done = ft.forget(
        author="Ann", journal=collector.journal.source, datasets=[tmp_path / "train.jsonl.manifest.json"]
    )
    assert [(place.kind, place.removed) for place in done.places] == [("journal", 1), ("data set", 1)]
    assert ft.load_dataset(tmp_path / "train.jsonl.manifest.json").rows == 0

    github.account("ann").login = "renamed"  # the number stays
    github.edit(asked, "Tell me more.")
    collector.refresh()
    kept = stored(collector)
    assert "Tell me" not in kept
    assert "ann" not in kept.replace("channel", "")
    assert "@ghost call" in kept
    assert drops_of(collector)["forgotten"] == 1


def test_the_bot_gets_the_bytes_of_the_training_row(github, make, tmp_path) -> None:
    body = "Hi @maint and @ann,\r\n<!-- which version? -->\r\nwhy does `@cache` fail? ![x](https://a/b.png)"
    asked = github.ask("ann", "Why does it fail?", body)
    github.comment(asked, "maint", "@ann, `@cache` needs Python 3.9.", accepted=True)
    run = ft.Pipeline(collector=make(), exporter=ft.JsonlExporter(tmp_path / "train.jsonl")).run()
    row = json.loads((tmp_path / "train.jsonl").read_text(encoding="utf-8"))
    request = run.contract.request(ft_question(asked.title, asked.body))
    assert row["contents"][0] == request["contents"][0]
    text = row["contents"][0]["parts"][0]["text"]
    assert "Hi @user1 and @user2,\nwhy does `@cache` fail?" in text
    assert row["contents"][1]["parts"][0]["text"].startswith("@user2, `@cache` needs")


def ft_question(title, body):
    from furytune.pairing import forum_question

    return forum_question(title, body)


def test_the_token_is_never_shown(github, make, caplog, slept) -> None:
    caplog.set_level(logging.DEBUG)
    answered(github, 1)
    collector = make(token=ft.Secret("wrong-" + TOKEN))
    with pytest.raises(ForumError, match=r"did not accept the token") as failed:
        collector.update()
    github.limit(wait=3)
    make().update()
    shown = [repr(collector), str(failed.value), caplog.text]
    shown += [p.read_text(encoding="utf-8") for p in collector.journal.source.iterdir()]
    assert not any(TOKEN in text for text in shown)
    assert {r.headers["authorization"] for r in github.requests[1:]} == {f"bearer {TOKEN}"}
    with pytest.raises(ConfigError, match="must be a Secret") as wrong:
        make(token=TOKEN)
    assert TOKEN not in str(wrong.value)


def test_what_github_does_not_have(github, make, tmp_path) -> None:
    with pytest.raises(ForumError, match="knows no such repository"):
        ft.GitHubDiscussionsCollector(
            "octo-org/other",
            token=ft.Secret(TOKEN),
            permission="x",
            journal=tmp_path / "o",
            endpoint=github.endpoint,
        ).update()
    with pytest.raises(ConfigError, match='such as "octo-org/octo-repo"'):
        ft.GitHubDiscussionsCollector("octo-repo", token=ft.Secret(TOKEN), permission="x")
    github.enabled = False
    with pytest.raises(ForumError, match="has no discussions"):
        make().update()


def test_each_repository_has_a_journal_of_its_own(github, make, tmp_path) -> None:
    answered(github, 1)
    make().update()
    github.repository = "octo-org/second"
    with pytest.raises(SourceError, match="belongs to octo-org/octo-repo, not octo-org/second"):
        make().update()
    with pytest.raises(SourceFormatError, match="has the format 'furytune-forum/1'"):
        list(ft.JournalCollector(tmp_path / "journal").collect())


def test_only_one_process_writes(github, make) -> None:
    answered(github, 1)
    collector = make()
    with collector.journal.journal.writing(), pytest.raises(SourceError, match="another process is writing"):
        make().update()


def test_the_fake_refuses_what_the_schema_does_not_have(github) -> None:
    connection = client.GitHub(ft.Secret(TOKEN), github.endpoint, QUICK)
    with pytest.raises(ForumError, match="could not answer"):
        connection.ask("query { viewer { shoeSize } }", {}, "asking")
    # The queries that are sent name nothing else, with all their variables.
    names = {"owner": "octo-org", "name": "octo-repo"}
    answered(github, 1)
    for query, variables in (
        (CATEGORIES, names),
        (LISTING, names | {"category": "DIC_4", "after": None}),
        (FILE, names | {"endCursor": None}),
        (COMMENTS, {"id": "D_000001", "after": "WyIiXQ=="}),
        (REPLIES, {"id": "DC_000002", "after": "WyIiXQ=="}),
    ):
        assert connection.ask(query, variables, "asking").errors == ()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_run_that_is_killed_anywhere_resumes_to_the_same_journal(github, make, tmp_path) -> None:
    for number in range(60):
        answered(github, number)
    whole = make(journal=tmp_path / "whole")
    whole.update()

    # Killed when the service gets each of the requests, so between each two steps of the run.
    for at in range(1, 5):
        path = tmp_path / f"killed{at}"
        kill_at_request(github, at, make(journal=path).update)
        resumed = make(journal=path)
        resumed.update()
        assert stored(resumed).count('"title"') == 60
        assert [p.question for p in pairs_of(resumed)] == [p.question for p in pairs_of(whole)]
        assert {p.name for p in path.iterdir()} == {"threads.jsonl", "journal.json", ".lock"}
