"""Chooses channels of an export or a journal, by id or name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

from furytune._channels.channel import Channel
from furytune._privacy.printable import one_line
from furytune.errors import ConfigError
from furytune.records import Dropped

__all__ = ["channel_names", "chosen_channels", "home", "named"]

_SHOWN = 40


class _Source(Protocol):
    @property
    def channel(self) -> Channel: ...


S = TypeVar("S", bound=_Source)


def channel_names(value: str | int | Iterable[str | int]) -> tuple[str, ...]:
    """Converts an argument that names channels: one id or name, or several.

    Raises:
        ConfigError: It is something else.
    """
    items = (value,) if isinstance(value, str | int) else value
    if isinstance(items, bytes | Mapping) or not isinstance(items, Iterable):
        raise ConfigError(f"channels must be ids or names in a list, not a {type(value).__name__}")
    found = tuple(items)
    for item in found:
        if isinstance(item, bool) or not isinstance(item, str | int) or not str(item).strip().strip("# "):
            raise ConfigError("channels must be ids or names, such as 'help'; one of them is neither")
    return tuple(str(item).strip() for item in found)


def chosen_channels(
    sources: Sequence[S],
    wanted: tuple[str, ...],
    excluded: tuple[str, ...],
    on_drop: Callable[[Dropped], None],
) -> list[S]:
    """Returns the sources to read.

    A channel matches its own id and name, and those of its category. A thread or post matches its id, and everything that
    its channel matches. Case does not matter, and a "#" before a name is ignored. Titles of threads do not count as
    names, because people write them.

    Args:
        sources: Channels and threads.
        wanted: Ids or names to read; empty means everything.
        excluded: Ids or names to leave out; they take precedence.
        on_drop: Called with a drop of the unit "channel" for each one left out: "excluded" or "not_included".

    Raises:
        ConfigError: A name or id matches no channel of the sources.
    """
    if not wanted and not excluded:
        return list(sources)
    meanings = _meanings([source.channel for source in sources])
    known = frozenset[str]().union(*meanings)
    for argument, names in (("channels", wanted), ("exclude", excluded)):
        for name in names:
            # A misspelled `exclude` would otherwise let a channel into the data set.
            if _plain(name) not in known:
                raise ConfigError(f"{argument}: no channel is named {name!r}; there are {_listed(sources)}")
    inside, outside = set(map(_plain, wanted)), set(map(_plain, excluded))
    found = []
    for source, meaning in zip(sources, meanings, strict=True):
        reason = (
            "excluded" if meaning & outside else "not_included" if wanted and not meaning & inside else ""
        )
        if reason:
            on_drop(Dropped(reason=reason, unit="channel", where=named(source.channel)))
        else:
            found.append(source)
    return found


def named(channel: Channel) -> str:
    """Returns how reports name a channel: a thread only by its id, because a person wrote its title."""
    if channel.is_thread or not channel.name:
        return channel.id
    return f"#{one_line(channel.name)} ({channel.id})"


def home(channel: Channel) -> tuple[str, str]:
    """Returns id and name of a channel, or of the channel that a thread belongs to.

    The title of a thread is not a name of anything else, because a person wrote it.
    """
    if not channel.is_thread:
        return channel.id, channel.name
    # In the file of a thread, the category is its channel.
    return (channel.parent, channel.category) if channel.parent else (channel.id, "")


def _meanings(channels: Sequence[Channel]) -> list[set[str]]:
    """Returns the ids and names that each channel matches."""
    own = [
        # A title of a thread is not a name to choose by: anyone can open a thread with the name of a channel.
        {_plain(c.id), _plain(c.parent), _plain(c.category), "" if c.is_thread else _plain(c.name)} - {""}
        for c in channels
    ]
    by_id = {c.id: names for c, names in zip(channels, own, strict=True) if c.id}
    # A thread's file names its channel, but not the category of that; only the channel's own file does.
    return [
        names | by_id.get(c.parent, set()) if c.is_thread else names
        for c, names in zip(channels, own, strict=True)
    ]


def _plain(name: str) -> str:
    return name.strip().removeprefix("#").casefold()


def _listed(sources: Sequence[_Source]) -> str:
    """Returns the names of the known channels for an error message, at most 40."""
    names = {repr(one_line(s.channel.name)) for s in sources if s.channel.name and not s.channel.is_thread}
    names |= {repr(one_line(s.channel.category)) for s in sources if s.channel.category}
    # Without the file of its channel, a thread may know the channel only by id.
    names |= {s.channel.parent for s in sources if s.channel.is_thread and not s.channel.category} - {""}
    names = names or {s.channel.id for s in sources}
    shown = sorted(names)[:_SHOWN]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return (", ".join(shown) or "none") + more
