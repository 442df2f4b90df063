"""Checking a data set again when a release comes out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import furytune as ft
from furytune.errors import ConfigError, ExportError
from furytune.testing.memory import ListCollector, pair

SECRET = "=cmd|' /C calc'!A0 \"quoted\", and a line\nbreak"


def release(folder: Path, version: str, source: str) -> ft.CheckCode:
    """Writes a package and returns its check."""
    package = folder / version / "shapes"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(source, encoding="utf-8")
    return ft.CheckCode("shapes", path=package)


@pytest.fixture
def checks(tmp_path) -> tuple[ft.CheckCode, ft.CheckCode]:
    old = release(tmp_path, "1", "def sphere(centers, colors=None): ...\ndef cube(): ...\n")
    new = release(tmp_path, "2", "def sphere(centers): ...\ndef box(): ...\n")
    return old, new


def answer(code: str) -> str:
    return f"{SECRET}\n```python\nimport shapes\n{code}\n```"


PAIRS = [
    pair("How?", answer("shapes.sphere([1])"), id="both", group="1"),
    pair("How?", answer("shapes.sphere([1], colors=2)"), id="argument", group="2"),
    pair("How?", answer("shapes.cube()"), id="name", group="3"),
    pair("How?", answer("shapes.box()"), id="new", group="4"),
    pair("How?", answer("shapes.pyramid()"), id="never", group="5"),
    pair("How?", f"No code. {SECRET}", id="prose", group="6"),
]
STALE = {"argument": "shapes.sphere(colors)", "name": "shapes.cube", "never": "shapes.pyramid"}


def found(result: ft.Recheck) -> dict[str, str]:
    return {row.id: ", ".join(f.symbol for f in row.findings) for row in result.stale}


def test_what_is_stale_is_listed_by_id_and_name(checks) -> None:
    result = ft.recheck(PAIRS, check=checks[1])

    assert found(result) == STALE
    assert result.went_stale == result.stale
    assert result.works_again == ()
    assert result.rows == 6
    assert dict(result.outcomes) == {"works": 2, "stale": 3, "prose": 1}


def test_two_releases_are_compared(checks) -> None:
    result = ft.recheck(PAIRS, check=checks[1], before=checks[0])

    assert found(result) == STALE
    assert [row.id for row in result.went_stale] == ["argument", "name"]
    assert result.works_again == ("new",)
    back = ft.recheck(PAIRS, check=checks[0], before=checks[1])
    assert [row.id for row in back.went_stale] == ["new"]
    assert back.works_again == ("argument", "name")


def test_it_shows_names_and_no_text(checks) -> None:
    result = ft.recheck(PAIRS, check=checks[1], before=checks[0])
    for shown in (str(result), result._repr_html_(), repr(result)):
        assert "calc" not in shown
        assert "quoted" not in shown
    assert "2  went stale" in str(result)
    assert "  argument  shapes.sphere(colors)" in str(result)
    assert "shapes.cube" in result._repr_html_()


def test_a_long_list_is_cut(checks) -> None:
    many = [pair("How?", answer("shapes.cube()"), id=str(n)) for n in range(25)]
    result = ft.recheck(many, check=checks[1])
    assert len(result.stale) == 25
    assert "and 5 more" in str(result)


EXPORTERS = {
    **{
        d: (lambda f, d=d: ft.JsonlExporter(f / "t.jsonl", dialect=d))
        for d in ("gemini", "openai", "trl", "plain")
    },
    "csv": lambda f: ft.CsvExporter(f / "t.csv"),
    "csv unescaped": lambda f: ft.CsvExporter(f / "t.csv", escape_formulas=False),
}


@pytest.mark.parametrize("name", sorted(EXPORTERS))
@pytest.mark.parametrize("validation", [0.0, 0.5])
def test_a_written_data_set_gives_the_same(tmp_path, checks, name, validation) -> None:
    run = ft.Pipeline(
        collector=ListCollector(PAIRS),
        exporter=EXPORTERS[name](tmp_path),
        splitter=ft.GroupSplitter(validation),
    ).run()
    dataset = run.datasets[0]
    splits = {file.split for file in dataset.files}

    for data in (dataset, dataset.manifest, Path(dataset.manifest)):
        result = ft.recheck(data, check=checks[1], before=checks[0])
        assert found(result) == STALE
        assert {row.id for row in result.went_stale} == {"argument", "name"}
        assert result.rows == 6
    assert validation == 0 or splits == {"train", "validation"}


def test_a_data_set_that_was_changed_is_refused(tmp_path, checks) -> None:
    run = ft.Pipeline(collector=ListCollector(PAIRS), exporter=ft.JsonlExporter(tmp_path / "t.jsonl")).run()
    with (tmp_path / "t.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"x": 1}) + "\n")
    with pytest.raises(ExportError):
        ft.recheck(run.datasets[0], check=checks[1])
    with pytest.raises(ExportError):
        ft.recheck(tmp_path / "none.manifest.json", check=checks[1])


@pytest.mark.parametrize(
    "arguments", [{"check": None}, {"check": ft.CheckCode}, {"check": "fury"}, {"check": PAIRS[0]}]
)
def test_what_is_not_a_check_is_refused(arguments) -> None:
    with pytest.raises(ConfigError, match="check must be a CheckCode"):
        ft.recheck(PAIRS, **arguments)


@pytest.mark.parametrize("data", [7, None, ["text"], [ft.Dropped(reason="own:x")]])
def test_what_is_not_data_is_refused(checks, data) -> None:
    with pytest.raises(ConfigError, match="give pairs, a data set or its manifest"):
        ft.recheck(data, check=checks[1])
    with pytest.raises(ConfigError, match="before must be a CheckCode"):
        ft.recheck(PAIRS, check=checks[1], before=7)
