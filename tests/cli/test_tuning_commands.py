"""From a settings file to a tuned model, without Python: estimate, tune, jobs, resume."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from commands import command

from furytune.testing.fake_vertex import FakeVertex

PAIRS = "question,answer\n" + "".join(f"How do I do {n}?,Call `do({n})`.\n" for n in range(40))


class Tokens(BaseHTTPRequestHandler):
    """Gives a token for any signed request, as Google's address for service accounts does."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        body = json.dumps({"access_token": "rehearsal", "expires_in": 3600, "token_type": "Bearer"}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def account(tmp_path):
    """The file of a service account, which the machine's own credentials are read from."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    server = ThreadingHTTPServer(("127.0.0.1", 0), Tokens)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    content = {
        "type": "service_account",
        "client_email": "rehearsal@example.invalid",
        "private_key": key.decode(),
        "token_uri": f"http://127.0.0.1:{server.server_port}/token",
    }
    path = tmp_path / "account.json"
    path.write_text(json.dumps(content))
    yield {"GOOGLE_APPLICATION_CREDENTIALS": str(path)}
    server.shutdown()
    server.server_close()


def project(folder: Path, endpoint: str) -> None:
    (folder / "pairs.csv").write_text(PAIRS, encoding="utf-8")
    (folder / "furytune.toml").write_text(
        f"""
collector = {{type = "csv", path = "pairs.csv"}}
exporter = {{type = "jsonl", path = "train.jsonl"}}
[tuner]
type = "gemini"
model = "gemini-3.1-flash-lite"
project = "fury"
bucket = "gs://fury-tuning"
max_cost = 5.0
endpoint = "{endpoint}"
""",
        encoding="utf-8",
    )


def test_a_job_is_estimated_started_once_listed_and_followed(tmp_path, account) -> None:
    with FakeVertex(states=["JOB_STATE_SUCCEEDED"]) as service:
        project(tmp_path, service.url)
        assert command(tmp_path, "estimate", **account).returncode == 5, "there is no data set yet"
        assert command(tmp_path, "build", **account).returncode == 0
        estimate = json.loads(command(tmp_path, "estimate", "--json", **account).stdout)
        assert estimate["problems"] == []
        assert estimate["cost"] < 5
        assert not service.requests, "nothing is sent before someone agrees"

        refused = command(tmp_path, "tune", **account)
        assert refused.returncode == 2
        assert "--yes" in refused.stderr
        assert not service.requests

        started = command(tmp_path, "tune", "--yes", "--json", **account)
        assert started.returncode == 0, started.stderr
        name = json.loads(started.stdout)["name"]
        again = command(tmp_path, "run", "--yes", **account)
        assert again.returncode == 0, again.stderr
        assert len(service.service.jobs) == 1, "one data set makes one job, however often it is asked for"
        assert name in command(tmp_path, "jobs", **account).stdout

        done = command(tmp_path, "resume", **account)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(f"succeeded  {name}")
        assert command(tmp_path, "jobs", **account).stdout.startswith("succeeded")


def test_a_rehearsal_needs_no_account_and_leaves_nothing(tmp_path) -> None:
    project(tmp_path, "")
    assert command(tmp_path, "build").returncode == 0
    done = command(tmp_path, "tune", "--rehearse")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("succeeded  projects/fury/")
    assert "requests to this machine" in done.stderr
    assert not (tmp_path / "tuning-jobs").exists()
    assert "No job was started" in command(tmp_path, "jobs").stderr


def test_a_job_that_failed_is_told_by_the_exit_code(tmp_path, account) -> None:
    with FakeVertex(states=["JOB_STATE_FAILED"]) as service:
        project(tmp_path, service.url)
        assert command(tmp_path, "build", **account).returncode == 0
        done = command(tmp_path, "tune", "--yes", "--wait", **account)
        assert done.returncode == 6
        assert done.stdout.startswith("failed")


def test_a_limit_stops_before_anything_is_sent(tmp_path, account) -> None:
    with FakeVertex() as service:
        project(tmp_path, service.url)
        command(tmp_path, "build", **account)
        done = command(tmp_path, "tune", "--yes", "--set", "tuner.max_cost=0.0000001", **account)
        assert done.returncode == 6
        assert not service.requests
