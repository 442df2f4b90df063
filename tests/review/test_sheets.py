"""Tables for spreadsheets: what people type comes back, what they should not touch is guarded, bad rows are named."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import furytune as ft
from furytune.errors import ConfigError, CurationError, SourceError, SourceFormatError
from furytune.review.rows import COLUMNS
from furytune.testing import strategies as fs
from furytune.testing.memory import ListCollector, pair

BASE = 1235174400000000000
PAIRS = [
    pair(
        f"How do I draw shape {n}?",
        "=cmd|'/c calc'!A1" if n == 3 else "Call `sphere`,\nand add it.",
        id=f"discord:{BASE + n}",
        method="link",
        confidence=0.3 + n / 10,
        question_messages=(str(BASE + n),),
    )
    for n in range(5)
]


@pytest.fixture
def decisions(tmp_path) -> ft.Decisions:
    return ft.Decisions(tmp_path / "review.jsonl")


def table(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    """The rows, as a spreadsheet reads them."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def save(path: Path, rows, *, encoding="utf-8-sig", delimiter=",", end="\r\n", quote=csv.QUOTE_MINIMAL):
    """Saves rows as a spreadsheet does."""
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0].keys(), delimiter=delimiter, lineterminator=end, quoting=quote)
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))


def fill(decisions, tmp_path, changes, pairs=PAIRS, **saved):
    """Writes a table, types into it, and saves it."""
    path = tmp_path / "queue.csv"
    decisions.write_sheet(path, pairs)
    rows = table(path)
    for n, cells in changes.items():
        rows[n] |= cells
    save(path, rows, **saved)
    return path


def found(decisions, pairs=PAIRS):
    pipeline = ft.Pipeline(collector=ListCollector(pairs), curators=ft.Decisions(decisions.path))
    return {p.id: p for p in pipeline.pairs()}


TYPED = {
    0: {"decision": "Accept "},
    1: {"decision": "drop", "reason": "wrong", "note": "asked twice", "reviewer": "ben"},
    2: {"new_question": "How do I draw a “cube”?", "new_answer": "Call `cube`.\r\nAdd it – done."},
    4: {"decision": "merge", "into": PAIRS[0].id},
}


@pytest.mark.parametrize(
    "saved",
    [
        {},
        {"encoding": "utf-8"},
        {"encoding": "utf-16", "delimiter": "\t"},
        {"delimiter": ";", "end": "\n"},
        {"end": "\r"},
        {"quote": csv.QUOTE_ALL},
    ],
)
def test_what_a_person_typed_is_recorded(decisions, tmp_path, saved) -> None:
    path = fill(decisions, tmp_path, TYPED, **saved)
    read = decisions.read_sheet(path, by="anna")

    assert (read.decided, read.unchanged, read.refused) == (4, 1, ())
    after = found(decisions)
    assert after.keys() == {PAIRS[0].id, PAIRS[2].id, PAIRS[3].id}
    assert after[PAIRS[2].id].question == "How do I draw a “cube”?"
    assert after[PAIRS[2].id].answer == "Call `cube`.\nAdd it – done."
    assert [decisions.of(PAIRS[n]).by for n in (0, 1)] == ["anna", "ben"]
    assert decisions.of(PAIRS[1]).note == "asked twice"
    assert decisions.of(PAIRS[1]).messages == (str(BASE + 1),)
    assert decisions.of(PAIRS[1]).confidence == PAIRS[1].confidence


def test_json_lines_hold_the_same_as_csv(decisions, tmp_path) -> None:
    path = tmp_path / "queue.jsonl"
    decisions.write_sheet(path, PAIRS)
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert tuple(rows[0]) == COLUMNS
    for n, cells in TYPED.items():
        rows[n] |= cells
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    assert decisions.read_sheet(path, by="anna").decided == 4
    assert found(decisions).keys() == {PAIRS[0].id, PAIRS[2].id, PAIRS[3].id}


