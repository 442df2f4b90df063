"""The Developer API backend over real gRPC."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from datetime import UTC, datetime, timedelta

import pytest
from developer_help import API_KEY, KEY, NAME, SETTINGS, backend, make_dataset, submit

from furytune import dialects
from furytune.errors import ServiceError, TuningUnavailableError
from furytune.models.service import Call
from furytune.testing.fake_developer_api import TUNABLE

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


OVER_TLS = """
import sys
from furytune.testing.fake_developer_api import TUNABLE
from furytune.tuners._jobs.service import TuningSettings
from furytune.tuners.gemini._developer.backend import DeveloperBackend

made = DeveloperBackend(api_key=sys.argv[1], endpoint=sys.argv[2], transport="grpc", timeout=20.0)
made.ready(TuningSettings(model=TUNABLE, epochs=1))
print(made.tuned_models(), made.find("0" * 32))
"""


def test_a_key_goes_over_tls(tmp_path):
    # gRPC reads its trusted roots once in a process, hence another one.
    private, certificate = _certificate()
    (tmp_path / "roots.pem").write_bytes(certificate)
    with GrpcApi(tls=(private, certificate), tunable=(TUNABLE,)) as api:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", OVER_TLS, API_KEY, api.url],
            env={**os.environ, "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(tmp_path / "roots.pem")},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.stdout.strip(), done.returncode) == ("() ()", 0), done.stderr
        assert [m["x-goog-api-key"] for m in api.metadata] == [API_KEY] * 3


def _certificate():
    """Returns a private key and a certificate of localhost, both PEM."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private, made.public_bytes(serialization.Encoding.PEM)


def test_todays_service_over_grpc():
    with GrpcApi() as api, pytest.raises(TuningUnavailableError, match="May 2025"):
        backend(api, transport="grpc").ready(SETTINGS)


def test_a_grpc_port_without_a_server_is_an_error():
    with GrpcApi() as api:
        made = backend(api, transport="grpc", timeout=2.0)
    with pytest.raises(ServiceError) as caught:
        made.find(KEY)
    assert caught.value.transient
