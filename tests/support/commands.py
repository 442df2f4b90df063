"""The command as people run it: a process in a folder."""

from __future__ import annotations

import atexit
import os
import shlex
import socket
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from ask_started import ask

__all__ = ["command", "program"]

_SUPPORT = Path(__file__).parent
_CAN_COPY = hasattr(os, "fork") and hasattr(socket, "send_fds")


def command(
    folder: Path, *arguments: str, stdin: str = "", fresh: bool = False, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Runs the command.

    Starting Python and importing everything takes a second of a processor, so most tests copy a process that has done so.

    Args:
        folder: The working directory.
        arguments: What follows the name of the program.
        stdin: What the command reads.
        fresh: Whether to start Python anew, which tries the import, and another seed of its hashes.
        environment: Further variables. Those for Python itself need a fresh start.
    """
    known = {name: value for name, value in os.environ.items() if not name.startswith("FURYTUNE_")}
    known |= {"PYTHONUTF8": "1"} | environment
    line = [sys.executable, "-m", "furytune", *arguments]
    if fresh or not _CAN_COPY or any(name.startswith("PYTHON") for name in environment):
        return subprocess.run(
            line,
            check=False,
            cwd=folder,
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            env=known,
        )
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as said:
        given.write(stdin.encode())
        given.seek(0)
        streams = [file.fileno() for file in (given, out, said)]
        code = ask(_started(), str(folder), arguments, known, streams)
        out.seek(0)
        said.seek(0)
        return subprocess.CompletedProcess(line, code, out.read().decode(), said.read().decode())


def program(path: Path) -> None:
    """Writes a program that is the command, for scripts of a shell."""
    path.parent.mkdir(parents=True)
    line = [sys.executable, "-m", "furytune"]
    if _CAN_COPY:
        line = [sys.executable, "-I", "-S", str(_SUPPORT / "ask_started.py"), _started()]
    path.write_text(f'#!/bin/sh\nexec {shlex.join(line)} "$@"\n', encoding="utf-8")
    path.chmod(0o755)


@cache
def _started() -> str:
    """Starts the process that is copied, and returns its socket. The process ends with this one."""
    place = os.path.join(tempfile.mkdtemp(), "socket")  # noqa: PTH118
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(place)
        listener.listen()
        child = subprocess.Popen(
            [sys.executable, str(_SUPPORT / "started_command.py"), str(listener.fileno())],
            stdin=subprocess.PIPE,
            pass_fds=[listener.fileno()],
            env=os.environ | {"PYTHONUTF8": "1"},
        )
    atexit.register(child.communicate)  # closes its standard input
    return place
