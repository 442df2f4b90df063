"""What a settings file says about a program that answers: read, written, replaced by options, and examined."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from test_settings_round_trip import made, names, without_secrets

import furytune as ft
from furytune import serving
from furytune.cli import deploying
from furytune.cli.serving import serve
from furytune.config import (
    Serve,
    deployment_health,
    deployment_to_toml,
    load_deployment,
    load_settings,
    schema,
)
from furytune.config.deployments import ContractModel, Deployment
from furytune.config.health import examine
from furytune.config.tables import TABLES
from furytune.errors import ConfigError
from furytune.testing.fake_chat import FakeChat

KEY = ft.Secret.env("MODEL_KEY")
CHAT = ft.ChatService("http://127.0.0.1:1/v1", api_key=KEY, timeout=3).model("m", temperature=0.0)
GEMINI = ft.GeminiTuner("gemini-3.1-flash-lite", project="p").base_model(temperature=0.0)
LATER = ContractModel(type="chat", given={"endpoint": "http://127.0.0.1:1/v1", "api_key": KEY, "timeout": 3})
TUNED = ContractModel(type="gemini", given={"temperature": 0.5})
COLLECTOR = '[collector]\ntype = "csv"\npath = "x.csv"\n'

deployments = st.builds(
    Deployment,
    contract=st.builds(Path, names),
    model=st.sampled_from([None, CHAT, GEMINI, LATER, TUNED]),
    table=st.one_of(*[made(kind, "") for kind in TABLES.values()]),
)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(text: str, path: str = "furytune.toml") -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")


def bare(deployment):
    model = deployment.model
    if isinstance(model, ContractModel):
        model = model.type, sorted((name, without_secrets(value)) for name, value in model.given.items())
    return deployment.contract, without_secrets(model), deployment.table


@pytest.fixture(scope="module")
def validator():
    return Draft202012Validator(json.loads(json.dumps(schema())))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deployments)
def test_a_deployment_is_the_same_after_writing_and_reading_it(validator, deployment) -> None:
    text = deployment_to_toml(deployment)
    Path("furytune.toml").write_text(text, encoding="utf-8", newline="")
    read = load_deployment(type(deployment.table), environment={})
    assert bare(read) == bare(deployment)
    assert deployment_to_toml(read) == text
    assert not [*validator.iter_errors(tomllib.loads(text))]


def test_the_table_has_every_setting_of_the_endpoint_and_describes_it() -> None:
    properties = schema()["properties"]["serve"]["properties"]
    assert {one.name for one in attrs.fields(serving.Settings)} <= properties.keys()
    assert all(one["description"] for one in properties.values())


def test_a_file_may_hold_pipeline_and_deployment_or_either(validator) -> None:
    both = COLLECTOR + '[serve]\nport = 9\n[model]\ntype = "chat"\nendpoint = "http://127.0.0.1:1/v1"\n'
    write(both)
    assert load_deployment(Serve, environment={}).table.port == 9
    assert load_settings(environment={}).pipeline.collector
    assert not [*validator.iter_errors(tomllib.loads(both))]
    assert not [*validator.iter_errors(tomllib.loads("[serve]\nport = 9\n"))]


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        ("[serve]\nprot = 9", ":2: serve.prot", "did you mean 'port'"),
        ("[serve]\nport = 65536", ":2: serve.port", "from 0 to 65535"),
        ('[serve]\nport = "9"', ":2: serve.port", "a whole number"),
        ('[serve]\nearlier = "refused"', ":2: serve.earlier", "did you mean 'refuse'"),
        ('[serve]\nkeys = ["ft-hush"]', ":2: serve.keys", "never a key itself"),
        ("serve = 3", ":1: serve", "must be a table"),
        ("[server]", ":1: server", "did you mean 'serve'"),
        ('[model]\nname = "m"', ":1: model", "type is missing"),
        ('[model]\ntype = "chat"', ":1: model", "endpoint is missing"),
        ('[model]\ntype = "chat"\nendpoint = "http://model/v1"', ":3: model.endpoint", "https"),
        ('[model]\ntype = "chat"\nendpoint = "http://127.0.0.1/v1"\napi_key = "ft-hush"', ":4: model.api_key", "must not be"),
        ('[model]\ntype = "gemini"\nproject = "p"', ":3: model.project", "leave it out"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line_and_without_the_secret(text, place, problem) -> None:
    write(text)
    with pytest.raises(ConfigError, match=problem) as caught:
        load_deployment(Serve, environment={})
    assert str(caught.value).startswith(f"furytune.toml{place}")
    assert "hush" not in str(caught.value)
    if "//model/" not in text:  # a run does not make the model
        write(COLLECTOR + text if text.startswith("[") else text + "\n" + COLLECTOR)
        with pytest.raises(ConfigError, match=problem):
            load_settings(environment={})


def test_a_model_without_a_name_is_the_one_that_the_contract_names(folder) -> None:
    write('[model]\ntype = "chat"\nendpoint = "http://127.0.0.1:1/v1"\ntimeout = 3\n')
    model = load_deployment(Serve, environment={}).model
    assert model(saved(folder, "one")).spec["name"] == "one"
    assert model(saved(folder, "two")).spec["name"] == "two"
    with pytest.raises(ConfigError, match="names no model"):
        model(saved(folder, ""))


def test_a_tuned_gemini_model_is_the_one_that_the_contract_names(folder) -> None:
    pytest.importorskip("google.genai")
    write('[model]\ntype = "gemini"\ntemperature = 0.5\n')
    endpoint = "projects/p/locations/us-central1/endpoints/7"
    template = ft.PromptTemplate("Question:\n{question}")
    contract = ft.PromptContract(
        template=template,
        augmenter=ft.IdentityAugmenter(),
        dialects=("gemini",),
        model=ft.contract.ModelName(name=endpoint),
    )
    model = load_deployment(Serve, environment={}).model(contract)
    assert (model.target, model.temperature) == (endpoint, 0.5)


def test_options_replace_variables_which_replace_the_file(monkeypatch) -> None:
    write(
        'contract = "a.json"\n[serve]\nport = 1\nname = "file"\nfootnotes = true\naudit = "audit.jsonl"\n'
        '[model]\ntype = "chat"\nendpoint = "http://127.0.0.1:1/v1"\nname = "m"\napi_key = {env = "FILES_KEY"}\n',
        "there/furytune.toml",
    )
    monkeypatch.setenv("FURYTUNE_SERVE__PORT", "2")
    monkeypatch.setenv("FURYTUNE_SERVE__NAME", "variable")
    Path("b.json").touch()
    found = []
    monkeypatch.setattr(serving, "serve", lambda contract, **given: found.append((contract, given)))
    runner = CliRunner()
    config = ["-c", "there/furytune.toml"]
    assert runner.invoke(serve, config).exit_code == 0
    changed = [
        "b.json",
        *config,
        "--port",
        "3",
        "--set",
        "serve.tries=5",
        "--no-footnotes",
        "--audit",
        "x.jsonl",
    ]
    assert (
        runner.invoke(serve, [*changed, "--endpoint", "http://127.0.0.1:2/v1", "--model", "n"]).exit_code == 0
    )
    (contract, first), (other, second) = found
    assert (contract, other) == (Path("there/a.json"), Path("b.json").absolute())
    assert (first["port"], second["port"]) == (2, 3)
    assert first["settings"].name == second["settings"].name == "variable"
    assert first["settings"].audit == Path("there/audit.jsonl")
    assert second["settings"].audit == Path("x.jsonl").absolute()
    assert (second["settings"].tries, second["settings"].footnotes) == (5, False)
    assert (first["model"].spec["name"], second["model"].spec["name"]) == ("m", "n")
    # Another server does not get the key of the file.
    assert first["model"]._backend.api_key.place == {"env": "FILES_KEY"}
    assert second["model"]._backend.api_key is None


def test_a_model_without_a_server_is_refused_by_its_option(folder) -> None:
    saved(folder, "")
    done = CliRunner().invoke(serve, ["furytune.contract.json", "--model", "m"])
    assert isinstance(done.exception, ConfigError)
    assert str(done.exception).startswith("--model: model.name: there is no model")
    assert "give --endpoint" in str(done.exception)


def test_every_option_has_a_key_of_its_own() -> None:
    """So that the file can say all that the command line can."""
    known = {one.name for one in attrs.fields(Serve)} | {*deploying._MODEL}
    own = {"contract", "config", "changes", "new_key", "help"}
    assert {option.name for option in serve.params} - own <= known


@pytest.mark.parametrize(
    ("text", "problem"), [("", "empty"), ("ft-hush", "never a key itself"), (None, "cannot be read")]
)
def test_a_file_with_keys_holds_hashes_alone(text, problem) -> None:
    if text is not None:
        write(text, "keys")
    with pytest.raises(ConfigError, match=problem) as caught:
        Serve(keys_file="keys").settings()
    assert "hush" not in str(caught.value)
    one, two = serving.new_key()[1], serving.new_key()[1]
    write(f"{one}\n", "keys")
    assert Serve(keys_file="keys", keys=[two]).settings().keys == (two, one)


def saved(folder: Path, model: str) -> ft.PromptContract:
    contract = ft.PromptContract(
        template=ft.PromptTemplate("Question:\n{question}"),
        augmenter=ft.IdentityAugmenter(),
        dialects=("openai",),
        model=ft.contract.ModelName(name=model) if model else None,
    )
    contract.save(folder / "furytune.contract.json")
    return contract


def found(state: str) -> dict[str, str]:
    return {one.subject: one.said for one in examine("furytune.toml") if one.state == state}


def test_the_doctor_finds_nothing_wrong_with_a_sound_deployment(folder, monkeypatch) -> None:
    saved(folder, "fake")
    monkeypatch.setenv("MODEL_KEY", "hush")
    with FakeChat(str.upper, key="hush") as server:
        write(
            f'[serve]\nport = {free()}\nkeys_file = "keys"\naudit = "audit.jsonl"\n'
            f'[model]\ntype = "chat"\nendpoint = "{server.url}"\napi_key = {{env = "MODEL_KEY"}}\n'
        )
        write(serving.new_key()[1], "keys")
        Path("keys").chmod(0o600)
        well = found("ok")
        assert {"contract to serve", "keys", "port", "audit", "secret", "extra serve"} <= well.keys()
        assert well["model"].endswith("answers, and has fake")
        assert [one.line for one in server.requests] == ["GET /v1/models"]
        assert found("problem") == {}
        assert "hush" not in str(examine("furytune.toml"))
        saved(folder, "other")
        assert "has no model 'other'; it has fake" in found("problem")["model"]
        monkeypatch.setenv("MODEL_KEY", "wrong")
        assert "refuses the key" in found("problem")["model"]


def test_the_doctor_finds_what_would_keep_a_deployment_from_answering(folder, monkeypatch) -> None:
    monkeypatch.setattr(deployment_health, "_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as taken:  # a program that never answers
        port = taken.getsockname()[1]
        write(
            f'[serve]\nhost = "127.0.0.1"\nport = {port}\nkeys_file = "keys"\n'
            f'[model]\ntype = "chat"\nname = "m"\nendpoint = "http://127.0.0.1:{free()}/v1"\n'
        )
        problems = found("problem")
        assert problems.keys() == {"contract to serve", "keys", "model", "port"}
        assert "does not answer" in problems["model"]
    write('[serve]\nhost = "0.0.0.0"\nport = 0\n')
    saved(folder, "")
    assert "everyone who reaches 0.0.0.0" in found("problem")["keys"]
    write("[serve]\nport = 0\n")
    assert found("problem") == {}
    assert {"keys", "model"} <= found("note").keys()


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such permissions")
def test_the_doctor_says_that_others_can_read_the_keys(folder) -> None:
    saved(folder, "")
    write('[serve]\nport = 0\nkeys_file = "keys"\n')
    write(serving.new_key()[1], "keys")
    Path("keys").chmod(0o644)
    assert "chmod 600" in found("note")["keys"]


def test_a_port_that_furytune_uses_already_is_not_a_problem(folder) -> None:
    saved(folder, "")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        script = (
            "import sys, uvicorn; from furytune.serving import app; "
            "uvicorn.run(app('furytune.contract.json'), fd=int(sys.argv[1]), log_level='warning')"
        )
        command = [sys.executable, "-c", script, str(listener.fileno())]
        with subprocess.Popen(command, pass_fds=[listener.fileno()]) as process:
            try:
                write(f"[serve]\nport = {port}\n")
                assert "answers here already" in found("ok")["port"]
            finally:
                process.terminate()


def free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
