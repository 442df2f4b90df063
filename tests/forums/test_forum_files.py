"""Discussions that were saved as JSON give the pairs that the live collector finds."""

from __future__ import annotations

import gzip
import json

import pytest

import furytune as ft
from furytune._forums.github import client
from furytune._forums.github.queries import FILE
from furytune.config import load_settings
from furytune.config.drafting import draft
from furytune.config.health import examine
from furytune.errors import ConfigError, SourceError, SourceFormatError
from furytune.records import Dropped, QAPair
from furytune.testing.conformance import check_collector
from furytune.testing.fake_github import FakeGitHub

KEY = b"key"


@pytest.fixture
def github():
    with FakeGitHub() as fake:
        fake.account("maint", association="OWNER")
        for number in range(30):
            asked = fake.ask(f"user{number}", f"How do I draw shape {number}?", f"I want shape {number}.")
            said = fake.comment(asked, "maint", f"Call `shape({number})`.", accepted=number % 3 > 0)
            fake.comment(said, f"user{number}", "Thanks, that worked!")
        fake.comment(fake.ask("maint", "News", "We have news.", category="Announcements"), "ann", "Great!")
        yield fake


def pages(github) -> list[dict]:
    """What ``gh api graphql --paginate`` prints, page by page."""
    connection = client.GitHub(ft.Secret("rehearsal"), github.endpoint, ft_patience())
    found, cursor = [], None
    while True:
        owner, name = github.repository.split("/")
        answer = connection.ask(FILE, {"owner": owner, "name": name, "endCursor": cursor}, "saving")
        found.append({"data": dict(answer.data)})
        info = answer.data["repository"]["discussions"]["pageInfo"]
        if not info["hasNextPage"]:
            return found
        cursor = info["endCursor"]


def ft_patience():
    from furytune.collectors.discord import Patience

    return Patience()


def live(github, folder) -> ft.GitHubDiscussionsCollector:
    return ft.GitHubDiscussionsCollector(
        github.repository,
        token=ft.Secret("rehearsal"),
        permission="A test",
        journal=ft.ForumCollector(folder, author_key=KEY),
        endpoint=github.endpoint,
    )


def by_id(items):
    return {
        i.id: (i.question, i.answer, i.group, i.asker, i.evidence) for i in items if isinstance(i, QAPair)
    }


def test_a_file_gives_the_pairs_of_the_journal(github, tmp_path) -> None:
    collector = live(github, tmp_path / "journal")
    wanted = by_id(check_collector(lambda: collector, read={"message": 90}))
    assert len(wanted) == 30

    saved = pages(github)
    forms = {
        "printed.json": "".join(map(json.dumps, saved)),
        "pretty.json": "\n".join(json.dumps(page, indent=2) for page in saved),
        "slurped.json": json.dumps(saved),
        "nodes.json": json.dumps([d for p in saved for d in p["data"]["repository"]["discussions"]["nodes"]]),
    }
    for name, text in forms.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        made = ft.ForumCollector(tmp_path / name, author_key=KEY)
        items = (
            list(made.collect())
            if name != "printed.json"
            else check_collector(lambda made=made: made, read={"message": 90})
        )
        found = by_id(items)
        assert found.keys() == wanted.keys()
        if name != "nodes.json":  # it does not say which repository it is
            assert found == wanted


def test_a_folder_with_the_same_pages_twice(github, tmp_path) -> None:
    saved = "".join(map(json.dumps, pages(github)))
    (tmp_path / "a.json").write_text(saved, encoding="utf-8")
    (tmp_path / "b.json.gz").write_bytes(gzip.compress(saved.encode()))
    items = list(ft.ForumCollector(tmp_path, channels=["Q&A"]).collect())
    assert sum(isinstance(i, QAPair) for i in items) == 30
    assert sum(i.count for i in items if isinstance(i, Dropped) and i.reason == "duplicate") == 90
    left_out = ft.ForumCollector(tmp_path, exclude=["q-a"])
    assert not any(isinstance(i, QAPair) for i in left_out.collect())
    with pytest.raises(ConfigError, match="no category is named 'help'"):
        list(ft.ForumCollector(tmp_path, channels=["help"]).collect())
    quiet = ft.ForumCollector(tmp_path, consent=ft.Consent(opt_in_roles=["OWNER"]))
    assert not any(isinstance(i, QAPair) for i in quiet.collect())
    assert sum(1 for _ in ft.ForumCollector(tmp_path / "a.json").messages()) == 90


