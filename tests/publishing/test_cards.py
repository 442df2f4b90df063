"""A card and Croissant metadata describe the data sets of a folder, and replace nothing that someone else wrote."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
import yaml
from hostile_rows import ROWS, Rendered, csv, jsonl

import furytune as ft
from furytune import dialects
from furytune.errors import ConfigError, ExportError
from furytune.records import Dropped
from furytune.report import Tally

ALL = {"licence": "CC-BY-4.0", "name": "Sphere Makers: help"}


def front_matter(card) -> dict:
    text = Path(card.readme).read_text(encoding="utf-8")
    return yaml.safe_load(text.split("---\n")[1])


@pytest.fixture
def folder(tmp_path):
    for dialect in dialects.DIALECTS:
        jsonl(tmp_path, dialect)
    return tmp_path


def listed(folder, matter) -> dict:
    """Lines of each split, by name and split, found by the front matter alone."""
    return {
        (config["config_name"], file["split"]): (folder / file["path"]).read_bytes().count(b"\n")
        for config in matter["configs"]
        for file in config["data_files"]
    }


def test_the_card_lists_each_dialect_and_split(folder) -> None:
    card = ft.write_card(folder, **ALL, language=["en", "de"], tags=["a: b"], about="Ask *us*.")
    matter = front_matter(card)
    assert card.names == tuple(sorted(dialects.DIALECTS))
    assert listed(folder, matter) == {
        (name, split): sum(row.split == split for row in ROWS)
        for name in dialects.DIALECTS
        for split in ("train", "validation")
    }
    assert [config["config_name"] for config in matter["configs"] if config.get("default")] == [card.names[0]]
    assert matter["license"] == "cc-by-4.0"
    assert matter["pretty_name"] == ALL["name"]
    assert matter["language"] == ["en", "de"]
    assert matter["tags"] == ["furytune", "a: b"]
    assert matter["size_categories"] == ["n<1K"]
    assert "Ask *us*." in Path(card.readme).read_text(encoding="utf-8")


def test_types_are_those_of_the_rows(folder) -> None:
    """Whatever a row has, the front matter declares, and nothing else."""
    infos = front_matter(ft.write_card(folder, **ALL))["dataset_info"]
    features = {info["config_name"]: info["features"] for info in infos}

    def fits(feature, value) -> bool:
        if isinstance(value, str):
            return feature.get("dtype") == "string"
        if isinstance(value, list):
            return all(fits_all(feature["list"], element) for element in value)
        return fits_all(feature["struct"], value)

    def fits_all(declared, value) -> bool:
        return {f["name"] for f in declared} == value.keys() and all(
            fits(f, value[f["name"]]) for f in declared
        )

    for name in dialects.DIALECTS:
        for line in (folder / f"{name}.jsonl").read_bytes().splitlines():
            assert fits_all(features[name], json.loads(line))


def test_metadata_have_digests_and_sizes_of_the_files(folder) -> None:
    metadata = json.loads(Path(ft.write_card(folder, **ALL).croissant).read_bytes())
    files = {file["@id"]: file for file in metadata["distribution"]}
    assert len(files) == 2 * len(dialects.DIALECTS)
    for file in files.values():
        data = (folder / file["contentUrl"]).read_bytes()
        assert file["sha256"] == hashlib.sha256(data).hexdigest()
        assert file["contentSize"] == f"{len(data)} B"
    for records in metadata["recordSet"]:
        for field in records["field"]:
            for leaf in field.get("subField", [field]):
                assert leaf["source"]["fileObject"]["@id"] in files


def test_neither_file_holds_text_ids_or_names(folder) -> None:
    card = ft.write_card(folder, **ALL)
    for path in (card.readme, card.croissant):
        text = Path(path).read_text(encoding="utf-8")
        for row in ROWS:
            for part in (row.prompt.text, row.answer, row.prompt.system):
                assert len(part) < 6 or part not in text
            assert row.id not in text.split()
        assert "a/b.json" not in text


def test_equal_data_sets_give_equal_bytes_anywhere(folder, tmp_path_factory) -> None:
    other = tmp_path_factory.mktemp("other") / "folder"
    shutil.copytree(folder, other)
    first, second = (ft.write_card(place, **ALL) for place in (folder, other))
    assert Path(first.readme).read_bytes() == Path(second.readme).read_bytes()
    assert Path(first.croissant).read_bytes() == Path(second.croissant).read_bytes()
    before = Path(first.readme).read_bytes()
    assert ft.write_card(folder, **ALL) == first
    assert Path(first.readme).read_bytes() == before


def test_csv_is_listed_if_it_is_alone_and_described_if_not(tmp_path) -> None:
    dataset = csv(tmp_path, columns=('q "x"', "a: b"), dialect="plain")
    card = ft.write_card(dataset, **ALL)
    matter = front_matter(card)
    assert card.names == ("plain-csv",)
    assert matter["configs"][0]["keep_default_na"] is False
    assert [f["name"] for f in matter["dataset_info"][0]["features"]] == ['q "x"', "a: b"]
    assert "has one more `'` before it" in Path(card.readme).read_text(encoding="utf-8")
    jsonl(tmp_path, "plain")
    card = ft.write_card(tmp_path, **ALL)
    assert card.names == ("plain",)
    assert 'load_dataset("csv", data_files=' in Path(card.readme).read_text(encoding="utf-8")


@pytest.mark.parametrize("make", [lambda folder: jsonl(folder, "plain"), csv])
def test_pandas_and_polars_read_the_texts_as_the_card_says(tmp_path, monkeypatch, make) -> None:
    card = ft.write_card(make(tmp_path), **ALL)
    monkeypatch.chdir(tmp_path)
    code = Path(card.readme).read_text(encoding="utf-8").rsplit("```python\n", 1)[1].split("```")[0]
    names: dict = {}
    *imports, pandas, polars = [line for line in code.splitlines() if line]
    exec("\n".join(imports), names)
    frames = eval(pandas, names)["output"].tolist(), eval(polars, names)["output"].to_list()
    escaped = "=+-@\t\r\0'" if make is csv else ""
    for answers in frames:
        assert answers == [
            "'" + row.answer if row.answer[0] in escaped else row.answer
            for row in ROWS
            if row.split == "train"
        ]


def test_counts_and_permission_are_told(tmp_path) -> None:
    tally = Tally()
    tally.drop(Dropped(reason="own:a|<b>", where="secret place", ids=("77777",)))
    tally.drop(Dropped(reason="duplicate"))
    tally.provenance.append(
        {
            "collector": "discord",
            "guild": "99999",
            "permission": [{"statement": "The moderators | <b>agreed</b>", "since": "2024-05-01"}],
        }
    )
    exporter = ft.JsonlExporter(tmp_path / "train.jsonl")
    dataset = exporter.export(ROWS, contract=Rendered(), tally=tally)
    text = Path(ft.write_card(dataset, **ALL).readme).read_text(encoding="utf-8")
    assert r"own:a\|\<b\>" in text
    assert "| 1 | pair | duplicate |" in text
    assert r"Permission: The moderators \| \<b\>agreed\</b\> (since 2024-05-01)" in text
    assert dataset.fingerprint in text
    assert dataset.snapshot in text
    assert not {"secret place", "77777", "99999"} & {
        word for word in ("secret place", "77777", "99999") if word in text
    }


@pytest.mark.parametrize("name", ["README.md", "croissant.json"])
def test_a_file_of_someone_else_is_never_replaced(folder, name) -> None:
    (folder / name).write_text("mine\n", encoding="utf-8")
    with pytest.raises(ExportError, match=f"{name}: was not written by write_card"):
        ft.write_card(folder, **ALL)
    assert (folder / name).read_text(encoding="utf-8") == "mine\n"
    assert {"README.md", "croissant.json"} & {p.name for p in folder.iterdir()} == {name}


@pytest.mark.parametrize("name", ["README.md", "croissant.json"])
def test_an_edited_file_is_not_replaced_and_an_unedited_one_is(folder, name) -> None:
    ft.write_card(folder, **ALL)
    ft.write_card(folder, licence="mit", name="another")
    path = folder / name
    path.write_bytes(path.read_bytes().replace(b"another", b"my own"))
    edited = path.read_bytes()
    with pytest.raises(ExportError, match="was edited since"):
        ft.write_card(folder, **ALL)
    assert path.read_bytes() == edited


def test_a_call_that_stopped_between_the_two_files_can_be_repeated(folder) -> None:
    card = ft.write_card(folder, licence="mit", name="before")
    old = Path(card.readme).read_bytes()
    ft.write_card(folder, **ALL)
    new = Path(card.readme).read_bytes()
    Path(card.readme).write_bytes(old)  # the metadata are renamed first
    ft.write_card(folder, **ALL)
    assert Path(card.readme).read_bytes() == new


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"licence": "my licence"}, "SPDX identifier"),
        ({"licence": "https://a b"}, "SPDX identifier"),
        ({"name": "two\nlines"}, "name must be one line"),
        ({"name": "\ud800"}, "name must be one line"),
        ({"about": "\ud800"}, "lone surrogate"),
        ({"language": "English"}, "ISO 639"),
        ({"tags": [""]}, "tags must be one line"),
    ],
)
def test_a_malformed_argument_is_refused(folder, change, message) -> None:
    with pytest.raises(ConfigError, match=message):
        ft.write_card(folder, **{**ALL, **change})
    assert not (folder / "README.md").exists()


@pytest.mark.parametrize("name", ["train.txt", "a[1].jsonl", "_train.jsonl", ".train.jsonl", "tr\nain.jsonl"])
def test_a_name_that_other_programs_do_not_find_is_refused(tmp_path, name) -> None:
    dataset = ft.JsonlExporter(tmp_path / name).export(ROWS, contract=Rendered())
    with pytest.raises(ConfigError, match="other programs"):
        ft.write_card(dataset, **ALL)


def test_a_folder_without_rows_is_refused_and_an_empty_split_left_out(tmp_path) -> None:
    with pytest.raises(ConfigError, match="contains no data set"):
        ft.write_card(tmp_path, **ALL)
    ft.JsonlExporter(tmp_path / "e.jsonl").export([], contract=Rendered())
    with pytest.raises(ConfigError, match="have no rows"):
        ft.write_card(tmp_path, **ALL)
    ft.JsonlExporter(tmp_path / "e.jsonl").export([ROWS[1]], contract=Rendered())
    matter = front_matter(ft.write_card(tmp_path, **ALL))
    assert [file["split"] for file in matter["configs"][0]["data_files"]] == ["validation"]


def test_a_changed_file_is_not_described(folder) -> None:
    with (folder / "openai.jsonl").open("a", encoding="utf-8") as file:
        file.write("{}\n")
    with pytest.raises(ExportError, match=r"openai\.jsonl: has"):
        ft.write_card(folder, **ALL)


def test_data_sets_of_several_folders_are_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    one, two, three = (tmp_path / name for name in ("one", "two", "one/three"))
    for place in (one, two, three):
        place.mkdir()
    with pytest.raises(ConfigError, match="in several"):
        ft.write_card([jsonl(one, "openai"), jsonl(two, "openai")], **ALL)
    beside = ft.JsonlExporter(one / "t.jsonl", validation=three / "v.jsonl").export(ROWS, contract=Rendered())
    with pytest.raises(ConfigError, match="in another folder than its manifest"):
        ft.write_card(beside, **ALL)
    (one / "t.jsonl.manifest.json").unlink()
    # The same folder, once by a relative path.
    both = [ft.load_dataset("one/openai.jsonl.manifest.json"), jsonl(one, "trl")]
    assert ft.write_card(both, **ALL).names == ("openai", "trl")


def test_counts_of_each_run_are_told_apart(tmp_path) -> None:
    for name, pairs in (("openai", 5), ("trl", 7)):
        tally = Tally()
        tally.pairs = pairs
        exporter = ft.JsonlExporter(tmp_path / f"{name}.jsonl", dialect=name)
        exporter.export(ROWS, contract=Rendered(), tally=tally)
    text = Path(ft.write_card(tmp_path, **ALL).readme).read_text(encoding="utf-8")
    assert (
        text.index("### openai") < text.index("5 pairs of") < text.index("### trl") < text.index("7 pairs of")
    )


def test_two_data_sets_of_one_dialect_have_two_names(tmp_path) -> None:
    for name in ("with", "with out"):
        ft.JsonlExporter(tmp_path / f"{name}.jsonl").export(ROWS, contract=Rendered())
    assert ft.write_card(tmp_path, **ALL).names == ("gemini-with", "gemini-with_out")
