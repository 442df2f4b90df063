"""Runs inside the sandbox before any answer does: tries what no program may do. The comment of a line names what failed."""

# ruff: noqa: F821, PTH, S101  (FACTS is given; it runs alone, in the Python that is chosen)
import ctypes
import os
import resource
import socket


def refused(action):
    """Returns whether the system refuses to do it."""
    try:
        action()
    except OSError:
        return True
    return False


def visible(home):
    """Returns whether a home shows more than the way to the folders that are bound."""
    ways = [os.path.relpath(f, home).split("/")[0] for f in FACTS["shown"] if f.startswith(home + "/")]
    return os.path.exists(home) and not set(os.listdir(home)) <= set(ways)


def opened(family, kind):
    """Opens a socket."""
    return lambda: socket.socket(family, kind).close()


status = dict(line.split(":\t", 1) for line in open("/proc/self/status") if ":\t" in line)
libc = ctypes.CDLL(None, use_errno=True)

assert refused(opened(socket.AF_INET, socket.SOCK_STREAM))  # the internet can be reached
assert refused(opened(socket.AF_INET6, socket.SOCK_DGRAM))  # the internet can be reached
assert refused(opened(socket.AF_UNIX, socket.SOCK_STREAM))  # sockets of other programs can be reached
assert [line.split(":")[0].strip() for line in open("/proc/net/dev")][2:] == ["lo"]  # network devices are visible
assert not os.path.exists(FACTS["secret"])  # files outside are visible
assert not any(visible(home) for home in FACTS["homes"])  # a home is visible
assert not os.path.exists("/etc/shadow")  # files of the system are visible
assert not os.path.exists("/run") and not os.path.exists("/sys")  # files of the system are visible
assert refused(lambda: open("/written", "w"))  # the root can be written
assert refused(lambda: open("/dev/written", "w"))  # /dev can be written
assert all(refused(lambda f=f: open(f + "/written", "w")) for f in ["/usr", *FACTS["shown"]])  # Python can be changed
assert set(os.environ) <= {*FACTS["environment"], "PWD", "LC_CTYPE"}  # the environment is visible
assert os.getuid() != 0 and int(status["CapEff"], 16) == 0 and int(status["CapBnd"], 16) == 0  # it has privileges
assert status["NoNewPrivs"].strip() == "1"  # it can gain privileges
assert status["Seccomp"].strip() == "2"  # system calls are not filtered
assert libc.unshare(0x10000000) == -1  # it can make a user namespace
assert len([name for name in os.listdir("/proc") if name.isdigit()]) <= 3  # other processes are visible
assert os.getsid(0) <= 3  # it has the session of the caller
assert refused(lambda: open("/dev/tty"))  # it has the terminal of the caller
assert len(os.listdir("/proc/self/fd")) <= 5  # it has open files of the caller
limits = [getattr(resource, "RLIMIT_" + name) for name in ("AS", "CPU", "FSIZE", "NOFILE", "NPROC")]
assert all(resource.getrlimit(limit)[1] != resource.RLIM_INFINITY for limit in limits)  # a limit is missing
