"""Every prompt of an endpoint is the contract's bytes, and the audit log proves it."""

from __future__ import annotations

import http.client
import json
from datetime import UTC, datetime

import pytest
from endpoints import PASSAGES, ask, asked, chat, contract, serving
from hypothesis import given, settings

import furytune as ft
from furytune.answering import audit
from furytune.cli.main import run
from furytune.errors import EmptyTextError, SourceError
from furytune.testing.fake_chat import FakeChat
from furytune.testing.strategies import questions

MOMENT = datetime(2026, 1, 31, tzinfo=UTC)


@pytest.fixture(scope="module")
def endpoint():
    """A model that repeats what it was sent, behind an endpoint."""
    with (
        FakeChat(lambda _: "so") as server,
        serving(model=ft.ChatService(server.url).model("fake")) as port,
    ):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        yield server, connection
        connection.close()


@settings(max_examples=60)
@given(question=questions())
def test_prompts_are_the_contracts_bytes_for_any_question(endpoint, question):
    server, connection = endpoint
    body = {"question": question, "at": MOMENT.isoformat()}
    found = asked(connection, "POST", "/prompt", body)
    message = {"role": "user", "content": question}
    answer = asked(connection, "POST", "/v1/chat/completions", {"model": "furytune", "messages": [message]})
    try:
        expected = contract().prompt(question, at=MOMENT)
    except EmptyTextError:
        assert (found.status, found.code, answer.code) == (400, "empty_question", "empty_question")
        return
    assert (found.json["system"], found.json["text"]) == (expected.system, expected.text)
    assert found.json["prompt"] == answer.json["furytune"]["prompt"] == expected.digest
    sent = server.requests[-1].body["messages"]
    assert [m["content"].encode() for m in sent] == [expected.system.encode(), bytes(expected)]


def test_a_prompt_says_where_it_comes_from():
    served = contract()
    with serving(served) as port:
        found = ask(port, "POST", "/prompt", {"question": "How do I draw a box?"})
        assert found.json["fingerprint"] == found.headers["x-furytune-fingerprint"] == served.fingerprint
        assert found.json["snapshot"] == found.headers["x-furytune-snapshot"] == served.snapshot
        cited = {c["citation"]: c["url"] for c in found.json["citations"]}
        assert cited["Boxes (box.md:1)"] == "https://x/box"
        assert cited["Bad (bad.md:1)"] == ""
        early = ask(port, "POST", "/prompt", {"question": "x", "at": "2026-01-31T12:00:00"})
        assert (early.status, early.code) == (400, "invalid_request")


def test_the_log_proves_that_prompts_were_the_contracts(tmp_path):
    log, served = tmp_path / "audit.jsonl", contract()
    with FakeChat(lambda _: "canary answer") as server:
        model = ft.ChatService(server.url).model("fake")
        with serving(served, model=model, audit=log) as port:
            for question in ("How do I draw a box?", "canary question", "third?"):
                assert chat(port, question).status == 200
            assert ask(port, "POST", "/prompt", {"question": "How do I draw a cone?"}).status == 200
        with serving(contract(PASSAGES[:1]), audit=log) as port:
            assert ask(port, "POST", "/prompt", {"question": "third?"}).status == 200
    assert b"canary" not in log.read_bytes()
    assert log.stat().st_mode & 0o077 == 0
    lines = log.read_text().splitlines()
    assert [json.loads(line)["status"] for line in lines[:2]] == ["asked", "answered"]
    given_questions = ["How do I draw a box?", "canary question", "How do I draw a cone?"]
    found = audit(log, served, given_questions)
    assert (found.proved, found.differing, found.other, found.unknown) == (3, (), 1, 1)
    forged = json.loads(lines[0]) | {"prompt": "0" * 64, "id": "forged"}
    log.write_text("\n".join([*lines, json.dumps(forged), '{"torn']))
    found = audit(log, served, given_questions)
    assert (found.proved, found.differing, found.damaged) == (3, ("forged",), 1)
    assert "1 lines are damaged" in str(found)
    with pytest.raises(SourceError):
        audit(tmp_path / "absent", served, [])


def test_the_command_audits_the_same(tmp_path, capsys):
    served = ft.PromptContract(
        template=ft.PromptTemplate("Answer this:\n{question}"), augmenter=ft.IdentityAugmenter()
    )
    served.save(tmp_path / "fury.contract.json")
    log, asked = tmp_path / "audit.jsonl", tmp_path / "asked.jsonl"
    with serving(served, audit=log) as port:
        for question in ("How do I draw\na box?", "And a cone?"):
            assert ask(port, "POST", "/prompt", {"question": question}).status == 200
    arguments = ["audit", str(log), str(tmp_path / "fury.contract.json"), "--questions", str(asked)]
    asked.write_text('"How do I draw\\na box?"\n\n{"question": "And a cone?"}\n', encoding="utf-8")
    assert run(arguments) == 0
    assert capsys.readouterr().out.startswith("2 prompts are the contract's, 0 differ")
    log.write_text(log.read_text().replace(json.loads(log.read_text().splitlines()[0])["prompt"], "0" * 64))
    assert run(arguments) == 3
    asked.write_text("plain words\n", encoding="utf-8")
    assert run(arguments) == 5
    assert "asked.jsonl, line 1: not a JSON text" in capsys.readouterr().err


def test_there_is_no_answer_that_the_log_does_not_know(tmp_path):
    with FakeChat(lambda _: "so") as server:
        model = ft.ChatService(server.url).model("fake")
        with serving(model=model, audit=tmp_path / "absent" / "audit.jsonl") as port:
            found = chat(port)
        assert (found.status, found.code) == (503, "log_unavailable")
        assert not server.requests
