"""How much a program in the sandbox may use."""

from __future__ import annotations

from attrs import field, frozen

from furytune._values.checks import at_least

__all__ = ["RunLimits"]

_MIB = 1 << 20


@frozen(kw_only=True)
class RunLimits:
    """How much the code of one answer may use. A program that needs more is stopped.

    Attributes:
        seconds: Seconds on the clock for the whole answer.
        cpu: Seconds of processor time, for each process.
        memory: Bytes of memory: of addresses for each process, and of memory in use for all processes together. The sum is
            read 20 times a second, so a program can be above it for a moment.
        processes: Most processes and threads at a time.
        file_size: Bytes of the largest file.
        disk: Bytes of all files in the sandbox's ``/tmp``, and as many again in its ``/dev/shm``. They are held in memory.
        open_files: Most open files of each process.

    Raises:
        ConfigError: A limit is not a whole number, or is too small for Python to start.
    """

    seconds: int = field(default=20, validator=at_least(1))
    cpu: int = field(default=15, validator=at_least(1))
    memory: int = field(default=2048 * _MIB, validator=at_least(64 * _MIB))
    processes: int = field(default=32, validator=at_least(1))
    file_size: int = field(default=64 * _MIB, validator=at_least(4096))
    disk: int = field(default=128 * _MIB, validator=at_least(_MIB))
    open_files: int = field(default=256, validator=at_least(16))
