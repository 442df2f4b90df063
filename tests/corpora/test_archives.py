"""Sdists, wheels and other archives: read in memory, and refused if they are damaged or bombs."""

from __future__ import annotations

import gzip
import io
import os
import struct
import tarfile
import zipfile

import pytest
from corpora_help import FILES, URL, sdist, split, wheel, written

from furytune._python_source.archives import archive_tree
from furytune.corpora.markup import markup
from furytune.corpora.python_package import python_package
from furytune.errors import ConfigError, KnowledgeError
from furytune.records import Dropped, Passage


@pytest.fixture
def tree(tmp_path):
    return written(tmp_path / "fury-src")


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

    def test_without_metadata_the_file_name_gives_the_version(self, tmp_path):
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

    def test_paths_out_of_an_archive_are_counted_and_nothing_is_written(self, tmp_path):
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
        assert sorted(reasons) == [
            "bad_name",
            "link",
            "link_outside",
            "other_suffix",
            "other_suffix",
            "other_suffix",
            "path_outside",
            "path_outside",
            "path_outside",
            "test_file",
            "unreadable",
        ]
        assert sorted(tmp_path.rglob("*")) == before
        assert not any("evil" in p.source for p in items if isinstance(p, Passage))

    def test_bombs_are_refused_before_unpacking(self, tmp_path):
        """A member claims 100 GB in its header, as a real bomb of 100 MB would contain."""
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

    @pytest.mark.parametrize("name", ["a.tar.gz", "a.zip", "a.whl", "a.tar.xz", "a.tar.bz2", "a.tar"])
    @pytest.mark.parametrize("share", [0.0, 0.01, 0.1, 0.5, 0.9, 0.97])
    def test_a_truncated_archive_is_an_error_at_any_length(self, tmp_path, name, share):
        mode = {"xz": "w:xz", "gz": "w:gz", "bz2": "w:bz2", "tar": "w"}
        made = tmp_path / name
        wheel(made) if name.endswith(("zip", "whl")) else sdist(made, mode=mode[name.rpartition(".")[2]])
        data = made.read_bytes()
        end = len(data.rstrip(b"\0")) if name == "a.tar" else len(data)
        made.write_bytes(data[: int(share * end)])

        with pytest.raises(KnowledgeError, match="cannot be read"):
            python_package(made)

    @pytest.mark.parametrize("name", ["a.tar.gz", "a.zip", "a.tar.xz", "a.tar.bz2"])
    def test_a_changed_byte_is_an_error(self, tmp_path, name):
        mode = {"xz": "w:xz", "gz": "w:gz", "bz2": "w:bz2"}
        made = tmp_path / name
        wheel(made) if name.endswith("zip") else sdist(made, mode=mode[name.rpartition(".")[2]])
        data = bytearray(made.read_bytes())
        data[data.index(b"fury/actor.py") + 20 if name.endswith("zip") else len(data) // 2] ^= 0x55
        made.write_bytes(data)

        with pytest.raises(KnowledgeError, match="cannot be read"):
            list(python_package(made))

    def test_data_after_the_end_is_a_bomb(self, tmp_path):
        made = sdist(tmp_path / "a.tar", mode="w")
        packed = gzip.compress(made.read_bytes() + bytes(48 << 20))
        (tmp_path / "a.tar.gz").write_bytes(packed)

        with pytest.raises(KnowledgeError, match="follows its end"):
            python_package(tmp_path / "a.tar.gz")

    def test_a_large_member_is_left_out(self, tmp_path):
        source = sdist(tmp_path / "a.tar.gz", {**FILES, "fury/big.py": os.urandom(3000).hex()})
        found, dropped = split(python_package(source, max_bytes=1000))

        assert dropped["too_large"].where == "fury/big.py"
        assert "fury.actor.sphere" in found

    def test_a_zip_has_the_same_checks(self, tmp_path):
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
            "link_outside": "fury/soft.py",
            "path_outside": "../evil.png",
            "encrypted": "fury/secret.py",
        }

    def test_an_archive_of_one_package_keeps_its_name(self, tmp_path):
        source = sdist(tmp_path / "a.tar.gz", {"__init__.py": "", "m.py": "def f(): pass\n"}, top="pack/")

        assert list(split(python_package(source))[0]) == ["pack.m.f"]

    @pytest.mark.parametrize(
        ("limit", "words"), [({"most_files": 3}, "more than 3 files"), ({"most_kept": 50}, "MiB")]
    )
    def test_the_number_of_files_and_bytes_is_limited(self, tmp_path, limit, words):
        options = {"wanted": lambda name: name.endswith(".py"), "folder": "", "max_bytes": 1_000}

        with pytest.raises(KnowledgeError, match=words):
            archive_tree(sdist(tmp_path / "a.tar.gz"), **options, **limit)

    def test_an_archive_has_its_own_revision(self, tmp_path):
        with pytest.raises(ConfigError, match="revision"):
            python_package(sdist(tmp_path / "a.tar.gz"), revision="v1")
        with pytest.raises(KnowledgeError, match="no folder 'src'"):
            python_package(sdist(tmp_path / "a.tar.gz"), folder="src")
