"""Keeps the machine's own settings out of the tests."""

from __future__ import annotations

import os
import ssl

import pytest


@pytest.fixture(autouse=True)
def _no_machine_settings(monkeypatch):
    for name in list(os.environ):
        if name.startswith(("GOOGLE_", "GEMINI_", "STORAGE_")) and "LIVE" not in name:
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _no_certificates(monkeypatch, request):
    """The services are on this machine and use no TLS, and each client would load all certificates of the web."""
    if "live" not in request.keywords:
        monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda *_args, **_kwargs: None)
