"""The sources of an answer, for people and for programs: what each passage is called, and where a reader finds it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from attrs import frozen

from furytune.answering.text import Hosts, safe
from furytune.records import Passage

__all__ = ["Source", "cited", "footnotes", "hosts_of"]

_DISCORD = re.compile(r"(?:^|\.)discord(?:app)?\.(?:com|gg)$")


@frozen(kw_only=True)
class Source:
    """Where a reader finds one or more passages.

    Attributes:
        label: One line that names it, safe to show in a chat program.
        url: Its address; "" if it has none, or one that must not be linked.
        numbers: Numbers of its passages in the prompt, from 1.
    """

    label: str
    url: str
    numbers: tuple[int, ...]


def cited(passages: Sequence[Passage], hosts: Iterable[str] | Hosts | None = None) -> list[Source]:
    """Returns the sources of a prompt's passages, in their order. Passages of the same source are merged.

    Args:
        passages: The passages, such as ``prompt.passages``.
        hosts: Hosts that may be linked, as in `furytune.answering.text.safe`; None for every host. An address that is not
            one of the web, such as ``javascript:``, is never linked.

    Raises:
        ConfigError: ``hosts`` contains something that is not the name of a host.
    """
    allowed = None if hosts is None else Hosts.of(hosts)
    found: dict[tuple[str, str], list[int]] = {}
    for number, passage in enumerate(passages, 1):
        host = Hosts.host_of(passage.url)
        url = passage.url if host and (allowed is None or allowed.allows(host)) else ""
        found.setdefault((safe(passage.citation), url), []).append(number)
    return [Source(label=label, url=url, numbers=tuple(numbers)) for (label, url), numbers in found.items()]


def footnotes(sources: Iterable[Source]) -> str:
    """Returns sources as the end of an answer; "" if there are none."""
    lines = [
        f"{''.join(f'[{n}]' for n in source.numbers)} {source.label} {source.url}".rstrip()
        for source in sources
    ]
    return "\n\n" + "\n".join(lines) if lines else ""


def hosts_of(passages: Iterable[Passage]) -> Hosts:
    """Returns the hosts that passages have addresses on, without Discord, where an address can be an invitation."""
    found = {Hosts.host_of(passage.url) for passage in passages}
    return Hosts(frozenset(host for host in found if host and not _DISCORD.search(host)))
