"""Every text that is written to CSV or JSON lines reads back the same."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from attrs import Factory, frozen
from hypothesis import example, given
from hypothesis import strategies as st

from furytune import dialects
from furytune._readers import json_lines
from furytune._readers.csv_records import CsvReader, cell
from furytune._readers.files import Flaw
from furytune.collectors.tabular import CsvCollector, JsonlCollector
from furytune.errors import ExportError
from furytune.exporters import load_dataset
from furytune.exporters.csv import CsvExporter
from furytune.exporters.jsonl import JsonlExporter
from furytune.records import Dropped, Prompt, QAPair, TrainingRow

NASTY = [
    *"=+-@'\t\r\n\0\"",
    "\r\n", "\x0b", "\x0c", "\x85", "\u2028", "\u2029", "\ufeff", "\u200b", "\u202e", "''", "'=", "=1+1",
    '""', '","', '"\r\n"', "\\", "\\u0041", "\\ud800", "{", "}", "[", "é", "e\u0301", "😀", "\U0010ffff",
    ",", '"]', '["', "\x7f", "\x1f", "a:b", "\\u003a", "furytune:5f1d7a:text", "furytune:5f1d7a:answer", ",", ";", "|",
]  # fmt: skip
TEXTS = st.lists(
    st.sampled_from(NASTY) | st.text(st.characters(exclude_categories=["Cs"]), max_size=5), max_size=8
).map("".join)
FILLED = TEXTS.filter(lambda text: bool(text.strip()))
PAIRS = st.lists(st.tuples(FILLED, FILLED), min_size=1, max_size=5)

# Thousands of small exports: in memory, where bringing a file to disk costs nothing.
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None


@frozen
class Contract:
    fingerprint: str = "f"
    snapshot: str = "s"
    form: object = Factory(dict)


def rows_of(pairs, system=""):
    return [
        TrainingRow(id=f"r{n}", group="g", split="train", prompt=Prompt(text=q, system=system), answer=a)
        for n, (q, a) in enumerate(pairs)
    ]


class TestRoundTrip:
    """read(write(x)) == x."""

    @given(PAIRS, st.sampled_from([("input", "output"), ("text_input", "output")]), st.booleans())
    @example([("=1", "'=1"), ("'", "''"), ("\ufeffq", "a\r")], ("input", "output"), True)
    def test_csv(self, pairs, columns, escape):
        with TemporaryDirectory(dir=MEMORY) as folder:
            exporter = CsvExporter(f"{folder}/t.csv", columns=columns, escape_formulas=escape)
            data = exporter.export(rows_of(pairs), contract=Contract())
            found = list(CsvCollector(exporter.path).collect())
            assert load_dataset(data.manifest) == data
        assert [(p.question, p.answer) for p in found] == pairs
        assert len({p.id for p in found}) == len(pairs)

    @given(PAIRS, st.sampled_from(sorted(dialects.DIALECTS)), st.just("") | FILLED)
    @example([("\ufeffq", "a\u2028")], "gemini", "")
    @example([(",", ","), ('",', '","')], "gemini", "")
    def test_json_lines_keep_the_prompt_of_every_dialect(self, pairs, dialect, system):
        """A system instruction has its own field, or is before the text if the dialect has no field for it."""
        with TemporaryDirectory(dir=MEMORY) as folder:
            exporter = JsonlExporter(f"{folder}/t.jsonl", dialect=dialect)
            exporter.export(rows_of(pairs, system), contract=Contract())
            lines = exporter.path.read_bytes().decode().split("\n")[:-1]
            found = list(JsonlCollector(exporter.path).collect())
        assert [json.loads(line) for line in lines] == [
            dialects.get(dialect).row(r.prompt, r.answer) for r in rows_of(pairs, system)
        ]
        joined = f"{system}\n\n" if system and dialect in {"plain", "gemini-developer"} else ""
        found, dropped = (
            [p for p in found if isinstance(p, QAPair)],
            [d for d in found if isinstance(d, Dropped)],
        )
        assert [(p.question, p.answer) for p in found] == [(joined + q, a) for q, a in pairs]
        apart = len(pairs) if system.strip() and not joined else 0
        assert sum(d.count for d in dropped if d.reason == "system_instruction") == apart

    def test_white_space_is_refused_by_name(self, tmp_path):
        for text in ("", " ", "\n", "\u2003\x85"):
            for exporter in (CsvExporter(tmp_path / "t.csv"), JsonlExporter(tmp_path / "t.jsonl")):
                with pytest.raises(ExportError, match="is empty"):
                    exporter.export(rows_of([(text, "a")]), contract=Contract())


class TestEscapedFormulas:
    """A reader removes the exporter's quote exactly where the exporter added one."""

    @pytest.fixture
    def path(self, tmp_path):
        rows = rows_of([("=1", "'x"), ("+2", "a")])
        validation = TrainingRow(id="v", group="g", split="validation", prompt=Prompt(text="-3"), answer="@b")
        exporter = CsvExporter(tmp_path / "t.csv")
        exporter.export([*rows, validation], contract=Contract())
        return exporter.path

    @staticmethod
    def read(path, **options):
        return [(p.question, p.answer) for p in CsvCollector(path, **options).collect()]

    def test_the_manifest_says_so_for_both_splits(self, path):
        assert self.read(path) == [("=1", "'x"), ("+2", "a")]
        assert self.read(path.with_name("t.validation.csv")) == [("-3", "@b")]

    def test_the_option_says_so_without_a_manifest(self, path):
        path.with_name("t.csv.manifest.json").unlink()
        with pytest.raises(Exception, match=r"t\.csv:2:1: a cell begins like one .* escaped_formulas=True"):
            self.read(path)
        assert self.read(path, escaped_formulas=False) == [("'=1", "''x"), ("'+2", "a")]
        assert self.read(path, escaped_formulas=True) == [("=1", "'x"), ("+2", "a")]

    def test_a_changed_file_needs_the_option(self, path):
        path.write_bytes(path.read_bytes() + b'"q","a"\r\n')
        with pytest.raises(Exception, match="escaped_formulas=True"):
            self.read(path)
        assert self.read(path, escaped_formulas=True)[0] == ("=1", "'x")
        assert self.read(path, escaped_formulas=False)[0] == ("'=1", "''x")

    def test_a_damaged_manifest_raises(self, path):
        path.with_name("t.csv.manifest.json").write_text("{")
        with pytest.raises(Exception, match="cannot be read"):
            self.read(path)

    def test_other_manifests_do_not_matter(self, path):
        path.with_name("x.csv.manifest.json").write_text("{")
        other = path.with_name("mine.csv")
        other.write_text("question,answer\n'=1,a\n")
        assert self.read(other) == [("'=1", "a")]


