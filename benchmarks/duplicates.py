"""Compares finding near-duplicates with finding equal questions, and with merely reading the pairs; each in its process.

usage: python benchmarks/duplicates.py [--pairs 100000] [--repeats 1] [--action drop|group]

The pairs are made while they are read, the same in each run: questions of 3 to 40 words about made-up things; a sixth of
them was asked before, with another greeting, order, case or a slip of the pen. "near" and "exact" run as steps of a
pipeline, so "near" includes the storage of all pairs on disk. Times are wall times and include starting Python.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import _process

VERBS = [
    "change",
    "set",
    "draw",
    "load",
    "save",
    "rotate",
    "move",
    "scale",
    "hide",
    "show",
    "update",
    "export",
    "parse",
    "render",
    "connect",
    "color",
    "resize",
    "link",
    "sort",
]
ASKED = (
    "How do I {}?",
    "how to {}",
    "Is there a way to {}?",
    "why can't I {}",
    "what happens when I {}?",
    "I want to {}",
)
GREETINGS = ("", "", "", "Hi all! ", "hey guys, ", "Sorry for the noob question, but ", "hello, ")
ENDS = ("", "", "", " Thanks!", " please", " any ideas?")
START = datetime(2020, 1, 1, tzinfo=UTC)


def _things(count: int, made: random.Random) -> list[str]:
    """Returns made-up nouns."""
    onset, rime = (
        [
            "b",
            "c",
            "d",
            "f",
            "g",
            "h",
            "l",
            "m",
            "n",
            "p",
            "r",
            "s",
            "t",
            "v",
            "br",
            "cl",
            "dr",
            "gr",
            "pl",
            "st",
            "tr",
        ],
        ["a", "e", "i", "o", "u", "ar", "en", "il", "on", "ur", "ack", "est"],
    )
    return [
        "".join(made.choice(onset) + made.choice(rime) for _ in range(made.randint(2, 4)))
        for _ in range(count)
    ]


def _question(made: random.Random, things: list[str]) -> str:
    def thing() -> str:
        return things[int(len(things) * made.random() ** 3)]  # some things are asked about far more often

    words = [made.choice(VERBS), "the", thing()]
    for _ in range(min(12, int(made.expovariate(0.5)))):
        words += [made.choice(("of a", "in the", "with a", "for each", "and", "near the")), thing()]
    if made.random() < 0.1:
        words += ["in version", f"{made.randint(0, 3)}.{made.randint(0, 12)}"]
    return made.choice(ASKED).format(" ".join(words))


def _again(made: random.Random, question: str) -> str:
    """Returns a question as another person asks it."""
    words = question.split()
    long = [i for i, word in enumerate(words) if len(word) > 5 and word.isalpha()]
    if long and made.random() < 0.4:
        i = made.choice(long)
        at = made.randint(1, len(words[i]) - 3)
        words[i] = words[i][:at] + words[i][at + 1] + words[i][at] + words[i][at + 2 :]
    text = " ".join(words)
    return made.choice(GREETINGS) + (text.lower() if made.random() < 0.5 else text) + made.choice(ENDS)


def pairs(count: int) -> Iterator:
    """Yields the pairs."""
    from furytune.records import QAPair

    made = random.Random(7)
    things = _things(20_000, made)
    asked: list[str] = []
    for i in range(count):
        if asked and made.random() < 1 / 6:
            question = _again(made, asked[made.randrange(len(asked))])
        else:
            question = _question(made, things)
            asked.append(question)
        at = START + timedelta(seconds=37 * i)
        yield QAPair(
            id=f"{800_000_000_000_000_000 + i * 4097}",
            question=question,
            answer="Set it on the object and call update. " * made.randint(1, 8),
            group=f"channel:{i // 3}",
            asked_at=at,
            answered_at=at + timedelta(minutes=made.randint(1, 500)),
            confidence=made.randint(30, 100) / 100,
            solved=made.random() < 0.1,
        )


def _act(name: str, count: int, action: str) -> None:
    """Does the work of one process, and prints how many pairs are left and how many groups."""
    import furytune as ft

    class Made:
        def collect(self) -> Iterator:
            return pairs(count)

    steps = {"near": [ft.NearDuplicates(action=action)], "exact": [ft.Deduplicate()], "read": []}[name]
    kept, groups = 0, set()
    for pair in ft.Pipeline(collector=Made(), curators=steps).pairs():
        kept += 1
        groups.add(hash(pair.group))
    print(f"{kept:,} pairs in {len(groups):,} groups left")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--action", choices=("drop", "group"), default="drop")
    parser.add_argument("--act", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.act:
        _act(options.act, options.pairs, options.action)
        return
    common = [sys.executable, __file__, "--pairs", str(options.pairs), "--action", options.action, "--act"]
    medians = _process.compare({name: [*common, name] for name in ("near", "exact", "read")}, options.repeats)
    for name in ("near", "exact"):
        print(f"{name}: {options.pairs / medians[name][0]:,.0f} pairs/s")
    print(f"near takes {medians['near'][0] / medians['exact'][0]:.1f} times as long as exact")


if __name__ == "__main__":
    main()
