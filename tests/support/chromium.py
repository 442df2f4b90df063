"""Finds a Chromium on this machine: what people see is tested in a real browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

__all__ = ["browser", "opened"]

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@contextmanager
def browser() -> Iterator[Any]:
    """Starts a headless Chromium, or skips the test where there is none."""
    path = os.environ.get("FURYTUNE_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        pytest.skip(
            "no Chromium: install one (apt-get install chromium), or set FURYTUNE_CHROMIUM to its path"
        )
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        # Chromium's own sandbox does not work for root, as whom containers run.
        found = play.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield found
        found.close()


@contextmanager
def opened(
    chromium: Any, file: Path, *, width: int = 1280, theme: str = "light", **options: Any
) -> Iterator[Any]:
    """Opens a file, and fails if the page says anything on the console or asks for anything else."""
    said: list[str] = []
    page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=theme, **options)
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: (said.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.on("request", lambda request: said.append(request.url) if request.url != file.as_uri() else None)
    try:
        page.goto(file.as_uri())
        yield page
        assert said == ["data:,"] * said.count("data:,")  # the empty icon, which is in the page
    finally:
        page.close()
