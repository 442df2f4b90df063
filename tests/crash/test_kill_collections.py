"""A collection that is killed at any moment resumes, and ends with the bytes of an uninterrupted one."""

from __future__ import annotations

import os

import pytest
from killing import killed

pytest.importorskip("discord")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_collections_resume_to_the_same_journal_and_pairs(tmp_path):
    kills, counts = killed("kill_collections.py", tmp_path, most=24)
    assert counts["total"]["killed"] == kills
    assert all(phase["finished"] for phase in counts.values())
