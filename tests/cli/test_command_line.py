"""The command as people run it: a process in a folder."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from commands import command

import furytune as ft
from furytune.cli.main import _COMMANDS
from furytune.config import load_settings
from furytune.testing.fake_discord import FakeDiscord

ROOT = Path(__file__).parents[2]
EXPORTS = ROOT / "examples" / "exports"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A project on which the whole way was done."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(EXPORTS, folder / "exports")
    (folder / "docs").mkdir()
    (folder / "docs" / "sphere.md").write_text(
        "# Spheres\n\nA sphere is drawn with `actor.sphere`.\n", encoding="utf-8"
    )
    first = command(folder, "init", "exports", "docs")
    assert (first.returncode, first.stdout) == (0, "furytune.toml\n"), first.stderr
    run = command(folder, "run", "--json")
    assert run.returncode == 0, run.stderr
    return folder, run


def test_two_commands_make_a_data_set_and_a_contract(built) -> None:
    folder, run = built
    told = json.loads(run.stdout)
    dataset = ft.load_dataset(folder / "train.jsonl.manifest.json")
    plain = ft.load_dataset(folder / "plain.jsonl.manifest.json")
    assert told["complete"]
    assert told["counts"]["rows"] == dataset.rows == plain.rows > 0
    contract = ft.PromptContract.load(folder / "furytune.contract.json")
    assert told["contract"]["fingerprint"] == contract.fingerprint == dataset.fingerprint
    assert "rows: " in run.stderr, "in a pipe, progress is lines in the log"
    assert "\r" not in run.stderr


def test_the_prompt_is_that_of_the_contract(built) -> None:
    folder, _ = built
    question = "How do I draw a sphere?"
    contract = ft.PromptContract.load(folder / "furytune.contract.json")
    assert command(folder, "prompt", question).stdout == f"{contract.prompt(question)}\n"
    assert command(folder, "prompt", "-", stdin=f"{question}\n").stdout == f"{contract.prompt(question)}\n"
    any_locale = command(
        folder, "prompt", "what is \N{SLICE OF PIZZA}?", PYTHONIOENCODING="ascii", PYTHONUTF8="0"
    )
    assert "what is \N{SLICE OF PIZZA}?" in any_locale.stdout
    asked = command(folder, "prompt", question, "--json", "--contract", "furytune.contract.json")
    assert json.loads(asked.stdout) == contract.request(question)
    explained = command(folder, "explain", question).stdout
    assert "in the prompt" in explained
    assert "docs/sphere.md" in explained


def test_a_second_run_writes_the_same_bytes(built) -> None:
    folder, _ = built
    before = {path.name: path.read_bytes() for path in folder.glob("*.jsonl")}
    again = command(folder, "build", fresh=True)
    assert again.returncode == 0, again.stderr
    assert "unchanged" in again.stdout
    assert {path.name: path.read_bytes() for path in folder.glob("*.jsonl")} == before


def test_a_dry_run_writes_nothing(tmp_path) -> None:
    shutil.copytree(EXPORTS, tmp_path / "exports")
    command(tmp_path, "init")
    before = sorted(tmp_path.rglob("*"))
    done = command(tmp_path, "run", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "low_confidence" in done.stdout
    assert sorted(tmp_path.rglob("*")) == before


def test_the_demo_needs_nothing_and_hides_the_key_that_someone_posted(tmp_path) -> None:
    done = command(tmp_path, "demo")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "furytune-demo"
    rows = (folder / "train.jsonl").read_text(encoding="utf-8")
    assert "[secret]" in rows
    assert "ghp_" not in rows
    assert load_settings(folder / "furytune.toml", environment={}).pipeline.exporter
    assert command(tmp_path, "demo").returncode == 0, "the demo may run again in its own folder"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    refused = command(tmp_path, "demo", "mine")
    assert (refused.returncode, refused.stdout) == (4, "")
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["run"], 4, "furytune init"),
        (["rnu"], 2, "did you mean 'run'"),
        (["run", "--sett", "x"], 2, "--set"),
        (["init", "nowhere"], 4, "nowhere"),
        (["prompt", "x", "-c", "bad.toml"], 4, "bad.toml:1"),
        (["prompt", "x", "-c", "pairs.toml"], 4, "furytune run"),
        (["build", "-c", "pairs.toml"], 5, "pairs.csv"),
        (["index", "-c", "pairs.toml"], 4, "[[knowledge]]"),
        (["collect", "-c", "pairs.toml"], 4, "no collector reads a server live"),
        (["estimate", "-c", "pairs.toml"], 4, "[tuner]"),
        (["jobs", "-c", "pairs.toml"], 4, "[tuner]"),
        (["forget", "-c", "pairs.toml"], 2, "--author"),
        (["run", "-c", "pairs.toml", "--set", "exporter.dialekt=x"], 4, "did you mean 'dialect'"),
    ],
)
def test_a_mistake_ends_in_one_sentence_and_its_code(tmp_path, arguments, code, said) -> None:
    (tmp_path / "bad.toml").write_text("collector = \n")
    (tmp_path / "pairs.toml").write_text(
        'collector = {type = "csv", path = "pairs.csv"}\nexporter = {type = "jsonl", path = "t.jsonl"}\n'
    )
    done = command(tmp_path, *arguments)
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_where_a_mistake_was_found_is_shown_on_request(tmp_path) -> None:
    done = command(tmp_path, "run", "--traceback", fresh=True)
    assert done.returncode == 4
    assert "Traceback" in done.stderr
    assert "furytune init" in done.stderr


def test_what_could_not_be_read_is_told_by_the_exit_code(tmp_path) -> None:
    shutil.copytree(EXPORTS, tmp_path / "exports")
    damaged = next((tmp_path / "exports").glob("*part 2*"))
    damaged.write_bytes(damaged.read_bytes()[:-700])
    command(tmp_path, "init")
    assert command(tmp_path, "build").returncode == 5
    done = command(tmp_path, "build", "--set", "collector.on_error=skip")
    assert done.returncode == 3, done.stderr
    assert ft.load_dataset(tmp_path / "train.jsonl.manifest.json").rows


def test_variables_replace_values(built) -> None:
    folder, _ = built
    done = command(folder, "build", "--dry-run", "--json", FURYTUNE_CURATORS__MIN_CONFIDENCE__LEAST="1")
    assert json.loads(done.stdout)["counts"]["rows"] == 0
    assert command(folder, "run", FURYTUNE_CONFIG="other.toml").returncode == 4


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_reader_that_stops_early_is_not_an_error(built) -> None:
    folder, _ = built
    line = f"{sys.executable} -m furytune schema | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], check=False, cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (141, "", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device")
def test_an_output_that_cannot_be_written_is_told(tmp_path) -> None:
    for to, code, said in (
        (">/dev/full", 5, "the output cannot be read or written: No space"),
        (">&-", 0, ""),
    ):
        line = f"{sys.executable} -m furytune plugins {to}"
        done = subprocess.run(["bash", "-c", line], check=False, cwd=tmp_path, capture_output=True, text=True)
        assert (done.returncode, said in done.stderr) == (code, True), done.stderr
        assert "Exception" not in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_an_interrupted_collection_continues_where_it_stopped(tmp_path) -> None:
    with FakeDiscord(token="rehearsal") as server:
        for name in ("help", "more", "rest"):
            channel = server.add_channel(name)
            for number in range(250):
                server.post(channel, "ann", f"How do I do {number}?")
        text = f"""
