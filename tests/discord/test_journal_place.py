"""Where a journal may be, who may read it, and what an error says if it cannot be read."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from datetime import timedelta

import journals
import pytest
from crawl_help import collector, said, talk, words

import furytune as ft
from furytune.errors import ConfigError, SourceError

NOBODY = 65_534
posix = pytest.mark.skipif(os.name != "posix", reason="modes of files are other ones there")


@contextmanager
def another_user(path):
    """Makes files unreadable for this user: root becomes nobody, others remove their permission."""
    mode = path.stat().st_mode
    path.chmod(0)
    if os.geteuid() == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(os.getuid())
        path.chmod(mode)


def refused(action, kind=SourceError):
    with pytest.raises(kind) as caught:
        action()
    return str(caught.value)


@posix
@pytest.mark.parametrize("what", ["journal.json", "people.json", "channels", "log"])
def test_a_journal_of_another_user_raises_and_says_what_to_do(discord, tmp_path, what):
    room, _ = talk(discord)
    folder = tmp_path / "j"
    collector(discord, folder).update()
    place = folder / (f"channels/{room.id}.jsonl" if what == "log" else what)
    journal = ft.JournalCollector(folder)
    list(journal.messages())

    with another_user(place):
        texts = [refused(lambda: list(journal.messages())), refused(collector(discord, folder).update)]

    for text in texts:
        assert str(folder) in text
        assert "Permission denied" in text
        assert "chown" in text


def test_logs_without_their_journal_json_are_refused_everywhere(discord, tmp_path):
    _, posts = talk(discord)
    folder = tmp_path / "j"
    made = collector(discord, folder)
    made.update()
    (folder / "journal.json").unlink()
    before = words(folder)

    for action in (
        made.update,
        lambda: list(made.journal.messages()),
        lambda: ft.forget(author=posts[0].author.id, journal=folder),
    ):
        text = refused(action)
        assert "journal.json is missing" in text
        assert "without one" in text
    assert words(folder) == before


def test_the_advice_for_a_damaged_journal_keeps_people_forgotten(discord, tmp_path):
    _, posts = talk(discord)
    folder, again = tmp_path / "j", tmp_path / "again"
    collector(discord, folder).update()
    ft.forget(author=posts[0].author.id, journal=folder)
    (folder / "journal.json").write_text("{", encoding="utf-8")

    text = refused(collector(discord, folder).update)

    assert "without one" in text
    assert "forgotten.json" in text
    again.mkdir()
    (again / "forgotten.json").write_bytes((folder / "forgotten.json").read_bytes())
    collector(discord, again).update()
    assert said(again) == {}


def test_people_who_opted_out_are_found_without_people_json(discord, tmp_path):
    _, posts = talk(discord, who="ann")
    folder = tmp_path / "j"
    collector(discord, folder).update()
    (folder / "people.json").unlink()

    quiet = discord.add_role("quiet")
    posts[0].author.roles.append(quiet)

    made = collector(
        discord, folder, consent=ft.Consent(opt_out_roles=["quiet"]), recheck=timedelta(0)
    ).update()

    assert made.removed == len(posts)
    assert said(folder) == {}


@pytest.mark.parametrize("path", ["a\0b", "", b"journal", None, 7])
def test_an_argument_that_is_not_a_path_is_refused(discord, path):
    said = refused(
        lambda: ft.DiscordCollector(guild=discord.guild, token=ft.Secret("t"), permission="p", journal=path),
        ConfigError,
    )

    assert "journal must be" in said
    assert "folder" in said


def test_an_empty_path_is_called_that():
    assert "empty" in refused(lambda: ft.JournalCollector(""), ConfigError)


@posix
def test_a_tilde_is_the_home_of_the_user(discord, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    talk(discord)
    collector(discord, "~/j").update()

    assert len(said(tmp_path / "j")) == 5
    assert "this home folder does not exist" in refused(
        lambda: ft.JournalCollector("~nobody-of-this-name/j"), ConfigError
    )


class Region:
    """Locks as on Windows: they cover parts of a file, and closing the file does not release them."""

    LK_NBLCK, LK_UNLCK = 2, 0

    def __init__(self):
        self.held = set()

    def locking(self, fd, mode, count):
        place = (os.fstat(fd).st_ino, os.lseek(fd, 0, os.SEEK_CUR), count)
        if mode == self.LK_UNLCK:
            self.held.remove(place)
        elif place in self.held:
            raise PermissionError(errno.EACCES, "Permission denied")
        else:
            self.held.add(place)


@pytest.mark.parametrize("system", ["this", "windows"])
def test_two_writers_are_kept_apart(tmp_path, monkeypatch, system):
    if system == "windows":
        monkeypatch.setattr("furytune._storage.locks.fcntl", None)
        monkeypatch.setattr("furytune._storage.locks.msvcrt", Region())
    folder = tmp_path / "j"

    def write():
        with journals.writing(folder):
            pass

    with journals.writing(folder):
        assert "another process" in refused(write)
    with pytest.raises(SimpleError), journals.writing(folder):
        raise SimpleError
    write()


class SimpleError(Exception):
    """An error while a journal is written."""
