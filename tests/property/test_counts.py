"""Laws of the counts of a run: nothing is lost, and the order in which drops come changes no number."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import furytune as ft
from furytune.errors import ConfigError, ConservationError
from furytune.records import Dropped, JobProgress, Loss, TuningJob
from furytune.report import Report, Tally, compare
from furytune.testing.memory import ListCollector, pair

UNITS = ("channel", "file", "message", "pair", "record")
drops = st.lists(
    st.builds(
        Dropped,
        reason=st.sampled_from(["own:a", "own:b", "own:c"]),
        unit=st.sampled_from(UNITS),
        count=st.integers(1, 10**6),
        where=st.sampled_from(["", "a.json:1", "b.json:2"]),
        ids=st.lists(st.sampled_from(["1", "2", "3"]), max_size=3).map(tuple),
        detail=st.sampled_from(["", "needs View Channel"]),
    ),
    max_size=60,
)


def tallied(items: list[Dropped]) -> Tally:
    tally = Tally()
    for item in items:
        tally.drop(item)
    return tally


@given(drops)
def test_every_unit_has_the_sum_of_its_drops(items) -> None:
    tally = tallied(items)

    for unit in UNITS:
        assert tally.dropped(unit) == sum(d.count for d in items if d.unit == unit)


@given(drops, st.randoms(use_true_random=False))
def test_the_numbers_do_not_depend_on_the_order_of_drops(items, dice) -> None:
    shuffled = list(items)
    dice.shuffle(shuffled)
    one, other = (
        [(d["unit"], d["reason"], d["count"]) for d in tallied(some).counts.as_json()["dropped"]]
        for some in (items, shuffled)
    )

    assert one == other == sorted(one)


@given(drops)
def test_the_counts_are_json_with_few_examples(items) -> None:
    counts = tallied(items).counts.as_json()

    assert json.loads(json.dumps(counts)) == counts
    named = {name for d in items for name in (*d.ids, d.where)}
    for entry in counts["dropped"]:
        assert len(entry["examples"]) <= 20
        assert set(entry["examples"]) <= named
        assert ("channels" in entry) is (entry["unit"] == "channel")


@given(drops, st.integers(0, 50))
def test_the_check_accepts_exactly_the_right_number_of_rows(items, rows) -> None:
    tally = tallied(items)
    tally.rows, tally.pairs = rows, rows + tally.dropped("pair")
    tally.check()
    tally.rows += 1
    with pytest.raises(ConservationError, match="-1 are unaccounted for"):
        tally.check()


@given(drops)
def test_the_text_of_a_report_names_every_reason_with_its_number(items) -> None:
    told = str(Report(counts=tallied(items).counts))

    for unit, reason in {(d.unit, d.reason) for d in items}:
        count = sum(d.count for d in items if (d.unit, d.reason) == (unit, reason))
        assert f"{count:>9}  {unit:<8} {reason}" in told
        for item in [d for d in items if (d.unit, d.reason) == ("channel", reason)][:20]:
            assert f"not read  {item.where or ', '.join(item.ids)}: {reason}" in told


def test_channels_beyond_the_list_are_counted_in_the_text() -> None:
    told = str(
        Report(
            counts=tallied(
                [Dropped(reason="no_permission", unit="channel", where=f"#room{n}") for n in range(23)]
            ).counts
        )
    )

    assert told.count("not read") == 21
    assert "not read  #room19: no_permission" in told
    assert "not read  and 3 more: no_permission" in told


class TestReportOfAJob:
    def told(self, **progress) -> str:
        job = TuningJob(
            key="k", name="jobs/1", state="succeeded", model="models/9", progress=JobProgress(**progress)
        )
        return str(Report(counts=Tally().counts, job=job))

    def test_the_model_is_named(self):
        assert "model                models/9" in self.told()

    def test_rows_that_the_service_left_out_are_counted_and_named(self):
        assert "2  by the service, of the training rows: r1, r7" in self.told(
            dropped=2, dropped_ids=("r1", "r7")
        )
        assert "2  by the service, of the training rows: it names none" in self.told(dropped=2)
        assert "by the service" not in self.told()


class TestCompare:
    """Runs can be compared only if they have the same pairs in the same split."""

    def report(self, folder, pairs, *, text="{question}", share=0.0) -> Report:
        folder.mkdir()
        return (
            ft.Pipeline(
                collector=ListCollector(pairs),
                template=ft.PromptTemplate(text),
                exporter=ft.JsonlExporter(folder / "t.jsonl"),
                splitter=ft.GroupSplitter(share),
            )
            .run()
            .report
        )

    def line(self, table, label) -> list[str]:
        (found,) = (line for line in table.splitlines() if line.startswith(label))
        return found.removeprefix(label).split()

    @pytest.fixture
    def pairs(self):
        return [pair(f"how {n}?", f"so {n}") for n in range(12)]

    def test_another_template_has_the_same_pairs(self, tmp_path, pairs):
        one = self.report(tmp_path / "a", pairs)
        other = self.report(tmp_path / "b", pairs, text="Question:\n{question}")
        table = compare({"one": one, "other": other})

        assert self.line(table, "same pairs") == ["yes", "yes"]
        assert self.line(table, "train rows") == ["12", "12"]
        contracts = self.line(table, "contract")
        assert contracts == [r.datasets[0].fingerprint[:12] for r in (one, other)]
        assert len(set(contracts)) == 2

    def test_another_split_or_one_pair_less_is_named(self, tmp_path, pairs):
        one = self.report(tmp_path / "a", pairs)
        split = self.report(tmp_path / "b", pairs, share=0.5)
        fewer = self.report(tmp_path / "c", pairs[1:])

        assert self.line(compare({"one": one, "split": split}), "same pairs") == ["NO", "NO"]
        assert self.line(compare({"one": one, "fewer": fewer}), "same pairs") == ["NO", "NO"]
        assert set(self.line(compare({"a": one, "b": one, "c": fewer}), "same pairs")) == {"NO"}

    def test_a_job_adds_its_state_and_numbers(self, tmp_path, pairs):
        one = self.report(tmp_path / "a", pairs)
        job = TuningJob(
            key="k",
            name="jobs/1",
            state="succeeded",
            model="models/9",
            progress=JobProgress(
                billed_tokens=12_345, losses=(Loss(step=1, loss=2.0), Loss(step=2, loss=0.51239))
            ),
        )
        table = compare({"without": one, "with": Report(counts=one.counts, datasets=one.datasets, job=job)})

        assert self.line(table, "job") == ["-", "succeeded"]
        assert self.line(table, "billed tokens") == ["-", "12,345"]
        assert self.line(table, "last loss") == ["-", "0.5124"]
        assert self.line(table, "model") == ["-", "models/9"]

    def test_what_cannot_be_compared_is_refused(self, tmp_path, pairs):
        one = self.report(tmp_path / "a", pairs)
        with pytest.raises(ConfigError, match="two or more"):
            compare({"one": one})
        with pytest.raises(ConfigError, match="'other' wrote no data set"):
            compare({"one": one, "other": Report(counts=one.counts)})
        (tmp_path / "a" / "t.jsonl.manifest.json").unlink()
        with pytest.raises(ConfigError, match="keep the manifest where the run wrote it"):
            compare({"one": one, "two": one})
