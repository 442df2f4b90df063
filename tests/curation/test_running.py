"""What RunCode says about answers, and when it refuses to run any."""

from __future__ import annotations

import json
import os
import shutil
import signal
import struct
import sys
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandboxed import Unprivileged, processes_with, sandbox

import furytune as ft
from furytune.curation._sandbox import seccomp
from furytune.errors import ConfigError

QUICK = {"seconds": 20, "cpu": 10, "memory": 256 << 20}
SHORT = {"seconds": 3, "cpu": 1, "memory": 256 << 20}


@pytest.fixture(scope="module")
def user() -> Iterator[Unprivileged]:
    with sandbox() as found:
        yield found


def blocks(*codes: str) -> str:
    return "Like this:\n" + "\nand\n".join(f"```python\n{code}\n```" for code in codes)


def run(user: Unprivileged, *codes: str, **options) -> tuple:
    found = user.ask("run", answers=[blocks(*codes)], **{"limits": QUICK, **options})[0]
    return tuple(found.values())


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("x = 1", "ran"),
        ("import sys\nsys.exit()", "ran"),
        ("import sys\nsys.exit(2)", "failed"),
        ("1 / 0", "failed"),
        ("import time\ntime.sleep(60)", "timed_out"),
        ("while True: pass", "timed_out"),
        ("x = bytearray(400 << 20)", "out_of_memory"),
        ("import os\nos._exit(0)", "crashed"),
        ("import os\nos.abort()", "crashed"),
        ("import ctypes\nctypes.string_at(0)", "crashed"),
        ("this cannot be Python", "not_python"),
        ("input()", "failed"),
    ],
)
def test_each_end_has_its_word(user, code, status) -> None:
    assert run(user, code, limits=SHORT if status == "timed_out" else QUICK)[0] == status


def test_an_answer_without_code_is_not_run(user) -> None:
    answers = ["Use a sphere.", "```\nnot_a_name\n```", "```sh\nrm -rf /\n```", "```\n0.12.0\n```"]
    assert {found["status"] for found in user.ask("run", answers=answers)} == {"without_code"}


def test_the_exception_has_a_class_and_a_line_of_the_answer(user) -> None:
    # Two lines come before the first block, three between two blocks.
    assert run(user, "x = 1", "\n\ny = x\n\nfoo(y,\n    2)") == ("failed", "NameError", 11)
    assert run(user, "def f():\n    # a comment\n    return {}['a']\n\n\nf()") == ("failed", "KeyError", 5)
    assert run(user, ">>> x = 1\n1\n>>> x.y\n1") == ("failed", "AttributeError", 5)
    assert run(user, "import json\njson.loads('{')") == ("failed", "json.decoder.JSONDecodeError", 4)
    assert run(user, "import subprocess\nsubprocess.run(['false'], check=True)") == (
        "failed",
        "subprocess.CalledProcessError",
        4,
    )
    assert run(user, "x = 1", "a b") == ("not_python", "", 7)


def test_code_outside_of_fences_runs_in_the_order_of_the_answer(user) -> None:
    answers = [
        "First:\n\n    import json\n    x = json\n\nthen\n\n>>> x.nothing\n",
        "First:\n\n    x = 1\n\nthen\n```python\nassert x == 1\n```\n",
        "Call `1 / 0` and see.",
    ]
    found = [tuple(f.values()) for f in user.ask("run", answers=answers, limits=QUICK)]
    assert found == [("failed", "AttributeError", 8), ("ran", "", 0), ("without_code", "", 0)]


def test_a_class_of_the_answer_is_not_named(user) -> None:
    """Its name is what a person wrote."""
    assert run(user, "class Hunter2(KeyError): pass\nraise Hunter2('x')")[:2] == ("failed", "KeyError")


def test_blocks_share_names_and_follow_the_preamble(user) -> None:
    assert run(user, "x = math.pi", "assert x > 3", preamble="import math")[0] == "ran"
    assert (
        run(user, "def f(): return 1", "import inspect\nassert 'return 1' in inspect.getsource(f)")[0]
        == "ran"
    )
    assert run(user, "if __name__ == '__main__':\n    raise KeyError")[1] == "KeyError"