def test_reading_again_records_nothing_and_own_changes_count(decisions, tmp_path) -> None:
    path = fill(decisions, tmp_path, TYPED)
    decisions.read_sheet(path, by="anna")
    assert decisions.read_sheet(path, by="anna").decided == 0

    rows = table(path)
    rows[0]["new_answer"] = "Call `cone`."
    save(path, rows)
    assert decisions.read_sheet(path, by="anna").decided == 1
    assert found(decisions)[PAIRS[0].id].answer == "Call `cone`."


def test_a_table_shows_what_is_decided(decisions, tmp_path) -> None:
    decisions.answer(PAIRS[0], "=1 is a formula", by="anna")
    decisions.drop(PAIRS[1], reason="wrong")
    path = fill(decisions, tmp_path, {1: {"decision": "undo", "reason": ""}})

    assert table(path)[0]["new_answer"] == "'=1 is a formula"
    read = decisions.read_sheet(path)
    assert (read.decided, read.unchanged) == (1, 4)
    assert found(decisions)[PAIRS[0].id].answer == "=1 is a formula"
    assert PAIRS[1].id in found(decisions)


def test_no_cell_is_run_or_changed_by_a_spreadsheet(decisions, tmp_path) -> None:
    numbers = [attrs.evolve(PAIRS[3], id=uid) for uid in ("1235174400000000001", "1-2", "MAR1", "1e5", "a:b")]
    path = tmp_path / "queue.csv"
    decisions.write_sheet(path, numbers)

    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    for row in table(path):
        assert all(cell[:1] not in "=+-@\t\r" for cell in row.values() if cell)
        assert row["id"].startswith("'") or row["id"] == "a:b"
        row["decision"] = "accept"
    save(path, [row | {"decision": "accept"} for row in table(path)])
    decisions.read_sheet(path)
    assert {d.pair for d in decisions.since(0)} == {one.id for one in numbers}


def test_a_row_that_someone_else_decided_since_is_refused(decisions, tmp_path) -> None:
    path = fill(decisions, tmp_path, {0: {"decision": "accept"}, 1: {"decision": "accept"}})
    decisions.drop(PAIRS[0], reason="wrong", by="ben")

    with pytest.raises(SourceFormatError, match=r"queue\.csv:2: someone else decided"):
        decisions.read_sheet(path, by="anna")
    read = decisions.read_sheet(path, by="anna", on_error="skip")
    assert read.decided == 1
    assert decisions.of(PAIRS[0]).action == "drop"


