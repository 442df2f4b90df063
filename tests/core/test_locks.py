"""One lock for every writer: it separates processes, says who has it, and ends with its owner."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from furytune._storage.locks import lock_file

HOLDER = """
import sys
from furytune._storage.locks import lock_file

with lock_file(sys.argv[1]):
    print("in", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, tmp_path / "l"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout.readline() == b"in\n"
    yield child
    child.kill()
    child.wait()
    child.stdout.close()
    child.stdin.close()


def test_the_error_names_the_process_that_holds_the_lock(tmp_path, holder):
    with pytest.raises(BlockingIOError) as caught, lock_file(tmp_path / "l"):
        pass
    assert f"process {holder.pid} on " in caught.value.strerror
    assert caught.value.filename == str(tmp_path / "l")


def test_a_killed_holder_gives_the_lock_back(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with lock_file(tmp_path / "l"):
        assert f"process {os.getpid()}" in (tmp_path / "l").read_text()


def test_a_waiting_process_gets_the_lock_once_it_is_free(tmp_path, holder):
    holder.stdin.close()
    with lock_file(tmp_path / "l", wait=60):
        pass


def test_no_lock_file_is_left(tmp_path):
    with lock_file(tmp_path / "l"):
        assert [p.name for p in tmp_path.iterdir()] == ["l"]
    assert list(tmp_path.iterdir()) == []


def test_one_process_cannot_take_a_lock_twice(tmp_path):
    with lock_file(tmp_path / "l"):
        with pytest.raises(BlockingIOError), lock_file(tmp_path / "l"):
            pass
        # A refused attempt neither frees the lock nor removes its file.
        with pytest.raises(BlockingIOError), lock_file(tmp_path / "l"):
            pass
