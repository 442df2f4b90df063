"""The fake Discord, one for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from furytune.testing.fake_discord import FakeDiscord


@pytest.fixture
def discord() -> Iterator[FakeDiscord]:
    """A guild with its bot, and nothing else."""
    with FakeDiscord() as service:
        yield service
