"""Collecting ready pairs from CSV and JSON lines."""

from __future__ import annotations

import csv
import gzip
import json
import tarfile
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sealing import digest

from furytune.collectors.tabular import CsvCollector, JsonlCollector
from furytune.errors import ConfigError, SourceError, SourceFormatError
from furytune.protocols import Collector
from furytune.records import Dropped, QAPair


def csv_of(folder, data, **options):
    path = folder / "a.csv"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return list(CsvCollector(path, **options).collect())


def jsonl_of(folder, *lines, **options):
    path = folder / "a.jsonl"
    data = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    path.write_bytes(b"\n".join(data))
    return list(JsonlCollector(path, **options).collect())


def texts(items):
    return [(p.question, p.answer) for p in items if isinstance(p, QAPair)]


def drops(items):
    return [(d.reason, d.where) for d in items if isinstance(d, Dropped)]


class TestColumns:
    def test_equal_questions_are_one_group_in_any_file(self, tmp_path):
        for name in ("a.csv", "b.csv"):
            (tmp_path / name).write_text(f"question,answer\nhow?,so\nhow?,by {name}\nhow?,so\nwhy?,because\n")
        pairs = list(CsvCollector(tmp_path).collect())
        groups = {p.question: p.group for p in pairs}
        assert {(p.question, p.group) for p in pairs} == set(groups.items())
        assert len(set(groups.values())) == 2
        assert len({p.id for p in pairs}) == len(pairs) == 8

    @pytest.mark.parametrize("kind", [CsvCollector, JsonlCollector])
    def test_it_fits_the_protocol(self, kind):
        assert isinstance(kind("a"), Collector)

    @pytest.mark.parametrize(
        "names",
        [("question", "answer"), ("Input", "OUTPUT"), ("text_input", "output"), (" prompt ", "Completion")],
    )
    def test_usual_names_are_recognised_in_any_case(self, tmp_path, names):
        assert texts(csv_of(tmp_path, f"x,{names[1]},{names[0]}\n1,a,q\n")) == [("q", "a")]
        assert texts(jsonl_of(tmp_path, {names[0]: "q", "x": 1, names[1]: "a"})) == [("q", "a")]

    def test_named_columns_win(self, tmp_path):
        options = {"question": "title", "answer": "Text"}
        assert texts(csv_of(tmp_path, "question,answer,title,text\n1,2,q,a\n", **options)) == [("q", "a")]
        record = {"question": "1", "answer": "2", "title": "q", "text": "a"}
        assert texts(jsonl_of(tmp_path, record, **options)) == [("q", "a")]

    def test_unknown_columns_raise_an_error_with_the_names_found(self, tmp_path):
        with pytest.raises(SourceFormatError, match=r"a\.csv:1:1: .*found 'title', 'text'; .*`question=`"):
            csv_of(tmp_path, "title;text\nq;a\n")
        with pytest.raises(SourceFormatError, match=r"a\.jsonl:2:1: .*found 'title', 'text'; .*`question=`"):
            jsonl_of(tmp_path, {"question": "q", "answer": "a"}, {"title": "q", "text": "a"})
        with pytest.raises(SourceFormatError, match="use names from the header"):
            csv_of(tmp_path, "title,text\nq,a\n", question="Titel", answer="text")

    def test_a_wrong_header_is_an_error_even_when_skipping(self, tmp_path):
        for data in ("title,text\nq,a\n", "", '"question,answer\n'):
            with pytest.raises(SourceFormatError, match="no columns"):
                csv_of(tmp_path, data, on_error="skip")

    def test_optional_columns_can_be_turned_off(self, tmp_path):
        data = "id,question,answer,thread,date,author\n7,q,a,t1,2024-05-01T12:00:00+02:00,user-1\n,q2,a2,,,\n"
        first, second = csv_of(tmp_path, data)
        assert (first.id, first.group, first.asker) == ("7", "t1", "user-1")
        assert first.asked_at == datetime(2024, 5, 1, 10, tzinfo=UTC)
        assert first.method == "given"
        assert (first.source.path, first.source.line) == ("a.csv", 2)
        assert second.group.startswith("question:")
        assert second.id.startswith("a:")
        assert second.asked_at is None
        plain = csv_of(tmp_path, data, id="", group="", asked_at="", author="")[0]
        assert plain.group.startswith("question:")
        assert plain.id.startswith("a:")
        assert (plain.asked_at, plain.asker) == (None, "")

    def test_named_optional_columns_must_exist(self, tmp_path):
        data = "question,answer,when,topic\nq,a,2024-05-01,t\n"
        (pair,) = csv_of(tmp_path, data, asked_at="when", group="TOPIC")
        assert (pair.asked_at, pair.group) == (datetime(2024, 5, 1, tzinfo=UTC), "t")
        with pytest.raises(SourceFormatError, match="no column is called 'where'"):
            csv_of(tmp_path, data, group="where")

    def test_json_records_have_the_same_optional_values(self, tmp_path):
        record = {
            "question": "q",
            "answer": "a",
            "id": 12,
            "group": "g",
            "asked_at": "2024-05-01T00:00:00Z",
            "author": None,
        }
        (pair,) = jsonl_of(tmp_path, record)
        assert (pair.id, pair.group, pair.asked_at) == ("12", "g", datetime(2024, 5, 1, tzinfo=UTC))
        with pytest.raises(SourceFormatError, match="its asked_at is not text"):
            jsonl_of(tmp_path, record | {"asked_at": 5})

    def test_a_date_that_is_not_iso_8601_is_refused(self, tmp_path):
        with pytest.raises(SourceFormatError, match=r'a\.csv:2:1: .*not ISO 8601; .*asked_at=""'):
            csv_of(tmp_path, "question,answer,date\nq,a,02/09/2024\n")

    def test_two_columns_of_one_name_are_refused(self, tmp_path):
        with pytest.raises(SourceFormatError, match="two columns are called 'answer'"):
            csv_of(tmp_path, "question,answer,answer\nq,a,b\n")

    @pytest.mark.parametrize(
        "options",
        [
            {"question": "q"},
            {"answer": "a"},
            {"question": "", "answer": "a"},
            {"question": "q", "answer": "q"},
            {"encoding": "no-such"},
            {"encoding": "rot13"},
            {"on_error": "ignore"},
        ],
    )
    def test_invalid_options_are_refused_at_once(self, options):
        for kind in (CsvCollector, JsonlCollector):
            with pytest.raises(ConfigError):
                kind("a", **options)

    @pytest.mark.parametrize("delimiter", ["", "ab", '"', "\n"])
    def test_a_delimiter_is_one_character(self, delimiter):
        with pytest.raises(ConfigError):
            CsvCollector("a.csv", delimiter=delimiter)


