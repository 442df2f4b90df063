"""Measures how many messages a second redaction reads, and how much longer that takes than splitting them into words.

usage: python benchmarks/redaction.py FILE [FILE ...] [--repeats 5]

A FILE has one message a line. Times are processor time, the best of the repeats; both passes run in turn, so that a busy
machine slows down both.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from furytune._privacy.redaction import KINDS, redact

SAFE = ("secrets", "emails", "accounts", "birthdates", "names", "devices")
WAYS: dict[str, Callable[[str], object]] = {
    "split into words": str.split,
    "redact secrets": lambda text: redact(text, ("secrets",)),
    "redact the default kinds": lambda text: redact(text, SAFE),
    "redact every kind": lambda text: redact(text, KINDS),
}


def measure(messages: Sequence[str], repeats: int) -> dict[str, float]:
    """Returns the least seconds of each way."""
    least = dict.fromkeys(WAYS, float("inf"))
    for repeat in range(repeats + 1):
        for name, way in WAYS.items():
            begin = time.process_time()
            for message in messages:
                way(message)
            if repeat:  # the first pass compiles the patterns
                least[name] = min(least[name], time.process_time() - begin)
    return least


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    given = parser.parse_args()
    lines = (line for path in given.files for line in path.read_text("utf-8", "replace").splitlines())
    messages = [line for line in lines if line.strip()]
    mean = sum(map(len, messages)) / len(messages)
    print(f"{len(messages):,} messages of {mean:.0f} characters on average")
    found = measure(messages, given.repeats)
    base = found["split into words"]
    for name, seconds in found.items():
        print(f"{name:<26}{len(messages) / seconds:>12,.0f} messages/s{seconds / base:>8.1f} times")


if __name__ == "__main__":
    main()
