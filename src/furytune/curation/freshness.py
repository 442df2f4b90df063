"""Drops answers that are from the time of releases that are too old."""

from __future__ import annotations

from typing import Any, Literal

from attrs import field, frozen

from furytune._values.checks import at_least, of_type, one_of, share
from furytune.curation.releases import Releases, version
from furytune.errors import ConfigError
from furytune.records import Dropped, QAPair

__all__ = ["Fresh"]


def _release(_: object, __: object, value: Any) -> None:
    if not isinstance(value, str) or (value and version(value) is None):
        raise ConfigError('since must be a release, such as "0.11"')


def _number(_: object, attribute: Any, value: Any) -> None:
    if value is not None:
        at_least(0)(_, attribute, value)


@frozen
class Fresh:
    """Curation step: drops pairs that are about old releases, as "old_release".

    Which release a pair is about comes from `Releases.of`: the one that its question names, or that of its day. Age alone does
    not make an answer wrong; `CheckCode` finds out which answers a release broke. This step is for what cannot be checked.

    ``decay`` weighs age against confidence: a pair counts `weight`, which is its confidence, times ``decay`` for each feature
    release that came after. With ``decay=0.8, least=0.5``, a pair with a confidence of 1 may be three feature releases old, and
    one with 0.6 none. The pair's own confidence stays what it was.

    Attributes:
        releases: The releases of the project.
        since: The oldest release to keep, such as "0.11"; "" for no limit.
        max_behind: Most feature releases that may be newer; None for no limit.
        decay: What each newer feature release leaves of the confidence, between 0 and 1.
        least: The lowest weight to keep, between 0 and 1.
        on_unknown: What to do with pairs without a date and from before the first release: "keep" or "drop".

    Raises:
        ConfigError: An argument is not valid, or nothing is limited.
    """

    releases: Releases = field(validator=of_type(Releases))
    since: str = field(default="", validator=_release, kw_only=True)
    max_behind: int | None = field(default=None, validator=_number, kw_only=True)
    decay: float = field(default=1.0, validator=share, kw_only=True)
    least: float = field(default=0.0, validator=share, kw_only=True)
    on_unknown: Literal["keep", "drop"] = field(
        default="keep", validator=one_of("keep", "drop"), kw_only=True
    )

    def __attrs_post_init__(self) -> None:
        if not self.since and self.max_behind is None and not (self.decay < 1 and self.least > 0):
            raise ConfigError(
                "Fresh(...) would keep everything; give since=, max_behind=, or both decay= and least="
            )

    @property
    def name(self) -> str:
        """Name in reports."""
        return "fresh"

    def weight(self, pair: QAPair) -> float:
        """Returns what a pair's confidence is worth today, between 0 and 1. Pairs of unknown age lose nothing."""
        release = self.releases.of(pair)
        return pair.confidence * self.decay ** self.releases.behind(release) if release else pair.confidence

    def __call__(self, pair: QAPair) -> QAPair | Dropped:
        """Keeps the pair unchanged, or drops it."""
        release = self.releases.of(pair)
        if not release:
            return pair if self.on_unknown == "keep" else _dropped(pair, "no known release")
        if self.since and _older(release, self.since):
            return _dropped(pair, release)
        if self.max_behind is not None and self.releases.behind(release) > self.max_behind:
            return _dropped(pair, release)
        weight = self.weight(pair)
        if weight < self.least:
            return _dropped(pair, f"{release}: confidence {pair.confidence:.2f} counts as {weight:.2f}")
        return pair


def _older(release: str, other: str) -> bool:
    first, second = version(release), version(other)
    assert first is not None
    assert second is not None
    return first < second


def _dropped(pair: QAPair, detail: str) -> Dropped:
    return Dropped(reason="old_release", ids=(pair.id,), where=pair.source.path, detail=detail)