class TestArguments:
    @pytest.mark.parametrize("kind", [CsvCollector, JsonlCollector])
    @pytest.mark.parametrize(
        "options",
        [{"on_error": "Skip"}, {"question": 5, "answer": 6}, {"id": 5}, {"author": b"a"}, {"encoding": 8}],
    )
    def test_an_invalid_option_has_a_readable_error(self, kind, options):
        with pytest.raises(ConfigError, match=rf"^{next(iter(options))} (is|must be) ") as caught:
            kind("a", **options)
        assert "Attribute(" not in str(caught.value)

    @pytest.mark.parametrize("options", [{"delimiter": 5}, {"escaped_formulas": "yes"}])
    def test_an_invalid_csv_option_has_a_readable_error(self, options):
        with pytest.raises(ConfigError, match=rf"^{next(iter(options))} (is|must be) "):
            CsvCollector("a", **options)

    @pytest.mark.parametrize("path", [5, None, ["a", 5]])
    def test_other_values_are_not_paths(self, path):
        with pytest.raises(ConfigError, match="path must be a file, a folder or a list of these"):
            CsvCollector(path)


class TestNoTextInErrors:
    """Without a header the first record takes its place, and may contain someone's text."""

    TEXT = "Why does my CANARY not show"

    def test_a_first_record_as_header_is_not_shown(self, tmp_path):
        with pytest.raises(
            SourceFormatError, match=r"found 2 columns \(is there a header line\?\)"
        ) as caught:
            csv_of(tmp_path, f'"{self.TEXT}","Ask CANARY; it is there."\n')
        assert "CANARY" not in str(caught.value)

    def test_names_are_shown_beside_the_number_of_others(self, tmp_path):
        with pytest.raises(SourceFormatError, match="found 'title', 'my text', 1 other column ") as caught:
            csv_of(tmp_path, f"title,{self.TEXT},my text\n")
        assert "CANARY" not in str(caught.value)
        with pytest.raises(
            SourceFormatError, match="no column is called 'Gruppe'; found 'question', 'ans"
        ) as caught:
            csv_of(tmp_path, f"question,answer,{self.TEXT}\n", group="Gruppe")
        assert "CANARY" not in str(caught.value)

    def test_two_columns_of_one_text(self, tmp_path):
        options = {"question": self.TEXT, "answer": "answer"}
        with pytest.raises(SourceFormatError, match="two columns have the same name") as caught:
            csv_of(tmp_path, f"{self.TEXT},{self.TEXT},answer\n", **options)
        assert "CANARY" not in str(caught.value)

    def test_keys(self, tmp_path):
        for line in (
            json.dumps({self.TEXT: "x"}).encode(),
            f'{{"question": "q", "answer": "a", "{self.TEXT}": 1, "{self.TEXT}": 2}}'.encode(),
        ):
            with pytest.raises(SourceFormatError, match="found 1 key;|a key occurs twice") as caught:
                jsonl_of(tmp_path, line)
            assert "CANARY" not in str(caught.value)


