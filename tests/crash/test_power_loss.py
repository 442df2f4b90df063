"""What a loss of power can leave of an export, a contract, a ledger or a journal is old, new, or refused.

The operations of a real run are recorded. A small model of a file system replays each prefix of them: of what was not
brought to disk, names and data may be there or not, independently, and data may be torn or full of zeros.
"""

from __future__ import annotations

import os
import random
import shutil
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from unittest import mock

import journals
import ledgers
import pytest
from attrs import define, field
from crash_guild import KEY, QUICK, contents

import furytune as ft
from furytune._storage.durable import staged
from furytune.collectors.journal import JournalCollector
from furytune.errors import FurytuneError
from furytune.exporters.csv import CsvExporter
from furytune.exporters.jsonl import JsonlExporter
from furytune.records import Prompt, TrainingRow
from furytune.testing.memory import ListCollector, pair


@define(eq=False)
class Node:
    """A file or folder: what is on disk, and the operations since then."""

    folder: bool = False
    data: bytes = b""  # of a file, as programs see it
    safe: bytes = b""  # of a file, as it was last brought to disk
    names: dict = field(factory=dict)  # of a folder, as programs see it
    safe_names: dict = field(factory=dict)
    waiting: list = field(factory=list)  # changes of names that were not brought to disk


class Model:
    """Records the operations below a folder, and can simulate a loss of power."""

    def __init__(self, root):
        self.root = os.path.realpath(root)
        self.top = self._read(Path(self.root))
        self.open = {}

    def _read(self, path):
        if not path.is_dir():
            return Node(data=path.read_bytes(), safe=path.read_bytes())
        names = {p.name: self._read(p) for p in path.iterdir()}
        return Node(folder=True, names=names, safe_names=dict(names))

    def find(self, path):
        """Returns a path's folder and its last part; None for a path outside of the recorded folder."""
        path = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))  # noqa: PTH118, PTH119, PTH120
        if not path.startswith(self.root + os.sep):
            return None
        *above, name = Path(path).relative_to(self.root).parts
        node = self.top
        for part in above:
            node = node.names[part]
        return node, name

    @staticmethod
    def change(folder, **names):
        for name, node in names.items():
            folder.names.pop(name, None)
            if node is not None:
                folder.names[name] = node
        folder.waiting.append(names)

    @contextmanager
    def recording(self, step):
        """Calls ``step`` before each change, with the model in the state that a loss of power would hit."""
        real = {
            n: getattr(os, n)
            for n in ("open", "write", "fsync", "ftruncate", "replace", "rename", "unlink", "mkdir", "close")
        }

        def opened(path, flags, mode=0o777, *, dir_fd=None):
            named = (
                None
                if dir_fd is not None or flags & getattr(os, "O_TMPFILE", 0) == getattr(os, "O_TMPFILE", -1)
                else self.find(os.fspath(path))
            )
            fd = real["open"](path, flags, mode, dir_fd=dir_fd)
            node = None
            if os.fspath(path) == self.root or os.path.realpath(os.fspath(path)) == self.root:
                node = self.top
            elif named is not None:
                folder, name = named
                node = folder.names.get(name)
                if node is None:
                    step()
                    node = Node()
                    self.change(folder, **{name: node})
                elif flags & os.O_TRUNC:
                    node.data = b""
            self.open.pop(fd, None)
            if node is not None:
                self.open[fd] = node
            return fd

        def write(fd, data):
            node = self.open.get(fd)
            if node is None:
                return real["write"](fd, data)
            step()
            at = os.lseek(fd, 0, os.SEEK_CUR)
            done = real["write"](fd, data)
            node.data = node.data[:at] + bytes(data)[:done] + node.data[at + done :]
            return done

        def fsync(fd):
            real["fsync"](fd)
            node = self.open.get(fd)
            if node is not None:
                step()
                node.safe, node.safe_names = node.data, dict(node.names)
                node.waiting.clear()

        def ftruncate(fd, size):
            real["ftruncate"](fd, size)
            if node := self.open.get(fd):
                step()
                node.data = node.data[:size]

        def replace(source, target):
            step()
            real["replace"](source, target)
            (one, old), (other, new) = self.find(os.fspath(source)), self.find(os.fspath(target))
            assert one is other, "a rename between folders could be half done"
            self.change(one, **{new: one.names[old], old: None})

        def unlink(path, **kwargs):
            real["unlink"](path, **kwargs)
            if (named := self.find(os.fspath(path))) is not None:
                step()
                self.change(named[0], **{named[1]: None})

        def mkdir(path, mode=0o777, **kwargs):
            real["mkdir"](path, mode, **kwargs)
            if (named := self.find(os.fspath(path))) is not None:
                step()
                self.change(named[0], **{named[1]: Node(folder=True)})

        def close(fd):
            self.open.pop(fd, None)
            real["close"](fd)

        with mock.patch.multiple(
            os,
            open=opened,
            write=write,
            fsync=fsync,
            ftruncate=ftruncate,
            replace=replace,
            rename=replace,
            unlink=unlink,
            mkdir=mkdir,
            close=close,
        ):
            yield

    def lose_power(self, folder, dice, keep):
        """Puts into a folder what is left.

        Args:
            folder: Where to.
            dice: What decides.
            keep: Whether all, none or some ("all", "none", "some") of what was not brought to disk is there.
        """
        shutil.rmtree(folder, ignore_errors=True)
        self._put(self.top, folder, dice, keep)

    def _put(self, node, path, dice, keep):
        def kept():
            return keep == "all" or (keep == "some" and dice.random() < 0.5)

        if not node.folder:
            data = node.safe
            if node.data != node.safe and kept():
                data = node.data
                if keep == "some" and dice.random() < 0.5:  # torn, and the rest may be zeros or missing
                    # What was appended to is not written again, so what is on disk of it stays.
                    sound = len(node.safe) if data.startswith(node.safe) else 0
                    cut = dice.randrange(sound, len(data) + 1)
                    data = data[:cut] + b"\0" * dice.choice([0, len(data) - cut])
            path.write_bytes(data)
            return
        path.mkdir()
        names = dict(node.safe_names)
        for change in node.waiting:
            if kept():
                for name, found in change.items():
                    names.pop(name, None)
                    if found is not None:
                        names[name] = found
        for name, found in names.items():
            self._put(found, path / name, dice, keep)


