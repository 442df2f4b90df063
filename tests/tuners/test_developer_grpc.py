"""The Developer API backend over real gRPC."""

from __future__ import annotations

import sys
import warnings

import pytest
from developer_help import API_KEY, KEY, NAME, SETTINGS, backend, make_dataset, submit

from furytune import dialects
from furytune.errors import ServiceError, TuningUnavailableError
from furytune.testing.fake_developer_api import TUNABLE
from furytune.tuners.gemini._backend import Call

with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)
    from developer_grpc import GrpcApi

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="only Linux and macOS were tried")


def test_a_job_over_grpc(tmp_path):
    dataset, contract = make_dataset(tmp_path)
    with GrpcApi(tunable=(TUNABLE,), polls=2) as api:
        made = backend(api, transport="grpc")
        made.ready(SETTINGS)
        assert made.find(KEY) == ()
        assert submit(made, dataset) == submit(made, dataset) == NAME
        seen = [made.snapshot(NAME) for _ in range(2)]
        assert [s.state for s in seen][-1] == "succeeded"
        assert seen[-1].endpoint == NAME
        assert seen[-1].fingerprint == dataset.fingerprint
        assert seen[-1].losses
        assert made.share(NAME, "everyone", "reader") == made.share(NAME, "everyone", "reader")
        prompt = contract.prompt("how 3?")
        call = Call(target=NAME, fields=dialects.get("gemini-developer").request(prompt))
        assert made.generate(call) == "do 3"
        assert "".join(made.stream(call)) == "do 3"
        assert made.tuned_models() == (NAME,)
        made.delete(NAME, NAME)
        assert made.find(KEY) == ()
        assert api.service.created == 1
        assert {m["x-goog-api-key"] for m in api.metadata} == {API_KEY}
        sent = api.metadata[api.calls.index("GenerateContent")]["x-goog-request-params"]
        assert sent == f"model={NAME}"


@pytest.mark.parametrize("status", [429, 500, 503, 504])
def test_refusals_over_grpc_are_one_request(tmp_path, status):
    dataset, _ = make_dataset(tmp_path)
    with GrpcApi(tunable=(TUNABLE,)) as api:
        made = backend(api, transport="grpc")
        for method, act in (
            ("CreateTunedModel", lambda: submit(made, dataset)),
            ("ListOperations", lambda: made.snapshot(NAME)),
        ):
            api.faults[method] = [status]
            with pytest.raises(ServiceError) as caught:
                act()
            assert (caught.value.code, caught.value.transient) == (status, True)
            assert caught.value.__context__ is None
        assert api.calls == ["CreateTunedModel", "ListOperations"]


def test_todays_service_over_grpc():
    with GrpcApi() as api, pytest.raises(TuningUnavailableError, match="May 2025"):
        backend(api, transport="grpc").ready(SETTINGS)


def test_nobody_listens_on_grpc():
    with GrpcApi() as api:
        made = backend(api, transport="grpc", timeout=2.0)
    with pytest.raises(ServiceError) as caught:
        made.find(KEY)
    assert caught.value.transient
