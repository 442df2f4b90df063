"""Every broken limit of Vertex is found before anything is sent, with the ids of the rows."""

from __future__ import annotations

import hashlib
import json
import tracemalloc
from datetime import date
from pathlib import Path

import attrs
import pytest
from vertex_help import MODEL, make_dataset, pipeline

import furytune as ft
from furytune import tokens
from furytune.errors import MissingExtraError, TuningError
from furytune.records import DataFile
from furytune.tuners import TuningSettings
from furytune.tuners._jobs.service import Problem
from furytune.tuners.gemini import models
from furytune.tuners.gemini._vertex.limits import survey

SETTINGS = TuningSettings(model=MODEL, epochs=2)


def turn(role, text):
    return {"role": role, "parts": [{"text": text}]}


def written(tmp_path, raw_rows, *, dataset=None):
    """Replaces the lines of the training file, and updates the manifest to match."""
    dataset = dataset or make_dataset(tmp_path)[0]
    lines = [r if isinstance(r, bytes) else json.dumps(r).encode() for r in raw_rows]
    data = b"".join(line + b"\n" for line in lines)
    file = attrs.evolve(
        dataset.files[0], rows=len(lines), size=len(data), sha256=hashlib.sha256(data).hexdigest()
    )
    Path(file.path).write_bytes(data)
    return attrs.evolve(dataset, files=(file,))


def ids_of(dataset):
    return [e["id"] for e in json.loads(Path(dataset.manifest).read_text())["sources"]]


GOOD = {"contents": [turn("user", "q"), turn("model", "a")]}


@pytest.mark.parametrize(
    ("row", "word"),
    [
        (b"{not json", "not a JSON object"),
        (b"[1]", "no list of `contents`"),
        (b"\xff\xfe", "not valid UTF-8"),
        ({"contents": []}, "no list of `contents`"),
        ({"messages": [turn("user", "q")]}, "no list of `contents`"),
        ({"contents": [turn("user", "q")]}, "last turn is not the model's"),
        ({"contents": [turn("model", "a")]}, "do not take turns"),
        ({"contents": [turn("user", "q"), turn("user", "q"), turn("model", "a")]}, "do not take turns"),
        ({"contents": [turn("model", "q"), turn("user", "q"), turn("model", "a")]}, "do not take turns"),
        ({"contents": [turn("system", "q"), turn("model", "a")]}, "do not take turns"),
        ({"contents": [turn("user", "q"), turn("model", " \n")]}, "turn without text"),
        ({"contents": [{"role": "user"}, turn("model", "a")]}, "turn without text"),
        (
            {"contents": [{"role": "user", "parts": [{"fileData": {}}]}, turn("model", "a")]},
            "turn without text",
        ),
        ({"contents": ["hello", turn("model", "a")]}, "do not take turns"),
        ({**GOOD, "systemInstruction": {"role": "system"}}, "systemInstruction without parts"),
        ({"contents": [turn("user", "\ud800"), turn("model", "a")]}, "lone surrogate"),
    ],
)
def test_rows_of_a_wrong_shape_are_named(tmp_path, row, word):
    dataset = written(tmp_path, [GOOD, row, GOOD])
    found = survey(dataset, SETTINGS).problems
    assert any(word in p.detail and p.ids == (ids_of(dataset)[1],) and p.count == 1 for p in found), found


def test_good_rows_have_no_problems(tmp_path):
    chat = [turn("user", "q"), turn("model", "a"), turn("user", "q"), turn("model", "a")]
    dataset = written(
        tmp_path, [GOOD, {"contents": chat}, {**GOOD, "systemInstruction": turn("system", "s")}]
    )
    assert survey(dataset, SETTINGS).problems == ()


def test_a_byte_order_mark_is_refused(tmp_path):
    dataset = written(tmp_path, [b"\xef\xbb\xbf" + json.dumps(GOOD).encode()])
    assert "byte order mark" in str(survey(dataset, SETTINGS).problems[0])


def test_tokens_of_an_example_count_prompt_answer_and_system(tmp_path):
    third = "word " * 45_000
    long = third * 2
    for texts, bad, doubtful in (
        ((third, third), False, False),
        ((third, third, third), False, True),
        (("x", third * 3), False, True),
        ((long, long, long), True, False),
        (("x", long * 3), True, False),
    ):
        system = {"systemInstruction": turn("system", texts[2])} if len(texts) == 3 else {}
        row = {"contents": [turn("user", texts[0]), turn("model", texts[1])], **system}
        found = survey(written(tmp_path, [GOOD, row]), SETTINGS)
        assert any("131,072 tokens" in str(p) for p in found.problems) is bad
        assert any("perhaps more than 131,072 tokens" in str(p) for p in found.doubts) is doubtful


