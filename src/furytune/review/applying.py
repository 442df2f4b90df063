"""Applies decisions to the pairs of one pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from attrs import evolve

from furytune._privacy.printable import is_name, printable
from furytune.records import Dropped, QAPair
from furytune.review.decision import Decision, printable_id
from furytune.review.journal import State

__all__ = ["DecidingPass", "last_decisions", "standing"]

_SURE: Final = 1.0


def last_decisions(state: State) -> dict[str, Decision]:
    """Returns the last decision about each pair, without those that were taken back."""
    return {uid: found[-1] for uid, found in state.decisions.items() if found[-1].action != "undo"}


def standing(decisions: Sequence[Decision], pair: QAPair) -> tuple[Decision | None, str]:
    """Returns the decision about a pair that holds.

    Args:
        decisions: The last decision of each file.
        pair: The pair.

    Returns:
        The decision, or None; and the reason why one or more decisions do not hold, or "".
    """
    bound = [decision for decision in decisions if decision.digest == pair.digest]
    reason = "source_changed" if len(bound) < len(decisions) else ""
    decision = bound[0] if bound else None
    if len({decision.outcome for decision in bound}) > 1:
        decision, reason = None, "conflicting"
    return decision, reason


class DecidingPass:
    """One pass of `Decisions` over the pairs.

    Args:
        files: What each file says.
    """

    def __init__(self, files: Mapping[Path, State]) -> None:
        self._files = files
        self._about: dict[str, list[Decision]] = {}
        for state in files.values():
            for uid, decision in last_decisions(state).items():
                self._about.setdefault(uid, []).append(decision)
        self._circles = frozenset(_circles(self._about))
        self._seen: set[str] = set()
        self._targets: set[str] = {d.into for found in self._about.values() for d in found if d.into}
        self._merged: dict[str, str] = {}
        self._not_applied: dict[str, list[str]] = {}

    @property
    def decided(self) -> int:
        """For how many pairs there is a decision."""
        return len(self._about)

    def __call__(self, pair: QAPair) -> QAPair | Dropped:
        """Returns the pair as a person decided; unchanged if no decision about it holds."""
        uid = printable_id(pair.id)
        found = self._about.get(uid)
        if found is None:
            if uid in self._targets:
                self._seen.add(uid)
            return pair
        self._seen.add(uid)
        decision, reason = standing(found, pair)
        if decision is not None and uid in self._circles:
            decision, reason = None, "merge_circle"
        if reason:
            self._not_applied.setdefault(reason, []).append(uid)
        return pair if decision is None else self._applied(decision, pair)

    def _applied(self, decision: Decision, pair: QAPair) -> QAPair | Dropped:
        if decision.action == "drop":
            # A reason may quote the pair; a word or two cannot.
            detail = decision.reason if is_name(decision.reason) else ""
            return Dropped(reason="rejected", ids=(pair.id,), where=pair.source.path, detail=detail)
        if decision.action == "merge":
            self._merged[decision.pair] = decision.into
            return Dropped(
                reason="merged", ids=(pair.id,), where=pair.source.path, detail=f"into {decision.into}"
            )
        question, answer = decision.question or pair.question, decision.answer or pair.answer
        edited = (question, answer) != (pair.question, pair.answer)
        return evolve(
            pair,
            question=question,
            answer=answer,
            confidence=_SURE,
            evidence=pair.evidence if pair.reviewed else (*pair.evidence, "reviewed"),
            unedited=pair.digest if edited else pair.unedited,
        )

    @property
    def unread(self) -> Sequence[Dropped]:
        """The decisions that were not applied, by reason, with the ids of their pairs."""
        return tuple(self._drops())

    def _drops(self) -> Iterator[Dropped]:
        for path, state in self._files.items():
            if state.missing:
                yield Dropped(reason="no_decisions", unit="file", where=printable(path))
            if state.torn:
                yield Dropped(reason="torn", unit="decision", where=printable(path))
        for reason, ids in sorted(self._not_applied.items()):
            yield Dropped(reason=reason, unit="decision", count=len(ids), ids=tuple(ids))
        if gone := sorted(self._about.keys() - self._seen):
            yield Dropped(reason="no_such_pair", unit="decision", count=len(gone), ids=tuple(gone))
        if lost := sorted(uid for uid, into in self._merged.items() if into not in self._seen):
            yield Dropped(reason="no_merge_target", unit="decision", count=len(lost), ids=tuple(lost))


def _circles(about: Mapping[str, list[Decision]]) -> Iterator[str]:
    """Yields the pairs whose merges lead back to themselves."""
    into = {uid: found[0].into for uid, found in about.items() if len({d.into for d in found}) == 1}
    reached: dict[str, str] = {}
    for start in into:
        way, at = [], start
        while into.get(at) and at not in reached:
            reached[at] = start
            way.append(at)
            at = into[at]
        # A way that comes back to itself is a circle from there on; the pairs before only lead into it.
        if at in reached and reached[at] == start:
            yield from way[way.index(at) :]
