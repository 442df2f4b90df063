"""Rules of collectors, and of the pairers inside the chat collectors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from furytune._values.canonical import canonical_json
from furytune.pairing.posts import Conversation, Pairer, Post
from furytune.protocols import Collector, Provenance
from furytune.records import Dropped, QAPair
from furytune.testing.conformance.rules import fits, is_json, rule

__all__ = ["check_collector", "check_pairer"]


def check_collector(
    make: Callable[[], Collector], *, read: Mapping[str, int] | None = None
) -> list[QAPair | Dropped]:
    """Holds a collector to its protocol.

    Args:
        make: Builds the collector, over the same input each time.
        read: How much the input holds: ``{"message": 12}`` for a chat, ``{"record": 3}`` for a file of pairs. Without
            it the first rule cannot be checked.

    Returns:
        What it collected.

    Raises:
        AssertionError: A rule is broken.
    """
    collector = make()
    fits(collector, Collector)
    items = list(collector.collect())
    wrong = next((i for i in items if not isinstance(i, QAPair | Dropped)), None)
    if wrong is not None:
        raise AssertionError(f"collect() gave a {type(wrong).__name__}; it gives QAPair and Dropped")
    rule(
        items == list(collector.collect()) == list(make().collect()),
        Collector,
        "Each call of `collect` starts from the beginning and gives the same stream for the same input.",
    )
    pairs = [i for i in items if isinstance(i, QAPair)]
    twice = [uid for uid, n in Counter(p.id for p in pairs).items() if n > 1]
    rule(
        not twice and all(p.id and p.group for p in pairs),
        Collector,
        "No two pairs have the same id, and no id and no group is empty.",
        seen=f"{len(twice)} ids of more than one pair" if twice else "an empty id or group",
    )
    rule(
        all(p.question.strip() and p.answer.strip() for p in pairs),
        Collector,
        "No question and no answer is blank.",
    )
    told = " ".join(i.detail for i in items if isinstance(i, Dropped))
    rule(
        # Short texts occur in details by chance.
        not any(len(text) >= 8 and text in told for p in pairs for text in (p.question, p.answer)),
        Collector,
        "The detail of a drop does not quote a message.",
    )
    for unit, count in (read or {}).items():
        used = (
            len({m for p in pairs for m in (*p.question_messages, *p.answer_messages)})
            if unit == "message"
            else len(pairs)
        )
        dropped = sum(i.count for i in items if isinstance(i, Dropped) and i.unit == unit)
        rule(
            used + dropped == count,
            Collector,
            "Everything that was read comes out: in a pair, or in a `Dropped` with its count.",
            seen=f"{count} of unit {unit} read, {used} in pairs and {dropped} dropped",
        )
    if isinstance(collector, Provenance):
        other = make()
        list(other.collect())
        rule(
            is_json(collector.provenance)
            and isinstance(other, Provenance)
            and canonical_json(collector.provenance) == canonical_json(other.provenance),
            Provenance,
            "Equal input gives equal provenance, which is a mapping of JSON values.",
        )
    return items


def check_pairer(pairer: Pairer, posts: Sequence[Post], place: Conversation) -> list[QAPair | Dropped]:
    """Holds a pairer to its protocol.

    Args:
        pairer: What is checked.
        posts: In the order of time, each id once.
        place: Where they were said; one that the pairer fits.

    Returns:
        What it made of them.

    Raises:
        AssertionError: A rule is broken.
    """
    fits(pairer, Pairer)
    items = list(pairer.pair(iter(posts), place))
    used = {m for i in items if isinstance(i, QAPair) for m in (*i.question_messages, *i.answer_messages)}
    dropped = sum(i.count for i in items if isinstance(i, Dropped) and i.unit == "message")
    rule(
        len(used) + dropped == len(posts),
        Pairer,
        "Every post is in a pair, or counted in a `Dropped`.",
        seen=f"{len(posts)} posts, {len(used)} in pairs and {dropped} dropped",
    )
    rule(
        items == list(pairer.pair(iter(posts), place)),
        Pairer,
        "Pairing the same posts again gives the same pairs.",
    )
    return items
