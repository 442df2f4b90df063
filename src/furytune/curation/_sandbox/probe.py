"""Runs inside the sandbox before any answer does: tries what no program may do. The comment of a line says what is wrong.

Like `inside`, it imports nothing of furytune. FACTS is given by a block before it.
"""

from __future__ import annotations

import ctypes
import os
import resource
import socket
from typing import Any, Callable, Dict

_CLONE_NEWUSER = 0x10000000


def _refused(action: Callable[[], object]) -> bool:
    """Returns whether the system refuses to do it."""
    try:
        action()
    except OSError:
        return True
    return False


def _socket(family: int, kind: int) -> bool:
    return _refused(lambda: socket.socket(family, kind).close())


def _written(folder: str) -> bool:
    return not _refused(lambda: open(folder + "/written", "w").close())


def _visible(home: str, shown: list[str]) -> bool:
    """Returns whether a home shows more than the way to the folders that are bound."""
    ways = [os.path.relpath(f, home).split("/")[0] for f in shown if f.startswith(home + "/")]
    return os.path.exists(home) and not set(os.listdir(home)) <= set(ways)


def _status() -> Dict[str, str]:
    with open("/proc/self/status") as lines:
        return {k: v.strip() for k, _, v in (line.partition(":") for line in lines)}


def _try(facts: Dict[str, Any]) -> None:
    """Raises AssertionError in the line of the first rule that does not hold."""
    status = _status()
    shown = facts["shown"]
    assert _socket(socket.AF_INET, socket.SOCK_STREAM)  # the internet can be reached
    assert _socket(socket.AF_INET6, socket.SOCK_DGRAM)  # the internet can be reached
    assert _socket(socket.AF_UNIX, socket.SOCK_STREAM)  # sockets of other programs can be reached
    for kind, outside in facts["namespaces"].items():
        assert os.readlink("/proc/self/ns/" + kind) != outside  # it shares a namespace with other programs
    assert not os.path.exists(facts["secret"])  # files outside are visible
    assert not any(_visible(home, shown) for home in facts["homes"])  # a home is visible
    for place in ("/etc/shadow", "/etc/passwd", "/run", "/sys"):
        assert not os.path.exists(place)  # files of the system are visible
    assert not _written("/")  # the root can be written
    assert not _written("/dev")  # /dev can be written
    assert not any(_written(folder) for folder in ("/usr", *shown))  # what it may read can be changed
    assert set(os.environ) <= {*facts["environment"], "PWD", "LC_CTYPE"}  # the environment is visible
    assert os.getuid() != 0  # it is root
    for kind in ("Eff", "Prm", "Inh", "Bnd", "Amb"):
        assert int(status["Cap" + kind], 16) == 0  # it has privileges
    assert status["NoNewPrivs"] == "1"  # it can gain privileges
    assert status["Seccomp"] == "2"  # system calls are not filtered
    assert ctypes.CDLL(None).unshare(_CLONE_NEWUSER) == -1  # it can make a user namespace
    assert sum(name.isdigit() for name in os.listdir("/proc")) <= 3  # other processes are visible
    assert os.getsid(0) > 0  # it has the session of the caller
    assert _refused(lambda: open("/dev/tty").close())  # it has the terminal of the caller
    assert len(os.listdir("/proc/self/fd")) <= 5  # it has open files of the caller
    for name in ("AS", "CPU", "FSIZE", "NOFILE", "NPROC"):
        hard = resource.getrlimit(getattr(resource, "RLIMIT_" + name))[1]
        assert hard != resource.RLIM_INFINITY  # a limit is missing


if __name__ == "__main__":
    _try(globals()["FACTS"])