def each_loss(root, act, check, *, lost, samples):
    """Loses power before each change and after the last, in several ways each; returns the number of states.

    Args:
        root: What is worked on, as an earlier run left it.
        act: The work.
        check: Is given what is left, and whether the work had come to its end.
        lost: Folder to put that in.
        samples: How many of the ways that keep some of it to try at each moment.
    """
    model, dice, states = Model(root), random.Random(7), 0

    def strike(*, ended=False):
        nonlocal states
        for keep in ("none", "all", *["some"] * samples):
            with mock.patch.multiple(os, **untouched):
                model.lose_power(lost, dice, keep)
                check(lost, ended)
            states += 1

    untouched = {
        n: getattr(os, n)
        for n in ("open", "write", "fsync", "ftruncate", "replace", "rename", "unlink", "mkdir", "close")
    }
    with model.recording(strike):
        act(root)
    strike(ended=True)
    return states


class Bare:
    fingerprint = "f"
    snapshot = "s"
    form: dict = {}


def export(folder, kind, count=12):
    """Exports with two exporters; few rows give no validation rows."""
    rows = [
        TrainingRow(
            id=f"{kind}{n}",
            group="g",
            split="validation" if n % 3 == 2 else "train",
            prompt=Prompt(text=kind * 9),
            answer=kind,
        )
        for n in range(count)
    ]
    with staged() as group:
        for exporter in (CsvExporter(folder / "t.csv"), JsonlExporter(folder / "t.jsonl")):
            exporter.stage(rows, contract=Bare(), tally=None, group=group)


def shown(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir() if not p.name.startswith(".")}


@pytest.mark.parametrize("count", [12, 2])
def test_an_export_is_old_or_new_or_refused(tmp_path, count):
    root = tmp_path / "root"
    root.mkdir()
    export(root, "b", count)
    new = shown(root)
    shutil.rmtree(root)
    root.mkdir()
    export(root, "a")
    old = shown(root)
    found_runs = set()

    def check(folder, ended):
        found = shown(folder)
        for name, data in found.items():
            assert data in (old.get(name), new.get(name)), f"{name} is neither old nor new"
        runs = set()
        for stem in ("t.csv", "t.jsonl"):
            try:
                ft.load_dataset(folder / f"{stem}.manifest.json")
            except FurytuneError:
                continue
            runs.add(found[f"{stem}.manifest.json"] == new[f"{stem}.manifest.json"])
        assert len(runs) <= 1, "two exporters left data sets of different runs"
        assert not ended or found == new
        found_runs.update(runs)

    assert each_loss(root, lambda at: export(at, "b", count), check, lost=tmp_path / "lost", samples=3) > 100
    assert found_runs == {False, True}


