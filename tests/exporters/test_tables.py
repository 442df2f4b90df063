"""A data set gives the same table whatever its dialect, and the table holds what the rows held."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from datetime import UTC
from pathlib import Path

import pytest
from hostile_rows import ROWS, Rendered, csv, jsonl
from hypothesis import given, settings
from hypothesis import strategies as st

import furytune as ft
from furytune import dialects
from furytune.errors import ExportError
from furytune.records import Prompt, TrainingRow

FORMS = {
    **{name: lambda folder, name=name: jsonl(folder, name) for name in dialects.DIALECTS},
    "csv": csv,
    "unescaped": lambda folder: csv(folder, escape_formulas=False),
    "own columns": lambda folder: csv(folder, columns=('the "prompt"', "the\nanswer"), dialect="plain"),
}


def held(row) -> dict:
    source = row.source
    return {
        "id": row.id,
        "split": row.split,
        "prompt": row.prompt.text,
        "system": row.prompt.system or None,
        "answer": row.answer,
        "group": row.group,
        "at": row.at and row.at.astimezone(UTC),
        "path": source.path or None,
        "line": source.line,
        "guild": source.guild or None,
        "channel": source.channel or None,
        "thread": source.thread or None,
        "messages": list(row.messages),
    }


WANTED = sorted(map(held, ROWS), key=lambda row: row["split"])


@pytest.mark.parametrize("form", sorted(FORMS))
def test_each_form_gives_back_what_the_rows_held(tmp_path, form) -> None:
    dataset = FORMS[form](tmp_path)
    assert ft.to_arrow(dataset).to_pylist() == WANTED
    assert ft.to_polars(dataset).to_dicts() == WANTED
    frame = ft.to_pandas(dataset)
    assert [list(row) for row in frame["messages"]] == [row["messages"] for row in WANTED]
    for column in ("id", "split", "prompt", "system", "answer", "group"):
        assert frame[column].tolist() == [row[column] for row in WANTED]
    assert frame["line"].dropna().tolist() == [3]
    assert str(frame["line"].dtype) == "Int64"
    assert frame["at"].dropna().tolist() == [ROWS[0].at]


texts = st.text(st.characters(codec="utf-8"), min_size=1).filter(lambda text: not text.isspace())


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=5), st.sampled_from(["openai", "plain", "csv"]))
def test_any_text_comes_back(pairs, form) -> None:
    rows = [
        TrainingRow(id=f"{n}", group="g", split="train", prompt=Prompt(text=text), answer=answer)
        for n, (text, answer) in enumerate(pairs)
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train"
        exporter = ft.CsvExporter(path) if form == "csv" else ft.JsonlExporter(path, dialect=form)
        table = ft.to_arrow(exporter.export(rows, contract=Rendered(form={})))
    assert list(zip(table["prompt"].to_pylist(), table["answer"].to_pylist(), strict=True)) == pairs


def test_a_table_of_other_rows_than_the_manifest_lists_is_refused(tmp_path) -> None:
    dataset = jsonl(tmp_path, "plain")
    with Path(dataset.files[0].path).open("a", encoding="utf-8") as file:
        file.write('{"input": "more", "output": "more"}\n')
    with pytest.raises(ExportError, match="does not have the rows that"):
        ft.to_arrow(dataset)


@pytest.mark.parametrize(
    ("package", "call"),
    [("pyarrow", "to_arrow"), ("pyarrow", "to_pandas"), ("pandas", "to_pandas"), ("polars", "to_polars")],
)
def test_a_missing_package_is_named(tmp_path, package, call) -> None:
    dataset = jsonl(tmp_path, "plain")
    # In a process of its own, because packages that were imported stay.
    code = (
        f"import sys; sys.modules[{package!r}] = None\n"
        "import furytune as ft\n"
        f"try: ft.{call}(ft.load_dataset({dataset.manifest!r}))\n"
        "except ft.FurytuneError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "pip install 'furytune[tables]'" in done.stdout
