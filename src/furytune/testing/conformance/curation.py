"""Rules of curation steps and splitters."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from furytune.protocols import BulkCurator, Curator, Reviewing, SetCurator, Splitter, StatefulCurator
from furytune.records import Dropped, QAPair
from furytune.testing.conformance.rules import fits, rule

__all__ = ["check_curator", "check_splitter"]


def check_curator(
    step: Curator | StatefulCurator | SetCurator, pairs: Sequence[QAPair]
) -> list[QAPair | Dropped]:
    """Holds a curation step to its protocol.

    Args:
        step: What is checked.
        pairs: What it is given, in order, with unique ids; some of it should be edited or dropped.

    Returns:
        What it made of each pair.

    Raises:
        AssertionError: A rule is broken.
    """
    results = _pass(step, pairs)
    reviewing = isinstance(step.start() if isinstance(step, StatefulCurator) else step, Reviewing)
    for pair, result in zip(pairs, results, strict=True):
        if reviewing:
            rule(
                isinstance(result, Dropped) or _apart_from_review(result, pair) == pair,
                Reviewing,
                "A pair changes in nothing but question, answer, confidence and evidence.",
                seen=f"a {type(result).__name__}, or a change of something else",
            )
        else:
            kept = isinstance(result, QAPair) and _unchanged(step, pair, result)
            rule(
                kept or isinstance(result, Dropped),
                Curator,
                "A step keeps a pair, returns it with another answer, or drops it with a reason.",
                seen=f"a {type(result).__name__}, or a change of more than the answer",
            )
        if isinstance(result, Dropped):
            rule(
                (result.unit, result.count) == ("pair", 1),
                Curator,
                'A drop counts that one pair: its unit is "pair" and its count is 1.',
                seen=f"unit {result.unit!r}, count {result.count}",
            )
    if isinstance(step, StatefulCurator):
        rule(
            results == _pass(step, pairs),
            StatefulCurator,
            "Two passes over the same pairs give the same results.",
        )
    if isinstance(step, SetCurator):
        rule(
            results == _pass(step, pairs),
            SetCurator,
            "Two passes over the same pairs give the same results.",
        )
    act = _started(step, pairs)
    if isinstance(act, BulkCurator):
        rule(
            results == list(act.curate(list(pairs))),
            BulkCurator,
            "Many pairs at once give the same results as one by one.",
        )
    return results


def _apart_from_review(result: object, pair: QAPair) -> QAPair | None:
    """Returns a result with everything taken back that a person's decision may change."""
    if not isinstance(result, QAPair):
        return None
    return attrs.evolve(
        result,
        question=pair.question,
        answer=pair.answer,
        confidence=pair.confidence,
        evidence=pair.evidence,
        edits=pair.edits,
    )


def _unchanged(step: object, pair: QAPair, result: QAPair) -> bool:
    """Tells whether a step changed only what it may: the answer, and the group if it has read all pairs."""
    group = pair.group if isinstance(step, SetCurator) and result.group else result.group
    return attrs.evolve(result, answer=pair.answer, edits=pair.edits, group=group) == pair


def _started(step: Curator | StatefulCurator | SetCurator, pairs: Sequence[QAPair]) -> Curator:
    """Returns the step of a pass over the pairs.

    Raises:
        AssertionError: The step did not read all pairs that it must read first.
    """
    if isinstance(step, SetCurator):
        reading = iter(pairs)
        act = step.fit(reading)
        rule(next(reading, None) is None, SetCurator, "Fitting reads all pairs.")
        return act
    return step.start() if isinstance(step, StatefulCurator) else step


def _pass(step: Curator | StatefulCurator | SetCurator, pairs: Sequence[QAPair]) -> list[QAPair | Dropped]:
    """Sends the pairs through a step once."""
    act = _started(step, pairs)
    fits(act, Curator)
    return [act(pair) for pair in pairs]


def check_splitter(splitter: Splitter, groups: Sequence[str]) -> None:
    """Holds a splitter to its protocol.

    Args:
        splitter: What is checked.
        groups: Names of groups.

    Raises:
        AssertionError: A rule is broken.
    """
    first = {group: splitter(group) for group in groups}
    again = {group: splitter(group) for group in reversed(groups)}
    rule(
        first == again and set(first.values()) <= {"train", "validation"},
        Splitter,
        'A group is always on the same side, "train" or "validation", no matter which other groups there are.',
    )
