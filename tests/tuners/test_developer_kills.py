"""A submission to the Developer API that is killed between any two steps resumes, and makes one job."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from developer_help import make_dataset
from developer_kills import MOMENTS

from furytune.testing.fake_developer_api import TUNABLE, FakeDeveloperApi


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_killed_submission_makes_one_job_after_a_restart(tmp_path):
    make_dataset(tmp_path)
    script = Path(__file__).parents[1] / "support" / "developer_kills.py"
    with FakeDeveloperApi(tunable=(TUNABLE,)) as api:
        run = subprocess.run(
            [sys.executable, script, api.url, tmp_path],
            check=True,
            capture_output=True,
            text=True,
            timeout=300,
        )
        found = json.loads(run.stdout)
        made = [r.path for r in api.requests if r.method == "POST" and r.path.endswith("/tunedModels")]
        assert api.jobs == len(MOMENTS)
    assert {moment: first for moment, (first, _) in found.items()} == dict.fromkeys(MOMENTS)
    assert [name for _, name in found.values()] == [
        f"tunedModels/furytune{n:032x}" for n in range(len(MOMENTS))
    ]
    # None was asked for twice, for the job of a killed run was found by its id.
    assert len(made) == len(MOMENTS)
