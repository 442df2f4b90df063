"""Keeps the answers of people whom a server trusts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from attrs import field, frozen

from furytune._values.checks import one_of
from furytune.errors import ConfigError
from furytune.records import Dropped, QAPair

__all__ = ["AnsweredBy"]


def _roles(value: str | Iterable[str]) -> frozenset[str]:
    """Converts names of roles, in which case and outer blanks do not count.

    Raises:
        ConfigError: There is no name.
    """
    names = frozenset(map(_key, (value,) if isinstance(value, str) else value))
    if not names or "" in names:
        raise ConfigError('AnsweredBy needs names of roles, such as AnsweredBy({"Helper", "Core"})')
    return names


def _key(name: str) -> str:
    if not isinstance(name, str):
        raise ConfigError(f"AnsweredBy: a role is a name, not a {type(name).__name__}")
    return name.strip().removeprefix("@").casefold()


@frozen
class AnsweredBy:
    """Curation step: keeps answers of people who have one of these roles on the server.

    It is the strongest protection against planted answers: who may have such a role is decided by people. If several people
    wrote an answer, each of them must have the role. Others are dropped as "no_role". Someone who left the server has no roles.

    Roles are known from exports, and from a server that is read live with a `Consent` that names roles. Pairs of other
    sources, such as CSV, say nothing about roles.

    Attributes:
        roles: Names of roles. Case does not count.
        on_unknown: "drop" or "keep" pairs whose answerer's roles are not known. The reason of the drop is "unknown_roles".

    Raises:
        ConfigError: No role is given.
    """

    roles: frozenset[str] = field(converter=_roles)
    on_unknown: Literal["drop", "keep"] = field(
        default="drop", kw_only=True, validator=one_of("drop", "keep")
    )

    @property
    def name(self) -> str:
        """Name in reports."""
        return "answered_by"

    def __call__(self, pair: QAPair) -> QAPair | Dropped:
        """Keeps the pair unchanged, or drops it."""
        if pair.answerer_roles is None:
            if self.on_unknown == "keep":
                return pair
            return Dropped(reason="unknown_roles", ids=(pair.id,), where=pair.source.path)
        if self.roles.isdisjoint(map(_key, pair.answerer_roles)):
            return Dropped(reason="no_role", ids=(pair.id,), where=pair.source.path)
        return pair
