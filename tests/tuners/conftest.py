"""Keeps the machine's own settings out of the tests."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def _no_machine_settings(monkeypatch):
    for name in list(os.environ):
        if name.startswith(("GOOGLE_", "GEMINI_", "STORAGE_")) and "LIVE" not in name:
            monkeypatch.delenv(name)
