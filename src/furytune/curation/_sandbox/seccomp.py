"""The filter of system calls: what a program that computes, reads and writes files never needs is refused by the kernel."""

from __future__ import annotations

import platform
import struct
from typing import Final

__all__ = ["ARCHITECTURES", "seccomp_filter"]

# The numbers of a call on x86_64 and on aarch64; None where it does not exist. From the kernel's asm/unistd_64.h and
# asm-generic/unistd.h.
_REFUSED: Final[dict[str, tuple[int | None, int | None]]] = {
    # Sockets of every family: the internet, files such as /run/docker.sock, abstract names, netlink, virtual machines. The
    # network namespace hides the first and the third, but not a socket in a folder that is visible, and not AF_VSOCK.
    "socket": (41, 198),
    # Other processes.
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    # Namespaces, mounts and files by handle.
    "chroot": (161, 51),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "pivot_root": (155, 41),
    "setns": (308, 268),
    "umount2": (166, 39),
    "unshare": (272, 97),
    # Parts of the kernel with a history of faults.
    "add_key": (248, 217),
    "bpf": (321, 280),
    "fanotify_init": (300, 262),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "keyctl": (250, 219),
    "lookup_dcookie": (212, 18),
    "modify_ldt": (154, None),
    "perf_event_open": (298, 241),
    "personality": (135, 92),
    "request_key": (249, 218),
    "userfaultfd": (323, 282),
    "vmsplice": (278, 75),
    # Memory that no limit counts, and where it lies.
    "get_mempolicy": (239, 236),
    "mbind": (237, 235),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "set_mempolicy": (238, 237),
    "set_mempolicy_home_node": (450, 450),
    "shmget": (29, 194),
    # The machine itself. The kernel refuses these without privileges too.
    "acct": (163, 89),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "delete_module": (176, 106),
    "finit_module": (313, 273),
    "init_module": (175, 105),
    "ioperm": (173, None),
    "iopl": (172, None),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "nfsservctl": (180, 42),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "settimeofday": (164, 170),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "vhangup": (153, 58),
}
_CLONE: Final = (56, 220)
_CLONE3: Final = (435, 435)
_IOCTL: Final = (16, 29)
_SOCKETPAIR: Final = (53, 199)
_NEWEST: Final = 450  # a call that is newer than this table is refused like one that the kernel does not have

ARCHITECTURES: Final = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""Column of the table, and the kernel's number, of each architecture with a filter."""

_CLONE_NEW: Final = (
    0x7E020080  # every CLONE_NEW... flag: time, mounts, cgroups, hosts, IPC, users, processes, network
)
_AF_UNIX: Final = 1
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C  # put characters into a terminal
_X32: Final = 0x40000000  # the second way to number the calls of x86_64
_EPERM, _ENOSYS = 1, 38

# Classic BPF, as in linux/filter.h.
_LOAD, _EQUAL, _ABOVE, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x25, 0x35, 0x45, 0x06
_KILL, _ERRNO, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data

_Step = tuple[int, int, int, int]


def seccomp_filter(machine: str = "") -> bytes:
    """Returns the filter for ``bwrap --seccomp``.

    Args:
        machine: A key of `ARCHITECTURES`; the architecture of this machine by default.

    Raises:
        KeyError: There is no table for the architecture.
    """
    column, arch = ARCHITECTURES[machine or platform.machine()]
    steps: list[_Step] = [
        (_LOAD, 0, 0, _ARCH),
        (_EQUAL, 1, 0, arch),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        *_refuse((_AT_LEAST, 0, 1, _X32), _ENOSYS),
        *_refuse((_ABOVE, 0, 1, _NEWEST), _ENOSYS),
        # The C library then uses clone, whose flags can be read here; those of clone3 cannot.
        *_refuse((_EQUAL, 0, 1, _CLONE3[column]), _ENOSYS),
    ]
    for numbers in _REFUSED.values():
        if (number := numbers[column]) is not None:
            steps += _refuse((_EQUAL, 0, 1, number), _EPERM)
    steps += _by_argument(_CLONE[column], 0, _refuse((_ANY_BIT, 0, 1, _CLONE_NEW), _EPERM))
    terminal = [
        *_refuse((_EQUAL, 0, 1, _TIOCSTI), _EPERM),
        *_refuse((_EQUAL, 0, 1, _TIOCLINUX), _EPERM),
    ]
    steps += _by_argument(_IOCTL[column], 1, terminal)
    steps += _by_argument(_SOCKETPAIR[column], 0, _refuse((_EQUAL, 1, 0, _AF_UNIX), _EPERM))
    steps.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("<HBBI", *step) for step in steps)


def _refuse(test: _Step, errno: int) -> list[_Step]:
    """Returns a test, and the refusal that it jumps to or over."""
    return [test, (_RETURN, 0, 0, _ERRNO | errno)]


def _by_argument(number: int, argument: int, tests: list[_Step]) -> list[_Step]:
    """Returns tests of the low half of a call's argument. The kernel reads these flags and commands from that half alone."""
    inside = [(_LOAD, 0, 0, _ARGUMENTS + 8 * argument), *tests, (_LOAD, 0, 0, _NUMBER)]
    return [(_EQUAL, 0, len(inside), number), *inside]
