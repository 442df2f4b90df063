"""Says which candidate answers a question, and how likely a maintainer would train on the pair."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from io import BytesIO
from math import sqrt

import numpy as np
from attrs import field, frozen

from furytune.pairing._chat.candidates import FEATURES, Candidate
from furytune.pairing._chat.turns import Turn
from furytune.pairing._chat.wording import SIZE, places

__all__ = ["Judgement", "Scale", "Worth", "shipped"]

WEIGHTS = "worth.npz"


@frozen
class Scale:
    """A linear model over what describes a candidate.

    Attributes:
        bias: What every candidate starts with.
        features: Weight of each of `FEATURES`.
        asked: Weight of each place of the question's wording.
        told: Weight of each place of the answer's wording.
    """

    bias: float
    features: tuple[float, ...] = field(repr=False)
    asked: tuple[float, ...] = field(repr=False)
    told: tuple[float, ...] = field(repr=False)

    def __call__(self, features: Sequence[float], asked: Sequence[int], told: Sequence[int]) -> float:
        """Returns the score: the higher, the better. Sums run in a fixed order, so it is the same on any machine."""
        score = self.bias + sum(w * x for w, x in zip(self.features, features, strict=True) if x)
        for table, found in ((self.asked, asked), (self.told, told)):
            if found:
                score += sum(table[place] for place in found) / sqrt(len(found))
        return round(score, 6)


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

    def best(self, options: Sequence[Candidate]) -> Judgement:
        """Returns the best of the candidates for one question; of equals, the first."""
        seen: dict[int, list[int]] = {}

        def wording(turns: tuple[Turn, ...]) -> list[int]:
            if len(turns) == 1:
                key = id(turns[0])
                if key not in seen:
                    seen[key] = places(turns[0].text)
                return seen[key]
            return places("\n".join(turn.text for turn in turns))

        described = [(option, wording(option.asked), wording(option.told)) for option in options]
        option, asked, told = max(described, key=lambda d: self.choice(d[0].features, d[1], d[2]))
        score = self.worth(option.features, asked, told)
        return Judgement(option, self.confidences[bisect_right(self.steps, score)])


@cache
def shipped() -> Worth:
    """Returns the models that come with furytune. ``worth.json`` says what they were trained on."""
    data = (files("furytune.pairing._chat") / WEIGHTS).read_bytes()
    with np.load(BytesIO(data), allow_pickle=False) as stored:
        if tuple(stored["features"].tolist()) != FEATURES or len(stored["choice_asked"]) != SIZE:
            raise RuntimeError(
                "the pair model does not fit this version of furytune: run benchmarks/pairs/train_worth.py"
            )
        scales = {
            name: Scale(
                float(stored[f"{name}_bias"]),
                tuple(stored[f"{name}_weights"].tolist()),
                tuple(stored[f"{name}_asked"].tolist()),
                tuple(stored[f"{name}_told"].tolist()),
            )
            for name in ("choice", "worth")
        }
        return Worth(
            **scales, steps=tuple(stored["steps"].tolist()), confidences=tuple(stored["confidences"].tolist())
        )
