"""Lets the n-th file operation of a public call fail, for n = 1, 2, 3 ..., and looks at what is raised and what is left.

Usage: failing_disk.py FOLDER [CASE ...]. Every operation fails, in short calls once with every error; prints counts as JSON, and ends with
an error at the first bad state.
"""

from __future__ import annotations

import builtins
import errno
import io
import json
import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from unittest import mock

import crash_guild
import discord_exports
import forgetting_world
import vertex_help
from attrs import frozen

import furytune as ft
from furytune.augmenters.rag import RagAugmenter, build_index
from furytune.collectors.discord_export import DiscordExportCollector
from furytune.collectors.journal import JournalCollector
from furytune.errors import FurytuneError
from furytune.records import Passage
from furytune.review.journal import Journal
from furytune.testing.fake_discord import FakeDiscord
from furytune.testing.fake_vertex import FakeVertex
from furytune.testing.memory import pair as memory_pair

CODES = (errno.EIO, errno.ENOSPC, errno.EMFILE, errno.EACCES, errno.EROFS)
BY_NAME = (
    "open",
    "stat",
    "lstat",
    "scandir",
    "listdir",
    "mkdir",
    "unlink",
    "rmdir",
    "chmod",
    "replace",
    "rename",
)
BY_NUMBER = ("write", "fsync", "ftruncate", "fstat", "lseek")


class Disk:
    """Fails one operation on what is below a folder, and counts all."""

    def __init__(self, folder, fail_at=0, code=errno.EIO):
        self.folder = os.path.realpath(folder)
        self.fail_at = fail_at
        self.code = code
        self.count = 0
        self.failed = ""
        self.ours = set()

    def meet(self, name, place=""):
        self.count += 1
        if self.count == self.fail_at:
            self.failed = f"{name} {place}"
            raise OSError(self.code, os.strerror(self.code), place or None)

    def holds(self, place, kwargs):
        if kwargs.get("dir_fd") is not None:
            return kwargs["dir_fd"] in self.ours
        if isinstance(place, int):
            return place in self.ours
        try:
            named = os.path.abspath(os.fsdecode(place))  # noqa: PTH100  (nothing may be resolved)
        except TypeError:
            return False
        return named == self.folder or named.startswith(self.folder + os.sep)

    def _watched(self, name, real):
        def call(*args, **kwargs):
            place = args[0] if args else "."
            ours = self.holds(place, kwargs)
            if ours:
                self.meet(
                    name,
                    place
                    if isinstance(place, str)
                    else os.fspath(place)
                    if not isinstance(place, int)
                    else "",
                )
            found = real(*args, **kwargs)
            if name == "open":
                (self.ours.add if ours else self.ours.discard)(found)
            return found

        return call

    def _opened(self, real):
        disk = self

        class Raw(io.FileIO):
            def readinto(self, buffer):
                disk.meet("read")
                return super().readinto(buffer)

            def readall(self):
                disk.meet("read")
                return super().readall()

            def write(self, data):
                disk.meet("write")
                return super().write(data)

            def seek(self, *args):
                disk.meet("seek")
                return super().seek(*args)

        def call(
            file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None
        ):
            if not self.holds(file, {}):
                return real(file, mode, buffering, encoding, errors, newline, closefd, opener)
            if not isinstance(file, int) and opener is None:
                self.meet("open", os.fspath(file))
            raw = Raw(file, mode.replace("b", "").replace("t", ""), closefd=closefd, opener=opener)
            if buffering == 0:
                return raw
            size = buffering if buffering > 1 else io.DEFAULT_BUFFER_SIZE
            kind = (
                io.BufferedRandom if "+" in mode else io.BufferedReader if "r" in mode else io.BufferedWriter
            )
            buffered = kind(raw, size)
            return buffered if "b" in mode else io.TextIOWrapper(buffered, encoding, errors, newline)

        return call

    @contextmanager
    def installed(self):
        opened = self._opened(io.open)
        with (
            mock.patch.multiple(
                os, **{name: self._watched(name, getattr(os, name)) for name in BY_NAME + BY_NUMBER}
            ),
            mock.patch.object(io, "open", opened),
            mock.patch.object(builtins, "open", opened),
            mock.patch.object(tempfile, "tempdir", str(Path(self.folder) / "tmp")),
        ):
            yield self


@frozen
class Case:
    """A public call.

    Attributes:
        prepare: Makes what it works on in a folder, as an earlier run left it.
        act: Makes the call.
        states: Returns what a reader finds: each value must be as before the call, or as after it.
    """

    prepare: object
    act: object
    states: object = lambda _folder: {}


