"""Scores the pairs of annotated IRC logs: how many questions are found, and how many pairs stay inside one conversation.

usage: FURYTUNE_DATA=... python benchmarks/pairs/score_pairs.py

A question is found if a conversation that begins with a question mark, and in which someone else answers, has a pair that
stays inside it (coverage). A pair is pure if people put all its messages into one conversation (purity).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from attrs import frozen
from posts import posts
from sources import Stream, data_folder, irc

from furytune.pairing import ChatPairer, Conversation
from furytune.records import QAPair

THRESHOLDS = (0.0, 0.1, 0.2, 0.3, 0.4)


@frozen
class Found:
    """A pair: its confidence, the conversation of its first message, and whether all others are in it too."""

    confidence: float
    conversation: tuple[str, int]
    pure: bool


def conversations(stream: Stream) -> dict[int, int]:
    """Returns the first message of the conversation of each annotated message."""
    first: dict[int, int] = {}
    for child, parent in sorted(stream.links):
        one, two = first.get(child, child), first.get(parent, parent)
        low, high = min(one, two), max(one, two)
        first |= {place: low for place, start in first.items() if start == high}
        first[child] = first[parent] = low
    return first


def answered(stream: Stream, first: dict[int, int]) -> Iterator[int]:
    """Yields the conversations that begin with a question mark and have an answer by someone else."""
    members: dict[int, list[int]] = defaultdict(list)
    for place, start in sorted(first.items()):
        if not stream.rows[place].system:
            members[start].append(place)
    for start, places in members.items():
        asker = stream.rows[places[0]].author
        if "?" in stream.rows[places[0]].text and any(stream.rows[p].author != asker for p in places):
            yield start


def main() -> None:
    """Prints coverage, purity and their harmonic mean at several thresholds."""
    wanted: set[tuple[str, int]] = set()
    found: list[Found] = []
    for stream in irc(data_folder(), "dev"):
        first = conversations(stream)
        wanted |= {(stream.file, start) for start in answered(stream, first)}
        for item in ChatPairer(min_confidence=0).pair(posts(stream), Conversation(channel="irc")):
            if isinstance(item, QAPair):
                places = [int(uid) for uid in (*item.question_messages, *item.answer_messages)]
                if first.keys() >= set(places):
                    starts = {first[place] for place in places}
                    found.append(Found(item.confidence, (stream.file, first[places[0]]), len(starts) == 1))
    for least in THRESHOLDS:
        kept = [pair for pair in found if pair.confidence >= least]
        coverage = len(wanted & {pair.conversation for pair in kept if pair.pure}) / len(wanted)
        purity = sum(pair.pure for pair in kept) / max(1, len(kept))
        mean = 2 * coverage * purity / (coverage + purity)
        print(f"{least:.1f}: {len(kept)} pairs, coverage {coverage:.1%}, purity {purity:.1%}, F {mean:.1%}")


if __name__ == "__main__":
    main()
