"""Tests the bytes and the manifest that exporters write, and what they refuse."""

from __future__ import annotations

import csv
import errno
import hashlib
import json
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path
from types import MappingProxyType

import pytest
from attrs import Factory, frozen

from furytune import dialects
from furytune._storage.manifests import read_head
from furytune.errors import ConfigError, ExportError
from furytune.exporters import load_dataset
from furytune.exporters.csv import CsvExporter
from furytune.exporters.jsonl import JsonlExporter
from furytune.protocols import Exporter
from furytune.records import Dropped, Prompt, Source, TrainingRow
from furytune.report import Tally


@frozen
class Contract:
    """The part of a prompt contract that an exporter reads."""

    fingerprint: str = "f" * 64
    snapshot: str = "s" * 8
    form: object = Factory(
        lambda: MappingProxyType({"template": MappingProxyType({"user": "{question}"}), "list": (1,)})
    )


def row(n, *, split="train", text=None, answer="an answer", system="", **more):
    prompt = Prompt(text=f"question {n}" if text is None else text, system=system)
    return TrainingRow(id=f"r{n}", group=f"g{n}", split=split, prompt=prompt, answer=answer, **more)


ROWS = [
    row(1, source=Source(path="a/b.json", line=3, guild="1", channel="2", thread="3"), messages=("10", "11")),
    row(2, split="validation", text="Ünï 😀\u2028\x00", answer='say "hi",\r\nthen\rgo'),
    row(3, system="You help."),
    row(4, system="Other.", answer="=1+1"),
]


class TestJsonl:
    @pytest.mark.parametrize("dialect", sorted(dialects.DIALECTS))
    def test_each_line_is_the_row_of_the_dialect(self, tmp_path, dialect):
        data = JsonlExporter(tmp_path / "train.jsonl", dialect=dialect).export(ROWS, contract=Contract())
        for file, rows in zip(data.files, (ROWS[:1] + ROWS[2:], ROWS[1:2]), strict=True):
            text = Path(file.path).read_bytes()
            assert text.endswith(b"\n")
            assert b"\r" not in text
            found = [json.loads(line) for line in text.decode().split("\n")[:-1]]
            assert found == [dialects.get(dialect).row(r.prompt, r.answer) for r in rows]
        assert "Ünï 😀" in text.decode()

    def test_a_dialect_that_changes_its_texts_encodes_every_row(self, tmp_path, monkeypatch):
        odd = dialects.Dialect(
            name="odd",
            version=1,
            request=lambda prompt: {"p": prompt.text},
            row=lambda prompt, answer: {"p": prompt.text.upper(), "a": answer[::-1]},
            texts=lambda r: (r["p"], r["a"]),
        )
        monkeypatch.setattr(dialects, "DIALECTS", {"odd": odd})
        JsonlExporter(tmp_path / "train.jsonl", dialect="odd").export([row(1), row(2)], contract=Contract())
        lines = (tmp_path / "train.jsonl").read_text().splitlines()
        assert [json.loads(line) for line in lines] == [odd.row(r.prompt, r.answer) for r in (row(1), row(2))]
        CsvExporter(tmp_path / "train.csv", dialect="odd").export([row(1), row(2)], contract=Contract())
        with (tmp_path / "train.csv").open(newline="") as file:
            assert list(csv.reader(file))[1:] == [["QUESTION 1", "rewsna na"], ["QUESTION 2", "rewsna na"]]

    def test_text_that_looks_like_the_encoders_marks_is_written_unchanged(self, tmp_path):
        marks = "furytune:5f1d7a:text furytune:5f1d7a:answer"
        rows = [row(1, text=marks, answer=marks, system=marks), row(2, text=marks, answer=marks)]
        for dialect in dialects.DIALECTS:
            JsonlExporter(tmp_path / "t.jsonl", dialect=dialect).export(rows, contract=Contract())
            lines = (tmp_path / "t.jsonl").read_text().splitlines()
            assert [json.loads(line) for line in lines] == [
                dialects.get(dialect).row(r.prompt, r.answer) for r in rows
            ]
        CsvExporter(tmp_path / "t.csv").export(rows, contract=Contract())
        with (tmp_path / "t.csv").open(newline="") as file:
            assert list(csv.reader(file))[1:] == [[f"{marks}\n\n{marks}", marks], [marks, marks]]

    def test_unknown_dialects_and_compressed_names_are_refused_at_once(self, tmp_path):
        with pytest.raises(ConfigError, match="no dialect is called 'x'"):
            JsonlExporter(tmp_path / "t.jsonl", dialect="x")
        with pytest.raises(ConfigError, match="uncompressed"):
            JsonlExporter(tmp_path / "t.jsonl.gz")


