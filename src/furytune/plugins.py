"""Finds parts by name, built-in ones and those of other packages, so that a settings file can name them."""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal, get_args

from furytune.errors import FurytuneError, PluginError

__all__ = ["Role", "load", "name_of", "names"]

Role = Literal[
    "augmenters",
    "collectors",
    "corpora",
    "curators",
    "embedders",
    "exporters",
    "models",
    "pairers",
    "rerankers",
    "splitters",
    "tuners",
]
"""What a part is for. The entry points of a role are in the group ``furytune.ROLE``."""

_ONE = {"corpora": "corpus"}


def names(role: Role) -> list[str]:
    """Returns the sorted names of the parts that are installed for a role. Imports nothing.

    Args:
        role: What the parts are for.
    """
    return sorted({e.name for e in _installed(_places())[role]})


def name_of(part: type) -> str | None:
    """Returns the name that a class has as a plugin, None if it has none.

    Args:
        part: The class.
    """
    for entry in (entry for entries in _installed(_places()).values() for entry in entries):
        # The class may be defined in another module than the one that the entry point names.
        if (
            entry.attr == part.__qualname__
            and entry.module.partition(".")[0] == part.__module__.partition(".")[0]
        ):
            try:
                if entry.load() is part:
                    return entry.name
            except Exception:  # noqa: BLE001, S112  (a plugin that cannot be imported is not this class)
                continue
    return None


@lru_cache(maxsize=4)
def _installed(places: tuple[tuple[str, int], ...]) -> dict[str, tuple[EntryPoint, ...]]:  # noqa: ARG001  (when to look again)
    """Returns the entry points of all roles. Reading the files of all packages takes long, so it is done once."""
    found = entry_points()
    return {role: tuple(found.select(group=f"furytune.{role}")) for role in get_args(Role)}


def _places() -> tuple[tuple[str, int], ...]:
    """Returns where packages are found, with the times of their last change: installing one changes its folder."""
    return tuple((place, _changed(place)) for place in sys.path)


def _changed(place: str) -> int:
    try:
        return os.stat(place or ".").st_mtime_ns  # noqa: PTH116  (called often)
    except OSError:
        return 0


def load(role: Role, name: str) -> Any:
    """Imports the class or function with this name.

    Args:
        role: What the part is for.
        name: Name of the entry point.

    Raises:
        PluginError: The name is unknown, two packages claim it, or its import fails.
        MissingExtraError: The part needs an optional package that is not installed.
    """
    group, part = f"furytune.{role}", _ONE.get(role, role[:-1])
    # By value: an editable install beside a normal one lists the same part twice.
    found = {e.value: e for e in _installed(_places())[role] if e.name == name}
    if not found:
        known = ", ".join(names(role)) or "none"
        raise PluginError(f"no {part} is called {name!r} in the group {group}; installed: {known}")
    if len(found) > 1:
        raise PluginError(
            f"two packages claim the {part} {name!r}: {', '.join(sorted(found))}; uninstall one"
        )
    (entry,) = found.values()
    try:
        return entry.load()
    except FurytuneError:
        raise
    except Exception as error:
        raise PluginError(
            f"the {part} {name!r} ({entry.value}) cannot be imported ({type(error).__name__}); install the package again, or uninstall it"
        ) from error
