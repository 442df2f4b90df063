"""Kills collections at random moments and looks at what is left; started by test_kill_collections.py.

Usage: kill_collections.py FOLDER KILLS SEED. Prints counts as JSON; ends with an error at the first bad state.
"""

from __future__ import annotations

import gc
import json
import os
import random
import shutil
import signal
import sys
import time
import traceback
from pathlib import Path

import aiohttp  # noqa: F401  (imported once here, not in each of a thousand children)
import crash_guild
import journals
from crash_guild import ALWAYS, CANARY, Guild

import discord  # noqa: F401
import furytune as ft
from furytune.collectors.journal import JournalCollector
from furytune.records import QAPair

SHARES = {
    "opt out": 0.08,
    "forget": 0.08,
    "adopt": 0.1,
    "go on": 0.1,
    "refresh": 0.08,
    "update": 0.1,
}
"""Of all kills; the first collection has the rest."""


def shares(kills):
    """Returns how many of the kills each kind of work gets."""
    others = {name: max(1, round(kills * share)) for name, share in SHARES.items()}
    return {"collect": kills - sum(others.values()), **others}


def attempt(action):
    """Starts an action in a process of its own; returns its id."""
    pid = os.fork()
    if pid == 0:
        try:
            action()
        except BaseException:  # noqa: BLE001  (the parent sees the status, people the reason)
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return pid


def finish(action):
    """Runs an action to its end; returns the seconds."""
    began = time.perf_counter()
    _, status = os.waitpid(attempt(action), 0)
    assert status == 0, "an undisturbed run failed"
    return time.perf_counter() - began


def kill(action, wait):
    """Runs an action and kills it after some seconds; returns True if it had come to its end."""
    pid = attempt(action)
    time.sleep(wait)
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status) or status == 0, "a run failed after a kill"
    return not os.WIFSIGNALED(status)


def author_of_canaries(folder):
    found = (json.loads(line) for log in crash_guild.said(folder).values() for line in log)
    return next(
        message["author"]["id"]
        for message in found
        if CANARY in message["content"] and "forwardedMessage" not in message
    )


class Phase:
    """One kind of work on a journal, and what it comes to when nothing disturbs it."""

    def __init__(self, folder, start, action):
        self.start = start
        self.action = action
        self.whole = folder
        self.renew(folder)
        self.took = finish(lambda: action(folder))
        self.renew(folder)
        self.took = min(self.took, finish(lambda: action(folder)))
        self.expected = crash_guild.contents(folder)
        self.pairs = crash_guild.pairs(folder)

    def renew(self, folder):
        shutil.rmtree(folder, ignore_errors=True)
        if self.start is not None:
            shutil.copytree(self.start, folder)

    def run(self, folder, kills, dice, check):
        """Kills the work until it was killed so often, and lets it come to its end again and again."""
        counts = {"killed": 0, "finished": 0}
        while counts["killed"] < kills:
            self.renew(folder)
            done = False
            while not done:
                if counts["killed"] < kills:
                    done = kill(lambda: self.action(folder), dice.random() * self.took * 1.1)
                else:
                    finish(lambda: self.action(folder))
                    done = True
                counts["finished" if done else "killed"] += 1
                if not done and journals.is_begun(folder):
                    check(folder)
            found = crash_guild.contents(folder)
            assert found.keys() == self.expected.keys(), found.keys() ^ self.expected.keys()
            for name, data in found.items():
                assert data == self.expected[name], f"{name} differs from that of an uninterrupted run"
            assert crash_guild.pairs(folder) == self.pairs
        return counts


def prefix_of(whole):
    """Returns a check that each log begins as it is to be in the end."""
    expected = crash_guild.lines(whole)

    def check(folder):
        for uid, found in crash_guild.lines(folder).items():
            assert list(found.items()) == list(expected[uid].items())[: len(found)], uid

    return check


def readable(folder):
    """Checks that each log can be read."""
    crash_guild.lines(folder)


def no_canary(folder):
    for path in folder.rglob("*"):
        assert path.is_dir() or CANARY.encode() not in path.read_bytes(), f"{path.name} still says it"


def main():
    folder, kills, dice = Path(sys.argv[1]), int(sys.argv[2]), random.Random(int(sys.argv[3]))
    guild = Guild(latency=0.001)
    gc.freeze()
    report = {}

    def run(name, phase, check=readable):
        _, before, _ = guild.ask()
        began = time.perf_counter()
        counts = phase.run(folder / "journal", shares(kills)[name], dice, check)
        _, after, violations = guild.ask()
        assert not violations, violations
        wasted = after - before - pages.get(name, 0) * counts["finished"]
        report[name] = counts | {
            "wasted pages": wasted,
            "seconds": round(time.perf_counter() - began, 1),
            "run": round(phase.took, 3),
        }

    pages = {}

    def made(name, start, action):
        _, before, _ = guild.ask()
        phase = Phase(folder / name, start, action)
        _, after, _ = guild.ask()
        pages[name] = (after - before) // 2
        return phase

    collected = made("collect", None, lambda at: guild.collector(at).update())
    assert sum(isinstance(item, QAPair) for item in collected.pairs) > 100
    run("collect", collected, prefix_of(folder / "collect"))
    canary = author_of_canaries(folder / "collect")
    out = ft.Consent(opt_out=canary)
    run("opt out", made("opt out", folder / "collect", lambda at: guild.collector(at, consent=out).update()))
    no_canary(folder / "journal")
    run("forget", made("forget", folder / "collect", lambda at: ft.forget(author=canary, journal=at)))
    no_canary(folder / "journal")
    crash_guild.export(folder / "collect", folder / "files", reverse=True)
    run("adopt", made("adopt", None, lambda at: JournalCollector(at).adopt(folder / "files")))
    run("go on", made("go on", folder / "adopt", lambda at: guild.collector(at).update()))
    assert crash_guild.pairs(folder / "go on") == collected.pairs
    run("refresh", made("refresh", folder / "adopt", lambda at: crash_guild.refresh(guild.collector(at))))
    assert crash_guild.pairs(folder / "refresh") == collected.pairs
    guild.ask("change")
    run(
        "update",
        made("update", folder / "collect", lambda at: guild.collector(at, recheck=ALWAYS).update()),
    )
    finish(lambda: guild.collector(folder / "new").update())
    assert crash_guild.said(folder / "update") == crash_guild.said(folder / "new")
    guild.close()
    total = {key: sum(r[key] for r in report.values()) for key in ("killed", "finished", "wasted pages")}
    sys.stdout.write(json.dumps({"total": total} | report))


if __name__ == "__main__":
    main()