class TestCsv:
    def test_it_is_rfc_4180_with_every_field_quoted(self, tmp_path):
        CsvExporter(tmp_path / "t.csv").export([ROWS[3], ROWS[0]], contract=Contract())
        assert (tmp_path / "t.csv").read_bytes() == (
            b'"input","output"\r\n"Other.\n\nquestion 4","\'=1+1"\r\n"question 1","an answer"\r\n'
        )

    def test_pythons_reader_reads_it(self, tmp_path):
        data = CsvExporter(tmp_path / "t.csv", escape_formulas=False).export(ROWS, contract=Contract())
        with Path(data.files[1].path).open(newline="", encoding="utf-8") as file:
            assert list(csv.reader(file)) == [["input", "output"], [ROWS[1].prompt.text, ROWS[1].answer]]

    @pytest.mark.parametrize("first", "=+-@\t\r\0'")
    def test_no_cell_begins_like_a_formula(self, tmp_path, first):
        rows = [row(1, text=first + "x", answer=first + "y")]
        CsvExporter(tmp_path / "t.csv").export(rows, contract=Contract())
        with (tmp_path / "t.csv").open(newline="") as file:
            assert list(csv.reader(file))[1] == ["'" + first + "x", "'" + first + "y"]
        CsvExporter(tmp_path / "t.csv", escape_formulas=False).export(rows, contract=Contract())
        with (tmp_path / "t.csv").open(newline="") as file:
            assert list(csv.reader(file))[1] == [first + "x", first + "y"]

    def test_columns_decide_the_dialect(self):
        assert CsvExporter("t.csv").dialect == "plain"
        assert CsvExporter("t.csv", columns=("text_input", "output")).dialect == "gemini-developer"
        assert CsvExporter("t.csv", columns=["Q", "A"], dialect="plain").columns == ("Q", "A")

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"columns": ("q", "a")}, "no known dialect"),
            ({"columns": ("q",), "dialect": "plain"}, "two names"),
            ({"columns": ("q", ""), "dialect": "plain"}, "two names"),
            ({"columns": ("q", "q"), "dialect": "plain"}, "both columns"),
            ({"columns": ("=q", "a"), "dialect": "plain"}, "like a formula"),
            ({"dialect": "gemini"}, "use JsonlExporter"),
            ({"dialect": "none"}, "no dialect"),
        ],
    )
    def test_arguments_that_cannot_work_are_refused(self, arguments, message):
        with pytest.raises(ConfigError, match=message):
            CsvExporter("t.csv", **arguments)


