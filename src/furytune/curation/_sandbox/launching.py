"""Starts a program in bubblewrap, watches what it uses, and ends everything that it started."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, Literal

from attrs import frozen

from furytune.curation._sandbox.limits import RunLimits

__all__ = ["Ending", "launch"]

_TICK: Final = 0.05  # seconds between two looks at what the program uses
_REPORT: Final = 4096  # bytes; a report is shorter
_SAID: Final = 2000  # bytes of what bwrap says about its own failure
_WAIT: Final = 10  # seconds in which the kernel ends the processes of a sandbox


@frozen
class Ending:
    """How a program in the sandbox ended.

    Attributes:
        report: The first bytes of what it reported. It may have written them itself, so they prove nothing.
        code: Its exit status, 128 and the signal if a signal ended it; None if it was stopped.
        stopped: Why it was stopped; "" if it ended by itself.
        said: What bwrap said, if the caller asked for it.
    """

    report: bytes
    code: int | None
    stopped: Literal["", "time", "memory"]
    said: str = ""


def launch(
    command: Sequence[str],
    *,
    job: bytes,
    seccomp: bytes,
    env: dict[str, str],
    limits: RunLimits,
    said: bool = False,
) -> Ending:
    """Runs a program in the sandbox until it ends or uses too much. When this returns, none of its processes is left.

    Args:
        command: bwrap with its arguments, except those for file descriptors; the program follows "--".
        job: Its standard input.
        seccomp: The filter of system calls.
        env: All of its environment.
        limits: When to stop it.
        said: Whether to return what is written to standard error. Only for programs of furytune itself.

    Raises:
        OSError: bwrap cannot be started.
    """
    split = list(command).index("--")
    state_read, state_write = os.pipe()
    go_read, go_write = os.pipe()
    given = [_in_memory(job), _in_memory(seccomp)]
    try:
        process = subprocess.Popen(  # noqa: S603
            [
                *command[:split],
                *(
                    "--json-status-fd",
                    str(state_write),
                    "--block-fd",
                    str(go_read),
                    "--seccomp",
                    str(given[1]),
                ),
                *command[split:],
            ],
            stdin=given[0],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if said else subprocess.DEVNULL,
            env=env,
            cwd="/",
            close_fds=True,
            pass_fds=(state_write, go_read, given[1]),
            start_new_session=True,
        )
    except BaseException:
        os.close(state_read)
        os.close(go_write)
        raise
    finally:
        for descriptor in (state_write, go_read, *given):
            os.close(descriptor)
    watch = _Watch(process, state_read, go_write, limits)
    try:
        stopped = watch.follow()
    finally:
        watch.end()
    return Ending(bytes(watch.report), None if stopped else process.returncode, stopped, watch.said)


def _in_memory(content: bytes) -> int:
    """Returns a file without a name, which is read from its beginning and can no longer be changed."""
    import fcntl

    descriptor = os.memfd_create("given", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with open(descriptor, "wb", closefd=False) as file:
        file.write(content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    # The first process inside keeps it open, and its memory would be counted nowhere.
    seals = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
    return descriptor


class _Watch:
    """A running sandbox."""

    def __init__(self, process: subprocess.Popen[bytes], state: int, go: int, limits: RunLimits) -> None:
        self._process = process
        self._state = state
        self._go = go
        self._limits = limits
        self._until = time.monotonic() + limits.seconds
        self._first = 0  # the first process inside, with its number outside
        self._handle = -1
        self._told = b""
        self.report = bytearray()
        self.said = ""

    def follow(self) -> Literal["", "time", "memory"]:
        """Reads the report until the program ends, and returns why it has to be stopped before."""
        assert self._process.stdout is not None
        poll = select.poll()
        poll.register(self._process.stdout, select.POLLIN)
        poll.register(self._state, select.POLLIN)
        while self._process.poll() is None:
            if time.monotonic() >= self._until:
                return "time"
            if self._first and _memory_of(self._first) > self._limits.memory:
                return "memory"
            for descriptor, _ in poll.poll(_TICK * 1000):
                more = self._learn() if descriptor == self._state else self._read(descriptor)
                if not more:
                    poll.unregister(descriptor)
        # What is left in the pipe was written before the program ended.
        os.set_blocking(self._process.stdout.fileno(), False)
        self._read(self._process.stdout.fileno())
        return ""

    def _learn(self, *, start: bool = True) -> bool:
        """Takes hold of the first process inside, and only then lets it start the program. Returns whether it has to wait."""
        part = os.read(self._state, 1 << 16)
        self._told += part
        line, end, _ = self._told.partition(b"\n")
        if not end:
            return bool(part)
        self._first = int(json.loads(line)["child-pid"])
        self._handle = os.pidfd_open(self._first)
        if start:
            os.write(self._go, b"!")
        return False

    def _read(self, descriptor: int) -> bool:
        """Reads a part of the report. Returns whether there can be more: who writes more than a report has to wait."""
        try:
            part = os.read(descriptor, _REPORT)
        except BlockingIOError:
            return False
        self.report += part[: _REPORT - len(self.report)]
        return bool(part) and len(self.report) < _REPORT

    def end(self) -> None:
        """Ends all processes of the sandbox, and waits until the kernel has done so."""
        # bwrap alone must not be killed before it has named the first process, which would then wait for it forever.
        more = self._handle < 0
        state = select.poll()
        state.register(self._state, select.POLLIN)
        while more and state.poll(_WAIT * 1000):
            more = self._learn(start=False)
        if self._handle < 0:
            self._process.kill()
        else:
            with suppress(ProcessLookupError):
                # With the first process, the kernel ends all others of its namespace.
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)
            gone = select.poll()
            gone.register(self._handle, select.POLLIN)
            gone.poll(_WAIT * 1000)
            os.close(self._handle)
        if self._process.stderr is not None:
            self.said = self._process.stderr.read(_SAID).decode("utf-8", "replace").strip()
            self._process.stderr.close()
        self._process.wait(_WAIT)
        assert self._process.stdout is not None
        self._process.stdout.close()
        os.close(self._state)
        os.close(self._go)


def _memory_of(first: int) -> int:
    """Returns the bytes of memory of a process and all that descend from it, without those of files on disk."""
    total, waiting = 0, [first]
    while waiting:
        process = waiting.pop()
        try:
            lines = _read(f"/proc/{process}/status").splitlines()
            # Pages that processes share count once for each of them, so the sum may be too high, but not too low.
            total += sum(int(line.split()[1]) for line in lines if line.startswith(("RssAnon:", "RssShmem:")))
            for thread in os.listdir(f"/proc/{process}/task"):  # noqa: PTH208  (20 times a second)
                waiting += map(int, _read(f"/proc/{process}/task/{thread}/children").split())
        except OSError:  # it ended
            continue
    return total << 10


def _read(path: str) -> str:
    with open(path, "rb") as file:  # noqa: PTH123
        return file.read().decode("ascii", "replace")
