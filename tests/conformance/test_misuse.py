"""A check that cannot check says why, and a check that passes returns what it saw."""

from __future__ import annotations

import json

import attrs
import pytest

import furytune as ft
from furytune.records import Dataset, Erased
from furytune.testing.conformance import (
    check_augmenter,
    check_collector,
    check_curator,
    check_exporter,
    check_place,
    check_splitter,
    check_tuner,
)
from furytune.testing.memory import ListCollector, MemoryAugmenter, MemoryTuner, pair

PAIRS = [pair("how?", "so"), pair("why?", "because")]
EMPTY = Dataset(files=(), manifest="m.json", dialect="plain", fingerprint="f", snapshot="s")


@attrs.define
class Notes:
    """A place that keeps notes by message."""

    notes: dict[str, str]

    def check(self):
        pass

    def erase(self, messages, people):
        gone = self.notes.keys() & set(messages)
        for message in gone:
            del self.notes[message]
        return Erased(kind="notes", path="notes.json", removed=len(gone), left=len(self.notes))

    def content(self) -> bytes:
        return json.dumps(self.notes).encode()


def test_a_collector_that_gives_something_else_is_told_what() -> None:
    class Texts:
        def collect(self):
            yield "how?"

    with pytest.raises(AssertionError, match=r"collect\(\) gave a str; it gives QAPair and Dropped"):
        check_collector(Texts)


@pytest.mark.parametrize(
    ("check", "part", "protocol"),
    [
        (lambda part: check_collector(lambda: part), object(), "Collector"),
        (lambda part: check_collector(lambda: part), ListCollector, "Collector"),
        (lambda part: check_augmenter(lambda: part), object(), "Augmenter"),
        (lambda part: check_augmenter(lambda: part), MemoryAugmenter, "Augmenter"),
        (lambda part: check_tuner(lambda: part, EMPTY), object(), "Tuner"),
        (lambda part: check_tuner(lambda: part, EMPTY), MemoryTuner, "Tuner"),
        (lambda part: check_place(lambda: part, message="1", content=bytes), object(), "Erasable"),
    ],
)
def test_a_part_without_its_methods_and_a_class_in_its_place_are_refused(check, part, protocol) -> None:
    with pytest.raises(AssertionError, match=rf"does not fit furytune\.protocols\.{protocol}: a method"):
        check(part)


def test_a_place_that_does_not_hold_the_message_cannot_be_checked() -> None:
    place = Notes({"1": "a"})
    with pytest.raises(AssertionError, match="it does not hold the message"):
        check_place(lambda: place, message="2", content=place.content)
    assert place.notes == {"1": "a"}


def test_a_place_loses_only_the_message() -> None:
    place = Notes({"1": "a", "2": "b"})
    check_place(lambda: place, message="1", content=place.content)
    assert place.notes == {"2": "b"}


def test_a_data_set_with_problems_cannot_be_used_for_a_tuner() -> None:
    tuner = MemoryTuner()
    with pytest.raises(AssertionError, match="cannot be used for this check: there are no rows"):
        check_tuner(lambda: tuner, EMPTY)
    assert tuner.jobs == {}


def test_a_check_of_a_collector_returns_all_items() -> None:
    drop = ft.Dropped(reason="own:odd", unit="record")
    collector = ListCollector([*PAIRS, drop])

    assert check_collector(lambda: collector, read={"record": 3}) == [*PAIRS, drop]
    with pytest.raises(AssertionError, match="Seen: 4 of unit record read, 2 in pairs and 1 dropped"):
        check_collector(lambda: collector, read={"record": 4})


def test_messages_are_counted_once_however_often_they_are_used() -> None:
    shared = [
        pair("how?", "so", question_messages=("1", "2"), answer_messages=("3",)),
        pair("why?", "because", question_messages=("2",), answer_messages=("4",)),
    ]
    check_collector(lambda: ListCollector(shared), read={"message": 4})
    with pytest.raises(AssertionError, match="Seen: 5 of unit message read, 4 in pairs"):
        check_collector(lambda: ListCollector(shared), read={"message": 5})


@pytest.mark.parametrize("change", [{"id": ""}, {"group": ""}])
def test_empty_names_are_found(change) -> None:
    wrong = attrs.evolve(PAIRS[0], **change)
    with pytest.raises(AssertionError, match="Seen: an empty id or group"):
        check_collector(lambda: ListCollector([wrong]))


def test_a_check_of_a_step_returns_what_it_made_of_each_pair() -> None:
    def step(one):
        return (
            attrs.evolve(one, answer="better") if one is PAIRS[0] else ft.Dropped(reason="own:x", ids=("2",))
        )

    edited, dropped = check_curator(step, PAIRS)
    assert (edited.answer, dropped.reason) == ("better", "own:x")


@pytest.mark.parametrize("change", [{"id": "other"}, {"group": "other"}, {"tags": ("new",)}])
def test_a_step_that_changes_more_than_the_answer_is_found(change) -> None:
    with pytest.raises(AssertionError, match="a change of more than the answer"):
        check_curator(lambda one: attrs.evolve(one, **change), PAIRS)


@pytest.mark.parametrize("side", ["test", "", None])
def test_a_splitter_with_another_side_is_found(side) -> None:
    with pytest.raises(AssertionError, match="A group is always on the same side"):
        check_splitter(lambda group: side, ["a", "b"])


class Half:
    """Writes only the rows for training, by an exporter that writes all."""

    def __init__(self, path):
        self.inner = ft.JsonlExporter(path)
        self.dialect = self.inner.dialect

    def export(self, rows, *, contract, tally=None):
        return self.inner.export((r for r in rows if r.split == "train"), contract=contract, tally=tally)


def test_an_exporter_that_loses_rows_is_found(tmp_path) -> None:
    with pytest.raises(AssertionError, match="Every row is written, and equal rows give equal bytes"):
        check_exporter(lambda folder: Half(folder / "t.jsonl"), tmp_path)


def test_an_exporter_that_writes_beside_its_targets_is_found(tmp_path) -> None:
    class Elsewhere(ft.JsonlExporter):
        @property
        def targets(self):
            return (self.path,)

    with pytest.raises(AssertionError, match="Every data file that it writes is among the targets"):
        check_exporter(lambda folder: Elsewhere(folder / "t.jsonl"), tmp_path)


def test_an_exporter_without_other_abilities_passes(tmp_path) -> None:
    class Bare(Half):
        def export(self, rows, *, contract, tally=None):
            return self.inner.export(rows, contract=contract, tally=tally)

    assert check_exporter(lambda folder: Bare(folder / "t.jsonl"), tmp_path).rows == 5
