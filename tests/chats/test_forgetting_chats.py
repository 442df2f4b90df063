"""People of other platforms are forgotten, and `furytune init` recognises their exports."""

from __future__ import annotations

import json
import shutil

import pytest
from chat_exports import EXAMPLES, put, slack_export, slack_message, slack_thread, zipped

import furytune as ft
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
    done = ft.forget(message=pair.answer_messages[0], datasets=[tmp_path / "rows.jsonl.manifest.json"])
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


def test_init_does_not_take_other_json_for_a_chat(tmp_path) -> None:
    put(tmp_path / "data" / "a.json", {"type": "version"})
    put(tmp_path / "data" / "b.jsonl", json.dumps({"question": "How?", "answer": "So."}).encode())
    made = draft(tmp_path / "data", base=tmp_path, environment={})
    assert "slack" not in made.text
    assert "mattermost-export" not in made.text
