"""Judges pairs in a process of its own, which the test kills.

Usage: judge_in_process.py ENDPOINT CACHE PAIRS.
"""

from __future__ import annotations

import sys

import furytune as ft
from furytune.testing.memory import ListCollector, pair


def pairs(count):
    return [pair(f"How do I draw {n}?", f"Call `draw({n})`.", id=f"p{n}") for n in range(count)]


if __name__ == "__main__":
    endpoint, cache, count = sys.argv[1:]
    judge = ft.JudgePairs(ft.ChatService(endpoint).model("fake", temperature=0.0), cache=cache, workers=2)
    assert ft.Pipeline(collector=ListCollector(pairs(int(count))), curators=judge).run()
