"""Asks a model which pairs are worth training on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from attrs import field, frozen

from furytune._values.checks import at_least, of_type, one_of
from furytune.curation._judging.asking import Asker, Missing, Outcome
from furytune.curation.grades import GradeCache
from furytune.errors import ConfigError
from furytune.normalize import Normalizer
from furytune.protocols import Curator, Model
from furytune.records import Dropped, Estimate, QAPair
from furytune.tokens import token_counter

__all__ = ["JudgePairs"]

_ANSWER = 10  # tokens of {"grade": "usable"}


def _cache(value: GradeCache | str | Path) -> GradeCache:
    return value if isinstance(value, GradeCache) else GradeCache(value)


def _is_model(_: object, __: object, value: Any) -> None:
    if isinstance(value, type) or not isinstance(value, Model):
        raise ConfigError(
            f"{type(value).__name__} is not a model that answers; give one such as "
            "ChatService('http://127.0.0.1:8080/v1').model('NAME', temperature=0.0)"
        )


def _limit(_: object, attribute: Any, value: Any) -> None:
    if value is not None:
        at_least(0)(_, attribute, value)


def _price(_: object, __: object, value: Any) -> None:
    if value is not None and (
        isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0
    ):
        raise ConfigError("price must be a number of US dollars per million tokens, at least 0")


@frozen
class JudgePairs:
    """Curation step: asks a model whether a pair is worth training on, and drops the others.

    The model grades each pair "good", "usable" or "poor". Only the texts of the pair are sent, normalised as in a training
    row. Each grade is stored at once, so an interrupted run continues where it stopped, and the next run asks only about
    pairs that are new or changed.

    Pairs that a person accepted (`QAPair.reviewed`) pass without a grade, and nothing is sent for them.

    An answer that is not a grade is asked for once more. A pair that then has no grade, or that comes after
    ``max_requests``, is kept or dropped as ``on_ungraded`` says. It is counted in both cases.

    =================  =====================================================
    reason             meaning
    =================  =====================================================
    ``judged_poor``    the grade is "poor"
    ``judged_usable``  the grade is "usable", and ``keep`` is "good"
    ``no_grade``       two answers were not a grade, or nothing is left of a text after normalising
    ``max_requests``   the limit was reached before the pair
    =================  =====================================================

    Attributes:
        model: Any `furytune.protocols.Model`: of a `ChatService`, or ``GeminiTuner.base_model(temperature=0.0)``. Give it the
            temperature 0, so that equal pairs get equal grades.
        keep: The lowest grade that is kept, "usable" or "good".
        project: Name and purpose of the project, such as "FURY, a Python library for scientific visualization". It tells the
            model what readers of a question know.
        normalizer: Removes ids of people and secrets from the texts that are sent; use that of the pipeline.
        cache: Folder of the grades, or a `GradeCache`.
        max_requests: Most requests of this object in all its passes, repeated ones included; None for no limit.
        on_ungraded: What to do with a pair without a grade: "keep" or "drop".
        workers: Most requests at a time.
        price: US dollars per million tokens, for `estimate`.
        sleep: Waits before a request is repeated. Tests and rehearsals pass their own.

    Raises:
        ConfigError: An argument is not valid.
        ServiceError: While pairs are judged: the service refused, or five tries failed.
        CurationError: While pairs are judged: a grade cannot be stored.
    """

    model: Model = field(validator=_is_model, repr=False)
    keep: Literal["usable", "good"] = field(
        default="usable", validator=one_of("usable", "good"), kw_only=True
    )
    project: str = field(default="", validator=of_type(str), kw_only=True)
    normalizer: Normalizer = field(default=Normalizer(), validator=of_type(Normalizer), kw_only=True)
    cache: GradeCache = field(default=GradeCache("grades"), converter=_cache, kw_only=True)
    max_requests: int | None = field(default=None, validator=_limit, kw_only=True)
    on_ungraded: Literal["keep", "drop"] = field(
        default="keep", validator=one_of("keep", "drop"), kw_only=True
    )
    workers: int = field(default=4, validator=at_least(1), kw_only=True)
    price: float | None = field(default=None, validator=_price, kw_only=True)
    sleep: Callable[[float], object] | None = field(default=None, repr=False, eq=False, kw_only=True)
    _asker: Asker = field(init=False, repr=False, eq=False)

    @_asker.default
    def _make_asker(self) -> Asker:
        return Asker(
            model=self.model,
            project=self.project,
            normalizer=self.normalizer,
            cache=self.cache,
            most=self.max_requests,
            workers=self.workers,
            sleep=self.sleep,
        )

    @property
    def name(self) -> str:
        """Name in reports."""
        return "judge_pairs"

    def start(self) -> Curator:
        """Returns a step for one pass over the pairs, which has not counted anything yet."""
        return JudgingPass(self._asker, keep=self.keep, drops=self.on_ungraded == "drop")

    def estimate(self, pairs: Iterable[QAPair]) -> Estimate:
        """Estimates what it costs to judge pairs that are not judged yet. Sends nothing.

        Args:
            pairs: The pairs, such as ``pipeline.pairs()`` of a pipeline without this step.

        Returns:
            Ranges for tokens and, with ``price``, for the cost. The upper ends include a second question for each pair.
        """
        count, counted = token_counter()
        seen = asked = least = most = 0
        left = self._asker.left
        for pair in pairs:
            seen += 1
            question = None if pair.reviewed else self._asker.question(pair)
            if question is None or self._asker.known(question) is not None:
                continue
            asked += 1
            if left is None or asked <= left:
                fewest, highest = count(f"{question.prompt.system}\n{question.prompt.text}")
                least += fewest + _ANSWER
                most += 2 * (highest + _ANSWER)
        price = None if self.price is None else self.price / 1_000_000
        beyond = 0 if left is None else max(0, asked - left)
        known, requests = seen - asked, asked - beyond
        return Estimate(
            tokens=most,
            least_tokens=least,
            cost=None if price is None else most * price,
            least_cost=None if price is None else least * price,
            warnings=(
                f"pairs that max_requests={self.max_requests} leaves without a grade: {beyond:,} or more",
            )
            if beyond
            else (),
            notes=(
                f"{seen:,} pairs, of which {known:,} are judged already; {requests:,} to {2 * requests:,} requests",
                f"tokens counted by {counted}",
                "a model that thinks before it answers uses more; repeated requests after a failure are not included",
            ),
        )


class JudgingPass:
    """One pass of `JudgePairs` over the pairs."""

    def __init__(self, asker: Asker, *, keep: Literal["usable", "good"], drops: bool) -> None:
        self._asker = asker
        self._keep = keep
        self._drops = drops
        self._kept: Counter[Missing] = Counter()

    def __call__(self, pair: QAPair) -> QAPair | Dropped:
        """Keeps the pair unchanged, or drops it."""
        return self.curate([pair])[0]

    def curate(self, pairs: Sequence[QAPair]) -> list[QAPair | Dropped]:
        """Keeps each pair unchanged, or drops it. Several requests are made at a time."""
        # What a person accepted needs no model's opinion.
        outcomes = iter(self._asker.outcomes([pair for pair in pairs if not pair.reviewed]))
        return [pair if pair.reviewed else self._decided(pair, next(outcomes)) for pair in pairs]

    @property
    def unread(self) -> tuple[Dropped, ...]:
        """How many pairs were kept without a grade, by reason."""
        return tuple(
            Dropped(reason=reason, unit="grade", count=n) for reason, n in sorted(self._kept.items())
        )

    def _decided(self, pair: QAPair, outcome: Outcome) -> QAPair | Dropped:
        if outcome == "good" or (outcome == "usable" and self._keep == "usable"):
            return pair
        if outcome == "usable":
            return _dropped(pair, "judged_usable")
        if outcome == "poor":
            return _dropped(pair, "judged_poor")
        if self._drops:
            return _dropped(pair, "no_grade" if outcome == "no_grade" else "max_requests")
        self._kept[outcome] += 1
        return pair


def _dropped(pair: QAPair, reason: str) -> Dropped:
    return Dropped(reason=reason, ids=(pair.id,), where=pair.source.path)
