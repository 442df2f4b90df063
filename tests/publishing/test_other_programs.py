"""`datasets` and `mlcroissant` read what a card describes. Both are too heavy for the test extra; without them, this skips."""

from __future__ import annotations

import pytest
from hostile_rows import ROWS, csv, jsonl

import furytune as ft
from furytune import dialects

ALL = {"licence": "CC-BY-4.0", "name": "Sphere Makers: help"}
SPLITS = {split: [row for row in ROWS if row.split == split] for split in ("train", "validation")}


@pytest.fixture
def folder(tmp_path):
    for dialect in dialects.DIALECTS:
        jsonl(tmp_path, dialect)
    ft.write_card(tmp_path, **ALL)
    return tmp_path


@pytest.fixture
def cells(tmp_path):
    csv(tmp_path, escape_formulas=False)
    ft.write_card(tmp_path, **ALL)
    return tmp_path


@pytest.mark.filterwarnings("default")
def test_datasets_loads_each_dialect_and_split(folder, monkeypatch, tmp_path_factory) -> None:
    datasets = pytest.importorskip("datasets", reason="pip install datasets")
    cache = str(tmp_path_factory.mktemp("cache"))
    assert sorted(datasets.get_dataset_config_names(str(folder))) == sorted(dialects.DIALECTS)
    for name, dialect in dialects.DIALECTS.items():
        found = datasets.load_dataset(str(folder), name, cache_dir=cache)
        assert {split: list(found[split]) for split in found} == {
            split: [dialect.row(row.prompt, row.answer) for row in rows] for split, rows in SPLITS.items()
        }


@pytest.mark.filterwarnings("default")
def test_datasets_loads_csv(cells, tmp_path_factory) -> None:
    datasets = pytest.importorskip("datasets", reason="pip install datasets")
    found = datasets.load_dataset(str(cells), cache_dir=str(tmp_path_factory.mktemp("cache")))
    plain = dialects.get("plain")
    assert {split: list(found[split]) for split in found} == {
        split: [plain.row(row.prompt, row.answer) for row in rows] for split, rows in SPLITS.items()
    }


@pytest.mark.filterwarnings("default")
def test_mlcroissant_finds_no_error_and_reads_the_records(folder) -> None:
    croissant = pytest.importorskip("mlcroissant", reason="pip install mlcroissant")
    found = croissant.Dataset(str(folder / "croissant.json"))
    assert not found.metadata.issues.errors
    for name in dialects.DIALECTS:
        for split, rows in SPLITS.items():
            records = list(found.records(f"{name}-{split}"))
            assert len(records) == len(rows)
            for record, row in zip(records, rows, strict=True):
                assert row.answer.encode() in list(_leaves(record))


@pytest.mark.filterwarnings("default")
def test_mlcroissant_reads_a_formula_without_its_quote(tmp_path) -> None:
    croissant = pytest.importorskip("mlcroissant", reason="pip install mlcroissant")
    ft.write_card(csv(tmp_path), **ALL)
    found = croissant.Dataset(str(tmp_path / "croissant.json"))
    answers = [record["plain-csv-train/output"] for record in found.records("plain-csv-train")]
    # It reads with pandas' own missing values, so "null" is none.
    wanted = [None if row.answer == "null" else row.answer.encode() for row in SPLITS["train"]]
    assert answers == wanted


def _leaves(value):
    if isinstance(value, dict):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    else:
        yield value
