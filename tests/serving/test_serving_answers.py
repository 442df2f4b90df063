"""Answers of an endpoint: whole, as streams, with citations, refused, and no longer wanted."""

from __future__ import annotations

import http.client
import json
import socket
import threading

import attrs
import pytest
from endpoints import PASSAGES, SOON, ask, chat, contract, serving, until

import furytune as ft
from furytune.errors import ConfigError
from furytune.serving import app
from furytune.testing.fake_chat import FakeChat
from furytune.testing.memory import MemoryAugmenter


class Slow:
    """An answer that goes on until the client is gone, or someone lets it end."""

    def __init__(self):
        self.asked, self.closed, self.enough = (threading.Event() for _ in range(3))

    def __call__(self, _text):
        try:
            yield "first"
            self.asked.set()
            while not self.enough.wait(0.01):
                yield "."
        finally:
            self.closed.set()


def model_of(server):
    return ft.ChatService(server.url, timeout=SOON).model("fake")


def is_idle(port):
    return b"answers_running 0.0" in ask(port, "GET", "/metrics").raw


@pytest.fixture
def slow():
    return Slow()


@pytest.fixture(scope="module")
def fake():
    with FakeChat(lambda _: ["Use ", "actor.box."]) as server:
        yield server


@pytest.fixture(scope="module")
def port(fake):
    with serving(model=model_of(fake)) as found:
        yield found


def test_a_whole_answer(port):
    found = chat(port)
    assert found.status == 200
    assert found.json["choices"][0]["message"]["content"] == "Use actor.box."
    assert found.json["choices"][0]["finish_reason"] == "stop"
    assert found.json["usage"] == {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    about = found.json["furytune"]
    assert about["fingerprint"] == found.headers["x-furytune-fingerprint"]
    assert about["request"] == found.headers["x-furytune-request"]
    assert {"citation": "Boxes (box.md:1)", "url": "https://x/box"} in about["citations"]


def test_a_stream(port):
    found = chat(port, stream=True, stream_options={"include_usage": True})
    assert found.headers["content-type"].startswith("text/event-stream")
    *events, done = found.events
    assert done == b"[DONE]"
    chunks = [json.loads(event) for event in events]
    assert len({chunk["id"] for chunk in chunks}) == 1
    assert [c["delta"] for chunk in chunks for c in chunk["choices"]] == [
        {"role": "assistant", "content": ""},
        {"content": "Use "},
        {"content": "actor.box."},
        {},
    ]
    assert chunks[0]["furytune"]["fingerprint"] == found.headers["x-furytune-fingerprint"]
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
    assert chunks[-1]["usage"]["total_tokens"] == 7
    assert "usage" not in json.loads(chat(port, stream=True).events[-2])


def test_the_client_of_openai_asks_and_streams(port):
    openai = pytest.importorskip("openai", reason="the package openai is not installed")
    with openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="none", max_retries=0) as client:
        assert [model.id for model in client.models.list()] == ["furytune"]
        messages = [{"role": "user", "content": "How do I draw a box?"}]
        whole = client.chat.completions.create(model="furytune", messages=messages)
        assert whole.choices[0].message.content == "Use actor.box."
        assert whole.model_extra["furytune"]["citations"]
        pieces = client.chat.completions.create(
            model="furytune", messages=messages, stream=True, stream_options={"include_usage": True}
        )
        *earlier, last = list(pieces)
        assert "".join(p.choices[0].delta.content or "" for p in earlier) == "Use actor.box."
        assert last.usage.total_tokens == 7
        with pytest.raises(openai.NotFoundError) as caught:
            client.chat.completions.create(model="other", messages=messages)
        assert caught.value.code == "model_not_found"
        with pytest.raises(openai.BadRequestError) as caught:
            client.chat.completions.create(model="furytune", messages=messages * 2)
        assert caught.value.code == "earlier_messages"


def test_parts_of_text_are_one_question_and_pictures_are_refused(port, fake):
    parts = [{"type": "text", "text": "How do I "}, {"type": "text", "text": "draw a box?"}]
    assert chat(port, parts).status == 200
    assert fake.requests[-1].body["messages"][-1]["content"].endswith("How do I draw a box?")
    picture = {"type": "image_url", "image_url": {"url": "data:"}}
    assert chat(port, [*parts, picture]).code == "not_text"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"model": "gpt-4o"}, "model_not_found"),
        ({"messages": []}, "no_question"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "no_question"),
        (
            {"messages": [{"role": "system", "content": "x"}, {"role": "user", "content": "y"}]},
            "earlier_messages",
        ),
        ({"messages": [{"role": "user", "content": " "}]}, "empty_question"),
        ({"messages": [{"role": "user"}]}, "not_text"),
        ({"messages": "x"}, "invalid_request"),
        ({"n": 2}, "unsupported_parameter"),
        ({"tools": [{"type": "function"}]}, "unsupported_parameter"),
        ({"response_format": {"type": "json_object"}}, "unsupported_parameter"),
    ],
)
def test_what_is_not_one_question_is_refused_in_openais_words(port, fields, code):
    found = chat(port, **fields)
    assert found.status in {400, 404}
    assert found.code == code