@pytest.mark.parametrize("kind", [CsvExporter, JsonlExporter])
class TestBoth:
    def test_it_fits_the_protocol(self, kind):
        assert isinstance(kind("t"), Exporter)

    def test_load_dataset_returns_what_export_returned(self, tmp_path, kind):
        data = kind(tmp_path / "train.x").export(ROWS, contract=Contract())
        assert load_dataset(data.manifest) == data
        assert data.rows == 4
        assert [f.split for f in data.files] == ["train", "validation"]
        assert [f.path for f in data.files] == [
            str(tmp_path / "train.x"),
            str(tmp_path / "train.validation.x"),
        ]
        for file in data.files:
            content = Path(file.path).read_bytes()
            assert (file.size, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())

    def test_the_manifest_says_what_each_row_was_made_from(self, tmp_path, kind):
        tally = Tally()

        def rows():
            for r in ROWS:
                tally.rows += 1
                yield r
            tally.drop(Dropped(reason="duplicate", ids=("x",)))

        data = kind(tmp_path / "t.x").export(rows(), contract=Contract(), tally=tally)
        found = json.loads(Path(data.manifest).read_bytes())
        assert found["sources"][0] == {
            "id": "r1",
            "split": "train",
            "group": "g1",
            "path": "a/b.json",
            "line": 3,
            "guild": "1",
            "channel": "2",
            "thread": "3",
            "messages": ["10", "11"],
        }
        assert [s["id"] for s in found["sources"]] == ["r1", "r2", "r3", "r4"]
        assert found["counts"] == json.loads(json.dumps(tally.counts.as_json()))
        assert found["contract"] == {
            "fingerprint": "f" * 64,
            "snapshot": "s" * 8,
            "form": {"template": {"user": "{question}"}, "list": [1]},
        }
        assert [f["name"] for f in found["files"]] == ["t.x", "t.validation.x"]
        assert str(tmp_path) not in Path(data.manifest).read_text()

    def test_an_export_without_rows_is_an_empty_data_set(self, tmp_path, kind):
        data = kind(tmp_path / "t.x").export([], contract=Contract())
        assert [f.rows for f in data.files] == [0]
        assert load_dataset(data.manifest) == data

    def test_validation_rows_may_go_elsewhere(self, tmp_path, kind):
        (tmp_path / "v").mkdir()
        data = kind(tmp_path / "t.x", validation=tmp_path / "v" / "w.x").export(ROWS, contract=Contract())
        assert json.loads(Path(data.manifest).read_text())["files"][1]["name"] == "v/w.x"
        assert load_dataset(data.manifest) == data

    @pytest.mark.parametrize(
        ("bad", "message"),
        [
            (row(7, text=""), "'r7': its prompt is empty"),
            (row(7, text=" \n\t"), "'r7': its prompt is empty"),
            (row(7, answer=""), "'r7': its answer is empty"),
            (row(7, text="a\ud800"), "'r7': its prompt contains a lone surrogate"),
            (row(7, system="a\udfff"), "'r7': its system instruction contains a lone surrogate"),
            (row(7, answer="a\ud800"), "'r7': its answer contains a lone surrogate"),
            (row("\ud800", text="q"), r"'r\\ud800': its id, group or source contains"),
            (row(7, messages=("\ud800",)), "'r7': its id, group or source contains"),
            (row(1), "row id 'r1' occurs twice"),
            (row(7, split="test"), "'r7': its split is neither"),
        ],
    )
    def test_text_that_is_empty_or_not_utf8_is_refused_with_its_row_id(self, tmp_path, kind, bad, message):
        with pytest.raises(ExportError, match=message) as caught:
            kind(tmp_path / "t.x").export([*ROWS, bad], contract=Contract())
        assert "nothing was written" in str(caught.value)
        assert list(tmp_path.iterdir()) == []

    def test_an_error_in_the_rows_passes_through_and_old_files_stay(self, tmp_path, kind):
        kind(tmp_path / "t.x").export(ROWS, contract=Contract())
        before = {p: p.read_bytes() for p in tmp_path.iterdir()}

        def rows():
            yield ROWS[0]
            raise OSError(errno.EIO, "the source broke")

        with pytest.raises(OSError, match="the source broke"):
            kind(tmp_path / "t.x").export(rows(), contract=Contract())
        assert {p: p.read_bytes() for p in tmp_path.iterdir()} == before

    def test_a_run_without_validation_rows_removes_the_old_validation_file(self, tmp_path, kind):
        kind(tmp_path / "t.x").export(ROWS, contract=Contract())
        data = kind(tmp_path / "t.x").export(ROWS[:1], contract=Contract())
        assert sorted(p.name for p in tmp_path.iterdir()) == ["t.x", "t.x.manifest.json"]
        assert load_dataset(data.manifest) == data

    def test_an_unknown_file_named_like_the_validation_file_is_kept(self, tmp_path, kind):
        (tmp_path / "t.validation.x").write_text("mine")
        with pytest.raises(ExportError, match="move it away"):
            kind(tmp_path / "t.x").export(ROWS[:1], contract=Contract())
        assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("t.validation.x", "mine")]

    @pytest.mark.parametrize("name", ["t.x", "t.validation.x", "t.x.manifest.json"])
    def test_a_path_that_is_a_folder_is_refused(self, tmp_path, kind, name):
        (tmp_path / name).mkdir()
        with pytest.raises(ExportError, match="this is a folder, not a file; nothing was written"):
            kind(tmp_path / "t.x").export(ROWS, contract=Contract())
        assert [p.name for p in tmp_path.iterdir()] == [name]

    def test_a_missing_folder_and_equal_paths_are_refused(self, tmp_path, kind):
        with pytest.raises(ExportError, match="No such file"):
            kind(tmp_path / "absent" / "t.x").export(ROWS, contract=Contract())
        with pytest.raises(ExportError, match="opened twice"):
            kind(tmp_path / "t.x", validation=tmp_path / "t.x").export(ROWS, contract=Contract())
        assert list(tmp_path.iterdir()) == []

    def test_memory_does_not_grow_with_the_rows(self, tmp_path, kind):
        def peak(count):
            tracemalloc.start()
            text = "words and words " * 20
            kind(tmp_path / "t.x").export((row(n, text=text) for n in range(count)), contract=Contract())
            found = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return found

        peak(10)
        few, many = peak(4_000), peak(40_000)
        assert many - few < 40 * 36_000, (few, many)

    def test_equal_rows_give_equal_bytes_on_any_machine(self, tmp_path, kind):
        script = (
            "import sys; sys.path.insert(0, sys.argv[1])\n"
            "from test_exporters import ROWS, Contract, CsvExporter, JsonlExporter\n"
            f"{kind.__name__}('t.x').export(ROWS, contract=Contract())\n"
        )
        seen = []
        for n, extra in enumerate(
            ({"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo", "LC_ALL": "C"}, {"PYTHONHASHSEED": "2", "TZ": "UTC"})
        ):
            folder = tmp_path / f"folder{n}"
            folder.mkdir()
            command = [sys.executable, "-c", script, str(Path(__file__).parent)]
            subprocess.run(command, cwd=folder, env=os.environ | extra, check=True)
            seen.append({p.name: p.read_bytes() for p in folder.iterdir()})
        assert seen[0] == seen[1]
        assert len(seen[0]) == 3


