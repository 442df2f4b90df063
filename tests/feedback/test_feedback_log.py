"""The feedback log: what is confirmed is in it, whoever else writes, replaces it or is killed; and what may not be in it is not."""

from __future__ import annotations

import os
import signal
import stat
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import furytune as ft
from furytune._values.copies import Sayings, sketch
from furytune.errors import AnswerError, ConfigError, TextError
from furytune.feedback import Exchange, FeedbackLog, Reading
from furytune.feedback.lines import Said, packed, unpacked
from furytune.testing.conformance import check_place

ANN, BOB = "111111111111111111", "222222222222222222"
ANSWER, QUESTION = "333333333333333333", "444444444444444444"
WHEN = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def log(tmp_path):
    return FeedbackLog(tmp_path / "feedback.jsonl")


def test_a_verdict_comes_back_as_it_was_given(log):
    log.note(ANSWER, QUESTION, "corrected", "Use `opacity`.\n", ANN, "helper", WHEN, "button")
    assert list(log.lines()) == [
        Said(
            time=WHEN,
            answer=ANSWER,
            verdict="corrected",
            question=QUESTION,
            text="Use `opacity`.\n",
            by=ANN,
            role="helper",
            source="button",
        )
    ]
    if os.name == "posix":
        assert stat.S_IMODE(log.path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("kept", "consent", "found"),
    [
        (False, ft.Consent(), False),
        (True, ft.Consent(), True),
        (True, ft.Consent(opt_out=[ANN]), False),
        (True, ft.Consent(opt_in=[BOB]), False),
        (True, ft.Consent(opt_out_roles=["7"]), False),
    ],
)
def test_texts_are_stored_only_if_the_operator_and_the_asker_want_it(tmp_path, kept, consent, found):
    log = FeedbackLog(tmp_path / "log", keep_texts=kept, consent=consent)
    log.exchange(ANSWER, QUESTION, asker=ANN, asked="canary one", told="canary two, long enough to be known")
    assert (b"canary" in log.path.read_bytes()) == found
    [line] = log.lines()
    assert isinstance(line, Exchange)
    assert (line.asked, line.told) == (
        ("canary one", "canary two, long enough to be known") if found else ("", "")
    )
    assert "canary" not in repr(line)
    assert unpacked(line.words) == sketch("canary two, long enough to be known")


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"answer": ""}, ConfigError),
        ({"answer": "canary" * 100}, ConfigError),
        ({"answer": "canary\ud800"}, ConfigError),
        ({"verdict": "canary"}, ConfigError),
        ({"role": "canary"}, ConfigError),
        ({"text": "canary\0"}, TextError),
        ({"text": " "}, TextError),
        ({"text": "canary" * 100_000}, TextError),
        ({"at": datetime(2026, 1, 1)}, ConfigError),  # noqa: DTZ001
    ],
)
def test_what_cannot_be_noted_is_refused_without_being_shown(log, wrong, error):
    with pytest.raises(error) as raised:
        log.note(**{"answer": ANSWER, "question": QUESTION, "verdict": "helped"} | wrong)
    assert "canary" not in str(raised.value)
    assert not log.path.exists()


