"""Phrases that make a reader stumble are not in the docs, the messages, the docstrings or the comments."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PHRASES = {
    r"(?i)\btaken? down\b|\btakes down\b": "say collected, stored or removed",
    r"(?i)\banew\b": "say again, or from the beginning",
    r"(?i)\bsee to (?:the|its|it|their)\b": "say check",
    r"(?i)(?<!there )(?<!really )\b(?:is|are) no (?!longer|more|one|matter|such)[a-z]": "say is not a",
    r"(?i)\b(?:somebody|nobody|anybody)\b": "say someone, no one, or who it is",
    r"(?i)\bshall\b(?!\")": "say should, must or will",
    r"(?i)\bgo(?:es|ne)? on with\b": "say resume or continue",
    r"(?i)\bat hand\b": "say available",
    r"(?i)\bwhoever\b": "say anyone who, or who it is",
    r"(?<!there )\b(?:is|are) none\b|\bof none\b": "say what is missing",
    r"(?i)\bask otherwise\b": "say rephrase the question",
    r"(?i)\bwhat was begun\b": "say an interrupted run",
}


def texts() -> list[Path]:
    patterns = ("src/**/*.py", "docs/*.md", "examples/**/*.py", "examples/**/*.md", "*.md")
    return [path for pattern in patterns for path in sorted(ROOT.glob(pattern))]


def test_no_text_uses_a_phrase_that_makes_a_reader_stumble() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {match[0]!r}: {instead}"
        for path in texts()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for phrase, instead in PHRASES.items()
        if (match := re.search(phrase, line))
    ]
    assert len(texts()) > 200
    assert not found, "\n".join(found)
