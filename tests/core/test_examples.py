"""Each example runs with one command, in its own process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import furytune as ft

ROOT = Path(__file__).parents[2]


def run(folder: Path, name: str, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / "examples" / name), *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, encoding="utf-8", cwd=folder)


def test_the_quickstart_writes_the_same_bytes_in_another_process(tmp_path) -> None:
    package = ROOT / "tests" / "fixtures" / "packages" / "fury"
    done = run(tmp_path, "quickstart.py", "--source", str(package), "--out", "out")
    assert done.returncode == 0, done.stderr
    assert "prompts are the same bytes as in out/train.jsonl" in done.stdout.replace("\\", "/")
    assert {p.name for p in (tmp_path / "out").iterdir()} >= {
        "train.jsonl",
        "train.jsonl.manifest.json",
        "train.csv",
        "plain.jsonl",
        "bot.contract.json",
    }


def test_the_quickstart_takes_an_export_and_documentation(tmp_path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "sphere.md").write_text("# Spheres\n\nA sphere is drawn with `actor.sphere`.\n", encoding="utf-8")
    done = run(
        tmp_path, "quickstart.py", str(ROOT / "examples" / "exports"), "--docs", "docs", "--out", "out"
    )
    assert done.returncode == 0, done.stderr
    contract = ft.PromptContract.load(tmp_path / "out" / "bot.contract.json")
    text = contract.request("How do I draw a sphere?")["contents"][0]["parts"][0]["text"]
    assert "A sphere is drawn with" in text
    assert text.endswith("Question:\nHow do I draw a sphere?")


def test_feedback_becomes_the_next_data_set(tmp_path) -> None:
    done = run(tmp_path, "feedback.py")
    assert done.returncode == 0, done.stderr
    assert "Call `actor.rotate` with an axis and an angle.\n    (corrected by helper)" in done.stdout
    assert "Draw it again with other corners" not in done.stdout
    assert "proposed" in done.stdout


def test_the_quickstart_says_what_it_needs(tmp_path) -> None:
    for arguments in (["nope"], ["--source", str(tmp_path)], ["--docs", "nope"]):
        done = run(tmp_path, "quickstart.py", *arguments)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr


def test_tuning_is_rehearsed_on_vertex(tmp_path) -> None:
    done = run(tmp_path, "tune_vertex.py")
    assert done.returncode == 0, done.stderr
    assert "tuned: Call `actor.torus`" in done.stdout


def test_tuning_is_rehearsed_on_the_developer_api(tmp_path) -> None:
    done = run(tmp_path, "tune_developer.py")
    assert done.returncode == 0, done.stderr
    assert "shared with everyone as reader" in done.stdout


def test_judging_is_rehearsed_on_a_server_of_this_machine(tmp_path) -> None:
    done = run(tmp_path, "judge_pairs.py")
    assert done.returncode == 0, done.stderr
    assert "2  grade    max_requests" in done.stdout
    assert "2  pair     judged_poor" in done.stdout
    assert "5 requests for 5 pairs" in done.stdout
    assert "Is anyone else" not in done.stdout


def test_a_corrected_question_is_asked_as_it_is_trained(tmp_path) -> None:
    for found in ("2. A person corrects one of them", "The question was corrected in an earlier run"):
        done = run(tmp_path, "correct_a_question.py", "--folder", "review")
        assert done.returncode == 0, done.stderr
        assert found in done.stdout
        assert "questions edited by a person: decisions (1)" in done.stdout
        assert done.stdout.count("the same as in training") == 2


def test_collecting_from_github_again_reads_only_what_changed(tmp_path) -> None:
    first, again = (run(tmp_path, "collect_github.py", "--out", "out") for _ in range(2))
    assert first.returncode == again.returncode == 0, first.stderr + again.stderr
    assert "4  new" in first.stdout
    assert "4 deleted" not in again.stdout
    assert "@user1, can it be red?" in again.stdout


def test_collecting_from_discourse_shows_what_a_bot_sends(tmp_path) -> None:
    done = run(tmp_path, "collect_discourse.py", "--out", "out")
    assert done.returncode == 0, done.stderr
    assert "4  new" in done.stdout
    assert "@user1, can it be red?" in done.stdout


def test_a_flat_channel_gives_its_clear_pairs(tmp_path) -> None:
    done = run(tmp_path, "flat_channel.py")
    assert done.returncode == 0, done.stderr
    every, rest = done.stdout.split("2. Messages in no pair")
    _, kept = rest.split("3. With MinConfidence(0.5)")
    for question in (
        "How do I draw a line",
        "My window stays black",
        "a way to choose the font",
        "¿Cómo puedo",
    ):
        assert question in every
        assert question in kept
    assert "linked, self_answer" in every
    assert all(float(line.split()[0]) >= 0.5 for line in kept.splitlines() if line)
    assert "merge the PR" not in every


def test_a_flat_channel_is_chosen_by_name(tmp_path) -> None:
    done = run(tmp_path, "flat_channel.py", "--channel", "chta")
    assert done.returncode == 1
    assert "no channel is named 'chta'" in done.stderr
    assert "Traceback" not in done.stderr


def test_exports_of_other_chats_give_rows_that_a_bot_repeats(tmp_path) -> None:
    done = run(tmp_path, "other_chats.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("holds the bytes of a row: yes") == 3
    assert "lunch" not in done.stdout  # the direct message
    missing = run(tmp_path, "other_chats.py", "slack", "nope")
    assert missing.returncode == 1
    assert "Traceback" not in missing.stderr


def test_a_second_collection_finds_nothing_new(tmp_path) -> None:
    first, again = (run(tmp_path, "collect_discord.py", "--out", "out") for _ in range(2))
    assert first.returncode == 0, first.stderr
    assert "rows              8" in first.stdout
    assert "not read  #staff" in first.stdout
    assert again.returncode == 0, again.stderr
    assert "rows              8" in again.stdout


def test_collecting_a_server_needs_a_permission_statement(tmp_path) -> None:
    done = run(tmp_path, "collect_discord.py", "--guild", "1")
    assert done.returncode == 2
    assert "--permission" in done.stderr


def test_comparing_two_releases_finds_a_stale_answer(tmp_path) -> None:
    shown = {
        "1.0": "def __init__(self, scene, size=(300, 300)):",
        "2.0": "def __init__(self, *, scene=None, size=(300, 300)):",
    }
    for version, signature in shown.items():
        package = tmp_path / f"fury-{version}" / "fury"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("", encoding="utf-8")
        (package / "actor.py").write_text(
            "def sphere(centers, colors=None):\n    'Draws spheres.'\n", "utf-8"
        )
        (package / "window.py").write_text(
            "class Scene:\n    'Holds actors.'\n\n    def add(self, *actors):\n        pass\n\n"
            f"class ShowManager:\n    'Shows a scene in a window.'\n    {signature}\n        pass\n\n"
            "    def initialize(self):\n        pass\n\n    def start(self):\n        pass\n",
            encoding="utf-8",
        )
    done = run(tmp_path, "knowledge.py", "--old", "fury-1.0", "--new", "fury-2.0")
    assert done.returncode == 0, done.stderr
    assert "still works" in done.stdout
    assert "no longer works: fury.window.ShowManager(argument 1 without a name)" in done.stdout
    assert done.stdout.count("True") == 3


def test_stale_answers_are_found_with_their_new_names(tmp_path) -> None:
    done = run(tmp_path, "stale_answers.py")
    assert done.returncode == 0, done.stderr
    assert "fury.actor.disk, gone since 2.0; use fury.actor.ring" in done.stdout
    assert "use fury.transform.rotate" in done.stdout
    assert "keeps 3 of 6 pairs" in done.stdout


def test_a_data_set_is_checked_against_the_next_release(tmp_path) -> None:
    done = run(tmp_path, "recheck.py")
    assert done.returncode == 0, done.stderr
    shown = done.stdout.partition("What does the next release break?")[2]
    went, again = shown.split("\n\nwent stale\n")[1].split("\n\nwork again\n")
    assert [line.split()[:2] for line in went.splitlines()] == [
        ["colors", "shapes.sphere(colors)"],
        ["cube", "shapes.cube"],
    ]
    assert again.split() == ["box"]
    assert "old_release" in done.stdout


def test_checking_against_the_next_release_says_what_it_needs(tmp_path) -> None:
    for arguments in (["--new", "x"], ["--manifest", "x", "--old", "x", "--new", "x"]):
        done = run(tmp_path, "recheck.py", *arguments)
        assert done.returncode in (1, 2)
        assert "Traceback" not in done.stderr
