"""The command as people run it: a process in a folder."""

from __future__ import annotations

import atexit
import json
import os
import socket
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

__all__ = ["command"]


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
    if not fresh and hasattr(os, "fork") and not any(name.startswith("PYTHON") for name in environment):
        return _copied(folder, line, stdin, known)
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


def _copied(
    folder: Path, line: list[str], stdin: str, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory() as place:
        streams = {name: Path(place) / name for name in ("stdin", "stdout", "stderr")}
        for path in streams.values():
            path.write_text(stdin if path.name == "stdin" else "", encoding="utf-8")
        use = {
            "folder": str(folder),
            "arguments": line[3:],
            "environment": environment,
            **{name: str(path) for name, path in streams.items()},
        }
        connection = _started()
        connection.sendall(json.dumps(use).encode() + b"\n")
        answer = b""
        while not answer.endswith(b"\n"):
            got = connection.recv(64)
            assert got, "the process that is copied has ended"
            answer += got
        stdout, stderr = (streams[name].read_bytes().decode("utf-8") for name in ("stdout", "stderr"))
    return subprocess.CompletedProcess(line, int(answer), stdout, stderr)


@cache
def _started() -> socket.socket:
    """Starts the process that is copied; it ends with this one."""
    ours, theirs = socket.socketpair()
    with theirs:
        script = Path(__file__).with_name("started_command.py")
        child = subprocess.Popen(
            [sys.executable, str(script), str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env=os.environ | {"PYTHONUTF8": "1"},
        )

    def end() -> None:
        ours.close()
        child.wait()

    atexit.register(end)
    return ours
