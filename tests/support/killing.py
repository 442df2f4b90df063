"""Starts a script that kills its own work, and says what it counted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def killed(name, folder, most=150):
    """Runs a script of this folder; returns how many kills were asked for, and its counts."""
    kills = int(os.environ.get("FURYTUNE_KILLS", str(most)))
    script = Path(__file__).with_name(name)
    done = subprocess.run(
        [sys.executable, str(script), str(folder), str(kills), "20240501"],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return kills, json.loads(done.stdout)
