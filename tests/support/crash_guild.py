"""A guild to collect from in the crash tests, served by a process of its own, and what a journal holds."""

from __future__ import annotations

import json
import multiprocessing
import random
from datetime import timedelta
from pathlib import Path

import journals

import furytune as ft
from furytune.collectors.discord import DiscordCollector, Patience
from furytune.collectors.journal import JournalCollector
from furytune.testing.fake_discord import FakeDiscord

CANARY = "xylocanary"
ALWAYS = timedelta(days=30_000)
SIZES = (420, 205, 100, 37, 0)
KEY = b"a key of the tests"
QUICK = Patience(first=0.001, most=0.01, rate=1e6)


def build(service):
    """Channels, threads, forum posts, archived and private ones, and one that cannot be read."""
    dice = random.Random(1)
    people = [service.add_member(f"member{i}") for i in range(8)]
    canary = service.add_member(CANARY)
    rooms = [service.add_channel(f"room{i}") for i in range(len(SIZES))]
    posts = []
    for room, size in zip(rooms, SIZES, strict=True):
        for i in range(size):
            mine = i % 17 == 3
            to = dice.choice(room.messages[-5:]) if room.messages and i % 3 == 0 else None
            text = (
                f"{CANARY} {i}"
                if mine
                else f"How do I do {i} in {room.name}?"
                if to is None
                else f"So you do {i}."
            )
            posts.append(service.post(room, canary if mine else dice.choice(people), text, reply_to=to))
    words = [m for m in posts if m.author is canary]
    for i, message in enumerate(words[:6]):
        again = service.post(rooms[(i + 1) % 4], people[i], forward_of=message)
        service.post(rooms[(i + 2) % 4], people[i + 1], forward_of=again)
    forum = service.add_channel("questions", kind="forum", tags=["solved"])
    for i in range(6):
        post = service.add_thread(
            forum, f"question {i}", author=people[i], content=f"How do I do {i}?", tags=["solved"]
        )
        for j in range(i * 25):
            service.post(post, people[j % 8], f"step {j} of {i}")
        if i % 2:
            service.archive(post)
    thread = service.add_thread(rooms[0], "a thread", starter=rooms[0].messages[7], author=people[1])
    for j in range(120):
        service.post(thread, people[j % 5], f"in the thread {j}")
    service.post(service.add_thread(rooms[1], "private", author=people[2], private=True), people[2], "quiet")
    service.deny(service.add_channel("closed"), "READ_MESSAGE_HISTORY")


def change(service):
    """Edits, deletes, posts, opens and closes, all over the guild."""
    for channel in list(service.channels.values()):
        for i, message in enumerate(list(channel.messages)):
            if i % 23 == 5:
                service.edit(message, message.content + " (edited)")
            elif i % 31 == 6:
                service.delete(message)
    rooms = [c for c in service.channels.values() if c.name.startswith("room")]
    for room in rooms:
        for i in range(60):
            service.post(room, "member1", f"news {i}")
    threads = [c for c in service.channels.values() if c.is_thread]
    service.delete_channel(threads[2])
    service.archive(threads[0])
    service.archive(threads[3], archived=False)
    service.post(threads[3], "member2", "open again")


def _serve(pipe, latency):
    with FakeDiscord(latency=latency) as service:
        build(service)
        pipe.send((service.url, service.guild))
        while (asked := pipe.recv()) != "end":
            if asked == "change":
                change(service)
            pages = [r for r in service.requests if r.path.endswith("/messages")]
            pipe.send((len(service.requests), len(pages), list(service.violations)))


class Guild:
    """The guild's process.

    Attributes:
        url: Of its API.
        id: Of the guild.
    """

    def __init__(self, latency):
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, latency), daemon=True)
        self._process.start()
        self.url, self.id = self._pipe.recv()

    def ask(self, what="counts"):
        """Returns requests, message pages and violations so far."""
        self._pipe.send(what)
        return self._pipe.recv()

    def close(self):
        self._pipe.send("end")
        self._process.join()

    def collector(self, journal, **options):
        return DiscordCollector(
            guild=self.id,
            token=ft.Secret("rehearsal"),
            permission="a rehearsal",
            journal=JournalCollector(journal, author_key=KEY),
            endpoint=self.url,
            patience=QUICK,
            private_threads=True,
            **options,
        )


def refresh(collector):
    """Compares everything, once: what an earlier call began, an update ends."""
    begun = collector.journal.journal.about().refresh
    return collector.update() if begun else collector.refresh()


def contents(folder):
    """Everything that a journal holds but moments and random salts, by file name."""
    found = {p.relative_to(folder).as_posix(): p.read_bytes() for p in Path(folder).rglob("*") if p.is_file()}
    found.pop(".lock", None)
    about = json.loads(found["journal.json"])
    for permission in about["permissions"]:
        permission["since"] = ""
    found["journal.json"] = json.dumps(about).encode()
    if "forgotten.json" in found:
        forgotten = json.loads(found["forgotten.json"])
        found["forgotten.json"] = json.dumps((len(forgotten["people"]), forgotten["messages"])).encode()
    return found


def lines(folder):
    """Ids and lines of each log."""
    return journals.lines_of(folder)


def said(folder):
    """What is said in each log where something is."""
    found = {
        uid: [line for line in log.values() if not line.startswith(b'{"gone"')]
        for uid, log in lines(folder).items()
    }
    return {uid: log for uid, log in found.items() if log}


def pairs(folder):
    """What a data set would be made of."""
    return list(JournalCollector(folder, author_key=KEY).collect())


def export(folder, target, *, reverse=False):
    """Writes what a journal holds as files of DiscordChatExporter.

    Args:
        folder: The journal.
        target: A new folder.
        reverse: Newest first.
    """
    target.mkdir()
    states = journals.states(folder)
    for uid, log in lines(folder).items():
        state = states[uid]
        said = [json.loads(line) for line in log.values() if not line.startswith(b'{"gone"')]
        root = {
            "guild": {"id": journals.server_of(folder), "name": "Workshop", "iconUrl": ""},
            "channel": {"id": uid, "type": state.type, "categoryId": state.parent, "name": state.name},
            "dateRange": {"after": None, "before": None},
            "messages": said[::-1] if reverse else said,
            "messageCount": len(said),
        }
        (target / f"{uid}.json").write_text(json.dumps(root, indent=2), encoding="utf-8")
