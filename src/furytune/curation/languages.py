"""Keeps pairs in the languages that a bot speaks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from attrs import field, frozen

from furytune.errors import ConfigError
from furytune.pairing.languages import language
from furytune.records import Dropped, QAPair

__all__ = ["Languages"]

_KNOWN: Final = (
    "ar",
    "de",
    "el",
    "en",
    "es",
    "fr",
    "he",
    "hi",
    "it",
    "ja",
    "ko",
    "nl",
    "pl",
    "pt",
    "ru",
    "th",
    "tr",
    "uk",
    "zh",
)


def _codes(value: str | Iterable[str]) -> tuple[str, ...]:
    """Converts codes of languages, in their order.

    Raises:
        ConfigError: One of them is unknown, or there is none.
    """
    wanted = (value,) if isinstance(value, str) else tuple(value)
    unknown = [code for code in wanted if code not in _KNOWN]
    if unknown or not wanted:
        named = ", ".join(map(repr, unknown[:3])) or "nothing"
        raise ConfigError(f"Languages cannot tell {named}; choose from {', '.join(_KNOWN)}")
    return tuple(sorted(set(wanted)))


@frozen
class Languages:
    """Curation step: keeps pairs in these languages, and drops others as "other_language".

    The language is that of question and answer together, without code and links, as `language` tells it. A pair whose
    language is not clear is kept: it may be short, or mostly code. So is one that a person accepted (`QAPair.reviewed`).

    Attributes:
        codes: ISO 639-1 codes, such as "en" or ("en", "de"). The detail of a drop has the code of the pair's language.

    Raises:
        ConfigError: A code is not one that `language` tells, or there is none.
    """

    codes: tuple[str, ...] = field(converter=_codes)

    @property
    def name(self) -> str:
        """Name in reports."""
        return "languages"

    def __call__(self, pair: QAPair) -> QAPair | Dropped:
        """Keeps the pair unchanged, or drops it."""
        if pair.reviewed:
            return pair
        found = language(f"{pair.question}\n\n{pair.answer}")
        if not found or found in self.codes:
            return pair
        return Dropped(reason="other_language", ids=(pair.id,), where=pair.source.path, detail=found)
