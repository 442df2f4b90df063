"""Says in words why a pair was made, and what was decided about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from furytune.records import Evidence, QAPair

__all__ = ["reasons_for"]

_EVIDENCE: Final[Mapping[Evidence, str]] = {
    "thread": "It was asked in a thread of its own.",
    "native_reply": "The answer is a reply to the question.",
    "addressed": "The answer addresses the person who asked.",
    "linked": "A model found that the answer belongs to the question.",
    "solution_mark": "The answer has a check mark.",
    "solved_tag": "The thread is tagged as solved.",
    "works_now": "The person who asked said that it works.",
    "thanked": "The person who asked said thanks.",
    "self_answer": "The person who asked found the answer.",
    "clarified": "The person who asked added something before the answer.",
    "reviewed": "A person reviewed it.",
}


def reasons_for(pair: QAPair) -> Iterator[str]:
    """Yields one sentence for each thing that speaks for a pair, and one if there is nothing."""
    found = [_EVIDENCE[name] for name in pair.evidence if name in _EVIDENCE]
    if pair.method == "given":
        found.append("The pair was given as such; no model judged it.")
    yield from found or ["Nothing but the order of the messages speaks for it."]
