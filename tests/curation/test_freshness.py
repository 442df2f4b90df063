"""Releases from tags and files, the releases that questions name, and the step that drops old answers."""

from __future__ import annotations

import subprocess
from datetime import UTC, date, datetime

import pytest

import furytune as ft
from furytune.errors import ConfigError, KnowledgeError, SourceError, SourceFormatError
from furytune.testing.conformance import check_curator
from furytune.testing.memory import ListCollector, pair

DATES = {
    "0.9.0": "2022-08-01",
    "0.9.1": "2022-10-01",
    "0.10.0": "2024-02-28",
    "0.11.0": "2024-08-01",
    "2.0.0a1": "2025-01-01",
    "0.11.1": "2025-03-01",
}
RELEASES = ft.Releases(DATES, package="fury")


def asked(day: str, question: str = "How do I draw it?", **fields):
    return pair(question, "So.", asked_at=datetime.fromisoformat(f"{day}T12:00:00+00:00"), **fields)


def git(folder, *arguments: str, when: str = "2024-01-01T00:00:00+00:00") -> None:
    person = {f"GIT_{who}_{what}": "a" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {"PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": str(folder), **person}
    environment |= {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, env=environment)


def test_releases_are_read_from_the_tags_of_a_repository(tmp_path) -> None:
    git(tmp_path, "init", "-q")
    for tag, when in (("v0.9.0", "2022-08-01T22:30:00-05:00"), ("v0.10.0", "2024-02-28T10:00:00+00:00")):
        git(tmp_path, "commit", "-q", "--allow-empty", "-m", tag, when=when)
        git(tmp_path, "tag", tag)
    # A tag that was made later says when the release was, whatever it points to.
    git(tmp_path, "tag", "-a", "release-0.11", "-m", "x", when="2024-08-01T00:00:00+00:00")
    for other in ("nightly", "docs/1", "py3-last"):
        git(tmp_path, "tag", other)

    found = ft.Releases.from_git(tmp_path)

    assert dict(found.dates) == {
        "0.9.0": datetime(2022, 8, 2, 3, 30, tzinfo=UTC),
        "0.10.0": datetime(2024, 2, 28, 10, tzinfo=UTC),
        "0.11": datetime(2024, 8, 1, tzinfo=UTC),
    }


def test_a_repository_without_releases_is_refused(tmp_path) -> None:
    with pytest.raises(KnowledgeError, match="not a git repository"):
        ft.Releases.from_git(tmp_path)
    git(tmp_path, "init", "-q")
    with pytest.raises(ConfigError, match="git fetch --tags"):
        ft.Releases.from_git(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "error", "says"),
    [
        ("r.json", "{", SourceFormatError, "r.json:1: is not JSON"),
        ("r.json", "[1]", SourceFormatError, "is not an object"),
        ("r.json", '{"1.0": 7}', SourceFormatError, "is not an object"),
        ("r.csv", "a,b\n1,2\n", SourceFormatError, "r.csv:1: has no columns"),
        ("r.csv", "", SourceFormatError, "has no columns"),
        (
            "r.csv",
            "release,date\n1.0,2024-01-01\n1.0,2024-01-02\n",
            SourceFormatError,
            "r.csv:3: has a release a second",
        ),
        ("r.csv", "release,date\n1.0\n", ConfigError, "the date of release 1.0"),
        ("r.txt", "", ConfigError, ".json or .csv"),
    ],
)
def test_bad_files_are_refused(tmp_path, name, text, error, says) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(error, match=says):
        ft.Releases.read(tmp_path / name)


def test_a_file_that_cannot_be_read_is_told(tmp_path) -> None:
    with pytest.raises(SourceError, match="No such file"):
        ft.Releases.read(tmp_path / "r.json")
    (tmp_path / "r.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(SourceError, match="UTF-8"):
        ft.Releases.read(tmp_path / "r.csv")


def test_a_day_begins_in_utc_and_times_need_a_zone() -> None:
    found = ft.Releases({"1.0": date(2024, 3, 1)})
    assert found.at(datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)) == ""
    assert found.at(datetime(2024, 3, 1, tzinfo=UTC)) == "1.0"
    assert found.at(None) == ""
    with pytest.raises(ConfigError, match="time zone"):
        ft.Releases({"1.0": "2024-03-01T10:00:00"})
    with pytest.raises(ConfigError, match="time zone"):
        found.at(datetime(2024, 3, 1))  # noqa: DTZ001
    with pytest.raises(ConfigError, match="same version"):
        ft.Releases({"1.0": "2024-03-01", "v1.0.0": "2024-03-01"})


