"""Who takes part: whose messages are collected."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import attrs
from attrs import field, frozen

from furytune._privacy.ids import is_digits
from furytune.errors import ConfigError

__all__ = ["Consent"]


_SHOWN = 40


def _several(value: object) -> tuple[object, ...]:
    if isinstance(value, str | int):
        return (value,)
    if not isinstance(value, Iterable) or isinstance(value, bytes | bytearray):
        raise ConfigError(
            f"people and roles are given as lists of ids or names, not as {type(value).__name__}"
        )
    return tuple(value)


def _ids(value: str | int | Iterable[str | int]) -> tuple[str, ...]:
    found = tuple(str(item).strip() for item in _several(value))
    for item in found:
        if not is_digits(item):
            raise ConfigError(
                "opt_out and opt_in name people by their Discord user ids, such as '80351110224678912'; one of them is not a number"
            )
    return found


def _names(value: str | Iterable[str]) -> tuple[str, ...]:
    found = []
    for item in _several(value):
        if not isinstance(item, str) or not item.strip():
            raise ConfigError("roles are given by name or id, as texts")
        found.append(item)
    return tuple(found)


@frozen(kw_only=True)
class Consent:
    """Whose messages are collected. Opting out wins over opting in.

    A journal keeps nothing but the id of anybody else's message, so that it is counted. Messages that were collected
    before their author opted out are removed from the journal at the next run. From an export, which is a file of yours,
    their messages are not used.

    Args:
        opt_out: Ids of people who do not take part.
        opt_out_roles: Names or ids of roles whose holders do not take part. An "@" before a name is ignored.
        opt_in: Ids of people who take part. If these or the roles below are given, nobody else does.
        opt_in_roles: Names or ids of roles whose holders take part.

    Raises:
        ConfigError: An id is not a number.
    """

    opt_out: tuple[str, ...] = field(default=(), converter=_ids)
    opt_out_roles: tuple[str, ...] = field(default=(), converter=_names)
    opt_in: tuple[str, ...] = field(default=(), converter=_ids)
    opt_in_roles: tuple[str, ...] = field(default=(), converter=_names)

    @property
    def needs_roles(self) -> bool:
        """True if people's roles decide."""
        return bool(self.opt_out_roles or self.opt_in_roles)

    @property
    def selective(self) -> bool:
        """True if only people who opted in take part."""
        return bool(self.opt_in or self.opt_in_roles)

    def resolved(self, roles: Mapping[str, str], *, hint: str = "") -> Consent:
        """Returns the same rules with role ids instead of names.

        Args:
            roles: Names of a server's roles by their ids.
            hint: What to say if there is no such role.

        Raises:
            ConfigError: There is no such role, or two have the name.
        """
        hint = f"; {hint}" if hint else ""

        def ids(wanted: tuple[str, ...]) -> tuple[str, ...]:
            found = []
            for name in wanted:
                fit = [uid for uid, known in roles.items() if name in (uid, known)]
                fit = fit or [uid for uid, known in roles.items() if name.removeprefix("@") == known]
                if not fit:
                    raise ConfigError(
                        f"no role is named {name!r}; there are {_listed(roles) or 'none'}{hint}"
                    )
                if len(fit) > 1:
                    raise ConfigError(f"{len(fit)} roles are named {name!r}; give the role's id")
                found += fit
            return tuple(found)

        return attrs.evolve(self, opt_out_roles=ids(self.opt_out_roles), opt_in_roles=ids(self.opt_in_roles))

    def refusal(self, author: str, roles: Collection[str], *, bot: bool = False) -> str:
        """Returns why a message is not collected: "opted_out", "not_opted_in", or "" if it is.

        Args:
            author: Id of its author.
            roles: Ids of the author's roles.
            bot: True for a bot, which need not opt in.
        """
        if author in self.opt_out or any(role in self.opt_out_roles for role in roles):
            return "opted_out"
        allowed = author in self.opt_in or any(role in self.opt_in_roles for role in roles)
        return "not_opted_in" if self.selective and not allowed and not bot else ""


def _listed(roles: Mapping[str, str]) -> str:
    names = sorted(set(roles.values()))
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(map(repr, names[:_SHOWN])) + more
