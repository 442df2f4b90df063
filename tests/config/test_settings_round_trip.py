"""A pipeline as a settings file makes an equal pipeline, whatever its parts and their arguments."""

from __future__ import annotations

import inspect
import os
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import get_args

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import furytune as ft
from furytune import plugins
from furytune.config import load_pipeline, load_settings, pipeline_to_toml
from furytune.config.arguments import arguments
from furytune.config.kinds import kinds
from furytune.errors import ConfigError, FurytuneError

FURY = Path(__file__).parents[1] / "fixtures" / "packages" / "fury"
ROLES = get_args(plugins.Role)

GEMINI = ft.GeminiTuner("gemini-3.1-flash-lite", project="p").base_model(temperature=0.0)
NEEDED = {
    "collectors.discord": {
        "guild": "81384788765712384",
        "permission": "asked",
        "token": ft.Secret.env("TOKEN"),
    },
    "collectors.discourse": {"site": "https://discuss.example.org", "permission": "asked"},
    "collectors.github-discussions": {
        "repository": "octo-org/octo-repo",
        "permission": "asked",
        "token": ft.Secret.env("TOKEN"),
    },
    "curators.check-code": {"package": "fury", "path": FURY},
    "curators.cap-per-author": {"most": 3},
    "curators.judge-pairs": {"model": ft.ChatService("http://127.0.0.1:1/v1").model("m", temperature=0.0)},
    "tuners.gemini": {"model": "gemini-3.1-flash-lite", "project": "p", "bucket": "b"},
    "embedders.lance": {"function": "ollama"},
    "exporters.csv": {"path": "rows.csv"},
    "exporters.jsonl": {"path": "rows.jsonl"},
}
SLOW = ("path", "revision")  # each asks git
names = st.from_regex(r"[a-zA-Z][a-zA-Z0-9_-]{0,8}", fullmatch=True)
BY_KIND = {
    "_Plain": lambda kind: {
        bool: st.booleans(),
        int: st.integers(-5, 100_000),
        float: st.floats(0, 20) | st.integers(0, 9),
        str: st.text(st.characters(codec="utf-8"), max_size=20) | names,
    }[kind.type],
    "_Choice": lambda kind: st.sampled_from(kind.allowed),
    "_Place": lambda _: st.builds(Path, names),
    "_Duration": lambda _: st.timedeltas(timedelta(0), timedelta(days=400)),
    "_Hidden": lambda kind: (
        st.nothing() if kind.raw else st.builds(ft.Secret.env, st.sampled_from(["A", "KEY_2"]))
    ),
    "_Free": lambda _: st.dictionaries(names, st.integers() | names, max_size=2),
    "Several": lambda kind: st.lists(st.one_of(*map(values, kind.items)), max_size=3),
    "Group": lambda kind: made(kind.made, ""),
    "Part": lambda kind: part(kind.role),
}


def values(kind):
    return BY_KIND[type(kind).__name__](kind)


@st.composite
def made(draw, cls, name):
    """An instance with any arguments that its class accepts."""
    chosen = dict(NEEDED.get(name, {}))
    for argument in arguments(cls).values():
        fixed = argument.name in chosen and argument.name != "model"
        if fixed or not argument.types or (cls is ft.CheckCode and argument.name in SLOW):
            continue
        if argument.required or draw(st.integers(0, 3)) == 0:
            value = draw(st.one_of(*[values(kind) for kind in kinds(argument)]))
            tried = chosen | {argument.name: value}
            # What the class refuses cannot be in a pipeline.
            try:
                if not any(a.required and a.name not in tried for a in arguments(cls).values()):
                    cls(**tried)
            except (FurytuneError, TypeError, ValueError):
                if not argument.required:
                    continue
            chosen = tried
    try:
        return cls(**chosen)
    except (FurytuneError, TypeError, ValueError):
        return draw(st.nothing())


@cache
def part(role):
    found = []
    for name in plugins.names(role):
        cls = plugins.load(role, name)
        # Embedders need files, so they have a test of their own.
        if isinstance(cls, type) and f"{role}.{name}" not in ("embedders.static", "embedders.onnx"):
            found.append(made(cls, f"{role}.{name}"))
    if role == "models":
        found += [st.just(NEEDED["curators.judge-pairs"]["model"]), st.just(GEMINI)]
    return st.one_of(*found)


@st.composite
def pipelines(draw):
    exporters = draw(st.lists(part("exporters"), max_size=2, unique_by=lambda e: e.path))
    try:
        return ft.Pipeline(
            collector=draw(st.lists(part("collectors"), min_size=1, max_size=2)),
            curators=draw(st.lists(part("curators"), max_size=3)),
            augmenter=draw(part("augmenters")),
            template=draw(
                st.none() | st.just(ft.PromptTemplate("Use {context}\n\n'''Q\"\"\" \\ {question}"))
            ),
            exporter=exporters,
            tuner=draw(st.none() | part("tuners")) if exporters else None,
            normalizer=draw(made(ft.Normalizer, "")),
            budget=draw(st.none() | made(ft.TokenBudget, "")),
            splitter=draw(part("splitters")),
        )
    except (FurytuneError, ValueError):
        return draw(st.nothing())


