"""A written data set gives back its rows."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

import furytune as ft
from furytune.dataset_rows import read_rows
from furytune.errors import ExportError
from furytune.testing import strategies as fs
from furytune.testing.memory import ListCollector

EXPORTERS = {
    "gemini": lambda f: ft.JsonlExporter(f / "t", dialect="gemini"),
    "openai": lambda f: ft.JsonlExporter(f / "t", dialect="openai"),
    "csv": lambda f: ft.CsvExporter(f / "t"),
    "unescaped": lambda f: ft.CsvExporter(f / "t", escape_formulas=False),
}


@settings(max_examples=40)
@given(fs.pairs(), st.sampled_from(sorted(EXPORTERS)), st.sampled_from([0.0, 0.5]))
def test_every_row_is_read_as_it_was_written(items, name, share) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pipeline = ft.Pipeline(
            collector=ListCollector(items),
            exporter=EXPORTERS[name](Path(folder)),
            splitter=ft.GroupSplitter(share),
        )
        rows = {row.id: (row.split, row.prompt.text, row.answer) for row in pipeline.rows()}
        try:
            dataset = pipeline.run().datasets[0]
        except ExportError:  # nothing is left to write
            assert not rows
            return
        found = [(row.id, (row.split, row.prompt.text, row.answer)) for row in read_rows(dataset)]
    assert dict(found) == rows
    assert len(found) == len(rows)
