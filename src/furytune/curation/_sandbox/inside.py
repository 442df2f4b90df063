"""Runs inside the sandbox, in the Python that is chosen there: reads a job, runs its blocks, and reports how they ended.

This text is given to that Python with ``-c``. It imports nothing of furytune, and works with Python 3.8 and later.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import types
from typing import Any, Dict, List, Tuple


def _main() -> None:
    job = json.loads(os.read(0, 1 << 26).decode("utf-8"))
    report = os.dup(1)  # not inherited by programs that the answer starts
    null = os.open("/dev/null", os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.closerange(3, report)
    os.closerange(report + 1, 4096)
    for name, value in job["limits"].items():
        resource.setrlimit(getattr(resource, name), (value, value))
    # A second more for the hard limit: the soft one ends a program with a signal that tells why.
    resource.setrlimit(resource.RLIMIT_CPU, (job["cpu"], job["cpu"] + 1))
    process = os.getpid()
    ended = _run(job["blocks"])
    if os.getpid() != process:  # a copy that the answer made of its own process
        os._exit(0)
    os.write(report, json.dumps(ended).encode("ascii") + b"\n")
    # Threads, child processes and exit handlers of the answer end here, with the sandbox.
    os._exit(0)


def _run(blocks: List[Tuple[int, str]]) -> Dict[str, Any]:
    """Runs blocks one after the other, with the same names, and returns how that ended."""
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    sys.argv = [""]
    files: Dict[str, int] = {}
    try:
        for number, source in blocks:
            name = "/tmp/block_%d.py" % number
            files[name] = number
            # Some packages read the source of the functions that they get.
            with open(name, "w", encoding="utf-8") as file:
                file.write(source)
            module.__file__ = name
            exec(compile(source, name, "exec", dont_inherit=True), module.__dict__)
    except SystemExit as error:
        if error.code not in (None, 0):
            return _failed(error, files)
    except BaseException as error:
        return _failed(error, files)
    return {"status": "ran"}


def _failed(error: BaseException, files: Dict[str, int]) -> Dict[str, Any]:
    """Returns the class of an exception, and where in the blocks it was raised."""
    block, line = 0, 0
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename in files:
            block, line = files[trace.tb_frame.f_code.co_filename], trace.tb_lineno
        trace = trace.tb_next
    if isinstance(error, SyntaxError) and error.filename in files:
        block, line = files[error.filename], error.lineno or 0
    # A class of the answer itself has a name that a person wrote, so the nearest class of a package stands for it.
    known = next(c for c in type(error).__mro__ if c.__module__ != "__main__")
    name = (
        known.__qualname__ if known.__module__ == "builtins" else known.__module__ + "." + known.__qualname__
    )
    return {"status": "failed", "exception": name, "block": block, "line": line}


if __name__ == "__main__":
    _main()
