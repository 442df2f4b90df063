"""The values: what they refuse, and what they never show."""

from __future__ import annotations

import html
import json
import tracemalloc
from datetime import UTC, datetime
from hashlib import sha256

import attrs
import pytest

from furytune.errors import ConfigError, ConservationError
from furytune.explanation import Explanation
from furytune.forgetting import Erased, Forgotten
from furytune.records import (
    Author,
    Dataset,
    Dropped,
    Estimate,
    JobFailure,
    JobProgress,
    Loss,
    Message,
    Passage,
    Prompt,
    QAPair,
    TrainingRow,
    TuningJob,
)
from furytune.report import Report, Tally

CANARY = "canary-4711"
LONG = "word " * 5000


@pytest.mark.parametrize(
    "value",
    [
        Message(id="1", author=Author(pseudonym="a"), content=CANARY),
        Passage(id="1", text=CANARY),
        Prompt(text=CANARY, system=CANARY, passages=(Passage(id="1", text=CANARY),)),
        TrainingRow(id="1", group="1", split="train", prompt=Prompt(text=CANARY), answer=CANARY),
    ],
    ids=lambda v: type(v).__name__,
)
def test_no_repr_shows_message_text(value) -> None:
    assert CANARY not in repr(value)


def test_the_repr_of_a_pair_begins_with_its_words_and_hides_secrets() -> None:
    secret = "ghp_" + "a1B2" * 9
    pair = QAPair(
        id="7", group="7", question=f"<@80351110224678912> why\n<b>{secret}</b>?", answer="so " * 99
    )
    assert repr(pair) == f"QAPair(id='7', question='@user why <b>[secret]</b>?', answer='{'so ' * 19}so…')"
    body = "\n".join(["MII" + sha256(bytes([n])).hexdigest() for n in range(99)])
    key = f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----"
    assert "MII" not in repr(attrs.evolve(pair, answer=key))
    assert "[secret]" in repr(attrs.evolve(pair, answer=key))


def test_a_repr_is_short_for_large_values() -> None:
    passages = tuple(Passage(id=f"p{n}", text=LONG, title=LONG, source=LONG) for n in range(50))
    prompt = Prompt(text=LONG, passages=passages)
    tally = Tally()
    for n in range(50):
        tally.drop(Dropped(reason=f"own:r{n}", where=LONG))
    values = [
        QAPair(id="1", group="1", question=LONG, answer=LONG, tags=("t",) * 50, edits=("e",) * 50),
        passages[0],
        prompt,
        TrainingRow(id="1", group="1", split="train", prompt=prompt, answer=LONG, messages=("1",) * 50),
        Dropped(reason="own:x", ids=("1",) * 50, detail=LONG),
        Dataset(files=(), manifest="m.json", dialect="plain", fingerprint="f" * 64, snapshot="s" * 64),
        Estimate(tokens=1, problems=(LONG,) * 50, notes=(LONG,) * 50),
        TuningJob(
            key="k", name="jobs/1", state="running", failure=JobFailure(message=LONG), details={"x": LONG}
        ),
        Report(counts=tally.counts),
        Explanation(prompt=prompt, at=datetime(2024, 1, 1, tzinfo=UTC)),
        Forgotten(messages=1, deleted=0, places=(Erased(kind="journal", path="j", removed=1),) * 50, jobs=()),
    ]
    for value in values:
        assert len(repr(value)) < 400
        assert repr(value).startswith(f"{type(value).__name__}(")


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "a & <b>bold</b>"])
def test_a_notebook_escapes_words(text) -> None:
    passage = Passage(id=text, text=text, title=text)
    prompt = Prompt(text=text, passages=(passage,))
    for value in (
        QAPair(id=text, group="1", question=text, answer=text),
        passage,
        prompt,
        TrainingRow(id="1", group="1", split="train", prompt=prompt, answer=text),
        Estimate(problems=(text,)),
        Dropped(reason="own:x", detail=text),
    ):
        shown = value._repr_html_()
        assert html.escape(text) in shown
        assert text not in shown


