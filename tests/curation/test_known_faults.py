"""Faults that the question-answer files of earlier helper bots had: each has a step and a rule that finds it.

The kinds are those of the published pairs of a bot of 2024. The texts are ours.
"""

from __future__ import annotations

import pytest

import furytune as ft
from furytune.records import Dropped, QAPair
from furytune.testing.memory import pair

ASKED = "How do I make an actor transparent?"
FAULTS = {
    "a grading criterion instead of an answer": (
        ft.LintAnswers(),
        pair(ASKED, "Must mention that the opacity of the property is set."),
        "grading_text",
    ),
    "a criterion of what the answer should say": (
        ft.LintAnswers(),
        pair(ASKED, "The answer should mention SetOpacity, and a value below one"),
        "grading_text",
    ),
    "a question that needs an image that is lost": (
        ft.LintAnswers(on=["question_lost_file"]),
        pair("Why is it so dark? See the attached image.", "Add a light to the scene."),
        "question_lost_file",
    ),
    "an answer that needs an image that is lost": (
        ft.LintAnswers(),
        pair(ASKED, "see the screenshot below"),
        "lost_file",
    ),
    "a question about an earlier message": (
        ft.LintAnswers(on=["question_points_back"]),
        pair("You suggested not to use a timer. What else can I do?", "Use a callback."),
        "question_points_back",
    ),
    "code whose indentation is gone": (
        ft.LintAnswers(),
        pair(ASKED, "```python\nfor actor in actors:\nactor.opacity = 0.5\n```"),
        "broken_indentation",
    ),
    "mostly links": (
        ft.LintAnswers(),
        pair(ASKED, "Here are the docs: https://fury.example/a and https://fury.example/b"),
        "only_links",
    ),
    "a link to nightly documentation": (
        ft.LintAnswers(on=["moving_link"]),
        pair(ASKED, "Set it as described in https://fury.example/nightly/opacity.html#actors"),
        "moving_link",
    ),
    "a link to the latest documentation": (
        ft.LintAnswers(on=["moving_link"]),
        pair(ASKED, "Set it as described in https://fury.example/latest/opacity.html#actors"),
        "moving_link",
    ),
    "an answer about a year that passes": (
        ft.LintAnswers(on=["time_bound"]),
        pair("Can I take part?", "The projects of this year are announced next month."),
        "time_bound",
    ),
    "an answer of four words": (
        ft.AnswerLength(min=25),
        pair(ASKED, "Use the opacity property"),
        "answer_short",
    ),
    "names that the package no longer has": (
        ft.CheckCode("json"),
        pair(ASKED, "```python\nimport json\njson.read('a.json')\n```"),
        "stale_code",
    ),
    "code that does not compile": (
        ft.CheckCode("json"),
        pair(ASKED, "```python\npath = 'C:\\Users'\nimport json;;\n```"),
        "broken_code",
    ),
    "a missing text that became a word": (ft.LintAnswers(), pair(ASKED, "None"), "no_text"),
    "a prompt that leaked into the answer": (
        ft.LintAnswers(),
        pair(ASKED, "Question: how?\nContext: actor.py says opacity"),
        "prompt_text",
    ),
}
CLEANED = {
    "chatter at the end": (
        pair(ASKED, "Set opacity to 0.5, is this clear? Is it what you need?"),
        "Set opacity to 0.5, is this clear?",
    ),
    "a fence that is never closed": (
        pair(ASKED, "So:\n```python\nactor.opacity = 0.5"),
        "So:\n```python\nactor.opacity = 0.5\n```",
    ),
    "code that kept the indentation of its file": (
        pair(ASKED, "So:\n```python\n    actor.opacity = 0.5\n    scene.add(actor)\n```"),
        "So:\n```python\nactor.opacity = 0.5\nscene.add(actor)\n```",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_known_fault_is_dropped_by_a_named_rule(fault) -> None:
    step, faulty, reason = FAULTS[fault]
    found = step(faulty)

    assert isinstance(found, Dropped)
    assert found.reason == reason


@pytest.mark.parametrize("fault", CLEANED)
def test_each_fault_of_form_is_repaired(fault) -> None:
    faulty, clean = CLEANED[fault]
    found = ft.LintAnswers()(faulty)

    assert isinstance(found, QAPair)
    assert found.answer == clean
