"""When each release of a project was published, and so which one people used on a day."""

from __future__ import annotations

import csv
import json
import os
import re
from bisect import bisect_right
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final, Self

from attrs import field, frozen

from furytune._python_source.git import tags
from furytune._values.checks import of_type
from furytune._values.shown import Shown
from furytune.errors import ConfigError, SourceError, SourceFormatError
from furytune.records import QAPair

__all__ = ["Releases", "Version", "version"]

Version = tuple[tuple[int, ...], int, int]
"""What orders releases: the numbers, the phase before or after the final release, and the number in that phase."""

_VERSION: Final = re.compile(
    r"(?P<word>[A-Za-z][A-Za-z_]{0,40}[-_/])?v?(?P<numbers>\d{1,9}(?:\.\d{1,9}){0,8})"
    r"(?:[-_.]?(?P<phase>dev|a|alpha|b|beta|c|rc|pre|preview|post)[-_.]?(?P<count>\d{0,9}))?"
)
_PHASES: Final = {
    "dev": -4,
    "a": -3,
    "alpha": -3,
    "b": -2,
    "beta": -2,
    "c": -1,
    "rc": -1,
    "pre": -1,
    "preview": -1,
    "post": 1,
}
_KEYS: Final = ("release", "date")


def version(name: str) -> Version | None:
    """Returns what orders a release among others; None if its name is not a version.

    The names are those of PEP 440 without epochs and local parts, and tags such as "v1.2" or "release-1.2". A trailing zero
    says nothing: 1.2 is 1.2.0.
    """
    found = _VERSION.fullmatch(name.strip())
    # A word and a single number are more often something else, such as "docs/1".
    if found is None or (found["word"] and "." not in found["numbers"]):
        return None
    numbers = [int(number) for number in found["numbers"].split(".")]
    while len(numbers) > 1 and not numbers[-1]:
        numbers.pop()
    return tuple(numbers), _PHASES.get(found["phase"] or "", 0), int(found["count"] or 0)


