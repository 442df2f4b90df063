"""An export that is killed at any moment leaves each file old or new, and never a mix that passes for whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_exports_leave_whole_files_and_mixed_sets_are_refused(tmp_path):
    kills = int(os.environ.get("FURYTUNE_KILLS", "150"))
    script = Path(__file__).with_name("kill_exports.py")
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path), str(kills), "20240501"],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout)
    assert counts["killed"] == kills
    assert counts["whole"] > 0
