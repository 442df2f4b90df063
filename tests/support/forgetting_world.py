"""A server in miniature, and everything that is made of it, for the tests of erasure."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import journals
import ledgers
from attrs import frozen

import furytune as ft
from furytune.forgetting import forget
from furytune.records import Passage

CANARY = "xylophonic-marmalade"
ALICE, BOB, CAROL = "200000000000000001", "200000000000000002", "200000000000000003"
EPOCH = 1235174400000000000


def uid(n: int) -> str:
    return str(EPOCH + n)


def said(n: int, author: str, text: str, *, to: int | None = None, forwards: tuple[int, str] | None = None):
    fields: dict[str, object] = {"timestamp": f"2024-05-01T10:{n % 60:02}:00+00:00"}
    if to is not None:
        fields |= {"type": "Reply", "reference": {"messageId": uid(to)}}
    if forwards:
        fields |= {"reference": {"messageId": uid(forwards[0])}, "forwardedMessage": {"content": forwards[1]}}
    return journals.message_line(uid(n), author, text, **fields)


def make_journal(path: Path) -> None:
    """Alice asks, answers, is forwarded, edits, opens a thread and deletes; Bob and Carol talk among themselves."""
    journals.begin(path)
    lines = []
    for n in range(0, 40, 2):
        asker, answerer = (ALICE, BOB) if n == 4 else (BOB, ALICE) if n == 10 else (BOB, CAROL)
        mark = {ALICE: f" {CANARY}"}
        about = 4 if n == 20 else n
        lines.append(said(n, asker, f"How do I colour actor {about}?{mark.get(asker, '')}"))
        lines.append(said(n + 1, answerer, f"Set colour {n}.{mark.get(answerer, '')}", to=n))
    lines.append(said(50, BOB, "see here", forwards=(4, f"How do I colour actor 4? {CANARY}")))
    journals.append(path, "7", lines)
    journals.append(path, "7", [], changed=[said(4, ALICE, f"How do I colour actor 4? {CANARY} edited")])
    thread = [said(100, ALICE, f"How do I make a {CANARY}?"), said(101, BOB, "With care.")]
    journals.append(path, uid(100), thread, kind="GuildPublicThread", name="")
    journals.append(path, "8", [said(200, ALICE, f"{CANARY}, which I deleted"), said(201, CAROL, "I see.")])
    journals.append(path, "8", [], changed=[journals.tombstone(uid(200))])
    opening = journals.message_line(
        uid(300),
        ALICE,
        f"all about {CANARY}",
        type="ThreadCreated",
        reference={"channelId": uid(301)},
    )
    journals.append(path, "8", [opening])
    journals.append(path, uid(301), [said(302, BOB, "I begin.")], kind="GuildPublicThread", name="")
    journals.append(path, uid(400), [said(401, BOB, "Mine.")], kind="GuildPublicThread", name="")


def chat_passages() -> list[Passage]:
    texts = {4: f"How do I colour actor 4? {CANARY}", 6: "How do I colour actor 6?"}
    return [
        Passage(
            id=f"chat:discord:{uid(n)}",
            text=text,
            source=f"discord:1/7/{uid(n)},{uid(n + 1)}",
            date=datetime(2024, 5, 1, 10, n, tzinfo=UTC),
        )
        for n, text in texts.items()
    ] + [Passage(id=f"d{n}", text=f"actor {n} has a colour", source=f"a.py:{n}-{n + 3}") for n in range(9)]


@frozen
class World:
    folder: Path

    @property
    def journal(self) -> Path:
        return self.folder / "journal"

    @property
    def manifests(self) -> list[Path]:
        return [self.folder / "data" / f"{n}.manifest.json" for n in ("t.jsonl", "t.csv")]

    @property
    def index(self) -> Path:
        return self.folder / "corpus.lance"

    @property
    def jobs(self) -> Path:
        return self.folder / "jobs"

    def forget(self, **who) -> ft.Forgotten:
        return forget(
            **(who or {"author": ALICE}),
            journal=self.journal,
            datasets=self.manifests,
            indexes=[self.index],
            jobs=self.jobs,
        )

    def traces(self, word: str = CANARY) -> list[str]:
        found = []
        for path in sorted(self.folder.rglob("*")):
            if path.is_file() and word.encode() in path.read_bytes():
                found.append(path.relative_to(self.folder).as_posix())
        return found

    def contents(self) -> dict[str, bytes]:
        return {str(p): p.read_bytes() for p in sorted(self.folder.rglob("*")) if p.is_file()}


def make_job(jobs: Path, manifest: Path, *, noted: bool = True, key: str = "k1") -> None:
    dataset = ft.load_dataset(manifest)
    record = ledgers.entry(
        key,
        "ENDED",
        manifest=str(manifest),
        fingerprint=dataset.fingerprint,
        files=tuple(f.sha256 for f in dataset.files),
        train="gs://b/train.jsonl",
        name="projects/p/tuningJobs/1",
        state="succeeded",
        model="projects/p/models/9",
        endpoint="projects/p/endpoints/9",
    )
    ledgers.write(jobs, record)
    if noted:
        ledgers.note_messages(jobs, key, dataset)


def sources(manifest: Path) -> list[dict]:
    return json.loads(manifest.read_bytes())["sources"]


def touched(row: dict, ids: set[str]) -> bool:
    return bool(ids & {*row["messages"], *row.get("quoted", ())})
