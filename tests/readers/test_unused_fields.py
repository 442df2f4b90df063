"""Records with more than a pair are joined, refused or counted; and files with a false byte order mark."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from furytune.collectors.tabular import CsvCollector, JsonlCollector
from furytune.errors import ConfigError, SourceFormatError
from furytune.records import Dropped, QAPair

FORMS = {"csv": CsvCollector, "jsonl": JsonlCollector}


def encode(form: str, records: list[dict[str, Any]]) -> bytes:
    if form == "jsonl":
        return "\n".join(json.dumps(record, ensure_ascii=False) for record in records).encode()
    names = list(dict.fromkeys(name for record in records for name in record))
    text = io.StringIO()
    writer = csv.DictWriter(text, names)
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue().encode()


@pytest.fixture(params=FORMS)
def read(request, tmp_path):
    """Writes records in one form and collects them."""

    def collected(*records, **options):
        path = tmp_path / f"a.{request.param}"
        path.write_bytes(encode(request.param, list(records)))
        items = list(FORMS[request.param](path, **options).collect())
        return (
            [(i.question, i.answer) for i in items if isinstance(i, QAPair)],
            [i for i in items if isinstance(i, Dropped)],
        )

    return collected


def brief(drops: list[Dropped]) -> list[tuple[str, str, int]]:
    return [(d.reason, d.unit, d.count) for d in drops]


class TestJoining:
    def test_an_instruction_comes_before_its_input(self, read):
        record = {
            "instruction": "How do I blend colours?",
            "input": "two RGB triples",
            "output": "Take their mean.",
        }
        assert read(record) == ([("How do I blend colours?\n\ntwo RGB triples", "Take their mean.")], [])

    @pytest.mark.parametrize("blank", ["", "  \n"])
    def test_an_empty_input_adds_nothing(self, read, blank):
        record = {"instruction": "How?", "input": blank, "output": "So."}
        assert read(record) == ([("How?", "So.")], [])

    @pytest.mark.parametrize("answer", ["output", "response"])
    def test_an_instruction_alone_is_a_question(self, read, answer):
        assert read({"instruction": "How?", answer: "So."}) == ([("How?", "So.")], [])

    @pytest.mark.parametrize(
        ("question", "answer"), [("question", "answer"), ("prompt", "completion"), ("text_input", "output")]
    )
    def test_an_instruction_comes_before_a_question_of_any_name(self, read, question, answer):
        record = {question: "why?", answer: "so", "Instruction": "Be brief."}
        assert read(record) == ([("Be brief.\n\nwhy?", "so")], [])

    def test_several_columns_can_be_named_and_are_joined_in_that_order(self, read):
        record = {"a": "1", "question": "why?", "answer": "so", "context": "It rains.", "b": ""}
        assert read(record, question=["context", "question", "b"], answer="answer") == (
            [("It rains.\n\nwhy?", "so")],
            [],
        )

    def test_null_in_one_of_several_keys_is_empty(self, tmp_path):
        path = tmp_path / "a.jsonl"
        path.write_text('{"instruction": "How?", "input": null, "output": "So."}')
        (pair,) = JsonlCollector(path).collect()
        assert pair.question == "How?"

    @pytest.mark.parametrize("question", [[], ["a", "a"], ["answer"], ["a", ""], [5], 5, ["a", None]])
    def test_invalid_column_names_are_refused(self, question):
        with pytest.raises(ConfigError, match=r"question|columns"):
            JsonlCollector("x", question=question, answer="answer")


class TestParts:
    @pytest.mark.parametrize(
        "record",
        [
            {"question": "why?", "context": "It rains.", "answer": "so"},
            {"instruction": "why?", "context": "It rains.", "response": "so"},
            {"question": "why?", "answer": "so", "Documents": "It rains."},
            {"question": "why?", "answer": "so", "input": "It rains."},
            {"input": "why?", "output": "so", "text_input": "It rains."},
            {"prompt": "why?", "completion": "so", "history": "It rains."},
        ],
    )
    def test_another_part_of_the_question_is_an_error_without_its_text(self, read, record):
        with pytest.raises(SourceFormatError, match=r"may be part of the question.*`question=`") as caught:
            read(record)
        assert "rains" not in str(caught.value)
        good = {name: text.replace("It rains.", "") for name, text in record.items()}
        pairs, drops = read(good, record, good, on_error="skip")
        assert len(pairs) == 2
        assert brief(drops) == [("unused_text", "record", 1)]
        assert "rains" not in repr(drops)

    def test_naming_the_columns_leaves_out_the_others(self, read):
        record = {"question": "why?", "context": "It rains.", "answer": "so", "system": "s", "url": "u"}
        assert read(record, question="question", answer="answer") == ([("why?", "so")], [])

    def test_context_beside_chat_turns_is_refused(self, tmp_path):
        turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
        path = tmp_path / "a.jsonl"
        path.write_text(json.dumps({"messages": turns, "documents": [{"text": "It rains."}]}))
        with pytest.raises(SourceFormatError, match="'documents' may be part of the question"):
            list(JsonlCollector(path).collect())

    def test_other_pairs_and_fields_are_counted_once_per_file(self, read):
        record = {"question": "q", "answer": "a", "input": "q", "output": "a", "url": "u", "notes": " "}
        pairs, drops = read(record, record | {"notes": "n"})
        assert len(pairs) == 2
        (drop,) = drops
        assert (drop.reason, drop.unit, drop.count) == ("unused_field", "field", 7)
        assert drop.detail == "'input', 'output', 'url', 'notes'"

    def test_names_that_may_be_text_are_not_shown(self, tmp_path):
        path = tmp_path / "a.jsonl"
        path.write_text(json.dumps({"question": "q", "answer": "a", "Some person's words, as a key": "x"}))
        *_, drop = JsonlCollector(path).collect()
        assert drop.detail == "1 field"

    def test_a_system_text_is_counted(self, read):
        pairs, drops = read(*[{"question": "q", "answer": str(i), "system": "You help."} for i in range(3)])
        assert len(pairs) == 3
        assert brief(drops) == [("system_instruction", "message", 3)]

    @given(
        st.dictionaries(
            st.sampled_from(["instruction", "input", "context", "x", "system", "y"]),
            st.sampled_from(["", " ", "t1", "t2"]),
        )
    )
    def test_each_text_is_in_the_pair_or_in_a_count(self, tmp_path_factory, extra):
        path = tmp_path_factory.mktemp("any") / "a.jsonl"
        path.write_text(json.dumps({"question": "q", "answer": "a", **extra}))
        items = list(JsonlCollector(path, on_error="skip").collect())
        held = [text for text in extra.values() if text.strip()]
        pairs = [i for i in items if isinstance(i, QAPair)]
        counted = sum(d.count for d in items if isinstance(d, Dropped))
        if pairs:
            joined = sum(part in held for part in pairs[0].question.split("\n\n"))
            assert joined + counted == len(held)
        else:
            assert [d.reason for d in items if isinstance(d, Dropped)] == ["unused_text"]


class TestMarks:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            *[
                ("weight", 0),
                ("weight", 0.0),
                ("weight", "0"),
                ("train", False),
                ("Train", "no"),
                ("trainable", "False"),
            ],
            *[
                ("ignore", True),
                ("do-not-train", "yes"),
                ("exclude", 1),
                ("skip", "TRUE"),
                ("split", "ignore"),
            ],
            *[
                ("split", "Test"),
                ("subset", "held-out".replace("held-out", "holdout")),
                ("split", "do not train"),
            ],
        ],
    )
    def test_a_record_marked_as_not_for_training_is_counted(self, read, name, value):
        record = {"question": "q", "answer": "a", name: value}
        assert [brief(drops) for _, drops in [read(record)]] == [[("not_for_training", "record", 1)]]
        pairs, _ = read(record, question="question", answer="answer")
        assert pairs == []

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("weight", 1),
            ("train", True),
            ("ignore", False),
            ("split", "train"),
            ("split", "validation"),
            ("skip", ""),
        ],
    )
    def test_a_record_marked_for_training_is_a_pair(self, read, name, value):
        assert read({"question": "q", "answer": "a", name: value}) == ([("q", "a")], [])

    @pytest.mark.parametrize(("name", "value"), [("train", "ICE 5"), ("split", "A"), ("weight", 0.5)])
    def test_other_values_are_not_marks(self, read, name, value):
        pairs, drops = read({"question": "q", "answer": "a", name: value})
        assert pairs == [("q", "a")]
        assert brief(drops) == [("unused_field", "field", 1)]

    def chat(self, tmp_path, *turns, **more):
        path = tmp_path / "a.jsonl"
        path.write_text(json.dumps({"messages": list(turns), **more}))
        return list(JsonlCollector(path).collect())

    @pytest.mark.parametrize("mark", [{"weight": 0}, {"weight": 0.0}, {"train": False}, {"training": False}])
    def test_an_answer_with_weight_0_is_not_used(self, tmp_path, mark):
        items = self.chat(
            tmp_path, {"role": "user", "content": "q"}, {"role": "assistant", "content": "a", **mark}
        )
        assert brief(items) == [("not_for_training", "record", 1)]

    def test_the_weight_of_an_earlier_answer_does_not_matter(self, tmp_path):
        turns = [
            {"role": "user", "content": "1"},
            {"role": "assistant", "content": "2", "weight": 0},
            {"role": "user", "content": "3"},
            {"role": "assistant", "content": "4", "weight": 1},
        ]
        dropped, pair = self.chat(tmp_path, *turns)
        assert (dropped.reason, pair.question, pair.answer) == ("earlier_turn", "3", "4")

    def test_system_instructions_of_chats_are_counted(self, tmp_path):
        turns = [
            {"role": "system", "content": "s"},
            {"role": "developer", "content": "d"},
            {"role": "user", "content": "q"},
            {"role": "assistant", "content": "a"},
        ]
        pair, dropped = self.chat(tmp_path, *turns)
        assert (pair.answer, dropped.reason, dropped.count) == ("a", "system_instruction", 2)

    def test_a_prompt_beside_chat_turns_is_counted(self, tmp_path):
        turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
        pair, dropped = self.chat(tmp_path, *turns, prompt="q")
        assert (pair.question, dropped.reason) == ("q", "unused_field")


class TestBounds:
    def test_a_pair_over_the_limit_is_counted(self, read):
        fits = {"question": "q" * 100_000, "answer": "a" * (262_144 - 100_000)}
        pairs, drops = read(fits, fits | {"answer": fits["answer"] + "a"}, {"question": "q", "answer": "a"})
        assert len(pairs) == 2
        assert brief(drops) == [("pair_too_long", "record", 1)]
        assert drops[0].where.endswith(":3" if drops[0].where.startswith("a.csv") else ":2")
        assert len(read(fits | {"answer": fits["answer"] + "a"}, max_pair=262_145)[0]) == 1

    def test_max_pair_must_be_a_number(self, read):
        with pytest.raises(ConfigError, match="max_pair must be a whole number, at least 1"):
            read({"question": "q", "answer": "a"}, max_pair=0)


class TestByteOrderMarks:
    LINES = (b'{"question": "one", "answer": "1"}', b'{"question": "zw\xc3\xb6lf", "answer": "12"}')

    def read(self, tmp_path, data, form="jsonl", name="a", **options):
        path = tmp_path / f"{name}.{form}"
        path.write_bytes(data)
        items = list(FORMS[form](path, **options).collect())
        return [i.question for i in items if isinstance(i, QAPair)], [
            (d.reason, d.where) for d in items if isinstance(d, Dropped)
        ]

    @pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
    @pytest.mark.parametrize("zipped", [False, True])
    def test_marked_utf_16_and_32_are_read(self, tmp_path, encoding, zipped):
        for form, text in (
            ("jsonl", b"\n".join(self.LINES).decode()),
            ("csv", "question,answer\none,1\nzwölf,12\n"),
        ):
            data = ("\ufeff" + text).encode(encoding)
            found = self.read(tmp_path, gzip.compress(data) if zipped else data, form)
            assert found == (["one", "zwölf"], [])

    @pytest.mark.parametrize("mark", [codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE])
    @pytest.mark.parametrize("shift", [b"", b"x"])
    def test_json_lines_after_a_false_mark_lose_one_line(self, tmp_path, mark, shift):
        data = mark + shift + b"\n".join([self.LINES[0], *self.LINES])
        assert self.read(tmp_path, data, on_error="skip") == (["one", "zwölf"], [("encoding", "a.jsonl:1")])
        with pytest.raises(SourceFormatError, match=r"a\.jsonl:1:1: byte 0xf[ef] is not UTF-8"):
            self.read(tmp_path, data)

    def test_csv_after_a_false_mark_loses_only_its_file(self, tmp_path):
        data = codecs.BOM_UTF16_LE + b"question,answer\none,1\n"
        with pytest.raises(
            SourceFormatError, match=r"a\.csv:1:1: begins with the byte order mark of UTF-16, but"
        ):
            self.read(tmp_path, data, "csv")
        (tmp_path / "b.csv").write_bytes(b"question,answer\ntwo,2\n")
        items = list(CsvCollector(tmp_path, on_error="skip").collect())
        assert [i.reason if isinstance(i, Dropped) else i.question for i in items] == ["encoding", "two"]

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
    @pytest.mark.parametrize("form", ["jsonl", "csv"])
    def test_truncated_utf_16_keeps_the_records_before(self, tmp_path, encoding, form):
        lines = ["question,answer"] if form == "csv" else []
        lines += [
            f"q{i},a" if form == "csv" else json.dumps({"question": f"q{i}", "answer": "a"})
            for i in range(50)
        ]
        data = ("\n".join(lines) + "\n").encode(encoding) + b"\x22"
        questions, drops = self.read(tmp_path, data, form, on_error="skip")
        assert questions == [f"q{i}" for i in range(50)]
        assert drops == [("encoding", f"a.{form}")]
        with pytest.raises(SourceFormatError, match=f"is not {encoding} near byte {len(data) - 1}"):
            self.read(tmp_path, data, form)

    def test_a_lone_surrogate_in_utf_16_loses_only_its_line(self, tmp_path):
        line = '{"question": "half \ud83d", "answer": "x"}\n'.encode("utf-16-le", "surrogatepass")
        good = b"\n".join([*self.LINES, b""]).decode().encode("utf-16-le")
        questions, drops = self.read(tmp_path, codecs.BOM_UTF16_LE + good + line + good, on_error="skip")
        assert questions == ["one", "zwölf", "one", "zwölf"]
        assert drops == [("encoding", "a.jsonl:3")]
        rows = "\ufeffquestion,answer\none,1\nhalf \ud83d,x\ntwo,2\n".encode("utf-16-be", "surrogatepass")
        assert self.read(tmp_path, rows, "csv", on_error="skip") == (
            ["one", "two"],
            [("surrogate", "a.csv:3")],
        )
