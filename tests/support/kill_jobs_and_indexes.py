"""Kills tuning runs and index builds at random moments and looks at what is left; started by test_kill.py.

Usage: kill_jobs_and_indexes.py FOLDER KILLS SEED. Prints counts as JSON; ends with an error at the first bad state.
"""

from __future__ import annotations

import gc
import json
import random
import ssl
import sys
import warnings
from functools import partial
from pathlib import Path

import lancedb  # noqa: F401  (once here; this process itself never uses it, so its children may)
import ledgers
from kill_collections import finish, kill
from vertex_help import make_dataset, make_tuner

from furytune.augmenters.rag import RagAugmenter, build_index
from furytune.records import Passage
from furytune.testing.fake_vertex import FakeVertex

INDEX_SHARE = 0.5


def kill_tuning(folder, kills, dice):
    """Submits a run until it was killed often enough; each key must come to one job, however often it was killed."""
    # Certificates take a second to load, and the service is on this machine.
    ssl.SSLContext.load_verify_locations = lambda *_args, **_kwargs: None
    counts = {"killed": 0, "finished": 0, "jobs": 0}
    with FakeVertex() as fake:
        dataset, _ = make_dataset(folder / "data")

        def submit(key):
            make_tuner(fake, folder).submit(dataset, key=key)

        submit("warm")
        took = min(finish(lambda: submit("f0")), finish(lambda: submit("f1")))
        key = 0
        gc.freeze()
        while counts["killed"] < kills:
            fake.service.jobs.clear()
            key += 1
            done = False
            while not done and counts["killed"] < kills:
                done = kill(partial(submit, f"k{key}"), dice.random() * took * 1.1)
                counts["finished" if done else "killed"] += 1
                assert len(fake.service.jobs) <= 1, "a run that was killed started a second job"
                ledgers.entries(folder / "jobs")  # each is whole
            finish(partial(submit, f"k{key}"))
            assert len(fake.service.jobs) == 1
            counts["jobs"] += 1
    return counts


def passages(kind):
    return [Passage(id=f"{n}", text=f"{kind} number {n}", title=kind, source="s") for n in range(200)]


def kill_builds(folder, kills, dice):
    """Builds an index of one kind over that of the other; what is found is always whole, of either kind."""
    place = folder / "kinds.lance"

    def look():
        found = {(p.id, p.text) for p in RagAugmenter(place, k=10**6).context("number")}
        assert found in [{(p.id, p.text) for p in passages(kind)} for kind in ("old", "new")]

    def build(kind):
        return partial(build_index, place, passages(kind))

    finish(build("old"))
    took = finish(build("new"))
    counts = {"killed": 0, "finished": 0}
    while counts["killed"] < kills:
        done = kill(build(dice.choice(("old", "new"))), dice.random() * took * 1.1)
        counts["finished" if done else "killed"] += 1
        finish(look)
    finish(build("new"))
    finish(look)
    return counts


def main():
    folder, kills, dice = Path(sys.argv[1]), int(sys.argv[2]), random.Random(int(sys.argv[3]))
    warnings.filterwarnings("ignore", message="lancedb fork support")
    builds = round(kills * INDEX_SHARE)
    report = {
        "tuning": kill_tuning(folder, kills - builds, dice),
        "builds": kill_builds(folder, builds, dice),
    }
    report["killed"] = sum(counts["killed"] for counts in report.values())
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    main()
