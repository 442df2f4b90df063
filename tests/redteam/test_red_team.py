"""The bot under attack, with the worst model: it does whatever it is told. docs/safety.md has the table."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import redteam

# A model that believes what it reads repeats it in plain words, and no one can tell these from an answer.
NOT_HELD = {("plain words", "1"), ("plain words", "2"), ("plain words", "3"), ("plain words", "4")}


@pytest.fixture(scope="module")
def rows():
    return redteam.everything()


def test_every_attack_holds_except_those_named_here(rows):
    assert {(kind, name) for kind, name, ok in rows if not ok} == NOT_HELD
    assert len(rows) >= 100


def test_the_attacks_would_work_without_the_cleaning():
    kinds, held = Counter(), Counter()
    for attack, ok in redteam.run_said(stream=False, clean=False):
        kinds[attack.kind] += 1
        held[attack.kind] += ok
    for kind in ("link", "mention", "hidden characters"):
        assert held[kind] < kinds[kind] / 2, kind
    # The template keeps these apart, whatever happens to answers.
    assert held["forged delimiter"] == kinds["forged delimiter"]


def test_the_page_shows_this_table(rows):
    page = (Path(__file__).parents[2] / "docs" / "safety.md").read_text(encoding="utf-8")
    assert redteam.table(rows) in page
