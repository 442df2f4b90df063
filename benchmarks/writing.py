"""Compares writing and reading data sets with hand-written loops.

usage: python benchmarks/writing.py [ROWS] [ROUNDS]

Every round runs all cases in turn, on the same rows, and takes the ratio to the loop within the round; the table
shows the median. The exporters do more than the loops: they fsync, hash every byte (sha256), check every row, and
write a manifest that lists the source of every row. The outputs of all cases are compared first.
"""

from __future__ import annotations

import csv
import gc
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from attrs import Factory, frozen

from furytune import dialects
from furytune.collectors.tabular import CsvCollector, JsonlCollector
from furytune.exporters.csv import CsvExporter
from furytune.exporters.jsonl import JsonlExporter
from furytune.records import Prompt, Source, TrainingRow

WORDS = [
    "how",
    "do",
    "I",
    "draw",
    "many",
    "spheres",
    "with",
    "one",
    "actor,",
    "é",
    "😀",
    '"quoted"',
    "in\na",
    "window",
]


@frozen
class Contract:
    fingerprint: str = "f" * 64
    snapshot: str = "s" * 64
    form: object = Factory(dict)


def make_rows(count):
    def text(n, size):
        return " ".join(WORDS[(n * 7 + k * (n % 5 + 1)) % len(WORDS)] for k in range(size))

    return [
        TrainingRow(
            id=f"row:{n}",
            group=f"g{n}",
            split="train",
            prompt=Prompt(text=f"{n} {text(n, 30)}"),
            answer=text(n + 3, 40),
            source=Source(path="general.json", line=n + 1, channel="1234"),
            messages=(str(n), str(n + 1)),
        )
        for n in range(count)
    ]


def write_json_loop(path, rows, dialect):
    row_of = dialects.get(dialect).row
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row_of(row.prompt, row.answer), ensure_ascii=False) + "\n")


def write_csv_loop(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["input", "output"])
        writer.writeheader()
        for row in rows:
            writer.writerow({"input": row.prompt.text, "output": row.answer})


def read_json_loop(path):
    with path.open(encoding="utf-8") as file:
        return sum(len(json.loads(line)["contents"][0]["parts"][0]["text"]) for line in file)


def read_csv_loop(path):
    with path.open(encoding="utf-8", newline="") as file:
        return sum(len(row["input"]) for row in csv.DictReader(file))


def read_pairs(collector):
    return sum(len(pair.question) for pair in collector.collect())


def check(folder, rows):
    """Checks that the compared cases write and read the same."""
    with (
        (folder / "loop.jsonl").open(encoding="utf-8") as one,
        (folder / "ours.jsonl").open(encoding="utf-8") as two,
    ):
        assert all(json.loads(a) == json.loads(b) for a, b in zip(one, two, strict=True))
    with (folder / "loop.csv").open(newline="") as one, (folder / "ours.csv").open(newline="") as two:
        assert all(a == b for a, b in zip(csv.reader(one), csv.reader(two), strict=True))
    questions = [row.prompt.text for row in rows]
    for collector in (JsonlCollector(folder / "ours.jsonl"), CsvCollector(folder / "ours.csv")):
        assert [pair.question for pair in collector.collect()] == questions


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    rows = make_rows(count)
    gc.freeze()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        contract = Contract()
        cases = {
            "write JSONL, json.dumps loop": lambda: write_json_loop(folder / "loop.jsonl", rows, "gemini"),
            "write JSONL, JsonlExporter": lambda: JsonlExporter(folder / "ours.jsonl").export(
                rows, contract=contract
            ),
            "write CSV, csv.DictWriter loop": lambda: write_csv_loop(folder / "loop.csv", rows),
            "write CSV, CsvExporter": lambda: CsvExporter(folder / "ours.csv").export(
                rows, contract=contract
            ),
            "read JSONL, json.loads loop": lambda: read_json_loop(folder / "ours.jsonl"),
            "read JSONL, JsonlCollector": lambda: read_pairs(JsonlCollector(folder / "ours.jsonl")),
            "read CSV, csv.DictReader loop": lambda: read_csv_loop(folder / "ours.csv"),
            "read CSV, CsvCollector": lambda: read_pairs(CsvCollector(folder / "ours.csv")),
        }
        for case in cases.values():
            case()
        check(folder, rows)
        times = {name: [] for name in cases}
        for _ in range(rounds):
            for name, case in cases.items():
                began = time.perf_counter()
                case()
                times[name].append(time.perf_counter() - began)
        print(
            f"{count} rows, {(folder / 'ours.jsonl').stat().st_size / 1e6:.0f} MB JSONL, median of {rounds} rounds"
        )
        names = list(cases)
        for loop, ours in zip(names[0::2], names[1::2], strict=True):
            ratios = [a / b for a, b in zip(times[loop], times[ours], strict=True)]
            for name, ratio in ((loop, 1.0), (ours, statistics.median(ratios))):
                seconds = statistics.median(times[name])
                print(f"{name:<34}{seconds:>8.3f} s {count / seconds / 1e3:>8.0f} k rows/s {ratio:>6.2f} x")


if __name__ == "__main__":
    main()
