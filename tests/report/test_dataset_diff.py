"""What changed from one data set to another."""

from __future__ import annotations

import tempfile
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reports import asked, pipeline, retrieving

import furytune as ft
from furytune.dataset_rows import read_rows
from furytune.errors import ExportError
from furytune.records import Dataset, Prompt
from furytune.report.diffing import DatasetOutline, RowDigests
from furytune.testing.strategies import pairs, templates

_ROWS = st.dictionaries(
    st.integers(0, 12).map(str),
    st.builds(
        RowDigests,
        split=st.sampled_from(["train", "validation"]),
        pair=st.sampled_from([b"a", b"b"]),
        prompt=st.sampled_from([b"c", b"d"]),
    ),
)
_OUTLINES = st.builds(
    DatasetOutline, rows=_ROWS, fingerprint=st.sampled_from("fg"), snapshot=st.sampled_from("st")
)


class TestLaws:
    @given(_OUTLINES)
    def test_nothing_changes_from_a_data_set_to_itself(self, one: DatasetOutline):
        found = ft.diff_datasets(one, one)
        assert not found
        assert found.same == len(one)
        assert not found.contract
        assert not found.knowledge

    @given(_OUTLINES, _OUTLINES)
    def test_the_way_back_is_the_mirror_image(self, old: DatasetOutline, new: DatasetOutline):
        there, back = ft.diff_datasets(old, new), ft.diff_datasets(new, old)
        assert (there.new, there.gone) == (back.gone, back.new)
        for name in ("edited", "rerendered", "moved"):
            assert set(getattr(there, name)) == set(getattr(back, name))
        assert there.same == back.same

    @given(_OUTLINES, _OUTLINES)
    def test_every_row_is_accounted_for(self, old: DatasetOutline, new: DatasetOutline):
        found = ft.diff_datasets(old, new)
        changed = {*found.edited, *found.rerendered, *found.moved}
        assert len(found.new) + len(changed) + found.same == len(new)
        assert len(found.gone) + len(changed) + found.same == len(old)
        assert not {*found.edited} & {*found.rerendered}
        assert bool(found) == (old.rows != new.rows)


class TestFiles:
    @given(pairs(), templates(), st.sampled_from(["gemini", "openai", "trl", "gemini-developer", "csv"]))
    def test_rows_are_read_back_as_they_were_rendered(self, items, template, form):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            exporter = (
                ft.CsvExporter(folder / "t.csv")
                if form == "csv"
                else ft.JsonlExporter(folder / "t.jsonl", dialect=form)
            )
            made = pipeline(folder, items, template=template, exporter=exporter)
            expected = {row.id: row for row in made.rows()}
            if not expected:
                return
            (dataset,) = made.run().datasets
            found = list(read_rows(dataset))
            assert len(found) == len(expected)
            for row in found:
                was = expected[row.id]
                assert (row.prompt, row.answer, row.split) == (
                    Prompt(text=was.prompt.text, system=was.prompt.system),
                    was.answer,
                    was.split,
                )

    @given(pairs())
    def test_form_and_dialect_of_the_files_do_not_matter(self, items):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            exporters = [ft.JsonlExporter(folder / "t.jsonl"), ft.CsvExporter(folder / "t.csv")]
            made = pipeline(folder, items, exporter=exporters)
            if next(made.rows(), None) is None:
                return
            first, second = made.run().datasets
            assert not ft.diff_datasets(first, second)

    def test_each_kind_of_change_is_told_apart(self, tmp_path: Path):
        items = [asked(n, f"how {n}?", f"so {n}") for n in range(40)]
        (old,) = pipeline(tmp_path, items).run().datasets
        before = ft.outline(old)
        edited = attrs.evolve(items[1], answer="other words")
        (new,) = pipeline(tmp_path, [*items[2:], edited, asked(99, "new?", "yes")]).run().datasets
        found = ft.diff_datasets(before, new)
        assert (found.new, found.gone, found.edited) == (("made:99",), ("made:0",), ("made:1",))
        assert (found.rerendered, found.moved, found.same) == ((), (), 38)
        assert not found.contract
        assert "gone              1" in str(found)

    def test_another_split_moves_rows_and_another_template_changes_prompts_only(self, tmp_path: Path):
        items = [asked(n, f"how {n}?", f"so {n}") for n in range(10)]
        (old,) = pipeline(tmp_path / "a", items, splitter=lambda _: "train").run().datasets
        other = {"splitter": lambda _: "validation", "template": ft.PromptTemplate("Q: {question}")}
        (new,) = pipeline(tmp_path / "b", [*items], **other).run().datasets
        found = ft.diff_datasets(old, new)
        assert len(found.moved) == len(found.rerendered) == 10
        assert not found.edited
        assert found.contract

    def test_retrieval_does_not_change_the_pairs(self, tmp_path: Path):
        run, plain = retrieving(tmp_path, [asked(n, f"how {n} sphere?", f"so {n}") for n in range(5)])
        found = ft.diff_datasets(plain.datasets[0], run.datasets[0])
        assert len(found.rerendered) == 5
        assert not found.edited
        assert found.knowledge

    def test_a_file_that_lost_a_row_is_refused(self, tmp_path: Path):
        (data,) = pipeline(tmp_path, [asked(n, f"how {n}?", "so") for n in range(9)]).run().datasets
        path = Path(data.files[0].path)
        path.write_bytes(path.read_bytes().split(b"\n", 1)[1])
        with pytest.raises(ExportError, match="export the data set again"):
            ft.outline(data)
        path.unlink()
        with pytest.raises(ExportError, match="cannot be read"):
            ft.outline(data)

    def test_a_manifest_that_is_not_one_is_refused(self, tmp_path: Path):
        (tmp_path / "m.json").write_text("{}")
        lost = Dataset(
            files=(), manifest=str(tmp_path / "m.json"), dialect="gemini", fingerprint="", snapshot=""
        )
        with pytest.raises(ExportError, match="not a manifest"):
            ft.outline(lost)
