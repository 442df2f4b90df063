"""A process that has imported the command, and is copied for each use of it; see `commands.command`.

Each connection to its socket is a use: it brings the folder, the arguments and the variables in a line, and the three streams. The
answer is the exit code. A copy is a process of its own, with its own folder, streams and end.
"""

from __future__ import annotations

import gc
import json
import os
import select
import shutil
import socket
import sys
from contextlib import suppress
from importlib import import_module

import furytune
from furytune.cli import main
from furytune.cli.main import _COMMANDS


def become(use: dict, streams: list[int]) -> None:
    """Runs the command in this process, and ends it."""
    for fd, stream in enumerate(streams):
        os.dup2(stream, fd)
        os.close(stream)
    # What Python opened at its start may have been of another kind, such as a file instead of a pipe.
    sys.stdin = open(0, encoding="utf-8", errors="surrogateescape", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", errors="surrogateescape", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    os.chdir(use["folder"])
    os.environ.clear()
    os.environ.update(use["environment"])
    sys.argv[1:] = use["arguments"]
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # without taking everything apart that was imported


def answer(connection: socket.socket) -> None:
    """Copies this process once more, and tells how the copy ended."""
    line, streams, _, _ = socket.recv_fds(connection, 1 << 16, 3)
    while not line.endswith(b"\n"):
        line += connection.recv(1 << 16)
    child = os.fork()
    if child == 0:
        connection.close()
        become(json.loads(line), streams)
    for stream in streams:
        os.close(stream)
    _, status = os.waitpid(child, 0)
    connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())


def serve(listener: socket.socket) -> None:
    """Serves until standard input ends, which it does with the process that has started this one."""
    while 0 not in select.select([0, listener], [], [])[0]:
        connection, _ = listener.accept()
        if os.fork() == 0:  # so that two commands can run at once, as in a pipe
            listener.close()
            answer(connection)
            os._exit(0)
        connection.close()
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


for module, _ in _COMMANDS.values():
    import_module(f"furytune.cli.{module}")
for name in furytune.__all__:  # every part, and no vendor
    getattr(furytune, name)
with suppress(ImportError):
    # Most of the time that importing LanceDB takes. LanceDB itself starts a thread, which a copy would not have.
    import_module("lance_namespace")
gc.freeze()  # so that copies do not touch, and thereby copy, what all of them share
if __name__ == "__main__":
    place = socket.socket(fileno=int(sys.argv[1]))
    serve(place)
    shutil.rmtree(os.path.dirname(place.getsockname()))  # noqa: PTH120
