"""Progress is for people at a terminal."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

CODE = "from furytune.report.progress import progress; print(sum(progress(range(5), 'rows', 'row')))"


def run(stderr) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", CODE], check=True, stdout=subprocess.PIPE, stderr=stderr)


def test_nothing_is_shown_without_a_terminal() -> None:
    done = run(subprocess.PIPE)
    assert (done.stdout.strip(), done.stderr) == (b"10", b"")


def test_a_terminal_shows_a_bar() -> None:
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


CLOSED_MIDWAY = """
import os, sys, time
import furytune.report.progress as p

def items():
    for n in range(5):
        if n == 2:
            os.read(0, 1)  # the other end is closed by now
        time.sleep(0.15)  # so that each item is shown
        yield n

with p.meter("reading") as show:
    total = sum(p.progress(items(), "rows", "row"))
    show(50.0, "half")
sys.stdout.write(str(total))
sys.stdout.flush()
os._exit(0)  # what Python itself cannot flush at its end does not matter here
"""


def test_work_continues_when_its_terminal_is_closed() -> None:
    pty = pytest.importorskip("pty")
    here, there = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", CLOSED_MIDWAY],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=there,
        start_new_session=True,
    ) as child:
        os.close(there)
        assert os.read(here, 1)
        os.close(here)
        out, _ = child.communicate(b"x")
    assert (child.returncode, out) == (0, b"10")


@pytest.mark.parametrize("stderr", ["None", "open(os.devnull)"])
def test_work_continues_without_standard_error(stderr) -> None:
    code = f"import os, sys; sys.stderr = {stderr}; sys.stderr and sys.stderr.close(); {CODE}"
    done = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE)
    assert done.stdout.strip() == b"10"


SLOW = """
import logging, sys, time
import furytune.report.progress as p

logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
p._EVERY = 0.0
assert sum(p.progress([1, 2, 3], "rows", "row")) == 6
assert sum(p.progress(iter([1, 2, 3]), "rows", "row")) == 6
assert list(p.progress([], "rows", "row")) == []
"""


def test_a_log_tells_how_far_a_run_is_and_what_is_left() -> None:
    done = subprocess.run([sys.executable, "-c", SLOW], check=True, stderr=subprocess.PIPE, encoding="utf-8")
    listed, streamed, empty = (
        done.stderr.splitlines()[:4],
        done.stderr.splitlines()[4:8],
        done.stderr.splitlines()[8:],
    )
    assert all(line.startswith("rows: ") and " s left" in line for line in listed[:3])
    assert all(" a second" in line and "left" not in line for line in streamed[:3])
    assert listed[3].startswith("rows: 3 rows in ")
    assert empty[0].startswith("rows: 0 rows in ")
