"""Runs commands in turn, and reports the median wall time and peak memory of each."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence


def once(command: Sequence[str]) -> tuple[float, float, str]:
    """Runs a command; returns its seconds, peak MB and last line of output."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    printed = process.stdout.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    if process.returncode:
        sys.exit(f"{command[-3:]} failed with exit code {process.returncode}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024, printed.strip().split("\n")[-1]


def compare(commands: Mapping[str, Sequence[str]], repeats: int) -> dict[str, tuple[float, float]]:
    """Runs all commands in turn, several times, and prints a table of ratios to the last command."""
    runs: dict[str, list[tuple[float, float, str]]] = {name: [] for name in commands}
    for _ in range(repeats):
        for name, command in commands.items():
            runs[name].append(once(command))
    medians = {
        name: (statistics.median(r[0] for r in found), statistics.median(r[1] for r in found))
        for name, found in runs.items()
    }
    baseline = list(medians.values())[-1]
    print(f"{'':<28}{'s':>8}{'min':>8}{'max':>8}{'MB':>8}{'faster':>9}{'leaner':>9}")
    for name, (seconds, megabytes) in medians.items():
        times = [r[0] for r in runs[name]]
        print(
            f"{name:<28}{seconds:>8.2f}{min(times):>8.2f}{max(times):>8.2f}{megabytes:>8.0f}"
            f"{baseline[0] / seconds:>8.1f}x{baseline[1] / megabytes:>8.1f}x  {runs[name][0][2]}"
        )
    return medians
