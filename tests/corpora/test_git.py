"""Revisions of a git repository, read from its objects."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from corpora_help import URL, split, written

from furytune._python_source.git import git_tree
from furytune.corpora.markup import markup
from furytune.corpora.python_package import python_package
from furytune.errors import ConfigError, FurytuneError, KnowledgeError


@pytest.fixture
def tree(tmp_path):
    return written(tmp_path / "fury-src")


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

    def test_a_tag_is_read_without_the_working_tree(self, checkout):
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
    def test_an_unknown_revision_is_an_error(self, checkout, revision):
        with pytest.raises(FurytuneError, match="revision|git"):
            python_package(checkout, revision=revision)

    def test_a_folder_missing_from_the_revision_is_an_error(self, checkout):
        with pytest.raises(KnowledgeError, match="no folder 'src'"):
            markup(checkout, revision="v0.12.0", folder="src")
        with pytest.raises(ConfigError, match="folder"):
            markup(checkout, revision="v0.12.0", folder="../other")

    def test_without_git_the_error_says_what_to_do(self, checkout, monkeypatch, tmp_path):
        monkeypatch.setenv("PATH", str(tmp_path))

        with pytest.raises(ConfigError, match=r"git.*not installed.*archive"):
            python_package(checkout, revision="v0.12.0")

    def test_variables_of_a_git_hook_are_ignored(self, checkout, monkeypatch):
        monkeypatch.setenv("GIT_DIR", "/nowhere")
        monkeypatch.setenv("GIT_WORK_TREE", "/nowhere")

        assert split(python_package(checkout, revision="v0.12.0", folder="fury"))[0]

    def test_files_of_a_revision_have_the_same_checks_as_a_folder(self, checkout):
        (checkout / "fury" / "two\nlines.py").write_text("def never(): pass\n")
        git(checkout, "add", "-A")
        git(checkout, "commit", "-q", "-m", "three")
        _, dropped = split(python_package(checkout, revision="HEAD", folder="fury", max_bytes=18))

        assert dropped["bad_name"].where == "fury/two\\nlines.py"
        assert dropped["too_large"].where == "fury/__init__.py"
        with pytest.raises(ConfigError, match="folder"):
            markup(checkout / "README.md", revision="HEAD")

    def test_the_bytes_of_a_revision_are_limited(self, checkout):
        with pytest.raises(KnowledgeError, match="are larger than 0 MiB.*folder="):
            git_tree(checkout, "HEAD", wanted=lambda _: True, folder="", max_bytes=1_000, most_kept=10)

    def test_an_error_of_git_is_passed_on(self, checkout):
        (checkout / ".git" / "config").write_text("[broken\n")

        with pytest.raises(KnowledgeError, match="git says .*config"):
            python_package(checkout, revision="v0.12.0")

    def test_an_object_that_is_missing_is_counted(self, checkout):
        blob = git(checkout, "rev-parse", "v0.12.0:fury/actor.py")
        (checkout / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
        found, dropped = split(python_package(checkout, revision="v0.12.0", folder="fury"))

        assert list(found) == ["fury"]
        assert (dropped["unreadable"].where, dropped["unreadable"].unit) == ("fury/actor.py", "file")