def test_earlier_messages_can_be_ignored_and_never_reach_the_model(fake):
    messages = [
        {"role": "system", "content": "canary"},
        {"role": "user", "content": "canary"},
        {"role": "assistant", "content": "canary"},
        {"role": "user", "content": "How do I draw a box?"},
    ]
    with serving(model=model_of(fake), earlier="ignore") as port:
        assert chat(port, messages=messages).status == 200
    assert b"canary" not in fake.requests[-1].raw


def test_earlier_messages_are_joined_as_in_the_training_data_if_the_assistant_only_asked_back(fake):
    messages = [
        {"role": "system", "content": "canary"},
        {"role": "user", "content": "canary"},
        {"role": "assistant", "content": "Use canary()."},
        {"role": "user", "content": "How do I draw a box?"},
        {"role": "assistant", "content": "Canary?"},
        {"role": "user", "content": [{"type": "text", "text": "0.12"}]},
    ]
    with serving(model=model_of(fake), earlier="join") as port:
        found = chat(port, messages=messages)
        alone = chat(port, messages=[{"role": "user", "content": "How do I draw a box?\n\n0.12"}])
    assert b"anary" not in fake.requests[-2].raw
    assert fake.requests[-2].raw == fake.requests[-1].raw
    assert found.json["furytune"]["prompt"] == alone.json["furytune"]["prompt"]


def test_footnotes_are_the_end_of_the_answer(fake):
    with serving(model=model_of(fake), footnotes=True) as port:
        whole = chat(port).json["choices"][0]["message"]["content"]
        chunks = [json.loads(event) for event in chat(port, stream=True).events[:-1]]
    streamed = "".join(c["choices"][0]["delta"].get("content", "") for c in chunks)
    assert whole == streamed
    assert whole.startswith("Use actor.box.\n\n[1] ")
    assert "Boxes (box.md:1) https://x/box" in whole
    assert "javascript" not in whole


def test_an_answer_ends_at_its_limit_and_the_model_is_stopped(slow):
    with FakeChat(slow) as server, serving(model=model_of(server), max_answer=7) as port:
        choice = chat(port).json["choices"][0]
        assert choice["message"]["content"] == "first.."
        assert choice["finish_reason"] == "length"
        assert slow.closed.wait(SOON)


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_stops_the_model(slow, tmp_path, stream):
    log = tmp_path / "audit.jsonl"
    with FakeChat(slow) as server, serving(model=model_of(server), audit=log, concurrent=1) as port:
        with socket.create_connection(("127.0.0.1", port), SOON) as client:
            message = {"role": "user", "content": "x"}
            body = json.dumps({"model": "furytune", "messages": [message], "stream": stream}).encode()
            head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
            client.sendall(head.encode() + b"Content-Type: application/json\r\n\r\n" + body)
            assert slow.asked.wait(SOON)
        assert slow.closed.wait(SOON)
        until(lambda: '"stopped"' in log.read_text())
        slow.enough.set()
        until(lambda: chat(port).status == 200)  # the only thread is free again


def test_a_silent_model_does_not_keep_a_client_that_leaves():
    with FakeChat(str.upper) as server, serving(model=model_of(server), concurrent=1) as port:
        server.fail(mode="hang")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SOON)
        message = {"role": "user", "content": "x"}
        body = json.dumps({"model": "furytune", "messages": [message], "stream": True})
        connection.request("POST", "/v1/chat/completions", body, {"content-type": "application/json"})
        until(lambda: server.requests)
        assert (chat(port).status, chat(port).code) == (429, "overloaded")
        connection.close()
        until(lambda: chat(port).status == 200)


def test_too_many_answers_at_once_are_refused_with_a_time_to_wait(slow):
    with FakeChat(slow) as server, serving(model=model_of(server), concurrent=1) as port:
        first = threading.Thread(target=chat, args=(port,), daemon=True)
        first.start()
        assert slow.asked.wait(SOON)
        found = chat(port)
        assert (found.status, found.code) == (429, "overloaded")
        assert int(found.headers["retry-after"]) >= 1
        assert ask(port, "POST", "/prompt", {"question": "x"}).status == 200
        slow.enough.set()
        first.join(SOON)


