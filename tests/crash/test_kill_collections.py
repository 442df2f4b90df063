"""A collection that is killed at any moment goes on to what an uninterrupted one writes, byte for byte."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("discord")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_collections_go_on_to_the_same_journal_and_the_same_pairs(tmp_path):
    kills = int(os.environ.get("FURYTUNE_KILLS", "150"))
    script = Path(__file__).with_name("kill_collections.py")
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path), str(kills), "20240501"],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)
    assert counts["total"]["killed"] == kills
    assert all(phase["finished"] for phase in counts.values())
