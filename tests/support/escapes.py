"""Attempts to leave the sandbox. Each is a program that ends without an exception only if it succeeds.

The names in capitals are given: a home that anyone may read and write, addresses that really answer, a process to end.
"""

from __future__ import annotations

from textwrap import dedent
from typing import NamedTuple

PRELUDE = '''
import ctypes, errno, os, platform, resource, signal, socket, stat, subprocess, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
X86 = platform.machine() == "x86_64"
def call(x86, arm, *arguments):
    """Makes a system call by its number, and raises what the kernel answers."""
    # Every argument fills a register.
    found = libc.syscall(x86 if X86 else arm, *(ctypes.c_ulong(a) if isinstance(a, int) else a for a in arguments))
    if found < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return found
def put(path, text):
    """Writes into a file at once, so that a refusal is heard."""
    os.write(os.open(path, os.O_WRONLY), text.encode())
def limit(name, most):
    """Sets a limit, and raises what the kernel answers."""
    try:
        resource.setrlimit(name, (most, most))
    except ValueError:
        raise PermissionError from None
def done(result):
    """Raises unless the C library says that it worked."""
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")
'''


class Escape(NamedTuple):
    """An attempt.

    Attributes:
        code: The program.
        outside: Whether the same user succeeds with it outside of the sandbox, which shows that it is an attempt.
    """

    code: str
    outside: bool = False


def _(code: str, *, outside: bool = False) -> Escape:
    return Escape(dedent(code).strip(), outside)


