"""Scores the links of the packaged linker against what people linked.

Usage: FURYTUNE_DATA=folder python benchmarks/pairs/score_links.py [--reliability]

Links annotated by people count as in the paper on them: precision, recall and F over all links, where a start is a link
of a message to itself and every system line starts. Of hidden Discord replies, the share is given whose target is found.
In Gitter, a link is right if it stays inside the dialogue, and a start if it is the dialogue's first message.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from attrs import field, frozen
from sources import Row, Stream, data_folder, discord, forum, gitter, irc

from furytune.pairing.linking import Linker
from furytune.pairing.posts import Post


def post_of(row: Row) -> Post:
    """Returns a message as the linker sees it: without its reply and without its mentions, which would give it away."""
    return Post(
        id=row.id,
        speaker=row.author,
        text=row.text,
        sent_at=row.at,
        drop="system" if row.system else "",
        names=row.names,
        files=row.files,
    )


def gold_of(stream: Stream) -> dict[int, set[int]]:
    """Returns the right parents of each message that has a label, by place; a start is its own parent."""
    gold: dict[int, set[int]] = {}
    for child, parent in stream.links:
        gold.setdefault(child, set()).add(parent)
    if stream.kind in ("discord", "forum"):
        place = {row.id: i for i, row in enumerate(stream.rows)}
        for i, row in enumerate(stream.rows):
            target = place.get(row.reply_to, i)
            if target < i and not row.system:
                gold[i] = {target}
    elif stream.kind == "gitter":
        seen: dict[int, list[int]] = {}
        for i, row in enumerate(stream.rows):
            before = seen.setdefault(row.dialogue, [])
            gold[i] = set(before) or {i}
            before.append(i)
    return gold


@frozen
class Guess:
    """What the linker said of one labelled message."""

    child: int
    parent: int
    confidence: float
    right: frozenset[int]


@frozen
class Scored:
    """The guesses on one set of streams."""

    name: str
    guesses: list[Guess] = field(repr=False)

    @property
    def hits(self) -> int:
        return sum(g.parent in g.right for g in self.guesses)

    @property
    def accuracy(self) -> float:
        return self.hits / max(1, len(self.guesses))

    @property
    def links(self) -> tuple[float, float, float]:
        """Precision, recall and F of all links."""
        gold = sum(len(g.right) for g in self.guesses)
        return (
            self.accuracy,
            self.hits / max(1, gold),
            2 * self.hits / max(1, gold + len(self.guesses)),
        )

    @property
    def starts(self) -> float:
        """F of "starts a conversation"."""
        said = [g for g in self.guesses if g.parent == g.child]
        wanted = sum(g.child in g.right for g in self.guesses)
        return 2 * sum(g.child in g.right for g in said) / max(1, wanted + len(said))


def guesses(stream: Stream, linker: Linker) -> Iterator[Guess]:
    place = {row.id: i for i, row in enumerate(stream.rows)}
    gold = gold_of(stream)
    for i, (_, link) in enumerate(linker.links(post_of(row) for row in stream.rows)):
        if i in gold:
            parent = place[link.parent] if link.parent else i
            yield Guess(i, parent, link.confidence, frozenset(gold[i]))


def score(name: str, streams: list[Stream], linker: Linker) -> Scored:
    return Scored(name, [guess for stream in streams for guess in guesses(stream, linker)])


def sets(root: Path) -> Iterator[tuple[str, list[Stream]]]:
    yield "irc dev", list(irc(root, "dev"))
    yield "irc channel-two.test", list(irc(root, "channel-two.test"))
    yield "discord replies", list(discord(root))
    yield "forum replies", list(forum(root))
    yield "gitter", list(gitter(root))


def reliability(scored: list[Scored]) -> Iterator[str]:
    cells: Counter[int] = Counter()
    right: Counter[int] = Counter()
    sure: dict[int, float] = {}
    for one in scored:
        for g in one.guesses:
            if g.confidence:
                cell = min(9, int(g.confidence * 10))
                cells[cell] += 1
                right[cell] += g.parent in g.right
                sure[cell] = sure.get(cell, 0.0) + g.confidence
    for cell in sorted(cells):
        n = cells[cell]
        yield f"  {cell / 10:.1f}-{cell / 10 + 0.1:.1f}  {n:6}  said {sure[cell] / n:.3f}  right {right[cell] / n:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--reliability", action="store_true", help="how often links of a confidence are right"
    )
    parser.add_argument("--block", type=int, default=Linker().block)
    wanted = parser.parse_args()
    linker = Linker(block=wanted.block)
    done = []
    for name, streams in sets(data_folder()):
        begin = time.process_time()
        scored = score(name, streams, linker)
        rate = sum(len(s.rows) for s in streams) / (time.process_time() - begin)
        done.append(scored)
        line = f"{name:22} {len(scored.guesses):5} labelled  right {100 * scored.accuracy:5.1f} %  {rate:6.0f} messages/s"
        # Only in annotated logs does every message have its links.
        if streams[0].kind == "irc":
            p, r, f = scored.links
            line += f"  link P {100 * p:5.1f} R {100 * r:5.1f} F {100 * f:5.1f}"
        if streams[0].kind in ("irc", "gitter"):
            line += f"  starts F {100 * scored.starts:5.1f}"
        print(line)
    if wanted.reliability:
        for scored in done:
            print(scored.name)
            for line in reliability([scored]):
                print(line)


if __name__ == "__main__":
    main()
