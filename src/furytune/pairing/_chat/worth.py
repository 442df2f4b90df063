"""Says which candidate answers a question, and how likely a maintainer would train on the pair."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from io import BytesIO
from itertools import compress
from math import sqrt
from operator import mul

import numpy as np
from attrs import field, frozen

from furytune.pairing._chat.features import FEATURES, GROUPS, Part
from furytune.pairing._chat.question import Candidate
from furytune.pairing._chat.wording import SIZE

__all__ = ["Judgement", "Scale", "Worth", "shipped"]

WEIGHTS = "worth.npz"
_DIGITS = 6
_CLOSE = 10.0 ** (1 - _DIGITS)  # numbers further apart are never equal when rounded


@frozen
class Scale:
    """A linear model over what describes a candidate.

    Attributes:
        bias: What every candidate starts with.
        weights: For each of `GROUPS`, the weight of each of its features.
        tables: For the groups that have a wording, the weight of each of its places.
    """

    bias: float
    weights: Mapping[str, tuple[float, ...]] = field(repr=False)
    tables: Mapping[str, tuple[float, ...]] = field(repr=False)

    def part(self, part: Part) -> float:
        """Returns what a part contributes. Sums run in a fixed order, so they are the same on any machine."""
        weights = self.weights[part.group]
        score: float = 0.0
        if part.flags:
            score += sum(compress(weights, part.flags))
            weights = weights[len(part.flags) :]
        score += sum(map(mul, weights, part.values))
        if part.places:
            table = self.tables[part.group]
            score += sum(map(table.__getitem__, part.places)) / sqrt(len(part.places))
        return score

    def total(self, parts: Iterable[float]) -> float:
        """Returns the score of what some parts contribute: the higher, the better."""
        return round(self.bias + sum(parts), _DIGITS)


@frozen
class Judgement:
    """The best candidate for a question.

    Attributes:
        candidate: The candidate.
        confidence: How likely a maintainer would train on it, between 0 and 1.
    """

    candidate: Candidate
    confidence: float


@frozen
class Worth:
    """The two models that came out of training.

    Attributes:
        choice: Ranks the candidates of one question.
        worth: Scores the best candidate.
        steps: Scores at which the confidence rises.
        confidences: The confidence below the first step, and from each step on.
    """

    choice: Scale
    worth: Scale
    steps: tuple[float, ...]
    confidences: tuple[float, ...]

    def judgements(self, questions: Iterable[Sequence[Candidate]]) -> Iterator[Judgement]:
        """Yields the best of the candidates for each question; of equals, the first."""
        before: dict[Part, float] = {}
        for options in questions:
            # Neighbouring questions share most of their answers.
            known: dict[Part, float] = {}
            sums = []
            for option in options:
                scores = []
                for part in option.parts:
                    score = known.get(part)
                    if score is None:
                        score = before.get(part)
                        if score is None:
                            score = self.choice.part(part)
                        known[part] = score
                    scores.append(score)
                sums.append(self.choice.bias + sum(scores))
            before = known
            best = options[_first_best(sums)]
            score = self.worth.total(map(self.worth.part, best.parts))
            yield Judgement(best, self.confidences[bisect_right(self.steps, score)])


def _first_best(sums: Sequence[float]) -> int:
    """Returns the place of the largest sum; of those that are equal when rounded, the first."""
    most = max(sums)
    near, rounded = most - _CLOSE, round(most, _DIGITS)
    # Rounding is slow, so only what may be equal is rounded.
    return next(i for i, value in enumerate(sums) if value >= near and round(value, _DIGITS) == rounded)


@cache
def shipped() -> Worth:
    """Returns the models that come with furytune. ``worth.json`` says what they were trained on."""
    data = (files("furytune.pairing._chat") / WEIGHTS).read_bytes()
    with np.load(BytesIO(data), allow_pickle=False) as stored:
        names = stored["features"].tolist()
        if sorted(names) != sorted(FEATURES) or len(stored["choice_asked"]) != SIZE:
            raise RuntimeError(
                "the pair model does not fit this version of furytune: run benchmarks/pairs/train_worth.py"
            )
        scales = {}
        for name in ("choice", "worth"):
            weights = dict(zip(names, stored[f"{name}_weights"].tolist(), strict=True))
            scales[name] = Scale(
                float(stored[f"{name}_bias"]),
                {group: tuple(weights[feature] for feature in found) for group, found in GROUPS.items()},
                {group: tuple(stored[f"{name}_{group}"].tolist()) for group in ("asked", "told")},
            )
        return Worth(
            **scales, steps=tuple(stored["steps"].tolist()), confidences=tuple(stored["confidences"].tolist())
        )