def _moment(name: str, value: object) -> datetime:
    """Returns a moment for a date.

    Raises:
        ConfigError: It is not a date, or has a time without a time zone.
    """
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value) if len(value) <= 10 else datetime.fromisoformat(value)
        except ValueError:
            raise ConfigError(f"the date of release {name} is not written like 2024-03-01") from None
    if isinstance(value, datetime):
        if value.utcoffset() is None:
            raise ConfigError(
                f"the date of release {name} has a time without a time zone; add one, or give only the day"
            )
        return value.astimezone(UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    raise ConfigError(
        f"the date of release {name} must be a date or a text like 2024-03-01, not a {type(value).__name__}"
    )


def _ordered(value: Mapping[str, datetime | date | str]) -> tuple[tuple[str, datetime], ...]:
    """Returns releases and moments in the order of versions.

    Raises:
        ConfigError: A name is not a version, two are the same version, or a date cannot be used.
    """
    if not isinstance(value, Mapping):
        raise ConfigError('Releases needs a mapping of releases to dates, such as {"0.11.0": "2024-03-01"}')
    found: dict[Version, tuple[str, datetime]] = {}
    for name, when in value.items():
        key = version(name) if isinstance(name, str) else None
        if key is None:
            raise ConfigError(
                "the name of a release is not a version; give names such as 0.11.0 or v2.0.0rc1"
            )
        if key in found:
            raise ConfigError(
                f"the releases {found[key][0]} and {name} are the same version; keep one of them"
            )
        found[key] = (name, _moment(name, when))
    if not found:
        raise ConfigError("Releases needs at least one release")
    return tuple(found[key] for key in sorted(found))


@frozen(repr=False)
class Releases(Shown):
    """The releases of a project with their dates. Nothing is looked up on the internet.

    A release counts from its moment on. A date without a time is the beginning of that day in UTC.

    Attributes:
        dates: Each release with its moment, in the order of versions. Give a mapping, such as ``{"0.11.0": "2024-03-01"}``.
        package: Name of the package. With it, a release that a question names ("fury 0.9", "fury==0.9.1") counts more than
            the date of the question.
        prereleases: Whether release candidates and other previews count. Few people use them, so they do not by default.

    Raises:
        ConfigError: A name is not a version, a date is not a date or has no time zone, or there is no release.
    """

    dates: tuple[tuple[str, datetime], ...] = field(converter=_ordered)
    package: str = field(default="", validator=of_type(str), kw_only=True)
    prereleases: bool = field(default=False, validator=of_type(bool), kw_only=True)
    _moments: tuple[datetime, ...] = field(init=False, repr=False, eq=False)
    _newest: tuple[str, ...] = field(init=False, repr=False, eq=False)
    _features: tuple[tuple[int, ...], ...] = field(init=False, repr=False, eq=False)
    _mention: re.Pattern[str] | None = field(init=False, repr=False, eq=False)

    @_moments.default
    def _when(self) -> tuple[datetime, ...]:
        return tuple(sorted(moment for _, moment in self._counted()))

    @_newest.default
    def _newest_at(self) -> tuple[str, ...]:
        """The newest version at each moment: an old branch may get a release after a newer one."""
        places = {name: n for n, (name, _) in enumerate(self.dates)}
        newest, found = -1, list[str]()
        for name, _ in sorted(self._counted(), key=lambda item: item[1]):
            newest = max(newest, places[name])
            found.append(self.dates[newest][0])
        # Of several at one moment, the last stands for all.
        return tuple(found)

    @_features.default
    def _feature_releases(self) -> tuple[tuple[int, ...], ...]:
        return tuple(sorted({_feature(name) for name, _ in self._counted()}))

    @_mention.default
    def _mentions(self) -> re.Pattern[str] | None:
        if not self.package:
            return None
        return re.compile(
            rf"(?<![\w.-]){re.escape(self.package)}(?:\s{{1,3}}(?:version|release))?\s{{0,3}}(?:==?|:|-)?\s{{0,3}}"
            r"v?(\d{1,9}(?:\.\d{1,9}){1,8}(?:(?:a|b|rc)\d{1,9})?)(?![\w])(?!\.\d)",
            re.IGNORECASE,
        )

    @classmethod
    def from_git(cls, path: str | os.PathLike[str], *, package: str = "", prereleases: bool = False) -> Self:
        """Reads the tags of a git repository. Tags whose names are not versions are left out.

        Args:
            path: Folder in a checkout, or a bare repository.
            package: See the class.
            prereleases: See the class.

        Raises:
            ConfigError: git is not installed, or no tag is a version.
            KnowledgeError: It is not a repository.
        """
        found: dict[Version, tuple[str, datetime]] = {}
        for name, moment in tags(Path(path)):
            key = version(name)
            # Of "1.2" and "v1.2", the first one published counts.
            if key is not None and (key not in found or moment < found[key][1]):
                found[key] = (name, moment)
        if not found:
            raise ConfigError(
                f"{path}: no tag is a version; fetch the tags with `git fetch --tags`, or give a mapping"
            )
        return cls(
            {_bare(name): moment for name, moment in found.values()}, package=package, prereleases=prereleases
        )

    @classmethod
    def read(cls, path: str | os.PathLike[str], *, package: str = "", prereleases: bool = False) -> Self:
        """Reads a file: JSON that maps releases to dates, or CSV with the columns "release" and "date".

        Args:
            path: The file; its name ends with .json or .csv.
            package: See the class.
            prereleases: See the class.

        Raises:
            ConfigError: The file is neither, or its contents are not releases and dates.
            SourceError: The file cannot be read.
        """
        file = Path(path)
        if file.suffix.lower() not in {".json", ".csv"}:
            raise ConfigError(f"{file}: give a file whose name ends with .json or .csv")
        try:
            text = file.read_text(encoding="utf-8-sig")
        except OSError as error:
            raise SourceError(f"{file}: cannot be read: {error.strerror}; check the path") from error
        except UnicodeDecodeError:
            raise SourceError(f"{file}: is not UTF-8; save it as UTF-8") from None
        found = _from_json(text, file) if file.suffix.lower() == ".json" else _from_csv(text, file)
        return cls(found, package=package, prereleases=prereleases)

    @property
    def newest(self) -> str:
        """The newest release; of those that count, if one does."""
        counted = self._counted()
        return counted[-1][0]

    def at(self, moment: datetime | None) -> str:
        """Returns the newest release that was published at a moment or before; "" before the first, and without a moment.

        Raises:
            ConfigError: The moment has no time zone.
        """
        if moment is None:
            return ""
        if moment.utcoffset() is None:
            raise ConfigError("the moment has no time zone; give it one, such as datetime.UTC")
        place = bisect_right(self._moments, moment)
        return self._newest[place - 1] if place else ""

    def named(self, text: str) -> str:
        """Returns the release of ``package`` that a text names, the newest if it names several; "" if it names no release.

        "fury 0.9" is the newest known release of 0.9. What is newer than all known releases is not a release.
        """
        if self._mention is None:
            return ""
        found = [name for name in self._mention.findall(text) if self._exists(name)]
        return self._known(max(found, key=_key)) if found else ""

    def of(self, pair: QAPair) -> str:
        """Returns the release that a pair is about: the one that its question names, or else that of its day."""
        return self.named(pair.question) or self.at(pair.asked_at)

    def behind(self, release: str) -> int:
        """Returns how many feature releases are newer than a release. 2.1 is one, 2.1.1 and 2.1.2 are not.

        Raises:
            ConfigError: The name is not a version.
        """
        return sum(other > _feature(release) for other in self._features)

    def _counted(self) -> tuple[tuple[str, datetime], ...]:
        """Returns the releases that count: final ones, and all if there are no others or ``prereleases`` says so."""
        final = tuple(item for item in self.dates if _key(item[0])[1] >= 0)
        return self.dates if self.prereleases or not final else final

    def _exists(self, name: str) -> bool:
        return _key(name) <= _key(self.dates[-1][0]) or self._known(name) != name

    def _known(self, name: str) -> str:
        """Returns the newest known release of a name: 0.9.1 for 0.9, and the name itself without one."""
        known = [n for n, _ in self.dates if _key(n) == _key(name) or f"{_bare(n)}.".startswith(f"{name}.")]
        return known[-1] if known else name


def _from_json(text: str, file: Path) -> dict[str, str]:
    """Returns the mapping in a JSON file.

    Raises:
        SourceFormatError: It is not such a mapping.
    """
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else None
        raise SourceFormatError("is not JSON", path=str(file), line=line, hint="correct it") from None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise SourceFormatError(
            "is not an object of releases and dates",
            path=str(file),
            hint='write it like {"0.11.0": "2024-03-01"}',
        )
    return found


def _from_csv(text: str, file: Path) -> dict[str, str]:
    """Returns the releases and dates in a CSV file.

    Raises:
        SourceFormatError: A column is missing, or a release is there twice.
    """
    found: dict[str, str] = {}
    rows = csv.DictReader(text.splitlines(), skipinitialspace=True)
    if not set(_KEYS) <= set(rows.fieldnames or ()):
        raise SourceFormatError(
            'has no columns "release" and "date"', path=str(file), line=1, hint="name them in the first line"
        )
    for row in rows:
        name, when = ((row[key] or "").strip() for key in _KEYS)
        if name in found:
            raise SourceFormatError(
                "has a release a second time", path=str(file), line=rows.line_num, hint="keep one of them"
            )
        found[name] = when
    return found


def _key(name: str) -> Version:
    found = version(name)
    if found is None:
        raise ConfigError("a release must be a version such as 0.11.0")
    return found


def _feature(name: str) -> tuple[int, ...]:
    """Returns the first two numbers of a version. Releases that share them differ by repairs."""
    return (*_key(name)[0], 0)[:2]


def _bare(name: str) -> str:
    """Returns the version in the name of a tag."""
    found = _VERSION.fullmatch(name)
    return name if found is None else name[found.start("numbers") :]
