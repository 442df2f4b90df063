"""A server in miniature, and everything that is made of it, for the tests of erasure."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from attrs import frozen

import furytune as ft
from furytune._discord.journal.lines import ChannelState, Position, gone_line
from furytune._discord.journal.messages import Forwarded, Kept, Reference, Writer, line_of
from furytune._discord.journal.store import About, Journal
from furytune.forgetting import forget
from furytune.records import Passage
from furytune.tuners._jobs import lineage
from furytune.tuners._jobs.ledger import Entry, Ledger

CANARY = "xylophonic-marmalade"
ALICE, BOB, CAROL = "200000000000000001", "200000000000000002", "200000000000000003"
EPOCH = 1235174400000000000


def uid(n: int) -> str:
    return str(EPOCH + n)


def said(n: int, author: str, text: str, *, to: int | None = None, forwards: tuple[int, str] | None = None):
    return line_of(
        Kept(
            id=uid(n),
            type="Reply" if to is not None else "Default",
            content=text,
            author=Writer(id=author),
            timestamp=f"2024-05-01T10:{n % 60:02}:00+00:00",
            reference=Reference(message_id=uid(to if to is not None else forwards[0]))
            if to is not None or forwards
            else None,
            forwarded_message=Forwarded(content=forwards[1]) if forwards else None,
        )
    )


def write(
    journal: Journal, channel: str, lines: list[bytes], *, kind="GuildTextChat", name="help", changed=()
):
    with journal.writing(), journal.log(channel) as log:
        log.append(
            Position(read="0"), lines=lines, changed=changed, channel=ChannelState(channel, kind, name=name)
        )


def make_journal(path: Path) -> Journal:
    """Alice asks, answers, is forwarded, edits, opens a thread and deletes; Bob and Carol talk among themselves."""
    journal = Journal(path)
    with journal.writing():
        journal.save(About(guild="1"))
    lines = []
    for n in range(0, 40, 2):
        asker, answerer = (ALICE, BOB) if n == 4 else (BOB, ALICE) if n == 10 else (BOB, CAROL)
        mark = {ALICE: f" {CANARY}"}
        about = 4 if n == 20 else n
        lines.append(said(n, asker, f"How do I colour actor {about}?{mark.get(asker, '')}"))
        lines.append(said(n + 1, answerer, f"Set colour {n}.{mark.get(answerer, '')}", to=n))
    lines.append(said(50, BOB, "see here", forwards=(4, f"How do I colour actor 4? {CANARY}")))
    write(journal, "7", lines)
    write(journal, "7", [], changed=[said(4, ALICE, f"How do I colour actor 4? {CANARY} edited")])
    thread = [said(100, ALICE, f"How do I make a {CANARY}?"), said(101, BOB, "With care.")]
    write(journal, uid(100), thread, kind="GuildPublicThread", name="")
    write(journal, "8", [said(200, ALICE, f"{CANARY}, which I deleted"), said(201, CAROL, "I see.")])
    write(journal, "8", [], changed=[gone_line(uid(200), "deleted")])
    opening = Kept(
        id=uid(300),
        type="ThreadCreated",
        content=f"all about {CANARY}",
        author=Writer(id=ALICE),
        reference=Reference(channel_id=uid(301)),
    )
    write(journal, "8", [line_of(opening)])
    write(journal, uid(301), [said(302, BOB, "I begin.")], kind="GuildPublicThread", name="")
    write(journal, uid(400), [said(401, BOB, "Mine.")], kind="GuildPublicThread", name="")
    return journal


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
    entry = Entry(
        key=key,
        run="run",
        step="ENDED",
        at=1.0,
        backend="vertex",
        place="p/l",
        manifest=str(manifest),
        fingerprint=dataset.fingerprint,
        files=tuple(f.sha256 for f in dataset.files),
        settings={},
        train="gs://b/train.jsonl",
        name="projects/p/tuningJobs/1",
        state="succeeded",
        model="projects/p/models/9",
        endpoint="projects/p/endpoints/9",
    )
    Ledger(jobs).write(entry)
    if noted:
        lineage.note(jobs, key, dataset)


def sources(manifest: Path) -> list[dict]:
    return json.loads(manifest.read_bytes())["sources"]


def touched(row: dict, ids: set[str]) -> bool:
    return bool(ids & {*row["messages"], *row.get("quoted", ())})