PASSAGES = [
    Passage(id=f"p{n}", text=f"actor {n} has a colour", title="Actors", source="a.py") for n in range(5)
]


def sources(folder):
    """Files that every collector reads."""
    (folder / "in").mkdir()
    (folder / "in" / "a.csv").write_text(
        "question,answer\n" + "".join(f"how {n}?,do {n}\n" for n in range(9))
    )
    (folder / "in" / "b.jsonl").write_text('{"question": "why?", "answer": "so"}\n')
    said = [discord_exports.message(n, f"member{n % 2}", f"how to do {n}?") for n in range(3)]
    discord_exports.write(folder / "in" / "export" / "c.json", discord_exports.export(said))


def pipeline(folder, **parts):
    return ft.Pipeline(
        **{
            "collector": [
                ft.CsvCollector(folder / "in" / "a.csv"),
                ft.JsonlCollector(folder / "in" / "b.jsonl"),
                DiscordExportCollector(folder / "in" / "export"),
            ],
            "splitter": vertex_help.Split(3),
            "exporter": [ft.JsonlExporter(folder / "t.jsonl"), ft.CsvExporter(folder / "t.csv")],
            **parts,
        }
    )


def exported(folder):
    sources(folder)
    pipeline(folder, exporter=pipeline(folder).exporter, normalizer=ft.Normalizer()).run()
    with (folder / "in" / "a.csv").open("a") as file:
        file.write("what is new?,this\n")


def data_sets(folder):
    """Each data set, or that it is refused because its files are not of one run."""
    found = {}
    for name in ("t.jsonl", "t.csv"):
        try:
            found[name] = tuple(f.sha256 for f in ft.load_dataset(folder / f"{name}.manifest.json").files)
        except FurytuneError:
            found[name] = None
    return found


def indexed(folder):
    build_index(folder / "a.lance", PASSAGES)


def index_state(folder):
    return {"index": RagAugmenter(folder / "a.lance", k=2).snapshot}


def with_contract(folder):
    indexed(folder)
    sources(folder)
    pipeline(folder, augmenter=RagAugmenter(folder / "a.lance", k=2), exporter=()).contract.save(
        folder / "c.json"
    )


def load_contract(folder):
    return ft.PromptContract.load(folder / "c.json").prompt("how does an actor get its colour?")


def contract_state(folder):
    return {"contract": ft.PromptContract.load(folder / "c.json").fingerprint}


def world(folder):
    made = forgetting_world.World(folder)
    forgetting_world.make_journal(made.journal)
    made.folder.joinpath("data").mkdir()
    ft.Pipeline(
        collector=JournalCollector(made.journal),
        exporter=[ft.JsonlExporter(folder / "data" / "t.jsonl"), ft.CsvExporter(folder / "data" / "t.csv")],
    ).run()
    build_index(made.index, forgetting_world.chat_passages())
    forgetting_world.make_job(made.jobs, made.manifests[0])


@cache
def vertex():
    return FakeVertex()


def tune(folder):
    tuner = vertex_help.make_tuner(vertex(), folder)
    dataset = ft.load_dataset(folder / "train.jsonl.manifest.json")
    tuner.estimate(dataset)
    tuner.poll(tuner.submit(dataset, key="k"))


def job_count(_folder):
    """How many jobs were paid for: none before, one after, and never two."""
    return {"jobs": len(vertex().service.jobs)}


@cache
def discord():
    service = FakeDiscord()
    room = service.add_channel("room")
    for n in range(5):
        service.post(room, "member", f"words {n}")
    return service


def crawl(folder):
    ft.DiscordCollector(
        guild=discord().guild,
        token=ft.Secret(discord().token),
        permission="a rehearsal",
        journal=JournalCollector(folder / "live", author_key=crash_guild.KEY),
        endpoint=discord().url,
        patience=crash_guild.QUICK,
    ).update()


REVIEWED = [memory_pair(f"How {n}?", "So.", id=f"discord:{1235174400000000000 + n}") for n in range(3)]


def reviewed(folder):
    sources(folder)
    for one in REVIEWED:
        ft.Decisions(folder / "review.jsonl").accept(one)
    ft.Decisions(folder / "review.jsonl").write_sheet(folder / "queue.jsonl", REVIEWED)


def decide(folder):
    ft.Decisions(folder / "review.jsonl").drop(REVIEWED[0], reason="wrong")


