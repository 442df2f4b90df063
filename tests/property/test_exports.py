"""Laws of an export: which bytes it writes, what its manifest says, and what a later export leaves of an earlier one."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import furytune as ft
from furytune import dialects
from furytune.errors import ConfigError, ExportError
from furytune.records import Prompt, TrainingRow
from furytune.testing import strategies as fs

# Thousands of small exports: in memory, where bringing a file to disk costs nothing.
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
SPLITS = ("train", "validation")
KINDS = {"jsonl": ft.JsonlExporter, "csv": ft.CsvExporter}
kinds = st.sampled_from(sorted(KINDS))


@attrs.frozen
class Contract:
    fingerprint: str = "f"
    snapshot: str = "s"
    form: object = attrs.Factory(dict)


@st.composite
def rows(draw, max_size=8) -> list[TrainingRow]:
    """Rows of both splits, with ids in any order."""
    texts = draw(
        st.lists(st.tuples(fs.questions(), fs.questions(), st.sampled_from(SPLITS)), max_size=max_size)
    )
    ids = draw(st.permutations(range(len(texts))))
    return [
        TrainingRow(id=f"r{n}", group=f"g{n}", split=split, prompt=Prompt(text=text), answer=answer)
        for n, (text, answer, split) in zip(ids, texts, strict=True)
    ]


@contextmanager
def folder() -> Iterator[Path]:
    with TemporaryDirectory(dir=MEMORY) as name:
        yield Path(name)


def export(place: Path, kind: str, made: list[TrainingRow]) -> ft.Dataset:
    return KINDS[kind](place / f"t.{kind}").export(made, contract=Contract())


def contents(place: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in place.iterdir()}


@given(rows(), kinds)
def test_equal_rows_give_equal_files_whatever_was_there_before(made, kind) -> None:
    with folder() as one, folder() as other:
        export(other, kind, [attrs.evolve(r, answer="earlier") for r in made])
        export(one, kind, made)
        export(other, kind, made)

        assert contents(one) == contents(other)


@given(rows(), kinds)
def test_the_manifest_lists_each_file_and_each_row(made, kind) -> None:
    with folder() as place:
        data = export(place, kind, made)
        manifest = json.loads(Path(data.manifest).read_bytes())
        listed = [(s["id"], s["split"]) for s in manifest["sources"]]

        assert sorted(listed) == sorted((r.id, r.split) for r in made)
        for split in SPLITS:
            wanted = [r.id for r in made if r.split == split]
            assert [uid for uid, side in listed if side == split] == wanted
            assert sum(f.rows for f in data.files if f.split == split) == len(wanted)
        for file in data.files:
            content = Path(file.path).read_bytes()
            assert (file.size, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
        assert {p.name for p in place.iterdir() if not p.name.startswith(".")} == {
            Path(data.manifest).name,
            *(Path(f.path).name for f in data.files),
        }


@given(rows(), kinds)
def test_a_loaded_data_set_is_the_one_that_was_written(made, kind) -> None:
    with folder() as place:
        data = export(place, kind, made)

        assert ft.load_dataset(data.manifest) == data


@given(rows(), kinds, st.data())
def test_a_data_file_with_one_other_byte_is_refused(made, kind, data) -> None:
    with folder() as place:
        written = export(place, kind, made)
        files = [Path(f.path) for f in written.files if f.size]
        if not files:
            return
        file = data.draw(st.sampled_from(files))
        content = bytearray(file.read_bytes())
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
        file.write_bytes(content)
        with pytest.raises(ExportError, match=file.name):
            ft.load_dataset(written.manifest)


@given(rows(max_size=5), rows(max_size=5), kinds)
def test_a_failed_export_leaves_the_earlier_one(before, after, kind) -> None:
    """The row that cannot be written comes last, when all others are in the temporary files."""
    torn = TrainingRow(id="torn", group="g", split="train", prompt=Prompt(text="q"), answer="\ud800")
    with folder() as place:
        export(place, kind, before)
        found = contents(place)
        with pytest.raises(ExportError, match="torn"):
            export(place, kind, [*after, torn])

        assert contents(place) == found


@given(rows(max_size=4), kinds)
def test_an_id_that_comes_twice_is_refused_before_anything_appears(made, kind) -> None:
    with folder() as place:
        again = [*made, *made[:1]]
        if not made:
            return
        with pytest.raises(ExportError, match=made[0].id):
            export(place, kind, again)

        assert [p for p in contents(place) if not p.startswith(".")] == []


@given(rows(), st.sampled_from(sorted(dialects.DIALECTS)))
def test_each_line_is_the_row_of_the_dialect(made, dialect) -> None:
    with folder() as place:
        data = ft.JsonlExporter(place / "t.jsonl", dialect=dialect).export(made, contract=Contract())
        for file in data.files:
            lines = Path(file.path).read_bytes().split(b"\n")
            assert lines.pop() == b""
            wanted = [r for r in made if r.split == file.split]
            assert [json.loads(line) for line in lines] == [
                dialects.get(dialect).row(r.prompt, r.answer) for r in wanted
            ]


@given(rows(), st.booleans())
def test_a_spreadsheet_runs_no_cell(made, system) -> None:
    """No cell begins like a formula, and a reader that removes the quotes gets every text back."""
    if system:
        made = [attrs.evolve(r, prompt=attrs.evolve(r.prompt, system="=HYPERLINK(1)")) for r in made]
    with folder() as place:
        data = ft.CsvExporter(place / "t.csv").export(made, contract=Contract())
        for file in data.files:
            with Path(file.path).open(newline="", encoding="utf-8") as lines:
                _, *found = csv.reader(lines)
            cells = [cell for line in found for cell in line]
            assert not [cell for cell in cells if cell[:1] in set("=+-@\t\r\0")]
            # No cell gets a quote that needs none.
            assert all(cell[1:2] in set("=+-@\t\r\0'") for cell in cells if cell.startswith("'"))
        read = [(p.question, p.answer) for f in data.files for p in ft.CsvCollector(f.path).collect()]
        texts = [
            (f"{r.prompt.system}\n\n{r.prompt.text}" if system else r.prompt.text, r.answer)
            for split in SPLITS
            for r in made
            if r.split == split
        ]
        assert read == texts


class TestPaths:
    @pytest.mark.parametrize("name", ["t.jsonl.gz", "t.csv.bz2", "t.XZ", "t.zst", "", "."])
    @pytest.mark.parametrize("kind", sorted(KINDS))
    def test_a_path_that_is_not_a_plain_file_is_refused(self, kind, name):
        with pytest.raises(ConfigError, match="path of an uncompressed file"):
            KINDS[kind](name)

    @pytest.mark.parametrize("kind", sorted(KINDS))
    def test_the_validation_file_lies_beside_the_train_file(self, tmp_path, kind):
        exporter = KINDS[kind](tmp_path / f"my.data.{kind}")

        assert exporter.targets == (tmp_path / f"my.data.{kind}", tmp_path / f"my.data.validation.{kind}")

    @pytest.mark.parametrize("kind", sorted(KINDS))
    def test_a_validation_file_of_an_earlier_run_is_removed_and_others_stay(self, tmp_path, kind):
        made = [
            TrainingRow(id=split, group="g", split=split, prompt=Prompt(text="q"), answer="a")
            for split in SPLITS
        ]
        export(tmp_path, kind, made)
        (tmp_path / f"other.validation.{kind}").write_text("mine")
        data = export(tmp_path, kind, made[:1])

        assert [f.split for f in data.files] == ["train"]
        assert not (tmp_path / f"t.validation.{kind}").exists()
        assert (tmp_path / f"other.validation.{kind}").read_text() == "mine"
