"""Keeps the best of the answers to questions that were asked again in nearly the same words."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from attrs import evolve, field, frozen

from furytune._values.checks import one_of
from furytune.curation._alike.forms import Forms, Meanings
from furytune.errors import ConfigError
from furytune.protocols import Curator, Embedder
from furytune.records import Dropped, QAPair

__all__ = ["NearDuplicates"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LEAST = 0.5
_UNDATED = 1 << 62


def _share(_: object, attribute: Any, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not _LEAST <= value <= 1:
        raise ConfigError(f"{attribute.name} must be a number from {_LEAST} to 1, such as 0.85")


def _embedder(_: object, __: object, value: Any) -> None:
    if value is not None and (isinstance(value, type) or not isinstance(value, Embedder)):
        raise ConfigError(
            f"{type(value).__name__} is not an embedder; give one such as StaticEmbedder('path/to/model')"
        )


@frozen
class NearDuplicates:
    """Curation step: finds questions that were asked before in nearly the same words, and keeps the best pair.

    Two questions ask the same if they have the same facts, and nearly the same words without endings, greetings and other
    words that carry no meaning. Facts are numbers, names of code, quoted texts, error messages, links, code blocks,
    platforms and a negation. A word in the place of another counts double, its opposite as a different question. Equal
    questions are found as well.

    The best pair has the highest confidence; then a mark as solved; then the latest answer; then the smallest id. Each
    dropped pair asks the same as a kept one that is at least as good. Which pairs are kept depends neither on their order
    nor on the machine.

    Attributes:
        similar: The lowest share of words that two questions must have in common, from 0.5 to 1.
        embedder: Finds questions in other words too, if given; such as a `StaticEmbedder`.
        meaning: The lowest cosine of two questions' vectors, from 0.5 to 1.
        action: "drop" keeps the best pair only. "group" keeps all, and gives the conversations of pairs that ask the same one
            common group, that of the oldest, so that no splitter separates them.

    Raises:
        ConfigError: An argument is not valid.
        MissingExtraError: While pairs are read: the embedder needs a package that is not installed.
    """

    similar: float = field(default=0.85, validator=_share)
    embedder: Embedder | None = field(default=None, validator=_embedder, kw_only=True)
    meaning: float = field(default=0.8, validator=_share, kw_only=True)
    action: Literal["drop", "group"] = field(default="drop", validator=one_of("drop", "group"), kw_only=True)

    @property
    def name(self) -> str:
        """Name in reports."""
        return "near_duplicates"

    def fit(self, pairs: Iterable[QAPair]) -> Curator:
        """Reads all pairs, whose ids are unique; returns the step that then gets them.

        It remembers about 0.7 kB for each pair, and with an embedder one byte more for each number of a vector.
        """
        meanings = None
        if self.embedder is not None:
            embed = self.embedder.embed
            meanings = Meanings(lambda texts: embed(texts, kind="question"), self.meaning)
        forms = Forms(self.similar, meanings)
        return _keep_best(forms, pairs) if self.action == "drop" else _group(forms, pairs)


def _keep_best(forms: Forms, pairs: Iterable[QAPair]) -> Curator:
    """Returns a step that keeps the best pair of those that ask the same."""
    asks: dict[str, int] = {}
    ranks: list[tuple[float, bool, int, str]] = []
    for pair in pairs:
        form = asks[pair.id] = forms.add(pair.question)
        rank = _rank(pair)
        if form == len(ranks):
            ranks.append(rank)
        elif rank < ranks[form]:
            ranks[form] = rank
    order = sorted(range(len(ranks)), key=ranks.__getitem__)
    instead = dict(forms.matches(order, kept_only=True))
    best = [ranks[instead.get(form, form)][-1] for form in range(len(ranks))]

    def step(pair: QAPair) -> QAPair | Dropped:
        kept = best[asks[pair.id]]
        if kept == pair.id:
            return pair
        return Dropped(
            reason="near_duplicate", ids=(pair.id,), where=pair.source.path, detail=f"same as {kept}"
        )

    return step


def _group(forms: Forms, pairs: Iterable[QAPair]) -> Curator:
    """Returns a step that gives the conversations of pairs that ask the same one group."""
    joined = _Joined()
    dates: dict[str, int] = {}
    for pair in pairs:
        joined.join(pair.group, forms.add(pair.question))
        asked = _time(pair.asked_at)
        dates[pair.group] = min(dates.get(pair.group, _UNDATED), _UNDATED if asked is None else asked)
    # The order of the forms decides which are compared if a bucket is full; their numbers depend on the order of the pairs.
    for form, other in forms.matches(forms.in_order(), kept_only=False):
        joined.join(form, other)
    oldest: dict[Hashable, tuple[int, str]] = {}
    for group, date in dates.items():
        root = joined.root(group)
        oldest[root] = min(oldest.get(root, (date, group)), (date, group))
    names = {group: oldest[joined.root(group)][1] for group in dates}
    changed = {group: name for group, name in names.items() if name != group}

    def step(pair: QAPair) -> QAPair:
        name = changed.get(pair.group)
        return pair if name is None else evolve(pair, group=name)

    return step


def _rank(pair: QAPair) -> tuple[float, bool, int, str]:
    """Returns a value that is smaller for a better pair."""
    answered = _time(pair.answered_at)
    return -pair.confidence, not pair.solved, _UNDATED if answered is None else -answered, pair.id


def _time(moment: datetime | None) -> int | None:
    """Returns microseconds since 1970."""
    return None if moment is None else (moment - _EPOCH) // timedelta(microseconds=1)


class _Joined:
    """Sets that grow together (union-find)."""

    def __init__(self) -> None:
        self._above: dict[Hashable, Hashable] = {}

    def root(self, item: Hashable) -> Hashable:
        """Returns the member that stands for an item's set."""
        above = self._above
        while (parent := above.setdefault(item, item)) != item:
            # Each step halves the way for the next time.
            above[item] = item = above[parent]
        return item

    def join(self, one: Hashable, other: Hashable) -> None:
        """Makes one set of two."""
        self._above[self.root(one)] = self.root(other)
