"""What counts as a Discord id, question by question."""

from __future__ import annotations

import re

import pytest

from furytune._privacy import ids

REAL = "175928847299117063"
#                  digits  number  length  full   API
RULES = {
    REAL: (True, True, True, True, True),
    "7": (True, True, False, False, True),
    "1" * 14: (True, True, False, False, True),
    "1" * 15: (True, True, True, True, True),
    "1" * 20: (True, True, True, True, False),
    "1" * 21: (True, False, False, False, False),
    "0" + REAL: (True, False, True, False, False),
    "": (False, False, False, False, False),
    f" {REAL}": (False, False, False, False, False),
    f"{REAL}\n": (False, False, False, False, False),
    "\u0661" * 18: (False, False, False, False, False),
}


@pytest.mark.parametrize("text", RULES)
def test_each_rule_accepts_what_it_says(text):
    accepted = (
        ids.is_digits(text),
        ids.id_number(text) is not None,
        ids.has_length_of_id(text),
        ids.is_full_id(text),
        re.search(ids.API_ID, text) is not None,
    )

    assert accepted == RULES[text]


def test_a_number_is_not_a_full_id():
    assert not ids.is_full_id(int(REAL))


def test_only_whole_numbers_in_a_text_are_ids():
    assert ids.full_ids(f"discord:{REAL}, 2024, {'1' * 21}, 0{REAL}, {REAL[:15]}.") == [REAL, REAL[:15]]