def test_a_notebook_shows_no_secrets() -> None:
    secret = "ghp_" + "a1B2" * 9
    for value in (
        QAPair(id="1", group="1", question=secret, answer=secret),
        Prompt(text=secret),
        Passage(id="1", text=secret),
        Estimate(notes=(secret,)),
    ):
        assert secret not in value._repr_html_()
        assert secret not in repr(value)


def test_a_datetime_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ConfigError, match="asked_at has no time zone"):
        QAPair(id="1", group="1", question="q", answer="a", asked_at=datetime(2024, 1, 1))  # noqa: DTZ001
    with pytest.raises(ConfigError, match="date has no time zone"):
        Passage(id="1", text="x", date=datetime(2024, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize("field", ["id", "title", "source", "url"])
def test_the_citation_of_a_passage_is_a_single_line(field) -> None:
    with pytest.raises(ConfigError, match=f"{field} of a passage contains a line break"):
        Passage(**{"id": "1", "text": "x", field: "a\nb"})


def test_values_are_immutable() -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Prompt(text="a").text = "b"


def test_a_wrong_sum_raises() -> None:
    tally = Tally(pairs=3, rows=1)
    tally.drop(Dropped(reason="own:x"))
    with pytest.raises(ConservationError, match="3 pairs came in, 1 rows and 1 drops came out: 1 are"):
        tally.check()


def test_examples_of_a_drop_are_at_most_twenty() -> None:
    tally = Tally()
    for n in range(50):
        tally.drop(Dropped(reason="own:x", ids=(str(n), f"{n}b")))
        tally.drop(Dropped(reason="own:y", where=f"file:{n}"))
    assert [len(d.examples) for d in tally.counts.dropped] == [20, 20]
    assert [d.count for d in tally.counts.dropped] == [50, 50]


def test_the_report_names_the_tuning_job() -> None:
    job = TuningJob(key="k", name="jobs/1", state="running")
    assert "running  jobs/1" in str(Report(counts=Tally().counts, job=job))


def test_counting_a_million_drops_takes_no_memory() -> None:
    tally = Tally()
    drop = Dropped(reason="no_reply", unit="message", ids=tuple(map(str, range(10))), where="x")
    tracemalloc.start()
    for _ in range(10_000):
        tally.drop(drop)
    grown = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert grown < 100_000


class TestTuningJob:
    JOB = TuningJob(
        key="k",
        name="jobs/1",
        state="failed",
        progress=JobProgress(
            detail="FAILED",
            percent=0.0,
            losses=(Loss(step=1, loss=2.0),),
            dropped=2,
            dropped_reasons=(CANARY,),
            billed_tokens=0,
        ),
        failure=JobFailure(message=CANARY),
        details={"backend": "mine", "percent": 50},
    )

    def test_details_show_all_that_is_known_as_json(self):
        assert json.loads(json.dumps(dict(self.JOB.details))) == {
            "backend": "mine",
            "detail": "FAILED",
            "percent": 0.0,
            "losses": [{"step": 1, "loss": 2.0, "epoch": 0, "split": "train"}],
            "dropped": 2,
            "dropped_ids": [],
            "dropped_reasons": [CANARY],
            "billed_tokens": 0,
            "error": {"code": None, "message": CANARY},
        }
        assert TuningJob(key="k", name="n", state="queued").details == {}

    def test_details_cannot_be_changed(self):
        with pytest.raises(TypeError):
            self.JOB.details["percent"] = 1.0

    def test_a_changed_copy_keeps_its_details(self):
        copy = attrs.evolve(self.JOB, failure=None)
        assert copy.details["backend"] == "mine"
        assert "error" not in copy.details

    def test_the_services_words_are_in_no_repr(self):
        for value in (self.JOB, self.JOB.progress, self.JOB.failure):
            assert CANARY not in repr(value)
