"""Kills exports at random moments and looks at what is left; started by test_kill.py as a process of its own.

Usage: kill_exports.py FOLDER KILLS SEED. Prints counts as JSON; ends with an error at the first bad state.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from attrs import frozen

from furytune._storage.durable import staged
from furytune.errors import ExportError
from furytune.exporters import load_dataset
from furytune.exporters.csv import CsvExporter
from furytune.exporters.jsonl import JsonlExporter
from furytune.records import Prompt, TrainingRow


@frozen
class Contract:
    fingerprint: str = "f"
    snapshot: str = "s"
    form: object = {}


def rows(kind):
    for n in range(600):
        split = "train" if n % 5 else "validation"
        yield TrainingRow(
            id=f"{kind}{n}", group="g", split=split, prompt=Prompt(text=kind * 40), answer=kind * 60
        )


def export(exporters, kind):
    """Exports as a pipeline with several exporters does."""
    with staged() as group:
        for exporter in exporters:
            exporter.stage(rows(kind), contract=Contract(), tally=None, group=group)


def contents(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir() if not p.name.startswith(".")}


def main():
    folder, kills, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    dice = random.Random(seed)
    exporters = [CsvExporter(folder / "t.csv"), JsonlExporter(folder / "t.jsonl")]
    whole = {}
    for kind in "ab":
        began = time.perf_counter()
        export(exporters, kind)
        took = time.perf_counter() - began
        whole[kind] = contents(folder)
    counts = {"killed": 0, "finished": 0, "whole": 0, "refused": 0}
    turn = "a"
    while counts["killed"] < kills:
        pid = os.fork()
        if pid == 0:
            export(exporters, turn)
            os._exit(0)
        time.sleep(dice.random() * took * 1.1)
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        counts["killed" if os.WIFSIGNALED(status) else "finished"] += 1
        found = contents(folder)
        assert set(found) == set(whole["a"]), sorted(found)
        for name, data in found.items():
            assert data in (whole["a"][name], whole["b"][name]), f"{name} is neither old nor new"
        runs = set()
        for stem in ("t.csv", "t.jsonl"):
            names = [name for name in found if name.endswith(stem[1:]) or name.startswith(stem)]
            same = [kind for kind in "ab" if all(found[name] == whole[kind][name] for name in names)]
            one_run = bool(same)
            try:
                load_dataset(folder / f"{stem}.manifest.json")
                assert one_run, "files of two runs were taken for a data set"
                counts["whole"] += 1
                runs.add(same[0])
            except ExportError:
                assert not one_run, "a whole data set was refused"
                counts["refused"] += 1
        assert len(runs) <= 1, "two exporters left data sets of different runs"
        turn = dice.choice("ab")
    export(exporters, "a")
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == whole["a"], "leftovers stay"
    sys.stdout.write(json.dumps(counts))


if __name__ == "__main__":
    main()
