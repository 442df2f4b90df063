"""Runs the code blocks of README, docs and docstrings, each file in a folder of its own."""

from __future__ import annotations

import os
import shutil
import sys
from doctest import ELLIPSIS
from pathlib import Path

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser as MarkdownBlocks
from sybil.parsers.markdown import SkipParser
from sybil.parsers.rest import DocTestParser

ROOT = Path(__file__).parent


@pytest.fixture(scope="module")
def playground(tmp_path_factory):
    """A fresh folder with what a reader has at hand: chat exports, a package called fury, and a small model."""
    folder = tmp_path_factory.mktemp("docs")
    shutil.copytree(ROOT / "examples" / "exports", folder / "exports")
    shutil.copytree(ROOT / "tests" / "fixtures" / "packages" / "fury", folder / "fury")
    # README's blocks run in a clone, after its first command.
    shutil.copytree(folder / "exports", folder / "examples" / "exports")
    shutil.copytree(ROOT / "examples" / "chats", folder / "examples" / "chats")
    shutil.copytree(folder / "fury", folder / "quickstart-out" / "source" / "fury")
    from models import static_model

    static_model(folder / "models" / "potion-base-8M")
    before = Path.cwd()
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))
    os.chdir(before)


pytest_collect_file = (
    Sybil(
        parsers=[MarkdownBlocks(), SkipParser()],
        patterns=["README.md", "docs/*.md"],
        fixtures=["playground"],
    )
    + Sybil(parsers=[DocTestParser(optionflags=ELLIPSIS)], patterns=["src/**/*.py"], fixtures=["playground"])
).pytest()
