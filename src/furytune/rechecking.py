"""Checks the answers of a data set against another release, and lists which of them went stale."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, Protocol, runtime_checkable

from attrs import field, frozen

from furytune._values.shown import Shown
from furytune.curation.verdicts import CodeVerdict, Finding, Outcome
from furytune.dataset_rows import read_rows
from furytune.errors import ConfigError
from furytune.exporters import load_dataset
from furytune.records import Dataset, QAPair
from furytune.report.progress import progress

__all__ = ["Recheck", "StaleRow", "recheck"]

_LISTED: Final = 20
_ORDER: Final[tuple[Outcome, ...]] = ("works", "stale", "unverifiable", "prose")


@runtime_checkable
class _Checks(Protocol):
    """What `furytune.curation.code.CheckCode` can do."""

    def verdict(self, answer: str) -> CodeVerdict:
        """Returns whether the code in an answer works with a release."""
        ...


def _kept(value: Mapping[Outcome, int]) -> Mapping[Outcome, int]:
    return MappingProxyType(dict(value))


@frozen(kw_only=True)
class StaleRow:
    """A row whose answer does not work.

    Attributes:
        id: Id of the row, and of the pair it was made from.
        findings: What its code uses and the release does not have.
    """

    id: str
    findings: tuple[Finding, ...]

    def __str__(self) -> str:
        # One name is often used many times. The lines of an answer say nothing without it.
        names = dict.fromkeys(_told(finding) for finding in self.findings)
        return f"{self.id}  {', '.join(names)}"


@frozen(kw_only=True, repr=False)
class Recheck(Shown):
    """What became of the answers of a data set. It contains ids and names of code, and no text.

    Attributes:
        outcomes: How many answers work, are stale, cannot be verified, or contain no code.
        stale: The rows that do not work with the release.
        went_stale: Those of them that were not stale in the release before; all of them without one.
        works_again: Ids of rows that were stale in the release before, and are not stale now.
        release: The release that was checked; "" if it is not known.
        before: The release before; "" if it is not known, or none was given.
    """

    outcomes: Mapping[Outcome, int] = field(converter=_kept)
    stale: tuple[StaleRow, ...] = ()
    went_stale: tuple[StaleRow, ...] = ()
    works_again: tuple[str, ...] = ()
    release: str = ""
    before: str = ""

    @property
    def rows(self) -> int:
        """Number of answers."""
        return sum(self.outcomes.values())

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        against = f" with {self.release}" if self.release else ""
        since = f" since {self.before}" if self.before else ""
        yield f"{self.rows:,} answers{against}"
        yield from (f"{self.outcomes[name]:>8,}  {name}" for name in _ORDER if self.outcomes.get(name))
        yield f"{len(self.went_stale):>8,}  went stale{since}"
        yield f"{len(self.works_again):>8,}  work again{since}"
        if self.went_stale:
            yield f"\nwent stale{since}"
            yield from _listed(map(str, self.went_stale), len(self.went_stale))
        if self.works_again:
            yield f"\nwork again{since}"
            yield from _listed(self.works_again, len(self.works_again))


def recheck(
    data: Dataset | str | os.PathLike[str] | Iterable[QAPair],
    *,
    check: _Checks,
    before: _Checks | None = None,
) -> Recheck:
    """Checks the answers of a data set against a release. Nothing is changed, and no code is run.

    Args:
        data: A data set, the path of its manifest, or pairs.
        check: A `furytune.curation.code.CheckCode` for the release to check against, such as the next one.
        before: A ``CheckCode`` for another release. Then the result also says what changed between the two.

    Returns:
        What is stale, by the id of the row, with the names that are gone. Print it.

    Raises:
        ConfigError: ``data`` or a check is not what it must be.
        ExportError: The data set is not complete, or its files are not the ones that its manifest lists.
    """
    for name, given in (("check", check), ("before", before)):
        absent = given is None and name == "before"
        if isinstance(given, type) or not (absent or isinstance(given, _Checks)):
            raise ConfigError(
                f"{name} must be a CheckCode, such as CheckCode('fury', path='fury-2.0.0.tar.gz')"
            )
    outcomes: Counter[Outcome] = Counter()
    stale, went, again = list[StaleRow](), list[StaleRow](), list[str]()
    releases = ["", ""]
    for row, answer in progress(_answers(data), "checking", "answer"):
        now = check.verdict(answer)
        then = before.verdict(answer) if before is not None else None
        outcomes[now.outcome] += 1
        releases[0] = releases[0] or now.release
        releases[1] = releases[1] or (then.release if then else "")
        was_stale = then is not None and then.outcome == "stale"
        if now.outcome == "stale":
            stale.append(StaleRow(id=row, findings=now.findings))
            if not was_stale:
                went.append(stale[-1])
        elif was_stale:
            again.append(row)
    return Recheck(
        outcomes=outcomes,
        stale=tuple(stale),
        went_stale=tuple(went),
        works_again=tuple(again),
        release=releases[0],
        before=releases[1],
    )


def _answers(data: Dataset | str | os.PathLike[str] | Iterable[QAPair]) -> Iterator[tuple[str, str]]:
    """Yields id and answer of each row or pair.

    Raises:
        ConfigError: It is something else.
    """
    if isinstance(data, Dataset | str | os.PathLike):
        dataset = load_dataset(data.manifest if isinstance(data, Dataset) else data)
        yield from ((row.id, row.answer) for row in read_rows(dataset))
    elif isinstance(data, Iterable):
        for pair in data:
            if not isinstance(pair, QAPair):
                raise ConfigError(
                    f"data contains a {type(pair).__name__}; give pairs, a data set or its manifest"
                )
            yield pair.id, pair.answer
    else:
        raise ConfigError(f"data is a {type(data).__name__}; give pairs, a data set or its manifest")


def _told(finding: Finding) -> str:
    since = f" (gone since {finding.gone_since})" if finding.gone_since else ""
    instead = f" -> {finding.instead}" if finding.instead else ""
    return f"{finding.symbol}{since}{instead}"


def _listed(lines: Iterable[str], count: int) -> Iterator[str]:
    for number, line in enumerate(lines):
        if number == _LISTED:
            yield f"  and {count - _LISTED:,} more"
            return
        yield f"  {line}"
