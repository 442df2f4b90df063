"""Which hosts an answer may link to."""

from __future__ import annotations

import re
from collections.abc import Iterable

from attrs import frozen

from furytune.errors import ConfigError

__all__ = ["Hosts"]

_HOST = re.compile(
    r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?::[0-9]{1,5})?"
)


@frozen
class Hosts:
    """Hosts, each by its exact name; "*.example.org" stands for all names below it.

    Attributes:
        names: Names, with a port if it is not the usual one.
        suffixes: Ends of names, such as ".example.org".
    """

    names: frozenset[str] = frozenset()
    suffixes: tuple[str, ...] = ()

    @classmethod
    def of(cls, hosts: Iterable[str] | Hosts | None) -> Hosts:
        """Reads what an operator wrote.

        Raises:
            ConfigError: It is not a list of host names.
        """
        if isinstance(hosts, Hosts):
            return hosts
        names, suffixes = set[str](), set[str]()
        if isinstance(hosts, str):
            raise ConfigError('hosts must be a list of host names, such as ["fury.gl"], not a string')
        for host in hosts or ():
            name = _plain(host.removeprefix("*.") if isinstance(host, str) else host)
            (suffixes.add("." + name) if host.startswith("*.") else names.add(name))
        return cls(frozenset(names), tuple(sorted(suffixes)))

    def allows(self, host: str) -> bool:
        """Returns whether an answer may link to a host, written as in an address: with a port, if it has one."""
        name = host.lower().removesuffix(".")
        return name in self.names or (bool(self.suffixes) and name.endswith(self.suffixes))

    def __or__(self, other: Hosts) -> Hosts:
        return Hosts(self.names | other.names, tuple(sorted({*self.suffixes, *other.suffixes})))


def _plain(host: object) -> str:
    name = host.lower().removesuffix(".") if isinstance(host, str) else ""
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError:
            name = ""
    if not _HOST.fullmatch(name):
        raise ConfigError(
            f"{host!r} is not a host name; write it without scheme and path, such as 'fury.gl', or '*.fury.gl' for all below it"
        )
    return name
