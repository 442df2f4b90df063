"""Lets waits for a platform pass at once."""

from __future__ import annotations

import pytest

from furytune._forums import waiting


@pytest.fixture
def slept(monkeypatch) -> list[float]:
    """The seconds that were waited for, which pass at once."""
    waits: list[float] = []
    monkeypatch.setattr(waiting.time, "sleep", waits.append)
    return waits
