"""Runs answers as a user without privileges, because code is never run as root: a process that is told what to do in JSON lines.

It loads everything while it may still read it, and only then becomes that user.
"""

from __future__ import annotations

import concurrent.futures.thread  # noqa: F401  (loaded while this user may still read it)
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import attrs

import furytune as ft
from furytune.curation.running import RunCode, RunLimits
from furytune.testing.conformance import check_curator
from furytune.testing.memory import pair

NOBODY = 65534


def interpreter() -> str:
    """A Python that this user may run; "" if there is none."""
    usual = [f"{folder}/python3" for folder in ("/usr/local/bin", "/usr/bin")]
    for path in (sys.executable, shutil.which("python3") or "", *usual):
        for place in dict.fromkeys((path, os.path.realpath(path))):
            try:
                subprocess.run([place, "-I", "-c", ""], check=True, capture_output=True)
            except (OSError, subprocess.SubprocessError):
                continue
            return place
    return ""


class Server:
    """What the tests ask for."""

    def __init__(self) -> None:
        self.python = interpreter()

    def step(self, options: dict) -> RunCode:
        limits = RunLimits(**options.pop("limits", {}))
        return RunCode(**{"python": self.python, "limits": limits, **options})

    def run(self, answers: list[str], **options) -> list[dict]:
        step = self.step(options)
        return [attrs.asdict(step.run(answer)) for answer in answers]

    def curate(self, answers: list[str], **options) -> list[list]:
        results = self.step(options).curate([pair("How?", a, id=str(n)) for n, a in enumerate(answers)])
        return [
            [item.reason, item.detail] if isinstance(item, ft.Dropped) else ["kept", ""] for item in results
        ]

    def conforms(self, answers: list[str], **options) -> int:
        return len(
            check_curator(self.step(options), [pair("How?", a, id=str(n)) for n, a in enumerate(answers)])
        )

    def run_with(self, bwrap: str, code: str) -> list[dict]:
        """Runs an answer with another program called bwrap, which lies alone in a folder."""
        before = os.environ["PATH"]
        os.environ["PATH"] = str(Path(bwrap).parent)
        try:
            return self.run([code])
        finally:
            os.environ["PATH"] = before

    def outside(self, code: str) -> int:
        """Runs a program without the sandbox, and returns its exit status; -1 if it does not end."""
        try:
            null = subprocess.DEVNULL
            done = subprocess.run(
                [self.python, "-I", "-c", code], check=False, stdout=null, stderr=null, timeout=20, cwd="/tmp"
            )
        except subprocess.TimeoutExpired:
            return -1
        return done.returncode

    def victim(self) -> int:
        """Starts a process that an answer may try to end, and returns its number."""
        self.started = subprocess.Popen([self.python, "-I", "-c", "import time; time.sleep(600)"])
        return self.started.pid

    def kill(self, processes: list[int]) -> None:
        for process in processes:
            os.kill(process, signal.SIGKILL)

    def alive(self) -> bool:
        return self.started.poll() is None

    def end(self) -> None:
        self.started.kill()
        self.started.wait()

    def venv(self, folder: str) -> str:
        """Makes a virtual environment that this user may write to."""
        done = subprocess.run(
            [self.python, "-m", "venv", "--without-pip", folder], check=False, capture_output=True
        )
        return "" if done.returncode else folder


def main() -> None:
    if os.geteuid() == 0:
        pwd.getpwuid(NOBODY)
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    server = Server()
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer = {"is": getattr(server, asked.pop("do"))(**asked)}
        except (ft.FurytuneError, AssertionError) as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
