"""Kills reviewers at random moments and looks at what is left; started by test_kill_decisions.py.

Usage: kill_decisions.py FOLDER KILLS SEED. Two processes decide at the same time, and one of them is killed. Each writes into
a pipe what was confirmed. Prints counts as JSON; ends with an error at the first bad state.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import furytune as ft
from furytune.testing.memory import pair

BASE = 1235174400000000000
ERASE_EVERY = 5


def subject(n):
    uid = str(BASE + n)
    return pair(f"How do I draw {n}?", "So.", id=f"discord:{uid}", question_messages=(uid,))


def decide(path, first, count, pipe, sleep=0.0):
    """Decides about pairs, and says after each decision that it was recorded."""
    decisions = ft.Decisions(path)
    for n in range(first, first + count):
        decisions.answer(subject(n), f"Answer {n}. " * (1 + n % 400), by=str(first))
        os.write(pipe, f"{n}\n".encode())
        time.sleep(sleep)


def forked(work):
    """Runs work in a process; returns its id and the end of a pipe from which to read."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        try:
            work(write)
        except BaseException as error:  # noqa: BLE001  (the parent sees the status, people the reason)
            sys.stderr.write(repr(error))
            os._exit(1)
        os._exit(0)
    os.close(write)
    return pid, read


def confirmed(read):
    with os.fdopen(read, "rb") as pipe:
        # A kill can cut off the last number, but not one with its line end.
        return [int(line) for line in pipe.read().split(b"\n")[:-1]]


def main():
    folder, kills, dice = Path(sys.argv[1]), int(sys.argv[2]), random.Random(int(sys.argv[3]))
    path = folder / "review.jsonl"
    known, counts = {}, {"killed": 0, "torn": 0, "confirmed": 0, "erased": 0}
    following = 0
    while counts["killed"] < kills:
        victim, told = forked(lambda pipe, first=following: decide(path, first, 10**6, pipe))
        other, also = forked(lambda pipe, first=following + 10**6: decide(path, first, 5, pipe, 0.002))
        time.sleep(0.01 + dice.random() * 0.08)
        os.kill(victim, signal.SIGKILL)
        _, status = os.waitpid(victim, 0)
        assert os.WIFSIGNALED(status), "it ended by itself"
        counts["killed"] += 1
        _, status = os.waitpid(other, 0)
        assert status == 0, "the other reviewer failed after the kill"
        for n in (*confirmed(told), *confirmed(also)):
            known[n] = True
        following += 2 * 10**6
        step = ft.Decisions(path).start()
        counts["torn"] += sum(drop.reason == "torn" for drop in step.unread)
        left = {decision.pair: decision for decision in ft.Decisions(path).since(0)}
        for n in known:
            found = left[subject(n).id]
            assert found.answer == f"Answer {n}. " * (1 + n % 400), f"decision {n} is damaged"
        if counts["killed"] % ERASE_EVERY == 0 and known:
            gone = dice.choice(sorted(known))
            erasing, ignored = forked(lambda _, uid=str(BASE + gone): ft.Decisions(path).erase([uid], []))
            if dice.random() < 0.5:
                time.sleep(dice.random() * 0.03)
                os.kill(erasing, signal.SIGKILL)
            os.waitpid(erasing, 0)
            os.close(ignored)
            ft.Decisions(path).erase([str(BASE + gone)], [])
            del known[gone]
            counts["erased"] += 1
            for left_over in folder.iterdir():
                assert str(BASE + gone).encode() not in left_over.read_bytes(), left_over.name
    counts["confirmed"] = len(known)
    sys.stdout.write(json.dumps(counts))


if __name__ == "__main__":
    main()
