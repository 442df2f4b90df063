"""Builds indexes in processes of their own. Each is a fork of a server that has loaded LanceDB, and never uses it."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from typing import Any

from models import Counting

from furytune.augmenters.rag import build_index
from furytune.records import Passage

__all__ = ["at_once", "kill", "long_rounds", "rounds_with_vectors", "vector_round"]

_FORKS = "forkserver" in multiprocessing.get_all_start_methods()
_PROCESSES: Any = multiprocessing.get_context("forkserver" if _FORKS else "spawn")
if _FORKS:
    _PROCESSES.set_forkserver_preload(["lancedb", "numpy", "pyarrow"])


def _build(path: str, name: str, together: Any, reports: Any) -> None:
    passages = [Passage(id=f"{i}", text=f"sphere of {name} {i}") for i in range(300)]
    together.wait(60)
    report = build_index(path, passages)
    reports.put((report.version, report.written, report.snapshot))


def at_once(path: Any, names: str) -> list[tuple[int, bool, str]]:
    """Builds the same index in one process for each name, all at the same time; returns what each reports."""
    together, reports = _PROCESSES.Barrier(len(names)), _PROCESSES.SimpleQueue()
    children = [
        _PROCESSES.Process(target=_build, args=(str(path), name, together, reports)) for name in names
    ]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0] * len(children)
    found = [reports.get() for _ in children]
    reports.close()
    return found


def long_rounds(path: str, started: Any, other: str) -> None:
    """Builds an index of long texts again and again; an index elsewhere first, so that nothing is left to load."""
    build_index(other, [Passage(id="w", text="warm")])
    started.set()
    for n in range(10**6):
        text = f"round {n} " + "sphere " * 500
        build_index(path, [Passage(id=f"{i}", text=text) for i in range(2000)])


def vector_round(n: int) -> list[Passage]:
    """The passages of one round."""
    return [Passage(id=f"{i}", text=f"round {n} sphere {i} " + "cube " * (i % 50)) for i in range(400)]


def rounds_with_vectors(path: str, started: Any, first: int) -> None:
    """Builds an index with vectors again and again."""
    started.set()
    for n in range(first, 10**6):
        build_index(path, vector_round(n), embedder=Counting())


def kill(work: Callable[..., None], path: Any, *rest: Any, after: float) -> None:
    """Kills work that never ends, so many seconds after it started."""
    started = _PROCESSES.Event()
    child = _PROCESSES.Process(target=work, args=(str(path), started, *rest))
    child.start()
    assert started.wait(60)
    time.sleep(after)
    assert child.is_alive(), "it ended by itself"
    child.kill()
    child.join()