def test_an_answer_that_takes_too_long_is_an_error_before_and_an_event_after_its_beginning(slow):
    with FakeChat(slow) as server, serving(model=model_of(server), timeout=0.3) as port:
        whole = chat(port)
        assert (whole.status, whole.code) == (504, "timeout")
        until(lambda: is_idle(port))
        events = chat(port, stream=True).events
        assert json.loads(events[-1])["error"]["code"] == "timeout"
        assert b"[DONE]" not in events


def test_a_client_that_does_not_read_is_left_after_the_time_limit():
    def flood(_text):
        while True:
            yield "x" * 50_000

    limits = {"timeout": 0.3, "max_answer": 10_000_000, "concurrent": 1}
    with FakeChat(flood) as server, serving(model=model_of(server), **limits) as port:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", port))
            message = {"role": "user", "content": "x"}
            body = json.dumps({"model": "furytune", "messages": [message], "stream": True}).encode()
            head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
            client.sendall(head.encode() + b"Content-Type: application/json\r\n\r\n" + body)
            # The request is over and its thread is free, although the client is still there.
            until(lambda: b'answers_total{end="failed"} 1.0' in ask(port, "GET", "/metrics").raw)
            until(lambda: is_idle(port))


@pytest.mark.parametrize("stream", [False, True])
def test_faults_of_the_model_become_statuses(stream):
    with FakeChat(lambda text: "" if "nothing" in text else "so") as server:
        with serving(model=model_of(server), tries=1) as port:
            server.fail(status=500)
            assert (found := chat(port, stream=stream)).status == 502
            assert found.code == "model_unavailable"
            server.fail(status=429, headers={"retry-after": "7"})
            assert (found := chat(port, stream=stream)).code == "model_busy"
            assert found.headers["retry-after"] == "7"
            server.fail(status=400, body={"error": {"message": "canary"}})
            assert b"canary" not in (found := chat(port, stream=stream)).raw
            assert found.status == 502
            assert chat(port, "nothing", stream=stream).code == "no_text"
            assert chat(port, stream=stream).status == 200


def test_a_fault_of_a_plugin_shows_no_text(caplog):
    class Broken:
        spec = {"name": "broken"}

        def generate(self, prompt):
            raise ValueError(f"canary {prompt}")

    with serving(model=Broken()) as port:
        found = chat(port)
    assert (found.status, found.code) == (500, "internal_error")
    assert b"canary" not in found.raw
    assert "canary" not in caplog.text
    assert "ValueError" in caplog.text


def test_without_a_model_there_are_only_prompts():
    with serving() as port:
        assert chat(port).code == "no_model"
        assert ask(port, "POST", "/prompt", {"question": "x"}).status == 200


def test_what_is_not_a_model_is_refused_at_once():
    with pytest.raises(ConfigError, match="Model"):
        app(contract(), model=lambda _: "gpt")


def test_a_switch_lets_old_answers_finish_and_serves_new_ones(slow, tmp_path, monkeypatch):
    old, new = contract(PASSAGES[:1]), contract()
    loads = iter([old, new, attrs.evolve(new, augmenter=MemoryAugmenter(PASSAGES, k=1))])
    monkeypatch.setattr(ft.PromptContract, "load", lambda _path: next(loads))
    key, hashed = ft.serving.new_key()
    with FakeChat(slow) as server:
        with serving(tmp_path / "x.json", model=model_of(server), admin_keys=[hashed]) as port:
            answers = []
            first = threading.Thread(target=lambda: answers.append(chat(port)), daemon=True)
            first.start()
            assert slow.asked.wait(SOON)
            assert ask(port, "POST", "/admin/reload").status == 401
            assert ask(port, "POST", "/admin/reload", key=key).json["snapshot"] == new.snapshot
            assert ask(port, "GET", "/readyz").json["snapshot"] == new.snapshot
            slow.enough.set()
            first.join(SOON)
            assert answers[0].json["furytune"]["snapshot"] == old.snapshot
            assert chat(port).json["furytune"]["snapshot"] == new.snapshot
            # The model was tuned for the old form, so a contract with another form does not replace it.
            assert (found := ask(port, "POST", "/admin/reload", key=key)).code == "not_reloaded"
            assert found.status == 409
            assert chat(port).json["furytune"]["fingerprint"] == new.fingerprint


def test_many_questions_at_once_get_their_own_prompts(port):
    found = {}

    def several(n):
        for i in range(5):
            question = f"box {n} {i}?"
            found[question] = ask(port, "POST", "/prompt", {"question": question}).json["text"]

    threads = [threading.Thread(target=several, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SOON)
    assert len(found) == 60
    assert all(text.endswith(f"Question:\n{question}") for question, text in found.items())