class TestReaders:
    """The readers agree with Python's own readers on input that both accept."""

    @given(
        st.lists(st.lists(TEXTS, min_size=2, max_size=2), max_size=5),
        st.sampled_from(",;\t|"),
        st.booleans(),
        st.integers(1, 7),
    )
    def test_csv_records_equal_those_of_pythons_reader(self, rows, delimiter, quote_all, size):
        rows = [["h", "i"], *rows]
        out = io.StringIO()
        quoting = csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL
        csv.writer(out, delimiter=delimiter, quoting=quoting).writerows(rows)
        text = out.getvalue()
        expected = [r for r in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if r]
        blocks = [text[i : i + size] for i in range(0, len(text), size)]
        found = list(CsvReader(blocks).records(delimiter, 2))
        assert [list(map(cell, fields)) for _, fields in found] == expected == rows
        lines = [line for line, _ in found]
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        starts = [1]
        for _ in reader:
            starts.append(reader.line_num + 1)
        assert lines == starts[:-1]

    @given(
        st.lists(st.sampled_from(['"', '""', ",", "\n", "\r\n", "\r", "x", "é", " "]), max_size=25).map(
            "".join
        ),
        st.integers(1, 9),
    )
    def test_any_text_is_read_to_its_end_with_any_block_size(self, text, size):
        whole = list(CsvReader([text]).records(",", 2))
        blocks = [text[i : i + size] for i in range(0, len(text), size)]
        assert list(CsvReader(blocks).records(",", 2)) == whole
        last = 0
        for item in whole:
            line = item.line if isinstance(item, Flaw) else item[0]
            assert line >= last or isinstance(item, Flaw)
            last = line if not isinstance(item, Flaw) else last

    @given(
        st.lists(st.sampled_from([b"\n", b"\r", b"\r\n", b"x", b"yy", b"\xff"]), max_size=25).map(b"".join),
        st.integers(1, 5),
    )
    def test_lines_equal_splitlines_with_any_block_size(self, data, size):
        blocks = [data[i : i + size] for i in range(0, len(data), size)]
        found = [
            (number + i, line)
            for number, lines in json_lines.split_lines(blocks)
            for i, line in enumerate(lines)
        ]
        assert found == list(enumerate(data.splitlines(), 1))

    @given(
        st.lists(st.sampled_from([b"\n", b"\r", b"\r\n", b"x" * 9, b"y" * 30]), max_size=12),
        st.integers(1, 40),
    )
    def test_long_lines_are_skipped_and_others_keep_their_numbers(self, parts, size):
        data = b"".join(parts)
        blocks = [data[i : i + size] for i in range(0, len(data), size)]
        found = {}
        long = []
        for part in json_lines.split_lines(blocks, limit=25):
            if isinstance(part, Flaw):
                long.append(part.line)
            else:
                found |= dict(enumerate(part[1], part[0]))
        expected = dict(enumerate(data.splitlines(), 1))
        assert found.items() <= expected.items()
        assert {n for n, line in expected.items() if len(line) <= 25} <= set(found)
        assert set(expected) == set(found) | set(long)
        assert not set(found) & set(long)

    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["a", "b", "a:", ":"]),
                st.sampled_from(['"x"', '":"', "1", '{"a":1}', '{"a":1,"a":2}', '"\\u003a"', "[]"]),
            ),
            max_size=4,
        )
    )
    def test_duplicate_keys_are_found_exactly(self, members):
        text = "{" + ",".join(f'"{key}": {value}' for key, value in members) + "}"
        (found,) = json_lines.decode_lines([text.encode()])
        twins = len({key for key, _ in members}) < len(members)
        assert isinstance(found, Flaw) == twins
        if twins:
            assert found.reason == "duplicate_key"
        else:
            assert found == (1, json.loads(text))

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | TEXTS,
            lambda v: st.lists(v, max_size=3) | st.dictionaries(TEXTS, v, max_size=3),
            max_leaves=8,
        ),
        st.booleans(),
    )
    def test_json_values_equal_those_of_pythons_decoder(self, value, ascii_only):
        line = json.dumps({"value": value}, ensure_ascii=ascii_only)
        (found,) = json_lines.decode_lines([line.encode()])
        assert found == (1, {"value": value})

    @given(PAIRS, st.data())
    def test_a_damaged_line_never_costs_another(self, pairs, data):
        lines = [json.dumps({"question": q, "answer": a}).encode() for q, a in pairs]
        at = data.draw(st.integers(0, len(lines) - 1))
        cut = data.draw(st.integers(1, len(lines[at]) - 1))
        lines[at] = lines[at][:cut]
        with TemporaryDirectory(dir=MEMORY) as folder:
            path = f"{folder}/t.jsonl"
            with open(path, "wb") as file:  # noqa: PTH123
                file.write(b"\n".join(lines))
            found = list(JsonlCollector(path, on_error="skip").collect())
        assert [(p.question, p.answer) for p in found if isinstance(p, QAPair)] == pairs[:at] + pairs[
            at + 1 :
        ]
        assert [d.where for d in found if isinstance(d, Dropped)] == [f"t.jsonl:{at + 1}"]

    @given(PAIRS, st.randoms(use_true_random=False))
    def test_ids_do_not_depend_on_the_order_of_rows(self, pairs, dice):
        shuffled = list(pairs)
        dice.shuffle(shuffled)
        seen = []
        with TemporaryDirectory(dir=MEMORY) as folder:
            for order in (pairs, shuffled):
                JsonlExporter(f"{folder}/t.jsonl", dialect="plain").export(
                    rows_of(order), contract=Contract()
                )
                found = JsonlCollector(f"{folder}/t.jsonl").collect()
                seen.append(Counter((p.id, p.question, p.answer) for p in found))
        assert seen[0] == seen[1]


