"""The sandbox: what is needed before it may be used, the proof that it holds, and the run of a program."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Sequence
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Final

from attrs import evolve, field, frozen

from furytune.curation._sandbox import binds
from furytune.curation._sandbox.launching import Ending, launch
from furytune.curation._sandbox.limits import RunLimits
from furytune.curation._sandbox.seccomp import ARCHITECTURES, seccomp_filter
from furytune.errors import ConfigError

__all__ = ["Block", "Sandbox"]

Block = tuple[int, str]
"""Number and source of a piece of code."""

_ENV: Final = {
    "HOME": "/tmp",  # noqa: S108  (of the sandbox)
    "LANG": "C.UTF-8",
    "MKL_NUM_THREADS": "1",
    "MPLBACKEND": "Agg",
    "NUMEXPR_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PATH": "/usr/bin:/bin",
    "QT_QPA_PLATFORM": "offscreen",
    "TMPDIR": "/tmp",  # noqa: S108  (of the sandbox)
}
_PROOF: Final = 60  # seconds
_NAMESPACES: Final = ("user", "ipc", "pid", "net", "uts", "cgroup")
_HINT: Final = "install bubblewrap 0.8 or later, and allow user namespaces to programs without privileges; docs/running-code.md says how"


def _text(name: str) -> str:
    """Returns a program that runs inside."""
    return files("furytune.curation._sandbox").joinpath(name).read_text(encoding="utf-8")


_INSIDE: Final = _text("inside.py")
_PROBE: Final = _text("probe.py")


@frozen
class Sandbox:
    """A place to run Python that no one has read.

    Attributes:
        interpreter: The Python that runs.
        readable: Other folders that programs may read.
        limits: What they may use.

    Raises:
        ConfigError: Nothing can be run here safely.
    """

    interpreter: binds.Interpreter
    readable: tuple[str, ...]
    limits: RunLimits
    _bwrap: str = field(init=False, repr=False, eq=False)

    @_bwrap.default
    def _found(self) -> str:
        return self.check()

    @staticmethod
    def check() -> str:
        """Returns the path of bwrap.

        Raises:
            ConfigError: This system, this user or this machine cannot have the sandbox.
        """
        return _bubblewrap()

    def run(self, blocks: Sequence[Block]) -> Ending:
        """Runs blocks of Python, one after the other, in a process of their own.

        Raises:
            ConfigError: The sandbox does not hold.
        """
        return self._launch(self._proven, blocks)

    @cached_property
    def _proven(self) -> str:
        """The path of bwrap, after a program inside tried what no program may do.

        Raises:
            ConfigError: bwrap refused, or something was possible.
        """
        with tempfile.TemporaryDirectory() as folder:
            secret = Path(folder, "secret")
            secret.write_text("visible", encoding="utf-8")
            facts = {
                "secret": str(secret),
                "homes": [str(home) for home in binds.homes()],
                "shown": [*self.interpreter.folders, *self.readable],
                "environment": sorted(_ENV),
                "namespaces": {
                    name: str(Path("/proc/self/ns", name).readlink()) for name in (*_NAMESPACES, "mnt")
                },
            }
            ending = self._launch(self._bwrap, [(0, f"FACTS = {facts!r}"), (1, _PROBE)], proof=True)
        try:
            told = dict(json.loads(ending.report.partition(b"\n")[0]))
        except (ValueError, TypeError):
            told = {}
        if told.get("status") == "ran":
            return self._bwrap
        if told.get("block") == 1 and told.get("exception") == "AssertionError":
            at = _PROBE.splitlines()[int(told["line"]) - 1].partition("# ")[2]
            raise ConfigError(f"the sandbox does not hold ({at}), so no code was run; {_HINT}")
        raise ConfigError(
            f"the sandbox does not start, so no code was run: {ending.said or 'its first program did not end well'}; {_HINT}"
        )

    def _launch(self, bwrap: str, blocks: Sequence[Block], *, proof: bool = False) -> Ending:
        # The proof is furytune's own program. A busy machine, or short limits, must not make it fail.
        limits = evolve(self.limits, seconds=_PROOF, cpu=_PROOF) if proof else self.limits
        job = {
            "blocks": list(blocks),
            "cpu": limits.cpu,
            "limits": {
                "RLIMIT_AS": limits.memory,
                "RLIMIT_CORE": 0,
                "RLIMIT_FSIZE": limits.file_size,
                "RLIMIT_MEMLOCK": 0,
                "RLIMIT_MSGQUEUE": 0,
                "RLIMIT_NOFILE": limits.open_files,
                "RLIMIT_NPROC": limits.processes,
            },
        }
        command = [
            bwrap,
            *(f"--unshare-{name}" for name in _NAMESPACES),
            *("--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname", "sandbox"),
            *("--uid", "65534", "--gid", "65534"),
            *binds.arguments(self.interpreter, self.readable, limits.disk),
            *("--chdir", "/tmp", "--"),  # noqa: S108  (of the sandbox)
            *(self.interpreter.executable, "-I", "-B", "-c", _INSIDE),
        ]
        try:
            return launch(
                command,
                job=json.dumps(job).encode("utf-8"),
                seccomp=seccomp_filter(),
                env=_ENV,
                limits=limits,
                said=proof,
            )
        except OSError as error:
            raise ConfigError(f"{bwrap}: cannot be started ({error.strerror}); {_HINT}") from error


def _bubblewrap() -> str:
    """Returns the path of bwrap.

    Raises:
        ConfigError: This system, this user or this machine cannot have the sandbox.
    """
    if sys.platform != "linux" or platform.machine() not in ARCHITECTURES:
        raise ConfigError(
            "RunCode runs code only on Linux, on x86_64 and aarch64, because its sandbox is bubblewrap; "
            "leave it out, or run furytune in a virtual machine with Linux"
        )
    if os.geteuid() == 0:
        raise ConfigError(
            "RunCode does not run code as root, because a fault in the sandbox would then open the whole machine; "
            "run furytune as an ordinary user, such as with `runuser -u NAME -- python ...`"
        )
    found = shutil.which("bwrap")
    if found is None:
        raise ConfigError(
            "RunCode needs bubblewrap, and the program bwrap is not installed: run `apt install bubblewrap` or "
            "`dnf install bubblewrap`"
        )
    return found