def test_a_line_that_was_cut_off_takes_no_other_with_it(log):
    log.note("1", "", "helped")
    whole = log.path.read_bytes()
    for cut in (1, len(whole) // 2, len(whole) - 1):
        log.path.write_bytes(whole + whole[:cut])
        reading = Reading()
        found = [line.answer for line in log.lines(reading)]
        # Without its line end, a line may still be whole.
        assert (len(found), reading.torn) in ((1, True), (2, False))
        log.note("2", "", "helped")
        reading = Reading()
        assert [line.answer for line in log.lines(reading)] == [*found, "2"]
        assert reading.damaged == (0 if len(found) == 2 else 1)


def test_damaged_lines_are_counted_and_their_neighbours_survive(log):
    log.note("1", "", "helped")
    with log.path.open("ab") as file:
        file.write(b'{"kind":"verdict"}\n\xff\xfe\n[' + b"[" * 100_000 + b"\n" + b"x" * (5 << 20) + b"\n\n")
    log.note("2", "", "helped")
    reading = Reading()
    assert [line.answer for line in log.lines(reading)] == ["1", "2"]
    assert (reading.damaged, reading.torn) == (4, False)
    assert [(d.reason, d.count) for d in reading.drops(log.path)] == [("bad_feedback", 4)]


def test_forgetting_a_person_leaves_nothing_of_them(log):
    log.exchange(ANSWER, QUESTION, asker=ANN)
    log.note("9", "8", "corrected", f"Ask <@{ANN}>.", by=BOB)
    log.note("9", "8", "helped", by=ANN)
    log.note("9", "8", "helped", by=BOB)
    log.note("9", "8", "helped", by=f"{ANN}5")
    log.check()
    done = log.erase([], [ANN])
    assert (done.removed, done.left) == (3, 2)
    assert [line.by for line in log.lines()] == [BOB, f"{ANN}5"]


def test_the_log_is_a_place_that_can_be_erased(log):
    for n in range(3):
        log.note(f"{ANSWER[:-1]}{n}", QUESTION[:-1] + str(n), "helped")
    check_place(lambda: FeedbackLog(log.path), message=f"{ANSWER[:-1]}1", content=log.path.read_bytes)


def test_old_lines_are_pruned(log):
    for days in (0, 10, 100):
        log.note(str(days), "", "helped", at=datetime.now(UTC) - timedelta(days=days))
    assert log.prune(1000).removed == 0
    assert log.prune(50).removed == 1
    assert [line.answer for line in log.lines()] == ["0", "10"]
    assert log.prune(0).left == 0
    for wrong in (-1, True, float("nan"), "90"):
        with pytest.raises(ConfigError):
            log.prune(wrong)


def test_a_log_that_cannot_be_written_says_so(tmp_path):
    with pytest.raises(AnswerError, match="cannot be written"):
        FeedbackLog(tmp_path / "no" / "log").note("1", "", "helped")
    with pytest.raises(ConfigError, match="does not exist"):
        FeedbackLog(tmp_path / "log").check()


def test_a_line_is_synced_as_a_whole_before_the_call_returns(log, monkeypatch):
    sync, synced = os.fsync, []

    def synced_at(fd):
        sync(fd)
        if stat.S_ISREG(os.fstat(fd).st_mode):
            synced.append(os.fstat(fd).st_size)

    monkeypatch.setattr(os, "fsync", synced_at)
    sizes = []
    for number in range(3):
        log.note(str(number), "", "helped", by=BOB)
        sizes.append(log.path.stat().st_size)
    assert synced == sizes


def test_a_line_that_cannot_be_synced_is_not_in_the_log(log, monkeypatch):
    log.note("1", "", "helped", by=BOB)
    before = log.path.read_bytes()

    def fails(_fd):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(AnswerError, match="cannot be written"):
        log.note("2", "", "helped", by=BOB)
    assert log.path.read_bytes() == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_nothing_confirmed_is_lost_while_writers_are_killed_and_the_file_is_replaced(log):
    def write(name, pipe):
        for n in range(100_000):
            log.note(f"{name}-{n}", "", "helped", by=BOB)
            os.write(pipe, f"{name}-{n}\n".encode())

    log.note("0", "", "helped", by=BOB)
    pipes, children = [], []
    for name in range(4):
        read, end = os.pipe()
        if (pid := os.fork()) == 0:
            try:
                write(name, end)
            finally:
                os._exit(0)
        os.close(end)
        pipes.append(read)
        children.append(pid)
    try:
        for _ in range(12):
            log.note("junk", "", "helped", by=ANN)
            assert log.erase([], [ANN]).removed >= 1
            time.sleep(0.01)  # so that the writers get the file
    finally:
        for pid in children:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    confirmed = []
    for read in pipes:
        with os.fdopen(read, "rb") as pipe:
            confirmed += pipe.read().decode().split("\n")[:-1]
    reading = Reading()
    found = [line.answer for line in log.lines(reading)]
    assert len(confirmed) > 12
    assert not set(confirmed) - set(found)
    # Each writer may have been killed between its line and its word.
    assert len(found) == len(set(found)) <= len(confirmed) + 1 + len(children)
    assert reading.damaged == 0


words = st.text(st.characters(codec="utf-8"), max_size=120)


@given(st.lists(words, max_size=6), words)
def test_what_was_said_is_recognised_and_a_sketch_survives_the_file(said, text):
    known = Sayings()
    for one in said:
        known.add(one, 1.0)
        assert unpacked(packed(sketch(one))) == sketch(one)
    for one in said:
        assert known.repeated(one, until=2.0) == (sketch(one) != ())
        assert not known.repeated(one, until=0.5)
        if len(sketch(one)) > 1:
            assert known.repeated(f"{text} {one} {text}", until=2.0)


def test_many_sayings_are_found_in_little_memory():
    known = Sayings()
    for n in range(3000):
        known.add(
            f"Answer {n} says that you set option {n * 7919} of the actor numbered {n * 104729}, twice.", n
        )
    for n in (0, 1, 1500, 2999):
        text = f"answer {n} says that you set OPTION {n * 7919} of the *actor* numbered {n * 104729}, twice"
        assert known.repeated(text, until=5000.0)
        assert not known.repeated(text, until=n - 1.0)
    assert not known.repeated(
        "Something that no one has ever said about actors and options here.", until=5000.0
    )
