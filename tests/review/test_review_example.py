"""The example of the review page: started, visited, and stopped as people do it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from review_world import Client

import furytune as ft

EXAMPLE = Path(__file__).parents[2] / "examples" / "review_pairs.py"


class Printed:
    def __init__(self, url: str) -> None:
        self.url = url


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_the_example_is_started_visited_and_stopped(tmp_path):
    command = [sys.executable, str(EXAMPLE), "--no-browser", "--by", "anna", "--decisions", "review.jsonl"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        try:
            line = process.stdout.readline()
            client = Client(Printed(line.split()[-1])).open()
            uid = client.get("/queue")["items"][0][0]
            assert client.decide(uid, "drop", reason="off topic")[0] == 200
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert "1 decisions are in review.jsonl" in out
    assert "rejected" in out
    assert ft.Decisions(tmp_path / "review.jsonl").of(uid).by == "anna"
