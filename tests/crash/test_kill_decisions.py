"""A reviewer's process that is killed loses no confirmed decision, and stands in no one's way."""

from __future__ import annotations

import os

import pytest
from killing import killed


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_no_confirmed_decision_is_lost_when_reviewers_are_killed(tmp_path):
    kills, counts = killed("kill_decisions.py", tmp_path, most=60)
    assert counts["killed"] == kills
    assert counts["confirmed"] > kills
    assert counts["erased"] > 0
