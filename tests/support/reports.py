"""Makes runs whose reports are tested."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import furytune as ft
from furytune.pipeline import Run
from furytune.records import Estimate
from furytune.testing.memory import ListCollector, MemoryAugmenter

__all__ = ["ESTIMATE", "asked", "pipeline", "retrieving"]

ESTIMATE = Estimate(
    tokens=5_000,
    least_tokens=3_000,
    cost=4.5,
    least_cost=1.25,
    notes=("counted by hand",),
    warnings=("slow",),
)
_PASSAGES = [
    ft.Passage(id="p1", text="A sphere how\nhas a radius.", title="Spheres", source="docs/sphere.md:1-2"),
    ft.Passage(id="p2", text="How to paint.", title="Paint", source="docs/paint.md:3"),
]


def asked(n: int, question: str, answer: str, **more: Any) -> ft.QAPair:
    """A pair of a channel, each third one by another person."""
    return ft.QAPair(
        **{
            "id": f"made:{n}",
            "group": f"talk-{n}",
            "question": question,
            "answer": answer,
            "asked_at": datetime(2025, 1 + n % 5, 3, tzinfo=UTC),
            "method": ("thread", "reply", "link")[n % 3],
            "answerer": f"person-{n % 3}",
            "confidence": 0.4 + n % 60 / 100,
            "question_messages": (f"{n}0",),
            "answer_messages": (f"{n}1",),
            "source": ft.Source(path="help.json", channel=f"{n % 2}", channel_name=("help", "chat")[n % 2]),
            **more,
        }
    )


def pipeline(folder: Path, items: Iterable[ft.QAPair | ft.Dropped], **parts: Any) -> ft.Pipeline:
    """A pipeline that writes ``train.jsonl``."""
    folder.mkdir(exist_ok=True)
    return ft.Pipeline(
        **{"collector": ListCollector(items), "exporter": ft.JsonlExporter(folder / "train.jsonl"), **parts}
    )


def retrieving(folder: Path, items: Iterable[ft.QAPair | ft.Dropped], **parts: Any) -> tuple[Run, Run]:
    """A run with passages in its prompts, and one of the same pairs without."""
    both = pipeline(
        folder,
        items,
        augmenter=MemoryAugmenter(_PASSAGES),
        template=ft.PromptTemplate(
            "Help.\n\nContext:\n{context}\n\nQuestion:\n{question}", system="Be short."
        ),
        **parts,
    )
    without = both.evolve(augmenter=ft.IdentityAugmenter(), exporter=ft.JsonlExporter(folder / "plain.jsonl"))
    return both.run(examples=2), without.run()
