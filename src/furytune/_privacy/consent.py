"""Decides whose messages are collected."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

import attrs
from attrs import field, frozen

from furytune._privacy.ids import as_id, is_digits
from furytune.errors import ConfigError

__all__ = ["Consent", "by_number"]

_ACCOUNT = re.compile(r"@[\w.-]{1,100}")

_SHOWN = 40


def _several(value: object) -> tuple[object, ...]:
    """Returns one value or several as a tuple."""
    if isinstance(value, str | int):
        return (value,)
    if not isinstance(value, Iterable) or isinstance(value, bytes | bytearray):
        raise ConfigError(f"people and roles must be lists of ids or names, not {type(value).__name__}")
    return tuple(value)


def _ids(value: str | int | Iterable[str | int]) -> tuple[str, ...]:
    """Converts an argument that takes ids of users, or names of accounts after an "@", in lower case.

    Raises:
        ConfigError: One of them is neither.
    """
    found = tuple(as_id(str(item).strip()) for item in _several(value))
    found = tuple(item.casefold() if _ACCOUNT.fullmatch(item) else item for item in found)
    for item in found:
        if not is_digits(item) and not item.startswith("@"):
            raise ConfigError(
                "opt_out and opt_in take Discord user ids, such as '80351110224678912', ids with their platform, such as "
                "'slack:U012AB3CD', or accounts in forums, such as '@octocat', but one of them has another form"
            )
    return found


def _names(value: str | Iterable[str]) -> tuple[str, ...]:
    """Converts an argument that takes names or ids of roles.

    Raises:
        ConfigError: One of them is empty, or not a text.
    """
    found = []
    for item in _several(value):
        if not isinstance(item, str) or not item.strip():
            raise ConfigError("a role must be a name or an id, as a string that is not empty")
        found.append(item)
    return tuple(found)


@frozen(kw_only=True)
class Consent:
    """Decides whose messages are collected. Opting out wins over opting in.

    Of all other messages, a journal stores only the ids, so that they are counted. If people opt out later, the next run
    removes their messages from the journal. An export is your own file and does not change, but their messages in it are
    not used.

    Args:
        opt_out: Ids of people who do not take part. Ids of other platforms have its name before them, such as
            "slack:U012AB3CD". In forums, an account such as "@octocat" is an id too.
        opt_out_roles: Names or ids of roles. People with one of them do not take part. An "@" before a name is ignored.
        opt_in: Ids of people who take part. If you give ids or roles to opt in, no one else takes part.
        opt_in_roles: Names or ids of roles. People with one of them take part.

    Raises:
        ConfigError: An id is neither a number nor an account.
    """

    opt_out: tuple[str, ...] = field(default=(), converter=_ids)
    opt_out_roles: tuple[str, ...] = field(default=(), converter=_names)
    opt_in: tuple[str, ...] = field(default=(), converter=_ids)
    opt_in_roles: tuple[str, ...] = field(default=(), converter=_names)

    @property
    def needs_roles(self) -> bool:
        """True if the decision depends on roles."""
        return bool(self.opt_out_roles or self.opt_in_roles)

    @property
    def selective(self) -> bool:
        """True if only people who opted in take part."""
        return bool(self.opt_in or self.opt_in_roles)

    def resolved(self, roles: Mapping[str, str], *, hint: str = "") -> Consent:
        """Returns the same rules with role ids instead of names.

        Args:
            roles: Maps the ids of a server's roles to their names.
            hint: What to do if a role does not exist, for the error message.

        Raises:
            ConfigError: A role does not exist, or two roles have the same name.
        """
        hint = f"; {hint}" if hint else ""

        def ids(wanted: tuple[str, ...]) -> tuple[str, ...]:
            found = []
            for name in wanted:
                # The exact name first, because the name of a role can really begin with "@".
                fit = [uid for uid, known in roles.items() if name in (uid, known)]
                fit = fit or [uid for uid, known in roles.items() if name.removeprefix("@") == known]
                if not fit:
                    raise ConfigError(
                        f"no role is named {name!r}; the known roles are {_listed(roles) or 'none'}{hint}"
                    )
                if len(fit) > 1:
                    raise ConfigError(f"{len(fit)} roles are named {name!r}; give the role's id")
                found += fit
            return tuple(found)

        return attrs.evolve(self, opt_out_roles=ids(self.opt_out_roles), opt_in_roles=ids(self.opt_in_roles))

    def refusal(self, author: str, roles: Collection[str], *, bot: bool = False, account: str = "") -> str:
        """Returns why a message is not collected: "opted_out", "not_opted_in", or "" if it is.

        Args:
            author: Id of its author.
            roles: Ids of the author's roles.
            bot: True for a bot. Bots need not opt in.
            account: Name of the author's account in a forum, in lower case after an "@".
        """
        known = {author, account} - {""}
        if not known.isdisjoint(self.opt_out) or any(role in self.opt_out_roles for role in roles):
            return "opted_out"
        allowed = not known.isdisjoint(self.opt_in) or any(role in self.opt_in_roles for role in roles)
        # Bots have no wishes of their own, and their messages are dropped later unless the user wants them.
        return "not_opted_in" if self.selective and not allowed and not bot else ""


def by_number(_: object, attribute: attrs.Attribute[Consent], value: Consent) -> None:
    """Validates rules for a platform that knows people by number only.

    Raises:
        ConfigError: They name an account, which would never match.
    """
    if any(item.startswith("@") for item in (*value.opt_out, *value.opt_in)):
        raise ConfigError(
            f"{attribute.name}: Discord knows people by id, such as '80351110224678912'; give ids instead of accounts"
        )


def _listed(roles: Mapping[str, str]) -> str:
    """Returns the names of the known roles for an error message, at most 40."""
    names = sorted(set(roles.values()))
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(map(repr, names[:_SHOWN])) + more
