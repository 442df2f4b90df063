"""Starts `unprivileged`, or skips where there can be no sandbox. FURYTUNE_NEEDS_SANDBOX=1 turns the skips into failures."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

TOKEN = "hunter2-of-the-host"


class Unprivileged:
    """A process of a user without privileges, which runs answers."""

    def __init__(self, home: Path, flags: tuple[str, ...] = ()) -> None:
        self.home = home
        self.process = subprocess.Popen(
            [sys.executable, *flags, str(Path(__file__).with_name("unprivileged.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(sys.path),
                "HOME": str(home),
                "FURYTUNE_TOKEN": TOKEN,
                "COVERAGE_PROCESS_START": "",
            },
        )

    def ask(self, do: str, **arguments):
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
        self.process.stdin.flush()
        told = json.loads(self.process.stdout.readline())
        if "error" in told:
            raise AssertionError(told["error"])
        return told["is"]

    def run(self, code: str, **options) -> dict:
        """Runs one block of Python."""
        return self.ask("run", answers=[f"```python\n{code}\n```"], **options)[0]


def absent(reason: str):
    if os.environ.get("FURYTUNE_NEEDS_SANDBOX") == "1":
        pytest.fail(f"no sandbox: {reason}")
    pytest.skip(f"no sandbox, so no code is run: {reason}")


@contextmanager
def sandbox(*flags: str) -> Iterator[Unprivileged]:
    """Yields a user without privileges, whose home anyone may read and write."""
    if sys.platform != "linux" or shutil.which("bwrap") is None:
        absent("bubblewrap is not installed")
    with tempfile.TemporaryDirectory(prefix="furytune-home-", dir="/var/tmp") as folder:
        home = Path(folder)
        home.chmod(0o777)
        (home / "secret").write_text(TOKEN, encoding="utf-8")
        (home / "secret").chmod(0o666)  # only then anyone may link it
        user = Unprivileged(home, flags)
        try:
            try:
                user.run("x = 1")
            except AssertionError as error:
                absent(str(error))
            yield user
        finally:
            assert user.process.stdin is not None
            user.process.stdin.close()
            user.process.wait(30)
            assert user.process.stdout is not None
            user.process.stdout.close()


def processes_with(mark: str) -> list[str]:
    """The numbers of all processes that have this word in their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if mark.encode() in words:
            found.append(path.parent.name)
    return found
