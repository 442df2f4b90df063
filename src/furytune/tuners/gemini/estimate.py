"""Estimates what a job would cost, from what a survey found."""

from __future__ import annotations

from collections.abc import Iterable

from furytune.records import Estimate
from furytune.tuners._jobs.service import Survey, TuningSettings
from furytune.tuners.gemini import models

__all__ = ["estimate"]


def estimate(
    survey: Survey,
    settings: TuningSettings,
    *,
    price: float | None,
    own_price: bool,
    max_cost: float | None,
    remarks: Iterable[str],
) -> Estimate:
    """Returns tokens x epochs x price as a range, and all problems, including too high a cost.

    Tokens cannot be counted exactly. A problem that is only possible is a warning, and stops no run.

    Args:
        survey: What reading the data found.
        settings: Model and epochs.
        price: US dollars per million training tokens, None if unknown.
        own_price: Whether the caller gave the price.
        max_cost: Maximum cost in US dollars.
        remarks: Further notes for the user.
    """
    tokens = None if survey.tokens is None else survey.tokens * settings.epochs
    least_tokens = None if tokens is None else survey.least * settings.epochs
    cost = None if tokens is None or price is None else tokens * price / 1_000_000
    least_cost = None if least_tokens is None or price is None else least_tokens * price / 1_000_000
    if price == 0:
        cost = least_cost = 0.0
    warnings = [str(doubt) for doubt in survey.doubts]
    problems = [str(problem) for problem in survey.problems]
    if max_cost is not None and cost is None:
        problems.append(
            f"the cost is unknown, so it cannot be compared with max_cost={max_cost:g}; give price=, in US dollars per "
            "million tokens"
        )
    elif max_cost is not None and cost is not None and cost > max_cost:
        advice = f"use fewer rows or epochs (now {settings.epochs}), or raise max_cost"
        # An estimate is a range; a job is only stopped if even its lower end is too expensive.
        if (least_cost or 0.0) > max_cost:
            problems.append(
                f"the job would cost at least {least_cost:.2f} USD, which is over max_cost={max_cost:g}; {advice}"
            )
        else:
            warnings.append(
                f"the job may cost up to {cost:.2f} USD, which is over max_cost={max_cost:g}, but as little as "
                f"{least_cost:.2f} USD, so it is not stopped; to be sure, {advice}"
            )
    return Estimate(
        tokens=tokens,
        cost=cost,
        least_tokens=least_tokens,
        least_cost=least_cost,
        problems=tuple(problems),
        warnings=tuple(warnings),
        notes=(*_notes(survey, settings, price, own_price=own_price), *remarks),
    )


def _notes(survey: Survey, settings: TuningSettings, price: float | None, *, own_price: bool) -> list[str]:
    """Returns how the estimate was made, in sentences."""
    notes = []
    if survey.tokens is not None:
        notes.append(
            f"{_between(survey.least, survey.tokens)} tokens x {settings.epochs} epochs, counted by {survey.counted}"
        )
    if own_price:
        notes.append(f"{price:g} USD per million training tokens, as you gave it")
    elif price is not None:
        quoted = models.known(settings.model).priced
        notes.append(
            f"{price:g} USD per million training tokens, {models.PRICE_SOURCE} ({quoted:%Y-%m}); check it before you rely on it"
        )
    else:
        notes.append(f"no price is known for {settings.model}; give price=, in US dollars per million tokens")
    return notes


def _between(least: int, most: int) -> str:
    return f"{most:,}" if least == most else f"{least:,} to {most:,}"
