"""No answer leaves the sandbox: real programs, in real sandboxes, of a user without privileges."""

from __future__ import annotations

import platform
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from escapes import ESCAPES, PRELUDE, STAYING
from sandboxed import Unprivileged, processes_with, sandbox

# Small, so that an attempt to use too much is over soon.
LIMITS = {
    "seconds": 3,
    "cpu": 1,
    "memory": 512 << 20,
    "processes": 24,
    "disk": 32 << 20,
    "file_size": 8 << 20,
    "open_files": 64,
}
OUTSIDE = sorted(name for name, escape in ESCAPES.items() if escape.outside)


class World:
    """What an attempt could reach: a home, servers that count who comes, and a process to end."""

    def __init__(self, user: Unprivileged) -> None:
        self.user = user
        self.reached = 0
        self.venv = user.ask("venv", folder=str(user.home / "venv"))
        self.sockets = [socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_UNIX)]
        self.sockets.append(socket.socket(socket.AF_UNIX))
        self.abstract = f"furytune-{user.process.pid}"
        self.sockets[1].bind(str(user.home / "socket"))
        (user.home / "socket").chmod(0o777)
        self.sockets[2].bind(f"\0{self.abstract}")
        for server in self.sockets:
            server.listen()
            threading.Thread(target=self._count, args=(server,), daemon=True).start()
        self.datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.datagrams.bind(("127.0.0.1", 0))
        self.datagrams.setblocking(False)

    def _count(self, server: socket.socket) -> None:
        while True:
            try:
                server.accept()[0].close()
            except OSError:
                return
            self.reached += 1

    def given(self, victim: int) -> str:
        """The names in capitals."""
        return PRELUDE + "\n".join(
            [
                f"HOME = {str(self.user.home)!r}",
                f"LINK = '/tmp/furytune-link-{victim}'",
                f"TCP = {self.sockets[0].getsockname()[1]}",
                f"UDP = {self.datagrams.getsockname()[1]}",
                f"ABSTRACT = {self.abstract!r}",
                f"VENV = {self.venv!r}",
                f"VICTIM = {victim}",
                "",
            ]
        )

    def heard(self) -> int:
        """How often one of the servers was reached since the last call."""
        count, self.reached = self.reached, 0
        while True:
            try:
                self.datagrams.recv(10)
            except BlockingIOError:
                return count
            count += 1

    def close(self) -> None:
        for server in (*self.sockets, self.datagrams):
            server.close()


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with sandbox() as user:
        world = World(user)
        yield world
        world.close()


@pytest.fixture
def victim(world) -> Iterator[int]:
    yield world.user.ask("victim")
    world.user.ask("end")


def in_home(world: World) -> set[str]:
    return {str(p) for p in world.user.home.rglob("*")} | {
        str(p) for p in Path("/tmp").glob("furytune-link-*") if p.is_symlink()
    }


@pytest.mark.parametrize("name", sorted(ESCAPES))
def test_no_attempt_succeeds(world, victim, name) -> None:
    files = in_home(world)
    world.heard()
    options = {"python": world.venv} if world.venv else {}

    run = world.user.run(ESCAPES[name].code, preamble=world.given(victim), limits=LIMITS, **options)

    assert run["status"] != "ran", run
    # What went wrong is the attempt itself, not a slip in its program.
    assert run["exception"] not in {
        "NameError",
        "SyntaxError",
        "AttributeError",
        "TypeError",
        "ValueError",
    }, run
    assert world.heard() == 0
    assert world.user.ask("alive")
    assert in_home(world) == files


@pytest.mark.parametrize("name", OUTSIDE)
def test_the_same_attempt_succeeds_outside(world, victim, name) -> None:
    """So the sandbox is what stops it, and not something else."""
    if "32 bits" in name and platform.machine() != "x86_64":
        pytest.skip("only x86_64 has calls in 32 bits")
    assert world.user.ask("outside", code=world.given(victim) + ESCAPES[name].code) == 0
    (world.user.home / "written").unlink(missing_ok=True)


def test_a_socket_in_a_folder_that_is_shown_cannot_be_reached(world, victim) -> None:
    """A read-only mount does not close a socket, so the filter of system calls has to."""
    folder = world.user.home / "shown"
    folder.mkdir(exist_ok=True)
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(folder / "socket"))
    server.listen()
    (folder / "socket").chmod(0o777)
    look = f"assert os.path.exists({str(folder)!r} + '/socket')"
    reach = f"socket.socket(socket.AF_UNIX).connect({str(folder)!r} + '/socket')"
    options = {"preamble": world.given(victim), "limits": LIMITS, "readable": [str(folder)]}

    assert world.user.run(look, **options)["status"] == "ran"
    assert world.user.run(reach, **options)["exception"] == "PermissionError"
    server.close()


@pytest.mark.parametrize("name", sorted(STAYING))
def test_nothing_stays_when_an_answer_is_over(world, victim, name) -> None:
    mark = f"furytune-mark-{name.replace(' ', '-')}-{victim}"

    world.user.run(f"MARK = {mark!r}\n{STAYING[name]}", preamble=world.given(victim), limits=LIMITS)

    assert processes_with(mark) == []
    time.sleep(0.5)
    assert processes_with(mark) == []


def test_what_would_stay_does_stay_outside(world, victim) -> None:
    mark = f"furytune-mark-{victim}"
    assert world.user.ask("outside", code=f"{world.given(victim)}MARK = {mark!r}\n{STAYING['a daemon']}") == 0

    stayed = processes_with(mark)
    world.user.ask("kill", processes=[int(number) for number in stayed])
    assert len(stayed) == 1
