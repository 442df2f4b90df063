"""Says which candidate answers a question, and how likely a maintainer would train on the pair."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from io import BytesIO
from itertools import compress, repeat
from operator import is_, itemgetter, mul

import numpy as np
from attrs import field, frozen

from furytune.pairing._chat.features import FEATURES, FLAGS, GROUPS, Part
from furytune.pairing._chat.question import Candidate, Option, Question
from furytune.pairing._chat.wording import Vocabulary, Weights

__all__ = ["Judgement", "Ranking", "Scale", "Worth", "shipped"]

WEIGHTS = "worth.npz"
FEW_WORDS = 3
KNOWN = 0.7
"""Share of words that are known in almost any English text, and hardly any other."""
_DIGITS = 6
_CLOSE = 10.0 ** (1 - _DIGITS)  # numbers further apart are never equal when rounded


class FlagSums(dict[int, float]):
    """Sums of the weights of flags, by their bits. Most texts share their flags with others.

    Args:
        weights: The weight of each flag, from the lowest bit.
    """

    _MOST = 4096

    def __init__(self, weights: Sequence[float]) -> None:
        super().__init__()
        self._weights = weights

    def __missing__(self, flags: int) -> float:
        if len(self) >= self._MOST:
            self.clear()
        found = 0.0
        for bit, weight in enumerate(self._weights):
            if flags >> bit & 1:
                found += weight
        self[flags] = found
        return found


@frozen
class Scale:
    """A linear model over what describes a candidate.

    Attributes:
        bias: What every candidate starts with.
        flags: For the groups that begin with flags, the weights of those.
        weights: For each of `GROUPS`, the weight of each other feature.
        words: For the groups whose words count, which of the `Weights` of a word it is.
    """

    bias: float
    flags: Mapping[str, FlagSums] = field(repr=False)
    weights: Mapping[str, tuple[float, ...]] = field(repr=False)
    words: Mapping[str, Callable[[Weights], float]] = field(repr=False)

    def part(self, part: Part) -> float:
        """Returns what a part contributes. Sums run in a fixed order, so they are the same on any machine."""
        score: float = sum(map(mul, self.weights[part.group], part.values))
        if part.flags:
            score = self.flags[part.group][part.flags] + score
        if part.wording is not None and (weight := self.words.get(part.group)):
            keys = part.wording.keys
            # A text of few known words, as in another language, says little.
            score += sum(map(weight, keys.values())) / (len(keys) + FEW_WORDS)
        return score

    def total(self, parts: Iterable[Part]) -> float:
        """Returns the score of some parts: the higher, the better. What a part contributes is kept with it."""
        score = 0.0
        for part in parts:
            if part.score is None:
                part.score = self.part(part)
            score += part.score
        return self.bias + score


@frozen
class Ranking:
    """The options of a question, and how good they are.

    Attributes:
        question: The question.
        options: Some of its options.
        scores: The score of each: the higher, the better.
    """

    question: Question
    options: Sequence[Option] = field(repr=False)
    scores: Sequence[float] = field(repr=False)

    def only(self, fits: Callable[[Option], bool]) -> Ranking | None:
        """Returns the ranking of the options that fit, None if none does."""
        kept = [fits(option) for option in self.options]
        if not any(kept):
            return None
        return Ranking(self.question, list(compress(self.options, kept)), list(compress(self.scores, kept)))


@frozen
class Judgement:
    """The best candidate for a question.

    Attributes:
        candidate: The candidate.
        confidence: How likely a maintainer would train on it, between 0 and 1.
        ranking: What it was chosen from.
    """

    candidate: Candidate
    confidence: float
    ranking: Ranking = field(repr=False)


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
        score = self.scale.bias + sum(map(self.scale.part, parts))
        return self.confidences[bisect_right(self.steps, round(score, _DIGITS))]


@frozen
class Worth:
    """The models that came out of training.

    Attributes:
        choice: Ranks the candidates of one question.
        worth: Rates the best candidate.
        plain: Rates it without regard to its words. It is used for other languages: with the words of a text unknown,
            ``worth`` would take the best question for a mediocre one.
        vocabulary: What words weigh, for the models.
    """

    choice: Scale
    worth: Rating
    plain: Rating
    vocabulary: Vocabulary = field(repr=False)

    def rating(self, parts: Iterable[Part]) -> Rating:
        """Returns what rates a candidate, depending on how many of its words are known."""
        words: dict[int, Weights] = {}
        for part in parts:
            if part.wording is not None:
                words |= part.wording.keys
        known = len(words) - sum(map(is_, words.values(), repeat(self.vocabulary.unknown)))
        return self.worth if known >= KNOWN * len(words) else self.plain

    def ranking(self, question: Question) -> Ranking:
        """Returns the options of a question, scored."""
        scores = [self.choice.total(question.parts(option)) for option in question.options]
        return Ranking(question, question.options, scores)

    def judgement(self, ranking: Ranking) -> Judgement:
        """Returns the best of the options of a question; of equals, the first."""
        best = ranking.question.candidate(ranking.options[_first_best(ranking.scores)])
        return Judgement(best, self.rating(best.parts).confidence(best.parts), ranking)


def _first_best(sums: Sequence[float]) -> int:
    """Returns the place of the largest sum; of those that are equal when rounded, the first."""
    most = max(sums)
    # Rounding is slow, so only what may be equal is rounded.
    near = [i for i, value in enumerate(sums) if value >= most - _CLOSE]
    if len(near) == 1:
        return near[0]
    rounded = round(most, _DIGITS)
    return next(i for i in near if round(sums[i], _DIGITS) == rounded)


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
        uses = [(name, group) for name in ("choice", "worth") for group in ("asked", "told")]
        for name in ("choice", "worth", "plain"):
            weights = dict(zip(names, stored[f"{name}_weights"].tolist(), strict=True))
            groups = {group: tuple(weights[feature] for feature in found) for group, found in GROUPS.items()}
            scales[name] = Scale(
                float(stored[f"{name}_bias"]),
                {group: FlagSums(groups[group][:count]) for group, count in FLAGS.items()},
                {group: found[FLAGS.get(group, 0) :] for group, found in groups.items()},
                {group: itemgetter(use) for use, (of, group) in enumerate(uses) if of == name},
            )
        columns = [stored[f"{name}_{group}"].tolist() for name, group in uses]
        vocabulary = Vocabulary(dict(zip(keys, zip(*columns, strict=True), strict=True)), (0.0,) * len(uses))
        worth, plain = (
            Rating(
                scales[name],
                tuple(stored[f"{name}_steps"].tolist()),
                tuple(stored[f"{name}_confidences"].tolist()),
            )
            for name in ("worth", "plain")
        )
        return Worth(scales["choice"], worth, plain, vocabulary)
