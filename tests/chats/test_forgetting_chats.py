"""People of other platforms are forgotten, and `furytune init` recognises their exports."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from chat_exports import EXAMPLES, put, slack_export, slack_message, slack_thread, zipped

import furytune as ft
from furytune._privacy.ids import as_id
from furytune._privacy.lineage import named_by
from furytune.config import load_pipeline
from furytune.config.drafting import draft, write_draft
from furytune.corpora.chat import chat
from furytune.errors import ConfigError

PLATFORMS = {
    "slack": (ft.SlackExportCollector, "slack:U0BOB00002"),
    "mattermost": (ft.MattermostExportCollector, "mattermost:Bob"),
    "zulip": (ft.ZulipExportCollector, "zulip:12"),
}
platforms = pytest.mark.parametrize("platform", PLATFORMS)


def rows(path):
    return [line for line in path.read_text("utf-8").split("\n") if line]


@platforms
def test_a_person_is_forgotten_by_the_id_of_the_platform(platform, tmp_path) -> None:
    collector, person = PLATFORMS[platform]
    export = shutil.copytree(EXAMPLES / platform, tmp_path / "export")
    target = tmp_path / "rows.jsonl"
    ft.Pipeline(
        collector=collector(export),
        template=ft.PromptTemplate("{question}"),
        exporter=ft.JsonlExporter(target),
        splitter=lambda _: "train",
    ).run()
    assert len(rows(target)) >= 2

    done = ft.forget(author=person, exports=[export], datasets=[tmp_path / "rows.jsonl.manifest.json"])

    assert rows(target) == []  # Bob answered everything
    assert done.messages >= 3
    assert done.exports is not None
    assert all(held.messages for held in done.exports)


@platforms
def test_an_archive_is_named_once_and_as_a_whole(platform, tmp_path) -> None:
    _, person = PLATFORMS[platform]
    packed = zipped(EXAMPLES / platform, tmp_path / "export.zip")
    (held,) = ft.forget(author=person, exports=[packed]).exports or ()
    assert (held.path, held.problem) == (str(packed), "")
    assert held.messages >= 3


def test_a_damaged_day_of_an_export_is_named(tmp_path) -> None:
    export = shutil.copytree(EXAMPLES / "slack", tmp_path / "export")
    day = export / "chat" / "2024-05-01.json"
    day.write_bytes(day.read_bytes()[:-30])
    held = ft.forget(author="slack:U0BOB00002", exports=[export]).exports or ()
    assert {Path(one.path).parent.name: bool(one.problem) for one in held} == {
        "chat": True,
        "help": False,
        "team": False,
    }


def test_one_message_is_forgotten_by_its_number(tmp_path) -> None:
    target = tmp_path / "rows.jsonl"
    collector = ft.SlackExportCollector(EXAMPLES / "slack")
    ft.Pipeline(
        collector=collector,
        template=ft.PromptTemplate("{question}"),
        exporter=ft.JsonlExporter(target),
        splitter=lambda _: "train",
    ).run()
    pair = next(item for item in collector.collect() if isinstance(item, ft.QAPair) and "GLTF" in item.answer)
    before = len(rows(target))
    named = "slack:C0HELP0001/1714554120.000200"
    assert as_id(named) == pair.answer_messages[0]
    done = ft.forget(message=named, datasets=[tmp_path / "rows.jsonl.manifest.json"])
    assert (len(rows(target)), done.messages) == (before - 1, 1)
    assert "GLTF" not in target.read_text("utf-8")


def test_a_passage_from_another_platform_names_its_messages_and_is_cited_by_its_platform(tmp_path) -> None:
    slack_export(
        tmp_path, slack_thread(slack_message(0, "U0ANN", "How?"), slack_message(1, "U0BOB", "Like this."))
    )
    collector = ft.SlackExportCollector(tmp_path, pairers=[ft.ThreadPairer()])
    (pair,) = (item for item in collector.collect() if isinstance(item, ft.QAPair))
    (passage,) = chat([pair])
    assert isinstance(passage, ft.Passage)
    assert passage.source.startswith("slack:T0/")
    assert passage.citation == "Slack"
    # The thread has the id of its first message, and other people write in it too.
    assert named_by("", passage.source) == [*pair.question_messages, *pair.answer_messages]
    assert passage.url == ""  # the default address is Discord's


def test_a_wrong_id_says_how_to_write_one() -> None:
    with pytest.raises(ConfigError, match="slack:U012AB3CD"):
        ft.forget(author="U0BOB00002", exports=[EXAMPLES / "slack"])


@platforms
@pytest.mark.parametrize("form", ["folder", "inside", "zip"])
def test_init_drafts_settings_that_run(platform, form, tmp_path) -> None:
    place = tmp_path / "chat"
    if form == "zip":
        place.mkdir()
        zipped(EXAMPLES / platform, place / "export.zip")
    else:
        shutil.copytree(EXAMPLES / platform, place / "x" if form == "inside" else place)
    made = draft(place, base=tmp_path, environment={})
    assert not made.missing
    assert "#help" in made.found[0]
    assert f"{platform}_text(message)" in made.text
    write_draft(made, tmp_path / "furytune.toml")
    try:
        pipeline = load_pipeline(tmp_path / "furytune.toml")
    except ConfigError as error:
        if "no collector" in str(error) or "is not installed" in str(error):
            pytest.skip("the entry points of this version are not installed")
        raise
    (collector,) = pipeline.collector
    assert isinstance(collector, PLATFORMS[platform][0])
    assert [item for item in collector.collect() if isinstance(item, ft.QAPair)]


def test_init_tells_the_platforms_in_one_folder_apart(tmp_path) -> None:
    shutil.copytree(EXAMPLES, tmp_path / "chats")
    made = draft(tmp_path / "chats", base=tmp_path, environment={})
    for platform in PLATFORMS:
        assert f'type = "{platform}-export"\npath = "chats/{platform}"' in made.text


def test_init_does_not_take_other_json_for_a_chat(tmp_path) -> None:
    put(tmp_path / "data" / "a.json", {"type": "version"})
    put(tmp_path / "data" / "b.jsonl", json.dumps({"question": "How?", "answer": "So."}).encode())
    made = draft(tmp_path / "data", base=tmp_path, environment={})
    assert "slack" not in made.text
    assert "mattermost-export" not in made.text