BAD = {
    "word": ({"decision": "maybe"}, "must be one of accept, drop, merge and undo"),
    "both": ({"decision": "drop", "reason": "x", "new_answer": "y"}, "but the decision is drop"),
    "no reason": ({"decision": "drop"}, "a drop needs a reason"),
    "no decision": ({"note": "hm"}, "but no decision"),
    "no target": ({"decision": "merge"}, 'needs the id of another pair in "into"'),
    "itself": ({"decision": "merge", "into": PAIRS[1].id}, "merges the pair into itself"),
    "target": ({"decision": "accept", "into": "x"}, "no other decision has one"),
    "control": ({"new_question": "a\x07b"}, "control character U+0007"),
    "long": ({"new_answer": "x" * 300_000}, "longer than 262,144 bytes"),
    "answer": ({"answer": "I typed hunter2 here"}, 'type the corrected text into "new_question"'),
    "question": ({"question": ""}, '"question" or "answer" was changed'),
    "id": ({"id": ""}, '"id" or "digest" was changed'),
    "digest": ({"digest": "1,23E+31"}, '"id" or "digest" was changed'),
    "confidence": (
        {"decision": "accept", "key": '{"furytune":1,"revision":0,"shown":"","confidence":7}'},
        '"key" was changed or removed',
    ),
    "key": ({"key": ""}, '"key" was changed or removed'),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_row_is_named_and_its_neighbours_survive(decisions, tmp_path, name) -> None:
    cells, said = BAD[name]
    path = fill(decisions, tmp_path, {0: {"decision": "accept"}, 1: cells, 2: {"decision": "accept"}})
    line = 2 + 2  # header, and the second line of the first answer

    with pytest.raises(SourceFormatError) as refused:
        decisions.read_sheet(path)
    assert f"queue.csv:{line}: " in str(refused.value)
    assert said in str(refused.value)
    assert "hunter2" not in str(refused.value)
    assert not decisions.path[0].exists()

    read = decisions.read_sheet(path, on_error="skip")
    assert (read.decided, len(read.refused)) == (2, 1)
    assert f"queue.csv:{line}: " in str(read)
    assert said in str(read)


def test_two_rows_about_one_pair_are_refused(decisions, tmp_path) -> None:
    path = fill(decisions, tmp_path, {0: {"decision": "accept"}})
    rows = table(path)
    save(path, [rows[0], rows[0] | {"decision": "drop", "reason": "wrong"}])
    read = decisions.read_sheet(path, on_error="skip")
    assert (read.decided, len(read.refused)) == (1, 1)


def test_many_bad_rows_are_counted_in_the_error(decisions, tmp_path) -> None:
    path = fill(decisions, tmp_path, {n: {"decision": "x"} for n in range(3)})
    with pytest.raises(SourceFormatError, match="2 more rows are refused, in line 4, 6"):
        decisions.read_sheet(path)


def test_damaged_records_do_not_take_their_neighbours_along(decisions, tmp_path) -> None:
    path = fill(decisions, tmp_path, {n: {"decision": "accept"} for n in range(5)}, end="\n")
    lines = path.read_bytes().split(b"\n")
    path.write_bytes(b"\n".join([lines[0], b"only,three,fields", *lines[1:], b'"never closed,x,y']))
    read = decisions.read_sheet(path, on_error="skip")
    assert read.decided == 5
    assert len(read.refused) == 2


def test_empty_rows_and_missing_texts_are_no_problem(decisions, tmp_path) -> None:
    path = fill(decisions, tmp_path, {0: {"decision": "accept"}})
    rows = [
        {k: v for k, v in row.items() if k not in ("question", "answer", "evidence")} for row in table(path)
    ]
    save(path, [rows[0], dict.fromkeys(rows[0], ""), *rows[1:]])
    assert decisions.read_sheet(path).decided == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,b\r\n1,2\r\n", "lacks the columns"),
        (b"", "lacks the columns"),
        (",".join([*COLUMNS, "id"]).encode() + b"\r\n", "a column is there twice"),
    ],
)
def test_another_table_is_refused(decisions, tmp_path, content, said) -> None:
    (tmp_path / "queue.csv").write_bytes(content)
    with pytest.raises(SourceFormatError, match=said):
        decisions.read_sheet(tmp_path / "queue.csv")


def test_json_lines_that_are_wrong_are_named(decisions, tmp_path) -> None:
    path = tmp_path / "queue.jsonl"
    decisions.write_sheet(path, PAIRS[:2])
    good, other = path.read_text("utf-8").splitlines()
    typed = json.loads(good) | {"decision": "accept"}
    del typed["question"]
    wrong = [json.loads(other) | {"decision": 1}, {"id": "x"}, json.loads(other) | {"key": None}]
    lines = [json.dumps(typed), *map(json.dumps, wrong), "no json", "[]"]
    path.write_text("\n".join(lines), encoding="utf-8")

    read = decisions.read_sheet(path, on_error="skip")
    assert (read.decided, len(read.refused)) == (1, 5)
    assert [line.split(":")[1] for line in read.refused] == ["2", "3", "4", "5", "6"]


def test_a_line_that_names_the_delimiter_is_understood(decisions, tmp_path) -> None:
    path = fill(decisions, tmp_path, {0: {"decision": "accept"}}, encoding="utf-8", delimiter="|")
    path.write_bytes(b"sep=|\r\n" + path.read_bytes())
    assert decisions.read_sheet(path).decided == 1