class TestPreamble:
    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    @pytest.mark.parametrize(
        ("before", "mark"),
        [
            ("sep=;", ";"),
            ("SEP=~", "~"),
            ('"sep=\t"', "\t"),
            ("", ","),
            ("|", ","),
            ("|sep=,", ","),
            ("sep=;||", ";"),
        ],
    )
    def test_blank_lines_and_excels_line_may_precede_the_header(self, tmp_path, end, before, mark):
        lines = [*before.split("|"), f"question{mark}answer", f"q{mark}a"]
        (pair,) = csv_of(tmp_path, end.join(lines))
        assert (pair.question, pair.answer, pair.source.line) == ("q", "a", len(lines))

    def test_a_given_delimiter_overrides_excels_line(self, tmp_path):
        assert texts(csv_of(tmp_path, "sep=;\nquestion,answer\nq,a\n", delimiter=",")) == [("q", "a")]

    def test_an_error_of_the_header_names_its_line(self, tmp_path):
        with pytest.raises(SourceFormatError, match=r"a\.csv:3:1: no columns"):
            csv_of(tmp_path, "\n\nq,a\n")

    def test_only_the_first_sep_line_is_excels(self, tmp_path):
        with pytest.raises(SourceFormatError, match=r"a\.csv:2:1: no columns"):
            csv_of(tmp_path, "sep=;\nsep=,\nquestion,answer\nq,a\n")


class TestDoubtfulFormulas:
    """A file that has the header of an export and no manifest beside it."""

    @pytest.mark.parametrize("header", ["input,output", "text_input,output"])
    @pytest.mark.parametrize("text", ["'=1", "'+1", "'-1", "'@a", "''a", "'\ta"])
    def test_a_cell_that_may_be_escaped_is_asked_about(self, tmp_path, header, text):
        data = f"{header}\nq,a\nq,{text}\n"
        for on_error in ("raise", "skip"):
            with pytest.raises(
                SourceFormatError, match=r"a\.csv:3:1: .*escaped_formulas=True .*otherwise False"
            ):
                csv_of(tmp_path, data, on_error=on_error)
        assert texts(csv_of(tmp_path, data, escaped_formulas=True))[1] == ("q", text[1:])
        assert texts(csv_of(tmp_path, data, escaped_formulas=False))[1] == ("q", text)

    @pytest.mark.parametrize(
        "data", ["input,output\n'q',a\n", "question,answer\n'=1,a\n", "output,input\n'=1,a\n"]
    )
    def test_files_without_an_export_header_are_text(self, tmp_path, data):
        assert len(texts(csv_of(tmp_path, data))) == 1
        assert texts(csv_of(tmp_path, data))[0][0 if "output,input" not in data else 1].startswith("'")


class TestIds:
    def test_an_id_is_file_stem_and_hash_of_the_canonical_pair(self, tmp_path):
        question, answer = 'Ünï "q"\n\x00\x7f\u2028/', "😀\t\\"
        (pair,) = jsonl_of(tmp_path, {"question": question, "answer": answer})
        assert pair.id == "a:" + digest({"question": question, "answer": answer})[:16]

    def test_ids_do_not_depend_on_row_order_or_format(self, tmp_path):
        rows = [(f"q{n}", f"a{n % 3}") for n in range(20)] + [("q1", "a1"), ("q1", "a1")]
        ids = [
            sorted(p.id for p in jsonl_of(tmp_path, *({"question": q, "answer": a} for q, a in order)))
            for order in (rows, rows[::-1])
        ]
        text = "question,answer\n" + "".join(f"{q},{a}\n" for q, a in rows)
        ids.append(sorted(p.id for p in csv_of(tmp_path, text)))
        assert ids[0] == ids[1] == ids[2]
        assert len(set(ids[0])) == 22

    def test_repetitions_are_numbered(self, tmp_path):
        ids = [p.id for p in csv_of(tmp_path, "question,answer\nq,a\nq,a\nq,a\n")]
        assert ids[1:] == [ids[0] + "-2", ids[0] + "-3"]

    def test_thousands_of_ids_stay_unique(self, tmp_path):
        rows = [{"question": f"q{n % 3000}", "answer": "a"} for n in range(9000)]
        assert len({p.id for p in jsonl_of(tmp_path, *rows)}) == 9000

    def test_a_given_id_must_be_unique(self, tmp_path):
        data = "id,question,answer\n1,q,a\n1,q2,a2\n"
        with pytest.raises(SourceFormatError, match=r"a\.csv:3:1: its id was used before"):
            csv_of(tmp_path, data)
        assert drops(csv_of(tmp_path, data, on_error="skip")) == [("duplicate_id", "a.csv:3")]

    def test_equal_file_names_in_two_folders_give_different_ids(self, tmp_path):
        for name in ("x", "y"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "a.csv").write_text("question,answer\nq,a\n")
        several = CsvCollector([tmp_path / "x", tmp_path / "y"]).collect()
        assert len({p.id for p in several}) == 2
        whole = [p.id for p in CsvCollector(tmp_path).collect()]
        assert [i.partition(":")[0] for i in whole] == ["x/a", "y/a"]


