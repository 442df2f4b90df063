"""Every built-in part keeps the rules that plugins are held to."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

import furytune as ft
from furytune.dialects import DIALECTS
from furytune.records import QAPair
from furytune.testing.conformance import check_augmenter, check_collector, check_exporter

EXPORTS = Path(__file__).parents[2] / "examples" / "exports"


@pytest.fixture
def pairs(tmp_path) -> Path:
    (tmp_path / "pairs.csv").write_text(
        "question,answer\nhow?,so\nwhy is it red?,because\n", encoding="utf-8"
    )
    (tmp_path / "pairs.jsonl").write_text('{"prompt": "how do I?", "completion": "so"}\n', encoding="utf-8")
    return tmp_path


def test_the_discord_export_collector() -> None:
    items = check_collector(lambda: ft.DiscordExportCollector(EXPORTS, author_key=b"k"))
    assert {i.method for i in items if isinstance(i, QAPair)} == {"thread", "reply"}


def test_the_table_collectors(pairs) -> None:
    assert len(check_collector(lambda: ft.CsvCollector(pairs / "pairs.csv"))) == 2
    assert len(check_collector(lambda: ft.JsonlCollector(pairs / "pairs.jsonl"))) == 1


def test_the_rag_augmenter(tmp_path) -> None:
    said = ft.Passage(id="chat", text="install it with conda", date=datetime(2020, 1, 1, tzinfo=UTC))
    ft.build_index(tmp_path / "c.lance", ft.python_package("json"), [said])
    check_augmenter(
        lambda: ft.RagAugmenter(tmp_path / "c.lance", k=3),
        [
            "how do I install it?",
            "dump an object",
            "JSONDecoder.raw_decode",
            "AND OR NOT *:*",
            "\U0001f600 zzzz",
        ],
    )


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_the_jsonl_exporter(tmp_path, dialect) -> None:
    assert (
        check_exporter(lambda f: ft.JsonlExporter(f / "t.jsonl", dialect=dialect), tmp_path).dialect
        == dialect
    )


@pytest.mark.parametrize("columns", [("input", "output"), ("text_input", "output")])
def test_the_csv_exporter(tmp_path, columns) -> None:
    check_exporter(lambda f: ft.CsvExporter(f / "t.csv", columns=columns), tmp_path)