def test_the_limit_of_a_record_is_counted_from_its_beginning():
    text = "q,a\n" * 30 + "q," + "x" * 200 + "\n" + "r,b\n" * 3
    items = list(CsvReader([text[i : i + 10] for i in range(0, len(text), 10)], limit=50).records(",", 2))
    assert [i.line for i in items if isinstance(i, Flaw)] == [31]
    assert [i[0] for i in items if not isinstance(i, Flaw)] == [*range(1, 31), 32, 33, 34]


@pytest.mark.shared_data
def test_each_naughty_string_comes_back_or_is_refused_by_name(shared_data):
    strings = json.loads((shared_data / "dirty-strings" / "blns.json").read_bytes())
    assert len(strings) == 515
    blank = [text for text in strings if not text.strip()]
    kept = [text for text in strings if text.strip()]
    assert len(blank) < 5
    for kind, reader in ((CsvExporter, CsvCollector), (JsonlExporter, JsonlCollector)):
        with TemporaryDirectory(dir=MEMORY) as folder:
            exporter = kind(f"{folder}/t.x")
            for text in blank:
                with pytest.raises(ExportError, match="prompt is empty"):
                    exporter.export(rows_of([(text, text)]), contract=Contract())
            exporter.export(rows_of([(text, text) for text in kept]), contract=Contract())
            assert [(p.question, p.answer) for p in reader(exporter.path).collect()] == [(t, t) for t in kept]
