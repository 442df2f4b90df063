"""Folders, and files that cannot be used."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from corpora_help import FILES, URL, split, written

from furytune.augmenters.rag import build_index
from furytune.corpora.markup import markup
from furytune.corpora.python_package import python_package
from furytune.errors import ConfigError, KnowledgeError, SourceFormatError


@pytest.fixture
def tree(tmp_path):
    return written(tmp_path / "fury-src")


class TestFolders:
    def test_the_revision_of_a_plain_folder_is_the_argument(self, tree):
        found, _ = split(python_package(tree, folder="fury", revision="v0.12.0", url=URL))

        assert found["fury.actor.sphere"].source == "fury/actor.py:1-2@v0.12.0"
        with pytest.raises(ConfigError, match="revision"):
            python_package(tree, url=URL)
        with pytest.raises(ConfigError, match="installed"):
            python_package("json", revision="v1")

    def test_location_and_order_on_disk_change_nothing(self, tree, tmp_path):
        other = tmp_path / "elsewhere" / "fury-src"
        for name in reversed(FILES):
            (other / name).parent.mkdir(parents=True, exist_ok=True)
            (other / name).write_text(FILES[name])

        for make in (python_package, markup):
            assert list(make(tree)) == list(make(other))

    def test_a_folder_below_the_source_keeps_the_path_from_there(self, tree):
        inner = {p.source for p in split(python_package(tree, folder="fury"))[0].values()}

        assert inner == {"fury/__init__.py:1-1", "fury/actor.py:1-2"}
        assert list(split(markup(tree, folder="docs/source"))[0]) == ["docs/source/guide.rst#guide"]
        for make in (markup, python_package):
            with pytest.raises(KnowledgeError, match="no folder 'src'"):
                make(tree, folder="src")
        found, dropped = split(python_package(tree, exclude=("docs/*",)))
        assert set(found) == {"fury", "fury.actor.sphere"}
        assert dropped["excluded"].count == 1

    def test_two_corpora_with_one_id_are_both_named(self, tree, tmp_path):
        with pytest.raises(KnowledgeError, match=r"'fury'.*fury/__init__.py:1-1@v1.*fury/__init__.py:1-1@v2"):
            build_index(
                tmp_path / "c.lance",
                python_package(tree / "fury", revision="v1"),
                python_package(tree / "fury", revision="v2"),
            )


class TestFilesThatCannotBeUsed:
    """Each file is counted with its reason, and the others are read."""

    def check(self, root, reason, where, **options):
        found, dropped = split(markup(root, **options))
        assert [p.text for p in found.values()] == ["fine"]
        assert [(r, d.unit, d.where) for r, d in dropped.items()] == [(reason, "file", where)]
        return dropped[reason]

    @pytest.fixture
    def docs(self, tmp_path):
        root = tmp_path / "docs"
        root.mkdir()
        (root / "z.md").write_text("fine\n")
        return root

    def test_a_file_of_a_gigabyte_is_not_read(self, docs):
        with (docs / "a.md").open("wb") as file:
            file.truncate(1 << 30)

        assert "1,073,741,824" in self.check(docs, "too_large", "docs/a.md").detail
        with pytest.raises(SourceFormatError, match=r"docs/a\.md: .*on_error"):
            list(markup(docs, on_error="raise"))

    @pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no files here that state no size")
    def test_a_file_larger_than_its_stated_size(self, docs):
        (docs / "a.md").symlink_to("/proc/self/status")

        (dropped,) = markup(docs / "a.md", max_bytes=100)
        assert (dropped.reason, dropped.where) == ("too_large", "a.md")

    def test_a_binary_file(self, docs):
        (docs / "a.md").write_bytes(b"PK\x03\x04\0\0 readable \0")

        self.check(docs, "binary", "docs/a.md")

    @pytest.mark.parametrize("encoding", ["utf-16", "latin-1", "shift-jis"])
    def test_another_encoding(self, docs, encoding):
        (docs / "a.md").write_bytes(
            "one\nüber".encode("latin-1") if encoding == "latin-1" else "日本".encode(encoding)
        )

        self.check(docs, "not_utf8", "docs/a.md:2" if encoding == "latin-1" else "docs/a.md:1")

    def test_a_pipe_does_not_block(self, docs):
        os.mkfifo(docs / "a.md")

        self.check(docs, "unreadable", "docs/a.md")

    def test_a_socket(self, docs, monkeypatch):
        monkeypatch.chdir(docs)  # the path of a socket is short
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("a.md")

            self.check(docs, "unreadable", "docs/a.md")

    @pytest.mark.parametrize("target", ["nowhere.md", "a.md"])
    def test_broken_and_circular_links(self, docs, target):
        (docs / "a.md").symlink_to(target)

        self.check(docs, "unreadable", "docs/a.md")

    def test_folders_that_link_in_a_circle(self, docs):
        (docs / "deep").mkdir()
        (docs / "deep" / "up").symlink_to(docs)

        self.check(docs, "link", "docs/deep/up")

    def test_a_name_that_is_not_utf8_or_has_two_lines(self, docs):
        (docs / "two\nlines.md").write_text("never\n")

        self.check(docs, "bad_name", "docs/two\\nlines.md")
        (docs / "two\nlines.md").unlink()
        try:
            Path(os.fsdecode(os.fsencode(docs) + b"/gr\xfcn.md")).write_text("never\n")
        except OSError:
            pytest.skip("this file system takes only names in UTF-8")
        self.check(docs, "bad_name", "docs/gr\\xfcn.md")

    def test_a_file_and_a_folder_without_permission(self, docs):
        (docs / "a.md").write_text("never\n")
        (docs / "a.md").chmod(0)
        if os.access(docs / "a.md", os.R_OK):
            pytest.skip("the user who runs the tests may read everything")
        self.check(docs, "unreadable", "docs/a.md")
        (docs / "a.md").unlink()
        (docs / "closed").mkdir(mode=0)
        self.check(docs, "unreadable", "docs/closed")

    def test_an_empty_folder_is_an_error_with_a_hint(self, tmp_path):
        for make, words in ((markup, r"no file ends in .*\.md"), (python_package, "no Python source")):
            with pytest.raises(KnowledgeError, match=words):
                make(tmp_path)

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("a.md", "a\n\n" * 60_000),
            ("a.md", "# " + " " * 200_000 + "x"),
            ("a.md", "```{note}\n" * 5_000),
            ("a.md", ":::{note}\n" * 20_000),
            ("a.md", "`" * 200_000),
            ("a.md", "`a <" * 50_000),
            ("a.md", "a" * 500_000),
            ("a.rst", "`a <" * 50_000),
            ("a.rst", ":a:`" * 50_000),
            ("a.rst", "".join(" " * i + ".. note::\n\n" for i in range(800))),
            ("a.rst", "::\n" * 50_000),
            ("a.rst", "=\na\n" * 50_000),
            ("a.txt", "    code\n" * 60_000),
        ],
    )
    def test_odd_files_take_linear_time(self, tmp_path, name, text):
        """Files that would take a careless pattern or loop hours are read quickly."""
        (tmp_path / name).write_text(text)
        found, dropped = split(markup(tmp_path / name))

        assert found
        assert dropped.keys() <= {"cut_code_block"}
