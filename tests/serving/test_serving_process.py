"""An endpoint as a process: its command, its signals, and its end."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from endpoints import SOON, ask, chat, until

import furytune as ft
from furytune.serving import new_key
from furytune.testing.fake_chat import FakeChat

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")


def save(path, model=None, **parts):
    template = ft.PromptTemplate("Question:\n{question}", **parts)
    contract = ft.PromptContract(
        template=template, augmenter=ft.IdentityAugmenter(), dialects=("openai",), model=model
    )
    contract.save(path)
    return contract


@contextmanager
def command(*arguments, script=("-m", "furytune", "serve")):
    """Runs the command; yields the process, its port, and the lines that it wrote so far."""
    process = subprocess.Popen(
        [sys.executable, *script, *map(str, arguments), "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
    )
    lines = []

    def read():
        for line in process.stderr:
            lines.append(line)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        until(lambda: process.poll() is not None or any("running on" in line for line in lines))
        assert process.poll() is None, lines
        port = int(re.search(r"running on http://127\.0\.0\.1:(\d+)", "".join(lines))[1])
        yield process, port, lines
    finally:
        process.kill()
        process.wait(SOON)
        reader.join(SOON)
        process.stderr.close()


def test_sigterm_lets_an_answer_finish_and_sighup_switches_the_contract(tmp_path):
    asked, enough = threading.Event(), threading.Event()

    def answer(_text):
        yield "first"
        asked.set()
        enough.wait(SOON)
        yield " last"

    path = tmp_path / "bot.contract.json"
    old = save(path)
    with FakeChat(answer) as server:
        with command(path, "--endpoint", server.url, "--model", "fake") as (process, port, lines):
            assert ask(port, "GET", "/readyz").json["fingerprint"] == old.fingerprint
            save(path, system="Another form.")
            process.send_signal(signal.SIGHUP)
            until(lambda: any("the old one stays" in line for line in lines))
            assert ask(port, "GET", "/readyz").json["fingerprint"] == old.fingerprint
            answers = []
            client = threading.Thread(
                target=lambda: answers.append(chat(port, "canary", stream=True)), daemon=True
            )
            client.start()
            assert asked.wait(SOON)
            process.send_signal(signal.SIGTERM)
            until(lambda: any("Shutting down" in line for line in lines))
            with pytest.raises(OSError):
                ask(port, "GET", "/healthz")
            enough.set()
            client.join(SOON)
            *events, done = answers[0].events
            assert done == b"[DONE]"
            texts = [json.loads(e)["choices"][0]["delta"].get("content", "") for e in events]
            assert "".join(texts) == "first last"
            assert process.wait(SOON) == 0
    assert "canary" not in "".join(lines)
    assert "Traceback" not in "".join(lines)


def test_a_contract_that_names_its_model_switches_both(tmp_path):
    path = tmp_path / "bot.contract.json"
    save(path, ft.contract.ModelName(name="old"))
    with FakeChat(str.upper, model="new") as server:
        with command(path, "--endpoint", server.url) as (process, port, _lines):
            assert chat(port, "how?").code == "model_unavailable"  # the server has no model of that name
            new = save(path, ft.contract.ModelName(name="new"), system="Another form.")
            process.send_signal(signal.SIGHUP)
            until(lambda: ask(port, "GET", "/readyz").json["fingerprint"] == new.fingerprint)
            assert chat(port, "how?").json["choices"][0]["message"]["content"] == "QUESTION:\nHOW?"


def test_prompts_alone_and_a_switch_to_another_form(tmp_path):
    path, keys = tmp_path / "bot.contract.json", tmp_path / "keys"
    save(path)
    key, hashed = new_key()
    keys.write_text(hashed + "\n")
    with command(path, "--keys", keys) as (process, port, _lines):
        assert ask(port, "POST", "/prompt", {"question": "How?"}).status == 401
        new = save(path, system="Another form.")
        process.send_signal(signal.SIGHUP)
        until(lambda: ask(port, "GET", "/readyz").json["fingerprint"] == new.fingerprint)
        found = ask(port, "POST", "/prompt", {"question": "How?"}, key=key).json
        assert (found["system"], found["text"]) == ("Another form.", "Question:\nHow?")


def test_the_command_makes_keys_and_says_what_is_wrong(tmp_path):
    def run(*arguments):
        command = [sys.executable, "-m", "furytune", "serve", *arguments]
        return subprocess.run(command, check=False, capture_output=True, text=True)

    made = run("--new-key")
    assert re.search(r"key for the client +ft-\S{43}\nhash for the server +[0-9a-f]{64}\n", made.stdout)
    save(tmp_path / "nameless.json")
    nameless = run(str(tmp_path / "nameless.json"), "--endpoint", "http://127.0.0.1:1/v1")
    assert nameless.returncode == 4
    assert "give --model" in nameless.stderr
    absent = run(str(tmp_path / "absent.json"))
    assert absent.returncode == 2
    assert "does not exist" in absent.stderr
    outside = run(str(tmp_path / "nameless.json"), "--host", "0.0.0.0")
    assert outside.returncode == 4
    assert "without keys" in outside.stderr


def test_the_example_is_started_asked_and_stopped():
    script = [str(Path(__file__).parents[2] / "examples" / "serve.py")]
    with command(script=script) as (process, port, lines):
        found = chat(port, "How do I draw a box?")
        assert found.json["choices"][0]["message"]["content"] == (
            "I am a fake model. I was asked:\n\nQuestion:\nHow do I draw a box?"
        )
        process.terminate()
        assert process.wait(SOON) == 0
    assert "Traceback" not in "".join(lines)
