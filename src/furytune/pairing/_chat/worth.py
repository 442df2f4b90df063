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
KNOWN = 0.7
"""Share of words that are known in almost any English text, and hardly any other."""
_DIGITS = 6
_CLOSE = 10.0 ** (1 - _DIGITS)  # numbers further apart are never equal when rounded


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
        score: float = 0.0
        if part.flags:
            score += sum(compress(weights, part.flags))
            weights = weights[len(part.flags) :]
        score += sum(map(mul, weights, part.values))
        if part.words:
            known = self.words[part.group].get
            # A text of few known words, as in another language, says little.
            score += sum(map(known, part.words, repeat(0.0))) / (len(part.words) + FEW_WORDS)
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
        options: All candidates for the question.
    """

    candidate: Candidate
    confidence: float
    options: Sequence[Candidate] = field(repr=False)


@frozen
class Rating:
    """Says how likely a maintainer would train on a pair.

    Attributes:
        scale: Scores it.
        steps: Scores at which the confidence rises.
        confidences: The confidence below the first step, and from each step on.
    """

    scale: Scale
    steps: tuple[float, ...] = field(repr=False)
    confidences: tuple[float, ...] = field(repr=False)

    def confidence(self, parts: Iterable[Part]) -> float:
        """Returns how likely it is, between 0 and 1."""
        return self.confidences[bisect_right(self.steps, self.scale.total(map(self.scale.part, parts)))]


@frozen
class Worth:
    """The models that came out of training.

    Attributes:
        choice: Ranks the candidates of one question.
        worth: Rates the best candidate.
        plain: Rates it without regard to its words. It is used for other languages: with the words of a text unknown,
            ``worth`` would take the best question for a mediocre one.
        words: Keys of the words that are known.
    """

    choice: Scale
    worth: Rating
    plain: Rating
    words: frozenset[int] = field(repr=False)

    def rating(self, parts: Iterable[Part]) -> Rating:
        """Returns what rates a candidate, depending on how many of its words are known."""
        keys = {key for part in parts for key in part.words}
        return self.worth if len(keys & self.words) >= KNOWN * len(keys) else self.plain

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
            yield Judgement(best, self.rating(best.parts).confidence(best.parts), options)


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
        if sorted(names) != sorted(FEATURES):
            raise RuntimeError(
                "the pair model does not fit this version of furytune: run benchmarks/pairs/train_worth.py"
            )
        keys = stored["words"].tolist()
        scales = {}
        for name in ("choice", "worth", "plain"):
            weights = dict(zip(names, stored[f"{name}_weights"].tolist(), strict=True))
            scales[name] = Scale(
                float(stored[f"{name}_bias"]),
                {group: tuple(weights[feature] for feature in found) for group, found in GROUPS.items()},
                {
                    group: dict(zip(keys, stored[f"{name}_{group}"].tolist(), strict=True))
                    if name != "plain"
                    else {}
                    for group in ("asked", "told")
                },
            )
        worth, plain = (
            Rating(
                scales[name],
                tuple(stored[f"{name}_steps"].tolist()),
                tuple(stored[f"{name}_confidences"].tolist()),
            )
            for name in ("worth", "plain")
        )
        return Worth(scales["choice"], worth, plain, frozenset(keys))
