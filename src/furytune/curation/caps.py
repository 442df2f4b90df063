"""Limits what single people, and single links, put into a data set."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urlsplit

from attrs import field, frozen
from attrs.validators import optional

from furytune._values.checks import at_least, one_of, share
from furytune.errors import ConfigError
from furytune.records import Dropped, QAPair

if TYPE_CHECKING:
    from furytune.protocols import Curator

__all__ = ["CapPerAuthor", "CapPerLink"]

_FREE: Final = 10  # answers of a person before a share counts; a share of the first few pairs means nothing
_LINK: Final = re.compile(r"https?://[^\s<>()\[\]\"'`]+", re.IGNORECASE)
_END: Final = ".,;:!?*_"


def _sites(names: str | Iterable[str]) -> tuple[str, ...]:
    """Converts names of servers to lower case, without "www."."""
    found = (names,) if isinstance(names, str) else tuple(names)
    return tuple(name.strip().lower().removeprefix("www.") for name in found)


@frozen
class CapPerAuthor:
    """Curation step: limits the pairs of each person, so that no one becomes the voice of the model.

    The first pairs are kept, in the order of collection; the reason of the others is "author_cap", and its detail says which
    limit it was. Pairs without an answerer or asker, such as those from a CSV file, have no limit. The step counts, so `start`
    returns a new one for each pass.

    Attributes:
        most: Maximum number of answers per person; None means no limit.
        share: Maximum share of one person's answers among the pairs that were kept so far, between 0 and 1. The first 10 of
            each person are not counted. Whatever follows, no one has more than this share of the kept pairs, or 10 answers.
        per_asker: Maximum number of questions per person.
        per_two: Maximum number of pairs between the same two people, no matter who asks and who answers. Answers to
            oneself count, too.

    Raises:
        ConfigError: No limit is given, or one is impossible.
    """

    most: int | None = field(default=None, validator=optional(at_least(1)))
    share: float | None = field(default=None, kw_only=True, validator=optional(share))
    per_asker: int | None = field(default=None, kw_only=True, validator=optional(at_least(1)))
    per_two: int | None = field(default=None, kw_only=True, validator=optional(at_least(1)))

    def __attrs_post_init__(self) -> None:
        if (self.most, self.share, self.per_asker, self.per_two) == (None,) * 4:
            raise ConfigError("CapPerAuthor() limits nothing; give a number, such as CapPerAuthor(50)")

    @property
    def name(self) -> str:
        """Name in reports."""
        return "cap_per_author"

    def start(self) -> Curator:
        """Returns a step for one pass over the pairs, which has not counted anything yet."""
        answers: Counter[str] = Counter()
        questions: Counter[str] = Counter()
        between: Counter[tuple[str, ...]] = Counter()
        kept = 0

        def step(pair: QAPair) -> QAPair | Dropped:
            nonlocal kept
            two = tuple(sorted((pair.asker, pair.answerer)))
            over = self._over(answers[pair.answerer], kept) if pair.answerer else ""
            if (
                not over
                and pair.asker
                and self.per_asker is not None
                and questions[pair.asker] >= self.per_asker
            ):
                over = f"per_asker={self.per_asker}"
            if not over and all(two) and self.per_two is not None and between[two] >= self.per_two:
                over = f"per_two={self.per_two}"
            if over:
                return Dropped(reason="author_cap", ids=(pair.id,), where=pair.source.path, detail=over)
            # What is dropped counts for no limit, so that the kept pairs pass the step again.
            kept += 1
            answers[pair.answerer] += 1
            questions[pair.asker] += 1
            if self.per_two is not None:
                between[two] += 1
            return pair

        return step

    def _over(self, answers: int, kept: int) -> str:
        """Returns which limit one more answer of a person would exceed, "" if none."""
        if self.most is not None and answers >= self.most:
            return f"most={self.most}"
        if self.share is not None and answers >= _FREE and answers + 1 > self.share * (kept + 1):
            return f"share={self.share}"
        return ""


@frozen
class CapPerLink:
    """Curation step: limits how many answers contain the same link, so that a planted one cannot be everywhere.

    The first answers are kept, in the order of collection; the others are dropped as "link_cap". The step counts, so `start`
    returns a new one for each pass.

    Attributes:
        most: Maximum number of answers with the same link.
        by: "page" compares links without their query and fragment; "site" compares only the name of the server, without
            "www.".
        trusted: Names of servers that have no limit, such as that of the documentation. Their subdomains have no limit
            either.

    Raises:
        ConfigError: ``most`` is less than 1.
    """

    most: int = field(validator=at_least(1))
    by: Literal["page", "site"] = field(default="page", kw_only=True, validator=one_of("page", "site"))
    trusted: tuple[str, ...] = field(default=(), kw_only=True, converter=_sites)

    @property
    def name(self) -> str:
        """Name in reports."""
        return "cap_per_link"

    def start(self) -> Curator:
        """Returns a step for one pass over the pairs, which has not counted anything yet."""
        seen: Counter[str] = Counter()

        def step(pair: QAPair) -> QAPair | Dropped:
            keys = self._keys(pair.answer)
            if any(seen[key] >= self.most for key in keys):
                return Dropped(reason="link_cap", ids=(pair.id,), where=pair.source.path)
            seen.update(keys)
            return pair

        return step

    def _keys(self, answer: str) -> set[str]:
        """Returns what an answer's links are counted by."""
        keys = set()
        for link in _LINK.findall(answer) if "://" in answer else ():
            try:
                parts = urlsplit(link.rstrip(_END))
                site = (parts.hostname or "").removeprefix("www.")
            except ValueError:  # such as a port that is not a number
                continue
            if site and not any(site == known or site.endswith(f".{known}") for known in self.trusted):
                keys.add(site if self.by == "site" else f"{site}{parts.path.rstrip('/')}")
        return keys
