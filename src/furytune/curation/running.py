"""Drops answers whose Python does not run. The code runs in a sandbox, and only if you ask for it."""

from __future__ import annotations

import ast
import json
import re
from bisect import bisect_right
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

from attrs import evolve, field, frozen

from furytune._python_source.bindings import parse
from furytune._values.checks import at_least, of_type
from furytune._values.shown import Shown
from furytune.curation._code import snippets
from furytune.curation._sandbox.binds import Interpreter, find_interpreter, readable_folder
from furytune.curation._sandbox.launching import Ending
from furytune.curation._sandbox.limits import RunLimits
from furytune.curation._sandbox.sandbox import Sandbox
from furytune.errors import ConfigError
from furytune.records import Dropped, QAPair

__all__ = ["CodeRun", "RunCode", "RunLimits", "RunStatus"]

RunStatus = Literal["ran", "failed", "timed_out", "out_of_memory", "crashed", "not_python", "without_code"]
"""``ran``: to the end. ``failed``: an exception. ``timed_out``: stopped after its seconds. ``out_of_memory``: it wanted more
memory than allowed. ``crashed``: the process ended without an exception, such as by a fault in a compiled module or by
``os._exit``. ``not_python``: a block is marked as Python but does not parse. ``without_code``: there is nothing to run."""

_EXCEPTION: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,99}")
_SIGXCPU: Final = 128 + 24
_DOES_SOMETHING: Final = (
    ast.Import,
    ast.ImportFrom,
    ast.Assign,
    ast.AugAssign,
    ast.AnnAssign,
    ast.Call,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.For,
    ast.While,
    ast.With,
)


@frozen(kw_only=True, repr=False)
class CodeRun(Shown):
    """How the Python of an answer ran. It holds nothing that the code printed.

    Attributes:
        status: What happened, see `RunStatus`.
        exception: The exception's class, such as "NameError" or "numpy.exceptions.AxisError". If the answer defines the class
            itself, it is the nearest class that it inherits from.
        line: Line of the answer in which the statement begins that raised it, counted from 1; 0 if that is not known.
    """

    status: RunStatus
    exception: str = ""
    line: int = 0

    def __str__(self) -> str:
        place = f" in line {self.line}" if self.line else ""
        return f"{self.status}{f': {self.exception}' * bool(self.exception)}{place}"


def _words(value: Collection[str]) -> frozenset[str]:
    return value if isinstance(value, str) else frozenset(value)  # type: ignore[return-value]  # refused below


def _names(_: object, attribute: Any, value: Any) -> None:
    if isinstance(value, str) or not all(isinstance(v, str) and _EXCEPTION.fullmatch(v) for v in value):
        raise ConfigError(f'{attribute.name} must be a collection of names, such as ("NameError", "crashed")')


def _folders(value: Sequence[str | Path]) -> tuple[str, ...]:
    if isinstance(value, str | Path):
        raise ConfigError('readable must be a list of folders, such as ["data"]')
    return tuple(readable_folder(folder) for folder in value)


