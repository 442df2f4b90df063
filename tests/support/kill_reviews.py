"""Kills review pages while they save, and looks at what is left; started by test_kill_reviews.py.

Usage: kill_reviews.py FOLDER KILLS SEED. Two windows decide as fast as they can, and the server is killed at a random moment.
Prints counts as JSON; ends with an error at the first bad state.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path

from review_world import Client, pairs, pipeline

import furytune as ft

PAIRS = 400


class Address:
    """The address of a page in another process."""

    def __init__(self, url):
        self.url = url


def serve(folder, write):
    """Serves the page in a process; returns its id."""
    pid = os.fork()
    if pid == 0:
        try:
            with ft.ReviewPage(pipeline(folder, pairs(PAIRS)), by="anna") as page:
                # A line for each window, because an address works once.
                os.write(write, f"{page.url}\n".encode())
                page.wait()
        finally:
            os._exit(1)
    return pid


def decide(client, start, confirmed):
    """Decides until the server is gone; notes what it confirmed."""
    with contextlib.suppress(ConnectionError, http.client.HTTPException):
        for n in range(start, 10**9, 2):
            uid = f"discord:{1000 + n % PAIRS}"
            text = f"Answer {n}. " * (1 + n % 300)
            status, told = client.decide(uid, "answer", text=text, revision=10**9)
            assert status == 200, told
            confirmed[told["made"]] = (uid, text)


def main():
    folder, kills, dice = Path(sys.argv[1]), int(sys.argv[2]), random.Random(int(sys.argv[3]))
    counts = {"killed": 0, "confirmed": 0, "torn": 0}
    known: dict[int, tuple[str, str]] = {}
    while counts["killed"] < kills:
        read, write = os.pipe()
        pid = serve(folder, write)
        with os.fdopen(read) as pipe:
            client = Client(Address(pipe.readline().strip())).open()
            windows = [
                threading.Thread(target=decide, args=(client, start + 2 * dice.randrange(10**6), known))
                for start in (0, 1)
            ]
            for window in windows:
                window.start()
            time.sleep(0.05 + dice.random() * 0.2)
            os.kill(pid, signal.SIGKILL)
            _, status = os.waitpid(pid, 0)
            os.close(write)
            assert os.WIFSIGNALED(status), "it ended by itself"
            for window in windows:
                window.join()
        counts["killed"] += 1
        counts["torn"] += sum(
            drop.reason == "torn" for drop in ft.Decisions(folder / "review.jsonl").start().unread
        )
        found = {decision.revision: decision for decision in ft.Decisions(folder / "review.jsonl").since(0)}
        for revision, (uid, text) in known.items():
            assert (found[revision].pair, found[revision].answer) == (uid, text), (
                f"decision {revision} is lost"
            )
        counts["confirmed"] = len(known)
    sys.stdout.write(json.dumps(counts))


if __name__ == "__main__":
    main()
