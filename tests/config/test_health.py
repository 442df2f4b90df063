"""The doctor finds what would make a run fail, and shows no secret."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import pytest

from furytune.config import health
from furytune.config.demo import write_demo
from furytune.config.health import EXTRAS, examine

ROOT = Path(__file__).parents[2]


def problems(path: Path) -> dict[str, str]:
    return {one.subject: one.said for one in examine(path) if one.state == "problem"}


@pytest.fixture
def demo(tmp_path):
    write_demo(tmp_path / "demo")
    return tmp_path / "demo" / "furytune.toml"


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_a_sound_project_has_no_problem(demo) -> None:
    assert problems(demo) == {}


def test_the_table_of_extras_is_that_of_the_package() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]

    def packages(extra):
        for requirement in extras[extra]:
            own = re.match(r"furytune\[(.+)\]", requirement)
            yield from packages(own[1]) if own else [re.split(r"[<>=\[]", requirement)[0]]

    for extra, listed in EXTRAS.items():
        assert set(listed) == set(packages(extra)), extra


def test_a_missing_extra_is_a_problem_only_if_it_is_needed(demo, monkeypatch) -> None:
    monkeypatch.setattr(health, "_version", lambda _: "")
    assert set(problems(demo)) == {"extra rag"}
    assert "pip install 'furytune[rag]'" in problems(demo)["extra rag"]


def test_missing_inputs_are_named(demo) -> None:
    change(demo, 'path = "exports"', 'path = "elsewhere"')
    change(demo, 'source = "docs"', 'source = "./gone"')
    assert set(problems(demo)) == {"exports", "knowledge"}


def test_a_mistake_in_the_settings_is_a_problem(demo) -> None:
    change(demo, "least", "leest")
    assert "did you mean 'least'" in problems(demo)["settings"]


def test_without_settings_only_the_machine_is_checked(tmp_path) -> None:
    found = examine(tmp_path / "furytune.toml")
    assert not [one for one in found if one.state == "problem"]
    assert "furytune init" in found[-1].said


@pytest.mark.parametrize("secret", ['{env = "FURYTUNE_TEST_TOKEN"}', '{file = "token"}'])
def test_secrets_are_checked_and_not_shown(demo, monkeypatch, secret) -> None:
    change(
        demo,
        'type = "discord-export"\npath = "exports"',
        f'type = "discord"\nguild = "81384788765712384"\npermission = "asked"\ntoken = {secret}',
    )
    monkeypatch.delenv("FURYTUNE_TEST_TOKEN", raising=False)
    assert "secret" in problems(demo)
    monkeypatch.setenv("FURYTUNE_TEST_TOKEN", "hush-hush")
    (demo.parent / "token").write_text("hush-hush", encoding="utf-8")
    found = examine(demo)
    assert not [one for one in found if one.state == "problem"]
    assert "hush" not in str(found)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read and write everything")
def test_a_folder_that_cannot_be_written_is_a_problem(demo) -> None:
    demo.parent.chmod(0o500)
    try:
        assert {"data set", "contract"} <= problems(demo).keys()
    finally:
        demo.parent.chmod(0o700)