def test_a_repair_of_an_old_branch_is_not_the_newest() -> None:
    found = ft.Releases({"1.0": "2024-01-01", "2.0": "2024-02-01", "1.0.1": "2024-03-01"})
    assert found.at(datetime(2024, 4, 1, tzinfo=UTC)) == "2.0"


@pytest.mark.parametrize(
    ("text", "release"),
    [
        ("I use fury 0.9 on Windows", "0.9.1"),
        ("FURY v0.9.0 does not start", "0.9.0"),
        ("pip install fury==0.10.0 fails", "0.10.0"),
        ("fury version 0.10, python version 3.9", "0.10.0"),
        ("I went from fury 0.9 to fury 0.11", "0.11.1"),
        ("with fury-0.10.0.tar.gz", "0.10.0"),
        ("with fury 2.0.0a1", "2.0.0a1"),
        ("with fury 0.8.2", "0.8.2"),
        ("numpy 0.9 and Python 0.10", ""),
        ("fury is 2.5 times slower", ""),
        ("fury 3.5 is out?", ""),
        ("fury 3 spheres", ""),
        ("fury>=0.9", ""),
        ("afury 0.9", ""),
        ("fury 0.9x", ""),
    ],
)
def test_a_question_may_name_its_release(text, release) -> None:
    assert RELEASES.named(text) == release
    assert RELEASES.of(asked("2024-09-01", text)) == (release or "0.11.0")
    assert ft.Releases(DATES).named(text) == ""


def test_old_answers_are_dropped_with_their_release() -> None:
    step = ft.Fresh(RELEASES, since="0.10")
    assert step(asked("2024-03-01")).id
    old = step(asked("2023-01-01"))
    assert (old.reason, old.detail) == ("old_release", "0.9.1")
    assert step(asked("2025-05-01", "Why does fury 0.9 not start?")).detail == "0.9.1"
    assert step(asked("2023-01-01", "Will it be in fury 0.11?")).answer == "So."


def test_pairs_of_unknown_age_are_kept_unless_you_say_so() -> None:
    for unknown in (pair("How?", "So."), asked("2001-01-01")):
        assert ft.Fresh(RELEASES, since="0.10")(unknown) is unknown
        dropped = ft.Fresh(RELEASES, since="0.10", on_unknown="drop")(unknown)
        assert (dropped.reason, dropped.detail) == ("old_release", "no known release")


def test_decay_weighs_age_against_confidence() -> None:
    step = ft.Fresh(RELEASES, decay=0.5, least=0.4)
    assert step.weight(asked("2023-01-01")) == 0.25
    assert step(asked("2024-03-01", confidence=0.8)).confidence == 0.8
    dropped = step(asked("2024-03-01", confidence=0.7))
    assert dropped.detail == "0.10.0: confidence 0.70 counts as 0.35"
    assert ft.Fresh(RELEASES, max_behind=1)(asked("2023-01-01")).reason == "old_release"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"decay": 0.5},
        {"least": 0.5},
        {"since": "new"},
        {"since": 0.11},
        {"max_behind": -1},
        {"decay": 2, "least": 0.5},
        {"since": "0.1", "on_unknown": "x"},
    ],
)
def test_wrong_arguments_of_fresh_are_refused(options) -> None:
    with pytest.raises(ConfigError):
        ft.Fresh(RELEASES, **options)


def test_fresh_needs_releases() -> None:
    with pytest.raises(ConfigError, match="releases must be of type Releases"):
        ft.Fresh(DATES, since="0.11")


def test_fresh_is_a_curation_step() -> None:
    step = ft.Fresh(RELEASES, since="0.10")
    items = [asked("2023-01-01"), asked("2024-03-01", id="2"), pair("How?", "So.", id="3")]
    assert [isinstance(item, ft.Dropped) for item in check_curator(step, items)] == [True, False, False]
    counts = ft.Pipeline(collector=ListCollector(items), curators=step).run().report.counts
    assert [(d.reason, d.count) for d in counts.dropped] == [("old_release", 1)]
