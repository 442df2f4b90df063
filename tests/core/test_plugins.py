"""Plugins of other packages are found by entry point, and a broken one is named."""

from __future__ import annotations

import sys

import pytest

from furytune import plugins
from furytune.augmenters.identity import IdentityAugmenter
from furytune.contract import PromptContract
from furytune.errors import ContractError, KnowledgeError, MissingExtraError, PluginError
from furytune.template import PromptTemplate

MODULE = """
from furytune.errors import MissingExtraError
from furytune.testing.memory import MemoryAugmenter

class Loadable(MemoryAugmenter):
    @classmethod
    def from_spec(cls, spec, *, location, base):
        return cls([])
    spec = {"name": "loadable"}

class Unloadable(MemoryAugmenter):
    spec = {"name": "unloadable"}

class Empty(MemoryAugmenter):
    @classmethod
    def from_spec(cls, spec, *, location, base):
        from furytune.errors import KnowledgeError
        raise KnowledgeError("there is no index here")
    spec = {"name": "empty"}
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Installs a package with plugins, for this test."""
    (tmp_path / "shop.py").write_text(MODULE)
    (tmp_path / "needs_more.py").write_text(
        "from furytune.errors import MissingExtraError\nraise MissingExtraError('this plugin', 'rag')\n"
    )
    for name, points in {
        "shop": "loadable = shop:Loadable\nunloadable = shop:Unloadable\nempty = shop:Empty\n"
        "gone = shop:Nothing\nabsent = no_such_module:X\nneeding = needs_more:X\nidentity = shop:Loadable\n",
    }.items():
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[furytune.augmenters]\n{points}")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in ("shop", "needs_more"):
        sys.modules.pop(name, None)


def test_a_plugin_is_listed_and_loaded(package) -> None:
    assert "loadable" in plugins.names("augmenters")
    assert plugins.load("augmenters", "loadable").__name__ == "Loadable"


@pytest.mark.parametrize("name", ["gone", "absent"])
def test_a_plugin_that_cannot_be_imported_is_named(package, name) -> None:
    with pytest.raises(PluginError, match=f"'{name}' .* cannot be imported"):
        plugins.load("augmenters", name)


def test_a_plugin_without_its_package_names_the_extra(package) -> None:
    with pytest.raises(MissingExtraError, match=r"furytune\[rag\]"):
        plugins.load("augmenters", "needing")


def test_two_packages_that_claim_one_name_are_both_named(package) -> None:
    with pytest.raises(PluginError, match=r"two packages claim .* furytune\.augmenters\.identity.*shop"):
        plugins.load("augmenters", "identity")


def saved(folder, kind) -> str:
    augmenter = plugins.load("augmenters", kind)([])
    contract = PromptContract(template=PromptTemplate("{context}\nQ\n{question}"), augmenter=augmenter)
    contract.save(folder / "c.json")
    return str(folder / "c.json")


def test_a_contract_rebuilds_a_plugin(package) -> None:
    loaded = PromptContract.load(saved(package, "loadable"))
    assert type(loaded.augmenter).__name__ == "Loadable"


def test_a_plugin_without_from_spec_must_be_passed(package) -> None:
    with pytest.raises(ContractError, match="pass it as augmenter="):
        PromptContract.load(saved(package, "unloadable"))


def test_the_error_of_a_plugin_is_passed_on(package) -> None:
    with pytest.raises(KnowledgeError, match="no index here"):
        PromptContract.load(saved(package, "empty"))


def test_the_identity_augmenter_needs_no_plugin(package) -> None:
    assert (
        PromptContract(template=PromptTemplate("{question}"), augmenter=IdentityAugmenter()).prompt("q").text
        == "q"
    )
