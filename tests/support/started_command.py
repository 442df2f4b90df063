"""A process that has imported the command, and is copied for each use of it; see `commands.command`.

Each line of its socket describes a use: where, with which arguments and variables, and the files of its three streams. The
answer is the exit code. A copy is a process of its own, with its own folder, streams and end.
"""

from __future__ import annotations

import gc
import json
import os
import socket
import sys
from contextlib import suppress
from importlib import import_module

import furytune
from furytune.cli import main
from furytune.cli.main import _COMMANDS


def become(use: dict) -> int:
    """Runs the command in this process."""
    for fd, path, flags in (
        (0, use["stdin"], os.O_RDONLY),
        (1, use["stdout"], os.O_WRONLY),
        (2, use["stderr"], os.O_WRONLY),
    ):
        opened = os.open(path, flags)
        os.dup2(opened, fd)
        os.close(opened)
    os.chdir(use["folder"])
    os.environ.clear()
    os.environ.update(use["environment"])
    sys.argv[1:] = use["arguments"]
    return main()


def serve(connection: socket.socket) -> int:
    """Copies this process for each line."""
    lines = connection.makefile("r", encoding="utf-8")
    for line in lines:
        child = os.fork()
        if child == 0:
            lines.close()
            connection.close()
            code = become(json.loads(line))
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)  # without taking everything apart that was imported
        _, status = os.waitpid(child, 0)
        connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    return 0


for module, _ in _COMMANDS.values():
    import_module(f"furytune.cli.{module}")
for name in furytune.__all__:  # every part, and no vendor
    getattr(furytune, name)
with suppress(ImportError):
    import_module(
        "lance_namespace"
    )  # most of the time that LanceDB takes; it starts no thread, as LanceDB does
gc.freeze()  # so that copies do not touch, and thereby copy, what all of them share
if __name__ == "__main__":
    sys.exit(serve(socket.socket(fileno=int(sys.argv[1]))))