class TestLoadDataset:
    @pytest.fixture(params=[CsvExporter, JsonlExporter])
    def data(self, tmp_path, request):
        return request.param(tmp_path / "t.x").export(ROWS, contract=Contract())

    @pytest.mark.parametrize("at", [0, 1])
    def test_any_changed_byte_is_found_and_the_file_named(self, data, at):
        path = data.files[at].path
        content = bytearray(Path(path).read_bytes())
        content[-4] ^= 1
        Path(path).write_bytes(content)
        with pytest.raises(ExportError, match="sha256 differs") as caught:
            load_dataset(data.manifest)
        assert str(caught.value).startswith(path)

    def test_a_truncated_file_and_a_missing_file_are_found(self, data):
        path = data.files[1].path
        os.truncate(path, 5)
        with pytest.raises(ExportError, match="has 5 bytes instead of"):
            load_dataset(data.manifest)
        Path(path).unlink()
        with pytest.raises(ExportError, match="cannot be read"):
            load_dataset(data.manifest)

    def test_every_prefix_of_a_manifest_is_refused(self, data):
        content = Path(data.manifest).read_bytes()
        for end in range(len(content) - 1):
            Path(data.manifest).write_bytes(content[:end])
            with pytest.raises(ExportError):
                load_dataset(data.manifest)

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            (b'"rows":3', b'"rows":2'),
            (b"furytune-dataset/1", b"furytune-dataset/9"),
            (b'"size"', b'"sise"'),
            (b'"sources":[\n', b'"sources":[\n{}\n'),
            (b'"files":[', b'"files":7,"x":['),
        ],
    )
    def test_a_manifest_that_was_edited_is_refused(self, data, old, new):
        content = Path(data.manifest).read_bytes()
        assert old in content
        Path(data.manifest).write_bytes(content.replace(old, new))
        with pytest.raises(ExportError):
            load_dataset(data.manifest)

    def test_a_manifest_whose_row_counts_are_exchanged_is_refused(self, data):
        content = Path(data.manifest).read_bytes()
        content = (
            content.replace(b'"rows":3', b'"rows":X')
            .replace(b'"rows":1', b'"rows":3')
            .replace(b'"rows":X', b'"rows":1')
        )
        Path(data.manifest).write_bytes(content)
        with pytest.raises(ExportError, match="rows instead of"):
            load_dataset(data.manifest)

    def test_a_head_without_end_is_not_read_into_memory(self, data):
        with pytest.raises(ValueError, match="too long"):
            read_head(Path(data.manifest), limit=100)

    def test_a_missing_manifest_is_refused(self, tmp_path):
        with pytest.raises(ExportError, match="cannot be read"):
            load_dataset(tmp_path / "none.manifest.json")


@pytest.mark.parametrize("kind", [CsvExporter, JsonlExporter])
@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_a_failing_system_call_leaves_old_new_or_refused_files(tmp_path, monkeypatch, kind, code):
    """Makes the n-th open, write, fsync or rename fail, for n = 1, 2, 3 ... until an export succeeds."""
    exporter = kind(tmp_path / "t.x")
    old, new = [row(1), row(2, split="validation")], [row(3), row(4, split="validation")]
    whole = []
    for rows in (new, old):
        data = exporter.export(rows, contract=Contract())
        whole.append({p.name: p.read_bytes() for p in tmp_path.iterdir()})
    real = {name: getattr(os, name) for name in ("open", "write", "fsync", "replace")}
    mixed = 0
    for n in range(1, 100):
        count = 0

        def broken(name):
            def call(*args, **kwargs):
                nonlocal count
                count += 1
                if count == n:  # noqa: B023
                    raise OSError(code, os.strerror(code))
                return real[name](*args, **kwargs)

            return call

        with monkeypatch.context() as patch:
            for name in real:
                patch.setattr(os, name, broken(name))
            try:
                exporter.export(new, contract=Contract())
                failed = False
            except ExportError as error:
                assert os.strerror(code) in str(error)  # noqa: PT017
                failed = True
        found = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
        assert set(found) == set(whole[0])
        assert all(found[name] in (whole[0][name], whole[1][name]) for name in found)
        if found in whole:
            load_dataset(data.manifest)
        else:
            mixed += 1
            with pytest.raises(ExportError, match="export the data set again"):
                load_dataset(data.manifest)
        if not failed and count < n:
            break
        exporter.export(old, contract=Contract())
    else:
        pytest.fail("no run succeeded")
    assert found == whole[0]
    assert 1 <= mixed < n