[collector]
type = "discord"
guild = "{server.guild}"
token = {{env = "TOKEN"}}
permission = "A rehearsal"
endpoint = "{server.url}"
patience = {{rate = 2.0, burst = 1}}
"""
        (tmp_path / "furytune.toml").write_text(text, encoding="utf-8")
        slow = subprocess.Popen(
            [sys.executable, "-m", "furytune", "collect"],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"TOKEN": "rehearsal"},
        )
        logs = tmp_path / "discord-journal" / "channels"
        while not (logs.is_dir() and any(log.stat().st_size for log in logs.iterdir())):
            assert slow.poll() is None, slow.stderr.read()
            time.sleep(0.05)
        slow.send_signal(signal.SIGINT)
        _, said = slow.communicate()
        assert slow.returncode == 130, said
        assert "The same command continues there" in said
        assert "Traceback" not in said
        rest = ("--set", "collector.patience.rate=1000", "--set", "collector.patience.burst=100")
        done = command(tmp_path, "collect", "--json", *rest, TOKEN="rehearsal")
        assert done.returncode == 0, done.stderr
        (update,) = json.loads(done.stdout)
        assert 0 < update["new"] < 750
        collected = list(ft.JournalCollector(tmp_path / "discord-journal").messages())
        assert len(collected) == 750


def test_every_command_has_help_that_fits_a_narrow_terminal(tmp_path) -> None:
    for arguments in ([], *([name] for name in _COMMANDS)):
        done = command(tmp_path, *arguments, "--help", COLUMNS="60")
        assert done.returncode == 0, done.stderr
        assert max(map(len, done.stdout.splitlines())) <= 60, arguments


def test_completion_knows_the_commands(tmp_path) -> None:
    done = command(tmp_path, _FURYTUNE_COMPLETE="bash_complete", COMP_WORDS="furytune ex", COMP_CWORD="1")
    assert done.stdout == "plain,explain\n"


def test_parts_of_other_packages_are_listed_and_used_by_name(tmp_path) -> None:
    (tmp_path / "shop.py").write_text(
        "import attrs\n"
        "@attrs.frozen\n"
        "class Shout:\n"
        '    """Curation step: ends answers with exclamation marks."""\n'
        "    marks: int = 1\n"
        "    def __call__(self, pair):\n"
        "        return attrs.evolve(pair, answer=pair.answer + '!' * self.marks)\n"
    )
    info = tmp_path / "shop-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shop\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[furytune.curators]\nshout = shop:Shout\n")
    (tmp_path / "pairs.csv").write_text("question,answer\nhow do I?,so\n", encoding="utf-8")
    (tmp_path / "furytune.toml").write_text(
        'collector = {type = "csv", path = "pairs.csv"}\ncurators = {type = "shout", marks = 3}\n'
        'exporter = {type = "jsonl", path = "t.jsonl"}\nsplitter = {type = "group", validation = 0}\n'
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    assert "shop 1.0" in command(tmp_path, "plugins", PYTHONPATH=path).stdout
    done = command(tmp_path, "build", PYTHONPATH=path)
    assert done.returncode == 0, done.stderr
    assert "so!!!" in (tmp_path / "t.jsonl").read_text(encoding="utf-8")
    wrong = command(tmp_path, "build", "--set", "curators.shout.mark=1", PYTHONPATH=path)
    assert "did you mean 'marks'" in wrong.stderr


def test_a_server_is_asked_once_and_never_in_a_dry_run(tmp_path) -> None:
    with FakeDiscord(token="rehearsal") as server:
        asked = server.post(server.add_channel("help"), "ann", "How do I make a sphere transparent?")
        server.post(asked.channel, "bob", "Set `opacity` below 1.", reply_to=asked)
        (tmp_path / "furytune.toml").write_text(
            f"""exporter = {{type = "jsonl", path = "t.jsonl"}}
