"""The plugin keeps furytune's rules, and works inside a pipeline."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from furytune_glossary import FaqCollector, GlossaryAugmenter, drop_greetings

import furytune as ft
from furytune.errors import SourceFormatError
from furytune.testing.conformance import check_augmenter, check_collector, check_curator
from furytune.testing.memory import pair

FAQ = """Q: How do I make an actor transparent?
A: Set its opacity.
Q: Is there a roadmap?
Q: What is an actor?
A: Anything in the scene.
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "faq.txt").write_text(FAQ, encoding="utf-8")
    words = {"actor": "An object in the scene.", "opacity": "From 0 to 1."}
    (tmp_path / "glossary.json").write_text(json.dumps(words), encoding="utf-8")
    return tmp_path


def test_the_collector_keeps_the_rules(folder: Path) -> None:
    items = check_collector(lambda: FaqCollector(folder / "faq.txt"), read={"record": 3})
    assert [type(i).__name__ for i in items] == ["QAPair", "Dropped", "QAPair"]


def test_a_line_that_is_neither_is_named(folder: Path) -> None:
    (folder / "faq.txt").write_text("Q: a?\nB: b\n", encoding="utf-8")
    with pytest.raises(SourceFormatError, match="neither") as refused:
        list(FaqCollector(folder / "faq.txt").collect())
    assert refused.value.line == 2


def test_the_augmenter_keeps_the_rules(folder: Path) -> None:
    check_augmenter(
        lambda: GlossaryAugmenter(folder / "glossary.json"),
        ["What is an actor?", "opacity of an ACTOR", "no"],
    )


def test_the_curation_step_keeps_the_rules() -> None:
    kept = check_curator(drop_greetings, [pair("Hello everyone!", "hi"), pair("How?", "so")])
    assert [isinstance(item, ft.QAPair) for item in kept] == [False, True]


def test_it_works_in_a_pipeline(folder: Path) -> None:
    run = ft.Pipeline(
        collector=FaqCollector(folder / "faq.txt"),
        curators=[drop_greetings],
        augmenter=GlossaryAugmenter(folder / "glossary.json"),
        exporter=ft.JsonlExporter(folder / "train.jsonl"),
    ).run()
    assert run.report.counts.rows == 2
    assert "An object in the scene." in run.contract.prompt("what is an actor").text


def test_a_saved_contract_is_loaded_by_name(folder: Path) -> None:
    from furytune import plugins

    if "glossary" not in plugins.names("augmenters"):
        pytest.skip("the plugin is not installed, so its names are not known")
    contract = ft.PromptContract(
        template=ft.PromptTemplate("Words:\n{context}\n\nQuestion:\n{question}"),
        augmenter=GlossaryAugmenter(folder / "glossary.json"),
    )
    contract.save(folder / "c.json")
    assert ft.PromptContract.load(folder / "c.json").prompt("an actor?") == contract.prompt("an actor?")
