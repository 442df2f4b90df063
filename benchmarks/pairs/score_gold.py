"""Scores pairs against the labelled windows.

usage: FURYTUNE_DATA=... python benchmarks/pairs/score_gold.py [--show]

A pair matches a gold pair if their answers share at least half of their messages (Jaccard), and their questions do too or
the found question contains the longest message of the gold one. Only pairs inside a window count.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from attrs import frozen
from sources import Stream

GOLD = Path(__file__).parent / "gold"
WORTH = frozenset({"good", "usable"})
GRADES = frozenset({"good", "usable", "poor"})


@frozen(kw_only=True)
class Found:
    """A pair that a program found: ids of its messages, and how sure the program is."""

    question: tuple[str, ...]
    answer: tuple[str, ...]
    confidence: float = 1.0


@frozen(kw_only=True)
class Labelled:
    """A pair that a reader marked."""

    window: str
    question: tuple[str, ...]
    answer: tuple[str, ...]
    grade: str


def windows() -> list[dict]:
    """Returns the labelled windows."""
    return [json.loads(line) for line in (GOLD / "windows.jsonl").read_text("utf-8").splitlines()]


def labels(name: str = "pairs.jsonl") -> dict[str, list[Labelled]]:
    """Returns the labelled pairs of each window."""
    found = defaultdict(list)
    for line in (GOLD / name).read_text("utf-8").splitlines():
        item = json.loads(line)
        found[item["window"]].append(
            Labelled(
                window=item["window"],
                question=tuple(map(str, item["question"])),
                answer=tuple(map(str, item["answer"])),
                grade=item["grade"],
            )
        )
    return found


def jaccard(a: Iterable[str], b: Iterable[str]) -> float:
    """Returns the share of two sets that they have in common."""
    one, two = set(a), set(b)
    return len(one & two) / len(one | two) if one | two else 0.0


def matches(found: Found, gold: Labelled, lengths: Mapping[str, int]) -> bool:
    """Returns True if a found pair is the labelled one."""
    if jaccard(found.answer, gold.answer) < 0.5:
        return False
    longest = max(gold.question, key=lambda uid: lengths.get(uid, 0))
    return longest in found.question or jaccard(found.question, gold.question) >= 0.5


def touches(found: Found, gold: Labelled, lengths: Mapping[str, int]) -> bool:
    """Returns True if a found pair has the longest messages of question and answer of a labelled one worth training on."""
    if gold.grade not in WORTH:
        return False
    question, answer = (max(ids, key=lambda uid: lengths.get(uid, 0)) for ids in (gold.question, gold.answer))
    return question in found.question and answer in found.answer


def inside(found: Sequence[Found], stream: Stream, window: dict) -> list[Found]:
    """Returns the pairs all of whose messages are in a window."""
    places = {row.id: i for i, row in enumerate(stream.rows)}
    ids = {row.id for row in stream.rows[places[window["first"]] : places[window["last"]] + 1]}
    return [pair for pair in found if ids.issuperset((*pair.question, *pair.answer))]


@frozen(kw_only=True)
class Judged:
    """A found pair, and the grade of the gold pair that it matches, "" for none."""

    window: str
    pair: Found
    grade: str


def judge(found: Sequence[Found], stream: Stream, window: dict, gold: Sequence[Labelled]) -> list[Judged]:
    """Returns the grade of every found pair of one window; each gold pair is matched once."""
    lengths = {row.id: len(row.text) for row in stream.rows}
    left = list(gold)
    judged = []
    for pair in sorted(inside(found, stream, window), key=lambda p: -p.confidence):
        hit = next((g for g in left if matches(pair, g, lengths)), None)
        if hit is not None:
            left.remove(hit)
        judged.append(Judged(window=window["window"], pair=pair, grade=hit.grade if hit else ""))
    return judged


@frozen(kw_only=True)
class Score:
    """Precision and recall of pairs that are good or usable."""

    found: int
    worth: int
    gold: int

    @property
    def precision(self) -> float:
        return self.worth / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        return self.worth / self.gold if self.gold else 0.0


def score(judged: Sequence[Judged], gold: Iterable[Labelled], *, at_least: float = 0.0) -> Score:
    """Returns the score of the pairs whose confidence is at least a threshold."""
    kept = [j for j in judged if j.pair.confidence >= at_least]
    return Score(
        found=len(kept),
        worth=sum(j.grade in WORTH for j in kept),
        gold=sum(g.grade in WORTH for g in gold),
    )
