"""How well two reviewers agree, and how well the confidence of pairs agrees with what reviewers decide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from attrs import frozen

from furytune._values.shown import Shown
from furytune.review.decision import Decision

__all__ = ["Agreement", "Calibration", "CalibrationRow", "agreement_of", "calibration_of"]


@frozen(kw_only=True, repr=False)
class Agreement(Shown):
    """How well two files of decisions agree; print it.

    Attributes:
        both: Number of pairs that both reviewers decided about, in the same form.
        agreed: For how many of them the verdict is the same: accept, correct, drop or merge.
        kappa: Cohen's kappa (1960) of the verdicts: 1 if they always agree, 0 if no more often than by chance. None if
            there is nothing to compare, or if both always gave one and the same verdict.
        verdicts: How often each two verdicts met, the first file's first.
        conflicts: Ids of the pairs with different outcomes: another verdict, or other corrected texts.
        other_source: Number of pairs that the two saw in different forms, because the source changed in between.
    """

    both: int
    agreed: int
    kappa: float | None
    verdicts: Mapping[tuple[str, str], int]
    conflicts: tuple[str, ...] = ()
    other_source: int = 0

    @property
    def share(self) -> float | None:
        """The share of pairs with the same verdict; None without any."""
        return self.agreed / self.both if self.both else None

    def _facts(self) -> Iterator[tuple[str, str]]:
        yield from (("both", str(self.both)), ("agreed", str(self.agreed)))
        yield "conflicts", str(len(self.conflicts))

    def __str__(self) -> str:
        lines = [f"decided by both   {self.both:>6}", f"same verdict      {self.agreed:>6}"]
        if self.share is not None:
            lines[-1] += f"  {self.share:.0%}"
        lines.append(f"Cohen's kappa     {'unknown' if self.kappa is None else f'{self.kappa:>6.2f}'}")
        lines += [
            f"  {n:>6}  {one} / {other}"
            for (one, other), n in sorted(self.verdicts.items(), key=lambda item: (-item[1], item[0]))
        ]
        lines.append(f"conflicts         {len(self.conflicts):>6}")
        lines += [f"          {uid}" for uid in self.conflicts]
        if self.other_source:
            lines.append(f"not compared      {self.other_source:>6}  the source changed in between")
        return "\n".join(lines)


def agreement_of(first: Mapping[str, Decision], second: Mapping[str, Decision]) -> Agreement:
    """Compares the last decisions of two reviewers, by id of the pair."""
    shared = [uid for uid in first if uid in second]
    same = [uid for uid in shared if first[uid].digest == second[uid].digest]
    verdicts = Counter((first[uid].verdict, second[uid].verdict) for uid in same)
    agreed = sum(n for (one, other), n in verdicts.items() if one == other)
    return Agreement(
        both=len(same),
        agreed=agreed,
        kappa=_kappa(verdicts),
        verdicts=dict(verdicts),
        conflicts=tuple(sorted(uid for uid in same if first[uid].outcome != second[uid].outcome)),
        other_source=len(shared) - len(same),
    )


def _kappa(verdicts: Mapping[tuple[str, str], int]) -> float | None:
    total = sum(verdicts.values())
    if not total:
        return None
    ones, others = Counter[str](), Counter[str]()
    for (one, other), n in verdicts.items():
        ones[one] += n
        others[other] += n
    observed = sum(n for (one, other), n in verdicts.items() if one == other) / total
    expected = sum(ones[verdict] * others[verdict] for verdict in ones) / total**2
    # If both always say the same one word, chance alone would agree as well, and kappa is 0 / 0.
    return None if expected == 1 else (observed - expected) / (1 - expected)


@frozen(kw_only=True)
class CalibrationRow:
    """The decisions about pairs whose confidence is in one range.

    Attributes:
        low: Lowest confidence of the range.
        high: The confidence at which the next range begins; the last range includes 1.
        mean: Mean confidence of the pairs.
        accepted: How many were accepted as they are.
        corrected: How many were accepted with a corrected text.
        dropped: How many were dropped.
    """

    low: float
    high: float
    mean: float
    accepted: int
    corrected: int
    dropped: int

    @property
    def decided(self) -> int:
        """Number of decisions."""
        return self.accepted + self.corrected + self.dropped

    @property
    def share(self) -> float:
        """The share of pairs that were accepted as they are. If the confidence is right, it is near ``mean``."""
        return self.accepted / self.decided


@frozen(kw_only=True, repr=False)
class Calibration(Shown):
    """The confidence of pairs against what people decided; print it.

    Attributes:
        rows: The ranges with any decision, from the lowest confidence.
    """

    rows: tuple[CalibrationRow, ...]

    @property
    def decided(self) -> int:
        """Number of decisions."""
        return sum(row.decided for row in self.rows)

    @property
    def error(self) -> float | None:
        """The mean distance of share and confidence over all decisions (expected calibration error); None without any."""
        if not self.decided:
            return None
        return sum(row.decided * abs(row.share - row.mean) for row in self.rows) / self.decided

    def _facts(self) -> Iterator[tuple[str, str]]:
        yield from (("rows", str(len(self.rows))), ("decided", str(self.decided)))

    def __str__(self) -> str:
        lines = ["confidence   mean  decided  accepted  corrected  dropped  share accepted"]
        lines += [
            f"{row.low:.2f}-{row.high:.2f}  {row.mean:>6.2f}  {row.decided:>7}  {row.accepted:>8}  {row.corrected:>9}  "
            f"{row.dropped:>7}  {row.share:>14.0%}"
            for row in self.rows
        ]
        if self.error is not None:
            lines.append(
                f"mean distance of share and confidence: {self.error:.2f}, over {self.decided} decisions"
            )
        return "\n".join(lines)


def calibration_of(decisions: Iterable[Decision], bins: int) -> Calibration:
    """Counts decisions by confidence.

    Args:
        decisions: Those with a confidence count, unless they are merges, which say nothing about the pair's worth.
        bins: Number of ranges of equal width.
    """
    counts: dict[int, Counter[str]] = {}
    sums: dict[int, float] = {}
    for decision in decisions:
        if decision.confidence is None or decision.verdict not in ("accept", "correct", "drop"):
            continue
        at = min(int(decision.confidence * bins), bins - 1)
        counts.setdefault(at, Counter())[decision.verdict] += 1
        sums[at] = sums.get(at, 0.0) + decision.confidence
    return Calibration(
        rows=tuple(
            CalibrationRow(
                low=at / bins,
                high=(at + 1) / bins,
                mean=sums[at] / sum(found.values()),
                accepted=found["accept"],
                corrected=found["correct"],
                dropped=found["drop"],
            )
            for at, found in sorted(counts.items())
        )
    )
