"""What the doctor finds, and checks of files that it makes in several places."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Literal, TypeAlias

from attrs import frozen

from furytune._privacy.printable import printable

__all__ = ["Finding", "State", "existing", "note", "ok", "private", "problem", "writable"]

State: TypeAlias = Literal["ok", "note", "problem"]


@frozen(kw_only=True)
class Finding:
    """One thing that was checked.

    Attributes:
        state: "ok", "note" (it can work), or "problem" (a run will fail).
        subject: What was checked.
        said: What was found, and what to do.
    """

    state: State
    subject: str
    said: str


def ok(subject: str, said: str) -> Finding:
    """Returns a finding that all is well."""
    return Finding(state="ok", subject=subject, said=said)


def note(subject: str, said: str) -> Finding:
    """Returns a finding that need not be a problem."""
    return Finding(state="note", subject=subject, said=said)


def problem(subject: str, said: str) -> Finding:
    """Returns a finding that must be mended."""
    return Finding(state="problem", subject=subject, said=said)


def existing(path: Path) -> Path:
    """Returns the nearest folder above a path that exists."""
    return next(folder for folder in path.absolute().parents if folder.is_dir())


def writable(subject: str, path: Path) -> Finding:
    """Says whether a file can be written."""
    place = path if path.exists() else existing(path)
    if not os.access(place, os.W_OK):
        return problem(subject, f"{printable(place)}: you may not write here")
    return ok(subject, f"{printable(path)}: can be written")


def private(subject: str, path: Path) -> Finding:
    """Says whether a file that exists is its owner's alone."""
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        return note(subject, f"{printable(path)}: others can read this file; run chmod 600 on it")
    return ok(subject, f"{printable(path)}: can be read, and by its owner alone")
