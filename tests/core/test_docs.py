"""The pages of the documentation name what the package really says, offers and needs."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

import furytune as ft

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def texts_of(file: Path) -> list[str]:
    """Returns each text in a module, with ... for what is filled in."""
    return [
        node.value
        if isinstance(node, ast.Constant)
        else "...".join(str(part.value) if isinstance(part, ast.Constant) else "" for part in node.values)
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
    ]


QUOTED = [
    fragment.strip(" ;:,'")
    for block in re.findall(r"```text\n(.*?)```", page("troubleshooting.md"), re.DOTALL)
    for line in block.splitlines()
    for fragment in line.split("...")
    if len(fragment.strip(" ;:,'")) > 2
]


@pytest.fixture(scope="module")
def said() -> str:
    """Returns all texts of the package: what is not in here, no message says."""
    return "\n".join(text for file in sorted(ROOT.glob("src/**/*.py")) for text in texts_of(file))


@pytest.mark.parametrize("fragment", sorted(set(QUOTED)))
def test_troubleshooting_quotes_real_messages(fragment: str, said: str) -> None:
    assert fragment in said


def test_troubleshooting_names_real_reasons() -> None:
    from furytune.reasons import REASONS

    table = page("troubleshooting.md").partition('### "0 pairs"')[2].partition("###")[0]
    named = {
        word
        for row in re.findall(r"^\| (`[^|]*) \|", table, re.MULTILINE)
        for word in re.findall(r"`(\w+)`", row)
    }
    assert named
    assert named <= {name for _, name in REASONS}


def test_the_install_page_lists_the_extras_of_the_package() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    rows = dict(re.findall(r"^\| `([\w-]+)` \| [^|]* \|(?: ([^|]*))? \|$", page("install.md"), re.MULTILINE))
    inner = {"docs", "test", "train", "bench", "dev"}  # for those who work on furytune
    assert set(rows) == set(extras) - inner

    def packages(extra: str) -> set[str]:
        found = set()
        for requirement in extras[extra]:
            name = re.match(r"[\w.-]+", requirement)[0]
            found |= packages(re.search(r"\[(.*?)\]", requirement)[1]) if name == "furytune" else {name}
        return found

    for extra in set(rows) - {"all"}:
        assert set(rows[extra].split(", ")) == packages(extra), extra
    oldest = project["requires-python"].removeprefix(">=")
    assert f"Python {oldest} or newer" in page("install.md")
    for requirement in project["dependencies"]:
        assert re.match(r"[\w-]+", requirement)[0] in page("install.md")


def test_the_api_page_has_each_name_as_one_imports_it() -> None:
    shown = re.findall(r"^\.\. auto\w+:: furytune\.(\w+)$", page("api.md"), re.MULTILINE)
    assert set(ft.__all__) <= set(shown)
    assert len(shown) == len(set(shown))