def test_twenty_ids_are_listed_and_the_rest_counted(tmp_path):
    dataset, _ = make_dataset(tmp_path, [(f"q{n}", "a") for n in range(30)])
    dataset = written(tmp_path, [b"{"] * 30, dataset=dataset)
    (problem,) = survey(dataset, SETTINGS).problems
    assert problem.count == 30
    assert problem.ids == tuple(ids_of(dataset)[:20])
    assert str(problem).endswith("and 10 more)")
    assert str(Problem(detail="x")) == "x"
    assert str(Problem(detail="x", ids=("a",), count=1)) == "1 row: x (a)"


def test_sizes_and_numbers_of_rows(tmp_path):
    dataset, _ = make_dataset(tmp_path)
    train = dataset.files[0]

    def found(**changes):
        files = [attrs.evolve(train, **{k: v for k, v in changes.items() if k != "validation"})]
        if "validation" in changes:
            path = tmp_path / "v.jsonl"
            path.write_bytes(b"")
            files.append(
                DataFile(
                    path=str(path),
                    split="validation",
                    rows=changes["validation"],
                    size=0,
                    sha256=hashlib.sha256().hexdigest(),
                )
            )
        return [str(p) for p in survey(attrs.evolve(dataset, files=tuple(files)), SETTINGS).problems]

    assert found() == []
    assert "1,000,000,001 bytes" in found(size=1_000_000_001)[0]
    assert found(size=1_000_000_000) == []
    assert "10,000,001 training rows" in found(rows=10_000_001)[0]
    assert "no training rows" in found(rows=0)[0]
    assert found(rows=100, validation=1_000) == []
    assert "the limit here is 1,000" in found(rows=100, validation=1_001)[0]
    assert found(rows=10_000, validation=3_000) == []
    assert "the limit here is 3,000" in found(rows=10_000, validation=3_001)[0]
    assert found(rows=100_000, validation=5_000) == []
    assert "the limit here is 5,000" in found(rows=100_000, validation=5_001)[0]


def test_file_name_and_dialect(tmp_path):
    (data,) = pipeline(tmp_path, exporter=ft.JsonlExporter(tmp_path / "t.json")).run().datasets
    assert "end in .jsonl" in str(survey(data, SETTINGS).problems[0])
    (data,) = pipeline(tmp_path, exporter=ft.CsvExporter(tmp_path / "t.csv")).run().datasets
    problems = survey(data, SETTINGS).problems
    assert "Vertex reads 'gemini'" in str(problems[0])


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"adapter_size": 3}, "not one of 1, 2, 4, 8, 16"),
        ({"adapter_size": 16, "model": "gemini-2.5-pro"}, "not one of 1, 2, 4, 8 for"),
        ({"display_name": "x" * 129}, "the limit is 128"),
        ({"batch_size": 4}, "learning_rate_multiplier"),
        ({"learning_rate": 0.1}, "learning_rate_multiplier"),
    ],
)
def test_settings(tmp_path, change, word):
    dataset, _ = make_dataset(tmp_path)
    (problem,) = survey(dataset, attrs.evolve(SETTINGS, **change)).problems
    assert word in str(problem)


def test_without_tiktoken_bytes_are_an_upper_bound(tmp_path, monkeypatch):
    def absent(*_args):
        raise MissingExtraError("a token budget", "tokens")

    monkeypatch.setattr(tokens.TokenBudget, "count", absent)
    dataset, _ = make_dataset(tmp_path, [("q" * 1000, "ü" * 500)])
    found = survey(dataset, SETTINGS)
    assert found.tokens == len("You help.Question:\n") + 1000 + 1000
    assert 1500 // 8 <= found.least < 1500 // 4
    assert "upper bound" in found.counted
    assert not found.problems


def test_memory_does_not_grow_with_the_rows(tmp_path):
    dataset, _ = make_dataset(tmp_path, [(f"q{n}", "a b c " * 200) for n in range(3_000)])
    survey(dataset, SETTINGS)
    tracemalloc.start()
    survey(dataset, SETTINGS)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert Path(dataset.files[0].path).stat().st_size > 3_500_000
    assert peak < 1_000_000


def test_a_missing_manifest_is_refused(tmp_path):
    dataset, _ = make_dataset(tmp_path)
    Path(dataset.manifest).unlink()
    with pytest.raises(TuningError, match="the manifest cannot be read"):
        survey(dataset, SETTINGS)
    dataset, _ = make_dataset(tmp_path / "b")
    Path(dataset.files[0].path).unlink()
    with pytest.raises(TuningError, match="cannot be read"):
        survey(dataset, SETTINGS)


def test_the_table_of_models_is_complete():
    assert models.known("publishers/google/models/gemini-2.5-pro").price == 25
    assert models.known("nobody").name == "nobody"
    for model in models.MODELS.values():
        assert model.name.startswith("gemini-")
        assert model.price is None or 0 < model.price < 100
        assert model.remarks(location="us-central1", today=date(2026, 1, 1)) == (
            [f"{model.name} is to be switched off on {model.retires}; its tuned models end with it"]
            if model.retires
            else []
        )
    old = models.known("gemini-2.5-flash")
    assert "was to be" in old.remarks(location="x", today=date(2028, 1, 1))[0]
