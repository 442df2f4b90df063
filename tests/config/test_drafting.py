"""`furytune init` finds what is there, and what it writes can be used."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import furytune as ft
from furytune.config import draft, load_settings
from furytune.config.demo import write_demo
from furytune.config.drafting import write_draft
from furytune.errors import ConfigError

ROOT = Path(__file__).parents[2]
EXPORTS = ROOT / "examples" / "exports"
FURY = ROOT / "tests" / "fixtures" / "packages" / "fury"


def loaded(folder: Path, made):
    write_draft(made, folder / "furytune.toml")
    return load_settings(folder / "furytune.toml", environment={})


def project(folder: Path) -> Path:
    shutil.copytree(EXPORTS, folder / "exports")
    shutil.copytree(FURY, folder / "src" / "fury")
    (folder / "docs").mkdir()
    (folder / "docs" / "guide.md").write_text("# Guide\n\nUse it.\n", encoding="utf-8")
    return folder


def test_a_project_becomes_a_pipeline(tmp_path) -> None:
    made = draft(base=project(tmp_path), environment={})
    settings = loaded(tmp_path, made)
    assert settings.pipeline.collector == (ft.DiscordExportCollector(tmp_path / "exports"),)
    assert ft.CheckCode("fury", path=tmp_path / "src" / "fury") in settings.pipeline.curators
    assert [table["type"] for table in settings.sources] == ["markup", "python-package"]
    assert all([*stream] for stream in settings.knowledge())
    assert settings.plain is not None
    assert "#help" in "".join(made.found)
    assert "# Channels and threads: chat, help" in made.text


def test_only_what_is_named_is_looked_at(tmp_path) -> None:
    project(tmp_path)
    settings = loaded(tmp_path, draft(tmp_path / "exports", base=tmp_path, environment={}))
    assert settings.pipeline.augmenter == ft.IdentityAugmenter()
    assert "{context}" not in settings.pipeline.template.text
    assert settings.plain is None


@pytest.mark.parametrize("token", [{}, {"DISCORD_TOKEN": "hush"}])
def test_an_empty_folder_gives_a_file_and_says_what_is_missing(tmp_path, token) -> None:
    made = draft(base=tmp_path, environment=token)
    assert made.missing
    assert "hush" not in made.text
    if token:
        text = made.text.replace('guild = "0"', 'guild = "81384788765712384"')
        (tmp_path / "furytune.toml").write_text(text, encoding="utf-8")
        (collector,) = load_settings(tmp_path / "furytune.toml", environment={}).pipeline.collector
        assert collector.token.place == {"env": "DISCORD_TOKEN"}
    else:
        assert loaded(tmp_path, made).pipeline.collector[0].path == tmp_path / "exports"


def test_pairs_in_files_are_collected(tmp_path) -> None:
    for name in ("pairs.csv", "more.jsonl"):
        (tmp_path / name).write_text("", encoding="utf-8")
    settings = loaded(
        tmp_path, draft(tmp_path / "pairs.csv", tmp_path / "more.jsonl", base=tmp_path, environment={})
    )
    kinds = [type(collector) for collector in settings.pipeline.collector]
    assert kinds == [ft.CsvCollector, ft.JsonlCollector]


def test_what_furytune_wrote_is_not_read_again(tmp_path) -> None:
    project(tmp_path)
    write_demo(tmp_path / "furytune-demo")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "__init__.py").write_text("")
    before = draft(base=tmp_path, environment={})
    settings = loaded(tmp_path, before)
    settings.run()
    assert (tmp_path / "train.validation.jsonl").exists()
    assert draft(base=tmp_path, environment={}) == before
    assert len(settings.pipeline.collector) == 1


def test_html_is_read_if_there_is_any(tmp_path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("<h1>A</h1>", encoding="utf-8")
    (table,) = loaded(tmp_path, draft(tmp_path / "site", base=tmp_path, environment={})).sources
    assert ".html" in table["suffixes"]


def test_a_file_is_not_replaced_unless_one_asks(tmp_path) -> None:
    made = draft(base=tmp_path, environment={})
    (tmp_path / "furytune.toml").write_text("mine = 1\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="--force"):
        write_draft(made, tmp_path / "furytune.toml")
    assert (tmp_path / "furytune.toml").read_text(encoding="utf-8") == "mine = 1\n"
    write_draft(made, tmp_path / "furytune.toml", replace=True)
    assert load_settings(tmp_path / "furytune.toml", environment={})


def test_a_folder_that_does_not_exist_is_named(tmp_path) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        draft(tmp_path / "nowhere", base=tmp_path)


ANY = st.text(st.characters(codec=None), min_size=1, max_size=60)


@given(ANY, st.text(max_size=30), ANY)
def test_no_name_of_a_channel_or_a_server_breaks_the_file(
    tmp_path_factory, channel, category, server
) -> None:
    """Names are chosen by strangers, and stand in comments and in the heading of the report."""
    folder = tmp_path_factory.mktemp("names")
    content = {
        "guild": {"id": "1", "name": server},
        "channel": {"id": "2", "category": category, "name": channel},
        "messages": [],
    }
    (folder / "exports").mkdir()
    with gzip.open(folder / "exports" / "a.json.gz", "wt", encoding="utf-8") as file:
        json.dump(content, file)
    made = draft(base=folder, environment={})
    settings = loaded(folder, made)
    assert settings.pipeline.collector == (ft.DiscordExportCollector(folder / "exports"),)
    assert all(line.isprintable() for line in made.found)
    assert settings.title
    assert settings.title.isprintable()
