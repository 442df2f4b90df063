"""A review page that is killed while it saves has lost nothing that it had shown as saved."""

from __future__ import annotations

import os

import pytest
from killing import killed


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_no_decision_that_was_shown_as_saved_is_lost(tmp_path):
    kills, counts = killed("kill_reviews.py", tmp_path, most=25)
    assert counts["killed"] == kills
    assert counts["confirmed"] > kills
