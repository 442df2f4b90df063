"""The files for servers name what exists, keep what they promise, and pass the tools that are installed here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import attrs
import pytest
import yaml
from click.testing import CliRunner

from furytune import serving
from furytune.answering import note
from furytune.cli.main import _COMMANDS, commands
from furytune.config import Serve, load_deployment, schema
from furytune.config.arguments import arguments
from furytune.config.tables import TABLES
from furytune.models.chat import chat_model

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILES = [DEPLOY / "Dockerfile", DEPLOY / "space" / "Dockerfile"]
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
SETTINGS = [DEPLOY / "furytune.toml", DEPLOY / "space" / "furytune.toml"]
FILES = [
    path
    for path in [*DEPLOY.rglob("*"), ROOT / "docs" / "deploying.md"]
    if path.is_file() and not {"site", "state", "secrets", "models"} & set(path.relative_to(ROOT).parts)
]
VARIABLE = re.compile(r"\bFURYTUNE_([A-Z]+)__([A-Z]+(?:_[A-Z]+)*)")


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def one_compose(name: str) -> dict:
    """A compose file with the defaults of its variables."""
    return yaml.safe_load(re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", (DEPLOY / name).read_text(encoding="utf-8")))


def compose() -> dict:
    """The compose files together."""
    found: dict = {}
    for name in ("compose.yaml", "compose.bot.yaml"):
        for key, value in one_compose(name).items():
            found[key] = found.get(key, {}) | value if isinstance(value, dict) else value
    return found


def instructions(path: Path) -> list[list[tuple[str, str]]]:
    """The instructions of each stage of a Dockerfile."""
    text = re.sub(r"(?m)^\s*#.*\n", "", path.read_text(encoding="utf-8")).replace("\\\n", " ")
    stages: list[list[tuple[str, str]]] = [[]]
    for line in filter(None, map(str.strip, text.splitlines())):
        name, _, rest = line.partition(" ")
        if name == "FROM":
            stages.append([])
        stages[-1].append((name, " ".join(rest.split())))
    return stages


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_command_option_and_setting_exists(path) -> None:
    text = path.read_text(encoding="utf-8")
    coming = "bot" not in _COMMANDS
    for table, key in VARIABLE.findall(text):
        name = table.lower()
        if name == "bot" and coming:
            continue
        known = arguments(chat_model if name == "model" else TABLES[name])
        assert key.lower() in known, f"{path.name}: FURYTUNE_{table}__{key}"
    for line in re.findall(r"(?m)^[^#\n]*\bfurytune(?= [a-z])(?! bot for) [^\n]*", text.replace("\\\n", " ")):
        for found in re.finditer(r"\bfurytune ([a-z]+)\b((?:[^`|&;#]|`(?=`))*)", line):
            command = found[1]
            if command == "bot" and coming:
                continue
            if command in _COMMANDS:
                known = {o for p in commands.get_command(None, command).params for o in p.opts}
                assert set(re.findall(r"(?<!\S)--?[a-z][a-z-]*", found[2])) <= known | {"--help"}, line


def test_the_commands_of_containers_and_units_exist() -> None:
    run = {"serve"}
    run |= {
        service["command"][0]
        for service in compose()["services"].values()
        if service.get("image", "").startswith("furytune") and "command" in service
    }
    for unit in UNITS:
        run |= set(re.findall(r"(?m)^ExecStart=\S+/furytune (\w+)", unit.read_text(encoding="utf-8")))
    assert run == {"serve", "bot"}
    missing = run - _COMMANDS.keys()
    if missing == {"bot"}:
        pytest.skip("`furytune bot` is not there yet")
    assert not missing


@pytest.mark.parametrize("path", SETTINGS, ids=lambda path: path.parent.name)
def test_the_settings_can_be_used(path, monkeypatch) -> None:
    from jsonschema import Draft202012Validator

    found = load_deployment(Serve, path, environment={})
    assert found.contract == path.parent / found.contract.name
    assert not [*Draft202012Validator(schema()).iter_errors(tomllib.loads(path.read_text(encoding="utf-8")))]
    assert not re.search(r"(?i)ft-[\w-]{20}|hf_\w{10}", path.read_text(encoding="utf-8"))


def test_the_settings_of_a_container_make_an_endpoint_with_keys(tmp_path) -> None:
    """What compose sets besides the file can be used together with it."""
    environment = compose()["services"]["endpoint"]["environment"]
    for name in ("keys", "admin-keys"):
        (tmp_path / name).write_text(serving.new_key()[1], encoding="utf-8")
    given = {name: value.replace("/run/secrets", str(tmp_path)) for name, value in environment.items()}
    table = load_deployment(Serve, SETTINGS[0], environment=given).table
    assert (table.host, len(table.settings().keys), len(table.settings().admin_keys)) == ("0.0.0.0", 1, 1)
    assert table.audit == Path("/var/lib/furytune/audit.jsonl")


def test_the_settings_of_the_unit_make_an_endpoint_with_keys(tmp_path) -> None:
    text = (DEPLOY / "systemd" / "furytune-serve.service").read_text(encoding="utf-8")
    for name in re.findall(r"(?m)^LoadCredential=([\w-]+):", text):
        (tmp_path / name).write_text(serving.new_key()[1], encoding="utf-8")
    given = dict(
        re.findall(r"(?m)^#?Environment='?(FURYTUNE_\w+)=(.*?)'?$", text.replace("%d", str(tmp_path)))
    )
    (tmp_path / "model-key").write_text("hush", encoding="utf-8")
    found = load_deployment(Serve, SETTINGS[0], environment=given)
    assert len(found.table.settings().keys) == len(found.table.settings().admin_keys) == 1
    assert found.model._backend.api_key.reveal() == "hush"


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.parent.name)
def test_images_are_pinned_and_run_without_privileges(path) -> None:
    defaults, *stages = instructions(path)
    args = dict(rest.split("=", 1) for name, rest in defaults if name == "ARG")
    for stage in stages:
        base = stage[0][1].split(" AS ")[0]
        base = args.get(base.strip("${}"), base)
        assert re.search(r":\d", base), f"{base} needs a tag with a version"
    last = dict(stages[-1])
    user = last["USER"].partition(":")[0]
    assert user.isdecimal()
    assert int(user) >= 1000
    assert not [rest for _, rest in stages[-1] if "apt-get" in rest or "curl" in rest]


def test_the_image_has_a_health_check_at_a_route_that_needs_no_key() -> None:
    last = dict(instructions(DOCKERFILES[0])[-1])
    assert f"127.0.0.1:{last['EXPOSE']}/healthz" in last["HEALTHCHECK"]
    assert int(last["EXPOSE"]) == attrs.fields_dict(Serve)["port"].default


def test_the_context_of_the_image_holds_what_a_wheel_is_made_from_and_nothing_else() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").split("\n")
    taken = {line[1:] for line in lines if line.startswith("!")}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "*" in lines
    assert taken == {"src", "pyproject.toml", "constraints.txt", project["readme"], *project["license-files"]}


def test_only_the_proxy_of_compose_can_be_reached_and_nothing_is_privileged() -> None:
    found = compose()
    plain = one_compose("compose.yaml")
    assert plain["networks"]["inside"]["internal"] is True
    for name, service in (plain["services"] | {"bot": found["services"]["bot"]}).items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["mem_limit"], name
        assert service["pids_limit"], name
        assert (name == "proxy") == ("ports" in service) == ("outside" in service.get("networks", ())), name
    assert plain["services"]["endpoint"]["network_mode"] == "service:model"
    assert set(found["services"]["bot"]["secrets"]) <= found["secrets"].keys()
    for service in found["services"].values():
        for name, value in service.get("environment", {}).items():
            assert "TOKEN" not in name or value.startswith("{file"), name


def test_compose_files_fit_the_specification() -> None:
    known = pytest.importorskip("compose_spec", reason="the package compose-spec is not installed")
    found = compose()
    # The second file says about the model only what it changes.
    found["services"]["model"] = found["services"]["model"] | {"image": "model:1"}
    known.PyCompose.from_yaml(yaml.safe_dump(found)).validate()


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.parent.name)
def test_hadolint_finds_nothing(path) -> None:
    done = subprocess.run([tool("hadolint"), path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_systemd_accepts_the_units_and_finds_them_closed(unit, tmp_path) -> None:
    analyze = tool("systemd-analyze")
    copy = tmp_path / unit.name
    text = unit.read_text(encoding="utf-8")
    assert "ExecReload=/bin/kill -HUP $MAINPID" in text
    copy.write_text(text.replace("/opt/furytune/bin/furytune", shutil.which("true") or ""), encoding="utf-8")
    verified = subprocess.run([analyze, "verify", copy], capture_output=True, text=True, check=False)
    assert (verified.returncode, verified.stderr) == (0, "")
    # 10 is open to everything, and 0 closed.
    judged = subprocess.run(
        [analyze, "security", "--offline=true", "--threshold=15", copy],
        capture_output=True,
        text=True,
        check=False,
    )
    if "unrecognized option" in judged.stderr:
        pytest.skip("this systemd cannot judge files")
    assert judged.returncode == 0, judged.stdout[-300:]


@pytest.mark.skipif(sys.platform != "linux", reason="logrotate is a program of Linux")
def test_the_audit_log_is_rotated_while_a_server_writes_it(tmp_path) -> None:
    logrotate = tool("logrotate")
    state, log = tmp_path / "state", tmp_path / "furytune" / "audit.jsonl"
    log.parent.mkdir(mode=0o700)
    text = (DEPLOY / "logrotate.conf").read_text(encoding="utf-8")
    conf = tmp_path / "conf"
    conf.write_text(text.replace("/var/lib/private", str(tmp_path)), encoding="utf-8")
    conf.chmod(0o600)
    note(log, {"line": 1})
    subprocess.run([logrotate, "--force", "--state", state, conf], check=True, capture_output=True)
    note(log, {"line": 2})
    import gzip

    (old,) = log.parent.glob("audit.jsonl-*.gz")
    assert gzip.decompress(old.read_bytes()) == b'{"line":1}\n'
    assert log.read_bytes() == b'{"line":2}\n'


def front_matter() -> dict:
    return yaml.safe_load((DEPLOY / "space" / "README.md").read_text(encoding="utf-8").split("---")[1])


def test_the_space_listens_where_the_hub_looks() -> None:
    front = front_matter()
    port = load_deployment(Serve, SETTINGS[1], environment={}).table.port
    assert front["sdk"] == "docker"
    assert front["app_port"] == port == int(dict(instructions(DOCKERFILES[1])[-1])["EXPOSE"])
    assert len(front["short_description"]) <= 60


@pytest.mark.skipif(os.name != "posix", reason="a script of the shell")
@pytest.mark.parametrize("knowledge", ["", "fury/bot-knowledge"])
def test_the_space_serves_what_is_baked_in_or_downloaded(tmp_path, knowledge) -> None:
    for name in ("furytune", "hf"):
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\necho {name} "$@"\n', encoding="utf-8")
        program.chmod(0o755)
    done = subprocess.run(
        ["sh", DEPLOY / "space" / "start.sh"],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "KNOWLEDGE": knowledge},
        capture_output=True,
        text=True,
        check=True,
    )
    served = "furytune serve --config /app/furytune.toml {}/bot.contract.json"
    if knowledge:
        assert done.stdout.splitlines() == [
            "hf download fury/bot-knowledge --repo-type dataset --revision main --local-dir /tmp/knowledge",
            served.format("/tmp/knowledge"),
        ]
    else:
        assert done.stdout.splitlines() == [served.format("/app/knowledge")]


def test_the_space_takes_hashes_of_keys_from_a_variable() -> None:
    hashed = serving.new_key()[1]
    table = load_deployment(Serve, SETTINGS[1], environment={"FURYTUNE_SERVE__KEYS": f'["{hashed}"]'}).table
    assert table.settings().keys == (hashed,)


def test_the_proxy_passes_routes_that_exist_and_not_those_of_the_operator() -> None:
    text = (DEPLOY / "Caddyfile").read_text(encoding="utf-8")
    passed = re.search(r"path (.*)", text)[1].split()
    source = (ROOT / "src" / "furytune" / "serving" / "endpoint.py").read_text(encoding="utf-8")
    routes = set(re.findall(r'\("(?:GET|POST)", "(/[\w/]+)"', source))
    assert {
        route for route in routes if not any(re.fullmatch(p.replace("*", ".*"), route) for p in passed)
    } == {
        "/metrics",
        "/admin/reload",
    }


def test_help_is_written_for_the_documented_command() -> None:
    assert "[serve]" in CliRunner().invoke(commands, ["serve", "--help"]).output