class TestFiles:
    def test_a_folder_means_its_files_sorted_by_name(self, tmp_path):
        (tmp_path / "b").mkdir()
        for name in ("b/z.csv", "a.csv", "B.CSV"):
            (tmp_path / name).write_text(f"question,answer\n{name},a\n")
        (tmp_path / "c.csv.gz").write_bytes(gzip.compress(b"question,answer\nc,a\n"))
        (tmp_path / "d.txt").write_text("not a table")
        found = list(CsvCollector(tmp_path).collect())
        assert [p.question for p in found] == ["B.CSV", "a.csv", "b/z.csv", "c"]
        assert found[3].id.startswith("c:")

    def test_each_call_starts_from_the_beginning(self, tmp_path):
        (tmp_path / "a.csv").write_text("question,answer\nq,a\nq,a\n")
        collector = CsvCollector(tmp_path)
        assert list(collector.collect()) == list(collector.collect())

    def test_missing_paths_and_empty_folders_are_errors(self, tmp_path):
        for kind, suffix in ((CsvCollector, "csv"), (JsonlCollector, "jsonl")):
            with pytest.raises(SourceError, match="this file or folder does not exist"):
                list(kind(tmp_path / "absent").collect())
            with pytest.raises(SourceError, match=rf"has no \*\.{suffix}"):
                list(kind(tmp_path).collect())
            with pytest.raises(ConfigError):
                kind([])

    @pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="no file here that fails to read")
    def test_a_file_that_cannot_be_read_is_an_error(self, tmp_path):
        (tmp_path / "a.csv").symlink_to("/proc/self/mem")

        with pytest.raises(SourceError, match=r"a\.csv: cannot be read: Input/output error"):
            list(CsvCollector(tmp_path / "a.csv").collect())

    def test_damaged_gzip_is_an_error_or_a_dropped_file(self, tmp_path):
        lines = b"".join(b'{"question": "q%d", "answer": "a"}\n' % n for n in range(9999))
        data = gzip.compress(lines)
        (tmp_path / "a.jsonl.gz").write_bytes(data[: len(data) // 2])
        with pytest.raises(SourceFormatError, match="gzip data are damaged or incomplete"):
            list(JsonlCollector(tmp_path).collect())
        with pytest.raises(
            SourceError, match=r"no pair could be read.*a\.jsonl\.gz: its gzip data are damaged"
        ):
            list(JsonlCollector(tmp_path, on_error="skip").collect())
        (tmp_path / "b.jsonl").write_text('{"question": "q", "answer": "a"}')
        found = list(JsonlCollector(tmp_path, on_error="skip").collect())
        assert drops(found) == [("damaged", "a.jsonl.gz")]
        assert texts(found) == [("q", "a")]

    def test_lancedb_tables_are_ignored(self, tmp_path):
        for folder in (tmp_path / "sub", tmp_path / "t.lance" / "data"):
            folder.mkdir(parents=True)
            (folder / "a.jsonl").write_text('{"question": "q", "answer": "a"}')
        assert [p.source.path for p in JsonlCollector(tmp_path).collect()] == ["sub/a.jsonl"]
        assert len(list(JsonlCollector(tmp_path / "t.lance").collect())) == 1

    @pytest.mark.parametrize("date", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-10:00"])
    def test_a_date_outside_utc_is_refused(self, tmp_path, date):
        with pytest.raises(SourceFormatError, match="date is"):
            csv_of(tmp_path, f"question,answer,date\nq,a,{date}\n")

    def test_a_file_name_that_is_not_utf_8_does_not_spoil_ids(self, tmp_path):
        path = bytes(tmp_path) + b"/b\xff.csv"
        try:
            with open(path, "wb") as file:  # noqa: PTH123
                file.write(b"question,answer\nq,a\n")
        except OSError:
            pytest.skip("the file system takes only UTF-8 names")
        (pair,) = CsvCollector(tmp_path).collect()
        assert pair.id.encode().startswith(b"b\\xff:")


class TestCsv:
    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_delimiter_and_line_end_are_recognised(self, tmp_path, delimiter, end):
        rows = [["question", "answer"], ['a, "b"; c | d', "e\tf"], ["two\r\nlines", "x\ry"], ["q", "a"]]
        text = end.join(delimiter.join('"' + f.replace('"', '""') + '"' for f in r) for r in rows)
        for tail in ("", end, end + end):
            found = csv_of(tmp_path, text + tail)
            assert texts(found) == [tuple(r) for r in rows[1:]]
            assert [p.source.line for p in found] == [2, 3, 6]

    def test_an_ambiguous_delimiter_must_be_given(self, tmp_path):
        data = "question,answer,z;question;answer\n1,2,3;q;a\n"
        with pytest.raises(SourceFormatError, match="two ways; give `delimiter=`"):
            csv_of(tmp_path, data)
        assert texts(csv_of(tmp_path, data, delimiter=",")) == [("1", "2")]
        assert texts(csv_of(tmp_path, data, delimiter=";")) == [("q", "a")]

    def test_a_rare_delimiter_can_be_given(self, tmp_path):
        assert texts(csv_of(tmp_path, "question^answer\nq^a,b\n", delimiter="^")) == [("q", "a,b")]

    def test_blank_lines_are_skipped(self, tmp_path):
        found = csv_of(tmp_path, "question,answer\n\n\r\nq,a\n\n\nr,b")
        assert texts(found) == [("q", "a"), ("r", "b")]
        assert [p.source.line for p in found] == [4, 7]

    def test_line_numbers_count_breaks_inside_fields(self, tmp_path):
        found = csv_of(tmp_path, 'question,answer\r\n"a\nb\r\nc\rd",x\r\nq,a\r\n')
        assert [p.source.line for p in found] == [2, 6]

    @pytest.mark.parametrize(
        ("bad", "reason", "line", "column"),
        [
            ("one", "fields", 3, 1),
            ("a,b,c", "fields", 3, 1),
            ('"a"b,c', "quotes", 3, 4),
            ('x,"y"z', "quotes", 3, 6),
            ('"two\nlines"x,c', "quotes", 4, 7),
            (",a", "empty_question", 3, 1),
            ('q,""', "empty_answer", 3, 1),
            (" ,a", "empty_question", 3, 1),
        ],
    )
    def test_only_the_bad_record_is_dropped(self, tmp_path, bad, reason, line, column):
        data = f"question,answer\ngood,1\n{bad}\ngood,2\n"
        with pytest.raises(SourceFormatError) as caught:
            csv_of(tmp_path, data)
        assert caught.value.line == line
        found = csv_of(tmp_path, data, on_error="skip")
        assert [(q, a) for q, a in texts(found) if q == "good"] == [("good", "1"), ("good", "2")]
        assert caught.value.column == column
        if "\n" not in bad:
            assert texts(found) == [("good", "1"), ("good", "2")]
            assert drops(found) == [(reason, "a.csv:3")]

    def test_an_unclosed_quote_loses_one_line(self, tmp_path):
        data = 'question,answer\ngood,1\nbad,"open\ngood,2\ngood,3\n'
        with pytest.raises(SourceFormatError, match=r"a\.csv:3:5: a quoted field is never closed; double"):
            csv_of(tmp_path, data)
        found = csv_of(tmp_path, data, on_error="skip")
        assert texts(found) == [("good", "1"), ("good", "2"), ("good", "3")]
        assert drops(found) == [("quotes", "a.csv:3")]

    def test_a_field_may_exceed_the_limit_of_pythons_reader(self, tmp_path):
        long = 'x"\n' * 200_000
        path = tmp_path / "a.csv"
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([["question", "answer"], [long, "a"], ["q", long]])
        before = csv.field_size_limit()
        assert texts(CsvCollector(path, max_pair=2 << 20).collect()) == [(long, "a"), ("q", long)]
        assert csv.field_size_limit() == before

    @pytest.mark.parametrize("text", ["x" * (40 << 20), '"' + "x\n" * (20 << 20)])
    def test_a_record_over_the_limit_needs_little_memory(self, tmp_path, text):
        path = tmp_path / "a.csv"
        path.write_text(f"question,answer\nq,{text}\n")
        with path.open("a") as file:
            file.write("good,1\n")
        with pytest.raises(SourceFormatError, match=r"a\.csv:2:1: a record is longer than"):
            list(CsvCollector(path).collect())
        if not text.startswith('"'):
            found = list(CsvCollector(path, on_error="skip").collect())
            assert texts(found) == [("good", "1")]
            assert drops(found) == [("too_long", "a.csv:2")]

    def test_nul_and_quotes_inside_plain_fields_are_text(self, tmp_path):
        assert texts(csv_of(tmp_path, "question,answer\na\0b,5'10\" tall\n")) == [("a\0b", "5'10\" tall")]

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "utf-16-le", "utf-32"])
    def test_encodings(self, tmp_path, encoding):
        data = "question,answer\nÜber,é\n".encode(encoding)
        known = encoding in {"utf-8", "utf-8-sig", "utf-16", "utf-32"}
        if known:
            assert texts(csv_of(tmp_path, data)) == [("Über", "é")]
        else:
            with pytest.raises(SourceFormatError, match="encoding="):
                csv_of(tmp_path, data)
        assert texts(csv_of(tmp_path, data, encoding=encoding)) == [("Über", "é")]

    def test_utf_16_without_a_mark_needs_its_byte_order(self, tmp_path):
        with pytest.raises(SourceFormatError, match="utf-16-le"):
            csv_of(tmp_path, "question,answer\nq,a\n".encode("utf-16-be"), encoding="utf-16")
        data = b"\xfe\xff" + "question,answer\nq,a\n".encode("utf-16-be")
        assert texts(csv_of(tmp_path, data, encoding="utf-16-be")) == [("q", "a")]

    def test_a_byte_that_is_not_utf_8_affects_only_its_record(self, tmp_path):
        data = "question,answer\ngood,é\nb\xff,x\ngood,2\n".encode("latin-1").replace(b"\xe9", "é".encode())
        with pytest.raises(
            SourceFormatError, match=r"a\.csv:3:2: byte 0xff is not UTF-8 .*offset 25\); pass the correct"
        ):
            csv_of(tmp_path, data)
        found = csv_of(tmp_path, data, on_error="skip")
        assert texts(found) == [("good", "é"), ("good", "2")]
        assert drops(found) == [("encoding", "a.csv:3")]
        last = csv_of(tmp_path, b"question,answer\nq,a\nq,\xff", on_error="skip")
        assert drops(last) == [("encoding", "a.csv:3")]

    def test_a_sequence_across_blocks_is_decoded(self, tmp_path):
        text = "question,answer\n" + "".join(f"{n}é😀,{'ä' * 61}\n" for n in range(40_000))
        for shift in range(4):
            found = csv_of(tmp_path, text.encode() + b"\n" * shift)
            assert len(found) == 40_000
        bad = text.encode() + b"\xff,x\nlast,a\n"
        assert texts(csv_of(tmp_path, bad, on_error="skip"))[-1] == ("last", "a")

    def test_a_lone_surrogate_that_an_encoding_makes_is_refused(self, tmp_path):
        data = b"question,answer\nq\\ud800,a\ngood,1\n"
        with pytest.raises(SourceFormatError, match=r"a\.csv:2:1: a text contains a lone surrogate"):
            csv_of(tmp_path, data, encoding="raw_unicode_escape")
        found = csv_of(tmp_path, data, encoding="raw_unicode_escape", on_error="skip")
        assert texts(found) == [("good", "1")]

    def test_a_header_without_end_is_refused(self, tmp_path):
        with pytest.raises(SourceFormatError, match="no columns"):
            csv_of(tmp_path, '"question,answer\n' + "x" * (20 << 20))

    def test_a_given_encoding_that_does_not_fit_drops_the_rest_of_the_file(self, tmp_path):
        data = "question,answer\nq,a\n".encode("utf-16-le") + b"\x00"
        with pytest.raises(SourceFormatError, match="near byte"):
            csv_of(tmp_path, data, encoding="utf-16-le")

    def test_memory_use_is_constant(self, tmp_path):
        def peak(count):
            path = tmp_path / f"{count}.csv"
            path.write_text("question,answer\n" + "".join(f"q{n}{'x' * 300},a\n" for n in range(count)))
            tracemalloc.start()
            for _ in CsvCollector(path).collect():
                pass
            found = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return found

        assert peak(60_000) - peak(12_000) < 4_000_000


class TestJsonl:
    GOOD = b'{"question": "good", "answer": "1"}'

    @pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
    def test_line_ends_may_be_mixed_and_blank_lines_are_ignored(self, tmp_path, end):
        path = tmp_path / "a.jsonl"
        path.write_bytes(
            b"\xef\xbb\xbf"
            + self.GOOD
            + end
            + b" \t"
            + end
            + self.GOOD
            + b"\r\n"
            + self.GOOD
            + b"\r"
            + self.GOOD
        )
        found = list(JsonlCollector(path).collect())
        assert [p.source.line for p in found] == [1, 3, 4, 5]

    def test_line_numbers_are_right_across_blocks(self, tmp_path):
        path = tmp_path / "a.jsonl"
        rows = [json.dumps({"question": f"q{n}", "answer": "é" * (n % 97 + 1)}) for n in range(30_000)]
        for end in ("\r\n", "\r", "\n"):
            path.write_bytes(end.join(rows).encode())
            found = list(JsonlCollector(path).collect())
            assert [p.source.line for p in found] == list(range(1, 30_001))
            assert texts(found) == [tuple(json.loads(r).values()) for r in rows]

    @pytest.mark.parametrize(
        ("bad", "reason", "column"),
        [
            (b'{"question": "a", "answer": NaN}', "not_json", 29),
            (b'{"question": "a", "answer": -Infinity}', "not_json", None),
            (b'{"question": "a", "answer": "b"} x', "not_json", 34),
            (b'{"question": "a", "answer": "b"}{}', "not_json", 33),
            (b'{"question": "\xc3\xa9\xff", "answer": "b"}', "encoding", 16),
            (b'{"question": "a\x00", "answer": "b"}', "not_json", 16),
            (b'{"question": "\\ud800", "answer": "b"}', "surrogate", None),
            (b'{"question": "\\udc00x", "answer": "b"}', "surrogate", None),
            (b'{"question": "a", "answer": "b", "answer": "c"}', "duplicate_key", 1),
            (b'{"question": "a:::", "answer": "b", "a\\u006eswer": "c"}', "duplicate_key", 1),
            (b'{"question": "\\u003a", "answer": "b", "answer": "c"}', "duplicate_key", 1),
            (b'["question", "answer"]', "not_object", 1),
            (b'"x"', "not_object", 1),
            (b'{"question": "a", "answer": 1e999}', "not_json", None),
            (b'{"question": "a", "answer": ' + b"9" * 9999 + b"}", "not_json", None),
            (b'{"question": "a"', "not_json", 17),
            (b'{"question": "a", "answer": 5}', "type", 1),
            (b'{"question": ["a"], "answer": "b"}', "type", 1),
            (b'{"question": "", "answer": "b"}', "empty_question", 1),
            (b'{"question": "a", "answer": " \\n"}', "empty_answer", 1),
            (b'{"x": "y"}', "columns", 1),
            (b'{"question": "a", "answer": "b", "x": ' + b"[" * 64 + b"]" * 64 + b"}", "too_deep", 1),
            (b"[" * 100_000, "too_deep", 1),
            (b'{"a":' * 100_000, "too_deep", 1),
            (b'{"a":[' * 1_000_000, "too_deep", 1),
        ],
    )
    def test_only_the_bad_line_is_dropped(self, tmp_path, bad, reason, column):
        lines = (self.GOOD, bad, self.GOOD.replace(b"1", b"2"))
        with pytest.raises(SourceFormatError) as caught:
            jsonl_of(tmp_path, *lines)
        assert caught.value.line == 2
        assert caught.value.column is not None
        assert column in (None, caught.value.column)
        assert caught.value.hint
        found = jsonl_of(tmp_path, *lines, on_error="skip")
        assert texts(found) == [("good", "1"), ("good", "2")]
        assert drops(found) == [(reason, "a.jsonl:2")]

    def test_errors_and_drops_contain_no_text_of_the_record(self, tmp_path):
        for bad in (
            b'{"question": "CANARY", "answer": "CANARY"',
            b'{"question": "CANARY", "answer": ["CANARY"]}',
            b'"CANARY"',
        ):
            with pytest.raises(SourceFormatError) as caught:
                jsonl_of(tmp_path, bad)
            assert "CANARY" not in str(caught.value)
            assert "CANARY" not in repr(jsonl_of(tmp_path, bad, on_error="skip"))

    def test_nesting_up_to_the_limit_is_read(self, tmp_path):
        nested = b"[" * 63 + b"]" * 63
        found = jsonl_of(tmp_path, b'{"question": "a", "answer": "b", "x": ' + nested + b"}")
        assert texts(found) == [("a", "b")]

    def test_unused_numbers_may_have_any_size(self, tmp_path):
        line = b'{"question": "a", "answer": "b", "x": [' + b"7" * 40 + b", -1.5e300]}"
        assert texts(jsonl_of(tmp_path, line)) == [("a", "b")]
        with pytest.raises(SourceFormatError, match="'x' occurs twice"):
            jsonl_of(tmp_path, line[:-1] + b', "x": 1}')

    def test_brackets_in_a_text_are_not_nesting(self, tmp_path):
        found = jsonl_of(tmp_path, {"question": "[{" * 500, "answer": "a", "x": [[]] * 99})
        assert texts(found) == [("[{" * 500, "a")]

    def test_an_unused_duplicate_key_is_accepted(self, tmp_path):
        found = jsonl_of(tmp_path, b'{"question": "a", "answer": "b", "x": {"k": 1, "k": 2}}')
        assert texts(found) == [("a", "b")]
        with pytest.raises(SourceFormatError, match="'content' occurs twice"):
            jsonl_of(tmp_path, b'{"messages": [{"role": "user", "content": "a", "content": "b"}]}')

    @pytest.mark.parametrize("size", [17, 100])
    def test_a_line_over_the_limit_needs_little_memory(self, tmp_path, size):
        path = tmp_path / "a.jsonl"
        with path.open("wb") as file:
            file.write(self.GOOD + b'\n{"question": "')
            for _ in range(size):
                file.write(b"x" * (1 << 20))
            file.write(b'", "answer": "b"}\r\n' + self.GOOD)
        tracemalloc.start()
        found = list(JsonlCollector(path, on_error="skip").collect())
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert drops(found) == [("too_long", "a.jsonl:2")]
        assert [p.source.line for p in found if isinstance(p, QAPair)] == [1, 3]
        assert peak < 80 << 20
        with pytest.raises(SourceFormatError, match=r"a\.jsonl:2:1: the line is longer than 16777216 bytes"):
            list(JsonlCollector(path).collect())

    def test_a_long_line_within_the_limit_is_read(self, tmp_path):
        text = "é" * (7 << 20)
        record = {"question": "q", "answer": text[: 2 << 20]}
        assert texts(jsonl_of(tmp_path, record, max_pair=5 << 20)) == [("q", text[: 2 << 20])]

    def test_an_empty_file_is_refused_or_counted(self, tmp_path):
        for data in (b"", b"\n \n", b"\xef\xbb\xbf"):
            with pytest.raises(SourceFormatError, match=r"a\.jsonl:1:1: contains no record"):
                jsonl_of(tmp_path, data)
            with pytest.raises(SourceError, match=r"a\.jsonl: contains no record"):
                jsonl_of(tmp_path, data, on_error="skip")
            (tmp_path / "b.jsonl").write_text('{"question": "q", "answer": "a"}')
            found = JsonlCollector(tmp_path, on_error="skip").collect()
            assert drops(found) == [("empty", "a.jsonl")]

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "cp1252", "utf-32"])
    def test_other_encodings(self, tmp_path, encoding):
        data = '{"question": "Über", "answer": "é"}\r\n{"question": "b", "answer": "c"}'.encode(encoding)
        assert texts(jsonl_of(tmp_path, data, encoding=encoding)) == [("Über", "é"), ("b", "c")]
        if encoding in {"utf-16", "utf-32"}:
            assert texts(jsonl_of(tmp_path, data)) == [("Über", "é"), ("b", "c")]
        else:
            with pytest.raises(SourceFormatError):
                jsonl_of(tmp_path, data)


