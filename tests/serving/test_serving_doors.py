"""Who may ask an endpoint, how often and how much; and what it shows to no one."""

from __future__ import annotations

import http.client
import json
import logging
import socket

import pytest
from endpoints import SOON, ask, chat, serving
from hypothesis import given
from hypothesis import strategies as st

import furytune as ft
from furytune.answering import Rate
from furytune.errors import ConfigError
from furytune.serving import Settings, new_key, serve
from furytune.serving.refusals import Refusal
from furytune.testing.fake_chat import FakeChat

KEY, HASH = new_key()
ADMIN, ADMIN_HASH = new_key()
DIGEST = "0" * 64


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    feedback = tmp_path_factory.mktemp("said") / "feedback.jsonl"
    with serving(keys=[HASH], admin_keys=[ADMIN_HASH], feedback=feedback, max_body=2048) as found:
        yield found


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/chat/completions"),
        ("GET", "/v1/models"),
        ("POST", "/prompt"),
        ("POST", "/feedback"),
        ("GET", "/metrics"),
        ("POST", "/admin/reload"),
    ],
)
def test_without_a_key_there_is_no_way_in(port, method, path):
    for key in ("", "ft-wrong", HASH, KEY if path == "/admin/reload" else ADMIN):
        found = ask(port, method, path, {}, key=key)
        assert (found.status, found.code) == (401, "invalid_api_key")
    assert ask(port, method, path, {}, authorization=f"Basic {KEY}").status == 401


def test_health_needs_no_key(port):
    assert ask(port, "GET", "/healthz").json == {"status": "alive"}
    assert ask(port, "GET", "/readyz").json["status"] == "ready"
    assert ask(port, "GET", "/v1/models", key=KEY).json["data"][0]["id"] == "furytune"


def test_unknown_routes_and_methods_have_openais_errors(port):
    assert (ask(port, "GET", "/nope").code, ask(port, "GET", "/prompt/").code) == ("not_found",) * 2
    assert ask(port, "GET", "/prompt").code == "method_not_allowed"


def test_without_keys_only_this_machines_names_are_answered():
    with serving() as port:
        for host in ("localhost:8000", "127.0.0.1", "[::1]:8000"):
            assert ask(port, "POST", "/prompt", {"question": "x"}, Host=host).status == 200
        for host in ("evil.example", "localhost.evil.example", "[::2]"):
            found = ask(port, "POST", "/prompt", {"question": "x"}, Host=host)
            assert (found.status, found.code) == (403, "unknown_host")


def test_a_web_page_gets_no_permission(port):
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    found = ask(port, "OPTIONS", "/prompt", **asked)
    assert found.status == 405
    assert not [name for name in found.headers if name.startswith("access-control")]
    simple = ask(port, "POST", "/prompt", {"question": "x"}, key=KEY, content_type="text/plain")
    assert (simple.status, simple.code) == (415, "unsupported_media_type")


def test_bodies_have_a_limit_and_an_end(port):
    large = json.dumps({"question": "x" * 3000}).encode()
    found = ask(port, "POST", "/prompt", large, key=KEY)
    assert (found.status, found.code) == (413, "request_too_large")
    chunked = [large[:1000], large[1000:2000], large[2000:]]
    connection = http_connection(port)
    connection.request(
        "POST",
        "/prompt",
        iter(chunked),
        {"content-type": "application/json", "authorization": f"Bearer {KEY}"},
        encode_chunked=True,
    )
    assert connection.getresponse().status == 413
    connection.close()
    with serving(body_timeout=0.1) as slow:
        with socket.create_connection(("127.0.0.1", slow), SOON) as client:
            head = b"POST /prompt HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            client.sendall(head + b"Content-Length: 20\r\n\r\n{")
            assert client.recv(100).startswith(b"HTTP/1.1 408")


def http_connection(port):

    return http.client.HTTPConnection("127.0.0.1", port, timeout=SOON)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"x"',
        b"\xff",
        b'{"question": "\xff"}',
        rb'{"question": "\ud800"}',
        b'{"question": 1}',
        b'{"question": "x", "canary": 1}',
        b"[" * 2000,
    ],
)
def test_what_is_not_a_request_is_refused_without_repeating_it(port, body):
    found = ask(port, "POST", "/prompt", body, key=KEY)
    assert found.status == 400
    assert found.code in {"invalid_json", "invalid_request"}
    assert b"canary" not in found.raw