def decided(folder):
    """What is decided; a decision that was reported as not recorded must not be there."""
    state = Journal(folder / "review.jsonl").look(lambda state: state)
    return {"review": tuple((d.pair, d.action) for d in state.in_order()), "torn": state.torn}


CASES = {
    "run": Case(exported, lambda at: pipeline(at).run(), data_sets),
    "run, one exporter": Case(
        exported, lambda at: pipeline(at, exporter=ft.CsvExporter(at / "t.csv")).run(), data_sets
    ),
    "rows": Case(sources, lambda at: list(pipeline(at).rows())),
    "pairs": Case(sources, lambda at: list(pipeline(at).pairs())),
    "load_dataset": Case(exported, lambda at: ft.load_dataset(at / "t.csv.manifest.json"), data_sets),
    "contract.save": Case(
        with_contract,
        lambda at: pipeline(at, augmenter=RagAugmenter(at / "a.lance", k=1), exporter=()).contract.save(
            at / "c.json"
        ),
        contract_state,
    ),
    "PromptContract.load": Case(with_contract, load_contract, contract_state),
    "build_index": Case(
        indexed,
        lambda at: build_index(at / "a.lance", [*PASSAGES, Passage(id="n", text="new", source="s")]),
        index_state,
    ),
    "RagAugmenter": Case(
        indexed, lambda at: RagAugmenter(at / "a.lance", k=2).context("what actor?"), index_state
    ),
    "journal": Case(world, lambda at: list(JournalCollector(at / "journal").collect())),
    "adopt": Case(sources, lambda at: JournalCollector(at / "new").adopt(at / "in" / "export")),
    "forget": Case(world, lambda at: forgetting_world.World(at).forget()),
    "decide": Case(reviewed, decide, decided),
    "apply decisions": Case(
        reviewed,
        lambda at: list(pipeline(at, curators=ft.Decisions(at / "review.jsonl")).pairs()),
        decided,
    ),
    "erase decisions": Case(
        reviewed, lambda at: ft.Decisions(at / "review.jsonl").erase(["1235174400000000001"], []), decided
    ),
    "write_sheet": Case(
        reviewed,
        lambda at: ft.Decisions(at / "review.jsonl").write_sheet(at / "queue.jsonl", REVIEWED[:1]),
        lambda at: {"rows": len((at / "queue.jsonl").read_text("utf-8").splitlines())},
    ),
    "tune": Case(vertex_help.make_dataset, tune, job_count),
    "update": Case(lambda _at: None, crawl),
}


def fail(case, start, folder, n, code):
    """Lets one operation fail; returns it, "" if there are fewer, and checks what was raised and what is left."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(start, folder, symlinks=True)
    vertex().service.jobs.clear()
    before = case.states(folder)
    disk = Disk(folder, n, code)
    raised = None
    with disk.installed():
        try:
            case.act(folder)
        except FurytuneError as error:
            raised = error
        except Exception as error:
            error.add_note(f"operation {n}, {disk.failed}")
            raise
    between = case.states(folder)
    case.act(folder)  # a second run works
    after = case.states(folder)
    for name, found in between.items():
        assert found in (before[name], after[name], None), (name, n, disk.failed)
    if raised is not None:
        assert str(raised), (n, disk.failed)
    return disk.failed


def prepared(case, folder):
    """Makes what a case starts from; returns how many operations its call needs."""
    (folder / "start" / "tmp").mkdir(parents=True)
    case.prepare(folder / "start")
    shutil.copytree(folder / "start", folder / "work", symlinks=True)
    with Disk(folder / "work").installed() as disk:
        case.act(folder / "work")
    return disk.count


def main():
    folder, chosen = Path(sys.argv[1]), sys.argv[2:] or list(CASES)
    report = {}
    for name in chosen:
        case, place = CASES[name], folder / name.replace(" ", "-")
        # Where there are very many operations, each fails once, with one error after the other.
        every = len(CODES) if prepared(case, place) < 150 else 1
        count = n = 0
        struck = True
        while struck:
            n += 1
            for i in range(every):
                code = CODES[(n + i) % len(CODES)]
                struck = bool(fail(case, place / "start", place / "work", n, code))
                count += struck
        report[name] = {"operations": n - 1, "injections": count}
        shutil.rmtree(place)
        sys.stderr.write(f"{name}: {report[name]}\n")
    report["total"] = sum(r["injections"] for r in report.values())
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    main()