def test_ordinary_programs_run(user) -> None:
    assert (
        run(user, "import subprocess\nassert subprocess.check_output(['echo', 'a']) == b'a\\n'")[0] == "ran"
    )
    assert run(user, "import tempfile\nwith tempfile.TemporaryFile() as f:\n    f.write(b'x')")[0] == "ran"
    assert run(user, "import threading\nt = threading.Thread(target=print)\nt.start()\nt.join()")[0] == "ran"
    assert run(user, "import asyncio\nasyncio.run(asyncio.sleep(0))")[0] == "ran"
    pool = "import multiprocessing as m\nwith m.get_context('fork').Pool(2) as p:\n    assert p.map(abs, [-1]) == [1]"
    assert run(user, pool)[0] == "ran"
    assert run(user, "import sys\nprint('x' * 10**7)\nsys.stderr.write('y' * 10**7)")[0] == "ran"


def test_nothing_carries_over_to_the_next_answer(user) -> None:
    leave = "open('/tmp/left', 'w').close(); import os; assert os.path.exists('/tmp/left')"
    find = "import os\nassert os.path.exists('/tmp/left')"
    found = user.ask("run", answers=[blocks(leave), blocks(find)], limits=QUICK)

    assert [f["status"] for f in found] == ["ran", "failed"]


def test_an_answer_that_changes_modules_changes_nothing_for_the_next(user) -> None:
    lie = "import json, os, sys\njson.dumps = lambda *_: '{}'\nos._exit = print\nsys.modules.clear()\nraise KeyError"
    found = user.ask(
        "run", answers=[blocks(lie), blocks("1 / 0"), blocks("import json; json.dumps(1)")], limits=QUICK
    )

    assert [f["status"] for f in found] == ["crashed", "failed", "ran"]


@pytest.mark.parametrize(
    "written",
    [
        b'{"status": "failed", "exception": "my password is hunter2", "block": 1, "line": 1}\n',
        b'{"status": "my password is hunter2"}\n',
        b"my password is hunter2\n",
        b"[" * 4000,
        b'{"status": "failed", "exception": {"hunter2": 1}, "block": 1e999, "line": "hunter2"}\n',
        b'{"status": "failed", "exception": "' + b"hunter" * 500 + b'"}\n',
        b"\xff\xfe\n",
        b"7\n",
    ],
)
def test_a_report_that_the_answer_writes_itself_says_nothing_else(user, written) -> None:
    write = f"import os\nfor fd in range(3, 30):\n    try: os.write(fd, {written!r})\n    except OSError: pass\nos._exit(0)"
    status, exception, line = run(user, write)

    assert status in ("failed", "crashed")
    assert exception in ("", "Exception")
    assert line in (0, 3)


def test_the_curator_drops_with_a_reason_and_without_a_word_of_the_answer(user) -> None:
    answers = [
        "Use a sphere.",
        blocks("print('hunter2')"),
        blocks("raise ValueError('hunter2')"),
        blocks("import time", "time.sleep(60)"),
        blocks("x = bytearray(400 << 20)"),
        blocks("import os\nos.abort()"),
        blocks("a hunter2"),
    ]
    assert user.ask("curate", answers=answers, limits=SHORT, workers=3) == [
        ["kept", ""],
        ["kept", ""],
        ["run_failed", "ValueError in line 3"],
        ["run_timed_out", "not done after 3 s, or 1 s of processor time"],
        ["run_out_of_memory", "more than 256 MiB"],
        ["run_crashed", ""],
        ["broken_code", "the code from line 3 on is not Python"],
    ]


def test_what_is_forgiven_is_kept(user) -> None:
    answers = [
        blocks("nothing_like_it"),
        blocks("import os\nos.abort()"),
        blocks("import json\njson.loads('')"),
    ]
    forgive = ["NameError", "crashed", "JSONDecodeError"]

    assert user.ask("curate", answers=answers, forgive=forgive) == [["kept", ""]] * 3
    assert [reason for reason, _ in user.ask("curate", answers=answers)] == [
        "run_failed",
        "run_crashed",
        "run_failed",
    ]


def test_it_is_a_curation_step(user) -> None:
    assert user.ask("conforms", answers=["So.", blocks("1 / 0"), blocks("x = 1")]) == 3


