"""How long a log of feedback takes to read, count and collect, and how much memory.

python benchmarks/feedback.py [--answers 50000]

Each step runs in a process of its own, so that its peak memory is its own. The log has an exchange with its texts and a verdict
for each answer.
"""

from __future__ import annotations

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from furytune._values.copies import sketch
from furytune.feedback import BotWords, Exchange, FeedbackCollector, FeedbackLog, Said, count
from furytune.feedback.lines import encode, packed

STEPS = {
    "read": lambda log: sum(1 for _ in log.lines()),
    "count": lambda log: count(log).answers,
    "collect": lambda log: sum(1 for _ in FeedbackCollector(log).collect()),
    "BotWords.start": lambda log: BotWords(log).start() is not None,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--answers", type=int, default=50_000)
    parser.add_argument("--step", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step:
        begun = time.perf_counter()
        STEPS[given.step[0]](FeedbackLog(given.step[1]))
        seconds, peak = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        print(f"{given.step[0]:<15} {seconds:6.2f} s  {peak:5} MiB")
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "feedback.jsonl")
        write(path, given.answers)
        print(f"{2 * given.answers:,} lines, {path.stat().st_size >> 20} MiB", flush=True)
        for step in STEPS:
            subprocess.run([sys.executable, __file__, "--step", step, str(path)], check=True)


def write(path: Path, answers: int) -> None:
    """Writes a log like that of a busy bot."""
    chance, begin = random.Random(1), datetime(2026, 1, 1, tzinfo=UTC)
    words = [f"word{n}" for n in range(3000)]
    with path.open("wb") as file:
        for n in range(answers):
            at, asker = begin + timedelta(minutes=10 * n), str(3 * 10**17 + n % 500)
            told = " ".join(chance.choices(words, k=60))
            exchange = Exchange(
                time=at,
                answer=str(10**17 + n),
                question=str(2 * 10**17 + n),
                asker=asker,
                prompt="a" * 64,
                fingerprint="f" * 64,
                snapshot=f"sha256:{'b' * 64}",
                model="tuned",
                citations=tuple(f"title {chance.randrange(300)} (docs/page{n % 50}.md)" for _ in range(4)),
                words=packed(sketch(told)),
                asked=f"How do I do {n}? {told[:200]}",
                told=told,
            )
            verdict = chance.choice(("helped", "did_not_help"))
            said = Said(time=at, answer=exchange.answer, verdict=verdict, by=asker)
            file.write(encode(exchange) + b"\n" + encode(said) + b"\n")


if __name__ == "__main__":
    main()
