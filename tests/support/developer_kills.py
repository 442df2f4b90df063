"""Kills submissions to the Developer API before and after each step; started by test_developer_kills.py.

Usage: developer_kills.py URL FOLDER. Each moment has a process that dies there, by SIGKILL, and one that starts again.
Prints what came of each as JSON.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import ledgers
from attrs import define
from developer_help import API_KEY, SETTINGS, google
from vertex_help import Time

import furytune as ft

MOMENTS = [
    f"{when} {what}"
    for what in (
        "find",
        "ready",
        "write PLANNED",
        "upload",
        "write UPLOADED",
        "write SUBMITTING",
        "submit",
        "write SUBMITTED",
    )
    for when in ("before", "after")
]


@define
class Killed:
    """Dies before or after a call of what it wraps: a backend, or a ledger."""

    inner: object
    moment: str

    def __getattr__(self, name):
        value = getattr(self.inner, name)
        if name not in {"find", "ready", "upload", "submit", "write"}:
            return value

        def act(*args):
            what = f"write {args[0].step}" if name == "write" else name
            if self.moment == f"before {what}":
                os.kill(os.getpid(), signal.SIGKILL)
            result = value(*args)
            if self.moment == f"after {what}":
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return act


def submit(url, folder, key, moment):
    backend = google(api_key=API_KEY, endpoint=url, timeout=20.0)
    dataset = ft.load_dataset(folder / "train.jsonl.manifest.json")
    entry = ledgers.submission(
        backend=Killed(backend, moment),
        ledger=Killed(ledgers.ledger(folder / "jobs"), moment),
        clock=Time().clock,
        key=key,
    ).submit(dataset, SETTINGS, key)
    return entry.name


def forked(action):
    """Runs an action in a process of its own; returns what it says, or None if it was killed."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writing, json.dumps(action()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(pid, 0)
    return None if os.WIFSIGNALED(status) else json.loads(said or b"false")


def main():
    import google.generativeai  # noqa: F401  (once, and not in each process)

    url, folder = sys.argv[1], Path(sys.argv[2])
    found = {}
    for n, moment in enumerate(MOMENTS):
        key = f"{n:032x}"
        found[moment] = [forked(lambda: submit(url, folder, key, death)) for death in (moment, "")]  # noqa: B023
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
