"""Steps that read all pairs before they decide about the first one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import attrs
import pytest
from hypothesis import given

import furytune as ft
from furytune._storage.spool import Spool
from furytune.errors import CurationError, SourceError
from furytune.protocols import SetCurator
from furytune.records import QAPair
from furytune.testing import strategies as fs
from furytune.testing.memory import ListCollector

PAIRS = [QAPair(id=f"{n}", group=f"g{n}", question=f"how {n}?", answer=f"so {n}") for n in range(5)]


class Half:
    """Drops all pairs but the last half, edits an answer, and puts the pairs into one group."""

    name = "half"

    def fit(self, pairs):
        ids = [one.id for one in pairs]
        kept = set(ids[len(ids) // 2 :])

        def step(one):
            if one.id not in kept:
                return ft.Dropped(reason="own:first_half", ids=(one.id,))
            return attrs.evolve(one, group="all", answer="last" if one.id == ids[-1] else one.answer)

        return step


def run(step, pairs=PAIRS):
    return ft.Pipeline(collector=ListCollector(pairs), curators=step).run()


def test_every_pair_is_counted_and_edits_are_recorded():
    made = ft.Pipeline(collector=ListCollector(PAIRS), curators=[Half(), ft.Deduplicate()])
    kept = list(made.pairs())
    counts = made.run().report.counts

    assert isinstance(Half(), SetCurator)
    assert [(one.id, one.group, one.answer, one.edits) for one in kept] == [
        ("2", "all", "so 2", ()),
        ("3", "all", "so 3", ()),
        ("4", "all", "last", ("half",)),
    ]
    assert (counts.pairs, counts.rows, dict(counts.edited_answers)) == (5, 3, {"half": 1})
    assert [(d.reason, d.count) for d in counts.dropped] == [("own:first_half", 2)]
    assert list(made.pairs()) == kept


def test_rows_are_split_by_the_new_group():
    rows = list(ft.Pipeline(collector=ListCollector(PAIRS), curators=Half()).rows())
    assert {row.group for row in rows} == {"all"}


def test_a_step_that_does_not_read_all_pairs_is_an_error():
    class Impatient(Half):
        def fit(self, pairs):
            next(iter(pairs))
            return lambda one: one

    with pytest.raises(CurationError, match=r"half\.fit\(\) stopped before the last pair"):
        run(Impatient())


@pytest.mark.parametrize("change", [{"question": "other?"}, {"id": "x"}, {"group": ""}, {"group": 7}])
def test_nothing_but_answer_and_group_may_change(change):
    class Changing:
        name = "changing"

        def fit(self, pairs):
            list(pairs)
            return lambda one: attrs.evolve(one, **change)

    with pytest.raises(CurationError, match="the step changing changed more than the answer"):
        run(Changing())


def test_a_step_that_does_not_read_all_pairs_first_must_leave_the_group():
    with pytest.raises(CurationError, match="changed more than the answer"):
        run(lambda one: attrs.evolve(one, group="all"))


def test_an_error_while_collecting_is_not_hidden():
    class Broken:
        def collect(self):
            yield PAIRS[0]
            raise SourceError("broken")

    with pytest.raises(SourceError):
        list(ft.Pipeline(collector=Broken(), curators=Half()).pairs())


@given(fs.pairs())
def test_stored_pairs_come_back_equal(pairs):
    odd = [
        attrs.evolve(
            one,
            id=f"odd{n}",
            question=f"{one.question}\ud800",
            asked_at=datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=5))),
        )
        for n, one in enumerate(pairs)
    ]
    later = [
        attrs.evolve(one, id=f"late{n}", answered_at=datetime(2024, 1, 1, 1, 2, 3, 4, tzinfo=UTC))
        for n, one in enumerate(pairs)
    ]
    with Spool(QAPair) as spool:
        spool.fill(pairs + odd + later)
        assert list(spool) == pairs + odd + later
        assert list(spool) == pairs + odd + later
