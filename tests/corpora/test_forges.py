"""Addresses of source code."""

from __future__ import annotations

import pytest

from furytune.corpora.python_package import python_package
from furytune.errors import ConfigError
from furytune.template import PromptTemplate


@pytest.mark.parametrize(
    ("repository", "expected"),
    [
        ("https://github.com/a/b/tree/v1.0", "https://github.com/a/b/blob/v1.0/pkg/m.py#L1-L3"),
        ("https://github.com/a/b/tree/v1.0/src/", "https://github.com/a/b/blob/v1.0/src/pkg/m.py#L1-L3"),
        ("https://github.com/a/b.git", "https://github.com/a/b/blob/2.0/pkg/m.py#L1-L3"),
        ("https://gitlab.com/g/h/b/-/tree/v1.0", "https://gitlab.com/g/h/b/-/blob/v1.0/pkg/m.py#L1-3"),
        ("https://codeberg.org/a/b/src/tag/v1.0", "https://codeberg.org/a/b/src/tag/v1.0/pkg/m.py#L1-L3"),
        (
            "https://codeberg.org/a/b/src/branch/main",
            "https://codeberg.org/a/b/src/branch/main/pkg/m.py#L1-L3",
        ),
        ("https://codeberg.org/a/b", "https://codeberg.org/a/b/src/tag/2.0/pkg/m.py#L1-L3"),
        ("https://bitbucket.org/a/b/src/v1.0", "https://bitbucket.org/a/b/src/v1.0/pkg/m.py#lines-1:3"),
    ],
)
def test_passages_of_a_repository_have_the_address_of_their_lines(tmp_path, repository, expected):
    package = tmp_path / "pkg"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "m.py").write_text('def f():\n    """Does it."""\n    return 1\n')

    def made(**where):
        return [
            p for p in python_package(package, revision="2.0", **where) if getattr(p, "id", "") == "pkg.m.f"
        ]

    (found,), (plain,) = made(repository=repository), made()
    assert found.url == expected
    template = PromptTemplate("{context}\n\nQuestion:\n{question}")
    assert template.render("q?", [found]) == template.render("q?", [plain])


@pytest.mark.parametrize(
    "repository",
    [
        "http://github.com/a/b",
        "https://github.com/a",
        "https://user@github.com/a/b",
        "https://evil.dev/a/b",
        "https://github.com/a/b/tree/{x}",
        "https://github.com/a/b?x=1",
        "git@github.com:a/b",
        "https://github.com/a/b/pull/1",
    ],
)
def test_other_addresses_are_refused(tmp_path, repository):
    with pytest.raises(ConfigError, match="repository"):
        python_package(tmp_path, repository=repository)
    with pytest.raises(ConfigError, match="either"):
        python_package(tmp_path, repository="https://github.com/a/b", url="https://x/{path}")