ESCAPES: dict[str, Escape] = {
    # Files.
    "read a secret in the home": _('assert "host" in open(HOME + "/secret").read()', outside=True),
    "list the home": _('assert "secret" in os.listdir(HOME)', outside=True),
    "read /etc/shadow": _('open("/etc/shadow").read()'),
    "read /etc/passwd": _('open("/etc/passwd").read()', outside=True),
    "follow a link out of /tmp": _(
        'os.symlink(HOME + "/secret", LINK); assert open(LINK).read(); os.unlink(LINK)', outside=True
    ),
    "link a file of the home": _(
        'os.link(HOME + "/secret", HOME + "/again"); os.unlink(HOME + "/again")', outside=True
    ),
    "climb up from the current folder": _('open("../" * 20 + HOME + "/secret").read()', outside=True),
    "go through the root of the first process": _('open("/proc/1/root" + HOME + "/secret").read()'),
    "go through the root of a process outside": _(
        'open(f"/proc/{VICTIM}/root{HOME}/secret").read()', outside=True
    ),
    "go through the folder of the first process": _('open("/proc/1/cwd/../.." + HOME + "/secret").read()'),
    "go through open files of the first process": _("""
        for fd in os.listdir("/proc/1/fd"):
            for way in ("/..", "/../..", "", "/root", f"/{VICTIM}/root", "/1/root"):
                try:
                    open(f"/proc/1/fd/{fd}{way}{HOME}/secret").read()
                except OSError:
                    continue
                sys.exit(0)
        raise SystemExit(1)
        """),
    "find open files of the caller": _("""
        own = ("/dev/null", "pipe:", "anon_inode:", "/proc/", "/tmp/")
        found = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if os.path.islink(f"/proc/self/fd/{fd}")]
        assert [f for f in found if not f.startswith(own)]
        """),
    "list host processes through an open folder of the first process": _("""
        for fd in os.listdir("/proc/1/fd"):
            try:
                if str(VICTIM) in os.listdir(f"/proc/1/fd/{fd}"):
                    sys.exit(0)
            except OSError:
                pass
        raise SystemExit(1)
        """),
    "read a file by its handle": _("""
        handle = ctypes.create_string_buffer(b"\\x80" + bytes(135))
        mount = ctypes.c_int()
        call(303, 264, -100, b"/tmp", handle, ctypes.byref(mount), 0)
        """),
    "write into the home": _('open(HOME + "/written", "w").close()', outside=True),
    "write into /": _('open("/written", "w")'),
    "write into /dev": _('open("/dev/written", "w")'),
    "write into /usr": _('open("/usr/written", "w")'),
    "change the Python that runs": _("""
        name = os.path.join(sys.prefix, "lib", "changed")
        open(name, "w").close()
        os.unlink(name)
        """),
    "change a module in the environment of the Python that runs": _(
        'open(VENV + "/lib/sitecustomize.py", "w").close()', outside=True
    ),
    "make a mount writable": _('done(libc.mount(None, b"/usr", None, 32 | 4096, None))'),
    "replace the current root": _('os.makedirs("/tmp/a/b"); call(155, 41, b"/tmp/a", b"/tmp/a/b")'),
    "chroot and climb out": _('os.mkdir("/tmp/r"); os.chroot("/tmp/r"); os.chdir("../" * 20)'),
    "mount a file system": _('os.mkdir("/tmp/m"); done(libc.mount(b"none", b"/tmp/m", b"tmpfs", 0, None))'),
    "mount with the newer calls": _('call(430, 430, b"tmpfs", 0)'),
    "open a copy of the mounts": _('call(428, 428, -100, b"/", 1)'),
    "unmount": _('done(libc.umount2(b"/tmp", 2))'),
    # Devices and files of the kernel.
    "find a device of the host": _(
        """
        usual = {"console", "core", "fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom", "zero"}
        assert set(os.listdir("/dev")) - usual
        """,
        outside=True,
    ),
    "make a device": _(
        'os.mknod("/tmp/disk", 0o600 | stat.S_IFBLK, os.makedev(254, 0)); open("/tmp/disk", "rb").read(1)'
    ),
    "read the memory of the machine": _('open("/dev/mem", "rb").read(1)'),
    "read the memory of the kernel": _('open("/proc/kcore", "rb").read(4096)'),
    "change a setting of the kernel": _('put("/proc/sys/kernel/core_pattern", "|/tmp/x")'),
    "use the magic keys": _('put("/proc/sysrq-trigger", "h")'),
    "leave its control group": _('put("/sys/fs/cgroup/cgroup.procs", str(os.getpid()))'),
    "read messages of the kernel": _("call(103, 116, 10, 0, 0)"),
    "write into a map of users": _('put("/proc/self/uid_map", "0 0 1")'),
    # Secrets in processes.
    "read a secret in the environment": _('assert "host" in os.environ["FURYTUNE_TOKEN"]', outside=True),
    "read the environment of the first process": _(
        'assert b"hunter2" in open("/proc/1/environ", "rb").read()'
    ),
    "read the environment of a process outside": _(
        'assert b"hunter2" in open(f"/proc/{VICTIM}/environ", "rb").read()', outside=True
    ),
    "see a process outside": _('os.stat(f"/proc/{VICTIM}")', outside=True),
    # The network and sockets.
    "connect by TCP": _('socket.create_connection(("127.0.0.1", TCP), 5)', outside=True),
    "connect by TCP over IPv6": _("socket.socket(socket.AF_INET6)", outside=True),
    "send by UDP": _(
        'socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", UDP))', outside=True
    ),
    "look up a name": _('socket.getaddrinfo("example.org", 80)'),
    "listen": _('socket.create_server(("127.0.0.1", 0))', outside=True),
    "connect to a socket in a folder": _(
        's = socket.socket(socket.AF_UNIX); s.connect(HOME + "/socket")', outside=True
    ),
    "connect to an abstract socket": _(
        's = socket.socket(socket.AF_UNIX); s.connect("\\0" + ABSTRACT)', outside=True
    ),
    "talk to the kernel by netlink": _("socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)", outside=True),
    "talk to the machine below by vsock": _("socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)"),
    "read raw packets": _("socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3)"),
    "use the cryptographic sockets of the kernel": _("socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET)"),
    "make a socket by its number": _("call(41, 198, 2, 1, 0)", outside=True),
    "make a socket in 32 bits": _(
        """
        import mmap
        assert X86
        page = mmap.mmap(-1, 4096, prot=7)
        # eax = 359 (socket), ebx = AF_INET, ecx = SOCK_STREAM, edx = 0; int 0x80
        page.write(bytes.fromhex("53" "b867010000" "bb02000000" "b901000000" "31d2" "cd80" "5b" "c3"))
        made = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
        assert made >= 0
        """,
        outside=True,
    ),
    "make a call by the numbers of x32": _("assert X86; call(0x40000000 | 41, 0, 2, 1, 0)"),
    # Other processes.
    "end a process outside": _("os.kill(VICTIM, signal.SIGTERM); time.sleep(0.2)", outside=True),
    "end every process": _("""
        child = os.fork()
        if not child:
            signal.pause()
        os.kill(-1, signal.SIGKILL)
        raise SystemExit(1)
        """),
    "attach to a process": _(
        """
        child = os.fork()
        if not child:
            signal.pause()
        try:
            done(libc.ptrace(16, child, 0, 0))
        finally:
            os.kill(child, 9)
        """,
        outside=True,
    ),
    "attach to the first process": _("done(libc.ptrace(16, 1, 0, 0))"),
    "read the memory of the first process": _('open("/proc/1/mem", "rb").read(1)'),
    "read memory of another process by a call": _(
        """
        class Part(ctypes.Structure):
            _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]
        source, target = ctypes.create_string_buffer(b"there", 8), ctypes.create_string_buffer(8)
        parts = [Part(ctypes.addressof(b), 8) for b in (target, source)]
        call(310, 270, os.getpid(), ctypes.byref(parts[0]), 1, ctypes.byref(parts[1]), 1, 0)
        assert target.value == b"there"
        """,
        outside=True,
    ),
    "take an open file of the first process": _("call(438, 438, os.pidfd_open(1), 0, 0)"),
    # Privileges.
    "become root": _("os.setuid(0)"),
    "gain privileges by a program": _("assert libc.prctl(39, 0, 0, 0, 0) == 0", outside=True),
    "keep a capability": _(
        """
        status = open("/proc/self/status").read()
        assert int(status.split("CapPrm:")[1].split()[0], 16) or int(status.split("CapBnd:")[1].split()[0], 16)
        """,
        outside=True,
    ),
    "make a user namespace": _("done(libc.unshare(0x10000000))", outside=True),
    "make a user namespace with clone": _(
        """
        child = call(56, 220, 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0)
        if child == 0:
            os._exit(0)
        """,
        outside=True,
    ),
    "make a user namespace with clone3": _(
        """
        arguments = (ctypes.c_uint64 * 8)(0x10000000, 0, 0, 0, signal.SIGCHLD, 0, 0, 0)
        child = call(435, 435, ctypes.byref(arguments), 64)
        if child == 0:
            os._exit(0)
        """,
        outside=True,
    ),
    "enter another namespace": _('done(libc.setns(os.open("/proc/1/ns/net", os.O_RDONLY), 0))'),
    "raise a limit": _("limit(resource.RLIMIT_NPROC, 100_000)"),
    "run before all others": _("os.nice(-10)"),
    "rename the machine": _('socket.sethostname("mine")'),
    "set the clock": _("time.clock_settime(time.CLOCK_REALTIME, 0)"),
    "escape the killer of processes that use too much memory": _('put("/proc/self/oom_score_adj", "-1000")'),
    # Parts of the kernel.
    "use io_uring": _("call(425, 425, 4, ctypes.create_string_buffer(120))"),
    "use the keys of the kernel": _('call(248, 217, b"user", b"mine", b"1", 1, -2)', outside=True),
    "read the keys of the session": _("call(250, 219, 0, -3, 0)"),
    "load a program into the kernel": _("call(321, 280, 0, ctypes.create_string_buffer(72), 72)"),
    "measure other programs": _("call(298, 241, ctypes.create_string_buffer(b'\\1', 112), 0, -1, -1, 0)"),
    "handle page faults": _("call(323, 282, 1)"),
    "change how addresses are chosen": _("call(135, 92, 0x0040000)", outside=True),
    "load a module": _('call(313, 273, 0, b"", 0)'),
    "restart the machine": _("call(169, 142, 0xFEE1DEAD, 672274793, 0x01234567, 0)"),
    # Terminals.
    "open the terminal of the caller": _('open("/dev/tty")'),
    "type into a terminal": _("""
        import fcntl, pty
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, 0x5412, b"x")
        """),
    "belong to the session of the caller": _("assert os.getsid(0) == 0"),
    # Too much.
    "have more processes than allowed": _("""
        made = 0
        for _ in range(200):
            child = os.fork()
            if not child:
                time.sleep(30)
                os._exit(0)
            made += 1
        assert made >= 200
        """),
    "have more threads than allowed": _(
        """
        for _ in range(200):
            threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
        """,
        outside=True,
    ),
    "fork without end": _("""
        while True:
            try:
                os.fork()
            except OSError:
                time.sleep(0.01)
        """),
    "take more memory than allowed": _(
        """
        held = bytearray(900 << 20)
        for at in range(0, len(held), 4096):
            held[at] = 1
        """,
        outside=True,
    ),
    "take more memory than allowed, in many processes": _(
        """
        children = []
        for _ in range(8):
            child = os.fork()
            if not child:
                held = bytearray(100 << 20)
                for at in range(0, len(held), 4096):
                    held[at] = 1
                time.sleep(1.5)
                os._exit(0)
            children.append(child)
        assert all(os.waitpid(child, 0)[1] == 0 for child in children)
        """,
        outside=True,
    ),
    "take more memory than allowed, in shared pages": _(
        """
        import mmap
        children = []
        for _ in range(8):
            child = os.fork()
            if not child:
                held = mmap.mmap(-1, 100 << 20)
                for at in range(0, len(held), 4096):
                    held[at] = 1
                time.sleep(1.5)
                os._exit(0)
            children.append(child)
        assert all(os.waitpid(child, 0)[1] == 0 for child in children)
        """,
        outside=True,
    ),
    "change what the first process was given": _("""
        for fd in os.listdir("/proc/1/fd"):
            try:
                if "memfd" in os.readlink(f"/proc/1/fd/{fd}"):
                    os.write(os.open(f"/proc/1/fd/{fd}", os.O_WRONLY), b"x")
                    sys.exit(0)
            except OSError:
                pass
        raise SystemExit(1)
        """),
    "fill the disk": _("""
        for n in range(64):
            open(f"/tmp/{n}", "wb").write(bytes(4 << 20))
        """),
    "fill the shared memory": _("""
        for n in range(64):
            open(f"/dev/shm/{n}", "wb").write(bytes(4 << 20))
        """),
    "write a file that is too large": _('open("/tmp/big", "wb").truncate(1 << 33)'),
    "hold memory that is in no file": _('os.ftruncate(os.memfd_create("x"), 1 << 20)', outside=True),
    "hold shared memory of System V": _("call(29, 194, 0, 1 << 20, 0o1600)"),
    "lock memory": _("done(libc.mlockall(1))"),
    "open more files than allowed": _("held = [open('/dev/null') for _ in range(900)]", outside=True),
    "leave a core file": _("limit(resource.RLIMIT_CORE, 1 << 20)"),
    # Time.
    "sleep through the limit": _("time.sleep(30)"),
    "compute through the limit": _("while True: pass"),
    "ignore every signal": _("""
        for number in range(1, 65):
            try:
                signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError):
                pass
        while True:
            time.sleep(0.01)
        """),
    "compute through the limit, without hearing it": _("""
        signal.signal(signal.SIGXCPU, signal.SIG_IGN)
        while True: pass
        """),
    "wait for the end of a report that never ends": _("""
        for fd in range(3, 60):
            try:
                while True: os.write(fd, b"x" * 65536)
            except OSError:
                pass
        time.sleep(30)
        """),
    "stop itself": _("os.kill(os.getpid(), signal.SIGSTOP)"),
}

