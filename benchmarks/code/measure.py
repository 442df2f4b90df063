"""Measures the verdicts of `CheckCode` on answers that gold.py has made.

    python benchmarks/code/measure.py numpy old new gold.jsonl

A verdict "stale" is right if the label is "stale" or "compiled". Recall counts the label "stale" alone.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from pathlib import Path

import furytune as ft


def score(found: list[str], gold: list[dict]) -> dict[str, float]:
    """Returns precision and recall of the verdict "stale"."""
    called = [g["label"] for f, g in zip(found, gold, strict=True) if f == "stale"]
    stale = [f for f, g in zip(found, gold, strict=True) if g["label"] == "stale"]
    return {
        "precision": sum(label in {"stale", "compiled"} for label in called) / max(len(called), 1),
        "recall": stale.count("stale") / max(len(stale), 1),
    }


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("package")
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("gold", type=Path)
    parser.add_argument("--alone", action="store_true", help="do not show it the older release")
    parser.add_argument("--show", type=int, default=0, help="print this many wrong verdicts of each kind")
    options = parser.parse_args()
    gold = [json.loads(line) for line in options.gold.read_text("utf-8").splitlines()]
    start = time.perf_counter()
    check = ft.CheckCode(options.package, path=options.new, older=[] if options.alone else [options.old])
    check.verdict(gold[0]["answer"])
    check.verdict(f"```py\nimport {options.package}\n{options.package}.surely_absent\n```")
    table = time.perf_counter() - start
    start = time.perf_counter()
    verdicts = [check.verdict(g["answer"]) for g in gold]
    took = time.perf_counter() - start
    start = time.perf_counter()
    for g in gold:
        check.verdict(g["answer"])
    again = time.perf_counter() - start
    found = [v.outcome for v in verdicts]
    figures = score(found, gold)
    stale = [v for v, g in zip(verdicts, gold, strict=True) if v.outcome == g["label"] == "stale"]
    print(
        f"{options.package}: {len(gold)} answers, precision {figures['precision']:.3f}, recall {figures['recall']:.3f}, "
        f"since {sum(bool(v.findings[0].gone_since) for v in stale) / max(len(stale), 1):.2f}, "
        f"instead {sum(bool(v.findings[0].instead) for v in stale) / max(len(stale), 1):.2f}, "
        f"table {table:.1f} s, {len(gold) / took:.0f} then {len(gold) / again:.0f} answers/s"
    )
    table_of = Counter((g["label"], f) for f, g in zip(found, gold, strict=True))
    for label in sorted({g["label"] for g in gold}):
        print(f"  {label:9}", {f: table_of[label, f] for f in ("works", "stale", "unverifiable", "prose")})
    wrong = [
        (g, v)
        for g, v in zip(gold, verdicts, strict=True)
        if v.outcome == "stale" and g["label"] not in {"stale", "compiled"}
    ]
    missed = [
        (g, v) for g, v in zip(gold, verdicts, strict=True) if v.outcome != "stale" and g["label"] == "stale"
    ]
    print(
        "  missed by form",
        Counter(g["form"] for g, _ in missed).most_common(6),
        "by pool",
        Counter(g["pool"] for g, _ in missed),
    )
    for title, many in (("WRONG", wrong), ("MISSED", missed)):
        for g, v in many[: options.show]:
            print(f"--- {title} {g['form']} {g['label']}\n{g['answer']}\n=> {v}\n   unknown: {v.unknown}")


if __name__ == "__main__":
    main()
