"""Counts how long prompts and answers are, in tokens if tiktoken is there, else in characters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from attrs import frozen

from furytune.budget import TokenBudget
from furytune.errors import MissingExtraError, VocabularyUnavailableError
from furytune.records import TrainingRow

__all__ = ["Lengths", "measure"]

_COUNTED = 2_000
"""Rows whose tokens are counted; more would take longer than the rest of the report."""
_BINS = 24
_STEPS = (1, 2, 5)


@frozen(kw_only=True)
class Lengths:
    """The lengths of one part of the rows.

    Attributes:
        part: "prompts" or "answers".
        unit: "tokens" or "characters".
        bins: How many rows are in each bin.
        width: Width of a bin.
        middle: The median.
        most: The longest.
        over: How many are over the limit; 0 without one.
        rows: How many rows were measured.
    """

    part: str
    unit: str
    bins: tuple[int, ...]
    width: int
    middle: int
    most: int
    over: int
    rows: int

    @property
    def end(self) -> int:
        """Right end of the scale."""
        return self.width * len(self.bins)


def measure(rows: Iterable[TrainingRow], limit: int | None) -> tuple[list[Lengths], str]:
    """Returns the lengths of prompts and answers, and a sentence that says how they were counted.

    Args:
        rows: The rows; of more than 2,000, the first 2,000 are measured.
        limit: Most tokens of a prompt.
    """
    count, unit, note = _counter()
    taken = [row for row, _ in zip(rows, range(_COUNTED), strict=False)]
    prompts = [count(row.prompt.system) + count(row.prompt.text) for row in taken]
    answers = [count(row.answer) for row in taken]
    found = [
        _lengths("prompts", unit, prompts, limit if unit == "tokens" else None),
        _lengths("answers", unit, answers, None),
    ]
    return [lengths for lengths in found if lengths.rows], note


def _counter() -> tuple[Callable[[str], int], str, str]:
    budget = TokenBudget(1)
    try:
        budget.count("")
    except (MissingExtraError, VocabularyUnavailableError):
        return (
            len,
            "characters",
            (
                "Counted in characters, because tiktoken is not installed: pip install 'furytune[tokens]'. "
                "English text has about four characters per token."
            ),
        )
    return (
        budget.count,
        "tokens",
        (
            "Counted with tiktoken's o200k_base. Models with another vocabulary, such as Gemini, may count up to 30 % fewer or "
            "20 % more."
        ),
    )


def _lengths(part: str, unit: str, counts: Sequence[int], limit: int | None) -> Lengths:
    ordered = sorted(counts)
    most = ordered[-1] if ordered else 0
    width = _width(max(most, 1))
    bins = [0] * (most // width + 1)
    for n in counts:
        bins[n // width] += 1
    return Lengths(
        part=part,
        unit=unit,
        bins=tuple(bins),
        width=width,
        middle=ordered[len(ordered) // 2] if ordered else 0,
        most=most,
        over=sum(n > limit for n in counts) if limit else 0,
        rows=len(counts),
    )


def _width(most: int) -> int:
    """Returns a round width for which there are at most 24 bins."""
    power = 1
    while True:
        for step in _STEPS:
            if most // (step * power) < _BINS:
                return step * power
        power *= 10
