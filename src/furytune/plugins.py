"""Finds collectors, augmenters, exporters and tuners by name, built in or from other packages."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any, Literal

from furytune.errors import FurytuneError, PluginError

__all__ = ["Role", "load", "names"]

Role = Literal["collectors", "augmenters", "exporters", "tuners"]


def names(role: Role) -> list[str]:
    """Returns the sorted names of what is installed for a role. Nothing is imported.

    Args:
        role: "collectors", "augmenters", "exporters" or "tuners".
    """
    return sorted({e.name for e in entry_points(group=f"furytune.{role}")})


def load(role: Role, name: str) -> Any:
    """Imports the class that a name stands for.

    Args:
        role: "collectors", "augmenters", "exporters" or "tuners".
        name: Name of the entry point.

    Raises:
        PluginError: The name is unknown, stands for two things, or its import fails.
        MissingExtraError: It is known, but needs an optional package.
    """
    group = f"furytune.{role}"
    found = {e.value: e for e in entry_points(group=group, name=name)}
    if not found:
        known = ", ".join(names(role)) or "none"
        raise PluginError(f"no {role[:-1]} is called {name!r} in the group {group}; known: {known}")
    if len(found) > 1:
        raise PluginError(
            f"two packages claim the {role[:-1]} {name!r}: {', '.join(sorted(found))}; uninstall one"
        )
    (entry,) = found.values()
    try:
        return entry.load()
    except FurytuneError:
        raise
    except Exception as error:
        raise PluginError(
            f"the {role[:-1]} {name!r} ({entry.value}) cannot be imported: {type(error).__name__}"
        ) from error
