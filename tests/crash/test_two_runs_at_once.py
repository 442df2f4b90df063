"""Two runs cannot write the same data set at the same time, and a full temporary folder is reported."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress

import pytest

import furytune as ft
from furytune._storage.locks import lock_file
from furytune.errors import ExportError

RUN = """
import sys
import furytune as ft

ft.Pipeline(
    collector=ft.JsonlCollector(sys.argv[1]),
    exporter=[ft.JsonlExporter("out/t.jsonl"), ft.CsvExporter("out/t.csv")],
    template=ft.PromptTemplate("Q\\n{question}"),
    splitter=ft.GroupSplitter(0.0),
).run()
"""
ROUNDS = int(os.environ.get("FURYTUNE_RACES", "3"))


def pipeline(source, folder):
    return ft.Pipeline(
        collector=ft.JsonlCollector(source),
        exporter=[ft.JsonlExporter(folder / "t.jsonl"), ft.CsvExporter(folder / "t.csv")],
        template=ft.PromptTemplate("Q\n{question}"),
        splitter=ft.GroupSplitter(0.0),
    )


def source(path, letter, rows):
    line = '{"question": "q %s %d?", "answer": "%s"}\n'
    path.write_text("".join(line % (letter, n, letter * 400) for n in range(rows)))
    return path


def test_two_runs_into_one_folder_leave_data_sets_of_the_same_run(tmp_path):
    (tmp_path / "out").mkdir()
    for letter in "AB":
        source(tmp_path / f"{letter}.jsonl", letter, 2000)
    for _ in range(ROUNDS):
        children = [
            subprocess.Popen(
                [sys.executable, "-c", RUN, f"{letter}.jsonl"], cwd=tmp_path, stderr=subprocess.PIPE
            )
            for letter in "AB"
        ]
        errors = [child.communicate()[1].decode() for child in children]
        assert [child.returncode for child in children] == [0, 0], errors
        found = set()
        for name in ("t.jsonl", "t.csv"):
            ft.load_dataset(tmp_path / "out" / f"{name}.manifest.json")
            found.add("A" if b"AAAA" in (tmp_path / "out" / name).read_bytes() else "B")
        assert len(found) == 1
    assert sorted(p.name for p in (tmp_path / "out").iterdir() if p.name.startswith(".")) == []


class Between:
    """An exporter between two others, which calls a function."""

    def __init__(self, path, happens):
        self.inner, self.happens = ft.JsonlExporter(path), happens
        self.dialect = self.inner.dialect

    def export(self, rows, *, contract, tally=None):
        self.happens()
        return self.inner.export(rows, contract=contract, tally=tally)


def letters(folder):
    """Returns which run each of two complete data sets is from."""
    for name in ("t.jsonl", "t.csv"):
        ft.load_dataset(folder / f"{name}.manifest.json")
    return ["A" if b"AAAA" in (folder / name).read_bytes() else "B" for name in ("t.jsonl", "t.csv")]


def with_something_between(made, folder, happens):
    first, last = made.exporter
    return made.evolve(exporter=[first, Between(folder / "between.jsonl", happens), last])


def test_a_run_between_two_exporters_leaves_data_sets_of_the_same_run(tmp_path, monkeypatch):
    monkeypatch.setattr("furytune.exporters._writing.writing._WAIT", 0.1, raising=False)
    one, other = (pipeline(source(tmp_path / f"{letter}.jsonl", letter, 3), tmp_path) for letter in "AB")

    def happens():
        with suppress(ExportError):  # to wait, and to be told who is there, is right
            other.run()

    with_something_between(one, tmp_path, happens).run()
    assert letters(tmp_path) in (["A", "A"], ["B", "B"])


def test_a_run_that_fails_between_two_exporters_keeps_the_old_data_sets(tmp_path):
    old, new = (pipeline(source(tmp_path / f"{letter}.jsonl", letter, 3), tmp_path) for letter in "AB")
    old.run()

    def happens():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        with_something_between(new, tmp_path, happens).run()
    assert letters(tmp_path) == ["A", "A"]


def test_a_run_that_cannot_get_the_lock_says_who_has_it(tmp_path, monkeypatch):
    monkeypatch.setattr("furytune.exporters._writing.writing._WAIT", 0.1)
    ready = pipeline(source(tmp_path / "s.jsonl", "A", 3), tmp_path)
    with lock_file(tmp_path / ".t.jsonl.manifest.json.lock"):
        with pytest.raises(ExportError, match=f"held by process {os.getpid()} on .*nothing was written"):
            ready.run()
        assert [p.name for p in tmp_path.glob("t.*")] == []
    ready.run()


def test_a_full_temporary_folder_is_an_export_error(tmp_path):
    child = """
import resource, sys
from pathlib import Path
import furytune as ft

ready = ft.Pipeline(
    collector=ft.JsonlCollector("s.jsonl"),
    exporter=[ft.JsonlExporter("t.jsonl"), ft.CsvExporter("t.csv")],
    template=ft.PromptTemplate("Q\\n{question}"),
)
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a file that grows too large fails like a full disk
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    ready.run()
except ft.FurytuneError as error:
    print(type(error).__name__, error)
print(sorted(p.name for p in Path().glob("t.*")))
"""
    source(tmp_path / "s.jsonl", "A", 2000)
    done = subprocess.run(
        [sys.executable, "-c", child], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "ExportError" in done.stdout
    assert "set TMPDIR" in done.stdout
    assert done.stdout.endswith("[]\n")
