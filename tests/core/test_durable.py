"""A group of files is written completely or not at all, even if something fails."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path

import pytest

from furytune._storage.durable import staged, write_file

CALLS = ("open", "write", "fsync", "replace", "unlink", "close", "fstat", "chmod")


class Disk:
    """Makes one system call fail, and lists all calls."""

    def __init__(self, fail_at=0, code=errno.EIO):
        self.log = []
        self.fail_at = fail_at
        self.code = code

    def install(self, monkeypatch):
        for name in CALLS:
            monkeypatch.setattr(os, name, self._watch(name, getattr(os, name)))

    def _watch(self, name, real):
        def call(*args, **kwargs):
            self.log.append((name, *args))
            # Closing and unlinking are what cleans up after a failure: they really happen.
            if len(self.log) == self.fail_at and name not in {"unlink", "close"}:
                raise OSError(self.code, os.strerror(self.code))
            return real(*args, **kwargs)

        return call


def write_group(folder, content):
    with staged() as group:
        for name in ("train", "validation", "manifest"):
            file = group.open(folder / name)
            file.write(content)
            file.write(b"!")


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_all_files_appear_together(tmp_path):
    write_group(tmp_path, b"one")
    assert contents(tmp_path) == dict.fromkeys(("train", "validation", "manifest"), b"one!")


def test_an_exception_in_the_block_changes_nothing(tmp_path):
    write_group(tmp_path, b"old")
    with pytest.raises(KeyError), staged() as group:  # noqa: PT012
        group.open(tmp_path / "train").write(b"new")
        raise KeyError
    assert contents(tmp_path) == dict.fromkeys(("train", "validation", "manifest"), b"old!")


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC, errno.EACCES])
def test_each_file_is_whole_when_any_system_call_fails(tmp_path, monkeypatch, code):
    """The n-th call fails, n = 1, 2, 3 ... until a run succeeds."""
    failures = 0
    for n in range(1, 200):
        folder = tmp_path / str(n)
        folder.mkdir()
        write_group(folder, b"old")
        disk = Disk(n, code)
        with monkeypatch.context() as patch:
            disk.install(patch)
            try:
                write_group(folder, b"new")
            except OSError as error:
                assert error.errno == code  # noqa: PT017
                failures += 1
                failed = True
            else:
                failed = False
        found = contents(folder)
        assert set(found) == {"train", "validation", "manifest"}, (n, disk.log)
        assert set(found.values()) <= {b"old!", b"new!"}
        if found["manifest"] == b"new!":
            assert found["train"] == found["validation"] == b"new!"
        if not failed and n > len(disk.log):
            break
    else:
        pytest.fail("no run succeeded")
    assert failures >= 20


def test_data_are_synced_before_renames_and_names_before_the_commit(tmp_path, monkeypatch):
    disk = Disk()
    disk.install(monkeypatch)
    write_group(tmp_path, b"x")
    kinds = [name for name, *_ in disk.log if name in {"write", "fsync", "replace"}]
    assert kinds == ["write"] * 6 + ["fsync"] * 3 + ["replace"] * 2 + ["fsync", "replace", "fsync"]
    targets = [Path(call[2]).name for call in disk.log if call[0] == "replace"]
    assert targets == ["train", "validation", "manifest"]


def test_every_state_after_a_power_loss_is_whole(tmp_path, monkeypatch):
    """Replays each prefix of the calls; renames that no folder sync covers may be lost one by one."""
    disk = Disk()
    disk.install(monkeypatch)
    write_group(tmp_path, b"new")
    calls = [call for call in disk.log if call[0] in {"fsync", "replace"}]
    states = 0
    for end in range(len(calls) + 1):
        synced_data = sum(call[0] == "fsync" for call in calls[: min(end, 3)])
        settled: list[str] = []
        pending: list[str] = []
        for call in calls[3:end]:
            if call[0] == "replace":
                pending.append(Path(call[2]).name)
            else:
                settled += pending
                pending = []
        for mask in range(2 ** len(pending)):
            new = set(settled) | {name for i, name in enumerate(pending) if mask >> i & 1}
            assert not new or synced_data == 3
            assert "manifest" not in new or {"train", "validation"} <= new
            states += 1
    assert states >= 12


def test_a_short_write_is_continued(tmp_path, monkeypatch):
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:7]))
    write_file(tmp_path / "a", bytes(range(256)))
    assert (tmp_path / "a").read_bytes() == bytes(range(256))


def test_a_file_that_lost_bytes_is_not_renamed(tmp_path, monkeypatch):
    write_file(tmp_path / "a", b"old")
    monkeypatch.setattr(os, "write", lambda _fd, data: len(data))
    with pytest.raises(OSError, match="lost or gained bytes"):
        write_file(tmp_path / "a", b"new")
    assert contents(tmp_path) == {"a": b"old"}


def test_a_folder_is_never_replaced(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(IsADirectoryError):
        write_file(tmp_path / "a", b"x")
    assert (tmp_path / "a").is_dir()
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a named pipe")
def test_a_pipe_is_never_replaced(tmp_path):
    os.mkfifo(tmp_path / "a")
    with pytest.raises(OSError, match="not a regular file"):
        write_file(tmp_path / "a", b"x")


def test_existing_permissions_are_kept_and_new_files_follow_the_umask(tmp_path):
    write_file(tmp_path / "a", b"x")
    (tmp_path / "plain").write_bytes(b"x")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "plain").stat().st_mode
    (tmp_path / "a").chmod(0o640)
    write_file(tmp_path / "a", b"y")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_a_link_to_a_file_beside_it_is_written_through(tmp_path):
    write_file(tmp_path / "v1", b"old")
    (tmp_path / "a").symlink_to("v1")
    write_file(tmp_path / "a", b"new")
    assert (tmp_path / "a").is_symlink()
    assert contents(tmp_path) == {"a": b"new", "v1": b"new"}


def test_a_folder_that_is_a_link_is_followed(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "named").symlink_to("real")
    write_file(tmp_path / "named" / "a", b"new")
    assert contents(tmp_path / "real") == {"a": b"new"}


@pytest.mark.parametrize("leads_to", ["away/b", "away", "nowhere", "a", "/dev/null", "next"])
@pytest.mark.parametrize("remove", [False, True])
def test_a_link_to_anything_else_is_refused(tmp_path, leads_to, remove):
    (tmp_path / "away").mkdir()
    (tmp_path / "away" / "b").write_bytes(b"not ours")
    (tmp_path / "next").symlink_to("away/b")
    (tmp_path / "a").symlink_to(leads_to)
    with pytest.raises(OSError, match="symbolic link"), staged() as group:  # noqa: PT012
        group.open(tmp_path / "other").write(b"new")
        group.remove(tmp_path / "a") if remove else group.open(tmp_path / "a")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "away", "next"]
    assert contents(tmp_path / "away") == {"b": b"not ours"}


def test_removing_a_link_removes_its_file(tmp_path):
    write_file(tmp_path / "v1", b"old")
    (tmp_path / "a").symlink_to("v1")
    with staged() as group:
        group.open(tmp_path / "other").write(b"new")
        group.remove(tmp_path / "a")
    assert contents(tmp_path) == {"other": b"new"}


def test_one_file_cannot_be_opened_twice_in_a_group(tmp_path):
    with pytest.raises(FileExistsError), staged() as group:  # noqa: PT012
        group.open(tmp_path / "a")
        group.open(tmp_path / "sub" / ".." / "a")
    assert contents(tmp_path) == {}


def test_a_stale_file_is_removed_before_the_commit_point(tmp_path, monkeypatch):
    write_group(tmp_path, b"old")
    disk = Disk()
    disk.install(monkeypatch)
    with staged() as group:
        group.open(tmp_path / "train").write(b"new")
        group.open(tmp_path / "manifest").write(b"new")
        group.remove(tmp_path / "validation")
        group.remove(tmp_path / "never there")
    order = [
        Path(call[2] if call[0] == "replace" else call[1]).name
        for call in disk.log
        if call[0] in {"replace", "unlink"}
    ]
    assert order[:4] == ["train", "validation", "never there", "manifest"]
    assert contents(tmp_path) == {"train": b"new", "manifest": b"new"}


def test_only_leftovers_of_dead_writers_are_removed(tmp_path):
    pytest.importorskip("fcntl")
    dead = tmp_path / ".a.0123456789abcdef.furytune-tmp"
    dead.write_bytes(b"half")
    with staged() as living:
        living.open(tmp_path / "a").write(b"first")
        write_file(tmp_path / "a", b"second")
        assert not dead.exists()
        assert len(list(tmp_path.iterdir())) == 2
    assert contents(tmp_path) == {"a": b"first"}


def test_the_longest_file_name_can_be_written(tmp_path):
    write_file(tmp_path / ("n" * 255), b"x")
    assert contents(tmp_path) == {"n" * 255: b"x"}


def test_a_missing_folder_is_reported_and_not_created(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_file(tmp_path / "absent" / "a", b"x")
    assert contents(tmp_path) == {}


def test_writing_after_commit_is_refused(tmp_path):
    with staged() as group:
        file = group.open(tmp_path / "a")
        file.write(b"x")
        group.commit()
        with pytest.raises(ValueError, match="closed"):
            file.write(b"y")
    assert contents(tmp_path) == {"a": b"x"}


@pytest.mark.skipif(sys.platform == "win32" or os.getuid() == 0, reason="permissions do not bind this user")
def test_a_folder_without_write_permission_is_reported(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError):
        write_file(tmp_path / "a", b"x")