STAYING: dict[str, str] = {
    "a child": "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)', MARK])",
    "a daemon": """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for fd in range(60):
            try: os.close(fd)
            except OSError: pass
        os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(600)", MARK])
    os._exit(0)
time.sleep(0.2)
""",
    "a child that hears no signal, of a parent that never ends": """
subprocess.Popen([sys.executable, "-c", "import signal, time; signal.pthread_sigmask(0, range(1, 65)); time.sleep(600)", MARK], start_new_session=True)
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
while True: time.sleep(1)
""",
    "a child that does not end with its parent": """
libc.prctl(1, 0)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", MARK], preexec_fn=lambda: libc.prctl(1, 0))
os.kill(os.getpid(), signal.SIGKILL)
""",
    "a thread and an exit handler": """
import atexit
def stay():
    subprocess.run([sys.executable, "-c", "import time; time.sleep(600)", MARK])
threading.Thread(target=stay).start()
atexit.register(stay)
time.sleep(0.2)
""",
    "an alarm": """
def stay(*_):
    subprocess.run([sys.executable, "-c", "import time; time.sleep(600)", MARK])
signal.signal(signal.SIGALRM, stay)
signal.setitimer(signal.ITIMER_REAL, 0.3, 0.3)
""",
}
"""Programs that leave a process behind, whose command line contains MARK."""
