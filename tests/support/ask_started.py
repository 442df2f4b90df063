"""Uses the process of `started_command`: as a program, for scripts in which the command is called ``furytune``, too."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Mapping, Sequence

__all__ = ["ask"]


def ask(
    place: str, folder: str, arguments: Sequence[str], environment: Mapping[str, str], streams: Sequence[int]
) -> int:
    """Runs the command, and returns its exit code.

    Args:
        place: The socket.
        folder: The working directory.
        arguments: What follows the name of the program.
        environment: All variables.
        streams: What it reads and writes: standard input, output and errors.
    """
    use = {"folder": folder, "arguments": [*arguments], "environment": {**environment}}
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(place)
        line = json.dumps(use).encode() + b"\n"
        sent = socket.send_fds(connection, [line], [*streams])
        connection.sendall(line[sent:])
        told = connection.makefile().readline()
    assert told, "the process that is copied has ended"
    return int(told)


if __name__ == "__main__":
    here = os.getcwd()  # noqa: PTH109  (pathlib takes as long to import as everything else here)
    sys.exit(ask(sys.argv[1], here, sys.argv[2:], os.environ, (0, 1, 2)))
