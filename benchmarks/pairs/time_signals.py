"""Measures how long reading the signals of a message takes.

usage: python benchmarks/pairs/time_signals.py
"""

from __future__ import annotations

import time

from sources import data_folder, discord

from furytune.pairing.signals import signals

REPEATS = 7


def main() -> None:
    texts = [row.text for stream in discord(data_folder()) for row in stream.rows if row.text][:20_000]
    signals(texts[0])  # reads the phrases
    least = float("inf")
    for _ in range(REPEATS):
        begin = time.process_time()
        for text in texts:
            signals(text)
        least = min(least, time.process_time() - begin)
    characters = sum(map(len, texts)) / len(texts)
    print(
        f"{len(texts)} messages of {characters:.0f} characters: {least / len(texts) * 1e6:.1f} \u00b5s each"
    )


if __name__ == "__main__":
    main()
