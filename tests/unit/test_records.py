"""The values: what they refuse, and what they never show."""

from __future__ import annotations

import tracemalloc
from datetime import datetime

import attrs
import pytest

from furytune.errors import ConfigError, ConservationError
from furytune.records import Author, Dropped, Message, Passage, Prompt, QAPair, TrainingRow, TuningJob
from furytune.report import Report, Tally

CANARY = "canary-4711"


@pytest.mark.parametrize(
    "value",
    [
        Message(id="1", author=Author(pseudonym="a"), content=CANARY),
        QAPair(id="1", group="1", question=CANARY, answer=CANARY),
        Passage(id="1", text=CANARY),
        Prompt(text=CANARY, system=CANARY, passages=(Passage(id="1", text=CANARY),)),
        TrainingRow(id="1", group="1", split="train", prompt=Prompt(text=CANARY), answer=CANARY),
    ],
    ids=lambda v: type(v).__name__,
)
def test_no_repr_shows_message_text(value) -> None:
    assert CANARY not in repr(value)


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ConfigError, match="asked_at has no time zone"):
        QAPair(id="1", group="1", question="q", answer="a", asked_at=datetime(2024, 1, 1))  # noqa: DTZ001
    with pytest.raises(ConfigError, match="date has no time zone"):
        Passage(id="1", text="x", date=datetime(2024, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize("field", ["id", "title", "source", "url"])
def test_what_cites_a_passage_stays_on_one_line(field) -> None:
    with pytest.raises(ConfigError, match=f"{field} of a passage holds a line break"):
        Passage(**{"id": "1", "text": "x", field: "a\nb"})


def test_values_are_immutable() -> None:
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Prompt(text="a").text = "b"


def test_a_sum_that_does_not_hold_is_an_error() -> None:
    tally = Tally(pairs=3, rows=1)
    tally.drop(Dropped(reason="x"))
    with pytest.raises(ConservationError, match="3 pairs came in, 1 rows and 1 drops came out: 1 are"):
        tally.check()


def test_examples_of_a_drop_are_at_most_twenty() -> None:
    tally = Tally()
    for n in range(50):
        tally.drop(Dropped(reason="x", ids=(str(n), f"{n}b")))
        tally.drop(Dropped(reason="y", where=f"file:{n}"))
    assert [len(d["examples"]) for d in tally.as_json()["dropped"]] == [20, 20]
    assert [d["count"] for d in tally.as_json()["dropped"]] == [50, 50]


def test_the_report_names_the_tuning_job() -> None:
    job = TuningJob(key="k", name="jobs/1", state="running")
    assert "running  jobs/1" in str(Report(counts=Tally().as_json(), job=job))


def test_counting_a_million_drops_takes_no_memory() -> None:
    tally = Tally()
    drop = Dropped(reason="no_reply", unit="message", ids=tuple(map(str, range(10))), where="x")
    tracemalloc.start()
    for _ in range(10_000):
        tally.drop(drop)
    grown = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert grown < 100_000
