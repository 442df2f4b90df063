"""The notebook runs from its first cell to its last, without Jupyter, and each result has something to show."""

from __future__ import annotations

import ast
import json
import shutil
from pathlib import Path

import furytune as ft

EXAMPLES = Path(__file__).parents[2] / "examples"


def shown(path) -> list[str]:
    """What a notebook shows below its cells: HTML, or else text."""
    names: dict = {"__name__": "__main__"}
    outputs = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] != "code":
            continue
        assert not cell["outputs"], "store the notebook without outputs: they would grow old"
        tree = ast.parse("".join(cell["source"]), str(path))
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, str(path), "exec"), names)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), str(path), "eval"), names)
            if value is not None:
                outputs.append(value._repr_html_() if hasattr(value, "_repr_html_") else repr(value))
    return outputs


def test_the_notebook_goes_from_an_export_to_tables(tmp_path, monkeypatch) -> None:
    shutil.copytree(EXAMPLES / "exports", tmp_path / "exports")
    monkeypatch.chdir(tmp_path)
    outputs = shown(EXAMPLES / "export_to_tables.ipynb")
    dataset = ft.load_dataset("notebook-out/openai.jsonl.manifest.json")
    run, told = outputs[1], outputs[2]
    assert f"rows      {dataset.rows:>9}" in run
    assert all(f"{file.rows:,} rows, {file.size:,} bytes" in told for file in dataset.files)
    assert sum("<table" in output for output in outputs) >= 5
    assert max(map(len, outputs)) < 8_000
    assert (tmp_path / "notebook-out" / "README.md").exists()