def test_a_client_has_so_many_requests_a_minute():
    with serving(per_minute=2, keys=[HASH, ADMIN_HASH]) as port:
        statuses = [ask(port, "POST", "/prompt", {"question": "x"}, key=KEY) for _ in range(3)]
        assert [found.status for found in statuses] == [200, 200, 429]
        assert statuses[-1].code == "rate_limit_exceeded"
        assert 1 <= int(statuses[-1].headers["retry-after"]) <= 30
        assert ask(port, "POST", "/prompt", {"question": "x"}, key=ADMIN).status == 200


@given(
    per_minute=st.integers(1, 100),
    pauses=st.lists(st.floats(0, 90, allow_nan=False), max_size=200),
)
def test_no_minute_has_more_than_the_limit_twice_and_a_waiting_client_is_let_in(per_minute, pauses):
    now, admitted = 0.0, []
    rate = Rate(per_minute, clock=lambda: now)
    for pause in pauses:
        now += pause
        try:
            rate.take("a")
            admitted.append(now)
        except Refusal as refusal:
            now += float(refusal.response().headers["retry-after"])
            rate.take("a")
            admitted.append(now)
    for i, start in enumerate(admitted):
        # What was saved up, and what a minute brings.
        assert sum(start <= at < start + 60 for at in admitted[i:]) <= 2 * per_minute


def test_feedback_is_a_line_without_text_unless_it_is_given(tmp_path):
    path = tmp_path / "feedback.jsonl"
    with serving(feedback=path) as port:
        assert ask(port, "POST", "/feedback", {"request": DIGEST, "verdict": "helped"}).status == 201
        said = {"request": DIGEST, "verdict": "corrected", "text": "Use actor.cube."}
        assert ask(port, "POST", "/feedback", said).status == 201
        for wrong in ({"request": "How?", "verdict": "helped"}, {"request": DIGEST, "verdict": "canary"}):
            found = ask(port, "POST", "/feedback", wrong)
            assert found.code == "invalid_request"
            assert b"canary" not in found.raw
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line.get("text") for line in lines] == [None, "Use actor.cube."]
    assert lines[0].keys() == {"kind", "time", "answer", "question", "verdict", "source"}
    with serving() as port:
        assert ask(port, "POST", "/feedback", said).code == "no_feedback"


def test_metrics_can_be_read_by_prometheus():
    from prometheus_client.parser import text_string_to_metric_families

    with FakeChat(lambda _: "canary") as server:
        with serving(model=ft.ChatService(server.url).model("fake")) as port:
            chat(port, "canary")
            chat(port, " ")
            text = ask(port, "GET", "/metrics").raw.decode()
    assert "canary" not in text
    samples = {
        (s.name, *s.labels.values()): s.value
        for family in text_string_to_metric_families(text)
        for s in family.samples
    }
    assert samples["furytune_requests_total", "/v1/chat/completions", "200"] == 1
    assert samples["furytune_requests_total", "/v1/chat/completions", "400"] == 1
    assert samples["furytune_answers_total", "answered"] == 1
    assert samples["furytune_tokens_total", "completion"] == 4
    assert samples["furytune_answers_running",] == 0


def test_no_log_shows_a_text_or_a_key(caplog):
    caplog.set_level(logging.DEBUG, "furytune.serving")
    with FakeChat(lambda _: "canary") as server:
        with serving(model=ft.ChatService(server.url).model("fake"), keys=[HASH], tries=1) as port:
            server.fail(status=500, body={"error": {"message": "canary"}})
            assert chat(port, "canary", key=KEY).status == 502
            assert chat(port, "canary", key=KEY).status == 200
    assert "/v1/chat/completions" in caplog.text
    assert "canary" not in caplog.text
    assert KEY not in caplog.text


@pytest.mark.parametrize(
    "wrong",
    [
        {"keys": [KEY]},
        {"keys": HASH},
        {"earlier": "condense"},
        {"concurrent": 0},
        {"timeout": float("inf")},
        {"timeout": "1"},
        {"max_body": True},
        {"name": ""},
    ],
)
def test_wrong_settings_are_refused_and_not_repeated(wrong):
    with pytest.raises(ConfigError) as caught:
        Settings(**wrong)
    assert KEY not in str(caught.value)
    assert HASH not in str(caught.value)


def test_settings_show_no_hash():
    assert HASH not in repr(Settings(keys=[HASH], admin_keys=[HASH]))


def test_other_machines_need_keys():
    with pytest.raises(ConfigError, match="without keys"):
        serve("absent.json", host="0.0.0.0")
