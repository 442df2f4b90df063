"""Gives each test its own fake Discord."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from furytune.testing.fake_discord import FakeDiscord


@pytest.fixture
def discord() -> Iterator[FakeDiscord]:
    """A server with its bot, and nothing else."""
    with FakeDiscord() as service:
        yield service
