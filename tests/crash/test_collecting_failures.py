"""If the disk fails during a collection, the next run resumes and ends with the same journal, byte for byte."""

from __future__ import annotations

import errno
import os
import shutil

import crash_guild
import journals
import pytest
from crash_guild import ALWAYS, KEY, QUICK

pytest.importorskip("discord")

import furytune as ft
from furytune.collectors.journal import JournalCollector
from furytune.errors import SourceError
from furytune.testing.fake_discord import FakeDiscord

CALLS = ("open", "write", "fsync", "replace", "ftruncate", "fstat")


class Disk:
    """Makes one system call on the files below a folder fail, and counts all calls."""

    def __init__(self, folder, fail_at, code):
        self.folder = str(folder)
        self.fail_at = fail_at
        self.code = code
        self.count = 0
        self.failed = ""
        self.ours = set()

    def install(self, patch):
        for name in CALLS:
            patch.setattr(os, name, self._watch(name, getattr(os, name)))

    def _watch(self, name, real):
        def call(first, *args, **kwargs):
            known = first in self.ours if isinstance(first, int) else os.fspath(first).startswith(self.folder)
            if known:
                self.count += 1
                if self.count == self.fail_at:
                    self.failed = name
                    raise OSError(self.code, os.strerror(self.code))
            found = real(first, *args, **kwargs)
            if name == "open":
                (self.ours.add if known else self.ours.discard)(found)
            return found

        return call


def small(service):
    """Makes a channel with a thread, a second channel, and a channel that will be compacted."""
    first, second = service.add_channel("first"), service.add_channel("second")
    for i in range(130):
        service.post(first, f"member{i % 3}", f"words {i}")
    service.post(second, "member1", "quiet here")
    thread = service.add_thread(first, "thread", starter=first.messages[3])
    service.post(thread, "member2", "an answer")


@pytest.fixture(scope="module")
def service():
    with FakeDiscord() as made:
        small(made)
        yield made


def collector(service, journal, **options):
    return ft.DiscordCollector(
        guild=service.guild,
        token=ft.Secret(service.token),
        permission="a rehearsal",
        journal=JournalCollector(journal, author_key=KEY),
        endpoint=service.url,
        patience=QUICK,
        **options,
    )


def each_failure(tmp_path, start, action, least):
    """Makes the n-th call fail, for n = 1, 2, 3 ... until a run succeeds; each time the next run must recover."""
    whole, folder = tmp_path / "whole", tmp_path / "journal"
    for target in (whole, folder):
        if start is not None:
            shutil.copytree(start, target)
    action(whole)
    expected = crash_guild.contents(whole)
    struck = set()
    for n in range(1, 400):
        disk = Disk(folder, n, (errno.EIO, errno.ENOSPC)[n % 2])
        with pytest.MonkeyPatch.context() as patch:
            disk.install(patch)
            try:
                action(folder)
            except SourceError as error:
                assert isinstance(error.__cause__, OSError)  # noqa: PT017
                assert error.__cause__.errno == disk.code  # noqa: PT017
            except OSError as error:
                assert error.errno == disk.code, disk.failed  # noqa: PT017
        if not disk.failed:
            break
        struck.add(disk.failed)
        action(folder)
        assert crash_guild.contents(folder) == expected, (n, disk.failed)
        shutil.rmtree(folder)
        if start is not None:
            shutil.copytree(start, folder)
    else:
        pytest.fail("no run succeeded")
    assert n > least
    assert struck >= {"open", "write", "fsync", "replace"}
    assert crash_guild.contents(folder) == expected


def test_each_call_of_a_first_collection_may_fail(tmp_path, service):
    each_failure(tmp_path, None, lambda at: collector(service, at).update(), 40)


def test_each_call_of_an_update_with_edits_and_deletions_may_fail(tmp_path):
    with FakeDiscord() as service:
        small(service)
        collector(service, tmp_path / "before").update()
        first = next(c for c in service.channels.values() if c.name == "first")
        service.edit(first.messages[5], "other words")
        service.delete(first.messages[7])
        service.post(first, "member1", "news")
        each_failure(
            tmp_path, tmp_path / "before", lambda at: collector(service, at, recheck=ALWAYS).update(), 30
        )


def test_each_call_of_a_refresh_may_fail(tmp_path, service):
    collector(service, tmp_path / "before").update()

    each_failure(tmp_path, tmp_path / "before", lambda at: crash_guild.refresh(collector(service, at)), 20)


def test_each_call_of_an_adoption_may_fail(tmp_path, service):
    collector(service, tmp_path / "before").update()
    crash_guild.export(tmp_path / "before", tmp_path / "files")
    each_failure(tmp_path, None, lambda at: JournalCollector(at).adopt(tmp_path / "files"), 40)


def test_each_call_of_forgetting_may_fail(tmp_path, service):
    collector(service, tmp_path / "before").update()
    author = next(u.id for u in service.users.values() if u.name == "member1")
    each_failure(tmp_path, tmp_path / "before", lambda at: JournalCollector(at).journal.forget([author]), 20)
    assert author.encode() not in b"".join(crash_guild.contents(tmp_path / "journal").values())


def test_a_truncated_log_opens_with_whole_pages(tmp_path):
    with FakeDiscord() as service:
        room = service.add_channel("room")
        for i in range(12):
            service.post(room, "member1", f"words {i}")
        collector(service, tmp_path / "j").update()
        service.edit(room.messages[2], "other words")
        for i in range(8):
            service.post(room, "member2", f"more {i}")
        file = tmp_path / "j" / "channels" / f"{room.id}.jsonl"
        # So that the log holds a page that is not plain.
        journals.replace(tmp_path / "j", room.id, [journals.tombstone(room.messages[1].id)])
        collector(service, tmp_path / "j", recheck=ALWAYS).update()
        service.post(room, "member2", "the last")
        collector(service, tmp_path / "j").update()
        data = file.read_bytes()
        ends = {0}
        at = 0
        for line in data.splitlines(keepends=True):
            at += len(line)
            if line.startswith(b'{"commit"'):
                ends.add(at)
        assert len(ends) > 2
        cut = tmp_path / "cut.jsonl"
        for length in range(len(data) + 1):
            cut.write_bytes(data[:length])
            journals.open_to_write(cut)
            assert cut.stat().st_size == max(end for end in ends if end <= length)
        held = crash_guild.lines(tmp_path / "j")
        for length in range(0, len(data), 397):
            file.write_bytes(data[:length])
            collector(service, tmp_path / "j", recheck=ALWAYS).update()
            assert crash_guild.lines(tmp_path / "j") == held