class TestTurns:
    @staticmethod
    def chat(*turns):
        return [{"role": role, "content": text} for role, text in turns]

    def test_one_exchange_of_each_form(self, tmp_path):
        user, model = ("user", "q"), ("assistant", "a")
        records = [
            {"messages": self.chat(("system", "s"), user, model)},
            {"prompt": self.chat(("system", "s"), user), "completion": self.chat(model)},
            {
                "systemInstruction": {"role": "system", "parts": [{"text": "s"}]},
                "contents": [
                    {"role": "user", "parts": [{"text": "q"}]},
                    {"role": "model", "parts": [{"text": "a"}]},
                ],
            },
            {
                "messages": [
                    {"role": "user", "content": [{"type": "text", "text": "q"}]},
                    {"role": "assistant", "content": "a"},
                ]
            },
            {
                "contents": [
                    {"parts": [{"text": "q"}]},
                    {"role": "model", "parts": [{"text": ""}, {"text": "a"}]},
                ]
            },
        ]
        assert texts(jsonl_of(tmp_path, *records)) == [("q", "a")] * len(records)
        assert drops(jsonl_of(tmp_path, *records)) == [("system_instruction", "a.jsonl")]

    def test_the_last_exchange_is_the_pair_and_the_rest_is_counted(self, tmp_path):
        turns = self.chat(("user", "1"), ("assistant", "2"), ("user", "3"), ("tool", "4"), ("assistant", "5"))
        dropped, pair = jsonl_of(tmp_path, {"messages": turns})
        assert (pair.question, pair.answer) == ("3", "5")
        assert (dropped.reason, dropped.unit, dropped.count, dropped.where) == (
            "earlier_turn",
            "message",
            3,
            "a.jsonl:1",
        )

    @pytest.mark.parametrize(
        ("record", "reason"),
        [
            ({"messages": []}, "no_answer"),
            ({"messages": [{"role": "user", "content": "q"}]}, "no_answer"),
            ({"messages": [{"role": "assistant", "content": "a"}]}, "no_question"),
            ({"messages": "x"}, "type"),
            ({"messages": ["x"]}, "type"),
            ({"messages": [{"role": "user", "content": 5}]}, "not_text"),
            ({"messages": [{"role": 5, "content": "x"}]}, "not_text"),
            ({"contents": [{"role": "user", "parts": [{"text": "x"}, {"inlineData": {}}]}]}, "not_text"),
            ({"contents": [{"role": "user", "parts": [{"inlineData": {}}]}]}, "not_text"),
            ({"prompt": [], "completion": ["x"]}, "type"),
            (
                {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": None}]},
                "empty_answer",
            ),
        ],
    )
    def test_turns_without_a_pair_are_dropped_with_a_reason(self, tmp_path, record, reason):
        assert drops(jsonl_of(tmp_path, record, on_error="skip")) == [(reason, "a.jsonl:1")]


@pytest.mark.shared_data
class TestRealData:
    @staticmethod
    def suite(shared_data):
        with tarfile.open(shared_data / "dirty-json" / "test_parsing.tar.xz") as archive:
            for member in archive:
                if member.isfile() and member.name.endswith(".json"):
                    yield member.name.rpartition("/")[2], archive.extractfile(member).read()

    def test_json_test_suite_as_the_value_of_a_further_key(self, tmp_path, shared_data):
        """Line breaks in the accepted files are white space; here they would end the line, so they are removed."""
        seen = {"y": 0, "n": 0, "i": 0}
        good = b'{"question": "good", "answer": "1"}'
        for name, data in self.suite(shared_data):
            seen[name[0]] += 1
            value = data.replace(b"\n", b" ") if name[0] == "y" else data
            line = b'{"question": "q", "answer": "a", "x": ' + value + b"}"
            found = jsonl_of(tmp_path, good, line, good, on_error="skip")
            kept = [question for question, _ in texts(found)]
            assert kept == (["good", "q", "good"] if "q" in kept else ["good", "good"]), name
            assert ("q" in kept) == (name[0] == "y") or name[0] == "i", name
        assert seen == {"y": 95, "n": 188, "i": 35}

    def test_json_test_suite_as_whole_files(self, tmp_path, shared_data):
        for name, data in self.suite(shared_data):
            with pytest.raises(SourceFormatError) as caught:
                jsonl_of(tmp_path, data)
            assert caught.value.line is not None, name
            assert caught.value.column is not None, name

    def test_csv_spectrum(self, tmp_path, shared_data):
        """Each file equals the JSON beside it, except two whose JSON does not match their CSV."""
        from furytune._readers.csv_records import CsvReader, cell

        folder = shared_data / "dirty-csv" / "csv-spectrum"
        differ = set()
        for path in sorted((folder / "csvs").glob("*.csv")):
            reader = CsvReader([path.read_bytes().decode()])
            names = reader.header(",")
            records = [tuple(map(cell, raw)) for _, raw in reader.records(",", len(names))][1:]
            found = [dict(zip(names, r, strict=True)) for r in records]
            expected = json.loads((folder / "json" / f"{path.stem}.json").read_bytes())
            if found != expected:
                differ.add(path.stem)
        # location_coordinates.json: an object instead of a list, with another telephone number than the CSV.
        # newlines_crlf.csv: its line ends were converted to LF when it was stored.
        assert differ == {"location_coordinates", "newlines_crlf"}

    def test_forum_files_with_semicolons_and_lone_cr(self, shared_data):
        for name, rows in (
            ("dwolla/DWOLLAapi-final", 478),
            ("docusign/java-v4", 486),
            ("docusign/php-v2", 760),
        ):
            path = shared_data / "forum-accepted-answers" / f"{name}.csv.gz"
            options = {"question": "uid", "answer": "type", "asked_at": ""}
            assert len(list(CsvCollector(path, **options).collect())) == rows
