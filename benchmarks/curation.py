"""Measures curation steps: pairs per second of each, and as a ratio to the plainest step.

usage: python benchmarks/curation.py [--pairs 20000] [--repeats 3]

The pairs are synthetic, with the lengths of real ones: prose, links, inline code and Python blocks. All steps run in one
process, in turn, so that a slow moment of the machine meets all of them. What counts is the best of the repeats.
"""

from __future__ import annotations

import argparse
import itertools
import random
import time
from collections.abc import Callable, Iterator

import furytune as ft
from furytune.protocols import SetCurator, StatefulCurator
from furytune.records import Dropped, QAPair

PLAINEST = "MinConfidence"
WORDS = [
    "the",
    "actor",
    "scene",
    "opacity",
    "call",
    "set",
    "window",
    "camera",
    "light",
    "when",
    "you",
    "add",
    "render",
    "sphere",
    "value",
    "option",
    "first",
    "then",
    "install",
    "version",
    "update",
    "file",
    "array",
    "point",
    "color",
    "shape",
    "callback",
    "timer",
    "below",
    "above",
    "use",
    "with",
    "without",
    "because",
    "which",
    "returns",
]
CODE = "```python\nimport json\nwith open('settings.json') as file:\n    found = json.load(file)\nprint(found['{}'])\n```"


def sentence(rng: random.Random) -> str:
    return " ".join(rng.choices(WORDS, k=rng.randint(6, 18))).capitalize() + "."


def pairs(count: int, seed: int = 1) -> list[QAPair]:
    """Returns pairs whose answers have 100 characters in the median, and a block of code in one of five."""
    rng = random.Random(seed)
    made = []
    for n in range(count):
        parts = [sentence(rng) for _ in range(rng.choice((1, 1, 2, 3, 6)))]
        if rng.random() < 0.2:
            parts.append("\n" + CODE.format(rng.choice(WORDS)))
        if rng.random() < 0.2:
            parts.append(f"See https://docs.example/{rng.choice(WORDS)}.html")
        if rng.random() < 0.1:
            parts.append("Hope this helps!")
        made.append(
            QAPair(
                id=str(n),
                group=str(n),
                question=f"{sentence(rng)} How do I {rng.choice(WORDS)} number {n}?",
                answer=" ".join(parts),
                asker=f"asker{rng.randint(0, 999)}",
                answerer=f"helper{rng.randint(0, 49)}",
                answerer_roles=("Helper",),
                confidence=rng.random(),
            )
        )
    return made


STEPS = {
    PLAINEST: ft.MinConfidence(0.2),
    "AnswerLength": ft.AnswerLength(min=10),
    "AnsweredBy": ft.AnsweredBy("Helper"),
    "CapPerAuthor": ft.CapPerAuthor(500, share=0.2, per_asker=50, per_two=20),
    "CapPerLink": ft.CapPerLink(1000),
    "Deduplicate": ft.Deduplicate(),
    "NearDuplicates": ft.NearDuplicates(),
    "Languages": ft.Languages("en"),
    "RedactSecrets": ft.RedactSecrets(),
    "LintAnswers": ft.LintAnswers(),
    "CheckCode": ft.CheckCode("json"),
}


def fresh(step: object, items: list[QAPair]) -> Callable[[QAPair], QAPair | Dropped]:
    if isinstance(step, SetCurator):
        return step.fit(iter(items))
    return step.start() if isinstance(step, StatefulCurator) else step  # type: ignore[return-value]


def timed(step: object, items: list[QAPair]) -> tuple[float, int]:
    """Returns the seconds for all pairs, and how many were kept."""
    start = time.perf_counter()
    act = fresh(step, items)  # a step that reads all pairs first takes most of its time here
    kept = sum(isinstance(act(item), QAPair) for item in items)
    return time.perf_counter() - start, kept


def measured(items: list[QAPair], repeats: int) -> Iterator[tuple[str, float, int]]:
    for step in STEPS.values():
        fresh(step, items[:1])(items[0])  # reads what is read on first use
    best: dict[str, tuple[float, int]] = {}
    for _, (name, step) in itertools.product(range(repeats), STEPS.items()):
        best[name] = min(best.get(name, (float("inf"), 0)), timed(step, items))
    for name, (seconds, kept) in best.items():
        yield name, seconds, kept


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    items = pairs(options.pairs)
    print(f"{len(items):,} pairs, {sum(len(p.answer) for p in items) / len(items):.0f} characters per answer")
    print(f"{'step':<16}{'pairs/s':>12}{'times the plainest':>20}{'kept':>10}")
    found = list(measured(items, options.repeats))
    plainest = next(seconds for name, seconds, _ in found if name == PLAINEST)
    for name, seconds, kept in found:
        print(f"{name:<16}{len(items) / seconds:>12,.0f}{seconds / plainest:>20,.1f}{kept:>10,}")


if __name__ == "__main__":
    main()
