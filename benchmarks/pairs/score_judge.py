"""Scores `JudgePairs` with a model of yours on the labelled pairs, against the confidence alone.

usage: FURYTUNE_DATA=... python benchmarks/pairs/score_judge.py PAIRS.jsonl --url URL --model NAME [--grades FOLDER]

``train_worth.py --pairs PAIRS.jsonl`` writes the pairs, which were found on channels that the models did not see. A run that
is killed goes on where it stopped. A key, if the server wants one, is read from ``MODEL_KEY``.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import score_gold as gold
from posts import posts
from sources import data_folder, windows_of

import furytune as ft
from furytune.pairing import Conversation, Post
from furytune.records import QAPair

LEAST = 0.2
PROJECTS: Mapping[str, str] = {
    "discord": "PyScript, a way to run Python in the browser",
    "forum": "MeshCore, firmware for mesh networks over LoRa radio",
    "irc": "Ubuntu, an operating system",
}
"""What readers of a channel know; a Gitter room has the name of its project."""
Line = Mapping[str, Any]


def texts(lines: Sequence[Line]) -> list[tuple[str, QAPair]]:
    """Returns the project of each pair, and the pair."""
    windows = {window["window"]: window for window in gold.windows()}
    streams = windows_of(data_folder())
    known: dict[str, dict[str, Post]] = {}
    pairs = []
    for number, line in enumerate(lines):
        stream = streams[windows[line["window"]]["file"]]
        found = known.setdefault(stream.file, {post.id: post for post in posts(stream)})
        question, answer = ([found[uid] for uid in line[name]] for name in ("question", "answer"))
        pair = Conversation(channel=stream.channel).pair(
            [question],
            answer,
            uid=str(number),
            group=line["window"],
            method="link",
            confidence=line["confidence"],
            evidence=(),
        )
        pairs.append((PROJECTS.get(stream.kind, stream.channel), pair))
    return pairs


def grades(pairs: Sequence[tuple[str, QAPair]], model: ft.ChatService, name: str, folder: str) -> list[str]:
    """Returns "good", "usable", "poor" or "" for each pair."""
    given: dict[str, str] = {}
    for project in sorted({project for project, _ in pairs}):
        judge = ft.JudgePairs(
            model.model(name, temperature=0.0), keep="good", project=project, cache=folder, on_ungraded="drop"
        )
        these = [pair for of, pair in pairs if of == project]
        for pair, result in zip(these, judge.start().curate(these), strict=True):
            reason = "good" if isinstance(result, QAPair) else result.reason
            given[pair.id] = {"good": "good", "judged_usable": "usable", "judged_poor": "poor"}.get(
                reason, ""
            )
    return [given[pair.id] for _, pair in pairs]


def show(lines: Sequence[Line], given: Sequence[str], total: int) -> None:
    """Prints precision and recall at several thresholds, as the rows of a table in Markdown."""
    kinds: dict[str, Callable[[str], bool]] = {
        "confidence alone": lambda _: True,
        "judged good or usable": lambda grade: grade in gold.WORTH,
        "judged good": lambda grade: grade == "good",
    }
    print("| threshold | " + " | ".join(f"{kind}: pairs, precision, recall" for kind in kinds) + " |")
    for least in (LEAST, 0.3, 0.4, 0.5, 0.6):
        cells = []
        for fits in kinds.values():
            kept = [
                line
                for line, grade in zip(lines, given, strict=True)
                if line["confidence"] >= least and fits(grade)
            ]
            seen = {(line["window"], line["found"]) for line in kept if line["found"] >= 0}
            precision = sum(line["worth_it"] for line in kept) / max(1, len(kept))
            cells.append(f"{len(kept)}, {precision:.0%}, {len(seen) / total:.0%}")
        print(f"| {least} | " + " | ".join(cells) + " |")


def main() -> None:
    """Asks the model about each pair of at least the lowest threshold, and prints what its grades are worth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", type=Path)
    parser.add_argument(
        "--url", required=True, help="of an OpenAI-compatible server, such as http://127.0.0.1:8080/v1"
    )
    parser.add_argument("--model", required=True)
    parser.add_argument("--grades", default="judge-grades", help="folder that keeps the grades")
    options = parser.parse_args()
    lines = [json.loads(line) for line in options.pairs.read_text("utf-8").splitlines()]
    lines = [line for line in lines if line["confidence"] >= LEAST]
    key = ft.Secret.env("MODEL_KEY") if "MODEL_KEY" in os.environ else None
    given = grades(texts(lines), ft.ChatService(options.url, api_key=key), options.model, options.grades)
    read = {window["window"] for window in gold.windows() if window.get("proposals_read")}
    labels = [label for name, found in gold.labels().items() if name in read for label in found]
    print(f"{len(lines)} pairs, {given.count('')} without a grade")
    show(lines, given, sum(label.grade in gold.WORTH for label in labels))


if __name__ == "__main__":
    main()
