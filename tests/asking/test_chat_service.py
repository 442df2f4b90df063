"""Models behind an OpenAI-compatible endpoint, asked over real HTTP on loopback."""

from __future__ import annotations

import http.server
import json
import logging
import pickle
import threading
import traceback
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

import furytune as ft
from furytune.errors import (
    ConfigError,
    NoTextError,
    ServiceError,
    TuningError,
    TuningUnavailableError,
)
from furytune.testing.conformance import check_model
from furytune.testing.fake_chat import FakeChat

KEY = "canary-of-the-key-5d1f"
TEXT = "canary-of-the-text-88a0"


@pytest.fixture
def server():
    with FakeChat(lambda text: f"You said {text!r}.", key=KEY) as made:
        yield made


@pytest.fixture
def service(server):
    return ft.ChatService(server.url, api_key=KEY, timeout=5.0)


@contextmanager
def answering(respond):
    """Serves raw answers: ``respond`` gets the handler of each POST."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            try:
                respond(self)
            except ConnectionError:
                self.close_connection = True

        def log_message(self, *args):
            pass

    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.daemon_threads = True
    threading.Thread(target=made.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{made.server_address[1]}/v1"
    finally:
        made.shutdown()
        made.server_close()


def sending(body, status=200, **headers):
    def respond(handler):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        handler.send_response(status)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in {"content-length": str(len(data)), **named}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(data)

    return respond


def failure(url, act=lambda model: model.generate("hello"), **arguments):
    with pytest.raises(ServiceError) as found:
        act(ft.ChatService(url, **{"timeout": 5.0, **arguments}).model("fake"))
    return found.value


def test_a_model_answers(service) -> None:
    assert service.model("fake").generate("hello") == "You said 'hello'."
    check_model(service.model("fake", temperature=0.0))


def test_the_answer_arrives_in_pieces(service) -> None:
    pieces = list(service.model("fake").stream("hello"))
    assert len(pieces) == 2
    assert "".join(pieces) == "You said 'hello'."


def test_the_request_contains_the_prompt_and_only_the_settings_that_were_given(server, service) -> None:
    service.model("fake").generate(ft.Prompt(text="why?", system="You help."))
    service.model(
        "fake", temperature=0.0, max_output_tokens=9, thinking={"reasoning_effort": "low"}
    ).generate("hello")

    bare, full = (request.body for request in server.requests)
    assert bare == {
        "model": "fake",
        "messages": [{"role": "system", "content": "You help."}, {"role": "user", "content": "why?"}],
        "stream": False,
    }
    assert full == {
        "model": "fake",
        "messages": [{"role": "user", "content": "hello"}],
        "stream": False,
        "temperature": 0.0,
        "max_tokens": 9,
        "reasoning_effort": "low",
    }


def test_a_contract_renders_the_prompt_as_in_training(tmp_path, server, service) -> None:
    pipeline = ft.Pipeline(
        collector=ft.JsonlCollector(tmp_path / "none.jsonl"),
        template=ft.PromptTemplate("Question:\n{question}", system="You help."),
        exporter=ft.JsonlExporter(tmp_path / "train.jsonl", dialect="openai"),
    )
    assert service.model("fake", pipeline.contract).ask("why?").startswith("You said")
    assert server.requests[0].body["messages"] == pipeline.contract.request("why?")["messages"]


def test_the_spec_names_what_can_change_an_answer(service) -> None:
    assert service.model("fake").spec == {"name": "fake", "dialect": "openai"}
    model = service.model("fake", temperature=0.0, max_output_tokens=9, thinking={"seed": 1})
    assert model.spec == {
        "name": "fake",
        "dialect": "openai",
        "temperature": 0.0,
        "max_output_tokens": 9,
        "thinking": {"seed": 1},
    }


def test_a_wrong_key_is_not_a_passing_failure(server) -> None:
    error = failure(server.url, api_key="wrong")
    assert (error.code, error.transient) == (401, False)
    assert "check api_key=" in str(error)
    assert error.said == "Incorrect API key provided: Bearer [key]."


def test_an_unknown_model_is_not_a_passing_failure(service) -> None:
    with pytest.raises(ServiceError, match="the answer 404") as found:
        service.model("other").generate("hello")
    assert not found.value.transient


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_failure_says_how_long_to_wait(server, status) -> None:
    server.fail(status=status, headers={"retry-after": "7"})
    error = failure(server.url, api_key=KEY)
    assert (error.code, error.transient, error.wait) == (status, True, 7.0)


def test_a_wait_can_be_a_date(server) -> None:
    server.fail(headers={"retry-after": format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)})
    assert 3500 < failure(server.url, api_key=KEY).wait <= 3600


@pytest.mark.parametrize("header", ["soon", "-3", "nan", "inf", "Mon, 01 Jan 2024 10:00:00 GMT"])
def test_a_wait_that_makes_no_sense_is_ignored(server, header) -> None:
    server.fail(headers={"retry-after": header})
    assert failure(server.url, api_key=KEY).wait == 0.0


@pytest.mark.parametrize("mode", ["hang up", "lose the answer"])
def test_a_lost_connection_is_a_passing_failure(server, mode) -> None:
    server.fail(mode=mode)
    error = failure(server.url, api_key=KEY)
    assert (error.code, error.transient) == (None, True)


def test_a_server_that_is_not_there_is_named_as_such() -> None:
    with FakeChat(str) as gone:
        url = gone.url
    assert "(ConnectionRefusedError); check that the server is running" in str(failure(url))


@pytest.mark.parametrize(
    "url", [f"https://{'a' * 64}.invalid/v1", "http://127.0.0.1:1/v\N{SNOWMAN}", "http://[::1]:x/v1"]
)
def test_an_address_that_cannot_be_used_is_a_failure(url) -> None:
    assert failure(url).code is None


@pytest.mark.parametrize("asking", ["generate", "stream"])
def test_a_slow_server_is_given_up(server, asking) -> None:
    server.fail(mode="hang")
    act = {"generate": lambda model: model.generate("x"), "stream": lambda model: list(model.stream("x"))}
    error = failure(server.url, act[asking], api_key=KEY, timeout=0.2)
    assert "(TimeoutError)" in str(error)
    assert error.transient


def test_a_server_that_sends_a_byte_now_and_then_is_given_up() -> None:
    done = threading.Event()

    def drip(handler):
        handler.send_response(200)
        handler.end_headers()
        while not done.wait(0.02):
            handler.wfile.write(b" ")

    with answering(drip) as url:
        assert "(TimeoutError)" in str(failure(url, timeout=0.3))
        done.set()


@pytest.mark.parametrize(
    "body",
    [
        b"<html>a login page</html>",
        b"[1]",
        {"choices": []},
        {"choices": [{"message": {"content": 3}}]},
        {"error": {"message": TEXT}},
        b"[" * 100_000,
    ],
)
def test_an_answer_of_another_shape_is_not_a_passing_failure(body) -> None:
    with answering(sending(body)) as url:
        error = failure(url)
    assert (error.code, error.transient) == (200, False)
    assert "usually ends with /v1" in str(error)
    assert TEXT not in str(error)


@pytest.mark.parametrize(
    "respond",
    [
        sending(b'{"choices"', content_length="400"),
        sending(b"not gzip", content_encoding="gzip"),
        sending(b"x", content_encoding="br"),
        sending(b" " * ((8 << 20) + 1)),
    ],
    ids=["cut off", "damaged", "other encoding", "too large"],
)
def test_an_answer_that_is_not_whole_is_a_passing_failure(respond) -> None:
    with answering(respond) as url:
        error = failure(url)
    assert (error.code, error.transient) == (None, True)


def test_a_redirect_is_not_followed(server) -> None:
    with answering(sending(b"", 307, location=f"{server.url}/chat/completions")) as url:
        error = failure(url, api_key=KEY)
    assert "give that one as the endpoint" in str(error)
    assert server.requests == []


def test_loopback_is_asked_without_a_proxy(service, monkeypatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    assert service.model("fake").generate("hello")


@pytest.mark.parametrize("content", [None, ""])
def test_a_model_without_text_says_why(content) -> None:
    end = {"choices": [{"message": {"content": content}, "finish_reason": "content_filter"}]}
    with answering(sending(end)) as url, pytest.raises(NoTextError, match="content_filter"):
        ft.ChatService(url).model("fake").generate("hello")


def events(*lines):
    return b"".join(b"data: " + line + b"\n\n" for line in lines)


ROLE = b'{"choices":[{"delta":{"role":"assistant","content":"So"}}]}'


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (events(ROLE), ServiceError),
        (events(ROLE, b"nonsense"), ServiceError),
        (events(b'{"choices":[{"delta":{},"finish_reason":"length"}]}', b"[DONE]"), NoTextError),
        (events(b"[DONE]"), NoTextError),
        (b"data: " + b"x" * ((8 << 20) + 1), ServiceError),
    ],
    ids=["cut off", "not JSON", "no text", "nothing", "a long line"],
)
def test_a_stream_that_is_not_whole_raises(sent, error) -> None:
    with answering(sending(sent)) as url, pytest.raises(error):
        list(ft.ChatService(url).model("fake").stream("hello"))


def test_comments_and_other_fields_of_a_stream_are_skipped() -> None:
    sent = b": a comment\n\nevent: x\n" + events(ROLE, b"[DONE]")
    with answering(sending(sent)) as url:
        assert list(ft.ChatService(url).model("fake").stream("hello")) == ["So"]


def test_a_server_cannot_share_or_delete(service) -> None:
    with pytest.raises(TuningUnavailableError, match="cannot delete"):
        service.delete("fake", "fake")
    with pytest.raises(TuningError, match="base model"):
        service.model("fake").share()


@pytest.mark.parametrize(
    ("endpoint", "told"),
    [
        ("", "needs an endpoint"),
        ("127.0.0.1:8080", "must be an address"),
        ("http://example.org/v1", "must begin with https://"),
        ("https://me:secret@example.org/v1", "pass credentials in their own arguments"),
    ],
)
def test_a_wrong_endpoint_is_refused(endpoint, told) -> None:
    with pytest.raises(ConfigError, match=told):
        ft.ChatService(endpoint)


@pytest.mark.parametrize("timeout", [0, -1, float("inf"), float("nan"), "5", True])
def test_a_wrong_timeout_is_refused(timeout) -> None:
    with pytest.raises(ConfigError, match="timeout"):
        ft.ChatService("http://127.0.0.1:1/v1", timeout=timeout)


def test_settings_cannot_replace_the_prompt(service) -> None:
    with pytest.raises(TuningError, match="messages, stream"):
        service.model("fake", thinking={"messages": [], "stream": True}).generate("hello")
    with pytest.raises(TuningError, match="JSON"):
        service.model("fake", thinking={"seed": float("nan")}).generate("hello")


@pytest.mark.parametrize("key", [f"{KEY}\n{KEY}", f"{KEY}\N{SNOWMAN}"])
def test_a_damaged_key_is_not_quoted(server, key) -> None:
    with pytest.raises(ConfigError, match="copy it again") as found:
        ft.ChatService(server.url, api_key=key).model("fake").generate("hello")
    assert KEY not in "".join(traceback.format_exception(found.value))


def test_the_key_is_read_from_the_environment_when_it_is_used(server, monkeypatch) -> None:
    model = ft.ChatService(server.url, api_key=ft.Secret.env("CHAT_KEY")).model("fake")
    monkeypatch.setenv("CHAT_KEY", f"{KEY}\n")
    assert model.generate("hello")
    monkeypatch.delenv("CHAT_KEY")
    with pytest.raises(ConfigError, match="CHAT_KEY is not set"):
        model.generate("hello")


def test_neither_key_nor_text_is_in_a_repr_a_log_or_an_error(server, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    service = ft.ChatService(server.url, api_key=KEY, timeout=0.2)
    model = service.model("fake")
    shown = [repr(service), str(service), repr(model), repr(server.requests)]
    model.generate(TEXT)
    server.fail(status=400, body={"error": {"message": f"cannot use {TEXT} with {KEY}"}})
    server.fail(mode="hang up")
    server.fail(mode="hang")
    for _ in range(3):
        with pytest.raises(ServiceError) as found:
            model.generate(TEXT)
        shown += traceback.format_exception(found.value)
        assert KEY not in found.value.said
    with pytest.raises(TypeError):
        pickle.dumps(model)
    for text in (*shown, caplog.text):
        assert KEY not in text
        assert TEXT not in text
