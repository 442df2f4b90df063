"""Says which candidate answers a question, and how likely a maintainer would train on the pair."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from io import BytesIO
from itertools import compress, repeat
from operator import mul

import numpy as np
from attrs import field, frozen

from furytune.pairing._chat.features import FEATURES, GROUPS, Part
from furytune.pairing._chat.question import Candidate

__all__ = ["Judgement", "Scale", "Worth", "shipped"]

WEIGHTS = "worth.npz"
FEW_WORDS = 3


@frozen
class Scale:
    """A linear model over what describes a candidate.

    Attributes:
        bias: What every candidate starts with.
        weights: For each of `GROUPS`, the weight of each of its features.
        words: For the groups that have a wording, the weight of each word by its key. Any other word weighs nothing.
    """

    bias: float
    weights: Mapping[str, tuple[float, ...]] = field(repr=False)
    words: Mapping[str, Mapping[int, float]] = field(repr=False)

    def part(self, part: Part) -> float:
        """Returns what a part contributes. Sums run in a fixed order, so they are the same on any machine."""
        weights = self.weights[part.group]
        score: float = sum(compress(weights, part.flags)) if part.flags else 0.0
        score += sum(map(mul, weights[len(part.flags) :], part.values))
        if part.words:
            known = self.words[part.group].get
            # A text of few known words, as in another language, says little.
            score += sum(map(known, part.words, repeat(0.0))) / (len(part.words) + FEW_WORDS)
        return score

    def total(self, parts: Iterable[float]) -> float:
        """Returns the score of what some parts contribute: the higher, the better."""
        return round(self.bias + sum(parts), 6)


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
            ranks = []
            for option in options:
                for part in option.parts:
                    if part not in known:
                        score = before.get(part)
                        known[part] = self.choice.part(part) if score is None else score
                ranks.append(self.choice.total(map(known.__getitem__, option.parts)))
            before = known
            best = options[ranks.index(max(ranks))]
            score = self.worth.total(map(self.worth.part, best.parts))
            yield Judgement(best, self.confidences[bisect_right(self.steps, score)])


@cache
def shipped() -> Worth:
    """Returns the models that come with furytune. ``worth.json`` says what they were trained on."""
    data = (files("furytune.pairing._chat") / WEIGHTS).read_bytes()
    with np.load(BytesIO(data), allow_pickle=False) as stored:
        names = stored["features"].tolist()
        if sorted(names) != sorted(FEATURES):
            raise RuntimeError(
                "the pair model does not fit this version of furytune: run benchmarks/pairs/train_worth.py"
            )
        keys = stored["words"].tolist()
        scales = {}
        for name in ("choice", "worth"):
            weights = dict(zip(names, stored[f"{name}_weights"].tolist(), strict=True))
            scales[name] = Scale(
                float(stored[f"{name}_bias"]),
                {group: tuple(weights[feature] for feature in found) for group, found in GROUPS.items()},
                {
                    group: dict(zip(keys, stored[f"{name}_{group}"].tolist(), strict=True))
                    for group in ("asked", "told")
                },
            )
        return Worth(
            **scales, steps=tuple(stored["steps"].tolist()), confidences=tuple(stored["confidences"].tolist())
        )