def without_secrets(pipeline):
    """The parts that can be compared: two secrets are never equal."""

    def bare(value):
        if isinstance(value, ft.Secret):
            return value.place
        if isinstance(value, tuple):
            return tuple(map(bare, value))
        if attrs.has(type(value)):
            fields = [f for f in attrs.fields(type(value)) if f.eq]
            return type(value), [bare(getattr(value, f.name)) for f in fields]
        return value

    return bare(pipeline)


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory):
    before, place = Path.cwd(), tmp_path_factory.mktemp("round")
    os.chdir(place)
    yield place
    os.chdir(before)


@given(pipelines())
def test_a_pipeline_is_the_same_after_writing_and_reading_it(pipeline) -> None:
    text = pipeline_to_toml(pipeline)
    Path("furytune.toml").write_text(text, encoding="utf-8", newline="")
    read = load_pipeline("furytune.toml")
    assert without_secrets(read) == without_secrets(pipeline)
    assert read.contract.fingerprint == pipeline.contract.fingerprint
    assert pipeline_to_toml(read) == text


@pytest.mark.parametrize("role", ROLES)
def test_every_argument_of_every_part_has_a_key(role) -> None:
    """Only what does not count when two parts are compared is left to Python, such as a clock."""
    for name in plugins.names(role):
        cls = plugins.load(role, name)
        known = arguments(cls)
        for parameter in inspect.signature(cls).parameters:
            field = attrs.fields_dict(cls).get(parameter) if isinstance(cls, type) else None
            if parameter.startswith("_") or (field is not None and not field.eq):
                continue
            assert parameter in known, f"{role}.{name}.{parameter}"
            assert kinds(known[parameter]), (
                f"{role}.{name}.{parameter} has a type that no value of TOML can be"
            )
            assert known[parameter].doc, f"{role}.{name}.{parameter} is not described"


def test_embedders_and_their_files_are_read_again(folder) -> None:
    from models import static_model

    static_model(folder / "model")
    for embedder in (
        ft.StaticEmbedder("model"),
        ft.StaticEmbedder("model", tokenizer="model/tokenizer.json"),
    ):
        pipeline = ft.Pipeline(
            collector=ft.CsvCollector("pairs.csv"),
            augmenter=ft.RagAugmenter("corpus.lance", mode="hybrid", embedder=embedder),
        )
        Path("e.toml").write_text(pipeline_to_toml(pipeline), encoding="utf-8")
        assert load_pipeline("e.toml") == pipeline


def test_paths_begin_at_the_folder_of_the_file(folder) -> None:
    (folder / "there").mkdir(exist_ok=True)
    text = """
[collector]
type = "discord"
guild = 81384788765712384
token = {file = "token.txt"}
permission = "asked"
[exporter]
type = "jsonl"
path = "rows.jsonl"
[tuner]
type = "gemini"
model = "m"
project = "p"
bucket = "b"
[[curators]]
type = "judge-pairs"
model = {type = "chat", name = "m", endpoint = "http://127.0.0.1:1/v1"}
"""
    (folder / "there" / "furytune.toml").write_text(text, encoding="utf-8")
    (folder / "there" / "token.txt").write_text(" hush\n", encoding="utf-8")
    pipeline = load_pipeline("there/furytune.toml")
    collector, judge = pipeline.collector[0], pipeline.curators[0]
    assert collector.journal.journal.path == Path("there/discord-journal")
    assert collector.token.reveal() == "hush"
    assert pipeline.tuner.ledger == Path("there/tuning-jobs")
    assert judge.cache.folder == Path("there/grades")
    assert pipeline.exporter[0].validation == Path("there/rows.validation.jsonl")
    assert load_settings("there/furytune.toml").contract == Path("there/furytune.contract.json")


@pytest.mark.parametrize(
    "model",
    [
        ft.ChatService("http://127.0.0.1:1/v1", api_key=ft.Secret.env("KEY"), timeout=3).model(
            "m", thinking={"a": 1}
        ),
        ft.GeminiTuner("gemini-3.1-flash-lite", project="p", location="europe-west4").base_model(
            max_output_tokens=9
        ),
        GEMINI,
    ],
)
def test_a_model_that_judges_is_read_again(folder, model) -> None:
    pipeline = ft.Pipeline(collector=ft.CsvCollector("x.csv"), curators=ft.JudgePairs(model, project="FURY"))
    text = pipeline_to_toml(pipeline)
    Path("m.toml").write_text(text, encoding="utf-8")
    read = load_pipeline("m.toml").curators[0].model
    assert pipeline_to_toml(load_pipeline("m.toml")) == text
    assert (type(read), read.spec) == (type(model), model.spec)


@pytest.mark.parametrize(
    ("pipeline", "problem"),
    [
        (ft.Pipeline(collector=ft.CsvCollector("x.csv"), curators=[lambda pair: pair]), "not a plugin"),
        (
            ft.Pipeline(
                collector=ft.DiscordCollector(
                    guild="81384788765712384", token=ft.Secret("hush"), permission="x"
                )
            ),
            "Secret.env",
        ),
        (ft.Pipeline(collector=ft.DiscordExportCollector("x", author_key=b"hush")), "environment variable"),
    ],
)
def test_what_a_file_cannot_hold_is_refused(pipeline, problem) -> None:
    with pytest.raises(ConfigError, match=problem) as caught:
        pipeline_to_toml(pipeline)
    assert "hush" not in str(caught.value)
