"""Chooses the channels of a server to read, by id or name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from attrs import frozen

from furytune._privacy.ids import has_length_of_id
from furytune.errors import ConfigError

__all__ = ["Choice"]

_SHOWN = 40
_PRIVATE = "GuildPrivateThread"


@frozen
class Choice:
    """Channels to read and to leave out, including everything below them, such as a forum's posts.

    Args:
        included: Ids to read; None means everything.
        excluded: Ids to leave out; they take precedence.
        parents: Ids of categories by the ids of their channels.
        private_threads: Whether private threads are wanted.
    """

    included: frozenset[str] | None
    excluded: frozenset[str]
    parents: Mapping[str, str]
    private_threads: bool = False

    @classmethod
    def of(
        cls,
        channels: Sequence[Mapping[str, Any]],
        include: Iterable[str],
        exclude: Iterable[str],
        private_threads: bool = False,  # noqa: FBT001, FBT002
    ) -> Choice:
        """Returns the choice among a server's channels.

        Args:
            channels: The channels as the API lists them.
            include: Ids, or names with or without a "#" before them; empty means everything.
            exclude: Ids or names to leave out.
            private_threads: Whether private threads are wanted.

        Raises:
            ConfigError: A name matches no channel.
        """
        include = tuple(include)
        return cls(
            _ids(channels, include, "include") if include else None,
            _ids(channels, exclude, "exclude"),
            {channel["id"]: channel.get("parent_id") or "" for channel in channels},
            private_threads,
        )

    def problem(self, number: str, parent: str = "", kind: str = "") -> str:
        """Returns why not to read a channel or thread: "excluded", "not_included", "private_thread", or "".

        Args:
            number: Its id.
            parent: For a thread, the id of its channel.
            kind: For a thread, its type.
        """
        chain = {number, parent or number}
        chain |= {self.parents.get(parent or number, "")}
        if chain & self.excluded:
            return "excluded"
        if self.included is not None and not chain & self.included:
            return "not_included"
        return "private_thread" if kind == _PRIVATE and not self.private_threads else ""


def _ids(channels: Sequence[Mapping[str, Any]], wanted: Iterable[str], argument: str) -> frozenset[str]:
    """Returns the ids of channels that are given by id or name.

    Raises:
        ConfigError: No channel has one of the names.
    """
    known = {channel["id"] for channel in channels}
    found: set[str] = set()
    for item in map(str, wanted):
        named = {channel["id"] for channel in channels if channel.get("name") == item.removeprefix("#")}
        # An id may belong to a thread, which is not in this list; the survey looks it up.
        if item in known or (not named and has_length_of_id(item)):
            found.add(item)
        elif named:
            found |= named
        else:
            raise ConfigError(f"{argument}: no channel is named {item!r}; there are {_listed(channels)}")
    return frozenset(found)


def _listed(channels: Sequence[Mapping[str, Any]]) -> str:
    """Returns the names of the server's channels for an error message, at most 40."""
    names = sorted({str(channel.get("name")) for channel in channels})
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return (", ".join(map(repr, names[:_SHOWN])) or "none that the bot can see") + more