def test_a_contract_is_old_or_new(tmp_path):
    def contract(template):
        return ft.Pipeline(
            collector=ListCollector([pair("q", "a")]), template=ft.PromptTemplate(template)
        ).contract

    old, new = contract("old {question}"), contract("new {question}")
    root = tmp_path / "root"
    root.mkdir()
    old.save(root / "c.json")

    def check(folder, ended):
        found = ft.PromptContract.load(folder / "c.json").fingerprint
        assert found == new.fingerprint or (found == old.fingerprint and not ended)

    assert each_loss(root, lambda at: new.save(at / "c.json"), check, lost=tmp_path / "lost", samples=4) > 20


def test_a_ledger_keeps_every_entry_written_before_a_request(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    steps = ("PLANNED", "UPLOADED", "SUBMITTING", "SUBMITTED")
    written = []

    def act(folder):
        jobs = folder / "deep" / "jobs"
        with ledgers.alone(jobs, "k"):
            for step in steps:
                ledgers.write(jobs, ledgers.entry("k", step))
                written.append(step)

    def check(folder, _ended):
        found = ledgers.read(folder / "deep" / "jobs", "k")
        reached = steps.index(found.step) + 1 if found else 0
        assert reached in (len(written), len(written) + 1), "what was written down is gone"

    assert each_loss(root, act, check, lost=tmp_path / "lost", samples=4) > 100


def test_every_confirmed_decision_is_there_and_no_erased_one_comes_back(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    about = [pair(f"How {n}?", "So.", id=f"discord:{1235174400000000000 + n}") for n in range(6)]
    confirmed, erased, seen = [], set(), set()

    def act(folder):
        decisions = ft.Decisions(folder / "review.jsonl")
        for one in about[:3]:
            decisions.answer(one, "Call `cube`. " * 50)
            confirmed.append(one.id)
        confirmed.remove(about[0].id)
        decisions.erase([about[0].id[8:]], [])
        erased.add(about[0].id)
        for one in about[3:]:
            decisions.drop(one, reason="wrong")
            confirmed.append(one.id)

    def check(folder, ended):
        decisions = ft.Decisions(folder / "review.jsonl")
        found = [d.pair for d in decisions.since(0)]
        torn = any(drop.reason == "torn" for drop in decisions.start().unread)
        assert set(confirmed) <= set(found), "a confirmed decision is gone"
        assert len(found) <= len(confirmed) + 1
        assert erased.isdisjoint(found)
        assert not ended or (found == confirmed and not torn)
        seen.update({len(found), "torn"} if torn else {len(found)})

    assert each_loss(root, act, check, lost=tmp_path / "lost", samples=6) > 200
    assert {0, 2, 5, "torn"} <= seen


def test_a_log_has_whole_pages_and_all_of_them_once_it_is_closed(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    path = root / "1.jsonl"
    journals.write_pages(path, [[b'{"id":"1"}\n']], read="1")
    pages = [[b'{"id":"%d","content":"words"}\n' % (n + i) for i in range(3)] for n in range(10, 40, 10)]

    def act(_root):
        journals.write_pages(path, pages, read="2")

    ends = [len(b"".join(chain(*pages[:n]))) for n in range(4)]
    seen = set()

    def check(folder, ended):
        lines, read = journals.read_log(folder / "1.jsonl")
        found = b"".join(line for uid, line in lines.items() if uid > 1)
        assert found == b"".join(line for page in pages for line in page)[: len(found)]
        assert len(found) in ends
        assert not ended or len(found) == ends[-1]
        assert (read == "2") == bool(found)
        seen.add(len(found))

    assert each_loss(root, act, check, lost=tmp_path / "lost", samples=8) > 40
    assert len(seen) > 2


def test_a_collection_resumes_to_the_same_journal_after_a_power_loss(tmp_path):
    pytest.importorskip("discord")
    from furytune.testing.fake_discord import FakeDiscord

    with FakeDiscord() as service:
        for name in ("first", "second"):
            room = service.add_channel(name)
            for n in range(3):
                service.post(room, f"member{n}", f"words {n}")

        def update(folder):
            ft.DiscordCollector(
                guild=service.guild,
                token=ft.Secret(service.token),
                permission="a rehearsal",
                journal=JournalCollector(folder / "journal", author_key=KEY),
                endpoint=service.url,
                patience=QUICK,
            ).update()

        root = tmp_path / "root"
        root.mkdir()
        update(tmp_path / "whole")
        expected = contents(tmp_path / "whole" / "journal")
        seen = 0

        def check(folder, ended):
            nonlocal seen
            seen += 1
            if not ended and seen % 9:  # each costs a collection
                return
            if ended:
                assert contents(folder / "journal") == expected
            update(folder)
            assert contents(folder / "journal") == expected

        assert each_loss(root, update, check, lost=tmp_path / "lost", samples=1) > 60