def test_a_folder_can_be_read_and_not_written(user) -> None:
    folder = user.home / "data"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o777)
    (folder / "numbers").write_text("7", encoding="utf-8")
    read, write = f"assert open({str(folder / 'numbers')!r}).read()", f"open({str(folder / 'more')!r}, 'w')"

    assert run(user, read)[1] == "FileNotFoundError"
    assert run(user, read, readable=[str(folder)])[0] == "ran"
    assert run(user, write, readable=[str(folder)])[1] == "OSError"
    assert not (folder / "more").exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"preamble": "a b"}, "does not parse"),
        ({"preamble": "import not_installed_at_all"}, "ModuleNotFoundError.*python="),
        ({"python": "/nowhere/python"}, "is not a Python that runs"),
        ({"python": "/bin/cat"}, "is not a Python that runs"),
        ({"forgive": "NameError"}, "collection of names"),
        ({"forgive": ["a b"]}, "collection of names"),
        ({"readable": ["/"]}, "may hold secrets"),
        ({"readable": ["~"]}, "may hold secrets"),
        ({"readable": ["/var"]}, "may hold secrets"),
        ({"readable": ["/nowhere"]}, "is not a folder"),
        ({"workers": 0}, "workers"),
        ({"limits": {"seconds": 0}}, "seconds"),
        ({"limits": {"memory": 1}}, "memory"),
    ],
)
def test_wrong_arguments_are_refused(user, options, says) -> None:
    with pytest.raises(AssertionError, match=f"ConfigError: .*{says}"):
        user.ask("run", answers=[blocks("x = 1")], **options)


def changed_bwrap(user: Unprivileged, change: str) -> str:
    """A program called bwrap that gives the real one other arguments."""
    folder = user.home / f"changed-{abs(hash(change))}"
    folder.mkdir(exist_ok=True)
    program = folder / "bwrap"
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin") or os.path.realpath(sys.executable)
    program.write_text(
        f"#!{python}\nimport os, sys\nargs = sys.argv[1:]\n"
        "def without(word, values=0):\n"
        "    while word in args[: args.index('--')]:\n        at = args.index(word)\n        del args[at : at + 1 + values]\n"
        f"{change}\nos.execv({shutil.which('bwrap')!r}, ['bwrap', *args])\n",
        encoding="utf-8",
    )
    program.chmod(0o755)
    return str(program)


@pytest.mark.parametrize(
    "change",
    [
        "without('--seccomp', 1)",
        *(f"without('--unshare-{name}')" for name in ("net", "ipc", "cgroup")),
        "without('--unshare-uts'); without('--hostname', 1)",
        "without('--unshare-pid'); without('--proc', 1); args[:0] = ['--ro-bind', '/proc', '/proc']",
        "at = args.index('--proc'); args[at:at] = ['--ro-bind', 'HOME', 'HOME']",
        "at = args.index('--proc'); args[at:at] = ['--bind', '/tmp', '/tmp']",
        "at = args.index('--remount-ro'); del args[at : at + 4]",
        "at = args.index('--proc'); args[at:at] = ['--ro-bind', '/etc', '/etc']",
        "args[:0] = ['--setenv', 'TOKEN', 'hunter2']",
        "without('--cap-drop', 1); args[:0] = ['--cap-add', 'ALL']",
        "without('--new-session')",
    ],
)
def test_a_sandbox_that_does_not_hold_is_refused_before_any_answer_runs(user, change) -> None:
    with pytest.raises(AssertionError, match="ConfigError: the sandbox does not hold .*, so no code was run"):
        user.ask(
            "run_with",
            bwrap=changed_bwrap(user, change.replace("HOME", str(user.home))),
            code=blocks("x = 1"),
        )


def test_a_python_without_assertions_refuses_it_too() -> None:
    with sandbox("-O") as user:
        program = changed_bwrap(user, "without('--seccomp', 1)")
        with pytest.raises(AssertionError, match="ConfigError: the sandbox does not hold"):
            user.ask("run_with", bwrap=program, code=blocks("x = 1"))


def test_an_unchanged_bwrap_under_another_name_is_accepted(user) -> None:
    """So the test above is about the changes."""
    assert user.ask("run_with", bwrap=changed_bwrap(user, ""), code=blocks("x = 1"))[0]["status"] == "ran"


@pytest.mark.parametrize(
    ("program", "says"),
    [
        ("#!/bin/sh\necho bwrap: no permission >&2; exit 1\n", "bwrap: no permission"),
        ("", "cannot be started"),
    ],
)
def test_a_bwrap_that_fails_is_told(user, program, says) -> None:
    folder = user.home / f"failing-{len(program)}"
    folder.mkdir(exist_ok=True)
    (folder / "bwrap").write_text(program, encoding="utf-8")
    (folder / "bwrap").chmod(0o755)

    with pytest.raises(AssertionError, match=f"ConfigError: .*{says}.*install bubblewrap"):
        user.ask("run_with", bwrap=str(folder / "bwrap"), code=blocks("x = 1"))