@pytest.mark.parametrize(
    "content", [b"\x1f\x8bnot gzip", b"\xff\xfe" + "id,key\r\n".encode("utf-16-le") + b"\0\xd8"]
)
def test_a_damaged_file_records_nothing(decisions, tmp_path, content) -> None:
    for name in ("queue.csv", "queue.jsonl"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SourceError):
            decisions.read_sheet(tmp_path / name)
    assert not decisions.path[0].exists()


def test_bytes_of_an_old_encoding_are_refused_by_row(decisions, tmp_path) -> None:
    path = fill(decisions, tmp_path, {0: {"new_answer": "Schöne Kugel"}, 1: {"decision": "accept"}})
    path.write_bytes(path.read_bytes().decode("utf-8-sig").encode("cp1252"))
    read = decisions.read_sheet(path, on_error="skip")
    assert read.decided == 1
    assert "encoding" in read.refused[0]
    assert decisions.read_sheet(path, encoding="cp1252").decided == 1


def test_wrong_arguments_are_refused(decisions, tmp_path) -> None:
    with pytest.raises(ConfigError, match=r"ends with \.csv or \.jsonl"):
        decisions.write_sheet(tmp_path / "queue.xlsx", PAIRS)
    with pytest.raises(ConfigError, match="delimiter"):
        decisions.write_sheet(tmp_path / "queue.csv", PAIRS, delimiter="|")
    with pytest.raises(ConfigError, match="on_error"):
        decisions.read_sheet(tmp_path / "queue.csv", on_error="ignore")
    with pytest.raises(SourceError, match="does not exist"):
        decisions.read_sheet(tmp_path / "queue.csv")
    with pytest.raises(CurationError, match="was not written"):
        decisions.write_sheet(tmp_path / "no" / "queue.csv", PAIRS)


def test_a_long_answer_is_cut_for_excel_and_the_row_can_be_used(decisions, tmp_path) -> None:
    long = pair("How?", "x" * 50_000, id="discord:1")
    path = fill(decisions, tmp_path, {0: {"decision": "accept"}}, [long])
    assert len(table(path)[0]["answer"]) < 32_767
    decisions.read_sheet(path)
    assert found(decisions, [long])["discord:1"].answer == long.answer


def test_a_correction_that_excel_would_cut_is_left_alone(decisions, tmp_path) -> None:
    decisions.answer(PAIRS[0], "x" * 50_000)
    path = fill(decisions, tmp_path, {})
    assert max(len(cell) for row in table(path) for cell in row.values()) < 32_767
    assert decisions.read_sheet(path).decided == 0
    assert len(found(decisions)[PAIRS[0].id].answer) == 50_000


CONTROL = {chr(n) for n in (*range(32), *range(127, 160))} - set("\t\n\r")
typed = fs.texts(max_size=4).map(lambda text: "".join(c for c in text if c not in CONTROL))


@settings(max_examples=40)
@given(st.lists(st.tuples(fs.questions(), fs.questions(), typed, typed), min_size=1, max_size=4))
def test_every_text_comes_back_from_a_table(tmp_path_factory, items) -> None:
    """A corrected text that is written into a table, saved by a spreadsheet and read again is the same."""
    folder = tmp_path_factory.mktemp("sheet")
    one, other = (ft.Decisions(folder / name) for name in ("one.jsonl", "other.jsonl"))
    pairs = [pair(q, a, id=f"p:{n}") for n, (q, a, _, _) in enumerate(items)]
    for about, (_, _, question, answer) in zip(pairs, items, strict=True):
        for text, correct in ((question, one.question), (answer, one.answer)):
            if text.strip():
                correct(about, text)
    for name in ("t.csv", "t.jsonl"):
        one.write_sheet(folder / name, pairs)
        if name == "t.csv":
            save(folder / name, table(folder / name))
        other.read_sheet(folder / name)
        for about in pairs:
            left, right = one.of(about), other.of(about)
            assert (left is None) == (right is None)
            if left is not None:
                lines = [t.replace("\r\n", "\n").replace("\r", "\n") for t in left.outcome]
                assert list(right.outcome) == lines
