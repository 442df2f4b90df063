"""Measures what each stage of finding pairs takes, on real conversations.

usage: python benchmarks/pairs/time_pairing.py [--repeats 5] [--against OTHER/CHECKOUT/src] [--logs 6]

Each kind of data has its own lines: IRC, Gitter, Discord channels, forum threads. A stage is a method on its own, over the
same posts: "signals" reads each message once, "links" is `Linker`, and "whole" is `ChatPairer`, which contains both. The
shares say how much of "whole" a stage is. With ``--against``, another version runs in turn with this one, each time in
a new process, and the ratio of "whole" is that of each such pair: the speed of a shared machine drifts.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from posts import posts
from sources import Stream, data_folder, discord, forum, gitter, irc

from furytune.pairing import ChatPairer, Conversation, Linker, Post
from furytune.pairing.signals import signals

Talks = list[list[Post]]
_TIMES = 3


def _kinds(root: Path, logs: int) -> Iterator[tuple[str, list[Stream]]]:
    yield "irc", list(islice(irc(root, "dev"), logs))
    yield "gitter", list(gitter(root))
    yield "discord", list(discord(root))
    yield "forum", list(forum(root))


def _signals(talks: Talks, kind: str) -> None:  # noqa: ARG001  # one signature for all stages
    for talk in talks:
        for post in talk:
            signals(post.text)


def _links(talks: Talks, kind: str) -> None:  # noqa: ARG001
    for talk in talks:
        for _ in Linker().links(talk):
            pass


def _whole(talks: Talks, kind: str) -> None:
    thread = "3" if kind == "forum" else ""
    place = Conversation(guild="1", channel="2", thread=thread, is_thread=bool(thread))
    for talk in talks:
        for _ in ChatPairer().pair(talk, place):
            pass


STAGES: dict[str, Callable[[Talks, str], None]] = {"signals": _signals, "links": _links, "whole": _whole}


def _took(stage: Callable[[Talks, str], None], talks: Talks, kind: str) -> float:
    begin = time.process_time()
    stage(talks, kind)
    return time.process_time() - begin


def _seconds(logs: int) -> dict[str, dict[str, float]]:
    """Returns for each kind of data how many messages it has, and the least processor seconds of each stage."""
    found: dict[str, dict[str, float]] = {}
    for kind, streams in _kinds(data_folder(), logs):
        talks = [list(posts(stream)) for stream in streams]
        _whole(talks[:1], kind)  # reads phrases and weights
        found[kind] = {"messages": sum(map(len, talks))}
        for name, stage in STAGES.items():
            # Whatever else runs on the machine only adds time, so the least is nearest to the truth.
            found[kind][name] = min(_took(stage, talks, kind) for _ in range(_TIMES))
    return found


def _run(source: str | None, logs: int) -> dict[str, dict[str, float]]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    if source is not None:
        environment["PYTHONPATH"] = source
    command = [sys.executable, __file__, "--once", "--logs", str(logs)]
    out = subprocess.run(command, check=True, capture_output=True, env=environment)
    result: dict[str, dict[str, float]] = json.loads(out.stdout)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--against", help="the src folder of another version")
    parser.add_argument("--logs", type=int, default=6, help="how many IRC logs")
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.once:
        print(json.dumps(_seconds(args.logs)))
        return
    before: list[dict[str, dict[str, float]]] = []
    now: list[dict[str, dict[str, float]]] = []
    for _ in range(args.repeats):
        if args.against:
            before.append(_run(args.against, args.logs))
        now.append(_run(None, args.logs))
    print(f"median of {args.repeats}\n{'':<10}{'messages':>10}{'whole, messages/s':>20}", end="")
    print(f"{'signals':>10}{'links':>10}{'faster than the other':>24}")
    for kind, first in now[0].items():
        speed = statistics.median(first["messages"] / run[kind]["whole"] for run in now)
        shares = [statistics.median(run[kind][stage] / run[kind]["whole"] for run in now) for stage in STAGES]
        ratios = [a[kind]["whole"] / b[kind]["whole"] for a, b in zip(before, now, strict=False)]
        faster = (
            f"{statistics.median(ratios):.2f}x ({min(ratios):.2f} to {max(ratios):.2f})" if ratios else ""
        )
        print(
            f"{kind:<10}{first['messages']:>10.0f}{speed:>20,.0f}{shares[0]:>10.0%}{shares[1]:>10.0%}{faster:>24}"
        )


if __name__ == "__main__":
    main()
