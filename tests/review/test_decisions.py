"""Decisions hold in later runs, void themselves when the source changes, and survive other writers and bad files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import attrs
import pytest

import furytune as ft
from furytune._storage.locks import lock_file
from furytune.errors import (
    ConfigError,
    CurationError,
    EmptyTextError,
    SourceError,
    SourceFormatError,
    StaleDecisionError,
    TextError,
)
from furytune.records import QAPair
from furytune.review import journal
from furytune.testing.memory import ListCollector, pair

BASE = 1235174400000000000
TOKEN = "npm_" + "aB3" * 12


def chat_pair(n: int, answer: str = "Call `sphere`.", **fields) -> QAPair:
    """A pair as a chat collector gives it."""
    uid = str(BASE + n)
    return pair(
        **{
            "question": f"How do I draw shape {n}?",
            "answer": answer,
            "id": f"discord:{uid}",
            "group": uid,
            "method": "link",
            "confidence": 0.4,
            "question_messages": (uid,),
            "answer_messages": (str(BASE + 1000 + n),),
            **fields,
        }
    )


PAIRS = [chat_pair(n) for n in range(6)]


def run(decisions, pairs=PAIRS, *more):
    return ft.Pipeline(collector=ListCollector(pairs), curators=[decisions, *more]).run()


def kept(decisions, pairs=PAIRS, *more):
    return {p.id: p for p in ft.Pipeline(collector=ListCollector(pairs), curators=[decisions, *more]).pairs()}


def drops(done) -> dict[tuple[str, str], tuple[str, ...]]:
    return {(d.unit, d.reason): d.examples for d in done.report.counts.dropped}


@pytest.fixture
def decisions(tmp_path) -> ft.Decisions:
    return ft.Decisions(tmp_path / "review.jsonl")


class TestWhatADecisionDoes:
    def test_an_accepted_pair_passes_steps_that_guess_and_no_others(self, decisions) -> None:
        leaky = chat_pair(0, f"Set the token to {TOKEN} first.")
        decisions.accept(leaky, by="anna")

        found = kept(decisions, [leaky, PAIRS[1]], ft.MinConfidence(0.8), ft.RedactSecrets())

        assert list(found) == [leaky.id]
        assert found[leaky.id].reviewed
        assert found[leaky.id].confidence == 1
        assert TOKEN not in found[leaky.id].answer

    def test_both_corrections_hold_in_either_order(self, decisions) -> None:
        for n, first, second in ((0, "question", "answer"), (1, "answer", "question")):
            getattr(decisions, first)(PAIRS[n], f"A new {first}?")
            getattr(decisions, second)(PAIRS[n], f"A new {second}?")

        for found in kept(decisions, PAIRS[:2]).values():
            assert (found.question, found.answer) == ("A new question?", "A new answer?")
            assert found.edits == ("question:decisions", "decisions")

    def test_accepting_takes_corrections_back(self, decisions) -> None:
        decisions.answer(PAIRS[0], "Wrong again.")
        decisions.accept(PAIRS[0])
        assert kept(decisions)[PAIRS[0].id].answer == PAIRS[0].answer

    def test_dropped_and_merged_pairs_are_counted(self, decisions) -> None:
        decisions.drop(PAIRS[0], reason="wrong")
        decisions.merge(PAIRS[1], into=PAIRS[2])

        found = drops(run(decisions))
        assert found == {
            ("pair", "rejected"): (PAIRS[0].id,),
            ("pair", "merged"): (PAIRS[1].id,),
        }

    def test_a_reason_that_may_quote_a_text_is_not_in_the_drop(self, decisions) -> None:
        decisions.drop(PAIRS[0], reason="he says hunter2 is his password, here!")
        decisions.drop(PAIRS[1], reason="off topic")
        step = decisions.start()
        assert step(PAIRS[0]).detail == ""
        assert step(PAIRS[1]).detail == "off topic"

    def test_undoing_leaves_the_history(self, decisions) -> None:
        decisions.drop(PAIRS[0], reason="wrong")
        decisions.undo(PAIRS[0])

        assert PAIRS[0].id in kept(decisions)
        assert decisions.of(PAIRS[0]) is None
        assert [d.action for d in decisions.history(PAIRS[0])] == ["drop", "undo"]

    def test_report_and_manifest_count_the_corrected_questions(self, decisions, tmp_path) -> None:
        decisions.question(PAIRS[0], "How do I draw a cube?")
        decisions.question(PAIRS[1], "How do I draw a cone?")
        done = ft.Pipeline(
            collector=ListCollector(PAIRS),
            curators=[decisions],
            exporter=ft.JsonlExporter(tmp_path / "t.jsonl"),
        ).run()

        assert "questions edited by a person: decisions (2)" in str(done.report)
        head = head_of(tmp_path / "t.jsonl.manifest.json")
        assert head["counts"]["questions_edited_by_a_person"] == {"decisions": 2}
        assert head["counts"]["edited_answers"] == {}
        assert ft.load_dataset(tmp_path / "t.jsonl.manifest.json").rows == len(PAIRS)

    def test_a_decision_about_a_redacted_pair_is_about_the_collected_one(self, decisions) -> None:
        """Reviewers need not see the secrets that the answers contain."""
        leaky = chat_pair(0, f"Set the token to {TOKEN} first.")
        clean = kept(ft.RedactSecrets(), [leaky])[leaky.id]
        assert TOKEN not in clean.answer
        decisions.accept(clean)

        assert kept(decisions, [leaky])[leaky.id].reviewed
        assert kept(ft.RedactSecrets(), [leaky], decisions)[leaky.id].reviewed
        assert TOKEN not in decisions.path[0].read_text("utf-8")

    def test_accepted_pairs_are_not_sent_to_a_judge(self, decisions, tmp_path) -> None:
        class Silent:
            spec = {"name": "silent"}

            def generate(self, prompt):
                raise AssertionError("asked about a pair that a person accepted")

        decisions.accept(PAIRS[0])
        judge = ft.JudgePairs(Silent(), cache=tmp_path / "grades")
        assert list(kept(decisions, PAIRS[:1], judge)) == [PAIRS[0].id]


def head_of(path: Path) -> dict:
    return json.loads(path.read_bytes())


class TestAChangedSource:
    @pytest.mark.parametrize(
        "change",
        [
            {"answer": "Call `cube`."},
            {"question": "How do I draw that?"},
            {"answer_messages": (str(BASE + 7), str(BASE + 8))},
        ],
    )
    def test_it_voids_the_decision_and_the_report_names_the_pair(self, decisions, change) -> None:
        decisions.drop(PAIRS[0], reason="wrong")
        changed = attrs.evolve(PAIRS[0], **change)

        done = run(decisions, [changed, *PAIRS[1:]])

        assert drops(done) == {("decision", "source_changed"): (PAIRS[0].id,)}
        assert f"not applied  source_changed: {PAIRS[0].id}" in str(done.report)
        assert kept(decisions, [changed])[changed.id] == changed

    def test_what_others_add_about_the_pair_does_not(self, decisions) -> None:
        """A new model gives another confidence, another key other pseudonyms."""
        decisions.drop(PAIRS[0], reason="wrong")
        same = attrs.evolve(PAIRS[0], confidence=0.9, asker="x", tags=("solved",), evidence=("thanked",))
        assert drops(run(decisions, [same])) == {("pair", "rejected"): (PAIRS[0].id,)}

    def test_a_pair_that_is_gone_is_counted_and_named(self, decisions) -> None:
        decisions.accept(PAIRS[0])
        done = run(decisions, PAIRS[1:])
        assert drops(done) == {("decision", "no_such_pair"): (PAIRS[0].id,)}

    def test_a_second_collection_of_the_same_messages_changes_nothing(self, decisions) -> None:
        exports = Path(__file__).parents[2] / "examples" / "exports"

        def collected(key):
            return ft.Pipeline(collector=ft.DiscordExportCollector(exports, author_key=key))

        for one in collected(b"one").pairs():
            decisions.drop(one, reason="wrong")

        later = collected(b"other").evolve(curators=decisions)
        assert list(later.pairs()) == []
        assert {d.reason for d in later.run().report.counts.dropped if d.unit in ("pair", "decision")} >= {
            "rejected"
        }
        assert "decision" not in {d.unit for d in later.run().report.counts.dropped}


class TestMerges:
    def test_a_circle_leaves_both_pairs_in(self, decisions) -> None:
        decisions.merge(PAIRS[0], into=PAIRS[1])
        decisions.merge(PAIRS[1], into=PAIRS[2])
        decisions.merge(PAIRS[2], into=PAIRS[1])
        done = run(decisions)
        assert drops(done)["decision", "merge_circle"] == (PAIRS[1].id, PAIRS[2].id)
        assert drops(done)["pair", "merged"] == (PAIRS[0].id,)

    def test_a_missing_target_is_counted(self, decisions) -> None:
        decisions.merge(PAIRS[0], into=PAIRS[1])
        done = run(decisions, [PAIRS[0], *PAIRS[2:]])
        assert drops(done)["decision", "no_merge_target"] == (PAIRS[0].id,)

    def test_a_long_chain_is_followed_in_linear_time(self, decisions) -> None:
        many = [chat_pair(n) for n in range(3000)]
        lines = [_line(one, action="merge", into=other.id) for one, other in pairwise(many)]
        _write(decisions.path[0], lines)
        done = run(decisions, many)
        assert done.report.counts.rows == 1

    def test_a_pair_is_not_merged_into_itself(self, decisions) -> None:
        with pytest.raises(ConfigError, match="into itself"):
            decisions.merge(PAIRS[0], into=PAIRS[0])


HEAD = '{"format":"furytune-review/1"}\n'


def _line(one: QAPair, **fields) -> str:
    return json.dumps({"pair": one.id, "digest": one.digest, "action": "accept", **fields}) + "\n"


def _write(path: Path, lines, head: str = HEAD) -> None:
    path.write_text(head + "".join(lines), encoding="utf-8")


class TestTwoFiles:
    def test_a_conflict_is_counted_and_the_pair_is_left_as_it_is(self, tmp_path) -> None:
        anna, ben = (ft.Decisions(tmp_path / f"{name}.jsonl") for name in ("anna", "ben"))
        anna.accept(PAIRS[0])
        ben.drop(PAIRS[0], reason="wrong")
        anna.drop(PAIRS[1], reason="old")
        ben.drop(PAIRS[1], reason="wrong")
        ben.answer(PAIRS[2], "Call `cube`.")
        both = ft.Decisions([tmp_path / "anna.jsonl", tmp_path / "ben.jsonl"])

        found = drops(run(both))
        assert found == {("decision", "conflicting"): (PAIRS[0].id,), ("pair", "rejected"): (PAIRS[1].id,)}
        assert kept(both)[PAIRS[0].id] == PAIRS[0]
        assert kept(both)[PAIRS[2].id].answer == "Call `cube`."
        assert both.to_review(PAIRS, 1) == [PAIRS[0]]

    def test_deciding_needs_one_file(self, tmp_path) -> None:
        both = ft.Decisions([tmp_path / "anna.jsonl", tmp_path / "ben.jsonl"])
        with pytest.raises(ConfigError, match="an object with one file"):
            both.accept(PAIRS[0])
        with pytest.raises(ConfigError, match="given twice"):
            ft.Decisions([tmp_path / "anna.jsonl", tmp_path / ".." / tmp_path.name / "anna.jsonl"])


class TestWritersAtTheSameTime:
    def test_a_stale_decision_is_refused(self, decisions) -> None:
        seen = decisions.revision
        other = ft.Decisions(decisions.path)
        mine = other.drop(PAIRS[0], reason="wrong", revision=seen)

        with pytest.raises(StaleDecisionError) as refused:
            decisions.accept(PAIRS[0], revision=seen)

        assert refused.value.revision == mine.revision == decisions.revision
        assert decisions.of(PAIRS[0]) == mine
        assert decisions.accept(PAIRS[1], revision=seen).action == "accept"
        assert [d.pair for d in decisions.since(seen)] == [PAIRS[0].id, PAIRS[1].id]

    def test_no_correction_of_two_tabs_is_lost(self, decisions) -> None:
        """Each object has its own view of the file, as two processes have."""
        one, other = ft.Decisions(decisions.path), ft.Decisions(decisions.path)
        assert one.revision == other.revision == 0
        one.question(PAIRS[0], "A new question?")
        other.answer(PAIRS[0], "A new answer.")

        found = kept(decisions)[PAIRS[0].id]
        assert (found.question, found.answer) == ("A new question?", "A new answer.")

    def test_many_threads_share_one_object(self, decisions) -> None:
        def work(n: int) -> None:
            for m in range(20):
                decisions.answer(chat_pair(n * 100 + m), f"By {n}.")

        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert decisions.revision == 80
        assert len(decisions.since(0)) == 80

    def test_one_thread_may_look_while_another_decides(self, decisions) -> None:
        done = threading.Event()
        found: list[int] = []

        def look() -> None:
            while not done.is_set():
                found.append(len(decisions.since(0)) + len(decisions.to_review(PAIRS)))
                decisions.calibration()
            found.append(-1)

        looking = threading.Thread(target=look)
        looking.start()
        for n in range(60):
            decisions.drop(chat_pair(100 + n), reason="wrong")
        done.set()
        looking.join()
        assert found[-1] == -1  # it came to its end without an error

    def test_many_processes_append_to_one_file(self, tmp_path) -> None:
        script = (
            "import sys, furytune as ft\n"
            "from furytune.testing.memory import pair\n"
            "found = ft.Decisions('review.jsonl')\n"
            "for n in range(25):\n"
            "    found.drop(pair('How?', 'So.', id=f'{sys.argv[1]}-{n}'), reason='wrong', by=sys.argv[1])\n"
        )
        working = [
            subprocess.Popen([sys.executable, "-c", script, name], cwd=tmp_path) for name in ("a", "b", "c")
        ]
        assert [process.wait(120) for process in working] == [0, 0, 0]

        found = ft.Decisions(tmp_path / "review.jsonl").since(0)
        assert {d.pair for d in found} == {f"{name}-{n}" for name in "abc" for n in range(25)}
        assert [d.revision for d in found] == list(range(1, 76))

    def test_saying_the_same_again_records_nothing(self, decisions) -> None:
        first = decisions.accept(PAIRS[0], by="anna")
        assert decisions.accept(PAIRS[0], by="anna") == first
        assert decisions.revision == 1
        assert decisions.accept(PAIRS[0], by="ben").revision == 2


class TestBadInput:
    @pytest.mark.parametrize("method", ["question", "answer"])
    @pytest.mark.parametrize(
        ("text", "error"),
        [
            ("", EmptyTextError),
            (" \n\t", EmptyTextError),
            ("half \ud800", TextError),
            ("a\x00b", TextError),
            ("a\x1b[31m", TextError),
            ("a\x85b", TextError),
            ("x" * 300_000, TextError),
            (None, ConfigError),
        ],
    )
    def test_a_text_that_no_prompt_can_hold_is_refused(self, decisions, method, text, error) -> None:
        with pytest.raises(error):
            getattr(decisions, method)(PAIRS[0], text)
        assert not decisions.path[0].exists()

    @pytest.mark.parametrize("text", ["tab\there\nand\r\nthere", "“smart” – quotes ’", "🦊\u200d", "﷽"])
    def test_other_texts_come_back_as_they_are(self, decisions, text) -> None:
        decisions.answer(PAIRS[0], text)
        assert kept(ft.Decisions(decisions.path))[PAIRS[0].id].answer == text

    def test_what_is_not_a_pair_is_refused(self, decisions) -> None:
        with pytest.raises(ConfigError, match="about a QAPair, not about a str"):
            decisions.accept("discord:1")
        with pytest.raises(ConfigError, match="needs a reason"):
            decisions.drop(PAIRS[0], reason=" ")
        for wrong in ({"n": 0}, {"near": 2}, {"n": True}):
            with pytest.raises(ConfigError):
                decisions.to_review(PAIRS, **wrong)

    def test_what_could_not_be_read_again_is_not_written(self, decisions) -> None:
        decisions.accept(PAIRS[0])
        before = decisions.path[0].read_bytes()
        with pytest.raises(ConfigError, match="nothing was recorded"):
            decisions.accept(attrs.evolve(PAIRS[1], id=""))
        assert decisions.path[0].read_bytes() == before

    def test_a_missing_file_is_counted(self, decisions) -> None:
        assert drops(run(decisions)) == {("file", "no_decisions"): (str(decisions.path[0]),)}

    @pytest.mark.parametrize(
        ("head", "said"),
        [
            ('{"format":"furytune-review/2"}\n', "install the furytune that wrote it"),
            ('{"format":"furytune-dataset/1"}\n', "check the path"),
            ("id,question,answer\n", "read_sheet"),
            ('{"format":"furytune-review/1","erased":-1}\n', "not a file of decisions"),
            ('{"format":"furytune-review/1"}', "not a file of decisions"),
            ("\ufeff" + HEAD, "not a file of decisions"),
        ],
    )
    def test_a_file_of_another_format_is_refused_and_left_alone(self, decisions, head, said) -> None:
        _write(decisions.path[0], [], head)
        before = decisions.path[0].read_bytes()
        for use in (decisions.start, lambda: decisions.accept(PAIRS[0])):
            with pytest.raises(SourceError, match=said):
                use()
        assert decisions.path[0].read_bytes() == before

    @pytest.mark.parametrize(
        "line",
        [
            "{}\n",
            "[]\n",
            "no json: hunter2\n",
            '{"pair":"a","pair":"b","digest":"d","action":"accept"}\n',
            '{"pair":"a","digest":"d","action":"keep hunter2"}\n',
            '{"pair":"a","digest":"d","action":"accept","hunter2":1}\n',
            '{"pair":"a","digest":"d","action":"accept","question":"  "}\n',
            '{"pair":"a","digest":"d","action":"drop","answer":"hunter2"}\n',
            '{"pair":"a","digest":"d","action":"merge"}\n',
            '{"pair":"a","digest":"d","action":"merge","into":"a"}\n',
            '{"pair":"","digest":"d","action":"accept"}\n',
            '{"pair":"a","digest":"d","action":"accept","confidence":2}\n',
            '{"pair":"a","digest":"d","action":"accept","answer":"\\ud800"}\n',
        ],
    )
    def test_a_damaged_line_raises_with_its_number_and_without_its_text(self, decisions, line) -> None:
        _write(decisions.path[0], [_line(PAIRS[0]), line, _line(PAIRS[1])])
        with pytest.raises(SourceFormatError, match=r"review\.jsonl:3:") as refused:
            decisions.start()
        assert "hunter2" not in str(refused.value)

    def test_a_line_that_is_damaged_while_the_object_lives_is_found(self, decisions) -> None:
        decisions.accept(PAIRS[0])
        with decisions.path[0].open("a", encoding="utf-8") as file:
            file.write("{}\n")
        with pytest.raises(SourceFormatError, match=r"review\.jsonl:3:"):
            decisions.of(PAIRS[0])

    def test_a_line_that_is_torn_anywhere_is_counted_and_then_removed(self, decisions) -> None:
        decisions.drop(PAIRS[0], reason="wrong")
        decisions.answer(PAIRS[1], "“Smart” – 🦊")
        whole = decisions.path[0].read_bytes()
        last = whole.splitlines(keepends=True)[-1]
        for cut in range(2, len(last)):
            decisions.path[0].write_bytes(whole[:-cut])
            again = ft.Decisions(decisions.path)
            assert [d.reason for d in again.start().unread if d.reason != "no_such_pair"] == ["torn"]
            assert again.revision == 1

            again.drop(PAIRS[2], reason="wrong")
            assert [d.pair for d in ft.Decisions(decisions.path).since(0)] == [PAIRS[0].id, PAIRS[2].id]
        decisions.path[0].write_bytes(whole[:-5])
        assert drops(run(ft.Decisions(decisions.path))) == {
            ("decision", "torn"): (str(decisions.path[0]),),
            ("pair", "rejected"): (PAIRS[0].id,),
        }

    def test_a_last_line_without_its_end_counts(self, decisions) -> None:
        """Some editors leave it out."""
        _write(decisions.path[0], [_line(PAIRS[0], action="drop"), _line(PAIRS[1], action="drop")[:-1]])
        decisions.drop(PAIRS[2], reason="wrong")
        assert drops(run(decisions))["pair", "rejected"] == tuple(p.id for p in PAIRS[:3])
        assert decisions.revision == 3

    def test_an_empty_file_is_filled(self, decisions) -> None:
        decisions.path[0].touch()
        assert decisions.revision == 0
        decisions.accept(PAIRS[0])
        assert PAIRS[0].id in decisions.path[0].read_text("utf-8")

    @pytest.mark.skipif(os.name != "posix", reason="modes of files are other ones there")
    def test_a_folder_that_may_only_be_read_can_be_applied_but_not_decided_in(self) -> None:
        # Not in `tmp_path`, which only its owner may enter.
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            decisions = ft.Decisions(folder / "review.jsonl")
            decisions.drop(PAIRS[0], reason="wrong")
            before = decisions.path[0].read_bytes()
            with only_readable(folder):
                assert drops(run(decisions)) == {("pair", "rejected"): (PAIRS[0].id,)}
                for change in (lambda: decisions.accept(PAIRS[1]), lambda: decisions.erase([str(BASE)], [])):
                    with pytest.raises(CurationError, match="Permission denied"):
                        change()
                if os.getuid() != 0:
                    with pytest.raises(ConfigError, match="nothing was changed"):
                        decisions.check()
            assert [path.name for path in folder.iterdir()] == ["review.jsonl"]
            assert decisions.path[0].read_bytes() == before

    def test_a_writer_waits_for_another_one_and_then_says_who_it_is(self, decisions, monkeypatch) -> None:
        monkeypatch.setattr(journal, "_PATIENCE", 0.1)
        with lock_file(decisions.path[0].with_name("review.jsonl.lock")):
            with pytest.raises(
                CurationError, match=f"held by process {os.getpid()} on .*nothing was recorded"
            ):
                decisions.accept(PAIRS[0])
            assert not decisions.path[0].exists()
        assert decisions.accept(PAIRS[0]).revision == 1

    @pytest.mark.parametrize("wrong", ["x" * 2001, "half \ud800", 7])
    def test_a_name_that_cannot_be_stored_is_refused(self, decisions, wrong) -> None:
        for fields in ({"by": wrong}, {"note": wrong}):
            with pytest.raises(ConfigError):
                decisions.accept(PAIRS[0], **fields)
        assert not decisions.path[0].exists()

    def test_a_folder_in_place_of_the_file_is_refused(self, tmp_path) -> None:
        for use in ("start", "check"):
            with pytest.raises(SourceError):
                getattr(ft.Decisions(tmp_path), use)()

    def test_an_id_with_half_of_a_character_is_recorded(self, decisions) -> None:
        odd = attrs.evolve(PAIRS[0], id="file\udce9:1", answer="half \ud800")
        decisions.drop(odd, reason="damaged")
        assert list(kept(ft.Decisions(decisions.path), [odd])) == []


@contextmanager
def only_readable(folder):
    """Takes the permission to write; root becomes nobody meanwhile."""
    folder.chmod(0o555)
    if os.getuid() == 0:
        os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(os.getuid())
        folder.chmod(0o700)


FIRST = (
    '{"format":"furytune-review/1","erased":2,"rewritten":1}\n'
    '{"pair":"discord:1","digest":"877d2a62291e81e07f1244243fcf5399","action":"accept","question":"How, “b”?",'
    '"answer":"So.\\nAnd so.","by":"anna","note":"n","messages":["1","2"],"confidence":0.25,"at":"2026-01-31T23:59:59Z"}\n'
    '{"pair":"discord:2","digest":"03ddbd71f9a9ef66b89355f9d6495585","action":"drop","reason":"wrong"}\n'
    '{"pair":"discord:3","digest":"502491546df54790d86c5cb39edb0022","action":"merge","into":"discord:1"}\n'
    '{"pair":"discord:2","digest":"03ddbd71f9a9ef66b89355f9d6495585","action":"undo"}\n'
)
"""A file of format 1. No later version may read it in another way."""


def test_a_file_of_the_first_format_is_read_and_written_the_same(tmp_path) -> None:
    path = tmp_path / "review.jsonl"
    path.write_text(FIRST, encoding="utf-8")
    found = ft.Decisions(path).since(0)

    assert [(d.pair, d.action, d.revision) for d in found] == [
        ("discord:1", "accept", 3),
        ("discord:2", "drop", 4),
        ("discord:3", "merge", 5),
        ("discord:2", "undo", 6),
    ]
    assert found[0] == ft.Decision(
        pair="discord:1",
        digest="877d2a62291e81e07f1244243fcf5399",
        action="accept",
        question="How, “b”?",
        answer="So.\nAnd so.",
        by="anna",
        note="n",
        messages=("1", "2"),
        confidence=0.25,
        at=datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC),
        revision=3,
    )
    journal.Journal(tmp_path / "again.jsonl").append(lambda _: found)
    assert (tmp_path / "again.jsonl").read_text("utf-8").partition("\n")[2] == FIRST.partition("\n")[2]


def test_the_digest_of_a_pair_is_the_same_in_every_version() -> None:
    """Otherwise all decisions would be void."""
    one = pair("How “so”?\r\n", "Half \ud800.", question_messages=("1", "2"), answer_messages=("3",))
    assert one.digest == "288ba18fd909e3c82004c8fef53fdfd3"


class TestForgetting:
    def test_decisions_about_erased_messages_leave_no_trace(self, decisions) -> None:
        decisions.answer(PAIRS[0], "A text of hers.", by="anna")
        decisions.drop(PAIRS[0], reason="wrong", by="anna")
        decisions.merge(PAIRS[1], into=PAIRS[0])
        decisions.drop(PAIRS[2], reason=f"copied from {BASE}")
        decisions.accept(PAIRS[3])
        before = decisions.revision

        done = ft.forget(message=str(BASE), places=[decisions])

        (erased,) = done.places
        assert (erased.kind, erased.removed, erased.left) == ("decisions", 4, 1)
        assert "4  of 5 decisions of" in str(done)
        left = decisions.path[0].read_text("utf-8")
        assert str(BASE) + '"' not in left
        assert "hers" not in left
        assert decisions.history(PAIRS[0]) == ()
        assert decisions.revision == before  # so that no page takes a new decision for an old one
        assert decisions.accept(PAIRS[4]).revision == before + 1

    def test_a_person_is_removed_from_texts_and_as_reviewer(self, decisions) -> None:
        person = "80351110224678912"
        decisions.answer(PAIRS[0], f"Ask <@{person}>.")
        decisions.drop(PAIRS[1], reason="wrong", by=person)

        erased = decisions.erase([], [person])

        assert (erased.removed, erased.left) == (1, 1)
        assert person not in decisions.path[0].read_text("utf-8")
        assert drops(run(decisions)) == {("pair", "rejected"): (PAIRS[1].id,)}
        assert decisions.erase([], [person]).removed == 0

    def test_a_file_that_is_not_there_is_not_a_place(self, decisions) -> None:
        with pytest.raises(ConfigError, match="does not exist; nothing was changed"):
            ft.forget(message=str(BASE), places=[decisions])

    def test_a_file_that_was_replaced_is_read_from_its_beginning(self, decisions) -> None:
        """Only a name was taken out, and then the file grew beyond where the other object stopped reading."""
        person = "80351110224678912"
        decisions.drop(PAIRS[0], reason="wrong", by=person)
        other = ft.Decisions(decisions.path)
        assert other.revision == 1
        decisions.erase([], [person])
        for one in PAIRS[1:]:
            decisions.answer(one, "Call `cube`. " * 20)
        assert [d.pair for d in other.since(0)] == [one.id for one in PAIRS]
        assert {d.by for d in other.since(0)} == {""}

    def test_what_another_process_erased_is_not_remembered(self, decisions) -> None:
        decisions.accept(PAIRS[0])
        decisions.accept(PAIRS[1])
        ft.Decisions(decisions.path).erase([str(BASE)], [])
        assert decisions.of(PAIRS[0]) is None
        assert decisions.of(PAIRS[1]) is not None


def test_a_pair_says_whether_it_was_edited_before() -> None:
    edited = kept(ft.RedactSecrets(), [chat_pair(0, f"Use {TOKEN}, please.")])[chat_pair(0).id]
    assert edited.digest == chat_pair(0, f"Use {TOKEN}, please.").digest
    assert edited.digest != attrs.evolve(edited, unedited="").digest
