"""Finds parts by name, built-in ones and those of other packages, so that a settings file can name them."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any, Literal

from furytune.errors import FurytuneError, PluginError

__all__ = ["Role", "load", "names"]

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
    return sorted({e.name for e in entry_points(group=f"furytune.{role}")})


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
    found = {e.value: e for e in entry_points(group=group, name=name)}
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
