"""Turns the operating system's errors into errors that say what to do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from furytune.errors import FurytuneError

__all__ = ["system_errors_as"]

_MAY_BE = "check the free disk space, the permissions and the limit of open files, and run again"


@contextmanager
def system_errors_as(
    kind: type[FurytuneError], place: str | os.PathLike[str], consequence: str = ""
) -> Iterator[None]:
    """Raises an error of this library for every OSError in the block.

    Wrap the whole body of a public call, so that no file operation is forgotten.

    Args:
        kind: The exception to raise.
        place: The path to name if the OSError names no file.
        consequence: What was changed and what was not, such as "nothing was changed".
    """
    try:
        yield
    except OSError as error:
        named = error.filename if isinstance(error.filename, str | bytes | os.PathLike) else place
        # The name may come from someone else's folder, and could contain control characters of a terminal.
        shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in os.fsdecode(named))
        said = error.strerror or type(error).__name__
        raise kind(f"{shown}: {said}; {f'{consequence}; ' if consequence else ''}{_MAY_BE}") from error
