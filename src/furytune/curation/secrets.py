"""Replaces secrets and personal data in answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs
from attrs import field, frozen

from furytune._privacy.redaction import PLACEHOLDERS, chosen, redact
from furytune.errors import ConfigError
from furytune.records import Dropped, QAPair

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["RedactSecrets"]

_SAFE: Final = ("secrets", "emails", "accounts", "birthdates", "names", "devices")


def _kinds(value: str | Iterable[str]) -> tuple[str, ...]:
    """Converts the kinds to redact, in their fixed order.

    Raises:
        ConfigError: One of them is unknown, or there is none.
    """
    kinds = chosen(value)
    if not kinds:
        raise ConfigError(
            f"RedactSecrets needs a kind to redact; choose from {', '.join(PLACEHOLDERS)}, or all"
        )
    return kinds


@frozen
class RedactSecrets:
    """Curation step: replaces secrets and personal data in answers with ``[secret]``, ``[e-mail]`` and the like.

    Questions are not changed: the normaliser, which the bot shares, redacts those. If only placeholders are left of an
    answer, the pair is dropped as "only_secrets".

    Attributes:
        kinds: Which of "secrets", "emails", "ips", "phones", "accounts", "addresses", "birthdates", "names" and "devices" to
            replace, or "all". By default, all but those that can be mistaken for other numbers and words: "ips", "phones"
            and "addresses".
    """

    kinds: tuple[str, ...] = field(default=_SAFE, converter=_kinds)

    @property
    def name(self) -> str:
        """Name in `QAPair.edits` and in reports."""
        return "redact_secrets"

    def __call__(self, pair: QAPair) -> QAPair | Dropped:
        """Returns the pair with a clean answer, or drops it."""
        answer, found = redact(pair.answer, self.kinds)
        if not found:
            return pair
        if not _says_something(answer):
            return Dropped(reason="only_secrets", ids=(pair.id,), where=pair.source.path)
        return attrs.evolve(pair, answer=answer)


def _says_something(answer: str) -> bool:
    """Returns whether anything but placeholders and punctuation is left."""
    for mark in PLACEHOLDERS.values():
        answer = answer.replace(mark, "")
    # An answer of nothing but placeholders would teach the model to write placeholders.
    return any(character.isalnum() for character in answer)
