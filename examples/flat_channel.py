"""Finds question-answer pairs in a channel without replies and threads, and keeps only those that are clear.

You need no key and no account. The channel is made up: three people ask at the same time, one asks in Spanish, one finds
the answer herself, and two talk about the next release.

    python examples/flat_channel.py
    python examples/flat_channel.py my-exports/ --channel help --least 0.7
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

import furytune as ft

HERE = Path(__file__).parent


def show(pair: ft.QAPair) -> None:
    """Prints a pair, how sure furytune is of it, and why."""
    print(f"\n{pair.confidence:.2f}  {', '.join(pair.evidence)}")
    for mark, text in (("Q", pair.question), ("A", pair.answer)):
        print(f"   {mark}  " + text.replace("\n", "\n      "))


def main() -> None:
    """Prints all pairs, what is in no pair, and the pairs that are left above a threshold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("exports", type=Path, nargs="?", default=HERE / "exports", help="folder of exports")
    parser.add_argument("--channel", default="chat", help="name or id of the channel")
    parser.add_argument("--least", type=float, default=0.5, help="lowest confidence to keep")
    options = parser.parse_args()
    collector = ft.DiscordExportCollector(options.exports, channels=[options.channel])

    print("1. Every pair, with its confidence and the evidence for it")
    left_out: Counter[str] = Counter()
    for item in collector.collect():
        if isinstance(item, ft.QAPair):
            show(item)
        elif item.unit == "message":
            left_out[item.reason] += item.count

    print("\n2. Messages in no pair")
    for reason, count in left_out.most_common():
        print(f"   {count:3}  {reason}")

    print(f"\n3. With MinConfidence({options.least})")
    pipeline = ft.Pipeline(collector=collector, curators=[ft.MinConfidence(options.least)])
    for pair in pipeline.pairs():
        print(f"   {pair.confidence:.2f}  {pair.question.splitlines()[0]}")


if __name__ == "__main__":
    try:
        main()
    except ft.FurytuneError as error:
        sys.exit(f"{type(error).__name__}: {error}")
