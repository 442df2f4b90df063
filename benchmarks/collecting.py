"""Compares reading a Discord export with ijson (yajl2_c) and json.load; each case has its own process.

usage: python benchmarks/collecting.py [--messages 200000] [--repeats 3] [--layout two] [--file EXPORT.json] [--whole]

All cases read the same file, in turn. The run fails unless they all count the same messages and characters. "thin"
decodes the fields that pairing needs, "full" those of the public view, "pairs" is the whole collector. `ijson` and
`json.load` build every field. Times are measured inside the process, without imports; peak memory is that of the
whole process.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import generate_export

Result = tuple[int, int]


def _ijson(path: Path) -> Result:
    from ijson.backends import yajl2_c

    count = chars = 0
    with path.open("rb") as file:
        for message in yajl2_c.items(file, "messages.item", use_float=True, buf_size=1 << 20):
            count += 1
            chars += len(message["content"])
    return count, chars


def _json_load(path: Path) -> Result:
    with path.open(encoding="utf-8") as file:
        messages = json.load(file)["messages"]
    return len(messages), sum(len(m["content"]) for m in messages)


def _blocks(path: Path, *, full: bool) -> Result:
    from furytune._discord.shapes import ExportFile, FullMessage, ThinMessage

    count = chars = 0
    for block in ExportFile(path, str(path)).blocks(FullMessage if full else ThinMessage):
        assert isinstance(block, list)
        count += len(block)
        for message in block:
            chars += len(message.content)
    return count, chars


def _messages(path: Path) -> Result:
    from furytune.collectors.discord_export import DiscordExportCollector

    count = chars = 0
    for message in DiscordExportCollector(path).messages():
        count += 1
        chars += len(message.content)
    return count, chars


def _pairs(path: Path) -> Result:
    from furytune.collectors.discord_export import DiscordExportCollector
    from furytune.records import QAPair

    count = 0
    for item in DiscordExportCollector(path).collect():
        if isinstance(item, QAPair):
            count += len(item.question_messages) + len(item.answer_messages)
        elif item.unit == "message":
            count += item.count
    return count, -1


CASES: dict[str, Callable[[Path], Result]] = {
    "ijson": _ijson,
    "thin": lambda path: _blocks(path, full=False),
    "full": lambda path: _blocks(path, full=True),
    "messages": _messages,
    "pairs": _pairs,
    "json.load": _json_load,
}


def _run_one(case: str, path: Path) -> None:
    start = time.perf_counter()
    count, chars = CASES[case](path)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak": peak, "count": count, "chars": chars}))


def _compare(path: Path, cases: list[str], repeats: int) -> None:
    runs: dict[str, list[dict[str, float]]] = {case: [] for case in cases}
    for _ in range(repeats):
        for case in cases:
            out = subprocess.run(
                [sys.executable, __file__, "--case", case, "--file", str(path)],
                check=True,
                capture_output=True,
            )
            runs[case].append(json.loads(out.stdout))
    counts = {run["count"] for found in runs.values() for run in found}
    chars = {run["chars"] for found in runs.values() for run in found if run["chars"] >= 0}
    if len(counts) != 1 or len(chars) != 1:
        raise SystemExit(f"the cases disagree: messages {counts}, characters {chars}")
    base = statistics.median(run["seconds"] for run in runs["ijson"])
    print(f"{path.stat().st_size / 1e6:.0f} MB, {counts.pop():.0f} messages, median of {repeats}")
    for case in cases:
        seconds = statistics.median(run["seconds"] for run in runs[case])
        peak = max(run["peak"] for run in runs[case])
        print(f"{case:<10} {seconds:7.2f} s  {base / seconds:5.1f}x ijson  peak {peak:6.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--layout", choices=generate_export.LAYOUTS, default="two")
    parser.add_argument("--file", type=Path)
    parser.add_argument("--whole", action="store_true", help="also run json.load (needs gigabytes of memory)")
    parser.add_argument("--case", choices=CASES, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.case:
        _run_one(args.case, args.file)
        return
    cases = [case for case in CASES if args.whole or case != "json.load"]
    with tempfile.TemporaryDirectory() as folder:
        path = args.file or Path(folder) / "export.json"
        if args.file is None:
            generate_export.write(args.messages, path, layout=args.layout)
        _compare(path, cases, args.repeats)


if __name__ == "__main__":
    main()
