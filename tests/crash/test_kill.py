"""An export that is killed at any moment leaves old or new files, and never a mix that looks complete."""

from __future__ import annotations

import os

import pytest
from killing import killed


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_exports_leave_whole_files_and_a_mix_is_refused(tmp_path):
    kills, counts = killed("kill_exports.py", tmp_path)
    assert counts["killed"] == kills
    assert counts["whole"] > 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_runs_start_one_job_and_killed_builds_leave_a_whole_index(tmp_path):
    for name in ("discord", "lancedb", "google.genai"):
        pytest.importorskip(name)
    kills, counts = killed("kill_jobs_and_indexes.py", tmp_path, most=40)
    assert counts["killed"] == kills
    assert counts["tuning"]["jobs"] > 0