without_retrieval = {{exporter = {{type = "jsonl", path = "p.jsonl"}}}}
collector = {{type = "discord", guild = "{server.guild}", token = {{env = "TOKEN"}}, permission = "asked", endpoint = "{server.url}"}}
""",
            encoding="utf-8",
        )
        early = command(tmp_path, "run", "--dry-run", TOKEN="rehearsal")
        assert (early.returncode, len(server.requests)) == (5, 0), early.stderr
        assert command(tmp_path, "collect", TOKEN="rehearsal").returncode == 0
        one = len(server.requests)
        assert command(tmp_path, "run", TOKEN="rehearsal").returncode == 0
        assert len(server.requests) <= 2 * one
        before = len(server.requests)
        assert command(tmp_path, "run", "--dry-run", TOKEN="rehearsal").returncode == 0
        assert len(server.requests) == before
        assert command(tmp_path, "run", TOKEN="wrong").returncode == 6


def test_people_are_forgotten_in_all_places_of_the_file(tmp_path) -> None:
    with FakeDiscord(token="rehearsal") as server:
        asked = server.post(server.add_channel("help"), "ann", "How do I make a sphere transparent?")
        server.post(asked.channel, "bob", "Set `opacity` below 1.", reply_to=asked)
        (tmp_path / "furytune.toml").write_text(
            f'exporter = {{type = "jsonl", path = "t.jsonl"}}\n[collector]\ntype = "discord"\nguild = "{server.guild}"\n'
            f'token = {{env = "TOKEN"}}\npermission = "A rehearsal"\nendpoint = "{server.url}"\n',
            encoding="utf-8",
        )
        assert command(tmp_path, "build", TOKEN="rehearsal").returncode == 0
        author = asked.author.id
        asking = command(tmp_path, "forget", "--author", str(author), stdin="n\n")
        assert asking.returncode == 130
        assert any("sphere" in path.read_text(encoding="utf-8") for path in tmp_path.glob("t*.jsonl"))
        done = command(tmp_path, "forget", "--author", str(author), "--yes")
        assert done.returncode == 0, done.stderr
        left = b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
        assert b"sphere transparent" not in left
