"""Progress is for people at a terminal."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

CODE = "from furytune._progress import progress; print(sum(progress(range(5), 'rows', 'row')))"


def run(stderr) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", CODE], check=True, stdout=subprocess.PIPE, stderr=stderr)


def test_nothing_is_shown_where_there_is_no_terminal() -> None:
    done = run(subprocess.PIPE)
    assert (done.stdout.strip(), done.stderr) == (b"10", b"")


def test_a_terminal_is_shown_a_bar() -> None:
    pty = pytest.importorskip("pty")
    fcntl, termios = pytest.importorskip("fcntl"), pytest.importorskip("termios")
    here, there = pty.openpty()
    fcntl.ioctl(there, termios.TIOCSWINSZ, b"\x1e\x00\x64\x00\x00\x00\x00\x00")
    done = run(there)
    os.close(there)
    shown = os.read(here, 10_000)
    os.close(here)
    assert done.stdout.strip() == b"10"
    assert b"rows:" in shown
