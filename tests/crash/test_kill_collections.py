"""A collection that is killed at any moment goes on to what an uninterrupted one writes, byte for byte."""

from __future__ import annotations

import os

import pytest
from killing import killed

pytest.importorskip("discord")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_collections_go_on_to_the_same_journal_and_the_same_pairs(tmp_path):
    kills, counts = killed("kill_collections.py", tmp_path)
    assert counts["total"]["killed"] == kills
    assert all(phase["finished"] for phase in counts.values())
