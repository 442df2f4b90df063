"""What the tests of all forums need: patience that does not wait, and what a collector has stored."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

from furytune._network.patience import Patience
from furytune.records import Dropped, QAPair

__all__ = ["QUICK", "drops_of", "kill_at_request", "pairs_of", "stored"]

QUICK = Patience(first=0.0, most=0.0, longest_wait=3_700.0, timeout=5.0)


def pairs_of(collector) -> list[QAPair]:
    """The pairs in the journal."""
    return [item for item in collector.journal.collect() if isinstance(item, QAPair)]


def drops_of(collector) -> dict[str, int]:
    """How much of the journal is in no pair, by reason."""
    found: dict[str, int] = {}
    for item in collector.journal.collect():
        if isinstance(item, Dropped):
            found[item.reason] = found.get(item.reason, 0) + item.count
    return found


def kill_at_request(fake, at: int, update: Callable[[], object]) -> None:
    """Kills a run in another process when the service has got this many of its requests."""
    seen = len(fake.requests) + at
    pid = os.fork()
    if pid == 0:  # pragma: no cover
        update()
        os._exit(0)
    while len(fake.requests) < seen:
        time.sleep(0.001)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def stored(collector) -> str:
    """The log of the journal."""
    return (collector.journal.source / "threads.jsonl").read_text(encoding="utf-8")
