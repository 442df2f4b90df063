"""The sources of an answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from attrs import frozen

from furytune.answering.text import Hosts, safe
from furytune.records import Passage

__all__ = ["Source", "cited", "hosts_of"]


@frozen(kw_only=True)
class Source:
    """Where a reader finds one or more passages."""

    label: str
    url: str


def cited(passages: Sequence[Passage], hosts: Iterable[str] | Hosts | None = None) -> list[Source]:
    """Returns the sources of a prompt's passages, in their order."""
    allowed = None if hosts is None else Hosts.of(hosts)
    found = []
    for passage in passages:
        host = _host(passage.url)
        url = passage.url if host and (allowed is None or allowed.allows(host)) else ""
        found.append(Source(label=safe(passage.citation), url=url))
    return list(dict.fromkeys(found))


def hosts_of(passages: Iterable[Passage]) -> Hosts:
    """Returns the hosts that passages have addresses on."""
    return Hosts(frozenset(filter(None, (_host(passage.url) for passage in passages))))


def _host(url: str) -> str:
    parts = urlsplit(url)
    return parts.hostname or "" if parts.scheme in {"http", "https"} else ""