@frozen
class RunCode:
    """Curation step: runs the Python of each answer in a sandbox, and drops the answers whose code does not run.

    It runs what strangers wrote, so it is for you to switch on. The sandbox is bubblewrap, which must be installed: the code
    has no network, no home folder, no environment and no other processes; it may write only to a ``/tmp`` of its own; and
    it is stopped at the `RunLimits`. Before the first answer, a program in the sandbox tries to break these rules, and nothing
    is run if it can. See docs/running-code.md for what this does not protect from.

    The blocks of code in an answer run in order, in one process; code between single backticks does not run. An answer without
    code is kept. What an answer prints is thrown away, and whether it is right is not known: code that runs can still be a
    wrong answer.

    =====================  ==================================================================
    reason                 meaning
    =====================  ==================================================================
    ``run_failed``         it raised an exception; the detail says which, and where
    ``run_timed_out``      it did not end in time
    ``run_out_of_memory``  it needed more memory than allowed
    ``run_crashed``        its process ended without an exception
    ``broken_code``        a block marked as Python is not Python
    =====================  ==================================================================

    Attributes:
        python: The Python that runs the code and has the packages that it uses: an interpreter, or the folder of a virtual
            environment. It is visible to the code, and cannot be changed by it. None means the Python that runs furytune.
        preamble: Python that runs before each answer, such as ``from fury import actor, window``, because answers often leave
            imports out.
        forgive: What does not count against an answer: names of exceptions, such as "NameError" for excerpts that leave
            something out, or words of `RunStatus`, such as "crashed" for code that needs a display.
        limits: How much the code may use.
        readable: Folders that the code may read, such as one with data for the examples.
        workers: Most answers that run at a time.

    Raises:
        ConfigError: This machine or this user cannot have the sandbox, there is no such Python, or an argument is not valid.
            Before the first answer: the sandbox does not hold, or the preamble fails in it.
    """

    python: str | Path | None = field(default=None, kw_only=True)
    preamble: str = field(default="", validator=of_type(str), kw_only=True)
    forgive: frozenset[str] = field(default=(), converter=_words, validator=_names, kw_only=True)
    limits: RunLimits = field(default=RunLimits(), validator=of_type(RunLimits), kw_only=True)
    readable: tuple[str, ...] = field(default=(), converter=_folders, kw_only=True)
    workers: int = field(default=2, validator=at_least(1), kw_only=True)
    _sandbox: Sandbox = field(init=False, repr=False, eq=False)

    @_sandbox.default
    def _make(self) -> Sandbox:
        if parse(self.preamble) is None:
            raise ConfigError("RunCode(preamble=...) does not parse as Python; correct its syntax")
        # Without a sandbox the interpreter is not looked for: the first error is the one to solve.
        Sandbox.check()
        interpreter: Interpreter = find_interpreter(self.python)
        return Sandbox(interpreter, self.readable, self.limits)

    @property
    def name(self) -> str:
        """Name in reports."""
        return "run_code"

    def run(self, answer: str) -> CodeRun:
        """Runs the Python of an answer, and says how that ended.

        Raises:
            ConfigError: The sandbox does not hold, or the preamble fails in it.
        """
        sandbox = self._ready
        blocks, lines = list[tuple[int, str]](), dict[int, dict[int, int]]()
        found = (s for s in snippets.snippets(answer) if s.form != "inline")
        for number, snippet in enumerate(sorted(found, key=lambda s: s.line), start=1):
            tree, broken = snippets.tree(snippet)
            if broken:
                return CodeRun(status="not_python", line=snippet.line)
            # A block without a mark may be output, and a word in it is Python too.
            if tree is None or not (snippet.marked or snippet.form == "session" or _acts(tree)):
                continue
            source = ast.unparse(tree)
            lines[number] = _lines(tree, source)
            blocks.append((number, source))
        if not blocks:
            return CodeRun(status="without_code")
        run, block = _outcome(sandbox.run([(0, self.preamble), *blocks]))
        return evolve(run, line=_original(lines.get(block, {}), run.line))

    def __call__(self, pair: QAPair) -> QAPair | Dropped:
        """Keeps the pair unchanged, or drops it."""
        return self._judged(pair, self.run(pair.answer))

    def curate(self, pairs: Sequence[QAPair]) -> list[QAPair | Dropped]:
        """Keeps each pair unchanged, or drops it. Several answers run at a time."""
        # The first runs alone, because before it the sandbox is tested.
        runs = [self.run(pair.answer) for pair in pairs[:1]]
        with ThreadPoolExecutor(self.workers) as pool:
            runs += pool.map(self.run, [pair.answer for pair in pairs[1:]])
        return [self._judged(pair, run) for pair, run in zip(pairs, runs, strict=True)]

    @cached_property
    def _ready(self) -> Sandbox:
        """The sandbox, after it was tested and the preamble ran in it."""
        run, _ = _outcome(self._sandbox.run([(0, self.preamble)]))
        if run.status != "ran":
            raise ConfigError(
                f"the preamble does not run in the sandbox ({run}), so no answer would; install what it imports for the "
                "Python in python=, or correct it"
            )
        return self._sandbox

    def _judged(self, pair: QAPair, run: CodeRun) -> QAPair | Dropped:
        exceptions = {run.exception, run.exception.rpartition(".")[2]}
        if run.status in ("ran", "without_code") or self.forgive & {run.status, *exceptions}:
            return pair
        if run.status == "not_python":
            return _dropped(pair, "broken_code", f"the code from line {run.line} on is not Python")
        if run.status == "timed_out":
            return _dropped(
                pair,
                "run_timed_out",
                f"not done after {self.limits.seconds} s, or {self.limits.cpu} s of processor time",
            )
        if run.status == "out_of_memory":
            return _dropped(pair, "run_out_of_memory", f"more than {self.limits.memory >> 20} MiB")
        if run.status == "crashed":
            return _dropped(pair, "run_crashed", "")
        return _dropped(pair, "run_failed", str(run).removeprefix("failed: "))


def _outcome(ending: Ending) -> tuple[CodeRun, int]:
    """Returns what a program's end means, and the number of the block that raised an exception.

    The program may have written its report itself, so nothing in it is taken as it is.
    """
    if ending.stopped:
        return CodeRun(status="timed_out" if ending.stopped == "time" else "out_of_memory"), 0
    if ending.code == _SIGXCPU:
        return CodeRun(status="timed_out"), 0
    try:
        told = json.loads(ending.report.partition(b"\n")[0])
        status, exception = told["status"], str(told.get("exception", ""))
        block, line = int(told.get("block", 0)), int(told.get("line", 0))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
        return CodeRun(status="crashed"), 0
    if ending.code != 0 or status not in ("ran", "failed"):
        return CodeRun(status="crashed"), 0
    if status == "ran":
        return CodeRun(status="ran"), 0
    if exception == "MemoryError":
        return CodeRun(status="out_of_memory"), 0
    shown = exception if _EXCEPTION.fullmatch(exception) else "Exception"
    return CodeRun(status="failed", exception=shown, line=max(0, line)), block


def _acts(tree: ast.Module) -> bool:
    return any(isinstance(node, _DOES_SOMETHING) for node in ast.walk(tree))


def _lines(tree: ast.Module, source: str) -> dict[int, int]:
    """Maps the first line of each statement in the source that runs to its line in the answer."""
    ran = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt)]
    written = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
    return {a.lineno: b.lineno for a, b in zip(ran, written, strict=False)}


def _original(lines: dict[int, int], line: int) -> int:
    """Returns the line in the answer of the statement that contains a line of what ran."""
    firsts = sorted(lines)
    at = bisect_right(firsts, line)
    return lines[firsts[at - 1]] if at and line else 0


def _dropped(pair: QAPair, reason: str, detail: str) -> Dropped:
    return Dropped(reason=reason, ids=(pair.id,), where=pair.source.path, detail=detail)