def test_damage_is_refused_and_its_neighbours_survive(github, tmp_path) -> None:
    saved = pages(github)
    nodes = saved[0]["data"]["repository"]["discussions"]["nodes"]
    del nodes[1]["body"]
    nodes[2]["comments"] = "none"
    path = tmp_path / "saved.json"
    path.write_text("".join(map(json.dumps, saved))[:-200], encoding="utf-8")
    with pytest.raises(SourceFormatError, match=r"saved\.json: discussion 2: not a discussion as GitHub"):
        list(ft.ForumCollector(path).collect())
    items = list(ft.ForumCollector(path, on_error="skip").collect())
    drops = [(i.reason, i.unit) for i in items if isinstance(i, Dropped)]
    assert drops.count(("invalid_message", "message")) == 2
    assert ("truncated", "file") in drops
    assert sum(isinstance(i, QAPair) for i in items) >= 20


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no discussion that can be read"),
        ("[1, 2]", "no page of discussions"),
        ('{"errors": [{"type": "FORBIDDEN"}]}', "answered with an error"),
        ('{"messages": []}', "no page of discussions"),
        ("{", "the file ends in the middle"),
        ('{"data": "x', "the file ends inside a string"),
    ],
)
def test_other_files_are_named(tmp_path, text, said) -> None:
    (tmp_path / "other.json").write_text(text, encoding="utf-8")
    with pytest.raises(SourceError, match=said):
        list(ft.ForumCollector(tmp_path / "other.json").collect())


def test_nothing_to_read(tmp_path) -> None:
    with pytest.raises(SourceError, match="no journal and no JSON file"):
        list(ft.ForumCollector(tmp_path).collect())
    with pytest.raises(SourceError, match="cannot be read"):
        list(ft.ForumCollector(tmp_path / "gone").collect())


def test_settings_collect_pair_check_and_forget(github, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "rehearsal")
    (tmp_path / "furytune.toml").write_text(
        f"""
[collector]
type = "github-discussions"
repository = "octo-org/octo-repo"
token = {{env = "GITHUB_TOKEN"}}
permission = "A test"
journal = "journal"
endpoint = "{github.endpoint}"

[exporter]
type = "jsonl"
path = "train.jsonl"
""",
        encoding="utf-8",
    )
    settings = load_settings(tmp_path / "furytune.toml")
    (update,) = settings.collect()
    assert update.new == 30
    assert settings.rehearse().counts.pairs == 30
    assert not [f for f in examine(settings.path) if f.state == "problem"]
    assert "GITHUB_TOKEN" in " ".join(f.said for f in examine(settings.path))
    settings.run()
    requests = len(github.requests)
    assert settings.forget(author="@user7").places[0].removed == 2
    assert len(github.requests) == requests
    assert ft.load_dataset(tmp_path / "train.jsonl.manifest.json").rows == 29
    empty = tmp_path / "empty"
    empty.mkdir()
    drafted = draft(tmp_path / "journal", environment={})
    assert 'type = "forum"' in drafted.text
    assert 'type = "github-discussions"' in draft(empty, environment={"GITHUB_TOKEN": "x"}).text


def test_passages_from_discussions_say_where_they_are(github, tmp_path) -> None:
    collector = live(github, tmp_path / "journal")
    passage = next(p for p in ft.chat(collector.collect()) if isinstance(p, ft.Passage))
    assert passage.url == "https://github.com/octo-org/octo-repo/discussions/1"
    assert passage.source.startswith("github:octo-org/octo-repo/1/100000004000001,")
    assert passage.citation == "GitHub Discussions"
