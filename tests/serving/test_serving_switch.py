"""Under load, a switch of the contract loses no question, and each answer names the contract that made its prompt."""

from __future__ import annotations

import json
import shutil
import signal
import sys
import threading
from collections import Counter
from contextlib import closing
from http.client import HTTPConnection

import pytest
from endpoints import SOON, ask, asked, until
from test_serving_process import command

import furytune as ft
from furytune.testing.fake_chat import FakeChat

pytest.importorskip("lancedb")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")

QUESTIONS = [f"How do I draw a {thing}?" for thing in ("box", "cone", "sphere", "line")]
CLIENTS, ROUNDS = 4, 3


def contracts(folder):
    """Two forms of prompts, and two states of knowledge for the second one."""
    made = []
    for number, (form, fact) in enumerate((("First", "old"), ("Second", "old"), ("Second", "new"))):
        path = folder / f"{fact}.lance"
        if not path.exists():
            things = ("box", "cone", "sphere", "line")
            ft.build_index(
                path,
                [
                    ft.Passage(id=thing, text=f"Draw a {thing} in the {fact} way.", title=thing, source=thing)
                    for thing in things
                ],
            )
        contract = ft.PromptContract(
            template=ft.PromptTemplate(f"{form}.\n\n{{context}}\n\nQuestion:\n{{question}}"),
            augmenter=ft.RagAugmenter(path, k=2),
            dialects=("openai",),
            model=ft.contract.ModelName(name="fake"),
        )
        contract.save(folder / f"{number}.json")
        made.append((contract, folder / f"{number}.json"))
    return made


def one(connection, number):
    """Asks a question; returns the answer's text, and the identity in the field and in the headers."""
    stream, question = number % 2 == 0, QUESTIONS[number % len(QUESTIONS)]
    body = {"model": "furytune", "messages": [{"role": "user", "content": question}], "stream": stream}
    found = asked(connection, "POST", "/v1/chat/completions", body)
    assert found.status == 200, found.raw
    headers = found.headers["x-furytune-fingerprint"], found.headers["x-furytune-snapshot"]
    if stream:
        *events, done = found.events
        assert done == b"[DONE]"
        pieces = [json.loads(event) for event in events]
        text = "".join(
            piece["choices"][0]["delta"].get("content") or "" for piece in pieces if piece["choices"]
        )
        said = pieces[0]["furytune"]
    else:
        text, said = found.json["choices"][0]["message"]["content"], found.json["furytune"]
    assert (said["fingerprint"], said["snapshot"]) == headers
    return question, text, headers


def test_a_switch_under_load_loses_no_question_and_mixes_no_contracts(tmp_path) -> None:
    made = contracts(tmp_path)
    path = tmp_path / "bot.contract.json"
    shutil.copy(made[0][1], path)
    identities = [(contract.fingerprint, contract.snapshot) for contract, _ in made]
    assert len(set(identities)) == 3
    assert identities[1][0] == identities[2][0] != identities[0][0]
    prompts = {
        (identity, question): str(contract.prompt(question))
        for identity, (contract, _) in zip(identities, made, strict=True)
        for question in QUESTIONS
    }
    answers, failures, stop = [], [], threading.Event()

    def client(port, first):
        # One connection for all questions, as a program has that asks often.
        try:
            with closing(HTTPConnection("127.0.0.1", port, timeout=SOON)) as connection:
                number = first
                while not stop.is_set():
                    answers.append(one(connection, number))
                    number += 1
        except Exception as error:  # noqa: BLE001  (whatever it is, a question was lost)
            failures.append(error)

    with (
        FakeChat(str) as server,
        command(path, "--endpoint", server.url, "--set", "serve.per_minute=0") as (process, port, lines),
    ):
        clients = [threading.Thread(target=client, args=(port, n), daemon=True) for n in range(CLIENTS)]
        for one_client in clients:
            one_client.start()
        try:
            for number in range(1, 3 * ROUNDS + 1):
                identity = identities[number % 3]
                new = path.with_suffix(".new")
                shutil.copy(made[number % 3][1], new)
                new.replace(path)
                process.send_signal(signal.SIGHUP)
                until(lambda: ask(port, "GET", "/readyz").json["fingerprint"] == identity[0] or failures)  # noqa: B023
                seen = len(answers)
                until(lambda: any(headers == identity for *_, headers in answers[seen:]) or failures)  # noqa: B023
        finally:
            stop.set()
            for one_client in clients:
                one_client.join(SOON)
        assert not failures
        assert len(server.requests) == len(answers)
    wrong = [(question, headers) for question, text, headers in answers if text != prompts[headers, question]]
    assert not wrong
    assert Counter(headers for *_, headers in answers).keys() == set(identities)
    assert "Traceback" not in "".join(lines)
