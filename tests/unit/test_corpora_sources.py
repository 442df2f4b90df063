"""Where the files of a corpus come from: folders, archives, git; and files that cannot be used."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import socket
import struct
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from furytune.augmenters.rag import build_index
from furytune.corpora.markup import markup
from furytune.corpora.python_package import python_package
from furytune.errors import ConfigError, FurytuneError, KnowledgeError, SourceFormatError
from furytune.records import Dropped, Passage

FILES = {
    "fury/__init__.py": '"""The package."""\n',
    "fury/actor.py": 'def sphere(r=1):\n    """Draw a sphere."""\n',
    "fury/tests/test_actor.py": "def test(): pass\n",
    "docs/source/guide.rst": "Guide\n=====\n\nHow to.\n",
    "docs/examples/plot.py": '"""\nBalls\n=====\n"""\n# %%\n# Make.\nx = 1\n',
    "README.md": "# FURY\n\nHello.\n",
}
URL = "https://github.com/fury-gl/fury/blob/{revision}/{path}#L{start}-L{end}"


def split(items):
    items = list(items)
    return (
        {p.id: p for p in items if isinstance(p, Passage)},
        {d.reason: d for d in items if isinstance(d, Dropped)},
    )


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "fury-src"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def sdist(path, files=FILES, top="fury-0.12.0/", mode="w:gz", extra=()):
    with tarfile.open(path, mode) as archive:
        for name, text in {
            **files,
            "PKG-INFO": "Metadata-Version: 2.1\nVersion: 0.12.0\n\nVersion: 9\n",
        }.items():
            info = tarfile.TarInfo(f"{top}{name}")
            data = text.encode() if isinstance(text, str) else text
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for info in extra:
            archive.addfile(info, io.BytesIO(b"x = 1\n"[: info.size]))
    return path


def wheel(path, files=FILES):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in {**files, "fury-2.0.dist-info/METADATA": "Version: 2.0\n"}.items():
            archive.writestr(name, text)
    return path


class TestArchives:
    @pytest.mark.parametrize(
        ("name", "mode"),
        [("a.tar.gz", "w:gz"), ("b.tgz", "w:gz"), ("c.tar.bz2", "w:bz2"), ("d.tar.xz", "w:xz")],
    )
    def test_an_sdist_is_read_with_its_version(self, tmp_path, name, mode):
        source = sdist(tmp_path / name, mode=mode)
        found, dropped = split(python_package(source, folder="fury", url=URL))

        assert list(found) == ["fury", "fury.actor.sphere"]
        assert found["fury.actor.sphere"].source == "fury/actor.py:1-2@0.12.0"
        assert found["fury.actor.sphere"].url == (
            "https://github.com/fury-gl/fury/blob/0.12.0/fury/actor.py#L1-L2"
        )
        assert dropped["test_file"].count == 1
        docs, _ = split(markup(source, suffixes=(".rst", ".md")))
        assert {p.source for p in docs.values()} == {
            "README.md:1-3@0.12.0",
            "docs/source/guide.rst:1-4@0.12.0",
        }

    def test_a_wheel_is_read_with_its_version(self, tmp_path):
        found, _ = split(python_package(wheel(tmp_path / "fury-2.0-py3-none-any.whl")))

        assert {"fury", "fury.actor.sphere", "docs/examples/plot.py#balls"} == set(found)
        assert found["fury.actor.sphere"].source == "fury/actor.py:1-2@2.0"

    def test_without_metadata_the_files_name_tells_the_version(self, tmp_path):
        with tarfile.open(tmp_path / "fury-v0.12.0-docs-and-source.tar.xz", "w:xz") as archive:
            info = tarfile.TarInfo("fury/m.py")
            info.size = 14
            archive.addfile(info, io.BytesIO(b"def f(): pass\n"))
        (found,) = split(python_package(tmp_path / "fury-v0.12.0-docs-and-source.tar.xz"))[0].values()

        assert found.source == "m.py:1-1@v0.12.0"

    def test_archive_and_folder_give_equal_passages(self, tmp_path, tree):
        def bare(items):
            return {(i, p.text, p.title) for i, p in split(items)[0].items()}

        archive = sdist(tmp_path / "a.tar.gz")

        assert bare(python_package(archive, folder="fury")) == bare(python_package(tree, folder="fury"))
        assert bare(python_package(archive)) == bare(python_package(tree))

    def test_what_could_lead_outside_is_counted_and_nothing_is_written(self, tmp_path):
        def member(name, kind=tarfile.REGTYPE, link=""):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, link
            info.size = 6 if kind == tarfile.REGTYPE else 0
            return info

        source = sdist(
            tmp_path / "a.tar.gz",
            extra=[
                member("../evil.py"),
                member("/evil.py"),
                member("fury-0.12.0/x/../../evil.py"),
                member("fury-0.12.0/soft.py", tarfile.SYMTYPE, "/etc/passwd"),
                member("fury-0.12.0/hard.py", tarfile.LNKTYPE, "fury-0.12.0/fury/actor.py"),
                member("fury-0.12.0/null.py", tarfile.CHRTYPE),
                member("fury-0.12.0/line\nbreak.py"),
            ],
        )
        before = sorted(tmp_path.rglob("*"))
        items = list(python_package(source))

        reasons = [d.reason for d in items if isinstance(d, Dropped) and d.unit == "file"]
        assert sorted(reasons) == ["bad_name"] * 4 + ["link"] * 3 + ["test_file"]
        assert sorted(tmp_path.rglob("*")) == before
        assert not any("evil" in p.source for p in items if isinstance(p, Passage))

    def test_bombs_are_refused_before_they_are_unpacked(self, tmp_path):
        """100 GB of zeros in a tar of 100 MB would be 1000 to one; here the head alone claims it."""
        info = tarfile.TarInfo("a/zeros.py")
        info.size = 100 << 30
        (tmp_path / "a.tar.gz").write_bytes(gzip.compress(info.tobuf() + b"\0" * 5000))
        with zipfile.ZipFile(tmp_path / "b.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("zeros.py", bytes(48 << 20))
        with tarfile.open(tmp_path / "c.tar.gz", "w:gz") as archive:
            info = tarfile.TarInfo("zeros.bin")
            info.size = 48 << 20
            archive.addfile(info, io.BytesIO(bytes(48 << 20)))
            archive.addfile(tarfile.TarInfo("late.py"))

        for name in ("a.tar.gz", "b.zip", "c.tar.gz"):
            with pytest.raises(KnowledgeError, match="refused"):
                python_package(tmp_path / name)

    def test_a_zip_that_lies_about_sizes_is_refused(self, tmp_path):
        place = tmp_path / "a.zip"
        with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("m.py", "x = 1\n" * 10_000)
        data = place.read_bytes().replace(struct.pack("<I", 60_000), struct.pack("<I", 10))
        place.write_bytes(data)

        with pytest.raises(KnowledgeError, match="cannot be read"):
            python_package(place)

    @pytest.mark.parametrize("name", ["a.tar.gz", "a.zip", "a.whl", "a.tar.xz"])
    @pytest.mark.parametrize("keep", [0, 1, 40, 300])
    def test_damaged_archives_are_told(self, tmp_path, name, keep):
        made = wheel(tmp_path / name) if name.endswith(("zip", "whl")) else sdist(tmp_path / name)
        made.write_bytes(made.read_bytes()[:keep])

        with pytest.raises(KnowledgeError, match="cannot be read|no Python source"):
            python_package(made)

    def test_a_large_file_inside_is_left_out_by_its_size(self, tmp_path):
        source = sdist(tmp_path / "a.tar.gz", {**FILES, "fury/big.py": os.urandom(3000).hex()})
        found, dropped = split(python_package(source, max_bytes=1000))

        assert dropped["too_large"].where == "fury/big.py"
        assert "fury.actor.sphere" in found

    def test_a_zip_is_read_with_the_same_care(self, tmp_path):
        link = zipfile.ZipInfo("fury/soft.py")
        link.external_attr = 0o120777 << 16
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.mkdir("fury")
            archive.writestr("fury/__init__.py", "")
            archive.writestr(link, "/etc/passwd")
            archive.writestr("../evil.py", "def evil(): pass\n")
            archive.writestr("../evil.png", "")
            archive.writestr("fury/m.py", "def f(): pass\n")
            archive.writestr("fury/secret.py", "def g(): pass\n")
        data = bytearray((tmp_path / "a.zip").read_bytes())
        data[data.rindex(b"PK\x01\x02") + 8] |= 1  # the last file is marked as encrypted
        (tmp_path / "a.zip").write_bytes(data)
        found, dropped = split(python_package(tmp_path / "a.zip"))

        assert list(found) == ["fury.m.f"]
        assert found["fury.m.f"].source == "fury/m.py:1-1"
        assert {r: d.where for r, d in dropped.items() if d.unit == "file"} == {
            "link": "fury/soft.py",
            "bad_name": "../evil.py",
            "encrypted": "fury/secret.py",
        }

    def test_an_archive_of_one_package_keeps_the_packages_name(self, tmp_path):
        source = sdist(tmp_path / "a.tar.gz", {"__init__.py": "", "m.py": "def f(): pass\n"}, top="pack/")

        assert list(split(python_package(source))[0]) == ["pack.m.f"]

    @pytest.mark.parametrize(
        ("limit", "most", "words"), [("_MOST_FILES", 3, "more than 3 files"), ("_MOST_KEPT", 50, "MiB")]
    )
    def test_there_is_a_most_of_files_and_of_bytes(self, tmp_path, monkeypatch, limit, most, words):
        monkeypatch.setattr(f"furytune.corpora._archives.{limit}", most)

        with pytest.raises(KnowledgeError, match=words):
            python_package(sdist(tmp_path / "a.tar.gz"))

    def test_an_archive_states_its_own_revision(self, tmp_path):
        with pytest.raises(ConfigError, match="revision"):
            python_package(sdist(tmp_path / "a.tar.gz"), revision="v1")
        with pytest.raises(KnowledgeError, match="no folder 'src'"):
            python_package(sdist(tmp_path / "a.tar.gz"), folder="src")


def git(root, *arguments):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    names = {
        "GIT_AUTHOR_NAME": "A",
        "GIT_AUTHOR_EMAIL": "a@b",
        "GIT_COMMITTER_NAME": "A",
        "GIT_COMMITTER_EMAIL": "a@b",
    }
    done = subprocess.run(
        ["git", "-C", root, "-c", "core.quotePath=true", *arguments],
        env={**environment, **names},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
class TestGit:
    @pytest.fixture
    def checkout(self, tree):
        git(tree, "init", "-q", "-b", "main")
        git(tree, "add", "-A")
        git(tree, "commit", "-q", "-m", "one")
        git(tree, "tag", "v0.12.0")
        (tree / "fury" / "actor.py").write_text('def sphere(radius):\n    """Draw it anew."""\n')
        (tree / "fury" / "grüße.py").write_text("def hello(): pass\n", encoding="utf-8")
        (tree / "fury" / "link.py").symlink_to("actor.py")
        git(tree, "add", "-A")
        git(tree, "commit", "-q", "-m", "two")
        (tree / "fury" / "actor.py").write_text("def dirty(): pass\n")
        return tree

    def test_a_tag_is_read_whatever_the_working_tree_holds(self, checkout):
        before = git(checkout, "status", "--porcelain")
        old, _ = split(python_package(checkout, revision="v0.12.0", folder="fury", url=URL))
        new, dropped = split(python_package(checkout / "fury", revision="main"))

        assert list(old) == ["fury", "fury.actor.sphere"]
        assert old["fury.actor.sphere"].text.startswith("def sphere(r=1)")
        assert old["fury.actor.sphere"].url.endswith("/blob/v0.12.0/fury/actor.py#L1-L2")
        assert new["fury.actor.sphere"].text.startswith("def sphere(radius)")
        assert new["fury.grüße.hello"].source.startswith("fury/grüße.py:1-1@")
        assert dropped["link"].where == "fury/link.py"
        assert git(checkout, "status", "--porcelain") == before == "M fury/actor.py"
        assert list(split(python_package(checkout / "fury"))[0])[1] == "fury.actor.dirty"

    def test_a_branch_becomes_the_commit_it_points_at(self, checkout):
        commit = git(checkout, "rev-parse", "main")
        sources = {
            split(markup(checkout, revision=name))[0]["README.md#fury"].source
            for name in ("main", commit, commit[:9], "HEAD", "v0.12.0~0^{commit}")
        }

        first = git(checkout, "rev-parse", "v0.12.0")
        assert sources == {f"README.md:1-3@{commit[:12]}", f"README.md:1-3@{first[:12]}"}

    def test_tag_archive_and_bare_repository_give_equal_passages(self, checkout, tmp_path):
        git(checkout, "clone", "-q", "--bare", str(checkout), str(tmp_path / "bare"))
        git(checkout, "archive", "-o", str(tmp_path / "fury-v0.12.0.tar.gz"), "--prefix=fury/", "v0.12.0")
        ways = [
            split(make(source, **options))[0]
            for make in (python_package, markup)
            for source, options in (
                (checkout, {"revision": "v0.12.0"}),
                (tmp_path / "bare", {"revision": "v0.12.0"}),
                (tmp_path / "fury-v0.12.0.tar.gz", {}),
            )
        ]

        assert ways[0] == ways[1] == ways[2]
        assert ways[3] == ways[4] == ways[5]

    @pytest.mark.parametrize("revision", ["v9", "--upload-pack=x", "-h", "v0.12.0:fury", "\0", " "])
    def test_a_revision_that_is_none_is_told(self, checkout, revision):
        with pytest.raises(FurytuneError, match="revision|git"):
            python_package(checkout, revision=revision)

    def test_a_folder_that_the_revision_lacks_is_told(self, checkout):
        with pytest.raises(KnowledgeError, match="no folder 'src'"):
            markup(checkout, revision="v0.12.0", folder="src")
        with pytest.raises(ConfigError, match="folder"):
            markup(checkout, revision="v0.12.0", folder="../other")

    def test_without_git_it_is_said_what_to_do(self, checkout, monkeypatch, tmp_path):
        monkeypatch.setenv("PATH", str(tmp_path))

        with pytest.raises(ConfigError, match=r"git.*not installed.*archive"):
            python_package(checkout, revision="v0.12.0")

    def test_a_hook_of_another_repository_does_not_mislead_it(self, checkout, monkeypatch):
        monkeypatch.setenv("GIT_DIR", "/nowhere")
        monkeypatch.setenv("GIT_WORK_TREE", "/nowhere")

        assert split(python_package(checkout, revision="v0.12.0", folder="fury"))[0]

    def test_files_of_a_revision_are_refused_like_those_of_a_folder(self, checkout, monkeypatch):
        (checkout / "fury" / "two\nlines.py").write_text("def never(): pass\n")
        git(checkout, "add", "-A")
        git(checkout, "commit", "-q", "-m", "three")
        _, dropped = split(python_package(checkout, revision="HEAD", folder="fury", max_bytes=18))

        assert dropped["bad_name"].where == "fury/two\\nlines.py"
        assert dropped["too_large"].where == "fury/__init__.py"
        with pytest.raises(ConfigError, match="folder"):
            markup(checkout / "README.md", revision="HEAD")
        monkeypatch.setattr("furytune.corpora._git._MOST_KEPT", 10)
        with pytest.raises(KnowledgeError, match="give a folder"):
            python_package(checkout, revision="HEAD")

    def test_what_git_says_is_passed_on(self, checkout):
        (checkout / ".git" / "config").write_text("[broken\n")

        with pytest.raises(KnowledgeError, match="git says .*config"):
            python_package(checkout, revision="v0.12.0")

    def test_an_object_that_is_missing_is_counted(self, checkout):
        blob = git(checkout, "rev-parse", "v0.12.0:fury/actor.py")
        (checkout / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
        found, dropped = split(python_package(checkout, revision="v0.12.0", folder="fury"))

        assert list(found) == ["fury"]
        assert (dropped["unreadable"].where, dropped["unreadable"].unit) == ("fury/actor.py", "file")


class TestFolders:
    def test_the_revision_of_a_plain_folder_is_what_its_owner_says(self, tree):
        found, _ = split(python_package(tree, folder="fury", revision="v0.12.0", url=URL))

        assert found["fury.actor.sphere"].source == "fury/actor.py:1-2@v0.12.0"
        with pytest.raises(ConfigError, match="revision"):
            python_package(tree, url=URL)
        with pytest.raises(ConfigError, match="installed"):
            python_package("json", revision="v1")

    def test_the_place_on_the_disk_and_the_order_of_writing_change_nothing(self, tree, tmp_path):
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
    """Each is counted with its reason; the others are read."""

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
    def test_a_file_that_is_larger_than_it_states(self, docs):
        (docs / "a.md").symlink_to("/proc/self/status")

        self.check(docs, "too_large", "docs/a.md", max_bytes=100)

    def test_a_binary_file(self, docs):
        (docs / "a.md").write_bytes(b"PK\x03\x04\0\0 readable \0")

        self.check(docs, "binary", "docs/a.md")

    @pytest.mark.parametrize("encoding", ["utf-16", "latin-1", "shift-jis"])
    def test_another_encoding(self, docs, encoding):
        (docs / "a.md").write_bytes(
            "one\nüber".encode("latin-1") if encoding == "latin-1" else "日本".encode(encoding)
        )

        self.check(docs, "not_utf8", "docs/a.md:2" if encoding == "latin-1" else "docs/a.md:1")

    def test_a_pipe_is_not_waited_for(self, docs):
        os.mkfifo(docs / "a.md")

        self.check(docs, "unreadable", "docs/a.md")

    def test_a_socket(self, docs, monkeypatch):
        monkeypatch.chdir(docs)  # the path of a socket is short
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("a.md")

            self.check(docs, "unreadable", "docs/a.md")

    @pytest.mark.parametrize("target", ["nowhere.md", "a.md", "/dev/zero"])
    def test_a_link_that_leads_nowhere_or_round_or_to_a_device(self, docs, target):
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
            pytest.skip("whoever runs this may read everything")
        self.check(docs, "unreadable", "docs/a.md")
        (docs / "a.md").unlink()
        (docs / "closed").mkdir(mode=0)
        self.check(docs, "unreadable", "docs/closed")

    def test_an_empty_folder_is_an_error_that_says_what_to_give(self, tmp_path):
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
    def test_odd_files_take_time_in_proportion(self, tmp_path, name, text):
        """What would take a careless pattern or loop hours is read."""
        (tmp_path / name).write_text(text)
        found, dropped = split(markup(tmp_path / name))

        assert found
        assert dropped.keys() <= {"cut_code_block"}
