"""Compares the methods of finding pairs with merely reading an export; each case has its own process.

usage: python benchmarks/pairing.py [--messages 100000] [--repeats 3] [--file EXPORT.json]

All cases read the same file, in turn. "read" decodes the fields that pairing needs, "posts" makes the collector's posts
from them, "replies" pairs by native replies, "links" finds who answers whom, and "chat" is the whole `ChatPairer`. The
speed of a method is that of its process without what "posts" needs. Times are processor times without imports, on one
thread; the peak of memory is that of the whole process. The last lines compare it with half of the messages.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import generate_export
import generate_talk

Result = tuple[int, int]


class _Counter:
    """A pairer that finds nothing; how much it does for a channel is up to a function."""

    def __init__(self, act: Callable[[Iterable], Iterable]) -> None:
        self._act = act

    def fits(self, place: object) -> bool:  # noqa: ARG002  # the protocol's signature
        return True

    def pair(self, posts: Iterable, place: object) -> Iterator:  # noqa: ARG002
        from furytune.records import Dropped

        yield Dropped(reason="no_reply", unit="message", count=sum(1 for _ in self._act(posts)))


def _read(path: Path) -> Result:
    from furytune._discord.shapes import ExportFile, ThinMessage

    return sum(len(block) for block in ExportFile(path, str(path)).blocks(ThinMessage)), 0


def _paired(path: Path, pairer: object) -> Result:
    from furytune.collectors.discord_export import DiscordExportCollector
    from furytune.records import QAPair

    count = pairs = 0
    for item in DiscordExportCollector(path, pairers=[pairer]).collect():
        if isinstance(item, QAPair):
            count += len(item.question_messages) + len(item.answer_messages)
            pairs += 1
        elif item.unit == "message":
            count += item.count
    return count, pairs


def _posts(path: Path) -> Result:
    return _paired(path, _Counter(lambda posts: posts))


def _links(path: Path) -> Result:
    from furytune.pairing import Linker

    return _paired(path, _Counter(Linker().links))


def _replies(path: Path) -> Result:
    from furytune.pairing import ReplyPairer

    return _paired(path, ReplyPairer())


def _chat(path: Path) -> Result:
    from furytune.pairing import ChatPairer

    return _paired(path, ChatPairer())


CASES: dict[str, Callable[[Path], Result]] = {
    "read": _read,
    "posts": _posts,
    "replies": _replies,
    "links": _links,
    "chat": _chat,
}


def _run_one(case: str, path: Path, warm: Path) -> None:
    # Imports and the reading of phrases and weights do not count.
    CASES[case](warm)
    start = time.process_time()
    count, pairs = CASES[case](path)
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak": peak, "count": count, "pairs": pairs}))


def _once(case: str, path: Path, warm: Path) -> dict[str, float]:
    one_thread = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    out = subprocess.run(
        [sys.executable, __file__, "--case", case, "--file", str(path), "--warm", str(warm)],
        check=True,
        capture_output=True,
        env=one_thread,
    )
    found: dict[str, float] = json.loads(out.stdout)
    return found


def _compare(path: Path, half: Path | None, warm: Path, repeats: int) -> None:
    runs: dict[str, list[dict[str, float]]] = {case: [] for case in CASES}
    for _ in range(repeats):
        for case in CASES:
            runs[case].append(_once(case, path, warm))
    counts = {run["count"] for found in runs.values() for run in found}
    if len(counts) != 1:
        raise SystemExit(f"the cases disagree about the messages: {counts}")
    count = counts.pop()
    seconds = {case: statistics.median(run["seconds"] for run in found) for case, found in runs.items()}
    print(f"{path.stat().st_size / 1e6:.0f} MB, {count:.0f} messages, median of {repeats}")
    print(f"{'':<10}{'s':>8}{'to read':>10}{'pairing, messages/s':>22}{'pairs':>9}{'peak MB':>9}")
    for case, took in seconds.items():
        alone = took - seconds["posts"]
        speed = f"{count / alone:,.0f}" if case not in ("read", "posts") and alone > 0 else ""
        peak = max(run["peak"] for run in runs[case])
        ratio = took / seconds["read"]
        print(f"{case:<10}{took:>8.2f}{ratio:>9.1f}x{speed:>22}{runs[case][0]['pairs']:>9.0f}{peak:>9.0f}")
    if half is not None:
        for case in ("posts", "chat"):
            before, now = _once(case, half, warm), runs[case][0]
            print(
                f"{case}: {before['peak']:.0f} MB for {before['count']:.0f} messages, "
                f"{now['peak']:.0f} MB for {count:.0f}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--warm", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--case", choices=CASES, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.case:
        _run_one(args.case, args.file, args.warm)
        return
    with tempfile.TemporaryDirectory() as folder:
        counts = {"whole": args.messages, "half": args.messages // 2, "warm": 500}
        made = {name: Path(folder) / f"{name}.json" for name in counts}
        for name, count in counts.items():
            if args.file is None or name == "warm":
                generate_export.write(count, made[name], source=generate_talk.messages)
        if args.file is not None:
            _compare(args.file, None, made["warm"], args.repeats)
        else:
            _compare(made["whole"], made["half"], made["warm"], args.repeats)


if __name__ == "__main__":
    main()
