"""The command ``furytune``. It is thin: everything it does is in the library."""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit code.

    Args:
        arguments: What follows the name of the program; None means those of the process.
    """
    given = sys.argv[1:] if arguments is None else [*arguments]
    if given == ["--version"]:
        # Scripts ask often, and need nothing else for the answer.
        from furytune import __version__

        sys.stdout.write(f"furytune {__version__}\n")
        return 0
    try:
        from furytune.cli.main import run

        return run(given)
    except KeyboardInterrupt:  # before the command began
        return 130
