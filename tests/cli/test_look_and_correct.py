"""Look at the report, correct pairs in the browser, and run again: processes in one folder, in the order of a month."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest
from commands import command
from review_world import EXPORTS, Client

import furytune as ft
from furytune.config import draft, load_settings
from furytune.config.drafting import write_draft
from furytune.errors import ConfigError
from furytune.report.diffing import outline


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("month")
    shutil.copytree(EXPORTS, folder / "exports")
    write_draft(draft(folder / "exports", base=folder, environment={}), folder / "furytune.toml")
    first = command(folder, "build", "--json")
    assert first.returncode == 0, first.stderr
    return folder, json.loads(first.stdout)


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_decision_in_the_browser_is_a_change_of_the_next_run(project) -> None:
    folder, first = project
    assert (first["changes"], first["report"]) == (None, "report.html")
    first_page = (folder / "report.html").read_text(encoding="utf-8")
    shutil.copytree(folder, folder / "last", ignore=shutil.ignore_patterns("exports"))
    page = subprocess.Popen(
        [sys.executable, "-m", "furytune", "review", "--by", "anna"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        client = Client(SimpleNamespace(url=page.stdout.readline().strip())).open()
        uid = next(iter(outline(ft.load_dataset(folder / "train.jsonl.manifest.json")).rows))
        assert client.decide(uid, "drop", reason="wrong")[0] == 200
    finally:
        page.send_signal(signal.SIGINT)
        rest, said = page.communicate(timeout=30)
    assert (page.returncode, rest) == (0, ""), said
    assert "1 dropped. The decisions are in review.jsonl" in said
    assert [d.by for d in ft.Decisions(folder / "review.jsonl").history(uid)] == ["anna"]

    again = command(folder, "build")
    assert again.returncode == 0, again.stderr
    assert "0 new, 1 gone, 0 edited since the last run." in again.stdout
    assert (folder / "report.html").read_text(encoding="utf-8") != first_page
    told = command(folder, "diff", "last/train.jsonl", "train.jsonl.manifest.json", "--json")
    assert json.loads(told.stdout)["gone"] == [uid], told.stderr

    browser = folder / "browser"
    browser.write_text(f"#!/bin/sh\necho \"$1\" > '{folder}/opened'\n")
    browser.chmod(0o700)
    unchanged = command(folder, "build", "--open", BROWSER=str(browser))
    assert unchanged.stdout.endswith("Nothing changed since the last run.\n")
    assert (folder / "opened").read_text().strip() == (folder / "report.html").as_uri()


def test_a_person_who_is_forgotten_is_in_no_decision_and_no_report(project, tmp_path) -> None:
    shutil.copytree(project[0], tmp_path, dirs_exist_ok=True)
    (tmp_path / "review.jsonl").unlink(missing_ok=True)
    settings = load_settings(tmp_path / "furytune.toml", environment={})
    pair = next(iter(settings.pipeline.evolve(curators=(), exporter=None, tuner=None).pairs()))
    (decisions,) = (step for step in settings.pipeline.curators if isinstance(step, ft.Decisions))
    message = pair.answer_messages[0]
    settings.forget(message=message)  # no one has decided yet
    (tmp_path / "review.jsonl").touch()
    settings.forget(message=message)
    decisions.answer(pair, "Use `box` instead.")
    settings.report.write_text("an old report", encoding="utf-8")
    settings.forget(message=message)
    assert decisions.history(pair) == ()
    assert not settings.report.exists()


def test_what_furytune_wrote_is_not_taken_for_docs_or_pairs(project, tmp_path) -> None:
    shutil.copytree(project[0], tmp_path, dirs_exist_ok=True)
    (tmp_path / "review.jsonl").write_text('{"format":"furytune-review/1"}\n', encoding="utf-8")
    done = command(tmp_path, "card", ".", "--licence", "CC-BY-4.0", "--name", "Sphere help")
    assert done.stdout == "README.md\ncroissant.json\n", done.stderr
    again = draft(base=tmp_path, environment={})
    assert len(again.found) == 1, again.found


def test_without_a_file_for_decisions_the_lines_to_add_are_named(project, tmp_path) -> None:
    (tmp_path / "furytune.toml").write_text(
        'collector = {type = "csv", path = "pairs.csv"}\n', encoding="utf-8"
    )
    with pytest.raises(
        ConfigError, match=r'\[\[curators\]\] with type = "decisions" and path = "review.jsonl"'
    ):
        load_settings(tmp_path / "furytune.toml", environment={}).review()


@pytest.mark.parametrize("line", ["report = 1", 'report = ""', "title = 1", 'report = "no-data-set.html"'])
def test_a_report_that_cannot_be_made_is_refused_at_once(tmp_path, line) -> None:
    (tmp_path / "furytune.toml").write_text(
        f'{line}\ncollector = {{type = "csv", path = "pairs.csv"}}\n', encoding="utf-8"
    )
    with pytest.raises(ConfigError, match=f"furytune.toml:1: {line.split()[0]}"):
        load_settings(tmp_path / "furytune.toml", environment={})


def test_a_row_that_the_next_release_breaks_is_listed(tmp_path) -> None:
    for version, name in (("1", "cube"), ("2", "box")):
        (tmp_path / version / "shapes").mkdir(parents=True)
        (tmp_path / version / "shapes" / "__init__.py").write_text(f"def {name}(): ...\n")
    (tmp_path / "pairs.csv").write_text(
        'id,question,answer\none,How do I draw a cube?,"```python\nimport shapes\nshapes.cube()\n```"\n'
    )
    (tmp_path / "furytune.toml").write_text(
        'collector = {type = "csv", path = "pairs.csv"}\nexporter = {type = "jsonl", path = "t.jsonl"}\n'
        'splitter = {type = "group", validation = 0}\n'
    )
    load_settings(tmp_path / "furytune.toml", environment={}).run()
    done = command(
        tmp_path, "recheck", "t.jsonl", "--package", "shapes", "--path", "2", "--before", "1", "--json"
    )
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["went_stale"]
    assert row["findings"][0]["symbol"] == "shapes.cube"
