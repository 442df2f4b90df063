"""A contract with an index: moved, linked, rebuilt, refreshed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import furytune as ft
from furytune.contract import Deviation

TEMPLATE = ft.PromptTemplate("Context:\n{context}\n\nQuestion:\n{question}")
OLD = [ft.Passage(id="a", text="install it with pip"), ft.Passage(id="b", text="draw a sphere")]
NEW = [*OLD, ft.Passage(id="c", text="install it with conda")]


def made(index: Path) -> ft.PromptContract:
    return ft.PromptContract(template=TEMPLATE, augmenter=ft.RagAugmenter(index), dialects=["gemini"])


def test_the_fix_in_the_error_message_works(tmp_path) -> None:
    """The rebuilt index has the same passages under another version number."""
    index = tmp_path / "c.lance"
    ft.build_index(index, OLD)
    ft.build_index(index, NEW)
    contract = made(index)
    contract.save(tmp_path / "c.json")
    shutil.rmtree(index)
    with pytest.raises(ft.ContractMismatchError, match="snapshot"):
        ft.PromptContract.load(tmp_path / "c.json")
    ft.build_index(index, reversed(NEW))
    assert ft.PromptContract.load(tmp_path / "c.json").prompt("install") == contract.prompt("install")


def test_a_contract_stays_on_its_passages_when_the_index_moves_on(tmp_path) -> None:
    index = tmp_path / "c.lance"
    ft.build_index(index, OLD)
    contract = made(index)
    contract.save(tmp_path / "c.json")
    ft.build_index(index, NEW)
    loaded = ft.PromptContract.load(tmp_path / "c.json")
    assert loaded.prompt("install") == contract.prompt("install")
    fresh = loaded.refresh()
    assert fresh.fingerprint == loaded.fingerprint
    assert len(fresh.prompt("install").passages) == 2


def test_other_passages_are_accepted_only_with_a_reason(tmp_path) -> None:
    index = tmp_path / "c.lance"
    ft.build_index(index, OLD)
    made(index).save(tmp_path / "c.json")
    shutil.rmtree(index)
    ft.build_index(index, NEW)
    with pytest.raises(ft.ContractMismatchError, match="snapshot"):
        ft.PromptContract.load(tmp_path / "c.json")
    accepted = ft.PromptContract.load(tmp_path / "c.json", deviation="the docs of 2.1")
    assert len(accepted.prompt("install").passages) == 2
    assert Deviation("snapshot", "the docs of 2.1") in accepted.deviations


def test_contract_and_index_can_move_together_and_through_links(tmp_path) -> None:
    real = tmp_path / "releases" / "2026" / "data"
    real.mkdir(parents=True)
    (tmp_path / "current").symlink_to(real)
    ft.build_index(tmp_path / "current" / "c.lance", OLD)
    contract = made(tmp_path / "current" / "c.lance")
    contract.save(tmp_path / "current" / "c.json")
    for folder in (tmp_path / "current", real, Path(shutil.copytree(real, tmp_path / "elsewhere"))):
        assert ft.PromptContract.load(folder / "c.json").prompt("draw") == contract.prompt("draw")


def test_another_working_directory_changes_nothing(tmp_path, monkeypatch) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "a")
    ft.build_index("c.lance", OLD)
    contract = made(Path("c.lance"))
    contract.save("c.json")
    monkeypatch.chdir(tmp_path / "b")
    contract.save(tmp_path / "c" / "c.json")
    assert contract.refresh().snapshot == contract.snapshot
    for folder in ("a", "c"):
        assert ft.PromptContract.load(tmp_path / folder / "c.json").prompt("draw") == contract.prompt("draw")
