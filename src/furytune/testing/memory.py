"""In-memory parts: real implementations of the protocols, for tests and first experiments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from attrs import field, frozen

from furytune._values.canonical import Json, digest
from furytune.records import Dataset, Dropped, Estimate, Passage, QAPair, TuningJob

__all__ = ["ListCollector", "MemoryAugmenter", "MemoryTuner", "pair"]


def pair(question: str, answer: str, **fields: Any) -> QAPair:
    """Makes a pair for tests, with an id made from its text."""
    # `repr`, because a lone surrogate has no JSON.
    name = digest({"q": repr(question), "a": repr(answer)})[:16]
    return QAPair(**{"id": name, "group": name, "question": question, "answer": answer, **fields})


def _tuple(items: Iterable[QAPair | Dropped]) -> tuple[QAPair | Dropped, ...]:
    return tuple(items)


def _by_id(passages: Iterable[Passage]) -> tuple[Passage, ...]:
    return tuple(sorted(passages, key=lambda p: p.id))


@frozen
class ListCollector:
    """Collects the items it is given.

    Args:
        items: Pairs and drops, in order.
    """

    items: tuple[QAPair | Dropped, ...] = field(converter=_tuple)

    def collect(self) -> Iterator[QAPair | Dropped]:
        """Yields the items."""
        return iter(self.items)


@frozen
class MemoryAugmenter:
    """Finds the passages that share most words with the question; keeps the as-of rule and a total order.

    Args:
        passages: The knowledge.
        k: Maximum number of passages in a prompt.
    """

    passages: tuple[Passage, ...] = field(converter=_by_id)
    k: int = 4

    @property
    def spec(self) -> Mapping[str, Json]:
        """Name and parameters."""
        return {"name": "memory", "k": self.k}

    @property
    def snapshot(self) -> str:
        """Digest of all passages."""
        return "sha256:" + digest(
            [
                [p.id, p.text, p.title, p.source, p.url, p.date.isoformat() if p.date else None]
                for p in self.passages
            ]
        )

    def context(self, question: str, *, at: datetime | None = None) -> tuple[Passage, ...]:
        """Returns up to ``k`` passages that share a word with the question; most shared words first, then by id."""
        moment = at or datetime.now(UTC)
        words = set(re.findall(r"\w+", question.casefold()))
        found = [
            (-len(words & set(re.findall(r"\w+", f"{p.title} {p.text}".casefold()))), p.id, p)
            for p in self.passages
            if p.date is None or p.date < moment
        ]
        return tuple(p for n, _, p in sorted(found, key=lambda f: f[:2])[: self.k] if n)


@frozen
class MemoryTuner:
    """Accepts every data set and remembers its jobs.

    Args:
        jobs: Jobs by key; share them between tuners to simulate a restart.
    """

    jobs: dict[str, TuningJob] = field(factory=dict)

    @property
    def dialect(self) -> str:
        """Empty, because any dialect will do."""
        return ""

    def estimate(self, dataset: Dataset) -> Estimate:
        """Estimates no cost; an empty data set is a problem."""
        return Estimate(cost=0.0, problems=() if dataset.rows else ("there are no rows",))

    def submit(self, dataset: Dataset, *, key: str) -> TuningJob:
        """Starts a job, or returns the one that was started under the key."""
        if key in self.jobs:
            return self.jobs[key]
        job = TuningJob(
            key=key, name=f"jobs/{len(self.jobs) + 1}", state="running", fingerprint=dataset.fingerprint
        )
        self.jobs[key] = job
        return job

    def find(self, key: str) -> TuningJob | None:
        """Returns the job of a key, None if it has none."""
        return self.jobs.get(key)

    def poll(self, job: TuningJob) -> TuningJob:
        """Returns the job as it is."""
        return self.jobs[job.key]
