"""The page about the command line does what it says, in order, in the folder of a reader."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker
from pathlib import Path

import pytest
from commands import program

from furytune import Secret
from furytune.config import load_settings

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(sh|text|toml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.skipif(os.name != "posix", reason="the page is for a shell")
def test_the_page_does_what_it_says(tmp_path) -> None:
    program(tmp_path / "bin" / "furytune")
    where = tmp_path / "where"
    known = {name: value for name, value in os.environ.items() if not name.startswith("FURYTUNE_")}
    known |= {"PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}", "PYTHONUTF8": "1"}
    folder, shown, ran = tmp_path, "", 0
    for kind, text in BLOCK.findall((ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")):
        if kind == "sh":
            line = f"set -euo pipefail\n{text}\npwd > '{where}'"
            done = subprocess.run(
                ["bash", "-c", line],
                check=False,
                cwd=folder,
                env=known,
                capture_output=True,
                encoding="utf-8",
            )
            assert done.returncode == 0, (text, done.stderr)
            folder, shown, ran = Path(where.read_text().strip()), done.stdout, ran + 1
        elif kind == "toml":
            (tmp_path / "shown.toml").write_text(text, encoding="utf-8")
            if "[collector]" in text:
                load_settings(tmp_path / "shown.toml", environment={})
            else:
                secrets = [
                    Secret.env(s["env"]) if "env" in s else Secret.file(s["file"])
                    for s in tomllib.loads(text).values()
                ]
                assert all(secret.place for secret in secrets)
        elif kind == "text":
            assert OutputChecker().check_output(
                f"{text}...", f"{shown}\n(end)\n", ELLIPSIS | NORMALIZE_WHITESPACE
            ), shown
    assert ran > 5


def test_the_example_runs(tmp_path) -> None:
    changes = [
        "--set",
        f"augmenter.path={tmp_path / 'corpus.lance'}",
        "--set",
        f"contract={tmp_path / 'c.json'}",
        "--set",
        f"exporter.jsonl.path={tmp_path / 'train.jsonl'}",
        "--set",
        f"exporter.csv.path={tmp_path / 'train.csv'}",
        "--set",
        f"without_retrieval.exporter.path={tmp_path / 'plain.jsonl'}",
        "--set",
        f"report={tmp_path / 'report.html'}",
    ]
    settings = ROOT / "examples" / "furytune.toml"
    command = [sys.executable, "-m", "furytune", "run", "-c", str(settings), *changes]
    done = subprocess.run(command, check=False, capture_output=True, encoding="utf-8", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "questions edited by a person: decisions (1)" in done.stdout
    assert {"train.jsonl", "train.csv", "plain.jsonl", "c.json", "report.html"} <= {
        path.name for path in tmp_path.iterdir()
    }