def test_without_bwrap_nothing_runs(user) -> None:
    with pytest.raises(AssertionError, match="ConfigError: RunCode needs bubblewrap.*apt install bubblewrap"):
        user.ask("run_with", bwrap="/nowhere/bwrap", code=blocks("x = 1"))


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="not root, so root is not refused")
def test_root_runs_nothing() -> None:
    with pytest.raises(ConfigError, match="does not run code as root.*runuser"):
        ft.RunCode()


def test_an_answer_ends_with_the_process_that_ran_it() -> None:
    with sandbox() as user:
        mark = f"furytune-mark-{user.process.pid}"
        code = f"import subprocess, sys, time\nsubprocess.run([sys.executable, '-c', 'import time; time.sleep(600)', {mark!r}])"
        assert user.process.stdin is not None
        request = {"do": "run", "answers": [blocks(code)], "limits": {"seconds": 300}}
        user.process.stdin.write(json.dumps(request) + "\n")
        user.process.stdin.flush()
        wait_until(lambda: processes_with(mark))
        os.kill(user.process.pid, signal.SIGKILL)
        wait_until(lambda: not processes_with(mark))


def wait_until(true) -> None:
    until = time.monotonic() + 30
    while not true():
        assert time.monotonic() < until
        time.sleep(0.05)


# The filter, as the kernel would read it.

ARCHITECTURES = sorted(seccomp.ARCHITECTURES)
KILL, REFUSED, MISSING, ALLOWED = 0x80000000, 0x00050001, 0x00050026, 0x7FFF0000


def decision(machine: str, number: int, arguments: tuple[int, ...] = (), *, arch: int | None = None) -> int:
    """Runs the filter on a call."""
    program = list(struct.iter_unpack("<HBBI", seccomp.seccomp_filter(machine)))
    true = seccomp.ARCHITECTURES[machine][1]
    data = struct.pack(
        "<iIQ6Q", number, true if arch is None else arch, 0, *arguments, *[0] * (6 - len(arguments))
    )
    at, value = 0, 0
    while True:
        code, yes, no, k = program[at]
        at += 1
        if code == 0x06:
            return k
        if code == 0x20:
            value = struct.unpack_from("<I", data, k)[0]
            continue
        test = {0x15: value == k, 0x25: value > k, 0x35: value >= k, 0x45: bool(value & k)}[code]
        at += yes if test else no


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_the_filter_refuses_each_call_of_its_table_and_allows_ordinary_ones(machine) -> None:
    column = seccomp.ARCHITECTURES[machine][0]
    for numbers in seccomp._REFUSED.values():
        if numbers[column] is not None:
            assert decision(machine, numbers[column]) == REFUSED
    ordinary = {
        "x86_64": (0, 1, 2, 9, 59, 60, 202, 257, 334),
        "aarch64": (56, 63, 64, 93, 98, 221, 222, 226),
    }[machine]
    assert {decision(machine, number) for number in ordinary} == {ALLOWED}


@pytest.mark.parametrize("machine", ARCHITECTURES)
def test_the_filter_reads_flags_and_commands(machine) -> None:
    column = seccomp.ARCHITECTURES[machine][0]
    clone, ioctl, pair = (n[column] for n in (seccomp._CLONE, seccomp._IOCTL, seccomp._SOCKETPAIR))
    assert decision(machine, clone, (0x3D0F00,)) == ALLOWED  # a thread
    assert decision(machine, clone, (17,)) == ALLOWED  # a process
    for flag in (0x80, *(1 << n for n in (17, 25, 26, 27, 28, 29, 30))):
        assert decision(machine, clone, (flag | 17,)) == REFUSED
    assert decision(machine, ioctl, (0, 0x5401)) == ALLOWED
    assert decision(machine, ioctl, (0, 0x5412)) == REFUSED
    assert decision(machine, ioctl, (0, 0x5412 | 1 << 32)) == REFUSED
    assert decision(machine, pair, (1,)) == ALLOWED
    assert decision(machine, pair, (2,)) == REFUSED


@given(st.sampled_from(ARCHITECTURES), st.integers(0, 0x3FFFFFFF), st.integers(0, 0xFFFFFFFF))
def test_the_filter_decides_every_call(machine, number, arch) -> None:
    true = seccomp.ARCHITECTURES[machine][1]
    assert decision(machine, number) in (REFUSED, MISSING, ALLOWED)
    assert (decision(machine, number, arch=arch) == KILL) is (arch != true)
    assert decision(machine, number | 0x40000000) == MISSING
    assert number <= 450 or decision(machine, number) == MISSING
