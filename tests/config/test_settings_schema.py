"""Editors accept and refuse what furytune accepts and refuses."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator
from test_settings_round_trip import pipelines

from furytune import plugins
from furytune.config import pipeline_to_toml, schema

EXAMPLE = Path(__file__).parents[2] / "examples" / "furytune.toml"


@pytest.fixture(scope="module")
def validator():
    made = json.loads(json.dumps(schema()))
    Draft202012Validator.check_schema(made)
    return Draft202012Validator(made)


def test_the_example_is_valid(validator) -> None:
    assert not [*validator.iter_errors(tomllib.loads(EXAMPLE.read_text(encoding="utf-8")))]


@given(pipelines())
def test_every_pipeline_is_valid(validator, pipeline) -> None:
    assert not [*validator.iter_errors(tomllib.loads(pipeline_to_toml(pipeline)))]


@pytest.mark.parametrize(
    "wrong",
    [
        'colector = {type = "csv", path = "x"}',
        'collector = {type = "cvs", path = "x"}',
        'collector = {type = "csv"}',
        'collector = {type = "csv", path = "x", on_error = "skipp"}',
        'collector = {type = "csv", path = 3}',
        'collector = {path = "x"}',
        'collector = {type = "discord", guild = 1, permission = "x", token = "hush"}',
        'collector = {type = "csv", path = "x"}\ncurators = [{type = "min-confidence", least = "0.5"}]',
        'collector = {type = "csv", path = "x"}\nwithout_retrieval = {}',
        'collector = {type = "csv", path = "x"}\nknowledge = {type = "markup"}',
        "",
    ],
)
def test_a_mistake_is_marked(validator, wrong) -> None:
    assert [*validator.iter_errors(tomllib.loads(wrong))]


def test_every_part_is_described() -> None:
    made = schema()["$defs"]
    for role in (
        "augmenters",
        "collectors",
        "corpora",
        "curators",
        "embedders",
        "exporters",
        "pairers",
        "tuners",
    ):
        shown = {one["properties"]["type"]["const"]: one["description"] for one in made[role]["oneOf"]}
        assert sorted(shown) == plugins.names(role)
        assert all(shown.values())
