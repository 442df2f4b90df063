"""Checks Google's own Developer API; run with ``-m live`` and a key. It costs nothing."""

from __future__ import annotations

import os

import pytest
from developer_help import KEY, SETTINGS, google

from furytune import Secret
from furytune.errors import TuningUnavailableError
from furytune.models import Call

VARIABLE = "FURYTUNE_LIVE_API_KEY"


@pytest.fixture
def service():
    if not os.environ.get(VARIABLE):
        pytest.skip(f"set {VARIABLE} to a key of the Gemini Developer API")
    return google(api_key=Secret.env(VARIABLE))


@pytest.mark.live
def test_google_tunes_nothing(service):
    with pytest.raises(TuningUnavailableError, match="May 2025"):
        service.ready(SETTINGS)


@pytest.mark.live
def test_a_model_that_does_not_exist_is_not_found(service):
    assert service.find(KEY) == ()


@pytest.mark.live
def test_a_base_model_answers(service):
    fields = {"contents": [{"role": "user", "parts": [{"text": "Say yes."}]}]}
    assert service.generate(Call(target="gemini-3.1-flash-lite", fields=fields))
